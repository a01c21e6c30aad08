"""Which types a model file may hold."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Iterable
from pathlib import Path
from typing import NoReturn

from clarify_ops.errors import BadModel

# skops audits every type in a file; these come with the libraries that train.
TRUSTED_PACKAGES = frozenset({"catboost", "collections", "lightgbm", "numpy", "scipy", "sklearn", "xgboost"})


def refuse_untrusted(types: Iterable[str], trusted: Iterable[str], what: str) -> None:
    """Stops at a type outside the trusted packages.

    Args:
        types: Full names, as skops lists them beyond those that it trusts by itself.
        trusted: Packages to trust beside `TRUSTED_PACKAGES`: the one that `train.estimator` names.
        what: Opens the sentence of the error.

    Raises:
        BadModel: Naming the type.
    """
    allowed = TRUSTED_PACKAGES | set(trusted)
    foreign = sorted(one for one in types if one.split(".")[0] not in allowed)
    if foreign:
        raise BadModel(
            f"{what} holds the type {foreign[0]}, which is not from a trusted package.",
            f"Trusted: {', '.join(sorted(allowed))}.",
        )
    for name in types:
        if not _is_class(name):
            # A class is built from data; a function would be called with them.
            raise BadModel(f"{what} holds {name}, which is not a type.", "Models made of functions are not loaded.")


def refuse_unread(file: Path | str, what: str) -> NoReturn:
    """Stops before a file whose reading runs what is in it.

    Args:
        file: It, or what would be imported.
        what: What it is, to stand after "is".

    Raises:
        BadModel: Always.
    """
    raise BadModel(
        f"The model {file} is {what}: reading it runs whatever is in it, so it is not opened.",
        "If you trust whoever made it, say so: trust=True, --trust-model, or CLARIFY_OPS_TRUST_MODEL=1; in a pipeline,"
        " trust: true under train.",
    )


def _is_class(name: str) -> bool:
    module, _, attribute = name.rpartition(".")
    try:
        return inspect.isclass(getattr(importlib.import_module(module), attribute, None))
    except ImportError:
        return False

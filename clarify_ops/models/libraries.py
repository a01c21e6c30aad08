"""Libraries that a model needs and this package does not."""

from __future__ import annotations

import importlib
from typing import Any

from clarify_ops.errors import MissingExtra

PACKAGES = {"sklearn": "scikit-learn"}
"""Names of packages that differ from those of their modules."""


def library(module: str) -> Any:
    """Imports it.

    Raises:
        MissingExtra: It is not installed, or something that it needs is not.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        package = PACKAGES.get(module, module)
        if error.name is None or error.name.partition(".")[0] == module:
            raise MissingExtra(
                f"The model needs {package}, which is not installed.", f"Install it with: pip install {package}"
            ) from error
        hint = f"Install it with: pip install {error.name}"
        if module == "keras":
            hint += ", or choose another backend with KERAS_BACKEND=torch (or jax)."
        raise MissingExtra(
            f"The model needs {package}, and {package} needs {error.name}: not installed.", hint
        ) from error

"""Models that answer in this process: fitted objects and functions."""

from __future__ import annotations

import importlib
import os
import re
import shutil
import sys
import weakref
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from clarify_ops.errors import BadModel, ClarifyOpsError, nearest
from clarify_ops.models.estimators import Asking, asking
from clarify_ops.models.quiet import first_line, quiet
from clarify_ops.models.signature import Signature, in_order
from clarify_ops.models.trust import refuse_unread

IMPORT_PATH = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*:[^\W\d]\w*(\.[^\W\d]\w*)*")
"""package.module:function"""


class InProcessModel:
    """A fitted object or a function: a `clarify_ops.models.model.Model`.

    Args:
        name: How it was given.
        asked: How it is asked.
        estimator: The fitted object, where there is one.
        signature: The columns that it takes.
        exactly: Whether it insists on the very types of its signature.
        folder: A temporary folder that it needs while it lives.

    Attributes:
        name: How it was given.
        estimator: The native fitted object: a scikit-learn estimator or pipeline, a Booster of LightGBM or XGBoost or its
            scikit-learn wrapper, a CatBoost model, a torch Module, a Keras model; None of a plain function.
        outputs: Names of the columns of an answer, the classes of a classifier; None where they have none.
        positive: Which column of an answer is the positive class of two; None where there are not two columns.
    """

    def __init__(
        self,
        name: str,
        asked: Asking,
        estimator: object | None = None,
        *,
        signature: Signature | None = None,
        exactly: bool = False,
        folder: Path | None = None,
    ) -> None:
        self.name = name
        self.estimator = estimator
        self.outputs = asked.outputs
        self.positive = asked.positive
        self._asked = asked
        self._signature = signature
        self._exactly = exactly
        self._finish = weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True) if folder else None

    @property
    def columns(self) -> Mapping[str, bool] | None:
        """Names of the columns that it takes, in its order, and whether rows must have each; None where it knows none."""
        fields = () if self._signature is None else self._signature.fields
        if fields and all(one.name is not None for one in fields):
            return {str(one.name): one.required for one in fields}
        known = self._asked.columns
        return None if known is None or _made_up(known) else dict.fromkeys(known, True)

    def prepared(self, features: pd.DataFrame) -> pd.DataFrame:
        """The rows as the estimator takes them: its columns in its order, categories as they were at training.

        What reads `estimator` itself gives it these. Preparing twice changes nothing.

        Raises:
            BadModel: A column is missing, or holds what the model does not take.
        """
        if self._signature is not None:
            features = self._signature.fitted(features, self.name, exactly=self._exactly)
        if self._asked.columns is not None:
            features = self._named(features, self._asked.columns)
        return self._asked.prepare(features)

    def answer(self, features: pd.DataFrame) -> Any:
        """Scores of (rows, features): `predict_proba`, all classes, where the estimator has it; else what it predicts.

        Raises:
            BadModel: The rows do not fit it, or it fails on them.
        """
        with quiet():
            try:
                return self._asked.scores(self.prepared(features))
            except ClarifyOpsError:
                raise
            except Exception as error:  # A model is anybody's code, and fails as it likes.
                raise BadModel(
                    f"The model {self.name} failed on {len(features)} rows: "
                    f"{type(error).__name__}: {first_line(error)}."
                ) from error

    def close(self) -> None:
        """Removes what was fetched for it. Twice is once."""
        if self._finish is not None:
            self._finish()

    def _named(self, rows: pd.DataFrame, columns: tuple[str, ...]) -> pd.DataFrame:
        names = {str(name) for name in rows.columns}
        if names != set(columns) and rows.shape[1] == len(columns) and _made_up(columns):
            return rows
        # LightGBM writes spaces in names as underscores.
        known = {name.replace(" ", "_"): name for name in names}
        return in_order(rows, [name if name in names else known.get(name, name) for name in columns], self.name)


def _made_up(columns: tuple[str, ...]) -> bool:
    """Whether a library made the names up, because it was fitted on an array."""
    return any(columns == tuple(f"{start}{place}" for place in range(len(columns))) for start in ("", "Column_"))


def model_of(thing: object, name: str | None = None) -> InProcessModel:
    """A model that is in memory already.

    Args:
        thing: A fitted object with `predict_proba` or `predict`, a Booster, a torch Module, a Keras model, or a function
            from (rows, features) to (rows,) or (rows, outputs).
        name: For sentences; None for its class or its own name.

    Raises:
        BadModel: It is none of these.
    """
    called = name or str(getattr(thing, "__qualname__", type(thing).__qualname__))
    asked = None if isinstance(thing, type) else asking(thing)
    if asked is not None:
        return InProcessModel(called, asked, thing)
    if callable(thing) and not isinstance(thing, type):
        return InProcessModel(called, Asking(thing))
    raise BadModel(
        f"The model {called} is neither a function nor a fitted estimator.",
        "Give a function from a DataFrame of features to scores, or an object with predict_proba or predict.",
    )


def load_function(path: str, *, trust: bool = False) -> InProcessModel:
    """A function, or a fitted object, by its import path.

    Args:
        path: `package.module:function`; modules in the current folder are found as well.
        trust: Whether to import it, which runs the module.

    Raises:
        BadModel: It may not be imported, cannot be, or is no model.
    """
    if not trust:
        refuse_unread(path, "Python code")
    module, _, attribute = path.partition(":")
    here = os.getcwd()  # noqa: PTH109 - sys.path holds texts
    if here not in sys.path:
        # Last, so that nothing lying around here stands in for a library.
        sys.path.append(here)
    try:
        with quiet():
            found: Any = importlib.import_module(module)
    except Exception as error:  # Importing runs the module, which fails as it likes.
        raise BadModel(f"The model {path} cannot be imported: {type(error).__name__}: {first_line(error)}.") from error
    for part in attribute.split("."):
        if not hasattr(found, part):
            raise BadModel(f"The model {path} is not there: no {part!r} in it.", nearest(part, _public(found)))
        found = getattr(found, part)
    return model_of(found, path)


def _public(thing: object) -> list[str]:
    return [name for name in dir(thing) if not name.startswith("_")]


def positive_scores(model: InProcessModel) -> Callable[[pd.DataFrame], Any]:
    """A function from rows to (rows,) probabilities of the positive class of two, or to all that the model answers."""

    def predict(features: pd.DataFrame) -> Any:
        answer = model.answer(features)
        return answer if model.positive is None else np.asarray(answer, dtype=np.float64)[:, model.positive]

    return predict

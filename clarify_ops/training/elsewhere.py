"""A model that was trained elsewhere: which columns it sees, and its probability of a positive label."""

from __future__ import annotations

import re
import shutil
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clarify_ops.data.source import Dataset
from clarify_ops.errors import BadData, BadModel
from clarify_ops.models.in_process import InProcessModel
from clarify_ops.models.mlflow_model import Predict
from clarify_ops.models.signature import BOOLEANS
from clarify_ops.training.columns import FeatureColumns

# Written beside a model by those who fetch and open it.
_NOT_THE_MODEL = ("__pycache__", "registered_model_meta")
_PINNED = re.compile(r"\s*([A-Za-z0-9][\w.-]*)(?:\[[^\]]*\])?\s*==\s*([\w.+!-]+)")
# Sums of single-precision probabilities miss 1 by less.
_ROUNDING = 1e-5
ENCODED = ["0.0", "1.0"]


def copy_model(source: Path, target: Path, name: str) -> None:
    """Takes over a model's files as they are.

    Raises:
        BadModel: Something in it is a link: what it leads to is not part of the model.
    """
    for one in source.rglob("*"):
        if one.is_symlink():
            raise BadModel(
                f"The model {name} holds a link, {one.relative_to(source)}, and only files are kept as evidence.",
                "Copy it with what its links lead to: cp -rL.",
            )
    shutil.copytree(source, target, ignore=shutil.ignore_patterns(*_NOT_THE_MODEL))


def seen_features(
    model: InProcessModel, columns: FeatureColumns, dataset: Dataset, listed: Collection[str] | None
) -> list[str]:
    """The features that the model sees, in the pipeline's order: what its signature names, or its fitted object.

    Args:
        model: It.
        columns: What the pipeline lets a model see.
        dataset: The rows.
        listed: `data.features`, whose order counts where a model knows its columns by their places alone.

    Raises:
        BadModel: It names no columns, and nothing lists them.
        BadData: It takes a column that the pipeline keeps from it, or that the data do not have.
    """
    wanted = model.columns
    if wanted is None:
        if listed is None:
            raise BadModel(
                f"The model {model.name} does not name its columns.",
                "List them under data.features, in the order in which it takes them, or save it with a signature.",
            )
        return columns.names
    there = {str(name) for name in dataset.frame.columns}
    # LightGBM writes spaces in names as underscores.
    spaced = {name.replace(" ", "_"): name for name in there}
    seen = {
        name if name in there else spaced.get(name, name)
        for name, required in wanted.items()
        if required or name in there
    }
    for name in sorted(seen & columns.left_out.keys()):
        raise BadData(
            f"The model {model.name} takes the column {name!r}, which the pipeline keeps from it: {columns.left_out[name]}.",
            "Name it under data.sensitive_features if the model is meant to see a facet or the group variable; otherwise look"
            " at data.features and data.exclude, or train it without.",
        )
    dataset.require(sorted(seen), f"The model {model.name}")
    return [name for name in columns.names if name in seen]


@dataclass(frozen=True)
class LabelNames:
    """How a classifier may call its classes.

    Attributes:
        positive: Values of the label that are positive, spelled alike: 1, 1.0, "1" and True are one.
        known: All values that the rows have, likewise.
    """

    positive: frozenset[str]
    known: frozenset[str]

    @classmethod
    def of(cls, label: pd.Series, positive: NDArray[np.bool_], listed: Iterable[object] = ()) -> LabelNames:
        """Those of rows.

        Args:
            label: (rows,) as it stands in the data.
            positive: (rows,) whether it is positive.
            listed: Values that the analysis calls positive, though no row may have them.

        >>> sorted(LabelNames.of(pd.Series([0, 1, 2]), np.array([False, True, True]), ["3"]).positive)
        ['1.0', '2.0', '3.0']
        """
        positives = frozenset(_spelled(value) for value in (*pd.unique(label[positive]), *listed))
        return cls(positives, frozenset(_spelled(value) for value in pd.unique(label)))

    def places(self, classes: Sequence[str]) -> list[int] | None:
        """Which of a model's classes are positive; None where its classes are not the label's values."""
        known = [_spelled(one) for one in classes]
        if not (self.known <= set(known) or set(known) <= self.known):
            return None
        found = [place for place, one in enumerate(known) if one in self.positive]
        return found if 0 < len(found) < len(known) else None


def positive_scores(model: InProcessModel, labels: LabelNames) -> Predict:
    """From (rows, features) to (rows,) probabilities of a positive label."""

    def predict(features: pd.DataFrame) -> NDArray[np.float64]:
        answer = model.answer(features)
        names = model.outputs
        if isinstance(answer, pd.DataFrame):
            names = tuple(map(str, answer.columns)) if names is None else names
        try:
            values = np.asarray(answer, dtype=np.float64)
        except (TypeError, ValueError) as error:
            raise BadModel(f"The model {model.name} answers with labels or texts, not with probabilities.") from error
        if values.ndim not in {1, 2} or len(values) != len(features):
            raise BadModel(f"The model {model.name} does not answer with one row a row.")
        scores = values if values.ndim == 1 else values[:, _columns(model.name, values, names, labels)].sum(axis=1)
        if not bool(((scores >= -_ROUNDING) & (scores <= 1 + _ROUNDING)).all()):
            raise BadModel(
                f"The scores of the model {model.name} are not probabilities: some are outside of 0 to 1, or no numbers.",
                "Give a classifier with predict_proba, or one whose predict answers with probabilities.",
            )
        return np.clip(scores, 0.0, 1.0)

    return predict


def require_probabilities(scores: NDArray[np.float64], name: str) -> None:
    """Stops at a model that answers the rows with labels alone.

    Raises:
        BadModel: Every score is 0 or 1.
    """
    if bool(np.isin(scores, (0.0, 1.0)).all()):
        raise BadModel(
            f"The model {name} answers with labels alone (0 and 1), and the gate judges probabilities.",
            "Give a classifier with predict_proba, or one whose predict answers with probabilities.",
        )


def estimator_name(model: InProcessModel) -> str:
    """The class of the fitted object by its import path; of a scikit-learn pipeline, that of its last step."""
    found: Any = model.estimator
    if found is None:
        return "mlflow.pyfunc.PyFuncModel"
    steps = getattr(found, "steps", None)
    kind = type(steps[-1][1] if isinstance(steps, list) and steps else found)
    modules = [part for part in kind.__module__.split(".") if not part.startswith("_")]
    return ".".join([*modules, kind.__qualname__])


def pinned_libraries(folder: Path) -> dict[str, str]:
    """Versions that the model's own requirements.txt pins; those that it leaves open are left out."""
    file = folder / "requirements.txt"
    lines: Iterable[str] = file.read_text(encoding="utf-8", errors="replace").splitlines() if file.is_file() else ()
    return {found[1]: found[2] for found in map(_PINNED.match, lines) if found}


def _columns(name: str, values: NDArray[np.float64], names: tuple[str, ...] | None, labels: LabelNames) -> list[int]:
    """Which columns of an answer are probabilities of a positive label."""
    width = values.shape[1]
    if width == 1:
        return [0]
    classes = names if names is not None and len(names) == width else None
    found = None if classes is None else labels.places(classes)
    if found is not None:
        return found
    # Classes that were encoded before training; and columns without names, as MLflow's own wrapping gives them.
    sums_to_one = bool((np.abs(values.sum(axis=1) - 1) <= _ROUNDING).all())
    if width == 2 and sums_to_one and (classes is None or [_spelled(one) for one in classes] == ENCODED):
        return [1]
    told = "" if classes is None else f" ({', '.join(classes[:12])})"
    raise BadModel(
        f"The model {name} answers with {width} columns{told}, and nothing tells which of them is the positive label.",
        "Its classes must be values of the label, or 0 and 1 with 1 for positive.",
    )


def _spelled(value: object) -> str:
    """A label or a class so that 1, 1.0, "1" and True are one."""
    text = str(value).strip()
    try:
        return repr(float(BOOLEANS.get(text.lower(), text)))
    except ValueError:
        return text

"""How good a model's answers are, in one number: what permutation feature importance takes apart."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from clarify_ops.errors import BadData, BadDocument, BadModel, nearest

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]
Custom = Callable[[NDArray[Any], Floats, Floats | None], float]
"""A metric of the user's: (labels, scores, weights or None) to a number."""

SMALLEST_PROBABILITY = float(np.finfo(np.float64).eps)


@dataclass(frozen=True)
class Score:
    """A row of the table of metrics.

    Attributes:
        name: Short name.
        truth: What the labels are to it: classes, or numbers.
        larger_is_better: Its direction.
        compute: (rows,) truth, (rows, outputs) scores and (rows,) weights to the number, or None where it is undefined.
        undefined: When that is.
    """

    name: str
    truth: Literal["classes", "numbers", "as given"]
    larger_is_better: bool
    compute: Callable[[NDArray[Any], Floats, Floats | None], float | None]
    undefined: str = ""


def area_under_curve(truth: NDArray[Any], scores: Floats, weights: Floats | None = None) -> float | None:
    """The chance that a positive row scores above a negative one, ties counting half; None without one of the two.

    Exact, by one sort: of every distinct score its negative rows lie below the positive rows of larger scores and beside
    those of the same.

    >>> area_under_curve(np.array([0, 1, 1]), np.array([[0.5], [0.5], [0.9]]))
    0.75
    """
    score = scores[:, -1]
    order = np.argsort(score)
    ranked = score[order]
    ends = np.append(np.flatnonzero(ranked[1:] != ranked[:-1]), len(ranked) - 1)
    positive = truth[order] == 1
    share = positive.astype(np.float64) if weights is None else weights[order] * positive
    others = 1 - share if weights is None else weights[order] * ~positive
    up_to, below = share.cumsum()[ends], others.cumsum()[ends]
    if not up_to[-1] > 0 or not below[-1] > 0:
        return None
    beside = np.diff(up_to, prepend=0.0)
    return float(np.diff(below, prepend=0.0) @ (up_to[-1] - up_to + beside / 2) / (up_to[-1] * below[-1]))


def _accuracy(truth: NDArray[Any], scores: Floats, weights: Floats | None) -> float:
    return float(np.average(chosen_class(scores) == truth, weights=weights))


def _log_loss(truth: NDArray[Any], scores: Floats, weights: Floats | None) -> float | None:
    probabilities = scores if scores.shape[1] > 1 else np.column_stack([1 - scores, scores])
    if (probabilities < 0).any() or (probabilities > 1).any():
        return None
    of_truth = probabilities[np.arange(len(truth)), truth] / probabilities.sum(axis=1)
    return float(np.average(-np.log(np.clip(of_truth, SMALLEST_PROBABILITY, 1.0)), weights=weights))


def _r2(truth: NDArray[Any], scores: Floats, weights: Floats | None) -> float | None:
    spread = np.average((truth - np.average(truth, weights=weights)) ** 2, weights=weights)
    if spread == 0:
        return None
    return float(1 - np.average((truth - scores[:, 0]) ** 2, weights=weights) / spread)


def _mse(truth: NDArray[Any], scores: Floats, weights: Floats | None) -> float:
    return float(np.average((truth - scores[:, 0]) ** 2, weights=weights))


def _mae(truth: NDArray[Any], scores: Floats, weights: Floats | None) -> float:
    return float(np.average(np.abs(truth - scores[:, 0]), weights=weights))


SCORES: Mapping[str, Score] = {
    one.name: one
    for one in (
        Score("accuracy", "classes", larger_is_better=True, compute=_accuracy),
        Score(
            "auc",
            "classes",
            larger_is_better=True,
            compute=area_under_curve,
            undefined="Only one of the two classes has rows.",
        ),
        Score(
            "log_loss",
            "classes",
            larger_is_better=False,
            compute=_log_loss,
            undefined="The scores are no probabilities.",
        ),
        Score("r2", "numbers", larger_is_better=True, compute=_r2, undefined="All labels are equal."),
        Score("mse", "numbers", larger_is_better=False, compute=_mse),
        Score("mae", "numbers", larger_is_better=False, compute=_mae),
    )
}


def chosen_class(scores: Floats) -> Codes:
    """(rows,) position of the class that scores choose: the largest; of a single score, whether it reaches one half.

    >>> chosen_class(np.array([[0.5], [0.4]])).tolist(), chosen_class(np.array([[0.2, 0.5, 0.3]])).tolist()
    ([1, 0], [1])
    """
    if scores.shape[1] > 1:
        return np.asarray(scores.argmax(axis=1), dtype=np.intp)
    return (scores[:, 0] >= 0.5).astype(np.intp)


def score_named(metric: str | Custom, *, larger_is_better: bool | None) -> Score:
    """A row of the table, or one made for a function.

    Raises:
        BadDocument: The name is unknown, or the direction of a known metric is given wrongly.
    """
    if not isinstance(metric, str):
        name = getattr(metric, "__name__", type(metric).__name__)
        better = True if larger_is_better is None else larger_is_better
        given = metric
        return Score(
            name,
            "as given",
            better,
            lambda truth, scores, weights: _plain(given, truth, scores, weights),
            "The metric gives no finite number.",
        )
    if metric not in SCORES:
        raise BadDocument(f"There is no metric {metric!r} for feature importance.", nearest(metric, SCORES))
    if larger_is_better not in (None, SCORES[metric].larger_is_better):
        raise BadDocument(f"Of the metric {metric} {'larger' if not larger_is_better else 'smaller'} is better.")
    return SCORES[metric]


def _plain(metric: Custom, truth: NDArray[Any], scores: Floats, weights: Floats | None) -> float | None:
    value = float(metric(truth, scores[:, 0] if scores.shape[1] == 1 else scores, weights))
    return value if np.isfinite(value) else None


def truth_of(score: Score, labels: NDArray[Any], outputs: int, classes: Sequence[Any] | None) -> NDArray[Any]:
    """(rows,) labels as a metric takes them: positions of classes, numbers, or as they are.

    Raises:
        BadDocument: There are not as many classes as outputs.
        BadModel: The model has more outputs than the metric can use.
        BadData: A label is missing, or no class, or no number.
    """
    if score.truth == "as given":
        return labels
    if score.truth == "numbers":
        return numbers_of(labels, outputs)
    if score.name == "auc" and outputs > 2:
        raise BadModel(f"The model gives {outputs} outputs, and auc is of two classes.", "Take log_loss or accuracy.")
    return classes_of(labels, outputs, classes)


def classes_of(labels: NDArray[Any], outputs: int, classes: Sequence[Any] | None) -> Codes:
    """(rows,) positions of the labels among the classes.

    Args:
        labels: (rows,).
        outputs: How many the model has: one of the positive class, or one a class.
        classes: The classes in the order of the outputs; with one output the negative and then the positive. None for
            0, 1, ...

    Raises:
        BadDocument: There are not as many classes as outputs.
        BadData: A label is missing or no class.
    """
    import pandas as pd

    known = list(range(max(2, outputs))) if classes is None else list(classes)
    if len(known) != max(2, outputs):
        raise BadDocument(f"There are {len(known)} classes, and the model gives {outputs} outputs.")
    if len(set(known)) != len(known):
        raise BadDocument("Two of the classes are the same.")
    plain = labels.astype(np.intp) if labels.dtype == np.bool_ and classes is None else labels
    codes = pd.Index(known, dtype=object).get_indexer(pd.Index(plain, dtype=object))
    if (codes < 0).any():
        wrong = labels[codes < 0].tolist()[0]
        hint = (
            "Name the classes in the order of the model's outputs."
            if classes is None
            else nearest(str(wrong), map(str, known))
        )
        raise BadData(f"The label {wrong!r} is none of the classes {', '.join(map(repr, known))}.", hint)
    return np.asarray(codes, dtype=np.intp)


def numbers_of(labels: NDArray[Any], outputs: int) -> Floats:
    """(rows,) labels as numbers.

    Raises:
        BadModel: The model has several outputs.
        BadData: A label is no finite number.
    """
    if outputs != 1:
        raise BadModel(f"The model gives {outputs} outputs, and this metric compares one with the label.")
    try:
        numbers = labels.astype(np.float64)
    except (TypeError, ValueError) as error:
        raise BadData("The labels are not numbers.", "Take accuracy, auc or log_loss for classes.") from error
    if not np.isfinite(numbers).all():
        raise BadData(f"{int((~np.isfinite(numbers)).sum())} labels are missing or infinite.")
    return numbers

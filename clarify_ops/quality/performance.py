"""Performance of a binary classifier, overall and per facet value, each number with an interval."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from clarify_ops.measures import Ends, Interval, Measure
from clarify_ops.quality.ends import DeLongEnds, MeanEnds, ShareEnds


@dataclass(frozen=True)
class Predictions:
    """Rows with a prediction.

    Attributes:
        positive: (rows,) observed.
        predicted: (rows,) predicted.
        score: (rows,) probability of a positive label.
    """

    positive: NDArray[np.bool_]
    predicted: NDArray[np.bool_]
    score: NDArray[np.float64]

    def where(self, rows: NDArray[np.bool_]) -> Predictions:
        """Some of them."""
        return Predictions(self.positive[rows], self.predicted[rows], self.score[rows])


@dataclass(frozen=True)
class Found:
    """A value, or the reason why there is none."""

    value: float | None
    denominators: Mapping[str, int]
    interval: Interval | None = None
    reason: str = ""
    ends: Ends | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True)
class QualityMetric:
    """A row of the quality table.

    Attributes:
        name: Short name that policies use.
        title: For reports.
        reading: What better looks like, in one sentence.
        compute: From predictions and a confidence level.
    """

    name: str
    title: str
    reading: str
    compute: Callable[[Predictions, float], Found]


def _proportion(hits: NDArray[np.bool_], among: NDArray[np.bool_], of: str, level: float) -> Found:
    rows = int(among.sum())
    if rows == 0:
        return Found(None, {of: 0}, reason=f"There are no {of}.")
    right = int((hits & among).sum())
    ends = ShareEnds(right, rows)
    return Found(right / rows, {of: rows}, Interval(*ends(level), level, "Wilson score"), ends=ends)


def accuracy(rows: Predictions, level: float) -> Found:
    """Share of rows predicted as observed."""
    return _proportion(rows.positive == rows.predicted, np.ones_like(rows.positive), "rows", level)


def recall(rows: Predictions, level: float) -> Found:
    """Share of observed positives that are predicted so."""
    return _proportion(rows.predicted, rows.positive, "rows with a positive label", level)


def specificity(rows: Predictions, level: float) -> Found:
    """Share of observed negatives that are predicted so."""
    return _proportion(~rows.predicted, ~rows.positive, "rows with a negative label", level)


def precision(rows: Predictions, level: float) -> Found:
    """Share of predicted positives that are positive."""
    return _proportion(rows.positive, rows.predicted, "rows predicted positive", level)


def positive_rate(rows: Predictions, level: float) -> Found:
    """Share of rows predicted positive."""
    return _proportion(rows.predicted, np.ones_like(rows.positive), "rows", level)


def auc(rows: Predictions, level: float) -> Found:
    """Area under the ROC curve: the chance that a positive row scores above a negative one, ties counting half.

    The interval is DeLong's on the logit scale, which keeps it inside (0, 1).

    Source: DeLong, DeLong and Clarke-Pearson, 1988, doi:10.2307/2531595; in O(n log n) by Sun and Xu, 2014,
    doi:10.1109/LSP.2014.2337313.
    """
    positives, negatives = rows.score[rows.positive], rows.score[~rows.positive]
    m, n = len(positives), len(negatives)
    denominators = {"rows with a positive label": m, "rows with a negative label": n}
    empty = [of for of, size in denominators.items() if size == 0]
    if empty:
        return Found(None, denominators, reason=f"There are no {empty[0]}.")
    ranks = stats.rankdata(np.concatenate([positives, negatives]))
    # The share of the other class that each row beats: its placement value.
    above = (ranks[:m] - stats.rankdata(positives)) / n
    below = 1 - (ranks[m:] - stats.rankdata(negatives)) / m
    value = float(above.mean())
    if min(m, n) < 2:
        return Found(value, denominators)
    variance = float(above.var(ddof=1) / m + below.var(ddof=1) / n)
    # Near 1 the variance is seen in the few rows that rank wrongly: of fewer than about five, the lower end is too high.
    reliable = min(m, n) >= 10 and min(m, n) * min(value, 1 - value) >= 5
    ends = DeLongEnds(value, variance)
    if ends.degenerate:
        return Found(value, denominators, Interval(*ends(level), level, "DeLong", reliable=False), ends=ends)
    return Found(value, denominators, Interval(*ends(level), level, "DeLong, logit", reliable), ends=ends)


def brier(rows: Predictions, level: float) -> Found:
    """Mean squared difference between score and outcome, with the interval of a mean.

    Source: Brier, 1950, doi:10.1175/1520-0493(1950)078<0001:VOFEIT>2.0.CO;2.
    """
    count = len(rows.score)
    if count == 0:
        return Found(None, {"rows": 0}, reason="There are no rows.")
    squares = (rows.score - rows.positive) ** 2
    value = float(squares.mean())
    if count < 2:
        return Found(value, {"rows": count})
    ends = MeanEnds(value, float(squares.std(ddof=1)), count, (0.0, 1.0))
    return Found(value, {"rows": count}, Interval(*ends(level), level, "t", count >= 30), ends=ends)


QUALITY: tuple[QualityMetric, ...] = (
    QualityMetric(
        "auc", "Area under the ROC curve", "0.5 is chance, 1 ranks every positive row above every negative one.", auc
    ),
    QualityMetric(
        "accuracy",
        "Accuracy",
        "Share of predictions that are right; compare with the share of the larger class.",
        accuracy,
    ),
    QualityMetric("precision", "Precision", "Share of positive predictions that are right.", precision),
    QualityMetric("recall", "Recall", "Share of positive rows that are found.", recall),
    QualityMetric("specificity", "Specificity", "Share of negative rows that are found.", specificity),
    QualityMetric("positive_rate", "Positive predictions", "Share of rows that are predicted positive.", positive_rate),
    QualityMetric("brier", "Brier score", "Mean squared error of the score; 0 is best.", brier),
)


def measure_quality(
    rows: Predictions, groups: Sequence[tuple[tuple[str, str], NDArray[np.bool_]]], level: float
) -> tuple[Measure, ...]:
    """All quality metrics for all rows, then for each facet value and for the rows without it.

    Args:
        rows: Predictions to judge.
        groups: ((facet, value), (rows,) membership) pairs.
        level: Of the intervals.
    """
    found = [_measure(metric, rows, None, level) for metric in QUALITY]
    for (facet, value), members in groups:
        for text, chosen in ((value, members), (f"not {value}", ~members)):
            found.extend(_measure(metric, rows.where(chosen), (facet, text), level) for metric in QUALITY)
    return tuple(found)


def _measure(metric: QualityMetric, rows: Predictions, subject: tuple[str, str] | None, level: float) -> Measure:
    found = metric.compute(rows, level)
    facet, value = subject or (None, None)
    return Measure(
        stage="quality",
        metric=metric.name,
        value=found.value,
        reason=found.reason,
        facet=facet,
        facet_value=value,
        groups={"all": len(rows.score)},
        denominators=found.denominators,
        interval=found.interval,
        ends=found.ends,
    )

"""Performance of a binary classifier, overall and per facet value, each number with an interval."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clarify_ops.measures import Interval, Measure
from clarify_ops.quality.calibration import calibration_error, calibration_gap, calibration_slope
from clarify_ops.quality.ends import DeLongEnds, MeanEnds, ShareEnds
from clarify_ops.quality.found import Found, Predictions, placements
from clarify_ops.quality.worst import Better, worst_groups


@dataclass(frozen=True)
class QualityMetric:
    """A row of the quality table.

    Attributes:
        name: Short name that policies use.
        title: For reports.
        reading: What better looks like, in one sentence.
        compute: From predictions and a confidence level.
        better: Whether high or low values are better; None where neither is.
        low, high: Range.
        parity: The value that is best where neither high nor low ones are; None where there is none.
    """

    name: str
    title: str
    reading: str
    compute: Callable[[Predictions, float], Found]
    better: Better | None = "high"
    low: float = 0.0
    high: float = 1.0
    parity: float | None = None


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
    m, n = int(rows.positive.sum()), int((~rows.positive).sum())
    denominators = {"rows with a positive label": m, "rows with a negative label": n}
    empty = [of for of, size in denominators.items() if size == 0]
    if empty:
        return Found(None, denominators, reason=f"There are no {empty[0]}.")
    above, below = placements(rows)
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
    QualityMetric(
        "positive_rate", "Positive predictions", "Share of rows that are predicted positive.", positive_rate, None
    ),
    QualityMetric("brier", "Brier score", "Mean squared error of the score; 0 is best.", brier, "low"),
    QualityMetric(
        "calibration_gap",
        "Calibration in the large",
        "Mean score minus share of positive labels; above 0, scores promise too much.",
        calibration_gap,
        None,
        -1.0,
        1.0,
        0.0,
    ),
    QualityMetric(
        "calibration_slope",
        "Calibration slope",
        "1 is best; below 1, scores are too far from the average, above 1 too near.",
        calibration_slope,
        None,
        -math.inf,
        math.inf,
        1.0,
    ),
    QualityMetric(
        "calibration_error",
        "Calibration error",
        "Root mean square difference of score and share of positive labels over bins of scores, without what chance adds.",
        calibration_error,
        "low",
    ),
)


def measure_quality(
    rows: Predictions, groups: Sequence[tuple[tuple[str, str], NDArray[np.bool_]]], level: float
) -> tuple[Measure, ...]:
    """All quality metrics for all rows, then for each facet value and for the rows without it, then for the worst group.

    Args:
        rows: Predictions to judge.
        groups: ((facet, value), (rows,) membership) pairs.
        level: Of the intervals.
    """
    found = [_measure(metric, rows, None, level) for metric in QUALITY]
    values: dict[str, list[str]] = {}
    for (facet, value), members in groups:
        values.setdefault(facet, []).append(value)
        for text, chosen in ((value, members), (_rest(value), ~members)):
            found.extend(_measure(metric, rows.where(chosen), (facet, text), level) for metric in QUALITY)
    better = {metric.name: metric.better for metric in QUALITY if metric.better is not None}
    # The rest of a single value is a group as well; beside several values, it is a union of groups.
    shared = {facet: [*those, _rest(those[0])] if len(those) == 1 else those for facet, those in values.items()}
    return (*found, *worst_groups(found, better, shared, level))


def _rest(value: str) -> str:
    return f"not {value}"


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

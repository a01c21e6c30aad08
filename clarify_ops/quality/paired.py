"""Candidate minus champion on the same rows: each difference with an interval that knows that the rows are the same."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from clarify_ops.intervals import normal_quantile, tango, wilson
from clarify_ops.measures import Interval, Measure
from clarify_ops.quality.ends import MeanEnds, Scale, factor
from clarify_ops.quality.found import Found, Predictions, placements

Bools = NDArray[np.bool_]
# Fewer rows say nothing; a mean is near enough to normal from 30, an area from 10 of either label.
LEAST_ROWS, LEAST_OF_A_MEAN, LEAST_OF_A_LABEL = 5, 30, 10


@dataclass(frozen=True)
class Pair:
    """Two models' predictions for the same rows.

    Attributes:
        candidate, champion: With the same observed labels.
    """

    candidate: Predictions
    champion: Predictions

    def where(self, rows: Bools) -> Pair:
        """Some of the rows."""
        return Pair(self.candidate.where(rows), self.champion.where(rows))


@dataclass(frozen=True)
class TangoEnds:
    """Tango's interval of (more - fewer) / rows."""

    more: float
    fewer: float
    rows: float

    def __call__(self, level: float, scale: Scale = None) -> tuple[float, float]:
        """Both ends."""
        times = factor(scale)
        return tango(self.more * times, self.fewer * times, self.rows * times, level)


@dataclass(frozen=True)
class OverlapEnds:
    """Interval of the difference of two shares of overlapping sets of rows: Wilson's of each, put together (MOVER).

    Attributes:
        first, second: (hits, rows) of each.
        correlation: Of the two estimates.
    """

    first: tuple[float, float]
    second: tuple[float, float]
    correlation: float

    def __call__(self, level: float, scale: Scale = None) -> tuple[float, float]:
        """Both ends."""
        times = factor(scale)
        (p, p_low, p_high), (q, q_low, q_high) = (
            (hits / rows, *wilson(hits * times, rows * times, level)) for hits, rows in (self.first, self.second)
        )
        return (
            max(-1.0, p - q - self._together(p - p_low, q_high - q)),
            min(1.0, p - q + self._together(p_high - p, q - q_low)),
        )

    def _together(self, one: float, other: float) -> float:
        return math.sqrt(max(0.0, one**2 + other**2 - 2 * self.correlation * one * other))


@dataclass(frozen=True)
class NormalEnds:
    """A difference with a standard error, kept between -1 and 1."""

    value: float
    error: float

    def __call__(self, level: float, scale: Scale = None) -> tuple[float, float]:
        """Both ends."""
        half = normal_quantile(level) * self.error / math.sqrt(factor(scale))
        return max(-1.0, self.value - half), min(1.0, self.value + half)


def _share(one: Bools, other: Bools, among: Bools, of: str, level: float) -> Found:
    rows = int(among.sum())
    if rows == 0:
        return Found(None, {of: 0}, reason=f"There are no {of}.")
    more, fewer = int((one & ~other & among).sum()), int((~one & other & among).sum())
    ends = TangoEnds(more, fewer, rows)
    interval = Interval(*ends(level), level, "Tango score", rows >= LEAST_ROWS)
    return Found((more - fewer) / rows, {of: rows}, interval, ends=ends)


def accuracy(pair: Pair, level: float) -> Found:
    """Difference in accuracy.

    Source: Tango, 1998, doi:10.1002/(SICI)1097-0258(19980430)17:8<891::AID-SIM780>3.0.CO;2-B.
    """
    truth = pair.candidate.positive
    right = [one.predicted == truth for one in (pair.candidate, pair.champion)]
    return _share(right[0], right[1], np.ones_like(truth), "rows", level)


def recall(pair: Pair, level: float) -> Found:
    """Difference in the share of positives that are found. Source: as `accuracy`."""
    truth = pair.candidate.positive
    return _share(pair.candidate.predicted, pair.champion.predicted, truth, "rows with a positive label", level)


def specificity(pair: Pair, level: float) -> Found:
    """Difference in the share of negatives that are found. Source: as `accuracy`."""
    truth = pair.candidate.positive
    return _share(~pair.candidate.predicted, ~pair.champion.predicted, ~truth, "rows with a negative label", level)


def positive_rate(pair: Pair, level: float) -> Found:
    """Difference in the share of rows predicted positive. Source: as `accuracy`."""
    everybody = np.ones_like(pair.candidate.positive)
    return _share(pair.candidate.predicted, pair.champion.predicted, everybody, "rows", level)


def precision(pair: Pair, level: float) -> Found:
    """Difference in the share of predicted positives that are positive; each model has predicted positives of its own.

    Source: Zou and Donner, 2008, doi:10.1002/sim.3095, with the correlation of both shares from their influence functions.
    """
    truth = pair.candidate.positive
    chosen = [one.predicted for one in (pair.candidate, pair.champion)]
    rows = [int(one.sum()) for one in chosen]
    whose = ("the candidate", "the champion")
    denominators = {f"rows predicted positive by {who}": size for who, size in zip(whose, rows, strict=True)}
    empty = next((of for of, size in denominators.items() if size == 0), None)
    if empty is not None:
        return Found(None, denominators, reason=f"There are no {empty}.")
    hits = [int((one & truth).sum()) for one in chosen]
    shares = [hit / size for hit, size in zip(hits, rows, strict=True)]
    influence = [one * (truth - share) for one, share in zip(chosen, shares, strict=True)]
    spread = math.sqrt(float((influence[0] ** 2).sum() * (influence[1] ** 2).sum()))
    together = float((influence[0] * influence[1]).sum()) / spread if spread else 0.0
    if np.array_equal(chosen[0], chosen[1]):
        together = 1.0
    ends = OverlapEnds((hits[0], rows[0]), (hits[1], rows[1]), together)
    interval = Interval(*ends(level), level, "paired MOVER Wilson", min(rows) >= LEAST_ROWS)
    return Found(shares[0] - shares[1], denominators, interval, ends=ends)


def auc(pair: Pair, level: float) -> Found:
    """Difference in the area under the ROC curve, with DeLong's covariance of both.

    Source: DeLong, DeLong and Clarke-Pearson, 1988, doi:10.2307/2531595.
    """
    truth = pair.candidate.positive
    m, n = int(truth.sum()), int((~truth).sum())
    denominators = {"rows with a positive label": m, "rows with a negative label": n}
    empty = next((of for of, size in denominators.items() if size == 0), None)
    if empty is not None:
        return Found(None, denominators, reason=f"There are no {empty}.")
    above, below = (
        one - other for one, other in zip(placements(pair.candidate), placements(pair.champion), strict=True)
    )
    value = float(above.mean())
    if min(m, n) < 2:
        return Found(value, denominators)
    error = math.sqrt(float(above.var(ddof=1) / m + below.var(ddof=1) / n))
    same = np.array_equal(pair.candidate.score, pair.champion.score)
    ends = NormalEnds(value, error)
    reliable = min(m, n) >= LEAST_OF_A_LABEL and (error > 0 or same)
    return Found(value, denominators, Interval(*ends(level), level, "paired DeLong", reliable), ends=ends)


def brier(pair: Pair, level: float) -> Found:
    """Difference in the mean squared error of the score, with the interval of a mean of paired differences."""
    rows = len(pair.candidate.score)
    if rows == 0:
        return Found(None, {"rows": 0}, reason="There are no rows.")
    squares = [(one.score - one.positive) ** 2 for one in (pair.candidate, pair.champion)]
    gaps = squares[0] - squares[1]
    value = float(gaps.mean())
    if rows < 2:
        return Found(value, {"rows": rows})
    ends = MeanEnds(value, float(gaps.std(ddof=1)), rows, (-1.0, 1.0))
    interval = Interval(*ends(level), level, "paired t", rows >= LEAST_OF_A_MEAN)
    return Found(value, {"rows": rows}, interval, ends=ends)


PAIRED: Mapping[str, Callable[[Pair, float], Found]] = {
    "auc": auc,
    "accuracy": accuracy,
    "precision": precision,
    "recall": recall,
    "specificity": specificity,
    "positive_rate": positive_rate,
    "brier": brier,
}


def compare_quality(pair: Pair, groups: Sequence[tuple[tuple[str, str], Bools]], level: float) -> tuple[Measure, ...]:
    """Every difference for all rows, then for each facet value and for the rows without it.

    Args:
        pair: Both models' predictions.
        groups: ((facet, value), (rows,) membership) pairs.
        level: Of the intervals.
    """
    found = [_measure(name, pair, None, level) for name in PAIRED]
    for (facet, value), members in groups:
        for text, chosen in ((value, members), (f"not {value}", ~members)):
            part = pair.where(chosen)
            found.extend(_measure(name, part, (facet, text), level) for name in PAIRED)
    return tuple(found)


def _measure(name: str, pair: Pair, subject: tuple[str, str] | None, level: float) -> Measure:
    found = PAIRED[name](pair, level)
    facet, value = subject or (None, None)
    return Measure(
        stage="champion",
        metric=name,
        value=found.value,
        reason=found.reason,
        facet=facet,
        facet_value=value,
        groups={"all": len(pair.candidate.score)},
        denominators=found.denominators,
        interval=found.interval,
        ends=found.ends,
    )


@dataclass(frozen=True)
class McNemar:
    """How often one model alone is right: shown, never decisive, because it does not say by how much.

    Attributes:
        candidate_alone: Rows that the candidate alone predicts as observed.
        champion_alone: Rows that the champion alone does.
    """

    candidate_alone: int
    champion_alone: int

    @classmethod
    def of(cls, pair: Pair) -> McNemar:
        """Counts them."""
        truth = pair.candidate.positive
        right, other = pair.candidate.predicted == truth, pair.champion.predicted == truth
        return cls(int((right & ~other).sum()), int((~right & other).sum()))

    @property
    def p_value(self) -> float:
        """Exact and two-sided, that both are right equally often.

        Source: McNemar, 1947, doi:10.1007/BF02295996.

        >>> McNemar(8, 1).p_value
        0.0390625
        """
        rows = self.candidate_alone + self.champion_alone
        return float(stats.binomtest(self.candidate_alone, rows).pvalue) if rows else 1.0

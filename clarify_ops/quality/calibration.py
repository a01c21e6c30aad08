"""Whether scores mean what they say: on average, in their spread, and bin by bin; each with an interval that holds."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special, stats

from clarify_ops.intervals import normal_quantile, share_at
from clarify_ops.measures import Interval
from clarify_ops.quality.ends import MeanEnds, Scale, factor
from clarify_ops.quality.found import Found, Predictions

Floats = NDArray[np.float64]
BINS, ROWS_PER_BIN = 10, 20
# Of either label: with fewer, neither a mean nor a slope is near enough to normal.
LEAST_OF_A_LABEL = 10
# A score of exactly 0 or 1 has no logit.
_SMALLEST_SCORE = 1e-6
# Standard errors that a bin's share may be off, and prices of their squares, in units of a bin's variance.
_STEPS = np.linspace(-9, 9, 361)
_PRICES = np.geomspace(1e-2, 1e5, 91)


def calibration_gap(rows: Predictions, level: float) -> Found:
    """Mean score minus share of positives: calibration in the large, with the interval of a mean of paired differences.

    Source: Cox, 1958, doi:10.1093/biomet/45.3-4.562; Van Calster et al., 2019, doi:10.1186/s12916-019-1466-7.
    """
    count = len(rows.score)
    if count == 0:
        return Found(None, {"rows": 0}, reason="There are no rows.")
    gaps = rows.score - rows.positive
    value = float(gaps.mean())
    if count < 2:
        return Found(value, {"rows": count})
    ends = MeanEnds(value, float(gaps.std(ddof=1)), count, (-1.0, 1.0))
    reliable = count >= 30 and _fewer(rows) >= LEAST_OF_A_LABEL
    return Found(value, {"rows": count}, Interval(*ends(level), level, "paired t", reliable), ends=ends)


@dataclass(frozen=True)
class WaldEnds:
    """An estimate with a standard error, on its own scale."""

    value: float
    error: float

    def __call__(self, level: float, scale: Scale = None) -> tuple[float, float]:
        """Both ends."""
        half = normal_quantile(level) * self.error / math.sqrt(factor(scale))
        return self.value - half, self.value + half


def calibration_slope(rows: Predictions, level: float) -> Found:
    """Slope of the labels' log odds on those of the scores, by logistic regression, with Wald's interval.

    Source: Cox, 1958, doi:10.1093/biomet/45.3-4.562; Van Calster et al., 2019, doi:10.1186/s12916-019-1466-7.
    """
    positives = int(rows.positive.sum())
    denominators = {"rows with a positive label": positives, "rows with a negative label": len(rows.score) - positives}
    empty = [of for of, size in denominators.items() if size == 0]
    if empty:
        return Found(None, denominators, reason=f"There are no {empty[0]}.")
    logits = special.logit(np.clip(rows.score, _SMALLEST_SCORE, 1 - _SMALLEST_SCORE))
    if logits.std() < 1e-9:
        return Found(None, denominators, reason="All scores are equal.")
    fitted = _logistic(logits, rows.positive.astype(float))
    if fitted is None:
        return Found(None, denominators, reason="The scores separate the labels, so that no slope is steep enough.")
    ends = WaldEnds(*fitted)
    reliable = _fewer(rows) >= LEAST_OF_A_LABEL
    return Found(fitted[0], denominators, Interval(*ends(level), level, "Wald", reliable), ends=ends)


def _logistic(logits: Floats, labels: Floats) -> tuple[float, float] | None:
    """Slope and its standard error by Newton's method; None where the likelihood has no maximum."""
    design = np.column_stack([np.ones_like(logits), (logits - logits.mean()) / logits.std()])
    weights = np.zeros(2)
    for _ in range(60):
        chance = special.expit(design @ weights)
        curvature = (design * (chance * (1 - chance))[:, None]).T @ design
        if np.linalg.cond(curvature) > 1e10:
            return None
        move = np.linalg.solve(curvature, design.T @ (labels - chance))
        # A full step may overshoot where all chances are near 0 or 1.
        weights = weights + move * min(1.0, 2.0 / max(float(np.abs(move).max()), 1e-12))
        if np.abs(move).max() < 1e-10:
            error = math.sqrt(float(np.linalg.inv(curvature)[1, 1]))
            return float(weights[1] / logits.std()), error / float(logits.std())
    return None


@dataclass(frozen=True)
class BinEnds:
    """Least and largest calibration error over the joint score region of all bins.

    Attributes:
        hits: (bins,) positive rows.
        rows: (bins,) rows.
        said: (bins,) mean score.
        value: The estimate, which the interval holds.
    """

    hits: Floats
    rows: Floats
    said: Floats
    value: float

    def __call__(self, level: float, scale: Scale = None) -> tuple[float, float]:
        """Both ends.

        The region holds the shares whose score statistics' squares sum to less than the chi-square quantile with one degree
        of freedom for each bin, so that every function of the shares is between its ends over it at least as often as the
        level says. The ends are found from their Lagrangian duals, which never lie inside.
        """
        times = factor(scale)
        shares = share_at((self.hits * times)[:, None], (self.rows * times)[:, None], _STEPS[None, :])
        weights = self.rows / self.rows.sum()
        squares = weights[:, None] * (shares - self.said[:, None]) ** 2
        reach = float(stats.chi2.ppf(level, len(self.rows)))
        prices = _PRICES * float((weights / (self.rows * times)).max()) / 4
        priced = prices[:, None, None] * _STEPS**2
        high = float((reach * prices + (squares - priced).max(axis=-1).sum(axis=-1)).min())
        low = float(((squares + priced).min(axis=-1).sum(axis=-1) - reach * prices).max())
        return min(math.sqrt(max(0.0, low)), self.value), max(math.sqrt(min(1.0, high)), self.value)


def calibration_error(rows: Predictions, level: float) -> Found:
    """Root mean square difference of mean score and share of positives over bins of equally many rows, debiased.

    From the mean of the squares, what chance alone adds to it is taken off; where nothing is left, the error is 0. Rows
    with one score share a bin; with fewer than 200 rows there are fewer than 10 bins.

    Source: Broecker, 2012, doi:10.1007/s00382-011-1191-1; Kumar, Liang and Ma, 2019, arXiv:1909.10155, section 4.
    """
    count = len(rows.score)
    if count == 0:
        return Found(None, {"rows": 0}, reason="There are no rows.")
    place = bins_of(rows.score)
    size = np.bincount(place).astype(float)
    hits = np.bincount(place, weights=rows.positive).astype(float)
    said = np.bincount(place, weights=rows.score) / size
    share = hits / size
    chance = share * (1 - share) / np.maximum(size - 1, 1)
    value = math.sqrt(max(0.0, float((size / count) @ ((share - said) ** 2 - chance))))
    ends = BinEnds(hits, size, said, value)
    reliable = bool(size.min() >= ROWS_PER_BIN)
    return Found(value, {"rows": count}, Interval(*ends(level), level, "joint score region", reliable), ends=ends)


def bins_of(score: Floats) -> NDArray[np.int64]:
    """(rows,) number of each row's bin, by rising score; every bin has rows."""
    bins = int(np.clip(len(score) // ROWS_PER_BIN, 1, BINS))
    edges = np.unique(np.quantile(score, np.arange(1, bins) / bins, method="higher"))
    place = np.searchsorted(edges, score, side="right")
    return np.unique(place, return_inverse=True)[1].astype(np.int64)


def _fewer(rows: Predictions) -> int:
    positives = int(rows.positive.sum())
    return min(positives, len(rows.positive) - positives)

"""Labels and predictions that are numbers: how their distributions differ between a and d, without a threshold."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clarify_ops.intervals import square_and_add
from clarify_ops.measures import Interval, json_number

QUANTILES = (0.1, 0.25, 0.5, 0.75, 0.9)
Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class NumericDifference:
    """One number about both distributions.

    Attributes:
        statistic: "mean", "quantile 0.5" or "KS".
        value: a - d in the unit of the values; of KS, the largest difference of the two distribution functions.
        reason: Why it is undefined; empty where it is not.
        advantaged: The statistic of a, `disadvantaged`: of d; None for KS.
        interval: Of the value; None where there is none.
    """

    statistic: str
    value: float | None
    reason: str = ""
    advantaged: float | None = None
    disadvantaged: float | None = None
    interval: Interval | None = None

    def to_json(self) -> dict[str, Any]:
        """JSON types only."""
        return {
            "statistic": self.statistic,
            "value": None if self.value is None else json_number(self.value),
            "reason": self.reason,
            "advantaged": None if self.advantaged is None else json_number(self.advantaged),
            "disadvantaged": None if self.disadvantaged is None else json_number(self.disadvantaged),
            "interval": None if self.interval is None else self.interval.to_json(),
        }


@dataclass(frozen=True)
class NumericReport:
    """A numeric label or prediction for one facet value.

    Attributes:
        of: Name of the column.
        facet: Name of the facet, `facet_value`: its value as text.
        groups: Rows with a value on both sides, {"a": ..., "d": ...}.
        missing: Rows without one.
        differences: Mean, quantiles, KS.
    """

    of: str
    facet: str
    facet_value: str
    groups: dict[str, int]
    missing: int
    differences: tuple[NumericDifference, ...]

    def to_json(self) -> dict[str, Any]:
        """JSON types only."""
        return {**vars(self), "groups": dict(self.groups), "differences": [one.to_json() for one in self.differences]}


def numeric_report(
    values: Numbers, members: NDArray[np.bool_], *, of: str, facet: str, facet_value: str, level: float
) -> NumericReport:
    """Compares the values of d with those of everyone else.

    Args:
        values: (rows,) numbers; NaN is a missing one.
        members: (rows,) the disadvantaged side.
        of: Name of the column.
        facet: Name of the facet.
        facet_value: Its value as text.
        level: Of the intervals.
    """
    known = np.isfinite(values)
    a, d = np.sort(values[known & ~members]), np.sort(values[known & members])
    rows = {"a": len(a), "d": len(d)}
    names = ("mean", *(f"quantile {share:g}" for share in QUANTILES), "KS")
    found: tuple[NumericDifference, ...]
    if not (len(a) and len(d)):
        side = "disadvantaged" if len(a) else "advantaged"
        found = tuple(NumericDifference(name, None, f"There are no {side} rows with a value.") for name in names)
    else:
        quantiles = (
            replace(quantile_difference(a, d, share, level), statistic=name)
            for share, name in zip(QUANTILES, names[1:-1], strict=True)
        )
        found = (mean_difference(a, d, level), *quantiles, kolmogorov_smirnov(a, d))
    return NumericReport(of, facet, facet_value, rows, int((~known).sum()), found)


def mean_difference(a: Numbers, d: Numbers, level: float) -> NumericDifference:
    """Difference of means, a - d, with Welch's interval.

    Source: Welch, 1947, doi:10.1093/biomet/34.1-2.28.
    """
    from scipy import stats

    with np.errstate(over="ignore", invalid="ignore"):
        means = float(a.mean()), float(d.mean())
        value = means[0] - means[1]
    if not np.isfinite(value):
        return NumericDifference("mean", None, "The values are too large to be averaged.")
    interval = None
    if min(len(a), len(d)) >= 2:
        with np.errstate(over="ignore", invalid="ignore"):
            parts = np.array([a.var(ddof=1) / len(a), d.var(ddof=1) / len(d)])
            variance = float(parts.sum())
        if 0 < variance < 1e150:
            freedom = variance**2 / float((parts**2 / (np.array([len(a), len(d)]) - 1)).sum())
            half = float(stats.t.ppf(0.5 + level / 2, freedom)) * variance**0.5
            interval = Interval(value - half, value + half, level, "Welch t", min(len(a), len(d)) >= 30)
    return NumericDifference("mean", value, "", *means, interval)


def quantile_difference(a: Numbers, d: Numbers, share: float, level: float) -> NumericDifference:
    """Difference of a quantile, a - d, from the intervals of both by order statistics.

    Args:
        a: (rows,) ascending.
        d: (rows,) ascending.
        share: Which quantile, in (0, 1).
        level: Of the interval.

    Source: Conover, Practical Nonparametric Statistics, 1999, section 3.2, for each quantile; Donner and Zou, 2012,
    doi:10.1177/0962280210387722 (MOVER), for their difference.
    """
    quantiles = float(np.quantile(a, share)), float(np.quantile(d, share))
    of_a, of_d = (order_statistic_interval(one, share, level) for one in (a, d))
    interval = None
    if of_a is not None and of_d is not None:
        first, second = ((np.asarray(low), np.asarray(high)) for low, high in (of_a, of_d))
        low, high = square_and_add((quantiles[0], first), (quantiles[1], second))
        interval = Interval(float(low), float(high), level, "order statistics, MOVER")
    return NumericDifference(f"quantile {share:g}", quantiles[0] - quantiles[1], "", *quantiles, interval)


def order_statistic_interval(ascending: Numbers, share: float, level: float) -> tuple[float, float] | None:
    """Interval of a quantile whose ends are two of the values; None where there are too few rows to reach the level.

    Distribution-free: the number of values below the quantile is binomial.
    """
    from scipy import stats

    rows, tail = len(ascending), (1 - level) / 2
    # The largest rank whose value lies above the quantile with a chance of at most `tail`, and its mirror image.
    low = int(stats.binom.ppf(tail, rows, share))
    high = int(stats.binom.ppf(1 - tail, rows, share)) + 1
    if stats.binom.cdf(low - 1, rows, share) > tail:
        low -= 1
    if low < 1 or high > rows:
        return None
    return float(ascending[low - 1]), float(ascending[high - 1])


def kolmogorov_smirnov(a: Numbers, d: Numbers) -> NumericDifference:
    """Largest difference between the shares of a and of d that do not exceed a value, over all values.

    Args:
        a: (rows,) ascending.
        d: (rows,) ascending.

    Source: Smirnov, 1939.
    """
    points = np.unique(np.concatenate([a, d]))
    gap = np.searchsorted(a, points, "right") / len(a) - np.searchsorted(d, points, "right") / len(d)
    return NumericDifference("KS", float(np.abs(gap).max()))

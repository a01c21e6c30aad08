"""The difference of two groups' means, with an interval."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Gap:
    """One mean minus another.

    Attributes:
        value: The difference.
        low, high: Its interval; None where a group has a single row, of which no spread is known.
        distinct: Whether the interval at the level for all questions together leaves out 0.
    """

    value: float
    low: float | None
    high: float | None
    distinct: bool


def gaps_of_means(values: Floats, one: Mask, other: Mask, level: float, together: float) -> list[Gap]:
    """The mean of one group minus that of another, column by column, with Welch's interval.

    Rows are independent, and groups may have different spreads. Rows in both groups move both means, which makes the
    difference surer: what they do to one is taken off what they do to the other, and there are as many degrees of freedom as
    rows in the smaller group, less one.

    Args:
        values: (rows, columns).
        one: (rows,) members of the first group; at least one.
        other: (rows,) members of the second.
        level: Of the interval.
        together: The level at which a difference is called distinct.

    Returns:
        One gap a column.

    Source: Welch (1947), doi:10.1093/biomet/34.1-2.28.
    """
    first, second = values[one], values[other]
    m, n = len(first), len(second)
    means, others = first.mean(axis=0), second.mean(axis=0)
    differences = means - others
    if min(m, n) < 2:
        return [Gap(value, None, None, distinct=False) for value in differences.tolist()]
    # How far each row moves the difference; the sums of squares are the variances of both means.
    pull = np.zeros_like(values)
    pull[one] = (first - means) / np.sqrt(m * (m - 1))
    pull[other] -= (second - others) / np.sqrt(n * (n - 1))
    variance = (pull**2).sum(axis=0)
    freedom = np.full(len(variance), min(m, n) - 1.0)
    if not (one & other).any():
        a, b = (pull[one] ** 2).sum(axis=0), (pull[other] ** 2).sum(axis=0)
        with np.errstate(invalid="ignore", divide="ignore"):
            welch = (a + b) ** 2 / (a**2 / (m - 1) + b**2 / (n - 1))
        # Without any spread, and where squares of it vanish, every number of degrees says the same.
        freedom = np.where(np.isfinite(welch), welch, freedom)
    error = np.sqrt(variance)
    half = special.stdtrit(freedom, 0.5 + level / 2) * error
    wide = special.stdtrit(freedom, 0.5 + together / 2) * error
    return [
        Gap(value, value - reach, value + reach, distinct=abs(value) > far)
        for value, reach, far in zip(differences.tolist(), half.tolist(), wide.tolist(), strict=True)
    ]

"""The intervals of quality metrics at any level, and as if there were more rows; their one side is called `all`."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy import stats

from clarify_ops.intervals import normal_quantile, wilson

Scale = Mapping[str, float] | None


def factor(scale: Scale) -> float:
    """By what all rows are multiplied.

    Raises:
        KeyError: Another side than `all` is named.
    """
    for side in scale or ():
        if side != "all":
            raise KeyError(side)
    return float((scale or {}).get("all", 1.0))


@dataclass(frozen=True)
class ShareEnds:
    """Wilson's interval of a share."""

    hits: float
    rows: float

    def __call__(self, level: float, scale: Scale = None) -> tuple[float, float]:
        """Both ends."""
        times = factor(scale)
        return wilson(self.hits * times, self.rows * times, level)


@dataclass(frozen=True)
class DeLongEnds:
    """DeLong's interval of an AUC, on the logit scale.

    Attributes:
        value: The AUC.
        variance: Of the AUC.
    """

    value: float
    variance: float

    @property
    def degenerate(self) -> bool:
        """Whether nothing is seen of its variance."""
        return not 0 < self.value < 1 or self.variance == 0

    def __call__(self, level: float, scale: Scale = None) -> tuple[float, float]:
        """Both ends; those of a degenerate one are the value itself."""
        times = factor(scale)
        if self.degenerate:
            return self.value, self.value
        centre = np.log(self.value / (1 - self.value))
        half = normal_quantile(level) * math.sqrt(self.variance / times) / (self.value * (1 - self.value))
        return float(1 / (1 + np.exp(half - centre))), float(1 / (1 + np.exp(-centre - half)))


@dataclass(frozen=True)
class MeanEnds:
    """Student's interval of a mean.

    Attributes:
        value: The mean.
        spread: Standard deviation of one row, with rows - 1 in the denominator.
        rows: How many.
        limits: Range that the ends are kept in.
    """

    value: float
    spread: float
    rows: int
    limits: tuple[float, float] = (-math.inf, math.inf)

    def __call__(self, level: float, scale: Scale = None) -> tuple[float, float]:
        """Both ends."""
        rows = self.rows * factor(scale)
        half = float(stats.t.ppf(0.5 + level / 2, rows - 1) * self.spread / math.sqrt(rows))
        return max(self.limits[0], self.value - half), min(self.limits[1], self.value + half)

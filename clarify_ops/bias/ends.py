"""Intervals that can be asked for again: at another level, and as if a side had more rows."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from scipy import stats

from clarify_ops.bias.closed_forms import closed_form
from clarify_ops.bias.flip_test import FlipCounts
from clarify_ops.bias.table import Metric
from clarify_ops.data.counts import Counts
from clarify_ops.intervals import tango
from clarify_ops.measures import Ends, Interval

SIDES = ("a", "d")
# About the mix of both sides: with more rows of one alone these are other numbers, not the same one known better.
ABOUT_THE_MIX = frozenset({"CI", "CDDL", "CDDPL", "GE"})


@dataclass(frozen=True)
class Uncertainty:
    """How sure a number is.

    Attributes:
        interval: At the level that was asked for.
        ends: The same at any level.
    """

    interval: Interval
    ends: Ends = field(compare=False)


@dataclass(frozen=True)
class CountEnds:
    """The score interval of a metric of counts.

    Attributes:
        metric: A row of the metric table whose form has a closed interval.
        counts: The counts of one facet value, for which it is defined.
        stated: The interval that was published: its level is answered by it, to the last digit.
    """

    metric: Metric
    counts: Counts
    stated: Interval

    def __call__(self, level: float, scale: Mapping[str, float] | None = None) -> tuple[float, float]:
        """Both ends.

        Raises:
            KeyError: `scale` names no side, or one side alone of a metric that is about the mix of both.
        """
        if not scale and level == self.stated.level:
            return self.stated.low, self.stated.high
        times = side_factors(scale)
        if self.metric.name in ABOUT_THE_MIX and times["a"] != times["d"]:
            raise KeyError(min(times, key=lambda side: times[side]))
        counts = scaled(self.counts, times)
        form = None if self.metric.form is None else self.metric.form(counts)
        closed = None if form is None else closed_form(form, level)
        return (math.nan, math.nan) if closed is None else (float(closed.low), float(closed.high))


@dataclass(frozen=True)
class FlipEnds:
    """The interval of the flip test.

    Attributes:
        flip: Its counts, which have a value.
        spread: Standard error that comes of the neighbours being a sample; None where they are taken as they are.
        subsamples: Of how many subsamples that is known.
    """

    flip: FlipCounts
    spread: float | None = None
    subsamples: int = 0

    def __call__(self, level: float, scale: Mapping[str, float] | None = None) -> tuple[float, float]:
        """Both ends; more neighbours are taken to shorten their part as more rows shorten any standard error.

        Raises:
            KeyError: `scale` names no side, or the neighbours where they are taken as they are.
        """
        times = side_factors(scale)
        if self.spread is None and scale and "a" in scale:
            raise KeyError("a")
        favoured, wronged, rows = (
            one * times["d"] for one in (self.flip.favoured, self.flip.wronged, self.flip.sampled)
        )
        low, high = tango(favoured, wronged, rows, level)
        if self.spread is None:
            return low, high
        value = (self.flip.favoured - self.flip.wronged) / self.flip.sampled
        reach = float(stats.t.ppf(0.5 + level / 2, self.subsamples - 1)) * self.spread / math.sqrt(times["a"])
        return (
            max(-1.0, value - math.hypot(value - low, reach)),
            min(1.0, value + math.hypot(high - value, reach)),
        )


def side_factors(scale: Mapping[str, float] | None) -> dict[str, float]:
    """By what the rows of both sides are multiplied.

    Raises:
        KeyError: There is no such side.
    """
    for side in scale or ():
        if side not in SIDES:
            raise KeyError(side)
    return {side: float((scale or {}).get(side, 1.0)) for side in SIDES}


def scaled(counts: Counts, times: Mapping[str, float]) -> Counts:
    """The counts with every row of a side standing for so many; the shares within it stay."""
    factors = np.asarray([times[side] for side in SIDES])[:, None, None]
    grouped = None if counts.by_group is None else counts.by_group * factors
    return replace(counts, total=counts.total * factors, by_group=grouped)

"""From the interval of a measure to p-values: the interval is asked at which level its end touches the bound."""

from __future__ import annotations

import math
from collections.abc import Mapping

from scipy import special

from clarify_ops.gate.bounds import Bound
from clarify_ops.measures import Ends, Measure

# Beyond six standard errors a level is 1 but for the last digits of a number, and no p-value is told from another.
_FARTHEST = 6.0
_NEAREST = 1e-6
# Evidence is the same on every machine: p-values are written with fewer digits than inverting an interval loses.
_DECIMALS = 9


def level_of(z: float) -> float:
    """The two-sided level of an interval whose ends lie z standard errors away."""
    return float(special.erf(z / math.sqrt(2)))


def normal_tail(z: float) -> float:
    """The chance that a normal variable lies above z."""
    return float(special.ndtr(-z))


def distance(ends: Ends, value: float, end: float, scale: Mapping[str, float] | None = None) -> float:
    """How many standard errors the value lies above an end of the bound, as the interval has it; negative below.

    Args:
        ends: The interval at any level.
        value: What was measured.
        end: The end of the bound.
        scale: Passed to `ends`.

    Returns:
        Within -6 and 6; NaN where the interval has no ends.
    """
    above = value > end

    def leaves(z: float) -> bool:
        low, high = ends(level_of(z), scale)
        return low > end if above else high < end

    if any(math.isnan(one) for one in (value, *ends(level_of(_NEAREST), scale), *ends(level_of(_FARTHEST), scale))):
        return math.nan
    if leaves(_FARTHEST):
        return _FARTHEST if above else -_FARTHEST
    low, high = 0.0, _FARTHEST
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if leaves(max(middle, _NEAREST)) else (low, middle)
    return high if above else -high


def is_narrow(measure: Measure, bound: Bound) -> bool:
    """Whether both ends of a bound lie so near each other that either can raise a false alarm.

    Beside one end of a bound that is as long as half the interval, the other adds less than 0.02 % to 5 %.
    """
    value, interval = measure.value, measure.interval
    if value is None or interval is None:
        return False
    half = value - interval.low if value > bound.high else interval.high - value
    return bound.high - bound.low < half


def p_value(measure: Measure, bound: Bound) -> float | None:
    """The chance of a value as far beyond the nearer end of the bound as the measured one, if the truth is at that end.

    One-sided, from inverting the interval; twice that where the bound is narrow. Above 0.5 for a value within. Without
    the interval at other levels all that is known is that p is at most the tail that the interval leaves.

    Returns:
        None where nothing is known, or where there is no bound.
    """
    interval, value = measure.interval, measure.value
    if value is None or interval is None or math.isnan(interval.low) or math.isnan(interval.high):
        return None
    twice = 2 if is_narrow(measure, bound) else 1
    if measure.ends is None:
        beyond = interval.low > bound.high or interval.high < bound.low
        return _written(twice * (1 - interval.level) / 2) if beyond else None
    tails = []
    if math.isfinite(bound.high):
        tails.append(normal_tail(distance(measure.ends, value, bound.high)))
    if math.isfinite(bound.low):
        tails.append(normal_tail(-distance(measure.ends, value, bound.low)))
    if not tails or any(math.isnan(one) for one in tails):
        return None
    return _written(min(1.0, twice * min(tails)))


def _written(p: float) -> float:
    return max(round(p, _DECIMALS), 10.0**-_DECIMALS)

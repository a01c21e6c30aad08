"""From the interval of a measure to p-values: the interval is asked at which level its end touches the bound."""

from __future__ import annotations

import math

from scipy import optimize, special

from clarify_ops.gate.bounds import Bound
from clarify_ops.measures import Ends, Measure

# Beyond six standard errors a level is 1 but for the last digits of a number, and no p-value is told from another.
_FARTHEST = 6.0
_NEAREST = 1e-6
# Evidence is the same on every machine: p-values are written with fewer digits than inverting an interval loses.
_DECIMALS = 9
_VAST = 1e9


def level_of(z: float) -> float:
    """The two-sided level of an interval whose ends lie z standard errors away."""
    return float(special.erf(z / math.sqrt(2)))


def normal_tail(z: float) -> float:
    """The chance that a normal variable lies above z."""
    return float(special.ndtr(-z))


def distance(ends: Ends, value: float, bound: Bound) -> float:
    """How many standard errors the value lies beyond the nearer end of a bound, as the interval has it; negative within.

    Args:
        ends: The interval at any level.
        value: What was measured.
        bound: With an end at least on one side.

    Returns:
        Within -6 and 6; NaN where the interval has no ends.
    """
    within = bound.holds(value)

    def room(z: float) -> float:
        """How far the interval stays clear of the end of the bound; it falls with z. Kept finite for the search."""
        low, high = ends(level_of(z))
        if math.isnan(low) or math.isnan(high):
            return math.nan
        inside = [*([low - bound.low] * math.isfinite(bound.low)), *([bound.high - high] * math.isfinite(bound.high))]
        left = min(inside) if within else max(low - bound.high, bound.low - high)
        return min(max(left, -_VAST), _VAST)

    nearest, farthest = room(_NEAREST), room(_FARTHEST)
    if math.isnan(nearest) or math.isnan(farthest):
        return math.nan
    if nearest <= 0:
        return 0.0
    z = _FARTHEST if farthest >= 0 else float(optimize.brentq(room, _NEAREST, _FARTHEST, xtol=1e-12))
    return -z if within else z


def tails_of(measure: Measure, bound: Bound) -> int:
    """How many ends of a bound can raise a false alarm: both, where they lie nearer to each other than half the interval.

    Beside one end of a bound that is longer, the other adds less than 0.02 % to 5 %.
    """
    value, interval = measure.value, measure.interval
    if value is None or interval is None:
        return 1
    half = value - interval.low if value > bound.high else interval.high - value
    return 2 if bound.high - bound.low < half else 1


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
    twice = tails_of(measure, bound)
    if measure.ends is None:
        beyond = not bound.holds(value) and (interval.low > bound.high or interval.high < bound.low)
        return _written(twice * (1 - interval.level) / 2) if beyond else None
    z = distance(measure.ends, value, bound)
    return None if math.isnan(z) else _written(min(1.0, twice * normal_tail(z)))


def _written(p: float) -> float:
    return max(round(p, _DECIMALS), 10.0**-_DECIMALS)

"""What would decide an open question: the rows of which group, for 80 % power if what was measured is true."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from scipy import special

from clarify_ops.gate.bounds import Bound
from clarify_ops.gate.inversion import level_of
from clarify_ops.gate.verdict import Needs
from clarify_ops.intervals import normal_quantile
from clarify_ops.measures import Ends, Measure

POWER = 0.8
_MOST = 1e6
_STEPS = 20
# Chances to miss that make 20 % together, of the nearer and of the farther end of a bound with two: where the value lies
# in the middle both count alike, and beside one end the other does not count.
_MISSES = ((0.1, 0.1), (0.136, 0.064), (0.171, 0.029), (0.19, 0.01), (0.2, 0.0))


def needs(measure: Measure, bound: Bound, confidence: float, alpha: float) -> Needs:
    """The rows that would decide.

    First more rows of the facet value are tried, for it is mostly the smaller side; then of what it is compared with, then
    of both.

    Args:
        measure: What was measured; with a value, and an interval that is reliable.
        bound: What it is held against.
        confidence: Level of the interval that must lie within the bound.
        alpha: What a one-sided p-value must be below in a family with the others as they are.
    """
    value, ends = measure.value, measure.ends
    if value is None or ends is None:
        return Needs(
            "", None, "How many rows would decide it is not known: its interval cannot be made for more of them."
        )
    known = False
    for sides in _attempts(measure.groups):
        try:
            times = _times(ends, value, bound, _quantile(bound.holds(value), confidence, alpha), sides)
        except KeyError:
            continue
        known = True
        if times is not None:
            return _told(measure, sides, times, passes=bound.holds(value))
    if not known:
        return Needs(
            "", None, "How many rows would decide it is not known: its interval cannot be made for more of them."
        )
    return Needs("", None, "No number of rows would decide it: what was measured lies at the bound, or next to it.")


def _quantile(passes: bool, confidence: float, alpha: float) -> float:  # noqa: FBT001 - which of the two it would be
    return normal_quantile(confidence) if passes else float(special.ndtri(1 - alpha))


def _attempts(groups: Mapping[str, int]) -> list[tuple[str, ...]]:
    if set(groups) == {"a", "d"}:
        return [("d",), ("a",), ("d", "a")]
    return [(side,) for side in groups]


def _times(ends: Ends, value: float, bound: Bound, z: float, sides: Sequence[str]) -> float | None:
    """By what the rows of the sides must be multiplied; None where a million times as many do not do."""

    def decides(times: float) -> bool:
        scale = dict.fromkeys(sides, times)
        low, high = ends(level_of(z + _power(1 - POWER)), scale)
        if not bound.holds(value):
            return low > bound.high or high < bound.low
        # Every pair of chances wants this much at least, which is mostly the answer.
        return bound.holds(low, high) and any(
            _within(ends, bound, scale, (z + _power(near), z + _power(far))) for near, far in _MISSES
        )

    if not decides(_MOST):
        return None
    low, high = 0.0, math.log(_MOST)
    for _ in range(_STEPS):
        middle = (low + high) / 2
        low, high = (low, middle) if decides(math.exp(middle)) else (middle, high)
    return math.exp(high)


def _power(miss: float) -> float:
    return -float(special.ndtri(miss)) if miss > 0 else 3.0


def _within(ends: Ends, bound: Bound, scale: Mapping[str, float], z: tuple[float, float]) -> bool:
    """Whether one end is within the bound at the one distance and the other at the other, either way round."""
    near, far = (ends(level_of(one), scale) for one in z)
    return bound.holds(near[0], far[1]) or bound.holds(far[0], near[1])


def _told(measure: Measure, sides: Sequence[str], times: float, *, passes: bool) -> Needs:
    # What the search leaves over is a few rows in a hundred thousand.
    rows = math.ceil(times * sum(measure.groups[side] for side in sides) * (1 - 1e-5))
    if len(sides) > 1:
        group = "both sides together"
    elif sides[0] == "a":
        group = "all others" if measure.reference is None else f"{measure.facet} = {measure.reference}"
    else:
        group = "all rows" if measure.facet_value is None else f"{measure.facet} = {measure.facet_value}"
    counted = f"{rows:,} rows in all" if group == "all rows" else f"{rows:,} rows of {group}"
    outcome = "pass" if passes else "fail"
    return Needs(
        group, rows, f"With {counted} it would {outcome} in {100 * POWER:g} % of samples, if what was measured is true."
    )

"""How many rows a rule takes: for planning, before there is a verdict."""

from __future__ import annotations

import math

from scipy import special

from clarify_ops.config.policy import Rule
from clarify_ops.gate.bounds import Bound, scale_of
from clarify_ops.intervals import normal_quantile
from clarify_ops.measures import Measure

POWER = 0.8
# Rates near one half vary most.
_RATE = 0.5


def rows_for_margin(margin: float, level: float) -> int:
    """Rows with which the interval of a rate near one half reaches at most a margin to either side.

    >>> rows_for_margin(0.1, 0.95)
    97
    """
    return math.ceil((normal_quantile(level) / margin) ** 2 * _RATE * (1 - _RATE))


def rows_to_pass(within: float, level: float, power: float = POWER) -> int:
    """Rows of a group with which a fair model passes a two-sided bound on a difference of rates, beside many others.

    Args:
        within: The bound, on either side of parity.
        level: Of the interval that must lie within it.
        power: How often a model without any gap is to pass.

    Source: Chow, Shao and Wang, Sample Size Calculations in Clinical Research, equivalence of two proportions.

    >>> rows_to_pass(0.1, 0.95)
    263
    """
    reach = normal_quantile(level) + float(special.ndtri((1 + power) / 2))
    return math.ceil((reach / within) ** 2 * _RATE * (1 - _RATE))


def too_few_rows(measure: Measure, bound: Bound, rule: Rule) -> str | None:
    """Says that a measure's interval is wider than its bound, or does not hold; None where it is narrow enough.

    Wherever the value lay, such an interval could not lie within the bound.
    """
    interval = measure.interval
    if interval is None or rule.mode == "point":
        return None
    rows = min(measure.groups.values(), default=0)
    about = f"{measure.subject} has too few rows for {measure.metric} ({rows:,})"
    if not interval.reliable:
        return f"{about}: its interval does not hold for so few, so that the rule stays inconclusive."
    ratio = scale_of(rule) == "ratio"
    have, may = (
        _width(low, high, ratio=ratio) for low, high in ((interval.low, interval.high), (bound.low, bound.high))
    )
    if not math.isfinite(may) or have < may:
        return None
    needed = (
        f"; about {math.ceil(rows * (have / may) ** 2):,} would make it as narrow"
        if may > 0 and have < math.inf
        else ""
    )
    return f"{about}: its interval is wider than the bound {bound}, so that the rule cannot pass{needed}."


def _width(low: float, high: float, *, ratio: bool) -> float:
    if not ratio:
        return high - low
    return math.log(high / low) if low > 0 and high < math.inf else math.inf

"""The bound that a rule means: both sides of a metric with a sign and of a ratio, unless the rule says one."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from clarify_ops.bias.table import BY_NAME
from clarify_ops.config.policy import Rule
from clarify_ops.quality.performance import QUALITY

Scale = Literal["signed", "ratio"]

# What a candidate may have more of than the champion, and what it may have less of. Bias metrics are compared by the
# size of their gap, of which less is better.
_BETTER_ABOVE = frozenset({one.name for one in QUALITY if one.better == "high"})
_BETTER_BELOW = frozenset({one.name for one in QUALITY if one.better == "low"} | BY_NAME.keys())


@dataclass(frozen=True)
class Bound:
    """What is acceptable, both ends included.

    Attributes:
        low, high: Infinite where the bound is open.
    """

    low: float = -math.inf
    high: float = math.inf

    def holds(self, *values: float) -> bool:
        """Whether all of them are within; NaN never is."""
        return all(self.low <= one <= self.high for one in values)

    def widened(self, to: float) -> Bound:
        """The bound moved out to a value, on the side it lies; an open side stays open."""
        return Bound(min(self.low, to), max(self.high, to))

    def meets(self, other: Bound) -> bool:
        """Whether any value is within both."""
        return max(self.low, other.low) <= min(self.high, other.high)

    @property
    def ends(self) -> tuple[float | None, float | None]:
        """Both ends, None for an open one."""
        low, high = (end if math.isfinite(end) else None for end in (self.low, self.high))
        return low, high

    def __str__(self) -> str:
        low, high = self.ends
        if low is None:
            return "anything" if high is None else f"at most {high:g}"
        return f"at least {low:g}" if high is None else f"{low:g} to {high:g}"


def scale_of(rule: Rule) -> Scale | None:
    """Whether the rule's metric has a sign, around 0, or is a ratio, around 1; None where it is neither.

    >>> about = {"id": "x", "why": "agreed", "facet": "sex", "min": 0.8}
    >>> scale_of(Rule(stage="post_training", metric="DI", **about)), scale_of(Rule(stage="pre_training", metric="DPL", **about))
    ('ratio', 'signed')
    """
    if rule.stage == "champion":
        return "signed"
    if rule.stage == "quality":
        parity = next((one.parity for one in QUALITY if one.name == rule.metric), None)
        return None if parity is None else "ratio" if parity == 1 else "signed"
    metric = BY_NAME.get(rule.metric)
    if metric is None or metric.stage != rule.stage:
        return None
    if metric.parity == 1:
        return "ratio"
    return "signed" if metric.low < 0 < metric.high else None


def bound_of(rule: Rule) -> Bound:
    """The bound that the rule is judged by.

    A single bound on a metric with a sign is mirrored at 0, on a ratio at 1 (0.8 becomes 0.8 to 1.25): a model that
    disadvantages the other side as much is no better. A candidate is let be better than the champion, though: of a
    difference from the champion, the bound on the worse side stays alone.
    """
    scale = scale_of(rule)
    if rule.within is not None:
        ends = (rule.within, 1 / rule.within) if scale == "ratio" else (-rule.within, rule.within)
        return Bound(min(ends), max(ends))
    low, high = rule.min, rule.max
    if scale is not None and rule.sides == "two" and (low is None) != (high is None) and not _guards(rule):
        if high is None:
            high = _mirrored(low, scale)
        else:
            low = _mirrored(high, scale)
    return Bound(-math.inf if low is None else low, math.inf if high is None else high)


def _mirrored(end: float | None, scale: Scale) -> float | None:
    if end is None or scale == "signed":
        return None if end is None else -end
    # No ratio is below 0, so that there is nothing on the other side of one that may be.
    return 1 / end if end > 0 else None


def _guards(rule: Rule) -> bool:
    """Whether the one bound of a comparison with the champion is on the side where the candidate is worse."""
    better_above = rule.max is None and rule.metric in _BETTER_ABOVE
    return rule.stage == "champion" and (better_above or (rule.min is None and rule.metric in _BETTER_BELOW))

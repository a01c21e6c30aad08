"""What one measure shows by itself, before its family is looked at."""

from __future__ import annotations

from dataclasses import dataclass

from clarify_ops.gate.bounds import Bound, bound_of
from clarify_ops.gate.inversion import p_value
from clarify_ops.gate.subjects import Subject
from clarify_ops.gate.verdict import Outcome
from clarify_ops.measures import Measure

STRADDLES = "The interval straddles the bound: these rows cannot decide it."


@dataclass(frozen=True)
class Finding:
    """What one measure shows by itself, before its family is looked at.

    Attributes:
        settled: An outcome that no correction changes; None where the p-value decides between FAIL and INCONCLUSIVE.
        reason: One sentence for the settled outcome.
        p: The one-sided p-value at the nearer bound, where it is known.
        counts: Whether it is a member of its family: what fails outright or is a plain fact raises no false alarm.
    """

    settled: Outcome | None
    reason: str
    p: float | None = None
    counts: bool = False


def find(subject: Subject, confidence: float) -> Finding:
    """Holds a measure, or the lack of one, against the rule's bound.

    Args:
        subject: What the rule is about.
        confidence: Level of the interval that must lie within the bound.
    """
    rule, measure = subject.rule, subject.measure
    if measure is None:
        return Finding("FAIL", subject.reason)
    if measure.value is None:
        return Finding("FAIL", f"Undefined: {measure.reason}")
    bound = bound_of(rule)
    if measure.exact or rule.mode == "point":
        alone = "" if measure.exact else "; by the value alone, as the policy asks (mode: point)"
        if bound.holds(measure.value):
            return Finding("PASS", f"The value is within the bound{alone}.")
        return Finding("FAIL", f"The value is outside the bound{alone}.")
    return _by_interval(measure, measure.value, bound, confidence)


def _by_interval(measure: Measure, value: float, bound: Bound, confidence: float) -> Finding:
    interval = measure.interval
    if interval is None:
        return Finding("FAIL", "There is no interval that could show it; mode: point would compare the value alone.")
    if interval.level != confidence:
        return Finding("FAIL", f"Its interval is of level {interval.level:g}, but the policy asks for {confidence:g}.")
    if not interval.low <= interval.high:
        return Finding("FAIL", f"Its interval ({interval.method}) has no ends.")
    if not interval.reliable:
        return Finding("INCONCLUSIVE", f"Its interval ({interval.method}) is not reliable for so few rows.", None, True)
    # Both an interval within and a p-value below alpha want the value itself on their side: no measure passes and fails.
    p = p_value(measure, bound)
    if bound.holds(interval.low, interval.high, value):
        return Finding("PASS", "The whole interval lies within the bound.", p, True)
    if bound.holds(value):
        return Finding("INCONCLUSIVE", STRADDLES, p, True)
    return Finding(None, "", p, True)

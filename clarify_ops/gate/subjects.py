"""What a rule is about: the measures it judges, and whatever it should have found and did not."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from clarify_ops.config.policy import Policy, Rule
from clarify_ops.measures import Measure


@dataclass(frozen=True)
class Subject:
    """One thing that a rule is about.

    Attributes:
        rule: The rule.
        facet_value: The group; None for all rows.
        measure: What was measured of it; None where nothing was.
        reason: Why nothing was.
    """

    rule: Rule
    facet_value: str | None
    measure: Measure | None = None
    reason: str = ""


def subjects_of(rule: Rule, policy: Policy, measures: Sequence[Measure]) -> list[Subject]:
    """Everything that a rule is about, in the order of the measures; then what is missing, each with the reason.

    A group that the data have is judged, named among the exceptions with a reason, or missing: none is forgotten.
    """
    about = [one for one in measures if _key(one) == _key(rule)]
    if not about:
        return _nothing(rule, measures)
    measured = [one.facet_value for one in about if one.facet_value is not None]
    groups = _groups(rule, measures, measured)
    found = ", ".join(sorted(groups)) or "none"
    wanted = rule.values
    judged = [
        Subject(rule, one.facet_value, one)
        for one in about
        if one.facet_value not in rule.except_values and (wanted is None or one.facet_value in wanted)
    ]
    absent = [
        Subject(rule, value, reason=f"The analysis has no {rule.facet} = {value}; it has: {found}.")
        for value in wanted or ()
        if value not in measured
    ]
    left_out = [
        Subject(
            rule,
            value,
            reason=f"The policy leaves out {rule.facet} = {value}, which the data lack; they have: {found}.",
        )
        for value in rule.except_values
        if value not in groups and value not in measured and value != rule.reference
    ]
    return judged + absent + left_out + _forgotten(rule, policy, groups, measured)


def _key(one: Measure | Rule) -> tuple[str, str, str | None, str | None]:
    return one.stage, one.metric, one.facet, one.reference


def _nothing(rule: Rule, measures: Sequence[Measure]) -> list[Subject]:
    elsewhere = [one for one in measures if (one.stage, one.metric, one.facet) == (rule.stage, rule.metric, rule.facet)]
    if rule.reference is not None and elsewhere:
        values = sorted({one.facet_value for one in elsewhere if one.facet_value is not None})
        reason = f"No {rule.metric} was measured against {rule.facet} = {rule.reference}; the data have: {', '.join(values)}."
    else:
        subject = f" for the facet {rule.facet}" if rule.facet is not None else " for all rows"
        alike = [one for one in measures if one.stage == rule.stage and (one.facet is None) == (rule.facet is None)]
        known = sorted({one.metric for one in alike})
        hint = f"measured there: {', '.join(known)}" if known else "nothing was measured there"
        reason = f"No {rule.metric} was measured in stage {rule.stage}{subject}; {hint}."
    return [Subject(rule, value, reason=reason) for value in rule.values or (None,)]


def _groups(rule: Rule, measures: Iterable[Measure], measured: Sequence[str]) -> dict[str, None]:
    """The facet's values that the data have, but for the reference: all that any measure of their rows speaks of."""
    if not measured:
        return {}
    counted = [
        one.facet_value
        for one in measures
        if one.facet_value is not None and (one.stage, one.metric, one.facet) == ("data", "rows", rule.facet)
    ]
    rest = {f"not {value}" for value in measured}
    return dict.fromkeys(one for one in (*measured, *counted) if one not in rest and one != rule.reference)


def _forgotten(rule: Rule, policy: Policy, groups: Iterable[str], measured: Sequence[str]) -> list[Subject]:
    same = [one for one in policy.rules if _key(one) == _key(rule)]
    if same[0] != rule:
        # Said once, by the first of the rules that share the groups among them.
        return []
    named = {value for one in same for value in (*(one.values or ()), *one.except_values)}
    missing = [value for value in groups if value not in named]
    if any(one.values is None for one in same):
        return [
            Subject(
                rule, value, reason=f"The data have {rule.facet} = {value}, but no {rule.metric} was measured for it."
            )
            for value in missing
            if value not in measured
        ]
    return [
        Subject(
            rule,
            value,
            reason=f"The data have {rule.facet} = {value}, which the policy forgets: name it in values or in except_values.",
        )
        for value in missing
    ]

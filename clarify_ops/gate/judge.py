"""The judge: measures and a policy in, a verdict out. It fails closed: what is not shown to be good enough does not pass."""

from __future__ import annotations

import datetime
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from clarify_ops.config.policy import Policy, Rule
from clarify_ops.gate.bounds import Bound, bound_of
from clarify_ops.gate.families import holm
from clarify_ops.gate.inversion import p_value
from clarify_ops.gate.subjects import Subject, subjects_of
from clarify_ops.gate.verdict import Judgement, Outcome, Verdict
from clarify_ops.gate.waivers import with_waivers
from clarify_ops.measures import Measure

_WORST_FIRST: tuple[Outcome, ...] = ("FAIL", "INCONCLUSIVE", "PASS")
# The clocks of two machines differ by less.
_CLOCKS = datetime.timedelta(hours=1)


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


def judge(
    measures: Sequence[Measure],
    policy: Policy,
    today: datetime.date,
    *,
    age: datetime.timedelta | None = None,
    model: str | None = None,
    no_champion: str = "",
) -> Verdict:
    """Applies every rule to every measure it is about.

    Args:
        measures: Of all stages.
        policy: Rules and waivers.
        today: The day on which waivers are looked at.
        age: Of the oldest evidence; a policy that limits it fails where nobody says.
        model: Name of the candidate in the registry, for waivers of one model.
        no_champion: Why there is no champion to compare with; empty where there is one.
    """
    alone = bool(no_champion)
    subjects = [
        one
        for rule in policy.rules
        for one in (
            _without_champion(rule, policy, no_champion)
            if alone and rule.stage == "champion"
            else subjects_of(rule, policy, measures)
        )
    ]
    findings = [
        Finding(_FIRST_RELEASE[policy.no_champion], one.reason)
        if alone and one.rule.stage == "champion"
        else _find(one, policy.confidence)
        for one in subjects
    ]
    adjusted = _adjusted(subjects, findings)
    made = [
        _judgement(subject, finding, p, policy.alpha)
        for subject, finding, p in zip(subjects, findings, adjusted, strict=True)
    ]
    judgements, idle = with_waivers([*made, *_too_old(policy, age)], policy, today, model)
    outcome, reason = _overall(judgements) if policy.rules else ("FAIL", _NOTHING_ASKED)
    return Verdict(
        outcome, reason, policy.name, policy.digest, policy.confidence, policy.inconclusive, judgements, idle
    )


_FIRST_RELEASE: dict[str, Outcome] = {"pass": "PASS", "fail": "FAIL"}


def _without_champion(rule: Rule, policy: Policy, reason: str) -> list[Subject]:
    told = {
        "pass": "The policy lets a first release pass (no_champion: pass).",
        "fail": "A policy with no_champion: pass lets a first release pass.",
    }[policy.no_champion]
    return [Subject(rule, value, reason=f"{reason} {told}") for value in rule.values or (None,)]


_NOTHING_ASKED = "The policy has no rules: nothing was asked, so that nothing is shown."


def _overall(judgements: Sequence[Judgement]) -> tuple[Outcome, str]:
    standing = [one for one in judgements if one.outcome != "PASS" and not one.waived]
    waived = sum(one.waived for one in judgements)
    if not standing:
        all_passed = f"All {len(judgements)} checks pass" if not waived else f"{len(judgements) - waived} checks pass"
        return "PASS", f"{all_passed}{f' and {waived} stand under a waiver' if waived else ''}."
    worst = next(outcome for outcome in _WORST_FIRST if any(one.outcome == outcome for one in standing))
    count = sum(one.outcome == worst for one in standing)
    names = ", ".join(dict.fromkeys(f"{one.metric} for {one.subject}" for one in standing if one.outcome == worst))
    verb = "fails" if worst == "FAIL" else "cannot be decided"
    plural = {"fails": "fail", "cannot be decided": "cannot be decided"}[verb] if count > 1 else verb
    return worst, f"{count} of {len(judgements)} checks {plural}: {names}."


def _find(subject: Subject, confidence: float) -> Finding:
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
    p = p_value(measure, bound)
    if bound.holds(interval.low, interval.high, value):
        return Finding("PASS", "The whole interval lies within the bound.", p, True)
    if bound.holds(value):
        return Finding("INCONCLUSIVE", "The interval straddles the bound: these rows cannot decide it.", p, True)
    return Finding(None, "", p, True)


def _adjusted(subjects: Sequence[Subject], findings: Sequence[Finding]) -> list[tuple[float | None, int]]:
    """Every member's adjusted p-value, and the members of its family."""
    families: dict[tuple[str, str], list[int]] = defaultdict(list)
    for place, (subject, finding) in enumerate(zip(subjects, findings, strict=True)):
        if finding.counts:
            rule = subject.rule
            families["rule" if rule.family is None else "family", family_of(rule)].append(place)
    found: list[tuple[float | None, int]] = [(None, 0)] * len(findings)
    for places in families.values():
        for place, p in zip(places, holm([findings[one].p for one in places]), strict=True):
            found[place] = (p, len(places))
    return found


def family_of(rule: Rule) -> str:
    """The name of the family that a rule belongs to: its own where it names none."""
    return rule.family or rule.id


def _decided(finding: Finding, p: float | None, alpha: float) -> Outcome:
    if finding.settled is not None:
        return finding.settled
    return "FAIL" if p is not None and p < alpha else "INCONCLUSIVE"


def _judgement(subject: Subject, finding: Finding, adjusted: tuple[float | None, int], alpha: float) -> Judgement:
    rule, measure, (p, _) = subject.rule, subject.measure, adjusted
    low, high = bound_of(rule).ends
    plain, outcome = _decided(finding, finding.p, alpha), _decided(finding, p, alpha)
    return Judgement(
        rule=rule.id,
        stage=rule.stage,
        metric=rule.metric,
        facet=rule.facet,
        facet_value=subject.facet_value,
        min=low,
        max=high,
        why=rule.why,
        outcome=outcome,
        reason=finding.reason or _beyond(plain, outcome, finding.p, adjusted, alpha),
        value=None if measure is None else measure.value,
        interval=None if measure is None else measure.interval,
        groups={} if measure is None else measure.groups,
        denominators={} if measure is None else measure.denominators,
        mode=rule.mode,
        reference=rule.reference,
        family=family_of(rule),
        p_value=finding.p,
        adjusted_p=p,
        plain=plain,
    )


def _beyond(plain: Outcome, outcome: Outcome, p: float | None, adjusted: tuple[float | None, int], alpha: float) -> str:
    within, members = adjusted
    if p is None or within is None:
        return "The interval straddles the bound: these rows cannot decide it."
    among = f", and {within:.2g} among the {members} of its family" if members > 1 else ""
    if outcome == "FAIL":
        return f"The value is beyond the bound by more than chance: p = {p:.2g}{among}, is below {alpha:g}."
    if plain == "FAIL":
        return (
            f"Beyond the bound by itself (p = {p:.2g}), but not among the {members} of its family (p = {within:.2g})."
        )
    return "The interval straddles the bound: these rows cannot decide it."


def _too_old(policy: Policy, age: datetime.timedelta | None) -> list[Judgement]:
    limit = policy.max_age_days
    if limit is None:
        return []
    if age is None:
        reason = f"Nobody says how old the evidence is, and the policy allows {limit:g} days."
    elif age < -_CLOCKS:
        reason = "The evidence is dated later than now, so that nobody knows how old it is."
    elif age > datetime.timedelta(days=limit):
        reason = (
            f"The oldest evidence is {age / datetime.timedelta(days=1):.1f} days old, and the policy allows {limit:g}."
        )
    else:
        return []
    return [
        Judgement(
            rule="max_age_days",
            stage="evidence",
            metric="age in days",
            facet=None,
            facet_value=None,
            min=None,
            max=limit,
            why="The policy says how old evidence may be.",
            outcome="FAIL",
            reason=reason,
            value=None,
            interval=None,
            groups={},
            denominators={},
        )
    ]

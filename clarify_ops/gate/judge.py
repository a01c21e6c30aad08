"""The judge: measures and a policy in, a verdict out. It fails closed: what is not shown to be good enough does not pass."""

from __future__ import annotations

import datetime
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from clarify_ops.config.policy import Policy, Rule
from clarify_ops.gate.bounds import bound_of
from clarify_ops.gate.families import holm
from clarify_ops.gate.findings import STRADDLES, Finding, find
from clarify_ops.gate.inversion import tails_of
from clarify_ops.gate.power import needs
from clarify_ops.gate.subjects import Subject, subjects_of
from clarify_ops.gate.verdict import Judgement, Needs, Outcome, Verdict
from clarify_ops.gate.waivers import with_waivers
from clarify_ops.measures import Measure

_WORST_FIRST: tuple[Outcome, ...] = ("FAIL", "INCONCLUSIVE", "PASS")
# The clocks of two machines differ by less.
_CLOCKS = datetime.timedelta(hours=1)


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
    subjects = [
        one
        for rule in policy.rules
        for one in (
            _without_champion(rule, policy, no_champion)
            if no_champion and rule.stage == "champion"
            else subjects_of(rule, policy, measures)
        )
    ]
    findings = [
        Finding(_FIRST_RELEASE[policy.no_champion], one.reason)
        if no_champion and one.rule.stage == "champion"
        else find(one, policy.confidence)
        for one in subjects
    ]
    corrected = _corrected(subjects, findings, policy.alpha)
    made = [_judgement(*one, policy) for one in zip(subjects, findings, corrected, strict=True)]
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


@dataclass(frozen=True)
class Corrected:
    """A member among its family.

    Attributes:
        p: Adjusted p-value; None where none is known.
        members: All of the family.
        standing: Those of them that have not failed: what its own p-value is multiplied by, when it fails as the next.
    """

    p: float | None = None
    members: int = 1
    standing: int = 1


def _corrected(subjects: Sequence[Subject], findings: Sequence[Finding], alpha: float) -> list[Corrected]:
    families: dict[tuple[str, str], list[int]] = defaultdict(list)
    for place, (subject, finding) in enumerate(zip(subjects, findings, strict=True)):
        if finding.counts:
            named = subject.rule.family is not None
            families["family" if named else "rule", family_of(subject.rule)].append(place)
    found = [Corrected()] * len(findings)
    for places in families.values():
        adjusted = holm([findings[one].p for one in places])
        standing = sum(p is None or p >= alpha for p in adjusted)
        for place, p in zip(places, adjusted, strict=True):
            found[place] = Corrected(p, len(places), standing)
    return found


def family_of(rule: Rule) -> str:
    """The name of the family that a rule belongs to: its own where it names none."""
    return rule.family or rule.id


def _decided(finding: Finding, p: float | None, alpha: float) -> Outcome:
    if finding.settled is not None:
        return finding.settled
    return "FAIL" if p is not None and p < alpha else "INCONCLUSIVE"


def _judgement(subject: Subject, finding: Finding, corrected: Corrected, policy: Policy) -> Judgement:
    rule, measure = subject.rule, subject.measure
    low, high = bound_of(rule).ends
    plain, outcome = (_decided(finding, p, policy.alpha) for p in (finding.p, corrected.p))
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
        reason=finding.reason or _beyond(plain, outcome, finding.p, corrected, policy.alpha),
        value=None if measure is None else measure.value,
        interval=None if measure is None else measure.interval,
        groups={} if measure is None else measure.groups,
        denominators={} if measure is None else measure.denominators,
        mode=rule.mode,
        reference=rule.reference,
        family=family_of(rule),
        p_value=finding.p,
        adjusted_p=corrected.p,
        plain=plain,
        needs=_needs(subject, corrected, policy) if outcome == "INCONCLUSIVE" else None,
    )


def _needs(subject: Subject, corrected: Corrected, policy: Policy) -> Needs | None:
    measure, bound = subject.measure, bound_of(subject.rule)
    if measure is None or measure.interval is None:
        return None
    if not measure.interval.reliable:
        return Needs("", None, "Its interval does not hold for so few rows: how many decide is known when it does.")
    alpha = policy.alpha / corrected.standing / tails_of(measure, bound)
    return needs(measure, bound, policy.confidence, alpha)


def _beyond(plain: Outcome, outcome: Outcome, p: float | None, corrected: Corrected, alpha: float) -> str:
    if p is None or corrected.p is None or plain != "FAIL":
        return STRADDLES
    members, adjusted = corrected.members, f"{corrected.p:.2g}"
    if outcome == "FAIL":
        among = f", and {adjusted} among the {members} of its family" if members > 1 else ""
        return f"The value is beyond the bound by more than chance: p = {p:.2g}{among}, is below {alpha:g}."
    return f"Beyond the bound by itself (p = {p:.2g}), but not among the {members} of its family (p = {adjusted})."


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

"""The judge: measures and a policy in, a verdict out. It fails closed: what is not shown to be good enough does not pass."""

from __future__ import annotations

import datetime
from collections.abc import Sequence

from clarify_ops.config.policy import Policy, Rule, Waiver
from clarify_ops.gate.verdict import Judgement, Outcome, Verdict, WaiverUse
from clarify_ops.measures import Measure

_WORST_FIRST: tuple[Outcome, ...] = ("FAIL", "INCONCLUSIVE", "PASS")


def judge(measures: Sequence[Measure], policy: Policy, today: datetime.date) -> Verdict:
    """Applies every rule to every measure it is about.

    Args:
        measures: Of all stages.
        policy: Rules and waivers.
        today: The day on which waivers are looked at.
    """
    judgements = tuple(
        _with_waiver(one, rule, policy, today)
        for rule in policy.rules
        for one in _apply(rule, measures, policy.confidence)
    )
    outcome, reason = _overall(judgements)
    return Verdict(outcome, reason, policy.name, policy.digest, policy.confidence, policy.inconclusive, judgements)


def _overall(judgements: Sequence[Judgement]) -> tuple[Outcome, str]:
    if not judgements:
        return "FAIL", "The policy has no rules: nothing was asked, so that nothing is shown."
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


def _apply(rule: Rule, measures: Sequence[Measure], confidence: float) -> list[Judgement]:
    asked = (rule.stage, rule.metric, rule.facet, rule.reference)
    about = [one for one in measures if (one.stage, one.metric, one.facet, one.reference) == asked]
    if rule.values is not None:
        present = {one.facet_value for one in about}
        absent = [value for value in rule.values if value not in present]
        judged = [_judge(rule, one, confidence) for one in about if one.facet_value in rule.values]
        found = ", ".join(sorted(str(value) for value in present)) or "none"
        return judged + [
            _missing(rule, value, f"The analysis has no {rule.facet} = {value}; it has: {found}.") for value in absent
        ]
    if not about:
        subject = f" for the facet {rule.facet}" if rule.facet is not None else " for all rows"
        known = sorted(
            {one.metric for one in measures if one.stage == rule.stage and (one.facet is None) == (rule.facet is None)}
        )
        hint = f"measured there: {', '.join(known)}" if known else "nothing was measured there"
        return [_missing(rule, None, f"No {rule.metric} was measured in stage {rule.stage}{subject}; {hint}.")]
    return [_judge(rule, one, confidence) for one in about]


def _missing(rule: Rule, value: str | None, reason: str) -> Judgement:
    return Judgement(
        rule=rule.id,
        stage=rule.stage,
        metric=rule.metric,
        facet=rule.facet,
        facet_value=value,
        min=rule.min,
        max=rule.max,
        why=rule.why,
        outcome="FAIL",
        reason=reason,
        value=None,
        interval=None,
        groups={},
        denominators={},
    )


def _judge(rule: Rule, measure: Measure, confidence: float) -> Judgement:
    outcome, reason = _outcome(rule, measure, confidence)
    return Judgement(
        rule=rule.id,
        stage=measure.stage,
        metric=measure.metric,
        facet=measure.facet,
        facet_value=measure.facet_value,
        min=rule.min,
        max=rule.max,
        why=rule.why,
        outcome=outcome,
        reason=reason,
        value=measure.value,
        interval=measure.interval,
        groups=measure.groups,
        denominators=measure.denominators,
    )


def _outcome(rule: Rule, measure: Measure, confidence: float) -> tuple[Outcome, str]:
    if measure.value is None:
        return "FAIL", f"Undefined: {measure.reason}"
    low = rule.min if rule.min is not None else float("-inf")
    high = rule.max if rule.max is not None else float("inf")
    if measure.exact:
        if low <= measure.value <= high:
            return "PASS", "The value is within the bound."
        return "FAIL", "The value is outside the bound."
    interval = measure.interval
    if interval is None:
        return "INCONCLUSIVE", "There is no interval that could show it."
    if interval.level != confidence:
        return "FAIL", f"Its interval is of level {interval.level:g}, but the policy asks for {confidence:g}."
    if not interval.reliable:
        return "INCONCLUSIVE", f"Its interval ({interval.method}) is not reliable for so few rows."
    if interval.high < low or interval.low > high:
        return "FAIL", "The whole interval lies outside the bound."
    if interval.low >= low and interval.high <= high:
        return "PASS", "The whole interval lies within the bound."
    return "INCONCLUSIVE", "The interval straddles the bound: these rows cannot decide it."


def _with_waiver(judgement: Judgement, rule: Rule, policy: Policy, today: datetime.date) -> Judgement:
    if judgement.outcome == "PASS":
        return judgement
    covering = [one for one in policy.waivers if one.rule == rule.id and one.facet_value == judgement.facet_value]
    uses = [_use(one, rule, judgement, policy.confidence, today) for one in covering]
    if not uses:
        return judgement
    best = next((one for one in uses if one.counts), uses[0])
    return Judgement(**{**vars(judgement), "waiver": best})


def _use(waiver: Waiver, rule: Rule, judgement: Judgement, confidence: float, today: datetime.date) -> WaiverUse:
    # The waiver widens the bound to the worst value that was signed for, and no further.
    low = min(rule.min, waiver.up_to) if rule.min is not None else float("-inf")
    high = max(rule.max, waiver.up_to) if rule.max is not None else float("inf")
    if judgement.value is None:
        counts, note = False, "does not count: there is no value"
    elif judgement.interval is not None and judgement.interval.level != confidence:
        counts, note = (
            False,
            "does not count: it widens a bound, and the interval is of another level than the policy's",
        )
    elif today > waiver.expires:
        counts, note = False, f"does not count: expired on {waiver.expires}"
    elif today < waiver.granted:
        counts, note = False, f"does not count before {waiver.granted}"
    elif not low <= judgement.value <= high:
        counts, note = False, f"does not count: the value is beyond {waiver.up_to:g}"
    else:
        counts, note = True, f"counts until {waiver.expires}"
    return WaiverUse(
        counts=counts,
        note=note,
        up_to=waiver.up_to,
        reason=waiver.reason,
        author=waiver.author,
        approver=waiver.approver,
        granted=waiver.granted.isoformat(),
        expires=waiver.expires.isoformat(),
    )

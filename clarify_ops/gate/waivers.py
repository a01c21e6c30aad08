"""Waivers: which of them lift an outcome today, and why the others do not."""

from __future__ import annotations

import datetime
import math
from collections.abc import Iterable, Sequence
from dataclasses import replace

from clarify_ops.config.policy import Policy, Waiver
from clarify_ops.gate.bounds import Bound
from clarify_ops.gate.verdict import IdleWaiver, Judgement, WaiverUse


def with_waivers(
    judgements: Sequence[Judgement], policy: Policy, today: datetime.date, model: str | None
) -> tuple[tuple[Judgement, ...], tuple[IdleWaiver, ...]]:
    """Judgements with the waivers that cover them, and the waivers that lift nothing.

    Args:
        judgements: By their intervals.
        policy: With the waivers.
        today: The day on which they are looked at.
        model: Name of the candidate in the registry; None where it has none.
    """
    shown: set[int] = set()
    found: list[Judgement] = []
    for one in judgements:
        covering = [] if one.outcome == "PASS" else _covering(policy.waivers, one)
        uses = {place: _use(policy.waivers[place], one, policy.confidence, today, model) for place in covering}
        best = next((place for place, use in uses.items() if use.counts), next(iter(uses), None))
        if best is None:
            found.append(one)
            continue
        shown.add(best)
        found.append(replace(one, waiver=uses[best]))
    idle = [_idle(waiver, judgements, today) for place, waiver in enumerate(policy.waivers) if place not in shown]
    return tuple(found), tuple(idle)


def _covering(waivers: Iterable[Waiver], judgement: Judgement) -> list[int]:
    subject = (judgement.rule, judgement.facet_value)
    return [place for place, one in enumerate(waivers) if (one.rule, one.facet_value) == subject]


def _use(waiver: Waiver, judgement: Judgement, confidence: float, today: datetime.date, model: str | None) -> WaiverUse:
    # The waiver widens the bound to the worst value that was signed for, and no further.
    widened = Bound(
        -math.inf if judgement.min is None else judgement.min, math.inf if judgement.max is None else judgement.max
    ).widened(waiver.up_to)
    if judgement.value is None:
        return _used(waiver, ": there is no value")
    if judgement.interval is not None and judgement.interval.level != confidence:
        return _used(waiver, ": it widens a bound, and the interval is of another level than the policy's")
    if waiver.model is not None and waiver.model != model:
        return _used(waiver, f": it is for the model {waiver.model}")
    if today > waiver.expires:
        return _used(waiver, f": expired on {waiver.expires}")
    if today < waiver.granted:
        return _used(waiver, f" before {waiver.granted}")
    if not widened.holds(judgement.value):
        return _used(waiver, f": the value is beyond {waiver.up_to:g}")
    return _used(waiver, None)


def _used(waiver: Waiver, why_not: str | None) -> WaiverUse:
    return WaiverUse(
        counts=why_not is None,
        note=f"counts until {waiver.expires}" if why_not is None else f"does not count{why_not}",
        up_to=waiver.up_to,
        reason=waiver.reason,
        author=waiver.author,
        approver=waiver.approver,
        granted=waiver.granted.isoformat(),
        expires=waiver.expires.isoformat(),
        model=waiver.model,
    )


def _idle(waiver: Waiver, judgements: Sequence[Judgement], today: datetime.date) -> IdleWaiver:
    about = [one for one in judgements if (one.rule, one.facet_value) == (waiver.rule, waiver.facet_value)]
    if not about:
        why = "nothing was judged that it covers"
    elif all(one.outcome == "PASS" for one in about):
        why = "it is not needed, for what it covers passes"
    else:
        why = "another waiver of the same is shown"
    if today > waiver.expires:
        why = f"expired on {waiver.expires}, and {why}"
    return IdleWaiver(waiver.rule, waiver.facet_value, _used(waiver, f": {why}"))

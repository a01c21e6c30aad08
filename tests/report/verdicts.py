"""Verdicts for the forms that people and CI systems read."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

from clarify_ops.gate.verdict import IdleWaiver, Judgement, Needs, Verdict
from tests.factories import SPENT_WAIVER, interval, release

NEEDS = Needs(
    "black = 1", 612, "612 rows of black = 1 would decide it in 8 of 10 samples, if the observed gap is true."
)


@cache
def with_chances() -> Verdict:
    """A failing verdict with every outcome, both p-values, a family, a reference, rows that are needed and waivers."""
    whole = release().verdict
    sure: dict[str, dict[str, Any]] = {
        "label-gap": {"p_value": 0.0004, "adjusted_p": 0.0012, "plain": "FAIL", "family": "groups"},
        "four-fifths": {"p_value": 0.031, "adjusted_p": 0.062, "plain": "FAIL", "family": "groups", "needs": NEEDS},
        "approval-gap": {"p_value": 0.0171, "adjusted_p": 0.0342, "plain": "FAIL", "reference": "0"},
        "ranking": {"mode": "point", "plain": "PASS"},
    }
    return replace(
        whole,
        judgements=tuple(replace(one, **sure.get(one.rule, {})) for one in whole.judgements),
        idle_waivers=(IdleWaiver("four-fifths", "9", replace(SPENT_WAIVER, note="nothing was judged that it covers")),),
    )


def named(text: str) -> Verdict:
    """A verdict in which every text from outside is this one."""
    whole = with_chances()
    return replace(
        whole,
        reason=text,
        policy=text,
        judgements=tuple(_renamed(one, text) for one in whole.judgements),
        idle_waivers=tuple(
            replace(one, rule=text, facet_value=text, waiver=replace(one.waiver, reason=text, model=text))
            for one in whole.idle_waivers
        ),
    )


def _renamed(one: Judgement, text: str) -> Judgement:
    waiver = one.waiver and replace(one.waiver, reason=text, author=text, approver=text, note=text)
    needs = one.needs and replace(one.needs, note=text, group=text)
    facet: dict[str, Any] = {} if one.facet is None else {"facet": text, "facet_value": text}
    return replace(
        one,
        **facet,
        rule=text,
        metric=text,
        why=text,
        reason=text,
        family=text,
        waiver=waiver,
        needs=needs,
        interval=one.interval and replace(interval(0.1, 0.2), method=text),
    )

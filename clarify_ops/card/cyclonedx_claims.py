"""The judgements as CycloneDX has them: the policy as a standard with requirements, each judgement a claim with its evidence.

A claim says that a number lies within its bound. What was measured is the claim's evidence where it passes, its
counter-evidence where it fails, and both where it cannot be decided. A waiver is evidence with an end, which an author
wrote and another person approved, and the mitigation of the claim that it lifts.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from clarify_ops.card.attached import METRICS, VERDICT, Attached
from clarify_ops.card.content import NOT_STATED, CardContent, waiver_sentence
from clarify_ops.gate.verdict import Judgement

MODEL = "model"
_ASSESSOR = "assessor"


def standard(content: CardContent) -> dict[str, Any]:
    """The policy: every rule that judged is a requirement."""
    verdict = content.release.verdict
    rules = {one.rule: one for one in reversed(verdict.judgements)}
    return {
        "bom-ref": "policy",
        "name": verdict.policy,
        "version": verdict.policy_digest,
        "owner": content.words.owner or NOT_STATED,
        "requirements": [
            {
                "bom-ref": _requirement(name),
                "identifier": name,
                "text": f"{one.metric} ({one.stage}) is {_within(one)}.",
                "descriptions": [one.why],
            }
            for name, one in reversed(rules.items())
        ],
    }


def declarations(content: CardContent, attached: Attached) -> dict[str, Any]:
    """Who judged, what is claimed of the model, and by which evidence."""
    verdict = content.release.verdict
    claims = [_claim(content, place, one) for place, one in enumerate(verdict.judgements, start=1)]
    waivers = [_waiver(place, one) for place, one in enumerate(verdict.judgements, start=1) if one.waiver is not None]
    by_rule: dict[str, list[str]] = {}
    for one, claim in zip(verdict.judgements, claims, strict=True):
        by_rule.setdefault(one.rule, []).append(claim["bom-ref"])
    return {
        "assessors": [
            {"bom-ref": _ASSESSOR, "thirdParty": False, "organization": {"name": content.words.owner or NOT_STATED}}
        ],
        "attestations": [
            {
                "summary": f"{verdict.outcome}: {verdict.reason} {content.registration}",
                "assessor": _ASSESSOR,
                "map": [{"requirement": _requirement(rule), "claims": refs} for rule, refs in by_rule.items()],
            }
        ],
        "claims": claims,
        "evidence": [*_measured(content, attached), *waivers],
    }


def _within(one: Judgement) -> str:
    return one.bound if one.min is None or one.max is None else f"within {one.bound}"


def _requirement(rule: str) -> str:
    return f"rule:{rule}"


def _claim(content: CardContent, place: int, one: Judgement) -> dict[str, Any]:
    divided = content.divided(one)
    said = [
        f"{content.outcome(one)}: {content.mask.reason(one)}",
        f"Value {content.value(one)}, interval {content.interval(one) or 'none'}.",
        f"Of {content.rows(one)}." if one.groups else "",
        f"Divided by {divided}." if divided else "",
        f"{content.statistics(one)}." if content.statistics(one) else "",
        f"Why this bound: {one.why}",
        waiver_sentence(one),
    ]
    numbers = [METRICS]
    return {
        "bom-ref": f"claim:{place}:{one.rule}",
        "target": MODEL,
        "predicate": f"{one.metric} ({one.stage}) of {one.subject} is {_within(one)}",
        "reasoning": " ".join(part for part in said if part),
        **({"evidence": numbers} if one.outcome != "FAIL" else {}),
        **({"counterEvidence": numbers} if one.outcome != "PASS" else {}),
        **({"mitigationStrategies": [_waived(place, one)]} if one.waived else {}),
    }


def _waived(place: int, one: Judgement) -> str:
    return f"waiver:{place}:{one.rule}"


def _measured(content: CardContent, attached: Attached) -> list[dict[str, Any]]:
    """The numbers and the verdict, made on the day of the judgement."""
    made = {
        METRICS: "Every measure with its value or the reason why it has none, denominators and interval.",
        VERDICT: "The answer of the gate, rule by rule.",
    }
    claims = content.release.digests.get("evidence")
    return [
        {
            "bom-ref": name,
            "propertyName": "clarify_ops:evidence",
            "description": f"{words} Bound by the evidence with the digest {claims or 'that was not given'}.",
            "created": f"{content.release.judged_on}T00:00:00Z",
            "data": [
                {"name": attached.named(name), "contents": {"url": quote(attached.uri(name), safe=":/?#@%+,;=~")}}
            ],
            "author": {"name": "clarify_ops"},
        }
        for name, words in made.items()
    ]


def _waiver(place: int, one: Judgement) -> dict[str, Any]:
    given = one.waiver
    if given is None:
        raise ValueError(f"{one.rule} has no waiver")
    return {
        "bom-ref": _waived(place, one),
        "propertyName": "clarify_ops:waiver",
        "description": f"{one.rule}, {one.subject}: {waiver_sentence(one)}",
        "created": f"{given.granted}T00:00:00Z",
        # The day is the last on which it counts.
        "expires": f"{given.expires}T23:59:59Z",
        "author": {"name": given.author},
        "reviewer": {"name": given.approver},
    }

"""A verdict as SARIF 2.1.0: a result for every check that does not pass, pointing at its rule in the policy."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from clarify_ops.config.lines import PolicySource
from clarify_ops.documents import digest
from clarify_ops.gate.published import Mask, number
from clarify_ops.gate.verdict import Judgement, Verdict
from clarify_ops.report.notes import MetricNote
from clarify_ops.report.verdict_words import FULL, Account, accounts, opening, title, visible, waiver_words

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_EMPTY = "policy-without-rules"


def render_sarif(
    verdict: Verdict, source: PolicySource, notes: Mapping[str, MetricNote] | None = None, mask: Mask = FULL
) -> str:
    """The log of one run.

    FAIL is an error. INCONCLUSIVE is one as well where the policy lets nothing through, and a warning where it only warns.
    What a waiver lifts is there as a suppressed result, with the waiver as justification.

    Args:
        verdict: The verdict.
        source: Where the rules of the policy stand.
        notes: How each metric is to be read, by its name.
        mask: Which groups are too small to be published.

    Source: OASIS, Static Analysis Results Interchange Format 2.1.0.
    """
    told = [
        (one, account)
        for one, account in zip(verdict.judgements, accounts(verdict, notes, mask), strict=True)
        if one.outcome != "PASS"
    ]
    rules = {one.rule: _rule(one) for one in verdict.judgements}
    results = [_result(verdict, one, account, list(rules).index(one.rule), source, mask) for one, account in told]
    if not verdict.judgements:
        rules = {_EMPTY: {"id": _EMPTY, "shortDescription": {"text": "A policy must ask for something."}}}
        results = [
            {
                "ruleId": _EMPTY,
                "ruleIndex": 0,
                "level": "error",
                "message": {"text": visible(verdict.reason)},
                "locations": [_location(source, source.first)],
            }
        ]
    run = {
        "tool": {"driver": {"name": "clarify-ops", "rules": list(rules.values())}},
        "results": results,
        "columnKind": "utf16CodeUnits",
        "properties": {
            "outcome": verdict.outcome,
            "summary": opening(verdict),
            "policy": visible(verdict.policy),
            "policyDigest": verdict.policy_digest,
        },
    }
    return json.dumps(log(run), indent=2, allow_nan=False) + "\n"


def log(run: dict[str, Any]) -> dict[str, Any]:
    """The document of one run."""
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


def level(verdict: Verdict, one: Judgement) -> str:
    """How loud a check that does not pass is: error, warning, or note where a waiver lifts it."""
    if one.waived:
        return "note"
    return "warning" if one.outcome == "INCONCLUSIVE" and verdict.inconclusive == "warn" else "error"


def relative(file: Path) -> str:
    """A file as a forge knows it: from the working directory, or absolute where it lies elsewhere."""
    whole = file.resolve()
    return (whole.relative_to(Path.cwd()) if whole.is_relative_to(Path.cwd()) else whole).as_posix()


def _rule(one: Judgement) -> dict[str, Any]:
    return {
        "id": visible(one.rule),
        "shortDescription": {"text": visible(f"{one.metric} must be {one.bound}")},
        "help": {"text": visible(one.why)},
        "properties": {"stage": one.stage, "family": visible(one.family or one.rule)},
    }


def _result(
    verdict: Verdict, one: Judgement, account: Account, index: int, source: PolicySource, mask: Mask
) -> dict[str, Any]:
    shown = one.value is not None and not mask.hides(one)
    result: dict[str, Any] = {
        "ruleId": visible(one.rule),
        "ruleIndex": index,
        "level": level(verdict, one),
        "message": {"text": f"{account.outcome}: {title(one)}\n{account.text}"},
        "locations": [_location(source, source.line(one.rule))],
        "partialFingerprints": {"check/v1": digest([visible(verdict.policy), title(one)])},
        "properties": {"outcome": one.outcome, "value": number(one.value) if shown and one.value is not None else ""},
    }
    if one.waived:
        result["suppressions"] = [
            {"kind": "external", "status": "accepted", "justification": waiver_words(one)},
        ]
    return result


def _location(source: PolicySource, line: int) -> dict[str, Any]:
    name = relative(source.file)
    uri = source.file.resolve().as_uri() if name.startswith("/") else quote(name)
    return {"physicalLocation": {"artifactLocation": {"uri": uri}, "region": {"startLine": line}}}

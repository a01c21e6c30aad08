"""A verdict read back from `verdict.json`, for whoever wants to see it again: nothing is judged by it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from clarify_ops.documents import read_document
from clarify_ops.errors import BadDocument
from clarify_ops.gate.verdict import IdleWaiver, Judgement, Needs, Verdict, WaiverUse
from clarify_ops.measures import Interval

VERDICT_FILE = "verdict.json"
_OUTCOMES = ("PASS", "FAIL", "INCONCLUSIVE")


def read_verdict(path: str | Path) -> Verdict:
    """Reads what a gate wrote.

    Args:
        path: `verdict.json`.

    Raises:
        BadDocument: The file is missing, is no verdict, or contradicts itself.
    """
    document = read_document(path, "verdict")
    try:
        verdict = verdict_from(document)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BadDocument(f"The file {path} is not a verdict of the gate.", "Name a verdict.json.") from error
    if verdict.may_register != document.get("may_register"):
        raise BadDocument(f"The verdict {path} contradicts itself: its outcome and may_register do not go together.")
    return verdict


def verdict_from(document: Mapping[str, Any]) -> Verdict:
    """The inverse of `Verdict.to_json`.

    Raises:
        KeyError, TypeError, ValueError, AttributeError: It is not such a document.
    """
    judgements = tuple(_judgement(one) for one in document["judgements"])
    idle = tuple(
        IdleWaiver(one["rule"], one["facet_value"], WaiverUse(**one["waiver"]))
        for one in document.get("idle_waivers", ())
    )
    known = {**_known(Verdict, document), "outcome": _outcome(document)}
    return Verdict(**{**known, "judgements": judgements, "idle_waivers": idle})


def _judgement(document: Mapping[str, Any]) -> Judgement:
    interval, waiver, needs = document["interval"], document["waiver"], document.get("needs")
    value = document["value"]
    return Judgement(
        **{
            **_known(Judgement, document),
            "outcome": _outcome(document),
            "value": None if value is None else float(value),
            "interval": None if interval is None else Interval.from_json(interval),
            "waiver": None if waiver is None else WaiverUse(**waiver),
            "needs": None if needs is None else Needs(**needs),
        }
    )


def _known(kind: type[Verdict | Judgement], document: Mapping[str, Any]) -> dict[str, Any]:
    names = {one.name for one in fields(kind)}
    return {name: value for name, value in document.items() if name in names}


def _outcome(document: Mapping[str, Any]) -> str:
    outcome = document["outcome"]
    if outcome not in _OUTCOMES:
        raise ValueError(f"{outcome!r} is no outcome")
    return str(outcome)

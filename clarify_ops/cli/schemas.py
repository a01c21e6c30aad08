"""JSON Schemas (2020-12) of the analysis configuration, and of the documents that are written."""

from __future__ import annotations

import re
from typing import Any

from clarify_ops.gate.statement import PREDICATE_TYPE, STATEMENT_TYPE
from clarify_ops.measures import STAGES

DIALECT = "https://json-schema.org/draft/2020-12/schema"

_TEXT: dict[str, Any] = {"type": "string"}
_BOOLEAN: dict[str, Any] = {"type": "boolean"}
_NUMBER: dict[str, Any] = {"type": "number"}
_OBJECT: dict[str, Any] = {"type": "object"}
_DIGEST: dict[str, Any] = {"type": "string", "pattern": "^sha256:[0-9a-f]{64}$"}
_OUTCOME: dict[str, Any] = {"enum": ["PASS", "FAIL", "INCONCLUSIVE"]}
# Infinities are not JSON, and stand as text.
_VALUE: dict[str, Any] = {"anyOf": [{"type": "number"}, {"enum": ["Infinity", "-Infinity"]}]}
_COUNTS: dict[str, Any] = {"type": "object", "additionalProperties": {"type": "integer", "minimum": 0}}


def _or_null(schema: dict[str, Any]) -> dict[str, Any]:
    return {"anyOf": [schema, {"type": "null"}]}


def _closed(**properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _list(schema: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": schema}


_INTERVAL = _closed(low=_VALUE, high=_VALUE, level=_NUMBER, method=_TEXT, reliable=_BOOLEAN)
_WAIVER = _closed(
    counts=_BOOLEAN,
    note=_TEXT,
    up_to=_NUMBER,
    reason=_TEXT,
    author=_TEXT,
    approver=_TEXT,
    granted=_TEXT,
    expires=_TEXT,
    model=_or_null(_TEXT),
)
_MEASURE = _closed(
    stage={"enum": list(STAGES)},
    metric=_TEXT,
    facet=_or_null(_TEXT),
    facet_value=_or_null(_TEXT),
    value=_or_null(_VALUE),
    reason=_TEXT,
    groups=_COUNTS,
    denominators=_COUNTS,
    interval=_or_null(_INTERVAL),
    exact=_BOOLEAN,
    reference=_or_null(_TEXT),
)
_JUDGEMENT = _closed(
    rule=_TEXT,
    stage=_TEXT,
    metric=_TEXT,
    facet=_or_null(_TEXT),
    facet_value=_or_null(_TEXT),
    min=_or_null(_NUMBER),
    max=_or_null(_NUMBER),
    why=_TEXT,
    outcome=_OUTCOME,
    reason=_TEXT,
    value=_or_null(_VALUE),
    interval=_or_null(_INTERVAL),
    groups=_COUNTS,
    denominators=_COUNTS,
    waived=_BOOLEAN,
    waiver=_or_null(_WAIVER),
    mode={"enum": ["interval", "point"]},
    reference=_or_null(_TEXT),
    family=_TEXT,
    p_value=_or_null(_NUMBER),
    adjusted_p=_or_null(_NUMBER),
    plain=_OUTCOME,
    needs=_or_null(_closed(group=_TEXT, rows=_or_null({"type": "integer", "minimum": 1}), note=_TEXT)),
)
_VERSION: dict[str, Any] = {"const": "1"}

WRITTEN: dict[str, dict[str, Any]] = {
    "verdict": _closed(
        version=_VERSION,
        outcome=_OUTCOME,
        reason=_TEXT,
        may_register=_BOOLEAN,
        policy=_TEXT,
        policy_digest=_DIGEST,
        confidence={"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1},
        inconclusive=_TEXT,
        judgements=_list(_JUDGEMENT),
        idle_waivers=_list(_closed(rule=_TEXT, facet_value=_or_null(_TEXT), waiver=_WAIVER)),
    ),
    # Analyses add sections of their own ("classes", "segments", ...), so that it stays open.
    "metrics": {
        "type": "object",
        "properties": {"version": _VERSION, "measures": _list(_MEASURE)},
        "required": ["version", "measures"],
    },
}

# What the gate claims and around it, closed: a claim that nobody knows may be one that nobody checks.
_CLAIMS = _closed(
    pipeline=_TEXT,
    seed={"type": "integer", "minimum": 0},
    data=_DIGEST,
    rows={"type": "object", "additionalProperties": _DIGEST, "minProperties": 1},
    configuration=_DIGEST,
    policy=_DIGEST,
    code=_closed(clarify_ops=_TEXT, digest=_DIGEST),
    model=_DIGEST,
    predictions=_DIGEST,
    explanations=_DIGEST,
    steps={"type": "object", "additionalProperties": _DIGEST, "minProperties": 1},
    measures=_list(_MEASURE),
    verdict=WRITTEN["verdict"],
)
# Claimed only where a policy compares with the champion.
_CLAIMS["properties"]["champion"] = _closed(model=_or_null(_DIGEST), predictions=_DIGEST)
_ENVELOPE = _closed(
    started=_TEXT,
    finished=_TEXT,
    judged_on={"type": "string", "format": "date"},
    expires=_or_null({"type": "string", "format": "date-time"}),
    user=_TEXT,
    machine=_TEXT,
    system=_TEXT,
    python=_TEXT,
    places={"type": "object", "additionalProperties": _TEXT},
    packages={"type": "object", "additionalProperties": _TEXT},
    environment=_DIGEST,
)
_EVIDENCE: dict[str, dict[str, Any]] = {
    "version": _VERSION,
    "claims": _CLAIMS,
    "digest": _DIGEST,
    "envelope": _ENVELOPE,
}
_LIMIT: dict[str, Any] = {"type": "number", "minimum": 0}
_FILE = _closed(name=_TEXT, digest=_closed(sha256={"type": "string", "pattern": "^[0-9a-f]{64}$"}))
WRITTEN["evidence"] = _closed(**_EVIDENCE, seal=_DIGEST)
WRITTEN["statement"] = _closed(
    _type={"const": STATEMENT_TYPE},
    subject={**_list(_FILE), "minItems": 1},
    predicateType={"const": PREDICATE_TYPE},
    predicate=_closed(**_EVIDENCE, tolerance=_closed(counts=_LIMIT, measures=_LIMIT, refitted=_LIMIT)),
)


def written_schema(name: str) -> dict[str, Any]:
    """The JSON Schema of a written document: "verdict", "metrics", "evidence" or "statement"."""
    return {"$schema": DIALECT, "title": name, **WRITTEN[name]}


def analysis_schema() -> dict[str, Any]:
    """The JSON Schema of the analysis configuration: what the model says, and what its validators add.

    To a JSON Schema 1 and 1.0 are one number; the model tells them apart, as SageMaker's schema does.
    """
    from clarify_ops.config.analysis import AnalysisConfig
    from clarify_ops.config.languages import LANGUAGES

    schema = AnalysisConfig.model_json_schema()
    parts = [part for name, part in schema["$defs"].items() if name != "OwnSettings"]
    for part in [*parts, schema]:
        for key, one in part["properties"].items():
            part["properties"][key] = _as_validated(_without_null(one))
    language = schema["$defs"]["TextSettings"]["properties"]["language"]
    language["pattern"] = _in_any_case(sorted(LANGUAGES))
    return {"$schema": DIALECT, **schema}


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    found = dict(schema)
    if "anyOf" in found:
        found["anyOf"] = [one for one in found["anyOf"] if one != {"type": "null"}]
    if found.get("default", ...) is None:
        del found["default"]
    return found


def _as_validated(schema: Any) -> Any:
    """Words in any case, and no empty objects."""
    if isinstance(schema, list):
        return [_as_validated(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    found = {key: _as_validated(value) for key, value in schema.items()}
    if "enum" in found:
        found["pattern"] = _in_any_case(found.pop("enum"))
    if found.get("type") == "object":
        found["minProperties"] = 1
    return found


def _in_any_case(words: list[str]) -> str:
    # The regular expressions of JSON Schema have no flags.
    letters = ["".join(f"[{c.lower()}{c.upper()}]" if c.isalpha() else re.escape(c) for c in word) for word in words]
    return f"^({'|'.join(letters)})$"

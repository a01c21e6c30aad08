"""The JSON Schemas that `clarify-ops schema` prints hold of the documents that a run writes."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from jsonschema import Draft202012Validator

from clarify_ops.cli.schemas import WRITTEN, analysis_schema, written_schema
from clarify_ops.config.analysis import AnalysisConfig
from clarify_ops.errors import BadDocument
from tests.config.test_sdk_schema import mutated

NEEDED = {
    "metrics": ("version", "measures"),
    "verdict": ("version", "judgements"),
    "evidence": ("version", "claims", "digest", "envelope", "seal"),
    "statement": ("_type", "subject", "predicateType", "predicate"),
}


def documents(folder: Path, name: str) -> list[Any]:
    return [json.loads(one.read_text(encoding="utf-8")) for one in sorted(folder.rglob(f"{name}.json"))]


@pytest.mark.parametrize("name", ["analysis", "pipeline", "policy", *WRITTEN])
def test_it_is_a_schema(name: str) -> None:
    found = subprocess.run(
        [sys.executable, "-m", "clarify_ops", "schema", name], capture_output=True, text=True, check=True
    )
    Draft202012Validator.check_schema(json.loads(found.stdout))


@pytest.mark.parametrize("name", WRITTEN)
def test_what_a_run_writes(finished: Path, name: str) -> None:
    validator = Draft202012Validator(written_schema(name))
    found = documents(finished / "run", name)
    assert found
    for document in found:
        validator.validate(document)
        for key in NEEDED[name]:
            assert not validator.is_valid({one: value for one, value in document.items() if one != key})
            assert not validator.is_valid({**document, key: "2"})


@pytest.mark.parametrize(("name", "parts"), [("verdict", "judgements"), ("metrics", "measures")])
def test_every_key_of_a_part_is_needed_and_no_other_is_allowed(finished: Path, name: str, parts: str) -> None:
    validator = Draft202012Validator(written_schema(name))
    # The train step measures nothing.
    found = [one for one in documents(finished / "run", name) if one[parts]]
    assert found
    for document in found:
        part = document[parts][0]
        for key in part:
            less = {one: value for one, value in part.items() if one != key}
            assert not validator.is_valid({**document, parts: [less]})
        assert not validator.is_valid({**document, parts: [{**part, "unknown": 1}]})


ANALYSIS = Draft202012Validator(analysis_schema())


@given(mutated())
@settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))
def test_the_analysis_schema_says_what_the_model_does(document: Any) -> None:
    fault = None
    try:
        AnalysisConfig.parse(document, "It")
    except BadDocument as error:
        fault = error.message
    # JSON Schema does not tell 1 from 1.0.
    if fault is None or not ("whole number" in fault or "valid integer" in fault):
        assert ANALYSIS.is_valid(document) == (fault is None), fault

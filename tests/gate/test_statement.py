"""Statements: one byte sequence, in in-toto's shape, about every file."""

from __future__ import annotations

import datetime
import json
import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from clarify_ops.documents import canonical, digest_bytes
from clarify_ops.errors import BadDocument, Refused
from clarify_ops.gate.evidence import Evidence, read_evidence
from clarify_ops.gate.statement import Statement, read_statement

GOLDEN = Path(__file__).parent / "golden"

# What the specification of the statement (v1) and of its subjects demands, and no more.
IN_TOTO: dict[str, Any] = {
    "type": "object",
    "properties": {
        "_type": {"const": "https://in-toto.io/Statement/v1"},
        "subject": {
            "type": "array",
            "minItems": 1,
            "items": {
                "type": "object",
                "properties": {
                    "name": {"type": "string", "minLength": 1},
                    "digest": {
                        "type": "object",
                        "minProperties": 1,
                        "additionalProperties": {"type": "string", "pattern": "^[0-9a-f]+$"},
                    },
                },
                "required": ["digest"],
            },
        },
        # An absolute URI (RFC 3986).
        "predicateType": {"type": "string", "pattern": r"^[a-z][a-z0-9+.-]*:\S+$"},
        "predicate": {"type": "object"},
    },
    "required": ["_type", "subject", "predicateType"],
}

CLAIMS = {
    "model": f"sha256:{'a' * 64}",
    "measures": [{"metric": "DPL", "value": 0.1 + 0.2}],
    "verdict": {"outcome": "PASS"},
}
ENVELOPE = {"finished": "2026-11-21T06:17:46+00:00", "expires": None, "packages": {"numpy": "2.1.0"}, "user": "ann"}
SUBJECTS = {"training/model/model.skops": f"sha256:{'b' * 64}", "report.html": f"sha256:{'c' * 64}"}
STATEMENT = Statement.about(SUBJECTS, Evidence(CLAIMS, ENVELOPE))


def shuffled(document: Any, seed: int) -> Any:
    """The same document with its keys in another order."""
    if isinstance(document, dict):
        keys = list(document)
        random.Random(seed).shuffle(keys)
        return {key: shuffled(document[key], seed) for key in keys}
    return [shuffled(one, seed) for one in document] if isinstance(document, list) else document


def test_golden() -> None:
    """The bytes that are signed change on purpose alone: what was signed before could not be read any more."""
    assert STATEMENT.content == (GOLDEN / "statement.json").read_bytes().rstrip(b"\n")
    assert STATEMENT.digest == digest_bytes(STATEMENT.content)


def test_the_shape_is_that_of_in_toto() -> None:
    Draft202012Validator(IN_TOTO).validate(STATEMENT.to_json())
    names = [one["name"] for one in STATEMENT.to_json()["subject"]]
    assert names == sorted(SUBJECTS)


@given(st.integers(0, 2**32))
def test_reordered_keys_are_the_same_evidence(seed: int) -> None:
    other = Evidence(shuffled(CLAIMS, seed), shuffled(ENVELOPE, seed))
    assert other.digest == STATEMENT.evidence_digest
    subjects = shuffled(SUBJECTS, seed)
    assert Statement.about(subjects, other).content == STATEMENT.content
    assert read_statement(json.dumps(shuffled(STATEMENT.to_json(), seed)).encode(), "It").content == STATEMENT.content


def test_the_envelope_is_no_part_of_the_evidence_digest_but_of_the_statement() -> None:
    later = Statement.about(SUBJECTS, Evidence(CLAIMS, {**ENVELOPE, "user": "bo"}))
    assert later.evidence_digest == STATEMENT.evidence_digest
    assert later.digest != STATEMENT.digest


def test_reading_gives_back_what_was_written() -> None:
    again = read_statement(STATEMENT.content, "It")
    assert again.content == STATEMENT.content
    assert again.subjects == SUBJECTS
    assert again.tolerance == STATEMENT.tolerance
    assert again.expires is None


def test_expiry_without_a_zone_is_utc() -> None:
    dated = Statement.about(SUBJECTS, Evidence(CLAIMS, {"expires": "2027-01-01T00:00:00"}))
    assert dated.expires == datetime.datetime(2027, 1, 1, tzinfo=datetime.UTC)


@given(st.integers(1, len(STATEMENT.content) - 1))
def test_cut_short(length: int) -> None:
    with pytest.raises(BadDocument, match=r"The statement s\.json"):
        read_statement(STATEMENT.content[:length], "The statement s.json")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"_type": "https://in-toto.io/Statement/v0.1"}, "is not an in-toto statement"),
        ({"predicateType": "https://slsa.dev/provenance/v1"}, "states 'https://slsa.dev/provenance/v1', not evidence"),
        ({"predicate": {}}, "lacks claims, digest, envelope or tolerance"),
        ({"predicate": {**STATEMENT.to_json()["predicate"], "tolerance": {"counts": -1}}}, "states no tolerance"),
        (
            {"predicate": {**STATEMENT.to_json()["predicate"], "envelope": {"expires": "soon"}}},
            "'soon', which is no date",
        ),
        ({"subject": []}, "is about nothing"),
        ({"subject": [{"name": "a", "digest": {"md5": "x"}}]}, "without a name or a SHA-256"),
        ({"subject": [{"name": "a", "digest": {"sha256": "a" * 64}}] * 2}, "the subject 'a' twice"),
    ],
)
def test_what_is_no_statement(change: dict[str, Any], words: str) -> None:
    with pytest.raises(BadDocument, match=words):
        read_statement(canonical({**STATEMENT.to_json(), **change}), "It")


def test_other_bytes_are_no_statement() -> None:
    with pytest.raises(BadDocument, match="is not UTF-8 text"):
        read_statement(b"\xff\xfe", "It")
    with pytest.raises(ValueError, match="at least one file"):
        Statement.about({}, STATEMENT.evidence)


def test_an_envelope_that_was_edited_is_refused(tmp_path: Path) -> None:
    document = STATEMENT.evidence.to_json()
    file = tmp_path / "evidence.json"
    file.write_text(json.dumps(document), encoding="utf-8")
    assert read_evidence(file).digest == STATEMENT.evidence_digest
    file.write_text(json.dumps({**document, "envelope": {**ENVELOPE, "user": "bo"}}), encoding="utf-8")
    with pytest.raises(Refused, match=r"The envelope in .* was changed"):
        read_evidence(file)

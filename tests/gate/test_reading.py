"""A verdict that is read back is the one that was written; what is none is refused in a sentence."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from clarify_ops.documents import write_json
from clarify_ops.errors import BadDocument
from clarify_ops.gate.reading import read_verdict, verdict_from
from tests.report.verdicts import with_chances


def test_what_was_written_is_read_back() -> None:
    written = with_chances().to_json()
    assert verdict_from(json.loads(json.dumps(written))).to_json() == written


@pytest.mark.parametrize(
    "change",
    [
        {"judgements": None},
        {"judgements": [{}]},
        {"judgements": ["x"]},
        {"outcome": "FINE"},
        {"policy": ...},
        {"may_register": True},
        {"idle_waivers": [{"rule": "x"}]},
    ],
)
def test_what_is_no_verdict_is_refused(tmp_path: Path, change: dict[str, Any]) -> None:
    document = {**with_chances().to_json(), **change}
    write_json(tmp_path / "verdict.json", {key: value for key, value in document.items() if value is not ...})
    with pytest.raises(BadDocument):
        read_verdict(tmp_path / "verdict.json")


@pytest.mark.parametrize("text", ["[]", "{}", "null", "3", '"PASS"', ""])
def test_another_document_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "verdict.json").write_text(text, encoding="utf-8")
    with pytest.raises(BadDocument):
        read_verdict(tmp_path / "verdict.json")

"""The conformance cases beside the checkout, as parameters of tests."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from _pytest.mark import ParameterSet

Case = dict[str, Any]


def cases(file: str, *kinds: str) -> list[ParameterSet]:
    """The cases of some kinds, by id; where there is no such file, one that its test's `shared` fixture skips."""
    root = Path(os.environ.get("CLARIFY_OPS_SHARED") or Path(__file__).resolve().parents[3] / "shared")
    path = root / "conformance" / file
    if not path.is_file():
        return [pytest.param({}, id="none")]
    found = json.loads(path.read_text(encoding="utf-8"))["cases"]
    return [pytest.param(case, id=case["id"]) for case in found if case["kind"] in kinds]


def same(found: object, expected: object, tolerance: float = 1e-12) -> bool:
    """Equal strings and nulls; numbers within an absolute (up to 1) or relative (above) tolerance."""
    if isinstance(found, int | float) and isinstance(expected, int | float):
        return abs(found - expected) <= tolerance * max(1.0, abs(expected))
    return found == expected

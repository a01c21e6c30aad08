"""Whether two runs did the same work."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest


def same_work(one: Path, other: Path) -> None:
    """Two output folders of the register step hold the same verdict, measures and claims."""
    expected, found = (_claims(folder) for folder in (one, other))
    # Part by part first: a digest does not tell what differs.
    assert sorted(found) == sorted(expected)
    for name, value in expected.items():
        assert found[name] == value, f"the claims differ in {name}"
    assert _read(other / "evidence.json")["digest"] == _read(one / "evidence.json")["digest"]
    assert _read(other / "verdict.json") == _read(one / "verdict.json")
    measures = [_values(_read(folder / "metrics.json")["measures"]) for folder in (one, other)]
    assert measures[1] == pytest.approx(measures[0], rel=1e-12, abs=1e-12, nan_ok=False)


def _claims(folder: Path) -> dict[str, Any]:
    claims = _read(folder / "evidence.json")["claims"]
    assert isinstance(claims, dict)
    return claims


def _values(measures: list[dict[str, Any]]) -> dict[str, float]:
    found = {
        f"{one['stage']} {one['metric']} {one.get('facet')} {one.get('facet_value')}": one["value"]
        for one in measures
        if isinstance(one["value"], int | float)
    }
    assert len(found) > 20
    return found


def _read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))

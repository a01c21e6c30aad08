"""The page about the gate's errors is made of what the simulation finds."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest

from benchmarks import gate
from tests.gate.calibration import Population

ROOT = Path(__file__).parents[2]


def test_every_cell_has_shares_and_every_table_has_cells() -> None:
    cells = list(gate.grid())
    assert len(cells) > 600
    for one in cells:
        assert ((one.shares > 0) & (one.shares <= 1)).all()
    for metric in gate.METRICS:
        for groups in gate.GROUPS:
            truths = {one.truth for one in cells if (one.metric, one.groups) == (metric, groups)}
            assert truths == {"parity", "one at the bound", "all at the bound", "twice the bound"}


def test_a_rate_that_may_be_too_high_is_looked_at_again() -> None:
    """A hundred samples never show that 5 % are not 5.5 %: four times as many are drawn, and again."""
    once = gate.simulate(Population("DPPL", 6, 5000, 0.5), 400, (1,))
    assert once.tables == 400
    again = gate.simulate(Population("DPPL", 1, 300, 0.5, "all at the bound"), 100, (1,))
    assert again.tables == 6_400
    assert again.fails / again.tables == pytest.approx(0.05, abs=0.015)


def test_the_tables_stand_in_the_page() -> None:
    cells = [one for one in gate.grid() if one.metric == "DPPL" and one.groups in {1, 2} and one.rows == 300]
    found = [gate.simulate(one, 50, (1, place)) for place, one in enumerate(cells)]
    made = gate.parts(found)
    page = (ROOT / "docs" / "gate.md").read_text(encoding="utf-8")
    new = gate.with_parts(page, made)
    assert all(content in new for content in made.values())
    assert gate.with_parts(new, made) == new
    lines = [line for line in page.splitlines() if line.startswith("| `")]
    assert len(lines) == 3 * len(gate.METRICS) * len(gate.GROUPS)
    assert all(line.count("|") == 7 and " | |" not in line for line in lines)


def test_no_limit_in_the_page_is_above_what_it_promises() -> None:
    page = (ROOT / "docs" / "gate.md").read_text(encoding="utf-8")
    limits = [float(part.split(")")[0]) for part in page.split("(≤ ")[1:]]
    assert len(limits) == 2 * 4 * len(gate.METRICS) * len(gate.GROUPS)
    assert max(limits) <= 100 * gate.LIMIT


def test_the_picture_is_a_picture() -> None:
    """Its four lines run over 26 gaps each."""
    drawn = ElementTree.fromstring(gate.curves(tables=20))  # noqa: S314 - our own
    kept = ElementTree.parse(ROOT / "docs" / "gate.svg").getroot()  # noqa: S314 - our own
    for one in (drawn, kept):
        lines = [part.get("points", "").split() for part in one if part.tag.endswith("polyline")]
        assert [len(points) for points in lines] == [26] * 4

"""The intervals at a glance: every check that has one, at its place, told apart without colour."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from itertools import pairwise

import pytest

from clarify_ops.gate.published import Mask
from clarify_ops.gate.verdict import Judgement, Verdict
from clarify_ops.report import render_report
from clarify_ops.report.forest import WIDTH, Panel, forest
from clarify_ops.report.pictures import Scale
from tests.factories import interval, release
from tests.report.notes import NOTES
from tests.report.verdicts import NEEDS, with_chances


def panels(verdict: Verdict | None = None) -> tuple[Panel, ...]:
    known = release()
    return forest(verdict or with_chances(), NOTES, Mask.of(known))


def one(**changes: object) -> Judgement:
    base = next(one for one in with_chances().judgements if one.rule == "four-fifths")
    return replace(base, **changes)  # type: ignore[arg-type]


def test_every_check_with_an_interval_has_a_strip_and_those_of_one_bound_share_a_panel() -> None:
    found = panels()
    strips = [strip.one.rule for panel in found for strip in panel.strips]
    assert sorted(strips) == sorted(one.rule for one in with_chances().judgements if one.interval is not None)
    shared = next(panel for panel in found if panel.metric == "DPPL")
    assert [strip.one.rule for strip in shared.strips] == ["approval-gap", "approval-gap-married"]
    assert shared.bound == "at most 0.15"


def test_a_mark_stands_where_the_value_is() -> None:
    judged = one(min=0.0, max=1.0, value=0.25, interval=interval(0.1, 0.4), outcome="PASS")
    picture = str(panels(replace(with_chances(), judgements=(judged,)))[0].strips[0].picture)
    scale = Scale.around([0.25, 0.1, 0.4, 0.0, 1.0], width=WIDTH)
    found = re.search(r'<circle class="mark" cx="([0-9.]+)"', picture)
    assert found is not None
    assert float(found[1]) == scale(0.25)
    line = re.search(r'class="reach" x1="([0-9.]+)" x2="([0-9.]+)"', picture)
    assert line is not None
    assert [float(line[1]), float(line[2])] == [scale(0.1), scale(0.4)]


def test_outcomes_differ_in_shape() -> None:
    drawn = {
        strip.one.outcome: re.sub(r"[0-9.,\- ]+", "", re.findall('<[^<]*class="mark[^<]*', str(strip.picture))[0])
        for panel in panels()
        for strip in panel.strips
        if strip.picture
    }
    assert set(drawn) == {"PASS", "FAIL", "INCONCLUSIVE"}
    assert len(set(drawn.values())) == 3


def test_a_small_group_is_not_drawn_and_an_unreliable_interval_is_dashed() -> None:
    strips = {strip.one.rule: strip for panel in panels() for strip in panel.strips}
    assert "not published" in strips["age-label-gap"].instead
    assert strips["age-label-gap"].picture == ""
    weak = one(interval=interval(0.1, 0.4, reliable=False))
    assert 'class="reach weak"' in str(panels(replace(with_chances(), judgements=(weak,)))[0].strips[0].picture)


def test_an_infinite_end_is_an_arrow_and_an_undefined_value_a_word() -> None:
    endless = one(interval=interval(0.5, math.inf))
    gone = one(value=None)
    shown = panels(replace(with_chances(), judgements=(endless, gone)))[0].strips
    assert 'class="arrow"' in str(shown[0].picture)
    assert shown[1].instead == "undefined"


@pytest.mark.parametrize(("low", "high"), [(-0.1, 0.1), (-0.001, 0.001), (0.8, 1.25), (None, 0.1), (0.75, None)])
def test_labels_under_a_panel_never_lie_over_each_other(low: float | None, high: float | None) -> None:
    judged = one(min=low, max=high, interval=interval(-0.9, 3.0))
    ticks = sorted(panels(replace(with_chances(), judgements=(judged,)))[0].ticks, key=lambda tick: tick.at)
    assert {f"{bound:g}" for bound in (low, high) if bound is not None} <= {tick.text for tick in ticks}
    for left, right in pairwise(ticks):
        assert right.at - left.at >= 14 or (left.side, right.side) == ("left", "right")


def test_the_report_tells_chance_needs_family_mode_and_idle_waivers() -> None:
    page = render_report(replace(release(), verdict=with_chances()), NOTES)
    for words in (
        "At a glance",
        "in 3.1 % of cases (p = 0.031)",
        "corrected for all of the family groups (Holm), p = 0.062",
        NEEDS.note,
        "family groups",
        "the value alone is compared",
        "Waiver that lifts nothing: four-fifths = 9",
        "black = 1 against 0",
    ):
        assert words in page, words


def test_a_report_without_intervals_has_no_glance() -> None:
    bare = replace(with_chances(), judgements=(one(interval=None, value=None),))
    assert "At a glance" not in render_report(replace(release(), verdict=bare), NOTES)

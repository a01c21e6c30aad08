"""The small pictures: geometry that follows the numbers."""

from __future__ import annotations

import math
import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clarify_ops.measures import Interval, Measure
from clarify_ops.report.pictures import Scale, bar_picture, judgement_picture, round_reach
from tests.factories import judgement, measures

DI = next(one for one in measures() if one.metric == "DI")
NUMBERS = st.floats(-1e6, 1e6, allow_nan=False)


def test_an_open_side_of_the_bound_reaches_the_edge() -> None:
    assert '<rect class="band" x="0.0"' in judgement_picture(judgement(DI, "r", "PASS", "", max=0.8))
    band = re.search(
        r'class="band" x="([\d.]+)" y="4" width="([\d.]+)"', judgement_picture(judgement(DI, "r", "FAIL", "", min=0.8))
    )
    assert band is not None
    assert float(band[1]) + float(band[2]) == pytest.approx(280)


def test_an_infinite_end_is_an_arrow_at_its_side() -> None:
    high = replace(DI, interval=Interval(0.4, math.inf, 0.95, "Fieller"))
    low = replace(DI, interval=Interval(-math.inf, 0.9, 0.95, "Fieller"))
    assert 'class="arrow" points="280.0,' in judgement_picture(judgement(high, "r", "FAIL", "", min=0.8))
    assert 'class="arrow" points="0.0,' in judgement_picture(judgement(low, "r", "FAIL", "", min=0.8))
    assert 'class="arrow"' not in judgement_picture(judgement(DI, "r", "FAIL", "", min=0.8))


def test_an_unreliable_interval_looks_different() -> None:
    weak = replace(DI, interval=Interval(0.4, 0.9, 0.95, "Wilson score", reliable=False))
    assert 'class="interval weak"' in judgement_picture(judgement(weak, "r", "INCONCLUSIVE", "", min=0.8))


@given(value=NUMBERS, low=NUMBERS, high=NUMBERS)
def test_positions_stay_inside_and_keep_their_order(value: float, low: float, high: float) -> None:
    scale = Scale.around([value, low, high])
    assert 0 <= scale(low) <= 280
    assert not scale.clips(value)
    assert (scale(low) <= scale(high)) == (low <= high) or scale(low) == scale(high)


def test_a_bar_beyond_its_picture_ends_in_an_arrow() -> None:
    assert 'class="arrow"' in bar_picture(replace(DI, value=5.0, interval=None), start=1, reach=(-1, 1))
    assert 'class="arrow"' not in bar_picture(replace(DI, interval=None), start=1, reach=(-1, 1))


def test_the_reach_is_the_next_round_number() -> None:
    small = Measure("post_training", "DPPL", 0.07)
    assert round_reach([small], [0.0]) == 0.1
    assert round_reach([replace(small, value=math.inf)], [0.0]) == 0.05
    assert round_reach([replace(small, value=7.0)], [0.0]) == 1.0

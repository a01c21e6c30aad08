"""Every bias interval can be asked for again: at another level, and as if a side had more rows."""

from __future__ import annotations

import math
import pickle
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from clarify_ops.bias.bootstrap import Bootstrap
from clarify_ops.bias.ends import ABOUT_THE_MIX, CountEnds, FlipEnds, Uncertainty, scaled, side_factors
from clarify_ops.bias.flip_interval import flip_interval
from clarify_ops.bias.flip_test import FlipCounts, flip_counts
from clarify_ops.bias.measure import measure, plain_value
from clarify_ops.bias.table import METRICS, Metric
from clarify_ops.bias.uncertainty import flip_score_interval, interval_of
from clarify_ops.data.counts import Counts
from clarify_ops.measures import Measure

from .coverage import table_of
from .flip_coverage import FlipPopulation

LEVELS = (0.5, 0.8, 0.9, 0.95, 0.99, 0.999)
COUNTED = [one for one in METRICS if one.form is not None]
FLIP = FlipCounts(favoured=30, wronged=90, rows=600)


def example() -> Counts:
    """300 advantaged and 180 disadvantaged rows in two subgroups, away from parity in every metric."""
    groups = np.asarray(
        [[[[30, 18], [9, 93]], [[40, 14], [27, 19]]], [[[29, 15], [16, 90]], [[28, 15], [25, 12]]]], dtype=float
    )
    return Counts(groups.sum(axis=0), groups)


def measured(counts: Counts, bootstrap: Bootstrap | None = None, level: float = 0.95) -> dict[str, Measure]:
    table = table_of(counts)
    key = (table.entries[0].facet, table.entries[0].value)
    found = measure(table, METRICS, level=level, seed=0, flips={key: FLIP}, bootstrap=bootstrap)
    return {one.metric: one for one in found}


def width(ends: tuple[float, float]) -> float:
    return ends[1] - ends[0]


@pytest.mark.parametrize("bootstrap", [None, "BCa", "percentile"])
def test_at_its_own_level_it_is_the_interval_that_was_published(bootstrap: Bootstrap | None) -> None:
    found = measured(example(), bootstrap, 0.9)
    assert set(found) == {metric.name for metric in METRICS}
    for one in found.values():
        assert one.interval is not None
        assert one.ends is not None
        assert one.ends(0.9) == (one.interval.low, one.interval.high)


tables = arrays(np.int64, (2, 2, 2, 2), elements=st.one_of(st.integers(0, 3), st.integers(0, 300)))


@pytest.mark.parametrize("metric", COUNTED, ids=lambda metric: metric.name)
@settings(deadline=None, max_examples=15)
@given(table=tables)
def test_what_is_asked_for_again_is_what_another_level_would_have_published(
    metric: Metric, table: np.ndarray[tuple[int, ...], np.dtype[np.int64]]
) -> None:
    counts = Counts(table.sum(axis=0).astype(float), table.astype(float))
    stated = interval_of(metric, counts, 0.95)
    if stated is None or plain_value(metric, counts)[0] is None:
        return
    ends = CountEnds(metric, counts, stated)
    for level in (0.6, 0.99):
        published = interval_of(metric, counts, level)
        assert published is not None
        assert ends(level) == pytest.approx((published.low, published.high), rel=1e-12, abs=1e-14)
    assert ends(0.95, {"a": 1.0, "d": 1.0}) == pytest.approx((stated.low, stated.high), rel=1e-12, abs=1e-14)


@pytest.mark.parametrize("bootstrap", [None, "BCa"])
def test_a_higher_level_is_never_shorter(bootstrap: Bootstrap | None) -> None:
    for name, one in measured(example(), bootstrap).items():
        assert one.ends is not None
        for (low, high), (lower, higher) in pairwise(one.ends(level) for level in LEVELS):
            assert lower <= low + 1e-9, name
            assert high <= higher + 1e-9, name


def test_four_times_the_rows_halve_it() -> None:
    for name, one in measured(example()).items():
        assert one.ends is not None
        sides = {"d": 4.0} if name == "FT" else {"a": 4.0, "d": 4.0}
        assert 0.4 < width(one.ends(0.9, sides)) / width(one.ends(0.9)) < 0.6, name


def test_more_rows_of_one_side_shorten_what_compares_shares() -> None:
    counts = example()
    for name, one in measured(counts).items():
        assert one.ends is not None
        if name in ABOUT_THE_MIX:
            with pytest.raises(KeyError, match="d"):
                one.ends(0.9, {"d": 0.5, "a": 1.0})
        else:
            assert width(one.ends(0.9, {"d": 3.0})) < width(one.ends(0.9)) < width(one.ends(0.9, {"d": 0.5})), name


def test_those_about_the_mix_are_those_whose_value_more_rows_of_one_side_change() -> None:
    counts = example()
    more = scaled(counts, side_factors({"d": 3.0}))
    changed = {
        metric.name
        for metric in COUNTED
        if plain_value(metric, more)[0] != pytest.approx(plain_value(metric, counts)[0])
    }
    assert changed == ABOUT_THE_MIX


def test_scaled_counts_are_those_of_so_many_copies() -> None:
    counts = example()
    found = scaled(counts, side_factors({"d": 3.0}))
    assert found.by_group is not None
    assert counts.by_group is not None
    np.testing.assert_array_equal(found.total, counts.total * [[[1]], [[3]]])
    np.testing.assert_array_equal(found.by_group.sum(axis=0), found.total)


def test_no_other_side_and_no_replicates_of_more_rows() -> None:
    for one in measured(example()).values():
        assert one.ends is not None
        with pytest.raises(KeyError, match="all"):
            one.ends(0.9, {"all": 2.0})
    drawn = measured(example(), "BCa")["TE"].ends
    assert drawn is not None
    with pytest.raises(KeyError, match="d"):
        drawn(0.9, {"d": 2.0})


def test_without_an_interval_there_is_nothing_to_ask() -> None:
    found = measured(Counts.of((0, 0, 0, 0), (3, 1, 2, 4)))
    assert found["DPL"].interval is None
    assert found["DPL"].ends is None


def test_it_is_neither_written_nor_compared() -> None:
    one = measured(example())["TE"]
    assert Measure.from_json(one.to_json()) == one
    assert pickle.loads(pickle.dumps(one)) == one
    assert "ends" not in one.to_json()


def test_neighbours_as_they_are_have_no_more_rows() -> None:
    given_neighbours = flip_score_interval(FLIP, 0.9)
    assert given_neighbours is not None
    with pytest.raises(KeyError, match="a"):
        given_neighbours.ends(0.9, {"a": 2.0})


def test_subsampled_neighbours_are_asked_again_without_a_new_draw() -> None:
    people = FlipPopulation(60, 40, 0.5, 0.7, 2).draw(np.random.default_rng(1))
    flip = flip_counts(*people)
    found = flip_interval(*people, flip, level=0.9, rng=np.random.default_rng(2), subsamples=20)
    again = flip_interval(*people, flip, level=0.99, rng=np.random.default_rng(2), subsamples=20)
    assert isinstance(found, Uncertainty)
    assert again is not None
    assert found.ends(0.99) == (again.interval.low, again.interval.high)
    assert found.ends(0.9) == (found.interval.low, found.interval.high)
    ends = FlipEnds(FLIP, spread=0.05, subsamples=50)
    assert width(ends(0.9, {"a": 4.0, "d": 4.0})) == pytest.approx(width(ends(0.9)) / 2, rel=0.02)
    assert width(FlipEnds(FLIP)(0.9, {"d": 4.0})) < width(ends(0.9, {"d": 4.0})) < width(ends(0.9))
    assert not math.isnan(width(ends(0.9999)))

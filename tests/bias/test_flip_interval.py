"""The flip test's interval holds the truth where the neighbours are a sample too."""

from __future__ import annotations

import math

import numpy as np
import pytest

from clarify_ops.bias.flip_interval import flip_interval, neighbour_spread
from clarify_ops.bias.flip_test import FlipCounts, flip_counts
from clarify_ops.bias.uncertainty import flip_score_interval

from .flip_coverage import FlipPopulation, flip_coverage


def test_neighbours_as_they_are_promise_too_much_and_subsampled_ones_do_not() -> None:
    found = flip_coverage(FlipPopulation(100, 1000, 0.5, 0.7, 2), 40, 20, np.random.default_rng(0))
    assert found.held / found.draws > 0.85
    assert found.held_given_neighbours / found.draws < 0.7


def test_it_repeats_by_its_generator_and_holds_the_shorter_one() -> None:
    people = FlipPopulation(60, 40, 0.5, 0.7, 2).draw(np.random.default_rng(1))
    flip = flip_counts(*people)
    one, again = (flip_interval(*people, flip, level=0.9, rng=np.random.default_rng(2)) for _ in range(2))
    short = flip_score_interval(flip, 0.9)
    assert one == again
    assert one is not None
    assert short is not None
    assert one.interval.low < short.interval.low < short.interval.high < one.interval.high


def test_without_a_value_or_neighbours_there_is_nothing_to_spread() -> None:
    people = FlipPopulation(1, 8, 0.5, 0.7, 2).draw(np.random.default_rng(1))
    assert neighbour_spread(*people, np.random.default_rng(0)) == 0
    found = flip_interval(*people, flip_counts(*people), level=0.9, rng=np.random.default_rng(0))
    assert found is not None
    assert not found.interval.reliable
    nothing = FlipCounts(reason="Facet set is empty")
    assert flip_interval(*people, nothing, level=0.9, rng=np.random.default_rng(0)) is None


@pytest.mark.parametrize("rows", [40, 41])
def test_half_of_the_rows_need_no_scaling(rows: int) -> None:
    people = FlipPopulation(rows, 30, 0.5, 0.7, 2).draw(np.random.default_rng(3))
    spread = neighbour_spread(*people, np.random.default_rng(0), 10)
    rng, values = np.random.default_rng(0), []
    for _ in range(10):
        kept = np.concatenate([np.sort(rng.choice(rows, rows // 2, replace=False)), np.arange(rows, rows + 30)])
        values.append(flip_counts(people[0].iloc[kept], people[1][kept], people[2][kept]).value)
    expected = np.std(np.asarray(values, dtype=float), ddof=1) * math.sqrt((rows // 2) / (rows - rows // 2))
    assert spread == pytest.approx(expected)

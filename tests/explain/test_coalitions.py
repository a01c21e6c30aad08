"""The draw of coalitions: distinct, paired in effect, and weighted so that it counts right on average."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clarify_ops.explain.coalitions import all_coalitions, coalition_budget, draw_growing_pairs, draw_pairs


@pytest.mark.parametrize(
    ("players", "num_samples", "budget"),
    [(10, None, 1022), (20, None, 2088), (11, None, 2046), (12, None, 2072), (4, 15, 14), (14, 15, 15), (1, None, 0)],
)
def test_the_budget_is_that_of_clarify(players: int, num_samples: int | None, budget: int) -> None:
    assert coalition_budget(players, num_samples) == budget


def test_all_coalitions_are_numbered_by_their_bits() -> None:
    assert all_coalitions(3)[[0, 1, 4, 6]].tolist() == [
        [False, False, False],
        [True, False, False],
        [False, False, True],
        [False, True, True],
    ]


@settings(deadline=None, max_examples=60)
@given(st.integers(2, 16), st.integers(1, 300), st.integers(0, 2**32))
def test_draws_are_distinct_and_no_two_are_complements(players: int, pairs: int, seed: int) -> None:
    sample = draw_pairs(players, pairs, np.random.default_rng(seed))
    assert sample.members.shape == (min(pairs, 2 ** (players - 1) - 1), players)
    both = np.concatenate([sample.members, ~sample.members])
    assert len(np.unique(both, axis=0)) == len(both)
    assert ((both.sum(axis=1) > 0) & (both.sum(axis=1) < players)).all()
    assert ((sample.inclusion > 0) & (sample.inclusion <= 1)).all()


@settings(deadline=None, max_examples=40)
@given(st.integers(3, 14), st.integers(1, 200), st.integers(0, 2**32))
def test_sizes_that_the_budget_covers_are_complete(players: int, pairs: int, seed: int) -> None:
    sample = draw_pairs(players, pairs, np.random.default_rng(seed))
    sizes = np.minimum(sample.members.sum(axis=1), players - sample.members.sum(axis=1))
    for size in np.unique(sizes):
        available = math.comb(players, size) // (2 if 2 * size == players else 1)
        whole = (sample.inclusion[sizes == size] == 1).all()
        assert not whole or (sizes == size).sum() == available
        # A complete size weighs what the kernel gives it: (players - 1) / (binomial * size * (players - size)), twice.
        if whole:
            kernel = (players - 1) / (math.comb(players, size) * size * (players - size))
            np.testing.assert_allclose(sample.weights[sizes == size], 2 * kernel)


@pytest.mark.parametrize(
    ("players", "pairs", "which"),
    [
        (6, [9], 0),
        (7, [3], 0),
        (8, [40], 0),
        (9, [60], 0),
        (7, [3, 12, 24], 0),
        (7, [3, 12, 24], 1),
        (8, [5, 40, 90], 2),
    ],
)
def test_every_coalition_is_drawn_as_often_as_its_inclusion_says(players: int, pairs: list[int], which: int) -> None:
    drawn: dict[bytes, int] = {}
    chance: dict[bytes, float] = {}
    weighted: dict[bytes, float] = {}
    repeats = 2000
    for seed in range(repeats):
        sample = draw_growing_pairs(players, pairs, np.random.default_rng(seed))[which]
        for members, inclusion, weight in zip(sample.members, sample.inclusion, sample.weights, strict=True):
            key = (members if members[0] else ~members).tobytes()
            drawn[key] = drawn.get(key, 0) + 1
            chance[key] = inclusion
            weighted[key] = weighted.get(key, 0.0) + weight
    assert len(drawn) == 2 ** (players - 1) - 1
    for key, number in drawn.items():
        spread = math.sqrt(repeats * chance[key] * (1 - chance[key]))
        assert abs(number - repeats * chance[key]) <= 5 * spread
        size = np.frombuffer(key, dtype=np.bool_).sum()
        kernel = 2 * (players - 1) / (math.comb(players, size) * size * (players - size))
        assert abs(weighted[key] / repeats - kernel) <= 5 * kernel * spread / (repeats * chance[key]) + 1e-12


@settings(deadline=None, max_examples=60)
@given(st.integers(2, 14), st.lists(st.integers(1, 400), min_size=2, max_size=5), st.integers(0, 2**32))
def test_a_growing_sample_begins_with_what_it_was(players: int, steps: list[int], seed: int) -> None:
    pairs = np.cumsum(steps).tolist()
    samples = draw_growing_pairs(players, pairs, np.random.default_rng(seed))
    for earlier, later in itertools.pairwise(samples):
        np.testing.assert_array_equal(later.members[: len(earlier.members)], earlier.members)
    every = 2 ** (players - 1) - 1
    assert len(samples[-1].members) == min(pairs[-1], every)
    both = np.concatenate([samples[-1].members, ~samples[-1].members])
    assert len(np.unique(both, axis=0)) == len(both)
    for asked, sample in zip(pairs, samples, strict=True):
        # Each size is rounded by less than one.
        assert abs(len(sample.members) - min(asked, every)) < max(1, players // 2)


def test_one_generator_state_is_one_sample() -> None:
    one, two = (draw_pairs(13, 50, np.random.default_rng(4)) for _ in range(2))
    np.testing.assert_array_equal(one.members, two.members)


def test_thousands_of_players_are_drawn_too() -> None:
    sample = draw_pairs(1200, 2224, np.random.default_rng(0))
    assert sample.members.shape == (2224, 1200)
    assert np.isfinite(sample.weights).all()
    sizes = sample.members.sum(axis=1)
    # The kernel's mass sits at the ends: about 1200 * 2 / (size * (1200 - size)) of it at each size.
    assert 200 < (sizes == 1).sum() < 400
    assert (sizes > 300).any()


@pytest.mark.parametrize("pairs", [20, 200, 2000])
def test_the_middle_size_is_drawn_by_pairs_not_by_halves(pairs: int) -> None:
    # The half with player 0 stands for both; else a pair could be drawn twice, once by each half.
    sample = draw_pairs(16, pairs, np.random.default_rng(0))
    middle = sample.members.sum(axis=1) == 8
    assert middle.any()
    assert sample.members[middle, 0].all()

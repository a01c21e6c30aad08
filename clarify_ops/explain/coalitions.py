"""Which coalitions are asked about: all of them, or a paired sample drawn without replacement."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]

MORE_THAN_ANY_BUDGET = 2**60


def coalition_budget(players: int, num_samples: int | None = None) -> int:
    """How many coalitions may be evaluated for a row, SageMaker Clarify's rule.

    min(num_samples, 2^M - 2), and min(2 M + 2048, 2^M - 2) where no number is given. The empty and the full coalition
    are known without asking and not counted.

    >>> coalition_budget(10), coalition_budget(20), coalition_budget(20, 100)
    (1022, 2088, 100)
    """
    wanted = 2 * players + 2048 if num_samples is None else num_samples
    every: int = 2**players - 2
    return max(0, min(wanted, every))


def all_coalitions(players: int) -> Bools:
    """(2^players, players): row k holds the bits of k, the first player the lowest one."""
    codes = np.arange(2**players)
    return (codes[:, None] >> np.arange(players) & 1).astype(np.bool_)


@dataclass(frozen=True, eq=False)
class PairedSample:
    """Coalitions, each standing for itself and its complement.

    Attributes:
        members: (pairs, players) one coalition of each pair.
        weights: (pairs,) the Shapley kernel's mass that the pair stands for, divided by the chance to be drawn.
        inclusion: (pairs,) that chance; 1 where the whole size was taken.
    """

    members: Bools
    weights: Floats
    inclusion: Floats


def draw_pairs(players: int, pairs: int, rng: np.random.Generator) -> PairedSample:
    """Draws pairs of a coalition and its complement without replacement, in proportion to the Shapley kernel.

    Sizes whose share of the budget covers all their coalitions are taken whole, the smallest (and largest) first. The
    rest of the budget goes to the other sizes in proportion to their kernel mass, rounded at random so that a size
    with less than one expected draw still has its chance: no size is ever left out for good, so nothing is biased by
    the rounding.

    Args:
        players: Number of features that play, at least 2.
        pairs: How many pairs to draw; fewer come back where there are no more.
        rng: Source of randomness.

    Source: Covert and Lee (2021), arXiv:2012.01536, for pairing; systematic sampling in proportion to size for the rest.
    """
    return draw_growing_pairs(players, [pairs], rng)[0]


def draw_growing_pairs(players: int, pairs: Sequence[int], rng: np.random.Generator) -> list[PairedSample]:
    """Samples of which each begins with the one before, so that what was asked about is never in vain.

    Each is, by itself, a sample as `draw_pairs` draws it. Within a size the coalitions come in one random order, of which
    every sample takes the head; how long the head is, is rounded with the same random number for all samples. Only the
    last sample has exactly as many pairs as asked for; those before may have some more or less, by the rounding.

    Args:
        players: As for `draw_pairs`.
        pairs: Of each sample, growing.
        rng: As for `draw_pairs`.
    """
    counts, masses = {}, {}
    for size in range(1, players // 2 + 1):
        middle = 2 * size == players
        # More than any budget is enough to know; the true number soon exceeds what a float holds.
        counts[size] = min(MORE_THAN_ANY_BUDGET, math.comb(players, size) // (2 if middle else 1))
        masses[size] = (players - 1) / (size * (players - size)) * (1 if middle else 2)
    expected = [_expected_draws(counts, masses, min(one, sum(counts.values()))) for one in pairs]
    drawn = _rounded(expected, counts, rng)
    growing = len(pairs) > 1
    members = {
        size: _of_size(players, size, counts[size], number, rng, shuffled=growing) for size, number in drawn[-1].items()
    }
    samples = []
    taken, sizes = np.empty((0, players), dtype=np.bool_), np.empty(0, dtype=np.intp)
    before = dict.fromkeys(members, 0)
    for means, numbers in zip(expected, drawn, strict=True):
        fresh = {size: members[size][before[size] : number] for size, number in numbers.items()}
        taken = np.concatenate([taken, *fresh.values()])
        sizes = np.concatenate([sizes, *(np.full(len(some), size) for size, some in fresh.items())])
        weight = {size: masses[size] / means[size] for size in means}
        chance = {size: min(1.0, means[size] / counts[size]) for size in means}
        samples.append(PairedSample(taken, _by_size(weight, sizes), _by_size(chance, sizes)))
        before = numbers
    return samples


def _expected_draws(counts: dict[int, int], masses: dict[int, float], pairs: int) -> dict[int, float]:
    """Expected pairs per size: all of them where the share covers the size, in proportion to the mass elsewhere."""
    expected: dict[int, float] = {}
    left, rest = pairs, dict(masses)
    while rest:
        share = left / sum(rest.values())
        # The tolerance keeps rounding from making a size that is just covered a sampled one.
        whole = [size for size in rest if share * rest[size] >= counts[size] * (1 - 1e-9)]
        if not whole:
            return expected | {size: share * mass for size, mass in rest.items()}
        for size in whole:
            expected[size] = counts[size]
            left -= counts[size]
            del rest[size]
    return expected


def _rounded(
    expected: Sequence[dict[int, float]], counts: dict[int, int], rng: np.random.Generator
) -> list[dict[int, int]]:
    """Whole numbers with these expectations, growing; those of the last have its total (systematic sampling)."""
    offset = rng.random()
    last = expected[-1]
    sampled = [size for size in sorted(last) if last[size] != counts[size]]
    ends = np.cumsum([last[size] for size in sampled])
    if len(ends):
        ends[-1] = round(ends[-1])
    drawn = {size: counts[size] for size in last}
    begins = {}
    before = 0.0
    for size, end in zip(sampled, ends, strict=True):
        # Cut at the whole numbers of one shifted scale, a stretch holds as many as its length rounded at random.
        begins[size] = (before + offset) % 1
        drawn[size] = math.floor(end + offset) - math.floor(before + offset)
        before = float(end)
    found = [dict(sorted(drawn.items()))]
    for means in reversed(expected[:-1]):
        for size in found[0]:
            begins.setdefault(size, rng.random())
        found.insert(0, {size: min(most, math.floor(means[size] + begins[size])) for size, most in found[0].items()})
    return found


def _by_size(values: dict[int, float], sizes: NDArray[np.intp]) -> Floats:
    table = np.zeros(max(values) + 1)
    table[list(values)] = list(values.values())
    found: Floats = table[sizes]
    return found


def _of_size(players: int, size: int, count: int, number: int, rng: np.random.Generator, *, shuffled: bool) -> Bools:
    """(number, players): distinct coalitions of one size, of the middle size one of each complementary pair."""
    if number * 4 >= count:
        chosen = np.arange(count) if number == count and not shuffled else rng.choice(count, number, replace=False)
        if not shuffled:
            chosen.sort()
        # In lexicographic order the first half of the middle size are those with player 0, one of each pair.
        listed = np.array(list(itertools.islice(itertools.combinations(range(players), size), count)), dtype=np.intp)
        return _as_members(listed[chosen], players)
    found = np.empty((0, players), dtype=np.bool_)
    while len(found) < number:
        ranks = rng.random((2 * (number - len(found)), players))
        fresh = _as_members(np.argpartition(ranks, size - 1, axis=1)[:, :size], players)
        if 2 * size == players:
            fresh ^= ~fresh[:, :1]
        found = np.concatenate([found, fresh])
        _, first = np.unique(np.packbits(found, axis=1), axis=0, return_index=True)
        found = found[np.sort(first)]
    return found[:number]


def _as_members(positions: NDArray[np.intp], players: int) -> Bools:
    members = np.zeros((len(positions), players), dtype=np.bool_)
    np.put_along_axis(members, positions, values=True, axis=1)
    return members

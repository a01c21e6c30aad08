"""Trees walked one node at a time, and Shapley values from their definition: slow, and nothing to get wrong."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from clarify_ops.explain.trees.ensemble import Ensemble

Floats = NDArray[np.float64]
Coalition = frozenset[int]
Players = Sequence[int] | NDArray[np.integer] | None


def goes_left(ensemble: Ensemble, node: int, value: float) -> bool:
    """Which way a value takes at a split."""
    if ensemble.rounding == "float32":
        value = float(np.float32(value))
    missing = int(ensemble.missing[node])
    if math.isnan(value) and missing == 2:
        value = 0.0
    if math.isnan(value) or (missing == 1 and abs(value) <= float(np.float32(1e-35))):
        return bool(ensemble.missing_left[node])
    start = int(ensemble.category_starts[node])
    if start < 0:
        return bool(value <= ensemble.threshold[node])
    if math.isinf(value) or math.trunc(value) < 0:
        return False
    word, bit = divmod(math.trunc(value), 32)
    return word < ensemble.category_counts[node] and bool(int(ensemble.category_words[start + word]) >> bit & 1)


def path(ensemble: Ensemble, node: int, values: Floats) -> list[int]:
    """The nodes that a row comes by, from the given one down to a leaf."""
    passed = [node]
    while ensemble.left[node] >= 0:
        left = goes_left(ensemble, node, float(values[ensemble.column[node]]))
        node = int(ensemble.left[node] if left else ensemble.right[node])
        passed.append(node)
    return passed


def sums(ensemble: Ensemble, matrix: Floats) -> Floats:
    """(rows, outputs): what every tree says of every row, added to the base."""
    total = np.tile(ensemble.base, (len(matrix), 1))
    for row, values in enumerate(matrix):
        for root in ensemble.tree_starts[:-1].tolist():
            total[row] += ensemble.values[path(ensemble, root, values)[-1]]
    return total


def visits(ensemble: Ensemble, matrix: Floats) -> Floats:
    """(nodes,) rows that come by."""
    count = np.zeros(len(ensemble.left))
    for values in matrix:
        for root in ensemble.tree_starts[:-1].tolist():
            count[path(ensemble, root, values)] += 1
    return count


def path_dependent(ensemble: Ensemble, row: Floats, players: Players = None) -> tuple[Floats, Floats]:
    """((players, outputs), (outputs,)) of one row: an absent player's splits send a share of the weight both ways.

    Args:
        ensemble: The trees.
        row: (columns,).
        players: The player of each column; by default each is one. -1: none, and it always has the row's value.

    Returns:
        Shapley values, and the value of the empty coalition.
    """
    owner = list(range(ensemble.columns)) if players is None else list(players)

    def below(node: int, present: Coalition) -> Floats:
        left, right = int(ensemble.left[node]), int(ensemble.right[node])
        if left < 0:
            return np.asarray(ensemble.values[node])
        column = int(ensemble.column[node])
        if owner[column] in present or owner[column] < 0:
            return below(left if goes_left(ensemble, node, float(row[column])) else right, present)
        # Where no training row came by there are no shares, and nothing is said.
        shares = [
            ensemble.cover[child] / ensemble.cover[node] if ensemble.cover[node] else 0 for child in (left, right)
        ]
        return np.asarray(shares[0] * below(left, present) + shares[1] * below(right, present))

    def game(present: Coalition) -> Floats:
        return ensemble.base + sum((below(root, present) for root in ensemble.tree_starts[:-1].tolist()), np.zeros(1))

    return shapley_values(game, sorted(set(owner) - {-1})), game(frozenset())


def interventional(
    ensemble: Ensemble, row: Floats, background: Floats, players: Players = None
) -> tuple[Floats, Floats]:
    """((players, outputs), (outputs,)) of one row: absent players take the values of every background row in turn."""
    owner = np.arange(ensemble.columns) if players is None else np.asarray(players)

    def game(present: Coalition) -> Floats:
        hybrids = np.where(np.isin(owner, [*present, -1]), row, background)
        return np.asarray(sums(ensemble, hybrids).mean(axis=0))

    return shapley_values(game, sorted(set(owner.tolist()) - {-1})), game(frozenset())


def shapley_values(game: Callable[[Coalition], Floats], players: Sequence[int]) -> Floats:
    """(players, outputs): the sum over all coalitions."""
    values = {present: game(present) for present in _coalitions(players)}
    found = []
    for player in players:
        others = [other for other in players if other != player]
        total = np.zeros(1)
        for present in _coalitions(others):
            size = len(present)
            weight = math.factorial(size) * math.factorial(len(others) - size) / math.factorial(len(players))
            total = total + weight * (values[present | {player}] - values[present])
        found.append(total)
    return np.array(found)


def _coalitions(players: Sequence[int]) -> Iterable[Coalition]:
    for size in range(len(players) + 1):
        yield from map(frozenset, combinations(players, size))

"""Random ensembles, and their Shapley values by the definition: slow and obvious."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clarify_ops.explain.trees.ensemble import Ensemble

Floats = NDArray[np.float64]
Game = Callable[[frozenset[int]], Floats]

CELLS = (-2.0, -1.0, -0.5, -1e-36, 0.0, 0.1, 0.5, 1.0, 2.0, 3.0, 33.0, 70.0, 1e9, math.inf, -math.inf, math.nan)
THRESHOLDS = (-1.0, -0.25, 0.0, 0.1, 0.5, 1.0, 2.5)


def random_ensemble(
    rng: np.random.Generator,
    *,
    columns: int,
    outputs: int = 1,
    trees: int = 2,
    splits: int = 6,
    rounding: Any = "double",
) -> Ensemble:
    """Trees of any shape, with every kind of split, some of whose nodes no training row reached."""
    nodes: dict[str, list[Any]] = {name: [] for name in ("left", "right", "column", "threshold", "missing_left")}
    nodes |= {name: [] for name in ("missing", "start", "count", "cover", "values")}
    words: list[int] = []
    starts = [0]
    for _ in range(trees):
        _grow(rng, nodes, words, int(rng.integers(0, splits + 1)), columns, outputs, float(rng.integers(20, 100)))
        starts.append(len(nodes["left"]))
    return Ensemble(
        columns=columns,
        tree_starts=np.array(starts, dtype=np.int64),
        left=np.array(nodes["left"], dtype=np.int32),
        right=np.array(nodes["right"], dtype=np.int32),
        column=np.array(nodes["column"], dtype=np.int32),
        threshold=np.array(nodes["threshold"], dtype=np.float64),
        missing_left=np.array(nodes["missing_left"], dtype=np.bool_),
        missing=np.array(nodes["missing"], dtype=np.int8),
        category_starts=np.array(nodes["start"], dtype=np.int32),
        category_counts=np.array(nodes["count"], dtype=np.int32),
        category_words=np.array(words, dtype=np.uint32),
        cover=np.array(nodes["cover"], dtype=np.float64),
        values=np.array(nodes["values"], dtype=np.float64).reshape(-1, outputs),
        base=rng.normal(size=outputs),
        rounding=rounding,
        unit="value",
        library="random",
    )


def _grow(  # noqa: PLR0917
    rng: np.random.Generator,
    nodes: dict[str, list[Any]],
    words: list[int],
    splits: int,
    columns: int,
    outputs: int,
    cover: float,
) -> int:
    at = len(nodes["left"])
    categorical = splits > 0 and rng.random() < 0.3
    count = int(rng.integers(0, 3)) if categorical else 0
    cells = {
        "left": -1,
        "right": -1,
        "column": int(rng.integers(columns)) if splits else -1,
        "threshold": float(rng.choice(THRESHOLDS)) if splits and not categorical else math.nan,
        "missing_left": bool(rng.random() < 0.5),
        "missing": int(rng.integers(3)),
        "start": len(words) if categorical else -1,
        "count": count,
        "cover": cover,
        "values": np.zeros(outputs) if splits else rng.normal(size=outputs),
    }
    for name, cell in cells.items():
        nodes[name].append(cell)
    words.extend(int(word) for word in rng.integers(0, 2**32, count))
    if splits:
        left = int(rng.integers(0, splits))
        share = float(rng.choice([0.0, 0.25, 0.5, 0.9, 1.0]))
        nodes["left"][at] = _grow(rng, nodes, words, left, columns, outputs, cover * share)
        nodes["right"][at] = _grow(rng, nodes, words, splits - 1 - left, columns, outputs, cover * (1 - share))
    return at


def random_rows(rng: np.random.Generator, rows: int, columns: int) -> Floats:
    """Rows of the values that make a difference."""
    return np.array(rng.choice(CELLS, size=(rows, columns)))


def goes_left(ensemble: Ensemble, node: int, value: float) -> bool:
    """What the ensemble's description says of one split and one value."""
    if ensemble.rounding == "float32":
        value = float(np.float32(value))
    code = ensemble.missing[node]
    if math.isnan(value) and code == 2:
        value = 0.0
    if math.isnan(value) or (code == 1 and abs(value) <= 1e-35):
        return bool(ensemble.missing_left[node])
    start, count = int(ensemble.category_starts[node]), int(ensemble.category_counts[node])
    if start < 0:
        return bool(value <= ensemble.threshold[node])
    if math.isinf(value):
        return False
    category = int(value)
    return 0 <= category < 32 * count and bool(
        int(ensemble.category_words[start + category // 32]) >> category % 32 & 1
    )


def slow_predict(ensemble: Ensemble, row: Floats) -> Floats:
    """(outputs,): down every tree."""
    total = ensemble.base.copy()
    for root in ensemble.tree_starts[:-1]:
        node = int(root)
        while ensemble.left[node] >= 0:
            side = goes_left(ensemble, node, float(row[ensemble.column[node]]))
            node = int(ensemble.left[node] if side else ensemble.right[node])
        total += ensemble.values[node]
    return total


def path_game(ensemble: Ensemble, row: Floats, players: NDArray[Any]) -> Game:
    """A split of an absent player counts both sides by cover; a column of no player is there always."""

    def below(node: int, present: frozenset[int]) -> Floats:
        left, right = int(ensemble.left[node]), int(ensemble.right[node])
        if left < 0:
            return np.asarray(ensemble.values[node])
        column = int(ensemble.column[node])
        if players[column] in present or players[column] < 0:
            return below(left if goes_left(ensemble, node, float(row[column])) else right, present)
        cover = ensemble.cover[node]
        if cover == 0:
            return (below(left, present) + below(right, present)) / 2
        return np.asarray(
            (ensemble.cover[left] * below(left, present) + ensemble.cover[right] * below(right, present)) / cover
        )

    return lambda present: (
        ensemble.base
        + sum((below(int(root), present) for root in ensemble.tree_starts[:-1]), np.zeros(ensemble.outputs))
    )


def row_game(ensemble: Ensemble, row: Floats, background: Floats, players: NDArray[Any]) -> Game:
    """An absent player has the background's values; the mean over its rows."""

    def value(present: frozenset[int]) -> Floats:
        held = np.array([player in present or player < 0 for player in players])
        return np.asarray(np.mean([slow_predict(ensemble, np.where(held, row, other)) for other in background], axis=0))

    return value


def shapley(game: Game, count: int, outputs: int) -> Floats:
    """(players, outputs): over all coalitions."""
    worth = {present: game(present) for present in _subsets(range(count))}
    out = np.zeros((count, outputs))
    for player in range(count):
        for present, value in worth.items():
            if player not in present:
                size = len(present)
                weight = math.factorial(size) * math.factorial(count - size - 1) / math.factorial(count)
                out[player] += weight * (worth[present | {player}] - value)
    return out


def _subsets(players: range) -> Iterator[frozenset[int]]:
    for size in range(len(players) + 1):
        yield from map(frozenset, combinations(players, size))


def leaf_shapley(present: Floats, fraction: Floats) -> Floats:
    """(players,): of the product game of one leaf, by the sizes of coalitions; no term is negative until the last step."""
    size = len(fraction)
    out = np.zeros(size)
    for player in range(size):
        by_size = np.zeros(size)
        by_size[0] = 1
        for other in range(size):
            if other != player:
                grown = by_size * fraction[other]
                grown[1:] += by_size[:-1] * present[other]
                by_size = grown
        weights = [1 / (size * math.comb(size - 1, others)) for others in range(size)]
        out[player] = (present[player] - fraction[player]) * np.dot(by_size, weights)
    return out

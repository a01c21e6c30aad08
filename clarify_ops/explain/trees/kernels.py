"""Exact Shapley values of tree ensembles: the path-dependent and the interventional game.

Values are first made small whole numbers, once for all trees (`binning`). Trees are cut into units of few bits (`units`);
a row's bits are its pattern (`patterns`), and what a unit gives is worked out once for each pattern that occurs
(`leaf_values`, `tables`), so a row costs a few look-ups. Leaves with very many players are done one by one (`large`).

Everything that decides the order of a sum depends on the ensemble alone: a row's values are the same to the last bit
whatever rows are explained with it, on however many threads.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clarify_ops.compiled import compiled
from clarify_ops.explain.trees.binning import Binning, Tests, binning
from clarify_ops.explain.trees.ensemble import Ensemble
from clarify_ops.explain.trees.leaf_values import Quadrature, quadrature
from clarify_ops.explain.trees.tables import explain
from clarify_ops.explain.trees.units import Units, units

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

# Rows explained at once: enough that the tables cost little beside the look-ups.
BATCH = 16_384
# Up to so many values a row, a table has them all, and a row adds whole lines of it.
_DENSE = 32


@dataclass(frozen=True, eq=False)
class TreeKernel:
    """An ensemble made ready to be explained.

    Attributes:
        ensemble: The trees.
        players: (columns,) of each column its player; the columns of one player are present together or absent
            together. -1: no player; such a column stays at the explained row's value in every coalition.
        count: Number of players, those included that no column belongs to.
    """

    ensemble: Ensemble
    players: Ints
    count: int

    @classmethod
    def of(cls, ensemble: Ensemble, players: NDArray[np.integer] | None = None, count: int | None = None) -> TreeKernel:
        """An ensemble whose columns are its players, unless others are given; `count` where the last have no column."""
        given = np.arange(ensemble.columns) if players is None else np.asarray(players, dtype=np.int64)
        if given.shape != (ensemble.columns,):
            raise ValueError(f"players must name the player of each of the {ensemble.columns} columns")
        return cls(ensemble, given, int(given.max(initial=-1)) + 1 if count is None else count)

    @cached_property
    def binning(self) -> Binning:
        """How values become numbers."""
        return binning(self.ensemble)

    @cached_property
    def units(self) -> Units:
        """The trees in pieces."""
        return units(self.ensemble, self.players)

    @cached_property
    def rule(self) -> Quadrature:
        """Points and weights for the paths of these trees."""
        return quadrature(np.unique(np.diff(self.units.conditions)))

    def path_dependent(self, rows: Floats, *, threads: int = 1) -> Floats:
        """(rows, players, outputs): where a split's player is absent, both sides count by their cover.

        Below a node of cover 0 each side counts half; such a node is reached with weight 0.

        Args:
            rows: (rows, columns).
            threads: Batches of rows are shared among so many.

        Source: Lundberg et al. (2020), arXiv:1905.04610, algorithm 1.
        """
        return self._explain(rows, np.empty((0, self.ensemble.columns)), threads)

    def interventional(self, rows: Floats, background: Floats, *, threads: int = 1) -> Floats:
        """(rows, players, outputs): an absent player has a background row's values; the mean over these rows.

        Args:
            rows: (rows, columns).
            background: (background rows, columns), at least one.
            threads: Batches of rows are shared among so many.

        Source: Janzing et al. (2020), arXiv:1910.13413, for the game.
        """
        if len(background) == 0:
            raise ValueError("the background must have at least one row")
        return self._explain(rows, background, threads)

    def predict(self, rows: Floats) -> Floats:
        """(rows, outputs): what the trees add up to."""
        out = np.tile(self.ensemble.base, (len(rows), 1))
        for part in _batches(len(rows)):
            numbers = self.binning.numbers(np.ascontiguousarray(rows[part], dtype=np.float64))
            _predict(numbers, self.binning.tests, self._tree_starts, *self._children, self._values, out[part])
        return out

    def expected(self) -> Floats:
        """(outputs,): the path-dependent game when every player is absent; all columns must have players."""
        sums: Floats = _expected(self._tree_starts, *self._children, self.ensemble.cover, self._values)
        return self.ensemble.base + sums

    @property
    def _tree_starts(self) -> Ints:
        return np.asarray(self.ensemble.tree_starts, dtype=np.int64)

    @property
    def _children(self) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        return self.ensemble.left, self.ensemble.right

    @property
    def _values(self) -> Floats:
        return np.ascontiguousarray(self.ensemble.values, dtype=np.float64)

    def _explain(self, rows: Floats, background: Floats, threads: int) -> Floats:
        outputs = self.ensemble.outputs
        out = np.zeros((len(rows), self.count * outputs))
        numbers = self.binning.numbers(np.ascontiguousarray(background, dtype=np.float64))
        dense = self.count * outputs <= _DENSE

        def work(part: slice) -> None:
            explain(
                self.binning.numbers(np.ascontiguousarray(rows[part], dtype=np.float64)),
                numbers,
                self.binning.tests,
                self.units,
                self._tree_starts,
                self._values,
                len(background) > 0,
                self.rule,
                dense,
                out[part],
            )

        if threads == 1:
            for part in _batches(len(rows)):
                work(part)
        else:
            # What is made once is made before the threads ask for it.
            _ = self.units, self.rule
            size = min(BATCH, max(1, -(-len(rows) // threads)))
            with ThreadPoolExecutor(threads) as pool:
                list(pool.map(work, _batches(len(rows), size)))
        return out.reshape(len(rows), self.count, outputs)


def _batches(rows: int, size: int = BATCH) -> Iterator[slice]:
    return (slice(start, min(start + size, rows)) for start in range(0, rows, size))


@compiled
def _predict(numbers: Any, tests: Tests, tree_starts: Ints, left: Any, right: Any, values: Floats, out: Any) -> None:  # noqa: PLR0917
    """Adds to out (rows, outputs) the leaves that the rows reach."""
    for tree in range(len(tree_starts) - 1):
        if tree_starts[tree] == tree_starts[tree + 1]:
            continue
        for row in range(len(out)):
            node = tree_starts[tree]
            while left[node] >= 0:
                number = numbers[tests.source[node], row]
                if tests.member[node] >= 0:
                    passed = tests.members[tests.member[node] + number] > 0
                else:
                    passed = number <= tests.cut[node] or number == tests.missing[node] or number == tests.zero[node]
                node = np.int64(left[node]) if passed else np.int64(right[node])
            for output in range(out.shape[1]):
                out[row, output] += values[node, output]


@compiled
def _expected(tree_starts: Ints, left: Any, right: Any, cover: Floats, values: Floats) -> Floats:
    """(outputs,) the sum over leaves of value times the fractions on the way."""
    out = np.zeros(values.shape[1])
    weight = np.zeros(len(left))
    for tree in range(len(tree_starts) - 1):
        if tree_starts[tree] == tree_starts[tree + 1]:
            continue
        weight[tree_starts[tree]] = 1.0
        waiting = [tree_starts[tree]]
        while len(waiting) > 0:
            node = waiting.pop()
            if left[node] < 0:
                out += weight[node] * values[node]
                continue
            for child in (np.int64(left[node]), np.int64(right[node])):
                share = cover[child] / cover[node] if cover[node] > 0.0 else 0.5
                weight[child] = weight[node] * share
                waiting.append(child)
    return out


def path_dependent(ensemble: Ensemble, rows: Floats, players: NDArray[np.integer] | None = None) -> Floats:
    """See `TreeKernel.path_dependent`."""
    return TreeKernel.of(ensemble, players).path_dependent(rows)


def interventional(
    ensemble: Ensemble, rows: Floats, background: Floats, players: NDArray[np.integer] | None = None
) -> Floats:
    """See `TreeKernel.interventional`."""
    return TreeKernel.of(ensemble, players).interventional(rows, background)


def predict(ensemble: Ensemble, rows: Floats) -> Floats:
    """See `TreeKernel.predict`."""
    return TreeKernel.of(ensemble).predict(rows)

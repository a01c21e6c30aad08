"""Values as small whole numbers: where a value stands among the thresholds of its column, once for all trees.

After this a split is two or three comparisons of whole numbers, whatever is missing, rounded or a category.
"""

# Compiled functions are called by position.
# ruff: noqa: FBT001, PLR0917

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from clarify_ops.compiled import compiled
from clarify_ops.explain.trees.ensemble import Ensemble

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

# Up to this a value counts as zero where a split takes zero for missing.
ZERO = 1e-35
NAN_MISSING, ZERO_MISSING, NONE_MISSING = 0, 1, 2


class Tests(NamedTuple):
    """What a split asks of the number that stands for a value. Codes above every number in use match nothing.

    Attributes:
        source: (nodes,) which row of the numbers; -1 at a leaf.
        cut: (nodes,) the last number that goes to the left.
        missing: (nodes,) the number of NaN, where NaN goes to the left.
        zero: (nodes,) the number of zero, where zero is apart and goes to the left.
        member: (nodes,) where in `members` a categorical split begins; -1 at others.
        members: (words,) of each number whether it goes to the left.
    """

    source: NDArray[np.int32]
    cut: NDArray[Any]
    missing: NDArray[Any]
    zero: NDArray[Any]
    member: NDArray[np.int64]
    members: NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Binning:
    """How the values of an ensemble's columns become numbers.

    A column that is split both by thresholds and by categories has two sources.

    Attributes:
        columns: (sources,) the column of each.
        starts: (sources + 1,) its part of `thresholds`.
        thresholds: (thresholds,) sorted within a source.
        categories: (sources,) how many categories its splits name; 0 where it has thresholds.
        zeros: (sources,) whether a zero has a number of its own.
        rounded: Whether values are rounded to float32.
        tests: Of the splits.
    """

    columns: NDArray[np.int64]
    starts: NDArray[np.int64]
    thresholds: Floats
    categories: NDArray[np.int64]
    zeros: NDArray[np.bool_]
    rounded: bool
    tests: Tests

    def numbers(self, rows: Floats) -> NDArray[Any]:
        """(sources, rows): the number of each value; rows is (rows, columns)."""
        out = np.empty((len(self.columns), len(rows)), dtype=self.tests.cut.dtype)
        _number(rows, self.rounded, self.columns, self.starts, self.thresholds, self.categories, self.zeros, out)
        return out


def binning(ensemble: Ensemble) -> Binning:
    """The thresholds and categories of an ensemble, gathered."""
    nodes = len(ensemble.left)
    split = ensemble.left >= 0
    categorical = split & (ensemble.category_starts >= 0)
    kind = 2 * ensemble.column.astype(np.int64) + categorical
    sources = np.unique(kind[split])
    source = np.full(nodes, -1, dtype=np.int32)
    source[split] = np.searchsorted(sources, kind[split])
    thresholds, categories, zeros = [], [], []
    cut, nan, zero = (np.zeros(nodes, dtype=np.int64) for _ in range(3))
    member = np.full(nodes, -1, dtype=np.int64)
    members: list[NDArray[np.uint8]] = []
    filled = 0
    for at, key in enumerate(sources.tolist()):
        here = np.flatnonzero(source == at)
        apart = bool((ensemble.missing[here] == ZERO_MISSING).any())
        if key % 2:
            known, tables = _sets(ensemble, here)
            member[here] = filled + np.arange(len(here)) * tables.shape[1]
            filled += tables.size
            members.append(tables.ravel())
            values = np.empty(0)
        else:
            known = 0
            values = np.unique(ensemble.threshold[here])
            cut[here] = np.searchsorted(values, ensemble.threshold[here])
            nan_left, zero_left = _sides(ensemble, here, ensemble.threshold[here] >= 0)
            nan[here] = np.where(nan_left, len(values) + 1, -1)
            zero[here] = np.where(zero_left & apart, len(values) + 2, -1)
        thresholds.append(values)
        categories.append(known)
        zeros.append(apart)
    top = max([len(values) + known for values, known in zip(thresholds, categories, strict=True)], default=0)
    dtype = np.uint16 if top + 3 < 2**16 else np.uint32
    tests = Tests(
        source,
        cut.astype(dtype),
        # -1 becomes the largest number there is, which stands for no value.
        nan.astype(dtype),
        zero.astype(dtype),
        member,
        np.concatenate([*members, np.empty(0, dtype=np.uint8)]),
    )
    return Binning(
        columns=sources // 2,
        starts=np.cumsum([0, *map(len, thresholds)]),
        thresholds=np.concatenate([*thresholds, np.empty(0)]),
        categories=np.array(categories, dtype=np.int64),
        zeros=np.array(zeros, dtype=np.bool_),
        rounded=ensemble.rounding == "float32",
        tests=tests,
    )


def _sides(ensemble: Ensemble, here: NDArray[np.intp], zero: NDArray[np.bool_]) -> tuple[Any, Any]:
    """Whether NaN, and whether zero, goes to the left, from whether a zero that is not missing would."""
    code, left = ensemble.missing[here], ensemble.missing_left[here]
    return np.where(code == NONE_MISSING, zero, left), np.where(code == ZERO_MISSING, left, zero)


def _sets(ensemble: Ensemble, here: NDArray[np.intp]) -> tuple[int, NDArray[np.uint8]]:
    """How many categories the splits name, and (splits, numbers) which go to the left: these, another, NaN, zero."""
    known = int(ensemble.category_counts[here].max()) * 32
    tables = np.zeros((len(here), known + 3), dtype=np.uint8)
    for at, node in enumerate(here):
        start, count = ensemble.category_starts[node], ensemble.category_counts[node]
        words = np.ascontiguousarray(ensemble.category_words[start : start + count], dtype="<u4")
        tables[at, : 32 * count] = np.unpackbits(words.view(np.uint8), bitorder="little")
    zero = tables[:, 0] > 0 if known else np.zeros(len(here), dtype=np.bool_)
    tables[:, known + 1], tables[:, known + 2] = _sides(ensemble, here, zero)
    return known, tables


@compiled
def _number(
    rows: Floats,
    rounded: bool,
    columns: Ints,
    starts: Ints,
    thresholds: Floats,
    categories: Ints,
    zeros: NDArray[np.bool_],
    out: Any,
) -> None:
    """Fills out (sources, rows)."""
    for source in range(len(columns)):
        column = columns[source]
        first = starts[source]
        length = starts[source + 1] - first
        known = categories[source]
        for row in range(len(rows)):
            value = rows[row, column]
            if rounded:
                value = np.float64(np.float32(value))
            if np.isnan(value):
                number = length + known + 1
            elif zeros[source] and abs(value) <= ZERO:
                number = length + known + 2
            elif known > 0:
                # A value is cut towards zero, so all above -1 is category 0.
                number = np.int64(value) if -1.0 < value < known else known
            else:
                # The number of thresholds below the value; no branch depends on the value.
                at, width = first, length
                while width > 1:
                    half = width // 2
                    at += half * (thresholds[at + half - 1] < value)
                    width -= half
                number = at - first + (width == 1 and thresholds[at] < value)
            out[source, row] = number

"""Single trees, as readers find them, put together into an ensemble."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from clarify_ops.explain.trees.ensemble import Ensemble

Floats = NDArray[np.float64]
MISSING_NAN, MISSING_ZERO, MISSING_NOTHING = 0, 1, 2


def _no_sets() -> dict[int, NDArray[np.uint32]]:
    return {}


@dataclass(frozen=True, eq=False)
class Tree:
    """One tree; node 0 is its root, and every node can be reached from it.

    Attributes:
        left: (nodes,) number of the left child; -1 at a leaf.
        right: (nodes,) likewise.
        column: (nodes,) column of the split; of no meaning at a leaf.
        threshold: (nodes,) of numeric splits; of no meaning elsewhere.
        missing_left: (nodes,) whether a missing value goes to the left.
        missing: What is missing, for all nodes or (nodes,): see `Ensemble`.
        cover: (nodes,) weight of the training rows that came by.
        values: (nodes, outputs) what leaves add; of no meaning at splits.
        sets: Node of a categorical split -> words of 32 bits, the categories that go to the left.
    """

    left: NDArray[Any]
    right: NDArray[Any]
    column: NDArray[Any]
    threshold: Floats
    missing_left: NDArray[np.bool_]
    missing: NDArray[Any] | int
    cover: Floats
    values: Floats
    sets: dict[int, NDArray[np.uint32]] = field(default_factory=_no_sets)


def assembled(
    trees: Sequence[Tree],
    *,
    columns: int,
    base: Floats,
    rounding: Literal["double", "float32"],
    unit: str,
    library: str,
) -> Ensemble:
    """The trees one after the other; the arguments are the attributes of `Ensemble`."""
    sizes = [len(tree.left) for tree in trees]
    starts = np.concatenate([[0], np.cumsum(sizes, dtype=np.int64)]).astype(np.int64)
    nodes, outputs = int(starts[-1]), len(base)
    left, right, column = (np.full(nodes, -1, dtype=np.int32) for _ in range(3))
    threshold = np.full(nodes, np.nan)
    missing_left = np.zeros(nodes, dtype=np.bool_)
    missing = np.zeros(nodes, dtype=np.int8)
    category_starts, category_counts = np.full(nodes, -1, dtype=np.int32), np.zeros(nodes, dtype=np.int32)
    cover, values = np.zeros(nodes), np.zeros((nodes, outputs))
    words: list[NDArray[np.uint32]] = []
    word = 0
    for tree, start, size in zip(trees, starts[:-1], sizes, strict=True):
        place = slice(int(start), int(start) + size)
        split = tree.left >= 0
        left[place] = np.where(split, tree.left + start, -1)
        right[place] = np.where(split, tree.right + start, -1)
        column[place] = np.where(split, tree.column, -1)
        threshold[place] = np.where(split, tree.threshold, np.nan)
        missing_left[place] = tree.missing_left & split
        missing[place] = np.where(split, tree.missing, MISSING_NAN)
        cover[place] = tree.cover
        values[place] = np.where(split[:, None], 0.0, tree.values)
        for node, members in tree.sets.items():
            threshold[start + node] = np.nan
            category_starts[start + node], category_counts[start + node] = word, len(members)
            words.append(members)
            word += len(members)
    return Ensemble(
        columns=columns,
        tree_starts=starts,
        left=left,
        right=right,
        column=column,
        threshold=threshold,
        missing_left=missing_left,
        missing=missing,
        category_starts=category_starts,
        category_counts=category_counts,
        category_words=np.concatenate(words).astype(np.uint32) if words else np.zeros(0, dtype=np.uint32),
        cover=cover,
        values=values,
        base=np.asarray(base, dtype=np.float64),
        rounding=rounding,
        unit=unit,
        library=library,
    )


def set_words(categories: NDArray[np.int64]) -> NDArray[np.uint32]:
    """A set of categories as words of 32 bits.

    >>> set_words(np.array([0, 33])).tolist()
    [1, 2]
    """
    words = np.zeros(int(categories.max(initial=-1)) // 32 + 1, dtype=np.uint32)
    np.bitwise_or.at(words, categories // 32, np.left_shift(np.uint32(1), (categories % 32).astype(np.uint32)))
    return words


def in_output(values: Floats, output: int, outputs: int) -> Floats:
    """(nodes,) values of one output as (nodes, outputs), the others 0."""
    spread = np.zeros((len(values), outputs))
    spread[:, output] = values
    return spread

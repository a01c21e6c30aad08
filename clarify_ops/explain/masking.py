"""Which groups of rows cannot be shown beside others, because the means of a few rows would follow from theirs.

Whoever knows the means and sizes of groups knows the sum over each, and every sum and difference of these. A group is
therefore shown only while no such combination is about fewer rows than a group needs to be shown: neither a complement, nor
what is left of a group beside another that it holds, nor the third value of a facet whose other two are shown.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Mask = NDArray[np.bool_]
Floats = NDArray[np.float64]
_ZERO = 1e-9
_ORDERS = 64


def hidden_groups(groups: Sequence[Mask], smallest: int) -> set[int]:
    """Places of the groups that are not to be shown; all rows together are shown anyway.

    A group of fewer than `smallest` rows is hidden, an empty one not. Where the others still tell about so few rows, the
    smallest group is hidden without which they do not, or the smallest of all, until they tell no more.

    Args:
        groups: (rows,) members of each.
        smallest: Rows that a group needs to be shown.
    """
    sizes = [int(group.sum()) for group in groups]
    shown = [place for place, size in enumerate(sizes) if size >= smallest]
    shown.sort(key=lambda place: (sizes[place], place))
    while shown and tells_of_few([groups[place] for place in shown], smallest):
        rest = [[other for other in shown if other != place] for place in shown]
        safe = (left for left in rest if not tells_of_few([groups[place] for place in left], smallest))
        shown = next(safe, rest[0])
    return {place for place, size in enumerate(sizes) if size and place not in shown}


def tells_of_few(groups: Sequence[Mask], smallest: int) -> bool:
    """Whether a combination of sums over groups and over all rows is one over fewer than `smallest` rows, but some.

    Elimination finds the combinations that leave out all cells of enough rows. Among these it finds, for one order of the
    cells, those that leave out most others; as many orders are tried as make it unlikely that one is missed.
    """
    if not groups:
        return False
    table, sizes = _cells(groups)
    order = np.argsort(-sizes, kind="stable")
    table, sizes = _reduced(table[:, order]), sizes[order]
    small = sizes < smallest
    # The first rows have their leading value in a cell of enough rows; no combination with them leaves it out.
    about_large = (np.abs(table[:, ~small]) > _ZERO).any(axis=1)
    few, counts = table[~about_large][:, small], sizes[small]
    rng = np.random.default_rng(0)
    for _ in range(_ORDERS if len(few) > 1 else 1):
        if ((np.abs(few) > _ZERO) @ counts < smallest).any():
            return True
        order = rng.permutation(len(counts))
        few, counts = _reduced(few[:, order]), counts[order]
    return False


def _cells(groups: Sequence[Mask]) -> tuple[Floats, NDArray[np.int64]]:
    """(1 + groups, cells) whether each holds a cell, all rows first, and (cells,) rows; a cell's rows share all groups."""
    codes = np.zeros(len(groups[0]), dtype=np.int64)
    for group in groups:
        codes = pd.factorize(codes * 2 + group)[0].astype(np.int64)
    _, first, sizes = np.unique(codes, return_index=True, return_counts=True)
    held = np.array([np.ones(len(first)), *(group[first] for group in groups)], dtype=np.float64)
    return held, sizes.astype(np.int64)


def _reduced(table: Floats) -> Floats:
    """The reduced row echelon form: each row is the only one with a value in the column of its first value."""
    table = table.copy()
    row = 0
    for column in range(table.shape[1]):
        if row == len(table):
            break
        pivot = row + int(np.argmax(np.abs(table[row:, column])))
        if abs(table[pivot, column]) <= _ZERO:
            continue
        table[[row, pivot]] = table[[pivot, row]]
        table[row] /= table[row, column]
        others = np.arange(len(table)) != row
        table[others] -= np.outer(table[others, column], table[row])
        row += 1
    return table[:row]

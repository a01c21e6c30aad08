"""Sums and medians of more values than memory holds, as exact as of few, and independent of how they come in blocks."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Blocks = Callable[[], Iterator[Floats]]
"""Gives the blocks, (rows of the block, columns) each, from the start, as often as it is called."""

TOGETHER = 2**20
"""Numbers that are held in memory at once, 8 MB."""

_MANTISSA, _HALF = 53, 27
# Of the exponents that frexp gives, the least, and how many there are.
_LEAST, _EXPONENTS = -1073, 2098
# Digits of a key, from the highest on; each is looked for in one pass.
_DIGITS = (11, 11, 11, 11, 11, 9)


class ExactSums:
    """The sum of each column, rounded once: whatever the order and the blocks, the same doubles.

    Mantissas are added up as whole numbers, apart for each exponent. At most 2^36 rows fit.

    Args:
        columns: How many there are.
    """

    def __init__(self, columns: int) -> None:
        self._columns = columns
        self._high = np.zeros((columns, _EXPONENTS), dtype=np.int64)
        self._low = np.zeros((columns, _EXPONENTS), dtype=np.int64)

    def add(self, values: Floats) -> None:
        """Adds a block (rows, columns) of finite values."""
        fraction, exponent = np.frexp(values)
        mantissa = np.ldexp(fraction, _MANTISSA).astype(np.int64)
        place = np.arange(self._columns) * _EXPONENTS + exponent - _LEAST
        # A block has fewer than 2^26 rows, so that the halves add up exactly as doubles.
        self._high += self._counted(place, mantissa >> _HALF)
        self._low += self._counted(place, mantissa & (1 << _HALF) - 1)

    def totals(self) -> Floats:
        """(columns,) the sums so far."""
        return np.array([self._total(column) for column in range(self._columns)], dtype=np.float64)

    def _counted(self, place: NDArray[np.int64], part: NDArray[np.int64]) -> NDArray[np.int64]:
        counted = np.bincount(place.ravel(), weights=part.ravel(), minlength=self._high.size)
        return counted.reshape(self._high.shape).astype(np.int64)

    def _total(self, column: int) -> float:
        total = 0
        for place in np.flatnonzero((self._high[column] != 0) | (self._low[column] != 0)).tolist():
            whole = (int(self._high[column, place]) << _HALF) + int(self._low[column, place])
            total += whole << place
        # Python divides whole numbers of any size with one rounding.
        denominator: int = 2 ** (_MANTISSA - _LEAST)
        return total / denominator


def medians(blocks: Blocks, rows: int, columns: int, *, together: int = TOGETHER) -> Floats:
    """(columns,) medians, those of numpy, of finite values in blocks.

    Where they fit into memory, they are sorted there. Else the two middle values are found digit by digit of their
    order-preserving bits, with one pass over the blocks for each digit.

    Args:
        blocks: The values.
        rows: Of all blocks, at least 1.
        columns: Of each block.
        together: Numbers to hold in memory at once, about.
    """
    if rows * columns <= together:
        return np.asarray(np.median(np.concatenate(list(blocks())), axis=0), dtype=np.float64)
    step = max(1, together // (2 * 2 ** max(_DIGITS)))
    found = [_middle(blocks, slice(first, min(columns, first + step)), rows) for first in range(0, columns, step)]
    return np.concatenate(found)


def _middle(blocks: Blocks, columns: slice, rows: int) -> Floats:
    """Medians of some columns."""
    ranks = sorted({(rows - 1) // 2, rows // 2})
    width = columns.stop - columns.start
    known = np.zeros((len(ranks), width), dtype=np.uint64)
    left = np.repeat(np.array(ranks)[:, None], width, axis=1)
    below = 64
    for digit in _DIGITS:
        above, below = below, below - digit
        counts = np.zeros((len(ranks), width, 2**digit), dtype=np.int64)
        for block in blocks():
            keys = _keys(block[:, columns])
            for which in range(len(ranks)):
                counts[which] += _counted(keys, known[which], above, below)
        reached = counts.cumsum(axis=2)
        chosen = (reached <= left[:, :, None]).sum(axis=2)
        before = np.take_along_axis(reached - counts, chosen[:, :, None], axis=2)[:, :, 0]
        left -= before
        known = (known << np.uint64(digit)) | chosen.astype(np.uint64)
    return np.asarray(_values(known).mean(axis=0), dtype=np.float64)


def _counted(keys: NDArray[np.uint64], known: NDArray[np.uint64], above: int, below: int) -> NDArray[np.int64]:
    """(columns, digits): how many keys that begin with what is known go on with each digit."""
    width, digits = keys.shape[1], 2 ** (above - below)
    digit = (keys >> np.uint64(below)) & np.uint64(digits - 1)
    place = np.arange(width) * digits + digit.astype(np.int64)
    if above < 64:
        place = place[(keys >> np.uint64(above)) == known]
    return np.bincount(place.ravel(), minlength=width * digits).reshape(width, digits)


def _keys(values: Floats) -> NDArray[np.uint64]:
    """Whole numbers in the order of the values; the two zeros are one."""
    bits = np.ascontiguousarray(values + 0.0).view(np.uint64)
    sign = np.uint64(1 << 63)
    return np.where(bits & sign, ~bits, bits | sign)


def _values(keys: NDArray[np.uint64]) -> Floats:
    sign = np.uint64(1 << 63)
    return np.where(keys & sign, keys ^ sign, ~keys).view(np.float64)

"""Sums of more values than memory holds, as exact as of few, and independent of how they come in blocks."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
_MANTISSA, _HALF = 53, 27
# Of the exponents that frexp gives, the least, and how many there are.
_LEAST, _EXPONENTS = -1073, 2098


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

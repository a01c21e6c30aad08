"""Hybrid rows: some features from an explained row, the others from a background row."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas.api.extensions import ExtensionArray

from clarify_ops.errors import BadData

Bools = NDArray[np.bool_]
Positions = NDArray[np.intp]
Bits = NDArray[np.unsignedinteger[Any]]
Column = NDArray[Any] | ExtensionArray

_TOGETHER = 2**16
"""Cells that are mixed at once: what the processor keeps near, between the two steps of mixing."""


class Coalitions:
    """Coalitions to be mixed, for as many rows as there are.

    Args:
        present: (coalitions, features) True where the explained row gives the value, False where the background does.
    """

    def __init__(self, present: Bools) -> None:
        self.present = present
        self._masks: dict[int, Bits] = {}

    def __len__(self) -> int:
        return len(self.present)

    def masks(self, itemsize: int) -> Bits:
        """(features, coalitions): all bits of a cell of so many bytes where a feature is present, else none."""
        if itemsize not in self._masks:
            bits = np.ascontiguousarray(self.present.T).astype(f"u{itemsize}")
            self._masks[itemsize] = np.negative(bits, out=bits)
        return self._masks[itemsize]


@dataclass(frozen=True, eq=False)
class Pairs:
    """A run of pairs of an explained row and a coalition; all coalitions of a row stand together.

    Attributes:
        rows: (rows,) positions of explained rows.
        coalitions: For each of them.
        start: The first of these pairs that belongs to the run.
        stop: One past the last.
    """

    rows: Positions
    coalitions: Coalitions
    start: int
    stop: int

    def __len__(self) -> int:
        return self.stop - self.start

    def rectangles(self) -> Iterator[tuple[slice, slice]]:
        """Rows and coalitions that make up the run: at most a piece of a row, whole rows, and a piece of a row."""
        width = len(self.coalitions)
        start = self.start
        while start < self.stop:
            row, first = divmod(start, width)
            whole = (self.stop - start) // width if first == 0 else 0
            stop = start + (whole * width if whole else min(width - first, self.stop - start))
            yield slice(row, row + max(1, whole)), slice(first, width if whole else first + stop - start)
            start = stop


class Hybrids:
    """The explained rows and the background in one place, and frames made of pieces of both.

    Every frame made here has the same columns in the same dtypes: those of the explained rows, wherever they can hold
    the background's values too. A column of integers becomes one of floats only when the background has a fraction
    or a missing value in it; a category gains the background's categories. Frames lie in memory as pandas' own do,
    column after column.

    Args:
        rows: The explained rows, one column a feature.
        background: The baseline rows, with the same columns in any order; at least one row.

    Raises:
        BadData: The columns differ, or there are none, or there is no background row.
    """

    def __init__(self, rows: pd.DataFrame, background: pd.DataFrame) -> None:
        _check(rows, background)
        self.names: list[Any] = list(rows.columns)
        self.feature_count = len(self.names)
        self.row_count = len(rows)
        self.background_count = len(background)
        self._labels = rows.columns
        self._pools: dict[int, Column] = {}
        self._blocks: list[_Block] = []
        every = np.arange(self.row_count + self.background_count)
        for features, pool in _grouped(rows, background):
            if isinstance(pool, list):
                # What is no number is mixed by its place in the pool.
                self._pools |= dict(zip(features, pool, strict=True))
                pool = np.tile(every, (len(features), 1))  # noqa: PLW2901 - the numbers that stand for it
            self._blocks.append(_Block(features, pool, self.row_count))

    def rows(self, start: int, stop: int) -> pd.DataFrame:
        """The explained rows from `start` up to `stop`, in the common dtypes."""
        return self._frame([block.cells[:, start:stop].copy() for block in self._blocks])

    def background(self, start: int, stop: int) -> pd.DataFrame:
        """The background rows from `start` up to `stop`, in the common dtypes."""
        return self.rows(self.row_count + start, self.row_count + stop)

    def mixed(self, asked: Sequence[Pairs], start: int, stop: int) -> Mixed:
        """One hybrid per background row and pair.

        Args:
            asked: Runs of pairs, one after the other.
            start: First background row to use.
            stop: One past the last.

        Returns:
            ((stop - start) * pairs, features), all pairs with the first background row, then all with the second, ...
        """
        pairs = sum(map(len, asked))
        cells = []
        for block in self._blocks:
            mixed = np.empty((len(block.features), stop - start, pairs), dtype=block.bits.dtype)
            offset = 0
            for run in asked:
                masks = run.coalitions.masks(mixed.itemsize)
                for rows, coalitions in run.rectangles():
                    width = (rows.stop - rows.start) * (coalitions.stop - coalitions.start)
                    out = mixed[:, :, offset : offset + width]
                    block.mix(run.rows[rows], masks[:, coalitions], slice(start, stop), out)
                    offset += width
            cells.append(mixed.reshape(len(mixed), -1).view(block.cells.dtype))
        return Mixed(self, cells)

    def differing(self) -> Bools:
        """(rows, features): True where a row differs from at least one background row; missing equals missing."""
        differing = np.empty((self.row_count, self.feature_count), dtype=np.bool_)
        for block in self._blocks:
            for feature, cells in zip(block.features, block.cells, strict=True):
                pool = self._pools.get(feature)
                # factorize gives every missing value, NaN or None, the one code -1.
                values = cells if pool is None else pd.factorize(cast("Any", pool))[0]
                row, behind = values[: self.row_count], values[self.row_count :]
                if _unequal(behind[1:], behind[0]).any():
                    differing[:, feature] = True
                else:
                    differing[:, feature] = _unequal(row, behind[0])
        return differing

    def _frame(self, cells: Sequence[NDArray[Any]]) -> pd.DataFrame:
        """A frame of (features of the block, rows) cells of each block."""
        if len(cells) == 1 and not self._pools:
            return pd.DataFrame(cells[0].T, columns=self._labels, copy=False)
        columns: list[Any] = [None] * self.feature_count
        for block, some in zip(self._blocks, cells, strict=True):
            for feature, column in zip(block.features, some, strict=True):
                pool = self._pools.get(feature)
                taken = column if pool is None else pool.take(column)
                # pandas guesses the dtype of bare objects, text for instance; a Series keeps it.
                columns[feature] = pd.Series(taken, dtype=object) if taken.dtype == object else taken
        frame = pd.DataFrame(dict(enumerate(columns)), copy=False)
        frame.columns = self._labels
        return frame


@dataclass(frozen=True, eq=False)
class Mixed:
    """Hybrids that are made, to be handed out in frames."""

    _hybrids: Hybrids
    _cells: list[NDArray[Any]]

    def __len__(self) -> int:
        return int(self._cells[0].shape[1])

    def frame(self, start: int, stop: int) -> pd.DataFrame:
        """The rows from `start` up to `stop`."""
        return self._hybrids._frame([cells[:, start:stop] for cells in self._cells])  # noqa: SLF001 - a piece of it


class _Block:
    """Features whose cells have one dtype, explained rows first, then the background.

    Attributes:
        features: Their positions.
        cells: (features, rows + background rows).
        bits: The cells as unsigned numbers.
    """

    def __init__(self, features: list[int], cells: NDArray[Any], row_count: int) -> None:
        self.features = features
        self.cells = np.ascontiguousarray(cells)
        self.bits = self.cells.view(f"u{self.cells.itemsize}")
        first, last = features[0], features[-1]
        self._among: Any = slice(first, last + 1) if last - first + 1 == len(features) else features
        self._row_count = row_count

    def mix(self, rows: Positions, masks: Bits, behind: slice, out: Bits) -> None:
        """Writes hybrids.

        Args:
            rows: (rows,) positions of explained rows.
            masks: (all features, coalitions).
            behind: Background rows.
            out: (features, background rows, rows * coalitions).
        """
        ours = self.bits[:, None, rows, None]
        theirs = self.bits[:, self._row_count + behind.start : self._row_count + behind.stop, None, None]
        # An empty mask leaves the background's bits; a full one turns those in which the two differ.
        turned = ours ^ theirs
        known = masks[self._among][:, None, None]
        mixed = out.reshape((*turned.shape[:3], masks.shape[1]), copy=False)
        step = max(1, _TOGETHER // max(1, out[0].size))
        for first in range(0, len(self.features), step):
            some = slice(first, first + step)
            np.bitwise_and(turned[some], known[some], out=mixed[some])
            np.bitwise_xor(mixed[some], theirs[some], out=mixed[some])


def _unequal(one: NDArray[Any], other: Any) -> Bools:
    """Where two differ; missing equals missing."""
    different: Bools = (one != other) & ~((one != one) & (other != other))  # noqa: PLR0124 - NaN alone differs from itself
    return different


def _grouped(rows: pd.DataFrame, background: pd.DataFrame) -> Iterator[tuple[list[int], NDArray[Any] | list[Column]]]:
    """Features of one dtype of numbers, (features, rows + background rows); then all others, a column each."""
    background = background[list(rows.columns)]
    kinds = set(rows.dtypes) | set(background.dtypes)
    if len(kinds) == 1 and _is_number(next(iter(kinds))):
        pool = np.concatenate([rows.to_numpy(), background.to_numpy()])
        yield list(range(rows.shape[1])), pool.T
        return
    numbers: dict[Any, dict[int, NDArray[Any]]] = {}
    others: dict[int, Column] = {}
    for position in range(rows.shape[1]):
        column = _pooled(rows.iloc[:, position], background.iloc[:, position])
        if _is_number(column.dtype):
            numbers.setdefault(column.dtype, {})[position] = column.to_numpy()
        else:
            others[position] = column.to_numpy() if isinstance(column.dtype, np.dtype) else column.array
    for columns in numbers.values():
        yield list(columns), np.stack(list(columns.values()))
    if others:
        yield list(others), list(others.values())


def _is_number(dtype: Any) -> bool:
    return isinstance(dtype, np.dtype) and dtype.kind in "biuf" and dtype.itemsize <= 8


def _check(rows: pd.DataFrame, background: pd.DataFrame) -> None:
    names: Sequence[Any] = list(rows.columns)
    if not names:
        raise BadData("The rows to explain have no columns.")
    twice = rows.columns[rows.columns.duplicated()]
    if len(twice):
        raise BadData(f"The rows to explain have two columns named {twice[0]!r}.")
    if len(background) == 0:
        raise BadData("The background has no rows.", "Give at least one baseline row.")
    for name in background.columns:
        if name not in rows.columns:
            raise BadData.unknown_column(str(name), map(str, names), "The background")
    lacking = [name for name in names if name not in background.columns]
    if lacking or len(background.columns) != len(names):
        raise BadData(
            f"The background lacks the feature {lacking[0]!r}." if lacking else "The background repeats a column."
        )


def _pooled(rows: pd.Series[Any], background: pd.Series[Any]) -> pd.Series[Any]:
    """One column of both, explained rows first, in the rows' dtype wherever that holds the background too."""
    dtype = rows.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        known = dtype.categories
        new = [value for value in background.astype(object).dropna().unique() if value not in known]
        if new:
            dtype = pd.CategoricalDtype([*known, *new], ordered=dtype.ordered)
            rows = rows.astype(dtype)
        background = background.astype(object).astype(dtype)
    elif background.dtype != dtype:
        background = _lossless(background, dtype)
    return pd.concat([rows, background], ignore_index=True)


def _lossless(background: pd.Series[Any], dtype: Any) -> pd.Series[Any]:
    """The background in the dtype of the rows, or in a wider one where a value would change on the way."""
    if background.dtype == object and pd.api.types.is_numeric_dtype(dtype):
        # None among numbers, as a JSON baseline has it, is a missing number and no reason to make an object column.
        try:
            background = pd.to_numeric(background)
        except (TypeError, ValueError):
            return background
    if isinstance(dtype, pd.StringDtype) and not background.dropna().map(lambda value: isinstance(value, str)).all():
        # pandas would write a number as text and then call the two equal.
        return background
    both_float = pd.api.types.is_float_dtype(background.dtype) and pd.api.types.is_float_dtype(dtype)
    try:
        cast_background = background.astype(dtype)
        same = (cast_background == background) | (cast_background.isna() & background.isna())
    except (TypeError, ValueError, OverflowError):
        return background
    # A float32 column rounds a double given for it, as it rounded its own values.
    return cast_background if both_float or bool(same.fillna(value=False).all()) else background

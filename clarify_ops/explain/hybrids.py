"""Hybrid rows: some features from an explained row, the others from a background row."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from typing import Any, cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas.api.extensions import ExtensionArray

from clarify_ops.errors import BadData

Column = NDArray[Any] | ExtensionArray


class Hybrids:
    """The explained rows and the background in one place, and frames made of pieces of both.

    Every frame made here has the same columns in the same dtypes: those of the explained rows, wherever they can hold
    the background's values too. A column of integers becomes one of floats only when the background has a fraction
    or a missing value in it; a category gains the background's categories.

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
        pooled = [_pooled(rows[name], background[name]) for name in self.names]
        self._columns: list[Column] = [
            cast("Column", column.to_numpy() if isinstance(column.dtype, np.dtype) else column.array)
            for column in pooled
        ]
        # One matrix instead of columns where all have one dtype: numeric models then get it without a copy.
        kind = pooled[0].dtype
        one_dtype = (
            isinstance(kind, np.dtype) and kind.kind in "biuf" and all(column.dtype == kind for column in pooled)
        )
        self._matrix = np.column_stack(cast("list[NDArray[Any]]", self._columns)) if one_dtype else None

    def rows(self, start: int, stop: int) -> pd.DataFrame:
        """The explained rows from `start` up to `stop`, in the common dtypes."""
        return self._take(np.arange(start, stop))

    def background(self, start: int, stop: int) -> pd.DataFrame:
        """The background rows from `start` up to `stop`, in the common dtypes."""
        return self._take(np.arange(start, stop) + self.row_count)

    def mixed(self, row: NDArray[np.intp], present: NDArray[np.bool_], start: int, stop: int) -> pd.DataFrame:
        """One hybrid per pair and background row.

        Args:
            row: (pairs,) position of the explained row of each pair.
            present: (pairs, features) True where the explained row gives the value, False where the background does.
            start: First background row to use.
            stop: One past the last.

        Returns:
            (pairs * (stop - start), features), the background rows of a pair next to each other.
        """
        behind = np.arange(start, stop) + self.row_count
        if self._matrix is not None:
            mixed = np.where(present[:, None, :], self._matrix[row][:, None, :], self._matrix[behind])
            return pd.DataFrame(mixed.reshape(-1, len(self.names)), columns=self.names, copy=False)
        sources = (np.where(known[:, None], row[:, None], behind).ravel() for known in present.T)
        return self._frame(sources)

    def differing(self) -> NDArray[np.bool_]:
        """(rows, features): True where a row differs from at least one background row; missing equals missing."""
        differing = np.empty((self.row_count, len(self.names)), dtype=np.bool_)
        for feature, column in enumerate(self._columns):
            # factorize gives every missing value, NaN or None, the one code -1.
            codes, _ = pd.factorize(cast("Any", column))
            behind = codes[self.row_count :]
            differing[:, feature] = (codes[: self.row_count] != behind[0]) | bool((behind != behind[0]).any())
        return differing

    def _take(self, positions: NDArray[np.intp]) -> pd.DataFrame:
        if self._matrix is not None:
            return pd.DataFrame(self._matrix[positions], columns=self.names, copy=False)
        return self._frame(itertools.repeat(positions))

    def _frame(self, sources: Iterable[NDArray[np.intp]]) -> pd.DataFrame:
        """A frame whose columns take their cells from the given positions of the pool."""
        columns: dict[Any, Column | pd.Series[Any]] = {}
        for name, column, positions in zip(self.names, self._columns, sources, strict=False):
            cells = column.take(positions)
            # pandas guesses the dtype of bare objects, text for instance; a Series keeps it.
            columns[name] = pd.Series(cells, dtype=object) if cells.dtype == object else cells
        return pd.DataFrame(columns, copy=False)


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

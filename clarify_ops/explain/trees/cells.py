"""Rows in any form as the numbers that trees compare."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clarify_ops.errors import BadData

Floats = NDArray[np.float64]


def numbers(frame: pd.DataFrame, codes: Callable[[int, pd.Series], Floats | None] | None = None) -> Floats:
    """(rows, columns) doubles; what is missing is NaN, true is 1.

    Args:
        frame: Columns of numbers, booleans or, where `codes` takes them, anything.
        codes: Given the position and a column, its numbers; None leaves the column to the rules here.

    Raises:
        BadData: A column holds no numbers.
    """
    if codes is None and all(isinstance(dtype, np.dtype) and dtype.kind in "biuf" for dtype in frame.dtypes):
        return frame.to_numpy(dtype=np.float64)
    matrix = np.empty(frame.shape, dtype=np.float64)
    for position in range(frame.shape[1]):
        column = frame.iloc[:, position]
        found = None if codes is None else codes(position, column)
        matrix[:, position] = _plain(column) if found is None else found
    return matrix


def _plain(column: pd.Series) -> Floats:
    if isinstance(column.dtype, pd.CategoricalDtype):
        column = column.astype(column.cat.categories.dtype)
    # numpy would take times for whole numbers.
    if not pd.api.types.is_datetime64_any_dtype(column.dtype) and not pd.api.types.is_timedelta64_dtype(column.dtype):
        with suppress(TypeError, ValueError):
            return column.to_numpy(dtype=np.float64, na_value=np.nan)
    raise BadData(f"The column {str(column.name)!r} holds no numbers, and the trees compare numbers.")


@dataclass(frozen=True)
class NumericColumns:
    """An encoder of columns that are numbers already.

    Attributes:
        columns: How many there are.
    """

    columns: int

    def __call__(self, given: Any) -> Floats:
        """(rows, columns)."""
        return numbers(as_frame(given, self.columns))


def category_codes(column: pd.Series, categories: Sequence[Hashable] | pd.Index) -> Floats:
    """(rows,) position of each cell among the categories; NaN where it is none of them, or missing."""
    known = pd.Index(categories)
    if isinstance(column.dtype, pd.CategoricalDtype):
        own = np.append(known.get_indexer(column.cat.categories), -1)
        positions = own[column.cat.codes.to_numpy()]
    else:
        positions = known.get_indexer(pd.Index(column))
    return np.where(positions < 0, np.nan, positions.astype(np.float64))


def as_frame(given: Any, columns: int, absent: float = 0.0) -> pd.DataFrame:
    """Rows in any form that an estimator takes, as a DataFrame.

    Args:
        given: (rows, columns), a DataFrame, an array or a scipy sparse matrix.
        columns: How many the model was fitted on.
        absent: What a cell is that a sparse matrix does not hold.

    Raises:
        BadData: The rows have another width.
    """
    if given.shape[1] != columns:
        raise BadData(
            f"The rows have {given.shape[1]} columns, and the model was fitted on {columns}.",
            "Give it the columns that it was trained on.",
        )
    if isinstance(given, pd.DataFrame):
        return given
    if not hasattr(given, "tocoo"):
        return pd.DataFrame(np.asarray(given))
    # Through rows, so that cells that are held twice are added up.
    cells = given.tocsr().copy()
    cells.sum_duplicates()
    cells = cells.tocoo()
    dense = np.full(given.shape, absent)
    dense[cells.row, cells.col] = cells.data
    return pd.DataFrame(dense)

"""Cells of a DataFrame as the numbers that trees compare."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clarify_ops.errors import BadData

Floats = NDArray[np.float64]


def numbers(frame: pd.DataFrame, codes: Callable[[int, pd.Series], Floats | None] = lambda *_: None) -> Floats:
    """(rows, columns) doubles; what is missing is NaN, true is 1.

    Args:
        frame: Columns of numbers, booleans or, where `codes` takes them, anything.
        codes: Given the position and a column, its numbers; None leaves it to the rules here.

    Raises:
        BadData: A column holds no numbers.
    """
    matrix = np.empty(frame.shape, dtype=np.float64)
    for position in range(frame.shape[1]):
        column = frame.iloc[:, position]
        found = codes(position, column)
        matrix[:, position] = _plain(column) if found is None else found
    return matrix


def _plain(column: pd.Series) -> Floats:
    if isinstance(column.dtype, pd.CategoricalDtype):
        column = column.astype(column.cat.categories.dtype)
    try:
        return column.to_numpy(dtype=np.float64, na_value=np.nan)
    except (TypeError, ValueError) as error:
        raise BadData(f"The column {str(column.name)!r} holds no numbers, and the trees compare numbers.") from error


@dataclass(frozen=True)
class NumericColumns:
    """An encoder of columns that are numbers already.

    Attributes:
        columns: How many there are.
        missing: A number that means missing, besides NaN.
    """

    columns: int
    missing: float = np.nan

    def __call__(self, frame: pd.DataFrame) -> Floats:
        """(rows, columns)."""
        check_width(frame, self.columns)
        matrix = numbers(frame)
        return matrix if np.isnan(self.missing) else np.where(matrix == self.missing, np.nan, matrix)


def category_codes(column: pd.Series, categories: Sequence[Hashable] | pd.Index) -> Floats:
    """(rows,) position of each cell among the categories; NaN where it is none of them, or missing."""
    known = pd.Index(categories)
    if isinstance(column.dtype, pd.CategoricalDtype):
        own = np.append(known.get_indexer(column.cat.categories), -1)
        positions = own[column.cat.codes.to_numpy()]
    else:
        positions = known.get_indexer(pd.Index(column))
    return np.where(positions < 0, np.nan, positions.astype(np.float64))


def check_width(frame: pd.DataFrame, columns: int) -> None:
    """Refuses rows of another width than the model was fitted on."""
    if frame.shape[1] != columns:
        raise BadData(
            f"The rows have {frame.shape[1]} columns, and the model was fitted on {columns}.",
            "Give it the columns that it was trained on.",
        )

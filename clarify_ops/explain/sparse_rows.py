"""Rows of which most cells are zero: explained by the columns in use, asked about as the model knows them."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clarify_ops.errors import BadData

MOST_CELLS = 2**25
"""Most cells of a batch of dense rows: 256 MiB of doubles."""


@dataclass(frozen=True, eq=False)
class GivenRows:
    """Rows and background as explainers take them, and the way back.

    Attributes:
        rows: (rows, columns in use).
        background: Same columns; None where there is none.
        names: Of all columns.
        kept: (columns in use,) their positions among all.
        restore: From rows like these to what the model was given in the first place.
    """

    rows: pd.DataFrame
    background: pd.DataFrame | None
    names: tuple[str, ...]
    kept: NDArray[np.intp]
    restore: Callable[[pd.DataFrame], Any]

    @property
    def most_rows(self) -> int:
        """Of a batch."""
        return max(1, MOST_CELLS // max(1, len(self.kept)))


def given_rows(rows: Any, background: Any, always: Collection[str] | None) -> GivenRows:
    """Takes a DataFrame as it is, and sparse rows apart into the columns in use.

    A column that is zero in every row and in the background is no player of any game. A DataFrame of sparse columns and a
    scipy matrix get their cells back in the same form whenever the model is asked.

    Args:
        rows: DataFrame, or scipy matrix whose columns are then x0, x1, ...
        background: Of the same kind, or a DataFrame with the matrix's names.
        always: Names of columns that are kept in any case.

    Raises:
        BadData: The rows are neither, or a sparse background has another width.
    """
    if isinstance(rows, pd.DataFrame):
        sparse_columns = [name for name in rows.columns if isinstance(rows[name].dtype, pd.SparseDtype)]
        if not sparse_columns:
            whole = tuple(map(str, rows.columns))
            return GivenRows(rows, _frame(background, rows), whole, np.arange(len(whole)), lambda frame: frame)
        if len(sparse_columns) < rows.shape[1] or any(dtype.fill_value != 0 for dtype in rows.dtypes):
            return _some_sparse(rows, background)
        matrix, names = _accessor(rows).to_coo().tocsr(), list(rows.columns)
        dtypes = set(rows.dtypes)
        dtype = dtypes.pop() if len(dtypes) == 1 else None

        def made(cells: Any) -> Any:
            frame = _accessor(pd.DataFrame).from_spmatrix(cells, columns=names)
            return frame if dtype is None else frame.astype(dtype)

        return _in_use(matrix, _matrix(background, names), names, made, always)
    if not hasattr(rows, "tocsr"):
        raise BadData(f"The rows to explain are a {type(rows).__name__}.", "Give a DataFrame or a scipy sparse matrix.")
    names = [f"x{column}" for column in range(rows.shape[1])]
    return _in_use(rows.tocsr(), _matrix(background, names), names, lambda cells: cells, always)


def _frame(background: Any, rows: pd.DataFrame) -> pd.DataFrame | None:
    """A background for rows that are no sparse matrix: densified where it is one."""
    if background is None or isinstance(background, pd.DataFrame):
        return background
    if hasattr(background, "toarray") and background.shape[1] == rows.shape[1]:
        return pd.DataFrame(background.toarray(), columns=rows.columns)
    raise BadData(f"The background is a {type(background).__name__}.", "Give a DataFrame with the columns of the rows.")


def _some_sparse(rows: pd.DataFrame, background: Any) -> GivenRows:
    dtypes = {name: dtype for name, dtype in rows.dtypes.items() if isinstance(dtype, pd.SparseDtype)}
    given = _dense(rows)
    behind = _frame(background, rows)
    return GivenRows(
        given,
        None if behind is None else _dense(behind),
        tuple(map(str, rows.columns)),
        np.arange(rows.shape[1]),
        lambda frame: frame.astype({name: dtype for name, dtype in dtypes.items() if name in frame}),
    )


def _dense(frame: pd.DataFrame) -> pd.DataFrame:
    columns = {
        name: _accessor(column).to_dense() if isinstance(column.dtype, pd.SparseDtype) else column
        for name, column in frame.items()
    }
    return pd.DataFrame(columns, index=frame.index)


def _accessor(frame: Any) -> Any:
    """What pandas knows of sparse columns; its stubs do not know of it."""
    return frame.sparse


def _matrix(background: Any, names: list[Any]) -> Any:
    """The background as a matrix with these columns; None where there is none."""
    from scipy import sparse

    if background is None:
        return None
    if isinstance(background, pd.DataFrame):
        lacking = [name for name in names if name not in background.columns]
        if lacking:
            raise BadData(f"The background lacks the feature {str(lacking[0])!r}.")
        return sparse.csr_matrix(_dense(background[names]).to_numpy(dtype=np.float64))
    matrix = sparse.csr_matrix(background)
    if matrix.shape[1] != len(names):
        raise BadData(f"The background has {matrix.shape[1]} columns, and the rows have {len(names)}.")
    return matrix


def _in_use(
    rows: Any, background: Any, names: list[Any], made: Callable[[Any], Any], always: Collection[str] | None
) -> GivenRows:
    from scipy import sparse

    used = np.zeros(len(names), dtype=np.bool_)
    for matrix in (rows, background):
        if matrix is not None:
            used[np.unique(matrix.nonzero()[1])] = True
    if always is not None:
        used |= np.isin([str(name) for name in names], list(always))
    if not used.any():
        # A game needs a player, even one that changes nothing.
        used[:1] = True
    kept = np.flatnonzero(used)
    chosen = [names[column] for column in kept]

    def restore(frame: pd.DataFrame) -> Any:
        cells = sparse.csr_matrix(frame.to_numpy(dtype=np.float64))
        wide = sparse.csr_matrix((cells.data, kept[cells.indices], cells.indptr), shape=(len(frame), len(names)))
        return made(wide)

    return GivenRows(
        pd.DataFrame(rows[:, kept].toarray().astype(np.float64), columns=chosen),
        None if background is None else pd.DataFrame(background[:, kept].toarray().astype(np.float64), columns=chosen),
        tuple(map(str, names)),
        kept,
        restore,
    )

"""Parquet files: names and types as the files say, one table of many files."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import TYPE_CHECKING

import pandas as pd

from clarify_ops.data.files import Content
from clarify_ops.data.table import Table, refuse_twins, row_in_file
from clarify_ops.errors import BadData

if TYPE_CHECKING:
    import pyarrow as pa


def read_parquet(files: Sequence[Content], progress: Callable[[str], None] = lambda _: None) -> Table:
    """Reads Parquet files as one table; where number types differ between files, the wider one holds for all.

    Args:
        files: At least one. An index that pandas stored beside the columns is left out; one with a name is noted.
        progress: Told about each file.

    Raises:
        BadData: A file is no Parquet, there are no rows, files have different columns, or a column holds lists or objects.
    """
    import pyarrow as pa

    tables: list[pa.Table] = []
    for file in files:
        progress(f"parsing {file.address}")
        tables.append(_arrow(file))
    first = tables[0].column_names
    for file, table in zip(files, tables, strict=True):
        if set(table.column_names) != set(first):
            raise _different(files[0].address, first, file.address, table.column_names)
    try:
        # Columns are put together by name; where they stand in a file is no part of what it says.
        whole = tables[0] if len(tables) == 1 else pa.concat_tables(tables, promote_options="permissive")
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError) as error:
        raise _mixed(files, tables) from error
    frame, notes = _frame(whole, files[0].address)
    if frame.empty:
        where = f"The data file {files[0].address} has" if len(files) == 1 else f"{len(files)} data files have"
        raise BadData(f"{where} no rows.")
    rows = [table.num_rows for table in tables]

    def place(row: int) -> str:
        file, position = row_in_file(rows, row)
        return f"row {position + 1} of {files[file].address}"

    return Table(frame, tuple(rows), place, notes)


def flat(frame: pd.DataFrame, where: str) -> pd.DataFrame:
    """The frame itself.

    Raises:
        BadData: A column holds lists or objects.
    """
    for position, dtype in enumerate(frame.dtypes):
        if dtype.kind != "O":
            continue
        first = frame.iloc[:, position].dropna().head(1)
        if len(first) and not isinstance(first.iloc[0], Hashable):
            name = str(frame.columns[position])
            raise BadData(f"The column {name!r} of {where} holds lists or objects.", "Give one value a row and column.")
    return frame


def _arrow(file: Content) -> pa.Table:
    import pyarrow as pa
    import pyarrow.parquet as pq

    if not file.data:
        raise BadData(f"The data file {file.address} is empty.")
    try:
        table = pq.read_table(pa.BufferReader(file.data))
    except (pa.ArrowException, OSError, ValueError) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0].rstrip(".")
        raise BadData(f"The data file {file.address} is not a readable parquet file: {reason}.") from error
    refuse_twins(table.column_names, f"The data file {file.address}")
    return table


def _frame(table: pa.Table, shown: str) -> tuple[pd.DataFrame, tuple[str, ...]]:
    try:
        frame = _with_floats(table).to_pandas()
    except Exception as error:
        # Types that pandas has no room for, and damaged descriptions of them, fail in many ways.
        reason = (str(error).splitlines() or [type(error).__name__])[0].rstrip(".")
        raise BadData(f"The data file {shown} is not a readable parquet file: {reason}.") from error
    named = [str(name) for name in frame.index.names if name is not None]
    notes = tuple(f"The index {name!r} of {shown} is no column; store it as one to use it." for name in named)
    frame = frame.reset_index(drop=True)
    frame.columns = pd.Index([str(name) for name in frame.columns])
    return flat(frame, shown), notes


def _with_floats(table: pa.Table) -> pa.Table:
    """Decimals as floats: pandas would hold them as objects, which no model and no threshold can do with."""
    import pyarrow as pa

    for position, field in enumerate(table.schema):
        if pa.types.is_decimal(field.type):
            # A decimal may have more digits than a float: the nearest float is what is meant.
            column = table.column(position).cast(pa.float64(), safe=False)
            table = table.set_column(position, pa.field(field.name, pa.float64()), column)
    return table


def _different(one: str, names: Sequence[str], other: str, others: Sequence[str]) -> BadData:
    lacking = [repr(name) for name in names if name not in others]
    more = [repr(name) for name in others if name not in names]
    parts = [f"{other} lacks {', '.join(lacking)}"] * bool(lacking) + [f"only {other} has {', '.join(more)}"] * bool(
        more
    )
    told = " and ".join(parts)
    return BadData(
        f"The files of the dataset have different columns: compared with {one}, {told}.", "Give them the same columns."
    )


def _mixed(files: Sequence[Content], tables: Sequence[pa.Table]) -> BadData:
    import pyarrow as pa

    for file, table in zip(files[1:], tables[1:], strict=True):
        for name in table.column_names:
            one, other = tables[0].schema.field(name), table.schema.field(name)
            try:
                pa.unify_schemas([pa.schema([one]), pa.schema([other])], promote_options="permissive")
            except pa.ArrowException:
                return BadData(
                    f"The column {name!r} is {one.type} in {files[0].address} and {other.type} in {file.address}.",
                    "Give it one type.",
                )
    return BadData(
        f"The files of the dataset, {files[0].address} first, have columns of types that do not fit together."
    )

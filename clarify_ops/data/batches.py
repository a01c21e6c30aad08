"""Files as batches of the columns that are needed, for engines that need not hold the rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    import pyarrow as pa

_ROWS = 1 << 16


class Unlike(Exception):
    """The files hold what this way of reading may see otherwise than pandas does."""


@dataclass(frozen=True)
class Batches:
    """Files of one dataset, not yet read.

    Attributes:
        width: Columns of the dataset.
        columns: The columns that are asked for, and whether the type of each says that it is float64.
        read: Batches of rows: an array for each column.
        as_pandas: From the place of a column and some of its values, None where missing, to what pandas makes of them if
            they are all that the column holds.
        begins_with: The first column of files of text, where values are bytes; None of others.
    """

    width: int
    columns: dict[str, bool]
    read: Callable[[], Iterator[Sequence[pa.Array]]]
    as_pandas: Callable[[int, Sequence[Any]], pd.Series]
    begins_with: str | None = None


def of_parquet(paths: Sequence[str], columns: Sequence[str]) -> Batches:
    """Opens Parquet files.

    Args:
        paths: At least one.
        columns: Names of the columns that are needed.

    Raises:
        Unlike: Files are of different columns or types, or of types that are read otherwise.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        schemas = [pq.read_schema(path) for path in paths]
    except (pa.ArrowException, OSError) as error:
        raise Unlike from error
    first = schemas[0]
    names = first.names
    if len(set(names)) < len(names) or any(name not in names for name in columns):
        raise Unlike
    if any(pa.types.is_nested(kind) or isinstance(kind, pa.BaseExtensionType) for kind in first.types):
        raise Unlike
    fields = [first.field(name) for name in columns]
    if not all(_is_plain(field.type) for field in fields):
        raise Unlike
    if any(set(one.names) != set(names) or _types(one) != _types(first) for one in schemas[1:]):
        raise Unlike
    if any(_told(one) != _told(first) for one in schemas[1:]):
        raise Unlike
    try:
        empty = first.empty_table().to_pandas()
    except Exception as error:
        # Damaged descriptions of pandas' types fail in many ways.
        raise Unlike from error
    if not set(columns) <= set(map(str, empty.columns)):
        # The index of a frame lies beside its columns.
        raise Unlike
    texts = [field.name for field in fields if _is_text(field.type)]

    def read() -> Iterator[Sequence[pa.Array]]:
        try:
            for path in paths:
                # Read ahead, a file would lie in memory as a whole.
                with pq.ParquetFile(path, read_dictionary=texts, pre_buffer=False) as file:
                    for batch in file.iter_batches(batch_size=_ROWS, columns=list(columns), use_threads=False):
                        yield [batch.column(name) for name in columns]
        except (pa.ArrowException, OSError) as error:
            raise Unlike from error

    def as_pandas(place: int, values: Sequence[Any]) -> pd.Series:
        field = fields[place]
        schema = pa.schema([field], metadata=first.metadata)
        return _only(pa.table([pa.array(values, type=field.type)], schema=schema).to_pandas(), field.name)

    floats = {field.name: field.type == pa.float64() for field in fields}
    return Batches(empty.shape[1], floats, read, as_pandas)


def of_frame(frame: pd.DataFrame, columns: Sequence[str]) -> Batches:
    """Cuts a frame into blocks that a processor's own memory holds.

    Args:
        frame: (rows, columns).
        columns: Names of the columns that are needed.

    Raises:
        Unlike: There is no such column, or two, or it holds neither text as pandas stores it nor plain numbers.
    """
    if not frame.columns.is_unique or any(name not in frame.columns for name in columns):
        raise Unlike
    types = [frame[name].dtype for name in columns]
    stored = [_stored(frame[name]) for name in columns]

    def read() -> Iterator[Sequence[pa.Array]]:
        for start in range(0, len(frame), _ROWS):
            yield [_joined(column.slice(start, _ROWS)) for column in stored]

    def as_pandas(place: int, values: Sequence[Any]) -> pd.Series:
        return pd.Series(list(values), dtype=types[place], name=columns[place])

    floats = {name: kind == np.float64 for name, kind in zip(columns, types, strict=True)}
    return Batches(frame.shape[1], floats, read, as_pandas)


def _stored(series: pd.Series) -> pa.ChunkedArray:
    """A column as Arrow's, without a copy."""
    import pyarrow as pa

    kind = series.dtype
    if isinstance(kind, pd.StringDtype) and kind.storage == "pyarrow":
        return pa.chunked_array(pa.array(series))
    if isinstance(kind, np.dtype) and (kind.kind in "iu" or kind == np.float64):
        return pa.chunked_array([pa.array(series.to_numpy())])
    raise Unlike


def _joined(column: pa.ChunkedArray) -> pa.Array:
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()


def _only(frame: pd.DataFrame, name: str) -> pd.Series:
    column = frame.iloc[:, 0].reset_index(drop=True)
    return column.rename(name)


def _types(schema: pa.Schema) -> dict[str, Any]:
    return {field.name: field.type for field in schema}


def _told(schema: pa.Schema) -> Any:
    """What pandas left for itself about the types it is to make of the columns, and about its index."""
    told = schema.pandas_metadata or {}
    columns = {one["field_name"]: (one["pandas_type"], one["numpy_type"]) for one in told.get("columns", ())}
    return columns, [one for one in told.get("index_columns", ()) if isinstance(one, str)]


def _is_text(kind: pa.DataType) -> bool:
    import pyarrow as pa

    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _is_plain(kind: pa.DataType) -> bool:
    import pyarrow as pa

    if pa.types.is_dictionary(kind):
        return _is_text(kind.value_type)
    return (
        _is_text(kind)
        or pa.types.is_integer(kind)
        or pa.types.is_boolean(kind)
        or kind
        in {
            pa.float32(),
            pa.float64(),
        }
    )

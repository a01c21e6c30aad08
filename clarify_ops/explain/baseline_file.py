"""Baseline rows that lie in a file, laid out as the dataset is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

import pandas as pd

from clarify_ops.config.analysis import DatasetType
from clarify_ops.data.compressed import bare_name
from clarify_ops.data.csv_header import Headers
from clarify_ops.data.csv_records import cells, records
from clarify_ops.data.csv_table import read_csv
from clarify_ops.data.files import Content, find_files, read_content
from clarify_ops.data.json_table import Expressions, read_json, read_json_lines
from clarify_ops.data.parquet_table import read_parquet
from clarify_ops.data.table import Table, row_in_file
from clarify_ops.documents import digest
from clarify_ops.errors import BadData, NotSupported, nearest
from clarify_ops.explain.baseline import rows_like

# A dataset in one of them often has its baseline in the other, and the name says which.
_SUFFIXES: dict[str, DatasetType] = {
    ".csv": "text/csv",
    ".parquet": "application/x-parquet",
    ".pq": "application/x-parquet",
}


@dataclass(frozen=True, eq=False)
class BaselineFile:
    """Baseline rows and the bytes that they were read from.

    Attributes:
        rows: (baseline rows, features) in the dtypes of the data where these hold the values, as `baseline_rows` makes them.
        address: Where they lie, without secrets.
        digest: `sha256:<hex>` of the file's bytes; of several files, of the list of their digests.
        notes: Sentences about files that were passed over.
    """

    rows: pd.DataFrame
    address: str
    digest: str
    notes: tuple[str, ...] = ()


def baseline_from_file(
    place: str, data: pd.DataFrame, *, dataset_type: DatasetType = "text/csv", features: str | None = None
) -> BaselineFile:
    """Reads baseline rows from where a configuration says they lie.

    The file has the features alone: CSV in their order, without a header or with one that equals their names; JSON Lines and
    JSON as `features` finds them; Parquet by name, in any order.

    Args:
        place: A local path, `package://NAME/PATH` or any fsspec URI of a file, folder or pattern.
        data: (rows, features), whose columns say what values may be.
        dataset_type: Format of the dataset, which the file has too unless its name ends in .csv or .parquet.
        features: JMESPath of a row's features (JSON Lines) or of all rows (JSON).

    Raises:
        BadData: The file is missing, empty or malformed, has other columns than the features or a value of another type;
            file and row are named.
        BadDocument: `features` is absent where it is needed, or does not parse.
        NotSupported: The dataset is none of rows.
        MissingExtra: The URI's driver is not installed.
        Outside: A remote store did not answer.
    """
    try:
        found = find_files(place)
        contents = [read_content(file) for file in found.files]
        rows = _rows(contents, data, dataset_type, features)
    except BadData as error:
        raise BadData(f"methods.shap.baseline: {error.message}", error.hint) from error
    one = len(contents) == 1
    return BaselineFile(
        rows=rows,
        address=contents[0].address if one else f"{contents[0].address} and {len(contents) - 1} more",
        digest=contents[0].digest if one else digest([content.digest for content in contents]),
        notes=found.notes,
    )


def _rows(
    contents: Sequence[Content], data: pd.DataFrame, dataset_type: DatasetType, features: str | None
) -> pd.DataFrame:
    names = [str(name) for name in data.columns]
    kind = _SUFFIXES.get(PurePosixPath(bare_name(contents[0].address)).suffix.lower(), dataset_type)
    if kind == "text/csv":
        table = _csv(contents, data, names)
    elif kind == "application/x-parquet":
        table = _by_name(read_parquet(contents), names, contents[0].address)
    elif kind in {"application/json", "application/jsonlines"}:
        read = read_json_lines if kind == "application/jsonlines" else read_json
        table = read(contents, Expressions.of(features, None, None), None)
        width = table.frame.shape[1]
        if width != len(names):
            raise _other_width(table.place(0), width, names)
    else:
        raise NotSupported(
            f"A baseline file for a dataset of type {dataset_type} is not supported.",
            "Give CSV, JSON Lines, JSON or Parquet.",
        )
    columns = [
        [None if gap else value for value, gap in zip(column.tolist(), column.isna(), strict=True)]
        for _, column in table.frame.items()
    ]

    def opening(row: int) -> str:
        where = table.place(row)
        return where[0].upper() + where[1:]

    return rows_like(list(zip(*columns, strict=True)), data, opening, BadData)


def _csv(contents: Sequence[Content], data: pd.DataFrame, names: list[str]) -> Table:
    for content in contents:
        first = next(records(content.data), None)
        # A comma at the end of every line is no column.
        if first is not None and first.fields not in {len(names), len(names) + 1}:
            raise _other_width(f"line {first.line} of {content.address}", first.fields, names)
    table = read_csv(contents, Headers(tuple(names), "the features of the data"))
    frame = table.frame.copy()
    written = _written(contents, table.rows)
    for position, name in enumerate(data.columns):
        read = frame.iloc[:, position]
        if _holds_text(data[name]) == _holds_text(read):
            continue
        gaps = enumerate(read.isna())
        if _holds_text(data[name]):
            # Text that looks like numbers is read as numbers where no other text is beside it: what is written counts.
            values = [None if gap else written(row)[position] for row, gap in gaps]
        else:
            # One word among numbers makes text of them all, and that word alone is to be named.
            values = [None if gap else _number_or_text(read[row]) for row, gap in gaps]
        frame[names[position]] = pd.Series(values, dtype=object)
    return Table(frame, table.rows, table.place)


def _number_or_text(text: Any) -> Any:
    # pandas' own reading of a number: Python's takes 1_000 as well.
    number = pd.to_numeric(pd.Series([text]), errors="coerce")[0]
    return text if pd.isna(number) else number.item()


def _written(contents: Sequence[Content], rows: Sequence[int]) -> Callable[[int], list[str]]:
    # A header is a record as well: the rows are the last ones.
    found = [list(records(content.data))[-count:] for content, count in zip(contents, rows, strict=True)]

    def of_row(row: int) -> list[str]:
        file, position = row_in_file(rows, row)
        return cells(contents[file].data, found[file][position])

    return of_row


def _holds_text(column: pd.Series) -> bool:
    dtype: Any = column.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        return bool(pd.api.types.is_string_dtype(dtype.categories.dtype))
    if dtype.kind == "O" and not isinstance(dtype, pd.StringDtype):
        known = column.dropna()
        return bool(len(known)) and isinstance(known.iloc[0], str)
    return bool(pd.api.types.is_string_dtype(dtype))


def _by_name(table: Table, names: list[str], shown: str) -> Table:
    there = list(map(str, table.frame.columns))
    for name in names:
        if name not in there:
            raise BadData(f"{shown} lacks the feature {name!r}.", nearest(name, there))
    more = [name for name in there if name not in names]
    if more:
        raise BadData(f"{shown} has the column {more[0]!r}, which is no feature.", "A baseline has the features alone.")
    return Table(table.frame[names], table.rows, table.place)


def _other_width(where: str, width: int, names: list[str]) -> BadData:
    return BadData(
        f"There {'is 1 value' if width == 1 else f'are {width} values'} in {where}, and the data have {len(names)} features.",
        f"A baseline has the features alone: {', '.join(names[:12])}{', ...' if len(names) > 12 else ''}.",
    )

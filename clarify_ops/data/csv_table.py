"""CSV files: pandas' own types, one table of many files, and the line of whatever is wrong."""

from __future__ import annotations

import io
import itertools
import warnings
from collections.abc import Callable, Collection, Sequence

import pandas as pd

from clarify_ops.data.csv_header import Body, Headers, Rule, agreed_names, find_body, foreign, header_notes
from clarify_ops.data.csv_records import Record, records, rows_of_width
from clarify_ops.data.files import Content
from clarify_ops.data.table import Table, row_in_file
from clarify_ops.errors import BadData


def read_csv(
    files: Sequence[Content],
    headers: Headers | None = None,
    *,
    rule: Rule = "told",
    named: Collection[str] = (),
    progress: Callable[[str], None] = lambda _: None,
) -> Table:
    """Reads CSV files as one table, with the types that `pandas.read_csv` gives to all of their rows together.

    Args:
        files: At least one; each may have the header or not.
        headers: Names of the columns.
        rule: How a header is told from a row.
        named: Names that the configuration uses: a first row that holds one of them is a header.
        progress: Told about each step.

    Raises:
        BadData: Not UTF-8, not CSV, ragged, without rows, or files and headers that do not fit together.
    """
    bodies = [find_body(file, headers, rule, named) for file in files]
    names = agreed_names(files, bodies, headers)
    progress(f"parsing {len(files)} CSV file{'s' if len(files) > 1 else ''}")
    frame = _parsed(files, bodies, names)
    if frame.empty:
        where = f"The data file {files[0].address} has" if len(files) == 1 else f"{len(files)} data files have"
        raise BadData(f"{where} no rows.")
    rows = _rows(files, bodies, frame)

    def place(row: int) -> str:
        file, position = row_in_file(rows, row)
        return f"line {_record(files[file], bodies[file], position).line} of {files[file].address}"

    numbered = headers is None and all(body.names is None for body in bodies)
    notes = header_notes(files, bodies, names) if headers is None and rule == "told" else []
    if notes == [] and rule == "told" and headers is None and not frame.select_dtypes(["number", "bool"]).shape[1]:
        # Above text alone nothing tells a header from a row.
        notes = [f"The first row of {files[0].address} is taken as its header: {', '.join(names[:3])}."]
    return Table(frame, rows, place, tuple(notes), numbered=numbered)


def _parsed(files: Sequence[Content], bodies: Sequence[Body], names: tuple[str, ...]) -> pd.DataFrame:
    if len(files) == 1:
        # The file's own bytes, from its first row on: nothing is copied.
        stream = io.BytesIO(files[0].data)
        stream.seek(bodies[0].start)
    else:
        stream = io.BytesIO(b"".join(_closed(file.data, body.start) for file, body in zip(files, bodies, strict=True)))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)
            # Reading a column whole, not in blocks, gives it one type: the type must not depend on where its rows stand.
            return pd.read_csv(stream, header=None, names=list(names), low_memory=False, index_col=False)
    except UnicodeDecodeError as error:
        raise next(filter(None, map(foreign, files)), _unreadable(files, error)) from error
    except (OSError, EOFError, ValueError, OverflowError, pd.errors.ParserWarning) as error:
        for file, body in zip(files, bodies, strict=True):
            _refuse_ragged(file, body, len(names))
        raise _unreadable(files, error) from error


def _closed(content: bytes, start: int) -> bytes:
    body = content[start:]
    return body if not body or body.endswith((b"\n", b"\r")) else body + b"\n"


def _unreadable(files: Sequence[Content], error: Exception) -> BadData:
    where = files[0].address if len(files) == 1 else f"{files[0].address} or one of the {len(files) - 1} files after it"
    reason = str(error).strip().removeprefix("Error tokenizing data. C error: ").splitlines()[:1] or [
        type(error).__name__
    ]
    return BadData(f"The data file {where} is not valid CSV: {reason[0].rstrip('.')}.")


def _rows(files: Sequence[Content], bodies: Sequence[Body], frame: pd.DataFrame) -> tuple[int, ...]:
    """How many rows each file has, having made sure that none is shorter than the header."""
    # pandas fills a short row with missing values (with empty text beside integers of more than 64 bits), so that without
    # one in the last column there is no short row. And one file cannot end in a quoted field without its saying so.
    last = frame.iloc[:, -1]
    if len(files) == 1 and (len(frame.columns) == 1 or not (last.isna() | (last == "")).any()):
        return (len(frame),)
    width = len(frame.columns)
    counts: list[int] = []
    for file, body in zip(files, bodies, strict=True):
        plain = rows_of_width(file.data, body.start, width)
        counts.append(_refuse_ragged(file, body, width) if plain is None else plain)
    return tuple(counts)


def _refuse_ragged(file: Content, body: Body, width: int) -> int:
    """Counts the rows of a file.

    Raises:
        BadData: Naming the line of the first that has too few or too many fields, or a quote that nothing closes.
    """
    header: Record | None = None
    wrong, rows, most = f"The data file {file.address} is not valid CSV:", 0, width
    for position, record in enumerate(records(file.data)):
        if record.start < body.start:
            header = record
            continue
        spare = record.fields == width + 1 and _ends_in_comma(file.data, record)
        if rows == 0 and spare:
            most = width + 1
        if not record.closed:
            raise BadData(
                f"{wrong} EOF inside string starting at row {position} (line {record.line}).", "Close the quote."
            )
        if record.fields > width and rows == 0 and header and not spare:
            raise BadData(
                f"{wrong} rows have more fields than the header in line {header.line}: "
                f"{record.fields} in line {record.line}, {width} in the header."
            )
        if record.fields < width or record.fields > most or (record.fields > width and not spare):
            raise BadData(f"{wrong} Expected {width} fields in line {record.line}, saw {record.fields}.")
        rows += 1
    return rows


def _ends_in_comma(content: bytes, record: Record) -> bool:
    return content[record.start : record.end].rstrip(b"\r\n").endswith(b",")


def _record(file: Content, body: Body, row: int) -> Record:
    within = (record for record in records(file.data) if record.start >= body.start)
    return next(itertools.islice(within, row, None))

"""CSV files: pandas' own types, one table of many files, and the line of whatever is wrong."""

from __future__ import annotations

import io
import itertools
import re
import warnings
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Literal

import pandas as pd

from clarify_ops.data.compressed import misnamed
from clarify_ops.data.csv_records import BOM, Record, cells, records, rows_of_width
from clarify_ops.data.files import Content
from clarify_ops.data.table import Table, column_names, line_of_foreign_text, refuse_twins, row_in_file
from clarify_ops.errors import BadData

# `headed`: the first row is the header; `told`: it is where it equals the names that are given, or holds no number.
Rule = Literal["headed", "told"]
_NUMBER = re.compile(r"\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*")
_MISSING = frozenset({"", "nan", "na", "n/a", "null", "none", "<na>", "#n/a", "-nan"})
_ROWS_LOOKED_AT = 1000


@dataclass(frozen=True)
class Headers:
    """The names that a configuration gives, and the key it gives them under."""

    names: tuple[str, ...]
    key: str = "headers"


@dataclass(frozen=True)
class _Body:
    """A file without its header: where its rows begin, and their names if it says them."""

    start: int
    names: tuple[str, ...] | None
    width: int
    notes: tuple[str, ...] = ()


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
    bodies = [_body(file, headers, rule, named) for file in files]
    names = _agreed(files, bodies, headers)
    progress(f"parsing {len(files)} CSV file{'s' if len(files) > 1 else ''}")
    frame = _parsed(files, bodies, names)
    if frame.empty:
        where = f"The data file {files[0].address} has" if len(files) == 1 else f"{len(files)} data files have"
        raise BadData(f"{where} no rows.")
    rows = _rows(files, bodies, frame)

    def place(row: int) -> str:
        file, position = row_in_file(rows, row)
        return f"line {_record(files[file], bodies[file], position).line} of {files[file].address}"

    notes = [note for body in bodies for note in body.notes]
    if rule == "told" and headers is None and bodies[0].names and not frame.select_dtypes(["number", "bool"]).shape[1]:
        # Above text alone nothing tells a header from a row.
        notes.append(f"The first row of {files[0].address} is taken as its header: {', '.join(names[:3])}.")
    return Table(frame, rows, place, tuple(notes))


def _body(file: Content, headers: Headers | None, rule: Rule, named: Collection[str]) -> _Body:
    first = next(records(file.data), None)
    if first is None:
        raise BadData(f"The data file {file.address} is empty.")
    try:
        row = tuple(cells(file.data, first))
    except UnicodeDecodeError as error:
        raise _foreign(file) or BadData(f"The data file {file.address} is not UTF-8 text.") from error
    if headers is not None:
        return _under_headers(file, first, row, headers)
    if rule == "told" and any(_NUMBER.fullmatch(cell) for cell in row) and not set(named) & set(row):
        note = f"The first row of {file.address} holds numbers, so it is no header: columns are named column_0, column_1, ..."
        return _Body(_bom(file), None, len(row), (note,))
    refuse_twins(row, f"The data file {file.address}", "Rename or remove one; if this row is no header, set headers.")
    names = tuple(name or f"Unnamed: {position}" for position, name in enumerate(row))
    return _Body(first.end, names, len(row))


def _under_headers(file: Content, first: Record, row: tuple[str, ...], headers: Headers) -> _Body:
    names, key = headers.names, headers.key
    # A comma at the end of every line is a last column without a name and without values, which pandas leaves out.
    if len(row) == len(names) + 1 and not row[-1]:
        row = row[:-1]
    if len(row) != len(names):
        raise BadData(
            f"{key} names {len(names)} columns, and line {first.line} of {file.address} has {len(row)}.",
            f"Give {key} one name for each column of the file.",
        )
    stripped, wanted = [cell.strip() for cell in row], [name.strip() for name in names]
    if stripped == wanted:
        return _Body(first.end, None, len(names))
    alike = sum(cell.casefold() in {name.casefold() for name in wanted} for cell in stripped if cell)
    if alike * 2 >= len(names) or _stands_over_numbers(file, row):
        odd = next(position for position in range(len(names)) if stripped[position] != wanted[position])
        raise BadData(
            f"Line {first.line} of {file.address} looks like a header and differs from {key}: "
            f"column {odd} is {stripped[odd]!r} there and {wanted[odd]!r} in {key}.",
            f"Give {key} as the file has them, or remove that line from the file.",
        )
    return _Body(_bom(file), None, len(names))


def _stands_over_numbers(file: Content, row: tuple[str, ...]) -> bool:
    """Whether a row without any number has text where the rows below it have numbers alone."""
    if any(_NUMBER.fullmatch(cell) for cell in row):
        return False
    numbers, others = [0] * len(row), [0] * len(row)
    for record in itertools.islice(records(file.data), 1, _ROWS_LOOKED_AT):
        try:
            below = cells(file.data, record)
        except UnicodeDecodeError:
            return False
        for position, cell in enumerate(below[: len(row)]):
            if _NUMBER.fullmatch(cell):
                numbers[position] += 1
            elif cell.strip().casefold() not in _MISSING:
                others[position] += 1
    over = [cell for cell, some, other in zip(row, numbers, others, strict=True) if some and not other]
    return any(cell.strip().casefold() not in _MISSING for cell in over)


def _agreed(files: Sequence[Content], bodies: list[_Body], headers: Headers | None) -> tuple[str, ...]:
    """The names of the columns of all files; a file without a header is taken to have those of the others."""
    if headers is not None:
        refuse_twins(headers.names, headers.key)
        return headers.names
    with_names = next((position for position, body in enumerate(bodies) if body.names is not None), None)
    if with_names is None:
        widest = max(range(len(bodies)), key=lambda position: bodies[position].width)
        names = column_names(bodies[widest].width)
    else:
        widest, names = with_names, bodies[with_names].names or ()
    for position, body in enumerate(bodies):
        if body.names is None and with_names is not None:
            # Its first row holds a number, which the names of no header do.
            note = f"{files[position].address} has no header; its columns are taken in the order of {files[widest].address}."
            bodies[position] = _Body(body.start, None, body.width, (note,))
        if (body.names is not None and body.names != names) or body.width != len(names):
            raise _different(files[widest].address, names, files[position].address, body)
    return names


def _different(one: str, names: tuple[str, ...], other: str, body: _Body) -> BadData:
    if body.names is None:
        told = f"{one} has {len(names)}, {other} has {body.width}"
    elif set(body.names) == set(names):
        position = next(place for place, name in enumerate(names) if body.names[place] != name)
        told = f"in another order: column {position} is {names[position]!r} in {one} and {body.names[position]!r} in {other}"
    else:
        lacking = [repr(name) for name in names if name not in body.names]
        more = [repr(name) for name in body.names if name not in names]
        parts = [f"{other} lacks {', '.join(lacking)}"] * bool(lacking) + [
            f"only {other} has {', '.join(more)}"
        ] * bool(more)
        told = f"compared with {one}, " + ", and ".join(parts)
    return BadData(f"The files of the dataset have different columns: {told}.", "Give them the same columns.")


def _bom(file: Content) -> int:
    return len(BOM) if file.data.startswith(BOM) else 0


def _parsed(files: Sequence[Content], bodies: Sequence[_Body], names: tuple[str, ...]) -> pd.DataFrame:
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
    except pd.errors.EmptyDataError:
        return pd.DataFrame(columns=list(names))
    except UnicodeDecodeError as error:
        raise next(filter(None, map(_foreign, files)), _unreadable(files, error)) from error
    except (OSError, EOFError, ValueError, OverflowError, pd.errors.ParserWarning) as error:
        for file, body in zip(files, bodies, strict=True):
            _refuse_ragged(file, body, len(names))
        raise _unreadable(files, error) from error


def _closed(content: bytes, start: int) -> bytes:
    body = content[start:]
    return body if not body or body.endswith((b"\n", b"\r")) else body + b"\n"


def _foreign(file: Content) -> BadData | None:
    line = line_of_foreign_text(file.data)
    if line is None:
        return None
    return BadData(f"The data file {file.address} is not UTF-8 text: line {line}.", misnamed(file.data))


def _unreadable(files: Sequence[Content], error: Exception) -> BadData:
    where = files[0].address if len(files) == 1 else f"{files[0].address} or one of the {len(files) - 1} files after it"
    reason = str(error).strip().removeprefix("Error tokenizing data. C error: ").splitlines()[:1] or [
        type(error).__name__
    ]
    return BadData(f"The data file {where} is not valid CSV: {reason[0].rstrip('.')}.")


def _rows(files: Sequence[Content], bodies: Sequence[_Body], frame: pd.DataFrame) -> tuple[int, ...]:
    """How many rows each file has, having made sure that none is shorter than the header."""
    # pandas fills a short row with missing values (with empty text beside integers of more than 64 bits), so that without
    # one in the last column there is no short row. And one file cannot end in a quoted field without its saying so.
    last = frame.iloc[:, -1]
    if len(files) == 1 and (len(frame.columns) == 1 or not (last.isna() | (last.astype(object) == "")).any()):
        return (len(frame),)
    width = len(frame.columns)
    counts: list[int] = []
    for file, body in zip(files, bodies, strict=True):
        plain = rows_of_width(file.data, body.start, width)
        counts.append(_refuse_ragged(file, body, width) if plain is None else plain)
    return tuple(counts)


def _refuse_ragged(file: Content, body: _Body, width: int) -> int:
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


def _record(file: Content, body: _Body, row: int) -> Record:
    within = (record for record in records(file.data) if record.start >= body.start)
    return next(itertools.islice(within, row, None))

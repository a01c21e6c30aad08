"""The first row of a CSV file: its header, or a row like the others."""

from __future__ import annotations

import itertools
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal

from clarify_ops.data.compressed import misnamed
from clarify_ops.data.csv_records import Record, cells, records
from clarify_ops.data.files import Content
from clarify_ops.data.table import BOM, NUMBER, column_names, line_of_foreign_text, refuse_twins
from clarify_ops.errors import BadData

# `headed`: the first row is the header; `told`: it is where it equals the names that are given, or holds no value.
Rule = Literal["headed", "told"]
_NUMBER = re.compile(NUMBER)
# What no column is called: a number, a day, a truth value.
_VALUE = re.compile(rf"{NUMBER}|\s*\d{{4}}-\d\d-\d\d([ T].*)?|\s*(true|false)\s*", re.IGNORECASE)
_MISSING = frozenset({"", "nan", "na", "n/a", "null", "none", "<na>", "#n/a", "-nan"})
_ROWS_LOOKED_AT = 1000


@dataclass(frozen=True)
class Headers:
    """The names that a configuration gives, and the key it gives them under."""

    names: tuple[str, ...]
    key: str = "headers"


@dataclass(frozen=True)
class Body:
    """A file without its header.

    Attributes:
        start: The byte at which its rows begin.
        names: Of its columns, as its header says them; None where it has none, or the configuration says them.
        width: How many columns it has.
    """

    start: int
    names: tuple[str, ...] | None
    width: int


def find_body(file: Content, headers: Headers | None, rule: Rule, named: Collection[str]) -> Body:
    """Finds where a file's rows begin.

    Args:
        file: Its content.
        headers: Names of the columns.
        rule: How a header is told from a row.
        named: Names that the configuration uses: a first row that holds one of them is a header.

    Raises:
        BadData: It is empty or no text, has two columns of one name, or does not fit the headers.
    """
    hint = misnamed(file.data)
    if hint:
        raise BadData(f"The data file {file.address} is not UTF-8 text: line 1.", hint)
    first = next(records(file.data), None)
    if first is None:
        raise BadData(f"The data file {file.address} is empty.")
    try:
        row = tuple(cells(file.data, first))
    except UnicodeDecodeError as error:
        raise foreign(file) or BadData(f"The data file {file.address} is not UTF-8 text.") from error
    if headers is not None:
        return _under_headers(file, first, row, headers)
    if rule == "told" and any(_VALUE.fullmatch(cell) for cell in row) and not set(named) & set(row):
        return Body(_bom(file), None, len(row))
    # Columns without a name are no twins: pandas numbers them.
    names = tuple(name or f"Unnamed: {position}" for position, name in enumerate(row))
    refuse_twins(names, f"The data file {file.address}", "Rename or remove one; if this row is no header, set headers.")
    return Body(first.end, names, len(row))


def _under_headers(file: Content, first: Record, row: tuple[str, ...], headers: Headers) -> Body:
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
        return Body(first.end, None, len(names))
    if not any(_VALUE.fullmatch(cell) for cell in row) and (
        _alike(stripped, wanted) or _stands_over_numbers(file, row)
    ):
        odd = next(position for position in range(len(names)) if stripped[position] != wanted[position])
        raise BadData(
            f"Line {first.line} of {file.address} looks like a header and differs from {key}: "
            f"column {odd} is {stripped[odd]!r} there and {wanted[odd]!r} in {key}.",
            f"Give {key} as the file has them, or remove that line from the file.",
        )
    return Body(_bom(file), None, len(names))


def _alike(row: Sequence[str], names: Sequence[str]) -> bool:
    """Whether a row has half of the names in their places, or most of them in any: one cell may be called so by chance."""
    folded, wanted = [cell.casefold() for cell in row], [name.casefold() for name in names]
    in_place = sum(cell == name for cell, name in zip(folded, wanted, strict=True))
    anywhere = sum(cell in set(wanted) for cell in folded if cell)
    return in_place * 2 >= len(names) or anywhere * 2 > len(names)


def _stands_over_numbers(file: Content, row: tuple[str, ...]) -> bool:
    """Whether a row without any value has text where the rows below it have numbers alone."""
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


def agreed_names(files: Sequence[Content], bodies: Sequence[Body], headers: Headers | None) -> tuple[str, ...]:
    """The names of the columns of all files; a file without a header is taken to have those of the others.

    Raises:
        BadData: Files differ in their columns, naming both and the difference.
    """
    if headers is not None:
        refuse_twins(headers.names, headers.key)
        return headers.names
    first = _first_with_names(bodies)
    names = bodies[first].names or column_names(bodies[first].width)
    for file, body in zip(files, bodies, strict=True):
        if (body.names is not None and body.names != names) or body.width != len(names):
            raise _different(files[first].address, names, file.address, body)
    return names


def header_notes(files: Sequence[Content], bodies: Sequence[Body], names: Sequence[str]) -> list[str]:
    """Sentences about headers that are not there, or not whole."""
    first = _first_with_names(bodies)
    if bodies[first].names is None:
        shown = files[0].address
        return [f"The first row of {shown} holds values, so it is no header: columns are named column_0, column_1, ..."]
    notes = [
        f"Column {place} of {files[first].address} has no name and is called {name!r}."
        for place, name in enumerate(names)
        if name == f"Unnamed: {place}"
    ]
    without = [file.address for file, body in zip(files, bodies, strict=True) if body.names is None]
    if without:
        # Their first rows hold values, which no header does.
        notes.append(
            f"{len(without)} of {len(files)} files have no header, {without[0]} for one; "
            f"their columns are taken in the order of {files[first].address}."
        )
    return notes


def foreign(file: Content) -> BadData | None:
    """The error that a file is not UTF-8, with its line; None where it is."""
    line = line_of_foreign_text(file.data)
    return None if line is None else BadData(f"The data file {file.address} is not UTF-8 text: line {line}.")


def _first_with_names(bodies: Sequence[Body]) -> int:
    return next((place for place, body in enumerate(bodies) if body.names is not None), 0)


def _different(one: str, names: tuple[str, ...], other: str, body: Body) -> BadData:
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

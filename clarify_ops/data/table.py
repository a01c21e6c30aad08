"""What a reader hands on: the rows of one or more files, and where each row stands."""

from __future__ import annotations

import bisect
import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pandas as pd

from clarify_ops.errors import BadData

# What some programs put before UTF-8 text.
BOM = b"\xef\xbb\xbf"
# A number as it is written in text.
NUMBER = r"\s*[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?\s*"


@dataclass(frozen=True)
class Table:
    """Rows that were read.

    Attributes:
        frame: (rows, columns), index 0 .. rows - 1.
        rows: How many of them each file has, in the order of the files.
        place: Says where a row stands, from its index: "line 7 of loans.csv".
        notes: Sentences about what was decided while reading.
        label: Name of the column that the configuration's `label` found, in formats where that is an expression.
        predicted_label: Likewise.
        numbered: Whether nothing names the columns, so that they are called column_0, column_1, ...
    """

    frame: pd.DataFrame
    rows: tuple[int, ...]
    place: Callable[[int], str]
    notes: tuple[str, ...] = ()
    label: str | None = None
    predicted_label: str | None = None
    numbered: bool = False


def row_in_file(rows: Sequence[int], row: int) -> tuple[int, int]:
    """Which file a row stands in, and as which of its rows, both from 0.

    >>> row_in_file([3, 0, 2], 3)
    (2, 0)
    """
    ends = list(itertools.accumulate(rows))
    file = bisect.bisect_right(ends, row)
    return file, row - (ends[file] - rows[file])


def refuse_twins(names: Sequence[str], where: str, hint: str = "Rename or remove one.") -> None:
    """Stops at a name that two columns have: a document that names it would mean either.

    Raises:
        BadData: Naming it.
    """
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise BadData(f"{where} has two columns {name!r}.", hint)
        seen.add(name)


def column_names(count: int) -> tuple[str, ...]:
    """Clarify's names for columns that have none: column_0, column_1, ..."""
    return tuple(f"column_{position}" for position in range(count))


def line_of_foreign_text(content: bytes) -> int | None:
    """The first line, from 1, that is not UTF-8; None where all are."""
    try:
        content.decode()
    except UnicodeDecodeError as error:
        return content.count(b"\n", 0, error.start) + 1
    return None

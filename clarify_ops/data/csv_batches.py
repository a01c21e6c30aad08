"""CSV files as batches of the columns that are needed, where it is plain that pandas' parser cuts them in the same way."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from clarify_ops.data.batches import Batches, Unlike
from clarify_ops.data.csv_records import cells, records
from clarify_ops.data.table import column_names

if TYPE_CHECKING:
    import pyarrow as pa

_BLOCK = 1 << 22
# A processor's own memory holds so much, which several looks at it make worth while.
_LOOKED_AT = 1 << 18
_QUOTE = 0x22
_BLANKS = (b" ", b"\t")


def of_csv(paths: Sequence[str], columns: Sequence[str], *, header_row: bool, names: Sequence[str] | None) -> Batches:
    """Opens CSV files.

    Args:
        paths: At least one.
        columns: Names of the columns that are needed.
        header_row: Whether the first record of every file is its header.
        names: Names of the columns; by default those of the header, or column_0, column_1, ...

    Raises:
        Unlike: Files are of different columns, no text, or of records that parsers may cut in different ways.
    """
    import pyarrow as pa

    try:
        begins = [_Beginning.of(path, header_row=header_row) for path in paths]
    except (OSError, UnicodeDecodeError) as error:
        raise Unlike from error
    first = begins[0]
    every = tuple(names or first.names)
    if any(one.names != first.names or len(every) != one.width for one in begins):
        raise Unlike
    # A blank line is no record, and a lone column's empty value is a blank line.
    if len(every) < 2 or len(set(every)) < len(every) or any(name not in every for name in columns):
        raise Unlike

    def read() -> Iterator[Sequence[pa.Array]]:
        from pyarrow import csv

        for path, beginning in zip(paths, begins, strict=True):
            quoted = quotes_plainly(path)
            with pa.OSFile(path) as file:
                file.seek(beginning.start)
                if beginning.start == file.size():
                    continue
                try:
                    reader = csv.open_csv(
                        file,
                        read_options=csv.ReadOptions(use_threads=False, block_size=_BLOCK, column_names=list(every)),
                        parse_options=csv.ParseOptions(newlines_in_values=quoted),
                        convert_options=csv.ConvertOptions(
                            include_columns=list(columns),
                            column_types=dict.fromkeys(columns, pa.binary()),
                            null_values=[],
                            strings_can_be_null=False,
                        ),
                    )
                    for batch in reader:
                        yield batch.columns
                except (pa.ArrowInvalid, OSError) as error:
                    raise Unlike from error

    def as_pandas(place: int, values: Sequence[Any]) -> pd.Series:
        # pandas drops blanks before the first field of a line, unless it is quoted.
        if columns[place] == every[0] and any(value.startswith(_BLANKS) for value in values):
            raise Unlike
        lines = [b'"' + value.replace(b'"', b'""') + b'",\n' for value in values]
        told = pd.read_csv(
            io.BytesIO(b"".join(lines)), header=None, names=["0", "1"], low_memory=False, index_col=False
        )
        return told["0"].rename(columns[place])

    return Batches(len(every), dict.fromkeys(columns, False), read, as_pandas, every[0])


@dataclass(frozen=True)
class _Beginning:
    """Where the rows of a file begin, and the names and number of its columns."""

    start: int
    width: int
    names: tuple[str, ...]

    @classmethod
    def of(cls, path: str, *, header_row: bool) -> _Beginning:
        with open(path, "rb") as file:  # noqa: PTH123 - a path as it was found
            content = file.read(_BLOCK)
        record = next(records(content), None)
        # Of a longer record only a part may have been read.
        if record is None or (record.end == len(content) == _BLOCK):
            raise Unlike
        row = cells(content, record)
        if not header_row:
            return cls(0, len(row), column_names(len(row)))
        return cls(record.end, len(row), tuple(name or f"Unnamed: {place}" for place, name in enumerate(row)))


@dataclass
class _Quotes:
    """The quotes of a file, block by block: each must open a whole field, close it, or stand doubled inside it."""

    last: int = ord("\n")
    inside: bool = False
    pending: bool = False
    seen: bool = field(default=False)

    def add(self, block: bytearray) -> None:
        """Looks at the next block.

        Raises:
            Unlike: A quote stands elsewhere.
        """
        signs = np.frombuffer(block, dtype=np.uint8)
        places = np.flatnonzero(signs == _QUOTE)
        before = np.empty(len(signs) + 1, dtype=np.uint8)
        before[0], before[1:] = self.last, signs
        opens = (np.arange(len(places)) + self.inside) % 2 == 0
        if self.pending and not _ends_field(signs[:1]).all() and signs[0] != _QUOTE:
            raise Unlike
        # A quote that opens stands at a field's start, or doubles the one before it; one that closes, at a field's end.
        starts = before[places[opens]]
        closing = places[~opens]
        after = signs[np.minimum(closing + 1, len(signs) - 1)][closing + 1 < len(signs)]
        if not (_ends_field(starts) | (starts == _QUOTE)).all() or not (_ends_field(after) | (after == _QUOTE)).all():
            raise Unlike
        self.seen |= len(places) > 0
        self.inside ^= bool(len(places) % 2)
        self.last = int(signs[-1])
        self.pending = self.last == _QUOTE and not self.inside


def _ends_field(signs: np.ndarray[Any, np.dtype[np.uint8]]) -> np.ndarray[Any, np.dtype[np.bool_]]:
    return np.isin(signs, (ord(","), ord("\n"), ord("\r")))


def quotes_plainly(path: str) -> bool:
    """Whether a file has quotes.

    Raises:
        Unlike: They do not enclose whole fields, or the file is not UTF-8.
    """
    import codecs

    quotes, text = _Quotes(), codecs.getincrementaldecoder("utf-8")()
    waiting = False
    with open(path, "rb") as file:  # noqa: PTH123 - a path as it was found
        block = bytearray(_LOOKED_AT)
        while size := file.readinto(block):
            if size < len(block):
                block = block[:size]
            if b"\0" in block:
                raise Unlike
            if quotes.seen or b'"' in block:
                quotes.add(block)
            else:
                quotes.last = block[-1]
            if waiting or not block.isascii():
                try:
                    text.decode(block)
                except UnicodeDecodeError as error:
                    raise Unlike from error
                waiting = bool(text.getstate()[0])
    if waiting or quotes.inside:
        raise Unlike
    return quotes.seen

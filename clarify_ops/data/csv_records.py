"""The records of a CSV file as pandas' parser cuts them: where each stands, and how many fields it has.

The parser itself fills records that are too short without a word, and counts lines otherwise than an editor does where
a quoted field holds a line break. This reads more slowly and is asked only where that matters.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from clarify_ops.data.table import BOM

_COMMA, _NEW_LINE, _CARRIAGE_RETURN = b",\n\r"
_CHUNK = 1 << 22

# Quoted, and perhaps followed by more up to the comma; a quote within an unquoted field is a sign like any other.
_FIELD = re.compile(rb'(?:"(?P<quoted>[^"]*+(?:""[^"]*+)*+)(?P<close>"|\Z))?(?P<rest>[^,\r\n]*+)')
_LINE = re.compile(rb"[^\r\n]*+(?:\r\n|\r|\n|\Z)")
_LINE_END = re.compile(rb"\r\n|\r|\n")


@dataclass(frozen=True)
class Record:
    """One record.

    Attributes:
        line: Of the file, counted from 1, in which it begins.
        start: Its first byte.
        end: The first byte after it and its line break.
        fields: How many it has.
        closed: Whether every quote in it is closed; only the last record of a file can be open.
    """

    line: int
    start: int
    end: int
    fields: int
    closed: bool = True


def records(content: bytes) -> Iterator[Record]:
    r"""The records of a file, without blank lines.

    >>> [(one.line, one.fields) for one in records(b'a,b\n\n"x\ny",2\n3\n')]
    [(1, 2), (3, 2), (5, 1)]
    """
    position, line = (len(BOM) if content.startswith(BOM) else 0), 1
    while position < len(content):
        end = _matched(_LINE, content, position).end()
        text = content[position:end]
        if b'"' in text:
            record = _with_quotes(content, position, line)
            yield record
            line += len(_LINE_END.findall(content, position, record.end))
            position = record.end
            continue
        # pandas takes blanks and tabs alone for an empty line; other white space is a field.
        if text.strip(b" \t\r\n"):
            yield Record(line, position, end, text.count(b",") + 1)
        line += 1
        position = end


def rows_of_width(content: bytes, start: int, width: int) -> int | None:
    r"""The number of records where it is plain that each has `width` fields; None where `records` has to look closely.

    >>> rows_of_width(b"a,b\n1,2\n3,4\n", 4, 2)
    2
    """
    # A carriage return may end a line by itself, a quote may hide a comma or the end of a line, and a lone column's
    # blank line is not told from a value by its commas.
    if width == 1 or b'"' in content or content.count(b"\r") != content.count(b"\r\n"):
        return None
    rows = 0
    while start < len(content):
        end = content.rfind(b"\n", start, start + _CHUNK) + 1 or content.find(b"\n", start) + 1 or len(content)
        signs = np.frombuffer(content, dtype=np.uint8, count=end - start, offset=start)
        ends = np.flatnonzero(signs == _NEW_LINE)
        if content[end - 1] != _NEW_LINE:
            ends = np.append(ends, len(signs))
        starts = np.concatenate(([0], ends[:-1] + 1))
        lengths = ends - starts
        # An empty line is no record.
        filled = (lengths > 1) | ((lengths == 1) & (signs[starts] != _CARRIAGE_RETURN))
        commas = np.add.reduceat((signs == _COMMA).astype(np.int32), starts)
        if (commas[filled] != width - 1).any():
            return None
        rows += int(filled.sum())
        start = end
    return rows


def cells(content: bytes, record: Record) -> list[str]:
    """The text of a record's fields.

    Raises:
        UnicodeDecodeError: They are not UTF-8.
    """
    found: list[str] = []
    position = record.start
    while True:
        field = _matched(_FIELD, content, position)
        quoted = (field["quoted"] or b"").replace(b'""', b'"')
        found.append((quoted + field["rest"]).decode())
        position = field.end()
        if content[position : position + 1] != b",":
            return found
        position += 1


def _with_quotes(content: bytes, start: int, line: int) -> Record:
    position, fields = start, 1
    while True:
        field = _matched(_FIELD, content, position)
        position = field.end()
        if content[position : position + 1] != b",":
            break
        fields += 1
        position += 1
    ending = _LINE_END.match(content, position)
    closed = field["quoted"] is None or bool(field["close"])
    return Record(line, start, ending.end() if ending else position, fields, closed=closed)


def _matched(pattern: re.Pattern[bytes], content: bytes, position: int) -> re.Match[bytes]:
    found = pattern.match(content, position)
    assert found is not None  # noqa: S101 - both patterns match the empty text
    return found

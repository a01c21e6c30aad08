"""Reading what an endpoint answered: one row of labels and scores for each row that was asked."""

from __future__ import annotations

import ast
import csv
import io
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from clarify_ops.data.json_table import Expression
from clarify_ops.errors import BadData, BadDocument, BadModel
from clarify_ops.models.payload import CSV, JSON, JSON_LINES, ContentType

LABEL, PROBABILITY = "label", "probability"

_KNOWN: dict[str, ContentType] = {
    CSV: CSV,
    "application/csv": CSV,
    JSON_LINES: JSON_LINES,
    "application/jsonl": JSON_LINES,
    "application/x-jsonlines": JSON_LINES,
    "application/x-ndjson": JSON_LINES,
    JSON: JSON,
    "text/json": JSON,
}
_SHOWN = 200
_MESSAGES = ("message", "Message", "error", "detail", "errorMessage")


class OneLine(BadModel):
    """CSV with one line for several rows, and as many values: each of a row, as old containers answer, or all of one row."""


@dataclass(frozen=True)
class Answered:
    """What one request brought.

    Attributes:
        table: (rows, columns).
        texts: Numbers are still texts, as CSV has no others.
    """

    table: pd.DataFrame
    texts: bool


@dataclass(frozen=True)
class Reading:
    """Where label and probability stand in an answer, in Clarify's words.

    Attributes:
        accept_type: What the endpoint is asked to answer, and how the answer is read. Without it, the answer is read as what
            it says that it is, else as `content_type`.
        label: Finds the predicted label: a position within a row (CSV, or rows that are lists), or a JMESPath expression, a
            row a line in JSON Lines, on the whole document in JSON.
        probability: Finds the score or scores, likewise.
        label_headers: The labels that several scores belong to, in this order.
        content_type: Of the request.
    """

    accept_type: ContentType | None = None
    label: str | int | None = None
    probability: str | int | None = None
    label_headers: tuple[Any, ...] | None = None
    content_type: ContentType = CSV

    def __post_init__(self) -> None:
        for key, place in ((LABEL, self.label), (PROBABILITY, self.probability)):
            if isinstance(place, str):
                if self.accepted == CSV:
                    raise BadDocument(
                        f"predictor.{key} is {place!r}, and an answer in CSV needs the position of a column there.",
                        "Positions start at 0; a JMESPath expression goes with JSON and JSON Lines.",
                    )
                Expression(f"predictor.{key}", place)

    @property
    def accepted(self) -> ContentType:
        """What the endpoint is asked for."""
        return self.accept_type or self.content_type

    def read(self, body: bytes, said: str, rows: int, whom: str, *, one_line: bool = False) -> Answered:
        """The answer to one request.

        Args:
            body: As it came.
            said: The content type that came with it.
            rows: As many as were asked.
            whom: The endpoint, for errors.
            one_line: It is known to answer one value a row, all on one line of CSV.

        Raises:
            OneLine: That may be so, or rows may be absent.
            BadModel: It is not what was asked for, or not a row for each.
        """
        kind = self.accept_type or _KNOWN.get(said.partition(";")[0].strip().lower(), self.content_type)
        answer = _Body(body, kind, rows, f"The answer of {whom}", one_line)
        parts = [
            _columns(answer.found(place, key), key, answer)
            for key, place in ((LABEL, self.label), (PROBABILITY, self.probability))
            if place is not None
        ]
        table = pd.concat(parts, axis=1) if parts else _columns(answer.everything(), None, answer)
        return Answered(table, texts=kind == CSV)

    def joined(self, answers: Sequence[Answered], whom: str) -> tuple[pd.DataFrame, tuple[Any, ...] | None]:
        """All answers as one.

        Returns:
            (rows, columns) and the labels that the scores belong to, where the answers list them. Columns are "label" and
            "probability" where the configuration says where they stand, with a number behind the name where there are several
            a row; else all that was answered, by position, or by key where rows are objects. Where a row lists labels and as
            many scores, "label" is the one of the highest score, and scores stand in one order: that of `label_headers` if
            they are the same labels, else of the first row.

        Raises:
            BadModel: One has other columns than another.
        """
        first = answers[0].table
        for one in answers:
            if list(one.table.columns) != list(first.columns):
                raise BadModel(
                    f"The answers of {whom} have {first.shape[1]} columns for some rows and {one.table.shape[1]} for others."
                )
        table = first if len(answers) == 1 else pd.concat([one.table for one in answers], ignore_index=True)
        if any(one.texts for one in answers):
            table = pd.DataFrame({name: _numbers(table[name]) for name in table.columns})
        return self._settled(table, whom)

    def _settled(self, table: pd.DataFrame, whom: str) -> tuple[pd.DataFrame, tuple[Any, ...] | None]:
        labels = _several(table, LABEL)
        scores = [one for one in table.columns if one == PROBABILITY] or _several(table, PROBABILITY)
        if not labels or not scores:
            return table, None
        if len(labels) != len(scores):
            raise BadModel(f"The answer of {whom} has {len(labels)} labels and {len(scores)} probabilities a row.")
        names = table[labels].to_numpy(dtype=object)
        try:
            values = table[scores].to_numpy(dtype=np.float64)
        except (TypeError, ValueError) as error:
            raise BadModel(f"The answer of {whom} has probabilities that are no numbers.") from error
        order = tuple(names[0])
        if self.label_headers is not None and set(self.label_headers) == set(order):
            order = self.label_headers
        place = {name: at for at, name in enumerate(order)}
        if len(place) < len(order) or any(set(row) != place.keys() for row in names):
            raise BadModel(f"The answer of {whom} lists other labels for some rows than for the first, or one twice.")
        winners = names[np.arange(len(names)), values.argmax(axis=1)]
        if not (names == np.array(order, dtype=object)).all():
            # Some containers list the likeliest label first, so that a place means another label in each row.
            into = np.array([[place[name] for name in row] for row in names])
            values = np.take_along_axis(values, into.argsort(axis=1), axis=1)
        return pd.concat([pd.DataFrame({LABEL: list(winners)}), pd.DataFrame(values, columns=scores)], axis=1), order


def part(table: pd.DataFrame, name: str) -> pd.DataFrame | None:
    """The columns of `name` ("label" or "probability") in what a model behind a wire answered, or None.

    >>> part(pd.DataFrame({"label": [1], "probability0": [0.1], "probability1": [0.9]}), "probability").shape
    (1, 2)
    """
    columns = [name] if name in table.columns else _several(table, name)
    return table[columns] if columns else None


def _several(table: pd.DataFrame, name: str) -> list[str]:
    return [one for one in table.columns if re.fullmatch(rf"{name}\d+", str(one))]


@dataclass(frozen=True)
class _Body:
    """A body, its type, how many rows it owes, how an error opens, and whether lines are rows."""

    body: bytes
    kind: ContentType
    rows: int
    opens: str
    one_line: bool

    def wrong(self, what: str, hint: str = "") -> BadModel:
        return BadModel(f"{self.opens} {what}: {shown(self.body)}", hint)

    def found(self, place: str | int, key: str) -> list[Any]:
        """One value, or list of values, a row."""
        if isinstance(place, int):
            rows = self.everything()
            short = next((row for row in rows if not isinstance(row, list) or not 0 <= place < len(row)), None)
            if place == 0 and all(not isinstance(row, list | dict) for row in rows):
                return rows
            if short is not None:
                raise self.wrong(f"has no position {place} in every row, which predictor.{key} names")
            return [row[place] for row in rows]
        expression = Expression(f"predictor.{key}", place)
        try:
            if self.kind == JSON_LINES:
                rows = [expression.find(row, "a line of it") for row in self._lines()]
            else:
                rows = self._rows_of(expression.find(self._document(), "it"))
        except BadData as error:
            raise self.wrong(f"does not suit the JMESPath {place!r} of predictor.{key}") from error
        if any(row is None for row in rows):
            raise self.wrong(f"has nothing where predictor.{key} looks, {place!r}")
        return self._counted(rows, f" at {place!r}")

    def everything(self) -> list[Any]:
        """The rows as they are."""
        if self.kind == CSV:
            return self._counted(self._table())
        if self.kind == JSON_LINES:
            return self._counted(_without_key(self._lines()))
        document = self._document()
        if isinstance(document, dict) and len(document) == 1:
            document = next(iter(document.values()))
        if isinstance(document, dict) and self.rows != 1:
            raise self.wrong(
                f"is an object with the keys {', '.join(map(repr, document))}",
                "Set predictor.probability or predictor.label to the JMESPath expression that finds the rows in it.",
            )
        return self._counted(_without_key(self._rows_of(document)))

    def _rows_of(self, found: Any) -> list[Any]:
        """A list with an item a row; for a single row the item itself will do."""
        if isinstance(found, list) and not (self.rows == 1 and len(found) != 1):
            return found
        if found is None or self.rows != 1:
            raise self.wrong(f"has no list of {self.rows} rows where the configuration looks")
        return [found]

    def _counted(self, rows: list[Any], where: str = "") -> list[Any]:
        if len(rows) != self.rows:
            raise self.wrong(f"has {len(rows)} rows{where} for {self.rows} that were asked")
        return rows

    def _text(self) -> str:
        try:
            return self.body.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise self.wrong("is not UTF-8 text") from error

    def _document(self) -> Any:
        try:
            return json.loads(self._text())
        except (json.JSONDecodeError, RecursionError) as error:
            raise self.wrong(f"is not valid JSON ({str(error).rstrip('.')})") from error

    def _lines(self) -> list[Any]:
        lines = [line for line in self._text().split("\n") if line.strip()]
        try:
            return [json.loads(line) for line in lines]
        except (json.JSONDecodeError, RecursionError) as error:
            raise self.wrong("is not valid JSON Lines: a line of it is no JSON document") from error

    def _table(self) -> list[Any]:
        text = self._text()
        if not any(sign in self.body for sign in (b'"', b",", b"\r")):
            # One value a line, the answer to most explanations, needs no list a line.
            lines = [line for line in text.split("\n") if line]
            return [_cell(line) for line in lines] if b"[" in self.body else lines
        try:
            rows = [row for row in csv.reader(io.StringIO(text, newline=""), strict=True) if row]
        except csv.Error as error:
            raise self.wrong(f"is not valid CSV ({error})") from error
        if self.rows > 1 and len(rows) == 1 and len(rows[0]) == self.rows:
            if not self.one_line:
                raise OneLine(f"{self.opens} has 1 rows for {self.rows} that were asked: {shown(self.body)}")
            rows = [[text] for text in rows[0]]
        # No list in a cell, which is the rule, needs no look at each.
        cells = [[_cell(text) for text in row] for row in rows] if b"[" in self.body else rows
        return [row[0] if len(row) == 1 else row for row in cells]


def shown(body: bytes) -> str:
    """The beginning of a body, on one line."""
    text = " ".join(body[: 4 * _SHOWN].decode("utf-8", "replace").split())
    return f"{text[:_SHOWN]}..." if len(text) > _SHOWN else (text or "(nothing)")


def complaint(body: bytes) -> str:
    """What an endpoint says went wrong: the message of a JSON object, with the last line of its traceback, or the beginning."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return shown(body)
    found = [document.get(key) for key in _MESSAGES] if isinstance(document, dict) else []
    parts = [one for one in found if isinstance(one, str) and one.strip()][:1]
    if not parts:
        return shown(body)
    trace = document.get("stack_trace")
    parts += str(trace).strip().splitlines()[-1:] if trace else []
    return " ".join(" ".join(one.split())[: 2 * _SHOWN] for one in parts)


def _without_key(rows: list[Any]) -> list[Any]:
    """The rows' values where all rows are objects with the same single key."""
    if rows and all(isinstance(row, dict) and len(row) == 1 and row.keys() == rows[0].keys() for row in rows):
        return [next(iter(row.values())) for row in rows]
    return rows


def _cell(text: str) -> Any:
    """A list within a cell, as containers write labels and their probabilities; else the text."""
    stripped = text.strip()
    if not (stripped.startswith("[") and stripped.endswith("]")):
        return text
    try:
        found = ast.literal_eval(stripped)
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        return text
    return found if isinstance(found, list) else text


def _columns(rows: list[Any], name: str | None, answer: _Body) -> pd.DataFrame:
    """Values, lists or objects, a row each, as columns; a list within a list of one is taken out of it."""
    if all(isinstance(row, dict) for row in rows):
        if any(row.keys() != rows[0].keys() for row in rows):
            raise answer.wrong("has objects with other keys than the first")
        table = {str(key): [row[key] for row in rows] for key in rows[0]}
        return pd.DataFrame({key: _plain(values, answer) for key, values in table.items()})
    if list not in set(map(type, rows)):
        return pd.DataFrame({0 if name is None else name: _plain(rows, answer)})
    wide = [row if isinstance(row, list) else [row] for row in rows]
    if len(wide[0]) == 1 and all(len(row) == 1 and isinstance(row[0], list) for row in wide):
        wide = [row[0] for row in wide]
    width = len(wide[0])
    odd = next((len(row) for row in wide if len(row) != width), None)
    if odd is not None or width == 0:
        raise answer.wrong(f"has rows of {width} and of {odd} values" if odd is not None else "has empty rows")
    if name is None:
        names: Sequence[Any] = range(width)
    else:
        names = [name] if width == 1 else [f"{name}{at}" for at in range(width)]
    columns = zip(names, zip(*wide, strict=True), strict=True)
    return pd.DataFrame({key: _plain(list(values), answer) for key, values in columns})


def _plain(values: list[Any], answer: _Body) -> pd.Series[Any]:
    if not {list, dict}.isdisjoint(map(type, values)):
        raise answer.wrong("has rows that are neither single values nor flat lists")
    # Texts of CSV wait for the other answers; pandas' own type of texts would only cost time.
    return pd.Series(values, dtype=object) if answer.kind == CSV else pd.Series(values)


def _numbers(column: pd.Series[Any]) -> pd.Series[Any]:
    """Texts of CSV as numbers where all of them are; not earlier than all are there, for a later row may hold a word."""
    values = column.tolist()
    # Python reads 1_0 as a number, and nobody else does.
    if set(map(type, values)) == {str} and "_" not in "".join(values):
        for kind in (int, float):
            try:
                return pd.Series([kind(value) for value in values])
            except ValueError:
                continue
        return pd.Series([value.strip() or None for value in values])
    return column

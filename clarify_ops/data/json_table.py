"""JSON and JSON Lines: features, label and predicted label are found by JMESPath expressions."""

from __future__ import annotations

import json
import re
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from clarify_ops.data.compressed import misnamed
from clarify_ops.data.files import Content
from clarify_ops.data.table import BOM, Table, column_names, line_of_foreign_text, refuse_twins, row_in_file
from clarify_ops.errors import BadData, BadDocument

_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
# One projection over records, and a path of keys within each.
_PROJECTION = re.compile(r"(?P<records>[A-Za-z0-9_.]*)\[\*\]\.(?P<value>[A-Za-z_][A-Za-z0-9_.]*)")
_NESTED = frozenset({list, dict})
_LINES_BETWEEN_REPORTS = 100_000


@dataclass(frozen=True)
class Expressions:
    """What is looked for: per line in JSON Lines, in the whole document in JSON.

    Attributes:
        features: Finds a flat list a row.
        label: Finds one value a row.
        predicted_label: Likewise.
    """

    features: Expression
    label: Expression | None
    predicted_label: Expression | None

    @classmethod
    def of(cls, features: str | None, label: str | int | None, predicted_label: str | int | None) -> Expressions:
        """Parses the three settings of a configuration.

        Raises:
            BadDocument: `features` is absent, or an expression does not parse.
        """
        if features is None:
            raise BadDocument(
                "The configuration lacks the key features, which JSON and JSON Lines data need.",
                "Set it to the JMESPath expression that finds a row's list of features.",
            )
        return cls(
            Expression("features", features),
            None if label is None else Expression("label", label),
            None if predicted_label is None else Expression("predicted_label", predicted_label),
        )

    @property
    def single(self) -> list[Expression]:
        """Those that find one value a row."""
        return [one for one in (self.label, self.predicted_label) if one is not None]


class Expression:
    """A JMESPath expression and the key of the configuration that it stands under."""

    def __init__(self, key: str, text: str | int) -> None:
        import jmespath
        from jmespath.exceptions import JMESPathError

        self.key, self.text = key, text
        if not isinstance(text, str):
            raise BadDocument(f"{key} is {text}, and JSON data need a JMESPath expression there.")
        # A bare key, which most expressions are, needs no interpreter.
        self._plain = _KEY.fullmatch(text) is not None
        try:
            with warnings.catch_warnings():
                # An old way to write text, which it still reads.
                warnings.simplefilter("ignore", PendingDeprecationWarning)
                self._search = jmespath.compile(text).search
        except (JMESPathError, ValueError, RecursionError) as error:
            reason = " ".join(str(error).split("\n")[0].split()).rstrip(":.")
            raise BadDocument(f"The JMESPath {text!r} of {key} does not parse: {reason}.") from error

    def find(self, document: Any, place: str) -> Any:
        """What it finds in a document, None where that is nothing.

        Raises:
            BadData: A function of it does not fit what it is given.
        """
        if self._plain and isinstance(document, dict):
            return document.get(self.text)
        try:
            return self._search(document)
        except Exception as error:
            # The interpreter raises whatever its functions raise on values that they were not made for.
            reason = " ".join(str(error).split()) or type(error).__name__
            raise BadData(
                f"The JMESPath {self.text!r} of {self.key} fails in {place}: {reason.rstrip('.')}."
            ) from error


@dataclass
class _Rows:
    """Rows as they are gathered: features, then the single values in the order of `Expressions.single`."""

    features: list[list[Any]]
    singles: tuple[list[Any], ...]
    counts: list[int]
    lines: list[int]


def read_json_lines(
    files: Sequence[Content],
    expressions: Expressions,
    headers: tuple[str, ...] | None,
    progress: Callable[[str], None] = lambda _: None,
) -> Table:
    """Reads JSON Lines files as one table: one row a line.

    Args:
        files: At least one; blank lines are nothing.
        expressions: What to find in each line.
        headers: Names of the features, then of the label, then of the predicted label.
        progress: Told about every 100,000 lines.

    Raises:
        BadData: Naming file and line.
    """
    rows = _Rows([], tuple([] for _ in expressions.single), [], [])
    for file in files:
        before = len(rows.features)
        for line, document in _documents(file):
            place = f"line {line} of {file.address}"
            _refuse_other(rows, expressions.features.find(document, place), expressions, place)
            for values, expression in zip(rows.singles, expressions.single, strict=True):
                values.append(_one_value(expression.find(document, place), expression, place))
            rows.lines.append(line)
            if len(rows.features) % _LINES_BETWEEN_REPORTS == 0:
                progress(f"read {len(rows.features)} lines of JSON")
        rows.counts.append(len(rows.features) - before)

    def place_of(row: int) -> str:
        return f"line {rows.lines[row]} of {files[row_in_file(rows.counts, row)[0]].address}"

    return _table(files, rows, expressions, headers, place_of)


def read_json(
    files: Sequence[Content],
    expressions: Expressions,
    headers: tuple[str, ...] | None,
    progress: Callable[[str], None] = lambda _: None,
) -> Table:
    """Reads JSON documents as one table: `features` finds a list of rows in each, `label` a list of values.

    Args:
        files: At least one.
        expressions: What to find in each document.
        headers: Names of the features, then of the label, then of the predicted label.
        progress: Told about each file.

    Raises:
        BadData: Naming file and row.
    """
    rows = _Rows([], tuple([] for _ in expressions.single), [], [])
    for file in files:
        progress(f"parsing {file.address}")
        document, shown = _document(_text(file), f"The data file {file.address}", lines=False), file.address
        found = _list(document, expressions.features, shown)
        for position, features in enumerate(found, start=1):
            _refuse_other(rows, features, expressions, f"row {position} of {shown}")
        for values, expression in zip(rows.singles, expressions.single, strict=True):
            singles = _list(document, expression, shown)
            if len(singles) != len(found):
                raise BadData(
                    f"In {shown} features {expressions.features.text!r} finds {len(found)} rows "
                    f"and {expression.key} {expression.text!r} {len(singles)}."
                )
            values += [
                _one_value(value, expression, f"row {position} of {shown}")
                for position, value in enumerate(singles, start=1)
            ]
        rows.counts.append(len(found))

    def place_of(row: int) -> str:
        file, position = row_in_file(rows.counts, row)
        return f"row {position + 1} of {files[file].address}"

    return _table(files, rows, expressions, headers, place_of)


def _documents(file: Content) -> Iterator[tuple[int, Any]]:
    _text(file)
    content = file.data.removeprefix(BOM)
    # A line break within a JSON string is escaped, so that these are the ends of lines and nothing else.
    for line, text in enumerate(content.splitlines(), start=1):
        if text.strip():
            yield line, _document(text.decode(), f"Line {line} of {file.address}", lines=True)


def _text(file: Content) -> str:
    if not file.data.removeprefix(BOM).strip():
        raise BadData(f"The data file {file.address} is empty.")
    line = line_of_foreign_text(file.data)
    if line is not None:
        raise BadData(f"The data file {file.address} is not UTF-8 text: line {line}.", misnamed(file.data))
    return file.data.decode("utf-8-sig")


def _document(text: str, what: str, *, lines: bool) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        if lines:
            hint = "JSON Lines has one whole document in each line; a document over several lines is application/json."
            raise BadData(f"{what} is not valid JSON: {error.msg} at column {error.colno}.", hint) from error
        hint = "JSON Lines data are application/jsonlines." if error.msg == "Extra data" else ""
        raise BadData(
            f"{what} is not valid JSON: line {error.lineno}, column {error.colno}: {error.msg}.", hint
        ) from error
    except (ValueError, RecursionError) as error:
        raise BadData(f"{what} cannot be read as JSON: {str(error).split(';')[0].rstrip('.')}.") from error


def _list(document: Any, expression: Expression, shown: str) -> list[Any]:
    """The rows that an expression finds in a document."""
    found = expression.find(document, shown)
    if found is None or found == []:
        raise BadData(f"The JMESPath {expression.text!r} of {expression.key} finds nothing in {shown}.")
    if not isinstance(found, list):
        raise BadData(
            f"The JMESPath {expression.text!r} of {expression.key} finds {_kind(found)} in {shown}, not a list of rows."
        )
    _refuse_gaps(document, expression, found, shown)
    return found


def _refuse_gaps(document: Any, expression: Expression, found: list[Any], shown: str) -> None:
    """A projection leaves out what is null or absent, and every value after it would belong to another row.

    Raises:
        BadData: Naming the first row that has none, where the expression is one projection: `instances[*].label`.
    """
    projection = _PROJECTION.fullmatch(str(expression.text))
    if projection is None:
        return
    records = Expression(expression.key, projection["records"] or "@").find(document, shown)
    if not isinstance(records, list) or len(records) == len(found):
        return
    value = Expression(expression.key, projection["value"])
    row = next((at for at, one in enumerate(records, start=1) if value.find(one, shown) is None), None)
    raise BadData(
        f"The JMESPath {expression.text!r} of {expression.key} finds {len(found)} values in {len(records)} rows of {shown}"
        + (f": row {row} has none." if row else "."),
        "A JMESPath projection leaves out what is null or absent: give every row a value.",
    )


def _refuse_other(rows: _Rows, features: Any, expressions: Expressions, place: str) -> None:
    """Takes up a row's features.

    Raises:
        BadData: They are no flat list, or of another length than those of the first row.
    """
    text = expressions.features.text
    if features is None:
        raise BadData(f"The JMESPath {text!r} of features finds nothing in {place}.")
    if not isinstance(features, list):
        raise BadData(
            f"The JMESPath {text!r} of features finds {_kind(features)} in {place}, not a list.",
            'A list is made of keys like this: [age, "marital status"].',
        )
    if not _NESTED.isdisjoint(map(type, features)):
        position, value = next((at, one) for at, one in enumerate(features) if type(one) in _NESTED)
        raise BadData(
            f"Feature {position} in {place} is {_kind(value)}, not a single value.", "Features are a flat list a row."
        )
    if rows.features and len(features) != len(rows.features[0]):
        raise BadData(f"There are {len(features)} features in {place}, and {len(rows.features[0])} in the first row.")
    if not features:
        raise BadData(f"The JMESPath {text!r} of features finds an empty list in {place}.")
    rows.features.append(features)


def _one_value(value: Any, expression: Expression, place: str) -> Any:
    if isinstance(value, list | dict):
        raise BadData(
            f"The JMESPath {expression.text!r} of {expression.key} finds {_kind(value)} in {place}, not a single value."
        )
    return value


def _table(
    files: Sequence[Content],
    rows: _Rows,
    expressions: Expressions,
    headers: tuple[str, ...] | None,
    place: Callable[[int], str],
) -> Table:
    width = len(rows.features[0])
    names = headers or column_names(width + len(rows.singles))
    if len(names) != width + len(rows.singles):
        parts = [f"{width} features", *(f"the {one.key.replace('_', ' ')}" for one in expressions.single)]
        raise BadData(
            f"headers names {len(names)} columns, and {files[0].address} has {width + len(rows.singles)}: "
            f"{' and '.join(parts)}.",
            "headers names the features, then the label, then the predicted label, as far as they are configured.",
        )
    refuse_twins(names, "headers")
    for values, expression in zip(rows.singles, expressions.single, strict=True):
        if all(value is None for value in values):
            raise BadData(
                f"The JMESPath {expression.text!r} of {expression.key} finds nothing in any row of {files[0].address}."
            )
    columns = [*zip(*rows.features, strict=True), *rows.singles]
    frame = pd.DataFrame(
        {name: _column(list(values), name, place) for name, values in zip(names, columns, strict=True)}, copy=False
    )
    singles = dict(zip([one.key for one in expressions.single], names[width:], strict=True))
    return Table(frame, tuple(rows.counts), place, (), singles.get("label"), singles.get("predicted_label"))


def _column(values: list[Any], name: str, place: Callable[[int], str]) -> pd.Series:
    """A column with the type that pandas gives to such values in a CSV file: text where there is any."""
    kinds = {type(value) for value in values} - {type(None)}
    if str in kinds and len(kinds) > 1:
        return pd.Series([value if value is None or isinstance(value, str) else json.dumps(value) for value in values])
    if bool in kinds and len(kinds) > 1:
        row = next(row for row, value in enumerate(values) if isinstance(value, bool))
        raise BadData(
            f"The column {name!r} holds {json.dumps(values[row])} in {place(row)} and numbers in other rows.",
            "Write either numbers or true and false.",
        )
    try:
        return pd.Series(values, dtype=float) if kinds == {int, float} or not kinds else pd.Series(values)
    except OverflowError:
        # An integer beyond what a float holds; pandas reads one in a CSV file as text.
        return pd.Series([None if value is None else json.dumps(value) for value in values])


def _kind(value: Any) -> str:
    words = {dict: "an object", list: "a list", str: "text", bool: "a truth value", int: "a number", float: "a number"}
    return words.get(type(value), "null")

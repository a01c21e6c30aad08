"""Rows of features as the body of a request: CSV, JSON Lines, JSON by Clarify's templates, or what `mlflow models serve` reads."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clarify_ops.errors import BadData, BadDocument, NotSupported, nearest

CSV: Final = "text/csv"
JSON_LINES: Final = "application/jsonlines"
JSON: Final = "application/json"
ContentType = Literal["text/csv", "application/jsonlines", "application/json"]
Flavour = Literal["clarify", "mlflow"]

_LINE = "$features"
_RECORD = re.compile(r"\$(features_kvp|feature_names|features)\b")
_CONTENT = re.compile(r"\$(records|record|feature_names)\b")
_SERIES = re.compile(r"\$(target_time_series|related_time_series|static_covariates|start_time)\b")
_NAMED = re.compile(r'"\$\{(.*?)\}"')
_SPECIAL = re.compile(r'[",\r\n]')


@dataclass(frozen=True)
class Layout:
    """A body, for features of known names: opening, records with a separator between them, closing.

    Attributes:
        content_type: Of the request.
        opening, separator, closing: What stands around the records.
        pieces: The text before each value of a record, and last the text after all of them.
        columns: The position of the feature whose value follows each piece but the last.
        alone: One record a request.
    """

    content_type: ContentType
    opening: str
    separator: str
    closing: str
    pieces: tuple[str, ...]
    columns: tuple[int, ...]
    alone: bool = False

    def records(self, features: pd.DataFrame) -> list[str]:
        """One text a row.

        Raises:
            BadData: A value that the format cannot say.
        """
        write, missing = (_csv, "") if self.content_type == CSV else (_json, "null")
        parts = [
            _cells(features.iloc[:, at], write, missing, piece)
            for piece, at in zip(self.pieces, self.columns, strict=False)
        ]
        if self.pieces[-1]:
            parts.append([self.pieces[-1]] * len(features))
        lines = list(map("".join, zip(*parts, strict=True)))
        if self.content_type == CSV and len(self.columns) == 1:
            # A reader of CSV takes an empty line for none at all.
            lines = [line or '""' for line in lines]
        return lines

    def body(self, records: Sequence[str]) -> bytes:
        """The request of these records."""
        return f"{self.opening}{self.separator.join(records)}{self.closing}".encode()


@dataclass(frozen=True)
class Encoding:
    """How an endpoint wants to be asked, in Clarify's words.

    Attributes:
        content_type: Of the request.
        content_template: For JSON Lines a line around `$features`; for JSON the document around `$records`, or around
            `$record` where the endpoint takes one row a request.
        record_template: For JSON: `$features`, with `$feature_names` if wanted; or `$features_kvp`; or `"${name}"` for each
            feature.
        flavour: "mlflow" for `mlflow models serve`: its `dataframe_split` in JSON, or CSV with a header.
    """

    content_type: ContentType = CSV
    content_template: str | dict[str, str] | None = None
    record_template: str | None = None
    flavour: Flavour = "clarify"

    def __post_init__(self) -> None:
        templates = {"content_template": self.content_template, "record_template": self.record_template}
        needed = _NEEDED[self.content_type] if self.flavour == "clarify" else frozenset()
        for key, value in templates.items():
            if value is not None and key not in needed:
                raise BadDocument(f"{key} says nothing about a request of {self.content_type}.", "Leave it out.")
            if value is None and key in needed:
                raise BadDocument(f"A request of {self.content_type} needs a {key}.", f"Such as {_EXAMPLES[key]}.")
        if self.flavour == "mlflow" and self.content_type == JSON_LINES:
            raise NotSupported("mlflow models serve reads no JSON Lines.", "Ask it in application/json or text/csv.")

    def layout(self, names: Sequence[str]) -> Layout:
        """The body for features of these names, in this order.

        Raises:
            BadDocument: A template lacks its placeholder, names another feature, or makes no JSON.
        """
        if self.flavour == "mlflow":
            return _mlflow(self.content_type, names)
        if self.content_type == CSV:
            return _comma_separated(names, opening="")
        content = _as_text(self.content_template)
        if self.content_type == JSON_LINES:
            return _lines(content, names)
        return _document(content, str(self.record_template), names)


_NEEDED = {
    CSV: frozenset[str](),
    JSON_LINES: frozenset({"content_template"}),
    JSON: frozenset({"content_template", "record_template"}),
}
_EXAMPLES = {"content_template": '{"features": $features} or {"instances": $records}', "record_template": "$features"}


def _comma_separated(names: Sequence[str], opening: str) -> Layout:
    pieces = ("", *([","] * (len(names) - 1)), "")
    return Layout(CSV, opening, "\n", "", pieces, tuple(range(len(names))))


def _mlflow(content_type: ContentType, names: Sequence[str]) -> Layout:
    if content_type == CSV:
        return _comma_separated(names, opening=",".join(map(_csv, names)) + "\n")
    opening = f'{{"dataframe_split":{{"columns":{json.dumps(list(names))},"data":['
    pieces, columns = _record("$features", names)
    return Layout(JSON, opening, ",", "]}}", pieces, columns)


def _as_text(template: str | dict[str, str] | None) -> str:
    """A template given as an object: its placeholders are values, not texts."""
    if isinstance(template, dict):
        return re.sub(r'"(\$[a-z_]+)"', r"\1", json.dumps(template))
    return str(template)


def _lines(content: str, names: Sequence[str]) -> Layout:
    found = [one.group(0) for one in _RECORD.finditer(content)]
    if found != [_LINE]:
        raise BadDocument(
            f"content_template {content!r} needs the placeholder $features once, and no other, for JSON Lines.",
            f"Such as {_EXAMPLES['content_template'].split(' or ')[0]}.",
        )
    if "\n" in content:
        content = " ".join(content.split("\n"))
    pieces, columns = _record(content, names)
    _check("content_template", content, pieces)
    return Layout(JSON_LINES, "", "\n", "", pieces, columns)


def _document(content: str, record: str, names: Sequence[str]) -> Layout:
    _refuse_series(content + record)
    found = [one for one in _CONTENT.finditer(content) if one.group(1) != "feature_names"]
    if len(found) != 1:
        raise BadDocument(
            f"content_template {content!r} needs either $records or $record, once, for JSON.",
            f"Such as {_EXAMPLES['content_template'].split(' or ')[1]}.",
        )
    pieces, columns = _record(record, names)
    _check("record_template", record, pieces)
    alone = found[0].group(1) == "record"
    before, after = (
        part.replace("$feature_names", json.dumps(list(names)))
        for part in (content[: found[0].start()], content[found[0].end() :])
    )
    opening, closing = (before, after) if alone else (f"{before}[", f"]{after}")
    _check("content_template", content, (opening, closing))
    return Layout(JSON, opening, ",", closing, pieces, columns, alone)


def _record(template: str, names: Sequence[str]) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """The pieces and columns of one record."""
    _refuse_series(template)
    named = _NAMED.search(template) is not None
    tokens: list[str | int] = []
    at = 0
    for one in (_NAMED if named else _RECORD).finditer(template):
        tokens.append(template[at : one.start()])
        tokens += [_position(one.group(1), names)] if named else _expanded(one.group(1), names)
        at = one.end()
    tokens.append(template[at:])
    columns = tuple(token for token in tokens if isinstance(token, int))
    if sorted(columns) != list(range(len(names))):
        absent = sorted(set(range(len(names))) - set(columns))
        wrong = f"leaves out the feature {names[absent[0]]!r}" if absent else "has a feature twice"
        raise BadDocument(
            f"record_template {template!r} {wrong}.", 'Placeholders: $features, $features_kvp, or "${name}" for each.'
        )
    pieces = [""]
    for token in tokens:
        if isinstance(token, int):
            pieces.append("")
        else:
            pieces[-1] += token
    return tuple(pieces), columns


def _position(name: str, names: Sequence[str]) -> int:
    if name not in names:
        raise BadDocument(f"record_template names the feature {name!r}, which there is not.", nearest(name, names))
    return list(names).index(name)


def _expanded(placeholder: str, names: Sequence[str]) -> list[str | int]:
    if placeholder == "feature_names":
        return [json.dumps(list(names))]
    keyed = placeholder == "features_kvp"
    tokens: list[str | int] = ["{" if keyed else "["]
    for at, name in enumerate(names):
        tokens += [("," if at else "") + (f"{json.dumps(name)}:" if keyed else ""), at]
    return [*tokens, "}" if keyed else "]"]


def _refuse_series(template: str) -> None:
    found = _SERIES.search(template)
    if found:
        raise NotSupported(f"The template's placeholder {found.group(0)} is for time series, which are not analysed.")


def _check(key: str, template: str, pieces: Sequence[str]) -> None:
    """Stops at a template that makes no JSON, before an endpoint does."""
    try:
        # A text, so that a placeholder within quotation marks shows.
        json.loads('"x"'.join(pieces))
    except json.JSONDecodeError as error:
        raise BadDocument(
            f"{key} {template!r} makes no valid JSON: {error.msg} at column {error.colno}.",
            "A placeholder stands without quotation marks, for it becomes a list or an object.",
        ) from error


def _cells(column: pd.Series[Any], write: Callable[[Any], str], missing: str, before: str) -> list[str]:
    """The texts of a column, with what stands before each; a value is written once, for hybrids of a few rows repeat them."""
    codes, distinct = _distinct(column)
    try:
        texts = [before + (missing if _is_missing(one) else write(one)) for one in distinct]
    except ValueError as error:
        raise BadData(f"The feature {column.name!r} {error}.", "Ask in text/csv, or replace the value.") from error
    taken: list[str] = np.array(texts, dtype=object)[codes].tolist() if texts else []
    return taken


def _distinct(column: pd.Series[Any]) -> tuple[NDArray[np.intp], list[Any]]:
    """The position of each row's value among the distinct ones, and these as Python's objects."""
    # A column of pandas' own types would become one of floats where a value is missing, so that it is taken as objects.
    if isinstance(column.dtype, np.dtype) and column.dtype.kind in "fiub":
        values = column.to_numpy()
        if column.dtype.kind != "f":
            codes, found = pd.factorize(values)
            return codes, found.tolist()
        # By their bits: 0.0 and -0.0 are equal, and written differently.
        codes, found = pd.factorize(np.ascontiguousarray(values, dtype=np.float64).view(np.int64))
        return codes, found.view(np.float64).tolist()
    objects = column.astype(object).tolist()
    # By type as well: 1, 1.0 and True are equal, and written differently.
    plain = set(map(type, objects)) == {str}
    keys = objects if plain else [f"{type(one).__name__} {one}" for one in objects]
    codes, found = pd.factorize(np.array(keys, dtype=object))
    if plain:
        return codes, found.tolist()
    first = np.zeros(len(found), dtype=np.intp)
    first[codes[::-1]] = np.arange(len(objects))[::-1]
    return codes, [objects[at] for at in first]


def _is_missing(value: Any) -> bool:
    return value is None or value is pd.NA or value is pd.NaT or (isinstance(value, float) and math.isnan(value))


def _csv(value: Any) -> str:
    if isinstance(value, float):
        return repr(float(value))
    text = str(value)
    return '"' + text.replace('"', '""') + '"' if _SPECIAL.search(text) else text


def _json(value: Any) -> str:
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float):
        if math.isinf(value):
            raise ValueError("has an infinite value, which JSON cannot say")
        return repr(float(value))
    return json.dumps(value if isinstance(value, str | int) else str(value))

"""Clarify's rules row by row, in plain Python: slow, and plain to see."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from clarify_ops.config.analysis import AnalysisConfig

Rows = list[Any]
Side = list[bool]


class Refused(Exception):
    """The rules have no answer; the argument is Clarify's text."""


def rows_of(series: pd.Series) -> Rows:
    """One Python value a row, None where it is missing."""
    return [None if pd.isna(value) else getattr(value, "item", lambda value=value: value)() for value in series]


def whole(value: Any) -> bool:
    try:
        int(value)
    except (TypeError, ValueError):
        return False
    return True


def kind_of(series: pd.Series, values: Sequence[Any] | None) -> str:
    rows = rows_of(series)
    present = [value for value in rows if value is not None]
    if str(series.dtype) == "category" or (values and len(values) > 1):
        return "categorical"
    if str(series.dtype) in {"bool", "boolean"}:
        return "categorical"
    if str(series.dtype).lower().startswith("float"):
        return "continuous"
    different: Rows = []
    for value in present:
        if value not in different:
            different.append(value)
    spread = bool(present) and len(different) * 20 >= len(present)
    if str(series.dtype).lower().startswith("int"):
        return "continuous" if spread else "categorical"
    return "continuous" if spread and None not in rows and all(whole(value) for value in rows) else "categorical"


def cast(first: Any, value: Any) -> Any:
    if isinstance(first, bool):
        return (
            {"true": True, "1": True, "false": False, "0": False}[value.lower()]
            if isinstance(value, str)
            else bool(value)
        )
    if isinstance(first, int):
        return int(value) if whole(value) else float(value)
    return type(first)(value)


def equal(rows: Rows, values: Sequence[Any]) -> Side:
    found = [value is not None and value in values for value in rows]
    present = [value for value in rows if value is not None]
    if any(found) or not present:
        return found
    try:
        other = [cast(present[0], value) for value in values]
    except (TypeError, ValueError, KeyError):
        return found
    return [value is not None and value in other for value in rows]


def number(value: Any) -> Any:
    return int(value) if isinstance(value, str) else value


def above(rows: Rows, threshold: float, others: Rows = ()) -> tuple[Side, str]:  # type: ignore[assignment]
    numbers = [number(value) for value in (*rows, *others) if value is not None]
    top = max(numbers, default=math.nan)
    if abs(top) == threshold:
        return [False] * len(rows), ""
    low, high = (threshold, top) if not top < threshold else (top, threshold)
    if isinstance(low, float) or isinstance(high, float):
        low, high = float(low), float(high)
    return [value is not None and low < number(value) <= high for value in rows], f"({low}, {high}]"


def positives(series: pd.Series, values: Sequence[Any], others: pd.Series | None = None) -> tuple[Side, str]:
    if kind_of(series, values) == "categorical":
        return equal(rows_of(series), values), ",".join(map(str, values))
    if len(values) != 1 or isinstance(values[0], str):
        raise Refused("Facet/label value provided must be a single numeric threshold for continuous data")
    return above(rows_of(series), values[0], [] if others is None else rows_of(others))


@dataclass
class Entry:
    facet: str
    value: str
    members: Side


@dataclass
class Expected:
    positive: str
    shared: str
    label: Side
    predicted: Side
    entries: list[Entry]


def expected(frame: pd.DataFrame, analysis: AnalysisConfig) -> Expected | str:
    """What is to be counted, or Clarify's text where the rules have no answer."""
    values = analysis.label_values_or_threshold or ()
    try:
        _, alone = positives(frame["label"], values)
        if kind_of(frame["label"], values) != kind_of(frame["predicted"], values):
            return "Predicted Label Column series datatype is not the same as Label Column series"
        label, shared = positives(frame["label"], values, frame["predicted"])
        predicted, _ = positives(frame["predicted"], values, frame["label"])
        entries = [
            entry
            for facet in analysis.facet or ()
            for entry in facet_entries(frame[facet.name_or_index], facet.value_or_threshold)
        ]
    except Refused as refusal:
        return str(refusal)
    return Expected(alone, shared, label, predicted, entries)


def facet_entries(series: pd.Series, values: Sequence[Any] | None) -> list[Entry]:
    name, rows = str(series.name), rows_of(series)
    if values:
        members, text = positives(series, values)
        return [Entry(name, text, members)]
    if kind_of(series, None) == "continuous":
        raise Refused("Threshold values must be provided for continuous features")
    entries: dict[Any, Entry] = {}
    for value in rows:
        if value not in entries:
            same = [other is None if value is None else other is not None and other == value for other in rows]
            entries[value] = Entry(name, "nan" if value is None else str(value), same)
    return list(entries.values())


def combinations(columns: Sequence[Sequence[str | None]]) -> tuple[list[Entry], int, int]:
    """Entries of an intersection, its rows without a value, and how many combinations no row has."""
    found: dict[str, Side] = {}
    missing = 0
    rows = list(zip(*columns, strict=True))
    for row in rows:
        if None in row:
            missing += 1
        else:
            found[" & ".join(map(str, row))] = [other == row for other in rows]
    possible = math.prod(len({value for value in column if value is not None}) for column in columns)
    return [Entry("", value, members) for value, members in found.items()], missing, possible - len(found)


def segment(rows: Rows, tests: Sequence[Callable[[Any], bool]]) -> list[int]:
    """Place of each row's segment; the number of tests for the rest, -1 for a missing value."""
    return [
        -1 if value is None else next((i for i, test in enumerate(tests) if test(value)), len(tests)) for value in rows
    ]


def cells(
    d: Sequence[bool], label: Sequence[bool], predicted: Sequence[bool], only: Sequence[bool] | None = None
) -> list[list[list[int]]]:
    """[side][label][prediction] rows, one by one."""
    found = [[[0, 0], [0, 0]], [[0, 0], [0, 0]]]
    for i, side in enumerate(d):
        if only is None or only[i]:
            found[side][label[i]][predicted[i]] += 1
    return found

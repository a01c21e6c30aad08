"""The rows of a table that a filter means, with a third answer for rows that lack a value."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clarify_ops.errors import BadDocument
from clarify_ops.explain.filters import (
    Both,
    Column,
    Comparison,
    Constant,
    Missing,
    Node,
    Not,
    Operator,
    Truth,
    mirrored,
    parse_filter,
)

Mask = NDArray[np.bool_]
Kind = Literal["numbers", "text", "truth values"]
_COMPARE: Mapping[Operator, Callable[[Any, Any], Any]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


@dataclass(frozen=True, eq=False)
class Answer:
    """What a condition says of every row; Kleene's logic of three values.

    Attributes:
        yes: (rows,) it holds.
        no: (rows,) it does not; where neither, a value is missing.
    """

    yes: Mask
    no: Mask

    @property
    def unknown(self) -> int:
        """Rows of which it says nothing."""
        return int((~(self.yes | self.no)).sum())


@dataclass(frozen=True, eq=False)
class _Values:
    kind: Kind
    values: NDArray[Any]
    known: Mask


def filter_rows(text: str, frame: pd.DataFrame, what: str = "The filter") -> Answer:
    """Says of every row whether an expression means it.

    Args:
        text: The expression; see `clarify_ops.explain.filters`.
        frame: (rows, columns) of the dataset.
        what: Opens the sentence of an error.

    Raises:
        BadDocument: It does not parse, names a column that does not exist, or compares numbers with text.
    """
    node = parse_filter(text, [str(name) for name in frame.columns], what)
    return _answer(node, _Rows(frame), what)


class _Rows:
    """The columns of a table, each made comparable once."""

    def __init__(self, frame: pd.DataFrame) -> None:
        self._frame = frame
        self._made: dict[str, _Values] = {}

    def gaps(self, column: Column) -> Mask:
        return self._frame[column.name].isna().to_numpy(dtype=bool)

    def values(self, column: Column, what: str) -> _Values:
        if column.name not in self._made:
            self._made[column.name] = _values(self._frame[column.name], column, what)
        return self._made[column.name]


def _answer(node: Node, rows: _Rows, what: str) -> Answer:
    match node:
        case Not(inner):
            found = _answer(inner, rows, what)
            return Answer(found.no, found.yes)
        case Both(parts, any_of):
            return _joined((_answer(part, rows, what) for part in parts), any_of=any_of)
        case Missing(column):
            gap = rows.gaps(column)
            return Answer(gap, ~gap)
        case Truth(column):
            given = rows.values(column, what)
            if given.kind != "truth values":
                raise BadDocument(
                    f"{what}: the column {column.name!r} at character {column.at} holds {given.kind}, "
                    "which are not true or false by themselves.",
                    "Compare it with a value.",
                )
            truth = given.values.astype(bool) & given.known
            return Answer(truth, given.known & ~truth)
        case Comparison():
            return _compared(node, rows, what)


def _joined(answers: Iterator[Answer], *, any_of: bool) -> Answer:
    first = next(answers)
    # One after the other: a list of thousands of values over a million rows is no array.
    yes, no = first.yes.copy(), first.no.copy()
    for one in answers:
        if any_of:
            yes |= one.yes
            no &= one.no
        else:
            yes &= one.yes
            no |= one.no
    return Answer(yes, no)


def _compared(node: Comparison, rows: _Rows, what: str) -> Answer:
    node = node if isinstance(node.left, Column) else mirrored(node)
    assert isinstance(node.left, Column)  # noqa: S101 - the parser lets no comparison of two constants pass
    left = rows.values(node.left, what)
    if isinstance(node.right, Column):
        right = rows.values(node.right, what)
        if left.kind != right.kind:
            raise _other_kinds(what, node.left, left.kind, f"the {right.kind} of {node.right.name!r}")
        known, other = left.known & right.known, right.values
    else:
        if isinstance(node.right, bool) and left.kind == "numbers":
            raise _other_kinds(what, node.left, left.kind, "a truth value")
        known, other = left.known, _constant(node.right, left.kind, node.left, what)
    if left.kind == "truth values" and node.operator not in {"==", "!="}:
        raise BadDocument(f"{what}: truth values, as at character {node.left.at}, are compared by == and != alone.")
    # Where a value is missing, something stands in its place that compares.
    found = np.asarray(_COMPARE[node.operator](left.values, other), dtype=bool)
    return Answer(found & known, ~found & known)


def _constant(value: Constant, kind: Kind, column: Column, what: str) -> Any:
    """A constant as the values of a column are compared with."""
    if kind == "text":
        if isinstance(value, str):
            return value
        said = "a truth value" if isinstance(value, bool) else f"the number {value}"
        raise _other_kinds(what, column, kind, said, "Put it in quotes." if not isinstance(value, bool) else "")
    if isinstance(value, str):
        shown = value if len(value) <= 40 else f"{value[:40]}..."
        raise _other_kinds(what, column, kind, f"the text {shown!r}")
    if kind == "truth values" and value not in (0, 1):
        raise _other_kinds(what, column, kind, f"the number {value}")
    # An integer beyond what the column's own type holds compares as a float does.
    return float(value) if isinstance(value, int) and not -(2**63) <= value < 2**63 else value


def _other_kinds(what: str, column: Column, kind: Kind, other: str, hint: str = "") -> BadDocument:
    return BadDocument(
        f"{what}: at character {column.at} the column {column.name!r}, of {kind}, is compared with {other}.", hint
    )


def _values(series: pd.Series, column: Column, what: str) -> _Values:
    dtype: Any = series.dtype.categories.dtype if isinstance(series.dtype, pd.CategoricalDtype) else series.dtype
    known = series.notna().to_numpy(dtype=bool)
    if isinstance(dtype, np.dtype) and dtype.kind in "iufb" and not isinstance(series.dtype, pd.CategoricalDtype):
        return _Values("truth values" if dtype.kind == "b" else "numbers", series.to_numpy(), known)
    present = series[known].astype(object).to_numpy()
    kinds = {_kind(value) for value in present}
    if len(kinds) > 1 or None in kinds:
        holds = "text beside numbers" if None not in kinds else f"{dtype} values"
        raise BadDocument(
            f"{what}: the column {column.name!r} at character {column.at} holds {holds}, and is no filter."
        )
    kind: Kind | None = next(iter(kinds), None) or _declared(dtype)
    if kind == "numbers":
        numbers = np.zeros(len(series))
        numbers[known] = present.astype(np.float64)
        return _Values(kind, numbers, known)
    if kind == "truth values":
        truth = np.zeros(len(series), dtype=bool)
        truth[known] = present.astype(bool)
        return _Values(kind, truth, known)
    text = np.full(len(series), "", dtype=object)
    text[known] = present
    return _Values("text", text, known)


def _kind(value: object) -> Kind | None:
    if isinstance(value, bool | np.bool_):
        return "truth values"
    if isinstance(value, int | float | np.integer | np.floating):
        return "numbers"
    return "text" if isinstance(value, str) else None


def _declared(dtype: Any) -> Kind:
    """What a column without any value would hold."""
    if pd.api.types.is_bool_dtype(dtype):
        return "truth values"
    return "numbers" if pd.api.types.is_numeric_dtype(dtype) else "text"

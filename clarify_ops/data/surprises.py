"""How a column was read and why, with a word where most people would expect otherwise."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from clarify_ops.config.analysis import Value
from clarify_ops.data.kinds import (
    UNIQUENESS_OF_CONTINUOUS,
    Distinct,
    Kind,
    castable_to_int,
    kind_of,
    numbers_of,
    threshold_interval,
)

# An inferred kind is called shaky where uniqueness is nearer than this share to the border.
_NEAR_THE_BORDER = 0.2
_MANY_VALUES = 10


@dataclass(frozen=True)
class KindNote:
    """How a column was read, and why.

    Attributes:
        kind: Categorical or continuous.
        by_hand: Whether the configuration said so.
        type: The column's type as pandas names it ("int64", "str", "float64", "bool", "category").
        distinct: Distinct values, missing ones not counted.
        present: Rows with a value.
        warning: A sentence where the inferred kind would surprise; else empty.
    """

    kind: Kind
    by_hand: bool
    type: str
    distinct: int
    present: int
    warning: str = ""

    @property
    def text(self) -> str:
        """In words: `continuous (int64, 2 distinct values in 30 rows)`."""
        return f"{self.kind} ({self.type}, {self.distinct} distinct values in {self.present} rows)"


def kind_note(
    distinct: Distinct, values: Sequence[Value] | None, by_hand: Kind | None, *, is_label: bool = False
) -> KindNote:
    """Settles a column's kind, and says what is surprising about it.

    Args:
        distinct: The column.
        values: Values or thresholds that the configuration gives for it, if any.
        by_hand: Its kind as the configuration says it, which then surprises nobody.
        is_label: Whether it is a label or predicted label.
    """
    kind = by_hand or kind_of(distinct, values)
    found = [] if by_hand else list(_surprises(distinct, kind, values or (), is_label=is_label))
    if found:
        what = f"The label {distinct.name}" if is_label else distinct.name
        found = [f"{what} was inferred to be {kind}, as Clarify infers it{''.join(found)}."]
        found.append(f'Set clarify_ops.kinds: {{"{distinct.name}": "{_other(kind)}"}} to change that.')
    column = distinct.values
    return KindNote(kind, by_hand is not None, str(column.dtype), len(column), distinct.present, " ".join(found))


def _surprises(distinct: Distinct, kind: Kind, values: Sequence[Value], *, is_label: bool) -> Iterator[str]:
    column = distinct.values
    integer = pd.api.types.is_integer_dtype(column.dtype)
    one = values[0] if len(values) == 1 and not isinstance(values[0], str) else None
    if integer and kind == "categorical" and len(column) > _MANY_VALUES and one is not None:
        yield f": {one} means equal to, not above"
    if is_label and kind == "continuous" and len(column) == 2:
        yield ", though it has two values"
    if kind == "continuous" and one is not None and _nobody_above(column, one):
        yield f", and none of its values is above {one}"
    if _near_the_border(distinct, values):
        more = "more" if kind == "continuous" else "fewer"
        yield f"; {len(column)} distinct values in {distinct.present} rows: with some rows {more} it would be {_other(kind)}"
    if distinct.missing and len(values) < 2 and _whole_numbers_made_float(distinct):
        yield f"; its values are whole numbers, which the missing ones made {column.dtype}"


def _other(kind: Kind) -> Kind:
    return "categorical" if kind == "continuous" else "continuous"


def _nobody_above(column: pd.Series, threshold: float) -> bool:
    if column.empty:
        return False
    numbers = numbers_of(column)
    interval = threshold_interval(threshold, numbers)
    return interval is None or not ((numbers > interval[0]) & (numbers <= interval[1])).any()


def _near_the_border(distinct: Distinct, values: Sequence[Value]) -> bool:
    dtype = distinct.values.dtype
    if len(values) > 1 or isinstance(dtype, pd.CategoricalDtype) or pd.api.types.is_bool_dtype(dtype):
        return False
    border = UNIQUENESS_OF_CONTINUOUS
    if not distinct.present or abs(distinct.uniqueness - border) > _NEAR_THE_BORDER * border:
        return False
    if pd.api.types.is_integer_dtype(dtype):
        return True
    counts_as_text = not pd.api.types.is_numeric_dtype(dtype)
    return counts_as_text and not distinct.missing and castable_to_int(distinct.values)


def _whole_numbers_made_float(distinct: Distinct) -> bool:
    if not pd.api.types.is_float_dtype(distinct.values.dtype) or distinct.uniqueness >= UNIQUENESS_OF_CONTINUOUS:
        return False
    numbers = distinct.values.to_numpy(dtype=float)
    return len(numbers) > 0 and bool(np.isfinite(numbers).all() and (numbers == np.floor(numbers)).all())

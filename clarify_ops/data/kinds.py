"""Categorical or continuous, and which rows are positive: SageMaker Clarify's rules, which decide every number after them.

Source: reference behaviour of Clarify's analysis container, measured; the rules are a trap (a 0/1 label changes its kind
with the number of rows), so that every inferred kind is reported, and can be set by hand.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clarify_ops.config.analysis import Value
from clarify_ops.errors import BadData

Kind = Literal["categorical", "continuous"]
UNIQUENESS_OF_CONTINUOUS = 0.05
NOT_A_THRESHOLD = "Facet/label value provided must be a single numeric threshold for continuous data"
_TRUTH = {"true": True, "1": True, "false": False, "0": False}


@dataclass(frozen=True)
class Distinct:
    """What the rules need to know of a column: its distinct values, and how many rows have each.

    Attributes:
        name: The column's name.
        values: (distinct,) present values in order of appearance, of the column's own type.
        rows: (distinct,) rows with each.
        missing: Rows without a value.
        missing_place: Distinct values that appear before the first missing one.
    """

    name: str
    values: pd.Series
    rows: NDArray[np.int64]
    missing: int = 0
    missing_place: int = 0

    @property
    def present(self) -> int:
        """Rows with a value."""
        return int(self.rows.sum())

    @property
    def uniqueness(self) -> float:
        """Distinct values per row with a value."""
        return len(self.values) / self.present if self.present else 0.0


@dataclass(frozen=True)
class Column:
    """A column of the rows as codes of its distinct values.

    Attributes:
        distinct: The values.
        codes: (rows,) place of each row's value among them; -1 is missing. So `rule[codes]` is a rule for rows, where `rule`
            is one for the distinct values with a last element for missing ones.
    """

    distinct: Distinct
    codes: NDArray[np.int64]

    @classmethod
    def of(cls, series: pd.Series, weights: NDArray[np.int64] | None = None) -> Column:
        """Reads a column once.

        Args:
            series: (rows,) its values.
            weights: (rows,) how many rows of the dataset each of them stands for; one each by default.

        Raises:
            BadData: It holds lists or objects.
        """
        name = str(series.name)
        try:
            codes, uniques = pd.factorize(series)
        except TypeError as error:
            raise BadData(f"The column {name!r} holds lists or objects where values belong.") from error
        # Sums of whole numbers are exact in floats, up to 2**53 rows.
        rows = np.bincount(codes + 1, weights=weights, minlength=len(uniques) + 1).astype(np.int64)
        place = int(codes[: int(np.argmax(codes < 0))].max(initial=-1)) + 1 if rows[0] else 0
        # Arrow's own types refuse to be compared with values of another type; the rules do that.
        arrow = isinstance(series.dtype, pd.ArrowDtype)
        values = pd.Series(uniques.tolist() if arrow else uniques, dtype=None if arrow else series.dtype, name=name)
        return cls(Distinct(name, values, rows[1:], int(rows[0]), place), codes.astype(np.int64))

    def take(self, places: NDArray[np.integer[Any]]) -> Column:
        """The same column in other rows, which the distinct values' counts do not change with."""
        return Column(self.distinct, self.codes[places])


@dataclass(frozen=True)
class Positives:
    """Which rows, or which distinct values, match a list of values or thresholds.

    Attributes:
        matches: (rows,) or (distinct,) bool.
        text: How Clarify writes it: "1", "a,b", "(40, 75]".
        kind: Kind of the column.
    """

    matches: NDArray[np.bool_]
    text: str
    kind: Kind


def infer_kind(series: pd.Series, values: Sequence[Value] | None = None) -> Kind:
    """Clarify's inference for a column of rows.

    Args:
        series: The column.
        values: Values or thresholds that the configuration gives for it, if any.
    """
    return kind_of(Column.of(series).distinct, values)


def kind_of(distinct: Distinct, values: Sequence[Value] | None = None) -> Kind:
    """Clarify's inference.

    Args:
        distinct: The column.
        values: Values or thresholds that the configuration gives for it, if any.
    """
    dtype = distinct.values.dtype
    if isinstance(dtype, pd.CategoricalDtype) or (values is not None and len(values) > 1):
        return "categorical"
    if pd.api.types.is_bool_dtype(dtype):
        return "categorical"
    if pd.api.types.is_float_dtype(dtype):
        return "continuous"
    spread = distinct.uniqueness >= UNIQUENESS_OF_CONTINUOUS
    if pd.api.types.is_integer_dtype(dtype):
        return "continuous" if spread else "categorical"
    # A missing value cannot be cast, and text is cast as a whole.
    return "continuous" if spread and not distinct.missing and castable_to_int(distinct.values) else "categorical"


def match(
    series: pd.Series, values: Sequence[Value], kind: Kind | None = None, *, highest: float | None = None
) -> Positives:
    """The rows that match values (categorical) or lie above a threshold (continuous).

    Args:
        series: The column, or its distinct values, which the rule asks about one by one.
        values: At least one.
        kind: By hand; by default inferred from the rows.
        highest: Upper end of the last interval; by default the column's maximum. Label and prediction share one.

    Raises:
        BadData: A threshold is not a number, or the column holds text where numbers belong.
    """
    kind = kind or infer_kind(series, values)
    if kind == "categorical":
        matched = _equal_to_any(series, values)
        return Positives(matched, ",".join(str(value) for value in values), kind)
    if len(values) != 1 or isinstance(values[0], str | bool):
        name = str(series.name)
        raise BadData(
            NOT_A_THRESHOLD,
            f"The column {name!r} is continuous, and {list(values)!r} is not one number to split it at;"
            f' give one, or set clarify_ops.kinds: {{"{name}": "categorical"}}.',
        )
    numbers = numbers_of(series)
    interval = threshold_interval(values[0], numbers, highest)
    if interval is None:
        return Positives(np.zeros(len(series), dtype=bool), "", kind)
    low, high = interval
    matched = ((numbers > low) & (numbers <= high)).to_numpy(dtype=bool, na_value=False)
    return Positives(matched, f"({low}, {high}]", kind)


def threshold_interval(
    threshold: float, numbers: pd.Series, highest: float | None = None
) -> tuple[float, float] | None:
    """The right-closed interval that one threshold means: (threshold, maximum], or None where both are equal.

    A threshold above the maximum gives (maximum, threshold], which matches nobody: Clarify's own behaviour.
    """
    top = numbers.max() if highest is None else highest
    top = top.item() if hasattr(top, "item") else top
    if abs(top) == threshold:
        return None
    low, high = sorted((threshold, top))
    # An interval is printed with both ends of one type: (0.5, 0.99] or (2, 4], and (2.0, 3.5] where one end is a float.
    return (float(low), float(high)) if isinstance(low, float) or isinstance(high, float) else (low, high)


def _equal_to_any(series: pd.Series, values: Sequence[Value]) -> NDArray[np.bool_]:
    found = np.asarray(series.isin(list(values)).to_numpy(dtype=bool))
    if found.any() or series.dropna().empty:
        return found
    # Nothing matches: the values may be spelt in another type than the column's ("1" for 1).
    first = series.dropna().iloc[0]
    try:
        cast = [cast_like(first, value) for value in values]
    except (TypeError, ValueError, KeyError):
        return found
    return np.asarray(series.isin(cast).to_numpy(dtype=bool))


def cast_like(example: object, value: Value) -> object:
    """A value of the configuration in the type of a value of the data.

    Raises:
        ValueError: It cannot be spelt so; also TypeError and KeyError.
    """
    if isinstance(example, bool | np.bool_):
        # bool("False") is true: a word must be one of the two.
        return _TRUTH[value.strip().casefold()] if isinstance(value, str) else bool(value)
    if isinstance(example, int | np.integer):
        try:
            return int(value)
        except (ValueError, OverflowError):
            return float(value)
    if isinstance(example, float | np.floating):
        return float(value)
    return str(value)


def numbers_of(series: pd.Series) -> pd.Series:
    """A column, or its distinct values, as numbers.

    Raises:
        BadData: It holds text.
    """
    if pd.api.types.is_bool_dtype(series.dtype):
        return series.astype("Int64")
    if pd.api.types.is_numeric_dtype(series.dtype):
        return series
    try:
        return pd.to_numeric(series)
    except (ValueError, TypeError) as error:
        raise BadData(
            f"The column {str(series.name)!r} holds text where a threshold needs numbers: {str(error).splitlines()[0]}."
        ) from error


def castable_to_int(series: pd.Series) -> bool:
    """Whether a column can be read as whole numbers, all of it."""
    try:
        series.astype("int64")
    except (TypeError, ValueError, OverflowError):
        return False
    return True

"""Baseline rows: what an absent feature is replaced by."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from numbers import Real
from typing import Any

import numpy as np
import pandas as pd

from clarify_ops.errors import BadData, BadDocument, BadInput, nearest

Given = Sequence[Sequence[Any] | Mapping[str, Any]] | Mapping[str, Any]


def typical_row(data: pd.DataFrame, categorical: Collection[str] = ()) -> pd.DataFrame:
    """One baseline row from the data, of values that occur in them.

    A number is the lower median of the observed ones, so an integer stays one; everything else, and what is named
    categorical, is the most frequent value, the first to appear among equals. A column without a value stays missing.

    Args:
        data: (rows, features), at least one row.
        categorical: Features whose numbers are codes.

    Returns:
        (1, features) in the dtypes of the data.

    Raises:
        BadData: There are no rows, or a name in `categorical` is unknown.
    """
    if len(data) == 0:
        raise BadData("There are no rows to take a baseline from.")
    for name in categorical:
        if name not in data.columns:
            raise BadData.unknown_column(name, map(str, data.columns), "The list of categorical features")
    columns = {}
    for name in data.columns:
        position = _typical_position(data[name], counted=name in categorical)
        columns[name] = data[name].iloc[position : position + 1].reset_index(drop=True)
    return pd.DataFrame(columns)


def _typical_position(column: pd.Series[Any], *, counted: bool) -> int:
    observed = np.flatnonzero(column.notna())
    if len(observed) == 0:
        return 0
    values = column.iloc[observed]
    if pd.api.types.is_numeric_dtype(column.dtype) and not pd.api.types.is_bool_dtype(column.dtype) and not counted:
        order = np.argsort(values.to_numpy(), kind="stable")
        return int(observed[order[(len(observed) - 1) // 2]])
    codes, _ = pd.factorize(values)
    # The codes count up in order of appearance, so argmax takes the first to appear among equals.
    return int(observed[np.argmax(codes == np.bincount(codes).argmax())])


def baseline_rows(given: Given, data: pd.DataFrame) -> pd.DataFrame:
    """The baseline rows of a document as a frame like the data.

    Args:
        given: Rows as lists of values in the order of the features or as objects by name, or one such object. None
            and NaN are missing values.
        data: (rows, features), whose columns say what values may be.

    Returns:
        (baseline rows, features) in the dtypes of the data where these hold the values; integers with a fraction or a
        gap among them are floats.

    Raises:
        BadDocument: There is no row, or one has the wrong length, an unknown or absent key or a value of the wrong
            type; rows are counted from 1.
    """
    rows: Sequence[Any] = [given] if isinstance(given, Mapping) else given
    if isinstance(rows, str | bytes) or not isinstance(rows, Sequence):
        raise BadDocument("The baseline is no list of rows.", "Give a list of lists or of objects.")
    if not rows:
        raise BadDocument("The baseline has no rows.", "Give at least one, or leave the baseline out.")
    names = [str(name) for name in data.columns]
    ordered = [_in_order(row, number, names) for number, row in enumerate(rows, start=1)]
    return rows_like(ordered, data, lambda row: f"Row {row + 1} of the baseline")


def rows_like(
    ordered: Sequence[Sequence[Any]],
    data: pd.DataFrame,
    place: Callable[[int], str],
    refusal: type[BadInput] = BadDocument,
) -> pd.DataFrame:
    """Rows of values as a frame like the data.

    Args:
        ordered: At least one row, each with one value for every feature.
        data: (rows, features), whose columns say what values may be.
        place: Opens a sentence about a row, from its position.
        refusal: Raised where a value is of the wrong type.
    """
    columns = {}
    for position, name in enumerate(data.columns):
        dtype = data[name].dtype
        values = []
        for number, row in enumerate(ordered):
            try:
                values.append(_checked(row[position], dtype))
            except _Unfit as unfit:
                raise refusal(
                    f"{place(number)} has {row[position]!r} for the feature {str(name)!r}, {unfit}."
                ) from None
        try:
            columns[name] = _as_column(values, dtype)
        except (TypeError, ValueError, OverflowError) as error:
            raise refusal(f"The baseline's values for the feature {str(name)!r} are no {dtype}.") from error
    return pd.DataFrame(columns)


class _Unfit(Exception):
    """A value is none of the data's kind; the text ends a sentence about it."""


def _in_order(row: Any, number: int, names: list[str]) -> list[Any]:
    if isinstance(row, Mapping):
        for key in row:
            if key not in names:
                raise BadDocument(
                    f"Row {number} of the baseline has the key {key!r}, which is no feature.", nearest(str(key), names)
                )
        absent = [name for name in names if name not in row]
        if absent:
            raise BadDocument(f"Row {number} of the baseline lacks the feature {absent[0]!r}.")
        return [row[name] for name in names]
    if isinstance(row, str | bytes) or not isinstance(row, Sequence):
        raise BadDocument(f"Row {number} of the baseline is neither a list nor an object.", "Give one value a feature.")
    if len(row) != len(names):
        raise BadDocument(
            f"Row {number} of the baseline has {len(row)} values for {len(names)} features.",
            f"The features are: {', '.join(names)}.",
        )
    return list(row)


def _checked(value: Any, dtype: Any) -> Any:
    """The value, or None where it is missing."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return None
    if isinstance(value, Mapping | list | tuple | set):
        raise _Unfit("which is no single value")
    if pd.api.types.is_bool_dtype(dtype):
        if not isinstance(value, bool | np.bool_) and value not in (0, 1):
            raise _Unfit("which holds true and false")
        return bool(value)
    if pd.api.types.is_numeric_dtype(dtype):
        if isinstance(value, bool) or not isinstance(value, Real) or not math.isfinite(value):
            raise _Unfit("which holds numbers")
        return value
    if isinstance(dtype, pd.CategoricalDtype):
        known = dtype.categories
        if isinstance(value, str) != (known.dtype == object or pd.api.types.is_string_dtype(known.dtype)):
            raise _Unfit(f"which holds {'text' if not isinstance(value, str) else 'no text'}")
        return value
    if isinstance(dtype, pd.StringDtype) and not isinstance(value, str):
        raise _Unfit("which holds text")
    return value


def _as_column(values: list[Any], dtype: Any) -> pd.Series[Any]:
    """The column in the dtype of the data, or in one that holds the values unchanged."""
    if isinstance(dtype, pd.CategoricalDtype):
        new = [value for value in dict.fromkeys(values) if value is not None and value not in dtype.categories]
        return pd.Series(values, dtype=pd.CategoricalDtype([*dtype.categories, *new], ordered=dtype.ordered))
    missing = any(value is None for value in values)
    if isinstance(dtype, np.dtype) and dtype.kind in "iu":
        if missing or any(value != int(value) for value in values):
            return pd.Series([np.nan if value is None else float(value) for value in values], dtype=np.float64)
        numbers = [int(value) for value in values]
        limits = np.iinfo(dtype)
        fits = all(limits.min <= number <= limits.max for number in numbers)
        return pd.Series(numbers, dtype=dtype if fits else np.float64)
    if isinstance(dtype, np.dtype) and dtype.kind == "b" and missing:
        return pd.Series(values, dtype=object)
    column: pd.Series[Any] = pd.Series(values, dtype=dtype)
    return column

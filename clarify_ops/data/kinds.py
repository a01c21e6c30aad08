"""Categorical or continuous, and which rows are positive: SageMaker Clarify's rules, which decide every number after them.

Source: reference behaviour of Clarify's analysis container, measured; the rules are a trap (a 0/1 label changes its kind
with the number of rows), so that every inferred kind is reported, and can be set by hand.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clarify_ops.config.analysis import Value
from clarify_ops.errors import BadData

Kind = Literal["categorical", "continuous"]
UNIQUENESS_OF_CONTINUOUS = 0.05
_TRUTH = {"true": True, "1": True, "false": False, "0": False}


@dataclass(frozen=True)
class Positives:
    """Which rows match a list of values or thresholds.

    Attributes:
        matches: (rows,) bool.
        text: How Clarify writes it: "1", "a,b", "(40, 75]".
        kind: Kind of the column.
    """

    matches: NDArray[np.bool_]
    text: str
    kind: Kind


def infer_kind(series: pd.Series, values: Sequence[Value] | None = None) -> Kind:
    """Clarify's inference.

    Args:
        series: The column.
        values: Values or thresholds that the configuration gives for it, if any.
    """
    if isinstance(series.dtype, pd.CategoricalDtype) or (values is not None and len(values) > 1):
        return "categorical"
    present = series.dropna()
    uniqueness = present.nunique() / len(present) if len(present) else 0.0
    spread = uniqueness >= UNIQUENESS_OF_CONTINUOUS
    if pd.api.types.is_bool_dtype(series.dtype):
        return "categorical"
    if pd.api.types.is_float_dtype(series.dtype):
        return "continuous"
    if pd.api.types.is_integer_dtype(series.dtype):
        return "continuous" if spread else "categorical"
    return "continuous" if spread and _castable_to_int(series) else "categorical"


def match(
    series: pd.Series, values: Sequence[Value], kind: Kind | None = None, *, highest: float | None = None
) -> Positives:
    """The rows that match values (categorical) or lie above a threshold (continuous).

    Args:
        series: The column.
        values: At least one.
        kind: By hand; by default inferred.
        highest: Upper end of the last interval; by default the column's maximum. Label and prediction share one.

    Raises:
        BadData: A threshold is not a number, or the column holds text where numbers belong.
    """
    kind = kind or infer_kind(series, values)
    if kind == "categorical":
        matched = _equal_to_any(series, values)
        return Positives(matched, ",".join(str(value) for value in values), kind)
    if len(values) != 1 or isinstance(values[0], str | bool):
        raise BadData(
            f"The column {str(series.name)!r} is continuous, and {list(values)!r} is not a single number to split it at.",
            "Give one threshold, or set its kind under clarify_ops.kinds.",
        )
    numbers = _numbers(series)
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
        cast = [_cast_like(first, value) for value in values]
    except (TypeError, ValueError, KeyError):
        return found
    return np.asarray(series.isin(cast).to_numpy(dtype=bool))


def _cast_like(example: object, value: Value) -> object:
    if isinstance(example, bool | np.bool_):
        # bool("False") is true: a word must be one of the two.
        return _TRUTH[value.strip().casefold()] if isinstance(value, str) else bool(value)
    if isinstance(example, int | np.integer):
        try:
            return int(value)
        except ValueError:
            return float(value)
    if isinstance(example, float | np.floating):
        return float(value)
    return str(value)


def _numbers(series: pd.Series) -> pd.Series:
    if pd.api.types.is_numeric_dtype(series.dtype):
        return series
    try:
        return pd.to_numeric(series)
    except (ValueError, TypeError) as error:
        raise BadData(
            f"The column {str(series.name)!r} holds text where a threshold needs numbers: {str(error).splitlines()[0]}."
        ) from error


def _castable_to_int(series: pd.Series) -> bool:
    try:
        series.astype("int64")
    except (TypeError, ValueError, OverflowError):
        return False
    return True

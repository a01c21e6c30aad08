"""Columns that a surrogate learns from: the features of a frame, whatever their dtypes, with their gaps."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clarify_ops.errors import BadData

Floats = NDArray[np.float64]
MISSING = "missing"


@dataclass(frozen=True, eq=False)
class SurrogateColumns:
    """How raw features become columns of numbers: numbers as they are, a column of 0 and 1 for every other value.

    Attributes:
        features: Names of the features.
        names: (columns,) what each column says: `income`, `town = north`, `income is missing`.
        sources: (columns,) position of the feature that each is made of.
        medians: By feature, of those that hold numbers.
        levels: By feature, its values as text, of the others.
        centres: (columns,) means over the training rows; zeros where columns are not standardised.
        scales: (columns,) standard deviations; ones where columns are not standardised, or constant.
        gaps_filled: Whether a missing number becomes the median, and a column of its own says so.
    """

    features: tuple[str, ...]
    names: tuple[str, ...]
    sources: NDArray[np.intp]
    medians: dict[str, float]
    levels: dict[str, tuple[str, ...]]
    centres: Floats
    scales: Floats
    gaps_filled: bool

    def columns(self, rows: pd.DataFrame) -> Floats:
        """(rows, columns); a value that training did not have is none of the known ones."""
        made = self._raw(rows)
        return (made - self.centres) / self.scales

    def _raw(self, rows: pd.DataFrame) -> Floats:
        parts: list[Floats] = []
        for name in self.features:
            if name in self.levels:
                text = _text(rows[name])
                parts.extend((text == level).astype(np.float64) for level in self.levels[name])
                continue
            numbers = _numbers(rows[name])
            gaps = np.isnan(numbers)
            if not self.gaps_filled:
                parts.append(numbers)
                continue
            parts.append(np.where(gaps, self.medians[name], numbers))
            parts.append(gaps.astype(np.float64))
        return np.column_stack(parts)


def surrogate_columns(rows: pd.DataFrame, categorical: Collection[str] = (), *, standardised: bool) -> SurrogateColumns:
    """Learns the columns from training rows.

    Args:
        rows: (rows, features).
        categorical: Features whose numbers are codes.
        standardised: Give every column mean 0 and variance 1 and fill gaps, as models of weighted sums need it; else leave
            numbers and their gaps as they are.

    Raises:
        BadData: A feature holds infinite numbers, or one named categorical is unknown.
    """
    for name in categorical:
        if name not in rows.columns:
            raise BadData.unknown_column(name, map(str, rows.columns), "The list of categorical features")
    features = tuple(map(str, rows.columns))
    names: list[str] = []
    sources: list[int] = []
    medians: dict[str, float] = {}
    levels: dict[str, tuple[str, ...]] = {}
    for place, name in enumerate(features):
        column = rows[name]
        if name in categorical or not _is_numeric(column):
            levels[name] = tuple(pd.unique(_text(column)).tolist())
            made = [f"{name} = {level}" for level in levels[name]]
        else:
            numbers = _numbers(column)
            if np.isinf(numbers).any():
                raise BadData(f"The feature {name!r} holds infinite values.")
            known = numbers[~np.isnan(numbers)]
            medians[name] = float(np.median(known)) if len(known) else 0.0
            made = [name, f"{name} is missing"] if standardised else [name]
        names += made
        sources += [place] * len(made)
    width = len(names)
    plain = SurrogateColumns(
        features, tuple(names), np.array(sources), medians, levels, np.zeros(width), np.ones(width), standardised
    )
    if not standardised:
        return plain
    raw = plain.columns(rows)
    spread = raw.std(axis=0)
    scales = np.where(spread > np.finfo(np.float64).eps * np.abs(raw).max(axis=0), spread, 1.0)
    return SurrogateColumns(
        features, tuple(names), np.array(sources), medians, levels, raw.mean(axis=0), scales, gaps_filled=True
    )


def _is_numeric(column: pd.Series[Any]) -> bool:
    return pd.api.types.is_numeric_dtype(column.dtype)


def _numbers(column: pd.Series[Any]) -> Floats:
    return np.asarray(column.to_numpy(dtype=np.float64, na_value=np.nan), dtype=np.float64)


def _text(column: pd.Series[Any]) -> NDArray[np.object_]:
    values = column.astype(object)
    return np.array(
        [MISSING if gap else str(one) for one, gap in zip(values, values.isna(), strict=True)], dtype=object
    )

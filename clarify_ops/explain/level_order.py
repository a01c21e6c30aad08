"""An order of the levels of a categorical feature in which neighbours are alike."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clarify_ops.errors import BadData

Floats = NDArray[np.float64]
Positions = NDArray[np.intp]

CUTS = 100
"""Quantiles at which distributions of numbers are compared."""


def ordered_levels(rows: pd.DataFrame, feature: str, order: Sequence[Any] | None = None) -> tuple[Positions, Positions]:
    """The levels of a feature in the order given; else of an ordered category; else by how alike their rows are.

    Alike are levels whose rows have similar distributions of the other features: the distance of two levels is the sum,
    over the other features, of the largest difference of the cumulative shares of numbers, or of half the summed differences
    of the shares of other values. The first axis of multidimensional scaling puts the levels in a line. Its
    direction, which nothing tells, is that in which the level met first in the data is in the first half.

    Args:
        rows: (rows, features), the feature without missing values.
        feature: Its name.
        order: Its levels.

    Returns:
        (levels,) the first row of each level, and (rows,) the place of each row's level.

    Raises:
        BadData: The order lacks a level that occurs, or repeats one.

    Source: Apley and Zhu (2020), doi:10.1111/rssb.12377, appendix E.
    """
    column = rows[feature]
    codes, levels = pd.factorize(column)
    first = np.unique(codes, return_index=True)[1]
    if order is not None:
        if len(set(order)) != len(order):
            raise BadData(f"The order of the levels of {feature!r} repeats one.")
        places = pd.Index(list(order), dtype=object).get_indexer(pd.Index(levels, dtype=object))
        if (places < 0).any():
            lacking = pd.Index(levels, dtype=object)[places < 0][0]
            raise BadData(f"The order of the levels of {feature!r} lacks {lacking!r}.")
        ranks = np.asarray(places, dtype=np.float64)
    elif isinstance(column.dtype, pd.CategoricalDtype) and column.dtype.ordered:
        ranks = column.cat.codes.to_numpy()[first].astype(np.float64)
    else:
        ranks = _in_a_line(_distances(rows.drop(columns=feature), codes, len(first)))
    line = np.argsort(ranks, kind="stable")
    return first[line], np.argsort(line)[codes]


def _distances(others: pd.DataFrame, codes: Positions, levels: int) -> Floats:
    """(levels, levels)."""
    distances = np.zeros((levels, levels))
    sizes = np.bincount(codes, minlength=levels)[:, None]
    for name in others.columns:
        column = others[name]
        if pd.api.types.is_numeric_dtype(column.dtype) and not pd.api.types.is_bool_dtype(column.dtype):
            values = column.to_numpy(dtype=np.float64, na_value=np.nan)
            known = values[np.isfinite(values)]
            if not len(known):
                continue
            cuts = np.unique(np.quantile(known, np.linspace(0, 1, CUTS)))
            # A missing value lies above every cut.
            cells, width = np.searchsorted(cuts, np.where(np.isnan(values), np.inf, values)), len(cuts) + 1
            shares = _counted(codes, cells, levels, width).cumsum(axis=1) / sizes
            for level in range(levels):
                distances[level] += np.abs(shares - shares[level]).max(axis=1)
        else:
            cells = pd.factorize(column, use_na_sentinel=False)[0]
            shares = _counted(codes, cells, levels, int(cells.max()) + 1) / sizes
            for level in range(levels):
                distances[level] += np.abs(shares - shares[level]).sum(axis=1) / 2
    return distances


def _counted(codes: Positions, cells: Positions, levels: int, width: int) -> Floats:
    counts = np.bincount(codes * width + cells, minlength=levels * width)
    return counts.reshape(levels, width).astype(np.float64)


def _in_a_line(distances: Floats) -> Floats:
    """(levels,) coordinates on the first axis of classical multidimensional scaling."""
    levels = len(distances)
    centring = np.eye(levels) - 1 / levels
    axes = np.linalg.eigh(-centring @ distances**2 @ centring / 2)[1]
    line: Floats = axes[:, -1].round(12)
    return -line if (line < line[0]).sum() > (line > line[0]).sum() else line

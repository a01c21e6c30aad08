"""Shapley values and partial dependence from their definitions: slow, and nothing to get wrong."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Sequence
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Model = Callable[[pd.DataFrame], NDArray[np.float64]]


def value_of(
    model: Model, row: pd.DataFrame, background: pd.DataFrame, present: Collection[str]
) -> NDArray[np.float64]:
    """(outputs,) the mean prediction over the background, the present features held at the row's values."""
    total: Any = 0.0
    for position in range(len(background)):
        hybrid = {
            name: (row if name in present else background.iloc[[position]])[name].reset_index(drop=True)
            for name in row.columns
        }
        total = total + np.atleast_1d(model(pd.DataFrame(hybrid))[0])
    return np.asarray(total / len(background))


def shapley_values(
    model: Model, row: pd.DataFrame, background: pd.DataFrame, players: Sequence[str] | None = None
) -> NDArray[np.float64]:
    """(players, outputs) for one row: the sum over all subsets; features that do not play keep the row's value."""
    names = list(row.columns)
    playing = names if players is None else list(players)
    always = [name for name in names if name not in playing]
    values = {
        frozenset(chosen): value_of(model, row, background, [*chosen, *always])
        for size in range(len(playing) + 1)
        for chosen in combinations(playing, size)
    }
    phi = []
    for player in playing:
        others = [name for name in playing if name != player]
        total: Any = 0.0
        for size in range(len(others) + 1):
            weight = math.factorial(size) * math.factorial(len(others) - size) / math.factorial(len(playing))
            for chosen in combinations(others, size):
                total = total + weight * (values[frozenset([*chosen, player])] - values[frozenset(chosen)])
        phi.append(total)
    return np.array(phi)


def all_shapley_values(
    model: Model, rows: pd.DataFrame, background: pd.DataFrame, players: Sequence[str] | None = None
) -> NDArray[np.float64]:
    """(rows, players, outputs)."""
    return np.array([shapley_values(model, rows.iloc[[i]], background, players) for i in range(len(rows))])


def forced_means(model: Model, rows: pd.DataFrame, feature: str, points: Sequence[Any]) -> NDArray[np.float64]:
    """(outputs, points): partial dependence, a row and a point at a time."""
    columns = []
    for point in points:
        predictions = []
        for position in range(len(rows)):
            one = rows.iloc[[position]].reset_index(drop=True)
            predictions.append(np.atleast_1d(model(one.assign(**{feature: [point]}))[0]))
        columns.append(np.mean(predictions, axis=0))
    return np.array(columns).T

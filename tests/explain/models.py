"""Models with interactions, and data of mixed dtypes with gaps, for the tests of the explainers."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def product(frame: pd.DataFrame) -> Floats:
    """All features multiplied: every coalition interacts."""
    return np.asarray(frame.to_numpy(dtype=np.float64).prod(axis=1))


def exclusive_or(frame: pd.DataFrame) -> Floats:
    """1 where an odd number of features is positive."""
    return np.asarray((frame.to_numpy(dtype=np.float64) > 0).sum(axis=1) % 2, dtype=np.float64)


def three_outputs(frame: pd.DataFrame) -> Floats:
    """An interaction of two, one of three, and a curve."""
    x = frame.to_numpy(dtype=np.float64)
    return np.column_stack([x[:, 0] * x[:, 1] + x[:, -1], np.tanh(x[:, :3].prod(axis=1)), (x**2).sum(axis=1)])


def hidden_layer(frame: pd.DataFrame) -> Floats:
    """A smooth model of any number of features, with interactions of all orders; summed in a fixed order."""
    x = frame.to_numpy(dtype=np.float64)
    weights = np.random.default_rng(5).normal(size=(4, x.shape[1]))
    score = np.zeros(len(x))
    for unit in range(4):
        hidden = np.zeros(len(x))
        for feature in range(x.shape[1]):
            hidden += x[:, feature] * weights[unit, feature]
        score += np.tanh(hidden) * (unit + 1)
    return 1 / (1 + np.exp(-score))


def loan(frame: pd.DataFrame) -> Floats:
    """Two outputs from text, a category, integers and floats with gaps."""
    town = frame["town"].astype(object).map({"north": 1.0, "south": -0.5}).astype(np.float64).fillna(0.25).to_numpy()
    grade = (
        frame["grade"].astype(object).map({"a": 2.0, "b": 1.0, "c": -1.0}).astype(np.float64).fillna(-3.0).to_numpy()
    )
    income = frame["income"].astype(np.float64).fillna(40.0).to_numpy()
    children = frame["children"].astype(np.float64).fillna(0.0).to_numpy()
    married = frame["married"].astype(np.float64).to_numpy()
    score = town * grade + income / 30 * (1 + married) - children * (town > 0) + (children > 1) * (grade < 0)
    approved = 1 / (1 + np.exp(-score / 2))
    return np.column_stack([approved, 1 - approved])


def loans(rows: int, seed: int) -> pd.DataFrame:
    """Applications of five dtypes; text, category and floats have gaps."""
    rng = np.random.default_rng(seed)
    town = pd.Series(rng.choice(["north", "south", "west"], rows)).where(rng.random(rows) > 0.2)
    grade = pd.Series(rng.choice(["a", "b", "c"], rows)).where(rng.random(rows) > 0.2)
    return pd.DataFrame(
        {
            "town": town,
            "grade": grade.astype(pd.CategoricalDtype(["a", "b", "c"])),
            "income": pd.Series(rng.normal(50, 20, rows).round(1)).where(rng.random(rows) > 0.2),
            "children": rng.integers(0, 4, rows),
            "married": rng.random(rows) > 0.5,
        }
    )


def numbers(rows: int, features: int, seed: int) -> pd.DataFrame:
    """Normal floats in columns x0, x1, ..."""
    values = np.random.default_rng(seed).normal(size=(rows, features))
    return pd.DataFrame(values, columns=[f"x{feature}" for feature in range(features)])

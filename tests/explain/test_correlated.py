"""Correlated values are those of the conditional expectations of a Gaussian."""

from __future__ import annotations

import math
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from clarify_ops.errors import BadData, BadDocument
from clarify_ops.explain.correlated import correlated_linear_shap
from clarify_ops.explain.linear import LinearModel, linear_shap, read_linear

Floats = NDArray[np.float64]


def relatives(rows: int, features: int, seed: int) -> pd.DataFrame:
    """Correlated normal columns."""
    rng = np.random.default_rng(seed)
    mixed = rng.normal(size=(rows, features)) @ rng.normal(size=(features, features)) + rng.normal(size=features)
    return pd.DataFrame(mixed, columns=[f"x{feature}" for feature in range(features)])


def read(estimator: Any, features: int) -> LinearModel:
    model = read_linear(estimator, features)
    assert isinstance(model, LinearModel)
    return model


def expected_sum(weights: Floats, mean: Floats, covariance: Floats, row: Floats, known: list[int]) -> float:
    """The weighted sum's conditional expectation: the known columns' values, and the regression of the others on them."""
    filled = mean.copy()
    absent = [one for one in range(len(mean)) if one not in known]
    filled[known] = row[known]
    if known and absent:
        slopes = np.linalg.lstsq(covariance[np.ix_(known, known)], covariance[np.ix_(known, absent)], rcond=1e-10)[0]
        filled[absent] += (row[known] - mean[known]) @ slopes
    return float(weights @ filled)


def by_definition(
    weights: Floats, columns: Floats, row: Floats, players: list[list[int]], always: list[int] | None = None
) -> Floats:
    """(players,) the sum over all coalitions."""
    mean, covariance = columns.mean(axis=0), np.cov(columns, rowvar=False, bias=True)
    values = {
        frozenset(chosen): expected_sum(
            weights,
            mean,
            covariance,
            row,
            sorted([*(always or []), *(one for player in chosen for one in players[player])]),
        )
        for size in range(len(players) + 1)
        for chosen in combinations(range(len(players)), size)
    }
    phi = np.zeros(len(players))
    for player in range(len(players)):
        others = [one for one in range(len(players)) if one != player]
        for size in range(len(players)):
            share = math.factorial(size) * math.factorial(len(others) - size) / math.factorial(len(players))
            for chosen in combinations(others, size):
                phi[player] += share * (values[frozenset([*chosen, player])] - values[frozenset(chosen)])
    return phi


X = relatives(80, 6, 1)
TARGET = X.to_numpy() @ [1.0, 0.0, -2.0, 0.5, 0.0, 3.0] + np.sin(np.arange(80))
SINGLE = [[one] for one in range(6)]


def test_equals_the_definition() -> None:
    model = read(Ridge().fit(X, TARGET), 6)
    rows, background = X.iloc[:3], X.iloc[20:]
    explanation = correlated_linear_shap(model, rows, background)
    for row in range(3):
        expected = by_definition(model.coefficients[0], background.to_numpy(), rows.to_numpy()[row], SINGLE)
        np.testing.assert_allclose(explanation.values[row, :, 0], expected, atol=1e-9)
    assert explanation.exact.all()
    assert explanation.additivity_gap() < 1e-9
    np.testing.assert_allclose(explanation.expected_value[0], Ridge().fit(X, TARGET).predict(background).mean())
    assert explanation.background == "mean and covariance of 60 baseline rows, observational (Gaussian)"
    assert explanation.warnings == ()


def test_features_that_do_not_play_are_known() -> None:
    model = read(Ridge().fit(X, TARGET), 6)
    rows, background = X.iloc[:2], X.iloc[20:]
    explanation = correlated_linear_shap(model, rows, background, features_to_explain=["x4", "x0", "x1"])
    for row in range(2):
        expected = by_definition(
            model.coefficients[0], background.to_numpy(), rows.to_numpy()[row], [[0], [1], [4]], always=[2, 3, 5]
        )
        np.testing.assert_allclose(explanation.values[row, :, 0], expected, atol=1e-9)
    assert explanation.additivity_gap() < 1e-9


def test_without_correlation_it_is_the_independent_one() -> None:
    # Every combination of two values a feature: their covariance is diagonal.
    grid = pd.DataFrame([[one >> bit & 1 for bit in range(3)] for one in range(8)], columns=["x0", "x1", "x2"]) * 1.0
    model = read(LinearRegression().fit(grid, grid.to_numpy() @ [1.0, 2.0, -1.0]), 3)
    rows = pd.DataFrame([[3.0, -1.0, 0.5]], columns=grid.columns)
    np.testing.assert_allclose(
        correlated_linear_shap(model, rows, grid).values, linear_shap(model, rows, grid).values, atol=1e-12
    )


def test_a_feature_that_is_not_read_shares_with_its_relative() -> None:
    twin = X[["x0"]].assign(twin=X["x0"] + np.tile([0.05, -0.05], 40))
    model = read(LinearRegression().fit(twin, X["x0"]), 2)
    observational = correlated_linear_shap(model, twin.iloc[:1], twin).values[0, :, 0]
    assert linear_shap(model, twin.iloc[:1], twin).values[0, 1, 0] == pytest.approx(0, abs=1e-9)
    assert observational[1] == pytest.approx(observational[0], rel=0.2)


def categories(rows: int) -> pd.DataFrame:
    rng = np.random.default_rng(3)
    town = rng.choice(["north", "south", "west"], rows)
    income = rng.normal(size=rows) + (town == "north")
    return pd.DataFrame({"income": income, "town": town, "age": income + rng.normal(size=rows)})


def test_categories_join_with_all_their_columns() -> None:
    data = categories(60)
    pipeline = make_pipeline(
        make_column_transformer((OneHotEncoder(), ["town"]), (StandardScaler(), ["income", "age"])),
        LogisticRegression(),
    ).fit(data, np.arange(60) % 2)
    model = read(pipeline, 3)
    columns = model.columns(data)
    explanation = correlated_linear_shap(model, data.iloc[:3], data)
    for row in range(3):
        expected = by_definition(model.coefficients[0], columns, columns[row], [[3], [0, 1, 2], [4]])
        np.testing.assert_allclose(explanation.values[row, :, 0], expected, atol=1e-8)
    assert explanation.unit == "log-odds"
    # The columns of a category add up to one in every row: the background varies in one direction fewer, and no row
    # leaves it.
    assert explanation.warnings == ()


@pytest.mark.parametrize("singular", [False, True])
def test_sampled_orders_miss_the_exact_values_by_their_errors(singular: bool) -> None:  # noqa: FBT001
    data = X.assign(x5=X["x0"] + X["x1"]) if singular else X
    model = read(Ridge().fit(data, TARGET), 6)
    exact = correlated_linear_shap(model, data.iloc[:3], data).values
    made = [
        correlated_linear_shap(model, data.iloc[:3], data, seed=seed, num_samples=50 if singular else 60)
        for seed in range(40)
    ]
    values = np.array([one.values for one in made])
    assert not made[0].exact.any()
    assert max(one.additivity_gap() for one in made) < 1e-8
    spread = values.std(axis=0, ddof=1)
    assert np.abs((values.mean(axis=0) - exact) / (spread / np.sqrt(40))).max() < 4
    errors = np.sqrt((np.array([one.standard_errors for one in made]) ** 2).mean(axis=0))
    np.testing.assert_allclose(errors, spread, rtol=0.5)


def test_more_features_than_are_enumerated() -> None:
    data = relatives(100, 15, 2)
    model = read(Ridge().fit(data, data.sum(axis=1)), 15)
    explanation = correlated_linear_shap(model, data.iloc[:4], data, seed=1)
    assert not explanation.exact.any()
    assert explanation.coalitions == 256 * 2 * 14
    assert explanation.additivity_gap() < 1e-8
    assert (explanation.standard_errors < np.abs(explanation.values).max() / 10).all()


def test_rows_beyond_where_the_baseline_varies_are_counted() -> None:
    flat = X.assign(x5=1.0)
    model = read(Ridge().fit(X, TARGET), 6)
    explanation = correlated_linear_shap(model, pd.concat([flat.iloc[:2], X.iloc[2:3]]), flat)
    assert explanation.warnings[0].startswith("1 of 3 rows differ from the baseline in directions")
    assert explanation.additivity_gap() < 1e-9


def test_a_single_baseline_row_has_no_covariance() -> None:
    model = read(Ridge().fit(X, TARGET), 6)
    with pytest.raises(BadData, match="One baseline row has no covariance"):
        correlated_linear_shap(model, X, X.iloc[:1])
    with pytest.raises(BadDocument, match="num_samples is 0"):
        correlated_linear_shap(model, X, X, num_samples=0)

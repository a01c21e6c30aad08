"""From a fitted model to exact values: readers and kernels together, against the libraries' own values."""

from __future__ import annotations

from typing import Any

import catboost
import lightgbm
import numpy as np
import pandas as pd
import pytest
import xgboost
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingRegressor, RandomForestClassifier

from clarify_ops.explain.trees.kernels import TreeKernel
from clarify_ops.explain.trees.reading import read_trees
from clarify_ops.explain.trees.tree_model import TreeModel

from .data import classes, hard_rows, mixed, numeric, targets
from .oracle import interventional, path_dependent, sums

Floats = NDArray[np.float64]


def light() -> tuple[Any, pd.DataFrame]:
    frame = mixed()
    settings: dict[str, Any] = {"min_data_per_group": 1, "cat_smooth": 1.0, "min_child_samples": 3, "verbose": -1}
    return lightgbm.LGBMRegressor(n_estimators=40, num_leaves=31, **settings).fit(frame, targets(frame)), frame


def light_classes() -> tuple[Any, pd.DataFrame]:
    frame = numeric()
    estimator = lightgbm.LGBMClassifier(n_estimators=10, num_leaves=15, zero_as_missing=True, verbose=-1)
    return estimator.fit(frame, classes(frame, 3)), frame


def extreme() -> tuple[Any, pd.DataFrame]:
    frame = mixed()
    estimator = xgboost.XGBRegressor(n_estimators=40, max_depth=6, enable_categorical=True)
    return estimator.fit(frame, targets(frame)), frame


def extreme_classes() -> tuple[Any, pd.DataFrame]:
    frame = numeric()
    return xgboost.XGBClassifier(n_estimators=10, max_depth=5, booster="dart", rate_drop=0.3).fit(
        frame, classes(frame, 3)
    ), frame


def cat() -> tuple[Any, pd.DataFrame]:
    frame = numeric()
    estimator = catboost.CatBoostRegressor(iterations=40, depth=6, verbose=False, allow_writing_files=False)
    return estimator.fit(frame, targets(frame)), frame


def histogram() -> tuple[Any, pd.DataFrame]:
    frame = mixed()
    return HistGradientBoostingRegressor(max_iter=20, min_samples_leaf=3).fit(frame, targets(frame)), frame


def forest() -> tuple[Any, pd.DataFrame]:
    frame = numeric()
    return RandomForestClassifier(10, max_depth=9, random_state=0).fit(frame, classes(frame, 3)), frame


def contributions(estimator: Any, rows: pd.DataFrame) -> Floats:
    """(rows, outputs, features + 1), as the library says."""
    library = type(estimator).__module__.partition(".")[0]
    if library == "lightgbm":
        return np.asarray(estimator.predict(rows, pred_contrib=True))
    if library == "catboost":
        return np.asarray(estimator.get_feature_importance(catboost.Pool(rows), type="ShapValues"))
    data = xgboost.DMatrix(rows, enable_categorical=True)
    return np.asarray(estimator.get_booster().predict(data, pred_contribs=True), dtype=np.float64)


@pytest.mark.parametrize("made", [light, light_classes, extreme, extreme_classes, cat], ids=lambda made: made.__name__)
def test_path_dependent_values_are_the_library_s(made: Any) -> None:
    estimator, frame = made()
    model = read_trees(estimator)
    assert isinstance(model, TreeModel)
    # XGBoost refuses infinite cells, and counts in single precision.
    single = model.ensemble.library.startswith("xgboost")
    rows = hard_rows(frame, model.ensemble, infinite=not single)
    kernel = TreeKernel.of(model.ensemble)
    given = contributions(estimator, rows).reshape(len(rows), model.ensemble.outputs, -1).transpose(0, 2, 1)
    tolerance = 2e-5 if single else 1e-9
    np.testing.assert_allclose(kernel.path_dependent(model.encode(rows)), given[:, :-1], atol=tolerance)
    np.testing.assert_allclose(np.tile(kernel.expected(), (len(rows), 1)), given[:, -1], atol=tolerance)


@pytest.mark.parametrize(
    "made", [light, light_classes, extreme, extreme_classes, cat, histogram, forest], ids=lambda made: made.__name__
)
def test_both_games_are_those_of_the_trees(made: Any) -> None:
    estimator, frame = made()
    model = read_trees(estimator)
    assert isinstance(model, TreeModel)
    rows = hard_rows(frame, model.ensemble, infinite=not isinstance(estimator, RandomForestClassifier))
    matrix = model.encode(rows)
    # Two columns of one player, and one of none.
    players = np.array([0, 1, 0, -1, 2])
    kernel = TreeKernel.of(model.ensemble, players)
    np.testing.assert_allclose(kernel.predict(matrix), sums(model.ensemble, matrix), atol=1e-9)
    for row in matrix[:3]:
        expected, _ = path_dependent(model.ensemble, row, players)
        np.testing.assert_allclose(kernel.path_dependent(row[None])[0], expected, atol=1e-9)
        expected, _ = interventional(model.ensemble, row, matrix[3:6], players)
        np.testing.assert_allclose(kernel.interventional(row[None], matrix[3:6])[0], expected, atol=1e-9)

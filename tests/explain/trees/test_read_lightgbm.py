"""LightGBM's trees read here say what LightGBM says."""

from __future__ import annotations

from typing import Any

import lightgbm
import numpy as np
import pandas as pd
import pytest

from clarify_ops.errors import BadData
from clarify_ops.explain.trees.reading import read_trees
from clarify_ops.explain.trees.tree_model import NotReadable, TreeModel

from .data import classes, hard_rows, mixed, numeric, targets
from .oracle import path_dependent, sums

SMALL: dict[str, Any] = {"n_estimators": 6, "num_leaves": 7, "min_child_samples": 5, "verbose": -1, "random_state": 0}
CATEGORICAL: dict[str, Any] = {"min_data_per_group": 1, "cat_smooth": 1.0, "cat_l2": 0.0}


def read(estimator: object) -> TreeModel:
    found = read_trees(estimator)
    assert isinstance(found, TreeModel), found
    return found


def raw_scale(settings: dict[str, Any]) -> float:
    """What LightGBM leaves out of raw scores: the division of a forest's sum by its trees, and the sigmoid's slope."""
    return float(settings.get("sigmoid", 1.0)) / (6 if settings.get("boosting_type") == "rf" else 1)


def check(model: TreeModel, estimator: Any, rows: pd.DataFrame, scale: float = 1.0) -> None:
    raw = estimator.predict(rows, raw_score=True)
    found = sums(model.ensemble, model.encode(rows))
    np.testing.assert_allclose(found, scale * raw.reshape(len(rows), -1), rtol=1e-12, atol=1e-12)
    said = estimator.predict_proba(rows) if hasattr(estimator, "predict_proba") else estimator.predict(rows)
    np.testing.assert_allclose(model.answers(found), said.reshape(len(rows), -1), rtol=1e-12, atol=1e-12)


def check_contributions(model: TreeModel, estimator: Any, rows: pd.DataFrame, scale: float = 1.0) -> None:
    """Against LightGBM's own path-dependent Shapley values."""
    outputs = model.ensemble.outputs
    given = scale * estimator.predict(rows, pred_contrib=True).reshape(len(rows), outputs, -1)
    for row, expected in zip(model.encode(rows), given, strict=True):
        values, base = path_dependent(model.ensemble, row)
        np.testing.assert_allclose(values.T, expected[:, :-1], atol=1e-9)
        np.testing.assert_allclose(base, expected[:, -1], atol=1e-9)


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"boosting_type": "rf", "bagging_freq": 1, "bagging_fraction": 0.6},
        {"boosting_type": "dart", "drop_rate": 0.5, "skip_drop": 0.0},
        {"data_sample_strategy": "goss"},
        {"zero_as_missing": True},
        {"use_missing": False},
        {"objective": "poisson"},
        {"objective": "tweedie"},
        {"objective": "gamma"},
        {"objective": "l1"},
        {"objective": "quantile", "alpha": 0.7},
        {"reg_sqrt": True},
        {"objective": "cross_entropy"},
        {"objective": "cross_entropy_lambda"},
        {"max_depth": 1},
        {"extra_trees": True, "num_leaves": 31, "min_child_samples": 1},
    ],
    ids=str,
)
def test_regression(settings: dict[str, Any]) -> None:
    frame = numeric()
    target = targets(frame)
    if settings.get("objective") in {"poisson", "tweedie", "gamma"}:
        target = np.exp(target / 4)
    if str(settings.get("objective")).startswith("cross_entropy"):
        target = (target - target.min()) / np.ptp(target)
    estimator = lightgbm.LGBMRegressor(**{**SMALL, **settings}).fit(frame, target)
    model = read(estimator)
    assert model.features == tuple(frame.columns)
    rows = hard_rows(frame, model.ensemble)
    scale = raw_scale(settings)
    check(model, estimator, rows, scale)
    check_contributions(model, estimator, rows[:12], scale)


@pytest.mark.parametrize("count", [2, 3])
@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"objective": "multiclassova", "sigmoid": 0.7},
        {"boosting_type": "rf", "subsample_freq": 1, "subsample": 0.5},
    ],
    ids=str,
)
def test_classification(count: int, settings: dict[str, Any]) -> None:
    frame = numeric()
    if count == 2:
        settings = {name: value for name, value in settings.items() if name != "objective"}
    estimator = lightgbm.LGBMClassifier(**{**SMALL, **settings}).fit(frame, classes(frame, count))
    model = read(estimator)
    assert model.ensemble.outputs == (1 if count == 2 else count)
    rows = hard_rows(frame, model.ensemble)
    scale = raw_scale(settings)
    check(model, estimator, rows, scale)
    check_contributions(model, estimator, rows[:6], scale)


@pytest.mark.parametrize("onehot", [1, 10])
@pytest.mark.parametrize("settings", [{}, {"zero_as_missing": True}, {"use_missing": False}], ids=str)
def test_categories_of_pandas(onehot: int, settings: dict[str, Any]) -> None:
    frame = mixed()
    estimator = lightgbm.LGBMRegressor(**SMALL, **CATEGORICAL, max_cat_to_onehot=onehot, **settings)
    estimator.fit(frame, targets(frame))
    model = read(estimator)
    assert (model.ensemble.category_starts >= 0).any()
    rows = hard_rows(frame, model.ensemble)
    check(model, estimator, rows)
    check_contributions(model, estimator, rows[:12])
    # Other rows have other categories, in another order; some were never seen.
    rows["town"] = rows["town"].cat.set_categories(["south", "moon", "east", "north", "west"])
    rows.loc[:20, "town"] = "moon"
    rows["grade"] = rows["grade"].cat.set_categories([10, 20, 30, 40])
    check(model, estimator, rows)


def test_categories_that_are_numbers_already() -> None:
    frame = numeric()
    many = np.random.default_rng(2).integers(0, 70, len(frame)).astype(np.float64)
    matrix = np.column_stack([many, frame])
    data = lightgbm.Dataset(matrix, targets(frame) + np.sin(many), categorical_feature=[0])
    booster = lightgbm.train({**SMALL, **CATEGORICAL, "objective": "regression"}, data, 6)
    model = read(booster)
    assert (model.ensemble.category_counts > 2).any()
    rows = pd.DataFrame(matrix[:90].copy())
    rows.iloc[:60, 0] = [np.nan, -1, -0.5, 3.7, 1e9, -1e12, np.inf, -np.inf, 31, 32, 33, 64, *range(48)]
    check(model, booster, rows)
    check_contributions(model, booster, rows[12:24])


def test_a_booster_with_early_stopping_is_read_up_to_its_best_iteration() -> None:
    frame = numeric()
    target = targets(frame)
    estimator = lightgbm.LGBMClassifier(**{**SMALL, "n_estimators": 60, "learning_rate": 0.9})
    estimator.fit(
        frame[:200],
        target[:200] > 0,
        eval_X=frame[200:],
        eval_y=target[200:] > 0,
        callbacks=[lightgbm.early_stopping(3, verbose=False)],
    )
    model = read(estimator)
    assert model.ensemble.trees == estimator.best_iteration_ < 20
    check(model, estimator, frame[:50])
    booster = estimator.booster_
    one_column = read(booster)
    assert not one_column.two_columns
    check(one_column, booster, frame[:50])


def test_ranking_has_a_score() -> None:
    frame = numeric()
    estimator = lightgbm.LGBMRanker(**SMALL).fit(frame, classes(frame, 4), group=[100] * 4)
    model = read(estimator)
    assert (model.link, model.ensemble.unit) == ("identity", "score")
    check(model, estimator, frame[:50])


def test_an_objective_of_ones_own_answers_the_sum() -> None:
    frame = numeric()

    def squares(label: Any, score: Any) -> tuple[Any, Any]:
        return score - label, np.ones(len(label))

    estimator = lightgbm.LGBMRegressor(**SMALL, objective=squares).fit(frame, targets(frame))
    model = read(estimator)
    check(model, estimator, frame[:50])
    check_contributions(model, estimator, frame[:6])


def test_trees_of_a_single_leaf() -> None:
    frame = numeric()
    estimator = lightgbm.LGBMRegressor(**{**SMALL, "min_child_samples": 300}).fit(frame, targets(frame))
    model = read(estimator)
    assert len(model.ensemble.left) == model.ensemble.trees
    check(model, estimator, frame[:5])
    check_contributions(model, estimator, frame[:2])


def test_linear_leaves_are_not_readable() -> None:
    frame = numeric()
    estimator = lightgbm.LGBMRegressor(**SMALL, linear_tree=True).fit(frame, targets(frame))
    found = read_trees(estimator)
    assert isinstance(found, NotReadable)
    assert "linear" in str(found)


def test_rows_of_other_columns_are_refused() -> None:
    frame = mixed()
    model = read(lightgbm.LGBMRegressor(**SMALL).fit(frame, targets(frame)))
    with pytest.raises(BadData, match="4 columns"):
        model.encode(frame.drop(columns="share"))
    with pytest.raises(BadData, match="1 categorical columns"):
        model.encode(frame.assign(town=1.0))
    with pytest.raises(BadData, match="'income' holds no numbers"):
        model.encode(frame.assign(income="much"))

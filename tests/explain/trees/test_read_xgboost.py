"""XGBoost's trees read here say what XGBoost says, in its single precision."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
import xgboost

from clarify_ops.errors import BadData
from clarify_ops.explain.trees.reading import read_trees
from clarify_ops.explain.trees.tree_model import NotReadable, TreeModel

from .data import classes, hard_rows, mixed, numeric, targets
from .oracle import path_dependent, sums

SMALL: dict[str, Any] = {"n_estimators": 6, "max_depth": 3, "random_state": 0, "n_jobs": 1}
TOLERANCE: dict[str, Any] = {"rtol": 1e-5, "atol": 1e-5}


def read(estimator: object) -> TreeModel:
    found = read_trees(estimator)
    assert isinstance(found, TreeModel), found
    return found


def check(model: TreeModel, estimator: Any, rows: pd.DataFrame) -> None:
    raw = estimator.predict(rows, output_margin=True)
    found = sums(model.ensemble, model.encode(rows))
    np.testing.assert_allclose(found, raw.reshape(len(rows), -1), **TOLERANCE)
    if model.link != "unknown":
        said = estimator.predict_proba(rows) if hasattr(estimator, "predict_proba") else estimator.predict(rows)
        np.testing.assert_allclose(model.answers(found), said.reshape(len(rows), -1), **TOLERANCE)


def check_contributions(model: TreeModel, estimator: Any, rows: pd.DataFrame) -> None:
    """Against XGBoost's own path-dependent Shapley values."""
    best = (0, estimator.best_iteration + 1) if hasattr(estimator, "best_iteration") else (0, 0)
    matrix = xgboost.DMatrix(rows, missing=estimator.missing, enable_categorical=True)
    given = estimator.get_booster().predict(matrix, pred_contribs=True, iteration_range=best)
    given = given.reshape(len(rows), model.ensemble.outputs, -1)
    for row, expected in zip(model.encode(rows), given, strict=True):
        values, base = path_dependent(model.ensemble, row)
        np.testing.assert_allclose(values.T, expected[:, :-1], **TOLERANCE)
        np.testing.assert_allclose(base, expected[:, -1], **TOLERANCE)


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"tree_method": "exact", "gamma": 20.0, "max_depth": 5},
        {"tree_method": "approx"},
        {"grow_policy": "lossguide", "max_leaves": 5, "max_depth": 0},
        {"booster": "dart", "rate_drop": 0.5, "one_drop": True},
        {"num_parallel_tree": 3, "subsample": 0.5, "colsample_bynode": 0.5},
        {"base_score": 3.25},
        {"objective": "count:poisson"},
        {"objective": "reg:gamma"},
        {"objective": "reg:tweedie"},
        {"objective": "reg:absoluteerror"},
        {"objective": "reg:squaredlogerror"},
        {"objective": "reg:pseudohubererror"},
        {"objective": "reg:quantileerror", "quantile_alpha": np.array([0.2, 0.8])},
        {"objective": "reg:logistic"},
        {"objective": "survival:cox"},
        {"missing": 0.0},
        {"max_depth": 1},
        {"gamma": 1e9},
    ],
    ids=str,
)
def test_regression(settings: dict[str, Any]) -> None:
    frame = numeric()
    target = targets(frame)
    objective = str(settings.get("objective", ""))
    if objective.startswith(("count", "reg:gamma", "reg:tweedie", "reg:squaredlog", "survival")):
        target = np.exp(target / 4)
    if objective == "reg:logistic":
        target = (target - target.min()) / np.ptp(target)
    estimator = xgboost.XGBRegressor(**{**SMALL, **settings}).fit(frame, target)
    model = read(estimator)
    assert model.features == tuple(frame.columns)
    rows = hard_rows(frame, model.ensemble, infinite=False)
    check(model, estimator, rows)
    check_contributions(model, estimator, rows[:12])


def test_nodes_that_pruning_left_behind_are_dropped() -> None:
    frame = numeric()
    estimator = xgboost.XGBRegressor(**{**SMALL, "max_depth": 5}, tree_method="exact", gamma=20.0)
    estimator.fit(frame, targets(frame))
    ensemble = read(estimator).ensemble
    assert len(ensemble.left) == len(estimator.get_booster().trees_to_dataframe())
    assert (np.bincount(ensemble.left[ensemble.left >= 0]) <= 1).all()


@pytest.mark.parametrize("count", [2, 3])
@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"booster": "dart", "rate_drop": 0.5, "num_parallel_tree": 2},
        {"base_score": 0.3},
        {"multi_strategy": "multi_output_tree"},
        {"objective": "binary:logitraw"},
        {"objective": "binary:hinge"},
    ],
    ids=str,
)
def test_classification(count: int, settings: dict[str, Any]) -> None:
    frame = numeric()
    if count == 3:
        settings = {name: value for name, value in settings.items() if name != "objective"}
    estimator = xgboost.XGBClassifier(**SMALL, **settings).fit(frame, classes(frame, count))
    model = read(estimator)
    assert model.ensemble.outputs == (1 if count == 2 else count)
    rows = hard_rows(frame, model.ensemble, infinite=False)
    check(model, estimator, rows)
    # XGBoost has no contributions for trees of several outputs.
    if "multi_strategy" not in settings:
        check_contributions(model, estimator, rows[:6])


@pytest.mark.parametrize("strategy", ["one_output_per_tree", "multi_output_tree"])
def test_several_outputs(strategy: str) -> None:
    frame = numeric()
    target = np.column_stack([targets(frame, seed) for seed in (1, 2, 3)])
    estimator = xgboost.XGBRegressor(**SMALL, multi_strategy=strategy).fit(frame, target)
    model = read(estimator)
    assert model.ensemble.outputs == 3
    check(model, estimator, hard_rows(frame, model.ensemble, infinite=False))
    labels = xgboost.XGBClassifier(**SMALL, multi_strategy=strategy).fit(frame, target > 0)
    several = read(labels)
    assert (several.link, several.two_columns) == ("logistic", False)
    check(several, labels, frame[:40])


@pytest.mark.parametrize("forest", [xgboost.XGBRFClassifier, xgboost.XGBRFRegressor])
def test_forests(forest: Any) -> None:
    frame = numeric()
    estimator = forest(**SMALL).fit(frame, classes(frame, 2))
    model = read(estimator)
    assert model.ensemble.trees == 6
    check(model, estimator, hard_rows(frame, model.ensemble, infinite=False))


@pytest.mark.parametrize("onehot", [1, 10])
def test_categories_of_pandas(onehot: int) -> None:
    frame = mixed()
    estimator = xgboost.XGBRegressor(**SMALL, enable_categorical=True, max_cat_to_onehot=onehot)
    estimator.fit(frame, targets(frame))
    model = read(estimator)
    assert (model.ensemble.category_starts >= 0).any()
    rows = hard_rows(frame, model.ensemble, infinite=False)
    check(model, estimator, rows)
    check_contributions(model, estimator, rows[:12])
    # Other rows have their categories in another order, and not all.
    rows["town"] = rows["town"].cat.set_categories(["south", "east", "north", "far"])
    rows["grade"] = rows["grade"].cat.set_categories([10, 20, 30, 40])
    check(model, estimator, rows)
    rows["town"] = rows["town"].cat.add_categories("moon")
    model.encode(rows)
    rows.loc[3, "town"] = "moon"
    with pytest.raises(BadData, match="'town' holds 'moon'"):
        model.encode(rows)
    with pytest.raises(BadData, match="'grade' was categorical"):
        model.encode(frame.assign(grade=10))


def test_categories_that_are_not_ascii() -> None:
    frame = mixed()
    frame["town"] = frame["town"].cat.rename_categories({"far": "är", "east": "øst"})
    estimator = xgboost.XGBRegressor(**SMALL, enable_categorical=True).fit(frame, targets(frame))
    model = read(estimator)
    check(model, estimator, frame[:50])
    with pytest.raises(BadData, match="another order"):
        model.encode(frame.assign(town=frame["town"].cat.reorder_categories(["øst", "är", "west", "north", "south"])))


def test_categories_that_are_numbers_already() -> None:
    frame = numeric()
    many = np.random.default_rng(2).integers(0, 70, len(frame)).astype(np.float64)
    matrix = np.column_stack([many, frame])
    estimator = xgboost.XGBRegressor(**SMALL, enable_categorical=True, feature_types=["c", *"qqqqq"])
    estimator.fit(matrix, 3 * np.sin(many))
    model = read(estimator)
    assert (model.ensemble.category_counts > 1).any()
    assert model.features[0] == "f0"
    rows = matrix[:90].copy()
    rows[:14, 0] = [np.nan, 3.7, 1e6, 2e7, 31, 32, 33, 63, 64, 65, 66, 67, 68, 69]
    found = sums(model.ensemble, model.encode(pd.DataFrame(rows)))
    np.testing.assert_allclose(found[:, 0], estimator.predict(rows), **TOLERANCE)


def test_early_stopping() -> None:
    frame = numeric()
    labels = classes(frame, 3)
    estimator = xgboost.XGBClassifier(
        **{**SMALL, "n_estimators": 60, "learning_rate": 0.9}, early_stopping_rounds=3, num_parallel_tree=2
    )
    estimator.fit(frame[:200], labels[:200], eval_set=[(frame[200:], labels[200:])], verbose=False)
    model = read(estimator)
    assert model.ensemble.trees == 6 * (estimator.best_iteration + 1)
    check(model, estimator, frame[:50])
    # A booster by itself answers with all its trees.
    booster = estimator.get_booster()
    everything = read(booster)
    assert everything.ensemble.trees > model.ensemble.trees
    data = xgboost.DMatrix(frame[:50])
    found = sums(everything.ensemble, everything.encode(frame[:50]))
    np.testing.assert_allclose(found, booster.predict(data, output_margin=True), **TOLERANCE)
    np.testing.assert_allclose(everything.answers(found), booster.predict(data), **TOLERANCE)


def test_ranking_has_a_score() -> None:
    frame = numeric()
    estimator = xgboost.XGBRanker(**SMALL).fit(frame, classes(frame, 4), group=[100] * 4)
    model = read(estimator)
    assert (model.link, model.ensemble.unit) == ("identity", "score")
    check(model, estimator, frame[:50])


def test_a_linear_booster_is_not_readable() -> None:
    frame = numeric()
    estimator = xgboost.XGBRegressor(booster="gblinear", n_estimators=2).fit(frame, targets(frame))
    found = read_trees(estimator)
    assert isinstance(found, NotReadable)
    assert "linear" in str(found)


def test_survival_times() -> None:
    frame = numeric()
    times = np.exp(targets(frame) / 4)
    data = xgboost.DMatrix(frame, label_lower_bound=times, label_upper_bound=times * 2)
    booster = xgboost.train({"objective": "survival:aft", "max_depth": 3}, data, 5)
    model = read(booster)
    found = sums(model.ensemble, model.encode(frame[:50]))
    rows = xgboost.DMatrix(frame[:50])
    np.testing.assert_allclose(found[:, 0], booster.predict(rows, output_margin=True), **TOLERANCE)
    np.testing.assert_allclose(model.answers(found)[:, 0], booster.predict(rows), **TOLERANCE)


def test_an_objective_of_ones_own_answers_the_sum() -> None:
    frame = numeric()

    def squares(label: Any, score: Any) -> tuple[Any, Any]:
        return score - label, np.ones(len(label))

    estimator = xgboost.XGBRegressor(**SMALL, objective=squares).fit(frame, targets(frame))
    model = read(estimator)
    check(model, estimator, frame[:50])

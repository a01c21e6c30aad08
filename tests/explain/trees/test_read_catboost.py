"""CatBoost's trees read here say what CatBoost says."""

from __future__ import annotations

from typing import Any

import catboost
import numpy as np
import pandas as pd
import pytest

from clarify_ops.explain.trees.reading import read_trees
from clarify_ops.explain.trees.tree_model import NotReadable, TreeModel

from .data import classes, hard_rows, mixed, numeric, targets
from .oracle import path_dependent, sums, visits

SMALL: dict[str, Any] = {
    "iterations": 6,
    "depth": 3,
    "verbose": False,
    "allow_writing_files": False,
    "random_seed": 0,
    "thread_count": 1,
    "learning_rate": 0.3,
}


def read(estimator: object) -> TreeModel:
    found = read_trees(estimator)
    assert isinstance(found, TreeModel), found
    return found


def check(model: TreeModel, estimator: Any, rows: pd.DataFrame) -> None:
    raw = estimator.predict(rows, prediction_type="RawFormulaVal")
    found = sums(model.ensemble, model.encode(rows))
    np.testing.assert_allclose(found, raw.reshape(len(rows), -1), rtol=1e-12, atol=1e-12)
    if model.link != "unknown":
        said = estimator.predict_proba(rows) if hasattr(estimator, "predict_proba") else estimator.predict(rows)
        np.testing.assert_allclose(model.answers(found), said.reshape(len(rows), -1), rtol=1e-12, atol=1e-12)


def check_contributions(model: TreeModel, estimator: Any, rows: pd.DataFrame) -> None:
    """Against CatBoost's own path-dependent Shapley values."""
    given = estimator.get_feature_importance(catboost.Pool(rows), type="ShapValues")
    given = given.reshape(len(rows), model.ensemble.outputs, -1)
    for row, expected in zip(model.encode(rows), given, strict=True):
        values, base = path_dependent(model.ensemble, row)
        np.testing.assert_allclose(values.T, expected[:, :-1], atol=1e-9)
        np.testing.assert_allclose(base, expected[:, -1], atol=1e-9)


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"nan_mode": "Max"},
        {"grow_policy": "Depthwise"},
        {"grow_policy": "Depthwise", "nan_mode": "Max"},
        {"grow_policy": "Lossguide", "max_leaves": 6},
        {"loss_function": "MAE"},
        {"loss_function": "Quantile:alpha=0.3"},
        {"loss_function": "Poisson"},
        {"loss_function": "Tweedie:variance_power=1.5"},
        {"loss_function": "RMSEWithUncertainty"},
        {"boost_from_average": False},
        {"depth": 6, "min_data_in_leaf": 1},
        {"border_count": 2},
    ],
    ids=str,
)
def test_regression(settings: dict[str, Any]) -> None:
    frame = numeric()
    target = targets(frame)
    if str(settings.get("loss_function")).startswith(("Poisson", "Tweedie")):
        target = np.exp(target / 4)
    estimator = catboost.CatBoostRegressor(**{**SMALL, **settings}).fit(frame, target)
    model = read(estimator)
    assert model.features == tuple(frame.columns)
    rows = hard_rows(frame, model.ensemble)
    check(model, estimator, rows)
    # CatBoost explains one of these two outputs, and its values for trees that are not symmetric miss the prediction.
    if model.link != "unknown" and "grow_policy" not in settings:
        check_contributions(model, estimator, rows[:12])


@pytest.mark.parametrize(
    "settings", [{"depth": 6}, {"grow_policy": "Depthwise"}, {"grow_policy": "Lossguide"}], ids=str
)
def test_covers_are_the_training_rows_that_came_by(settings: dict[str, Any]) -> None:
    frame = numeric()
    estimator = catboost.CatBoostRegressor(**{**SMALL, **settings}).fit(frame, targets(frame))
    model = read(estimator)
    np.testing.assert_array_equal(model.ensemble.cover, visits(model.ensemble, model.encode(frame)))


@pytest.mark.parametrize("policy", ["SymmetricTree", "Depthwise"])
@pytest.mark.parametrize(
    ("count", "settings"), [(2, {}), (3, {}), (3, {"loss_function": "MultiClassOneVsAll"})], ids=str
)
def test_classification(count: int, settings: dict[str, Any], policy: str) -> None:
    frame = numeric()
    estimator = catboost.CatBoostClassifier(**SMALL, **settings, grow_policy=policy).fit(frame, classes(frame, count))
    model = read(estimator)
    assert model.ensemble.outputs == (1 if count == 2 else count)
    rows = hard_rows(frame, model.ensemble)
    check(model, estimator, rows)
    if policy == "SymmetricTree":
        check_contributions(model, estimator, rows[:6])


def test_several_outputs() -> None:
    frame = numeric()
    target = np.column_stack([targets(frame, seed) for seed in (1, 2)])
    estimator = catboost.CatBoostRegressor(**SMALL, loss_function="MultiRMSE").fit(frame, target)
    check(read(estimator), estimator, frame[:50])
    labels = catboost.CatBoostClassifier(**SMALL, loss_function="MultiLogloss").fit(frame, (target > 0).astype(int))
    model = read(labels)
    assert (model.link, model.two_columns) == ("logistic", False)
    check(model, labels, frame[:50])


def test_scale_and_bias() -> None:
    frame = numeric()
    estimator = catboost.CatBoostRegressor(**SMALL).fit(frame, targets(frame))
    estimator.set_scale_and_bias(2.5, -1.0)
    model = read(estimator)
    check(model, estimator, frame[:50])


def test_missing_values_that_training_did_not_have() -> None:
    frame = numeric(gaps=False)
    estimator = catboost.CatBoostRegressor(**SMALL, nan_mode="Forbidden").fit(frame, targets(frame))
    model = read(estimator)
    check(model, estimator, hard_rows(frame, model.ensemble))


def test_the_best_iteration_and_shrunk_models() -> None:
    frame = numeric()
    labels = classes(frame, 2)
    estimator = catboost.CatBoostClassifier(**{**SMALL, "iterations": 60, "learning_rate": 0.9})
    estimator.fit(frame[:200], labels[:200], eval_set=(frame[200:], labels[200:]), early_stopping_rounds=3)
    model = read(estimator)
    assert model.ensemble.trees == estimator.tree_count_ == estimator.best_iteration_ + 1
    check(model, estimator, frame[:50])


def test_the_base_class_answers_the_sum() -> None:
    frame = numeric()
    estimator = catboost.CatBoost({**SMALL, "loss_function": "Logloss"}).fit(frame, classes(frame, 2))
    model = read(estimator)
    assert (model.link, model.two_columns) == ("identity", False)
    check(model, estimator, frame[:50])


def with_text(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(town=frame["town"].astype(object).fillna("none"), grade=frame["grade"].astype(int))


@pytest.mark.parametrize(("onehot", "reason"), [(100, "equality"), (1, "CTR")])
def test_categorical_splits_are_not_readable(onehot: int, reason: str) -> None:
    frame = with_text(mixed())
    estimator = catboost.CatBoostRegressor(**SMALL, one_hot_max_size=onehot, cat_features=["town"])
    found = read_trees(estimator.fit(frame, 5 * np.sin(3 * mixed()["town"].cat.codes)))
    assert isinstance(found, NotReadable)
    assert reason in str(found)
    assert "ShapValues" in found.reason


def test_a_categorical_column_that_no_split_uses_does_no_harm() -> None:
    frame = with_text(mixed())
    estimator = catboost.CatBoostRegressor(**SMALL, cat_features=["town"]).fit(frame, targets(frame[["income"]]))
    model = read(estimator)
    assert model.ensemble.columns == 5
    check(model, estimator, frame[:50])


def test_text_is_not_readable() -> None:
    frame = with_text(mixed())
    frame["town"] += " " + frame["grade"].astype(str) + " and more words"
    estimator = catboost.CatBoostClassifier(**SMALL, text_features=["town"]).fit(frame, classes(mixed(), 2))
    found = read_trees(estimator)
    assert isinstance(found, NotReadable)
    assert "text" in found.reason

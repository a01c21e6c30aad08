"""scikit-learn's trees read here say what scikit-learn says."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
import shap
from numpy.typing import NDArray
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.ensemble import (
    AdaBoostClassifier,
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.linear_model import LogisticRegression
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor, ExtraTreeClassifier, ExtraTreeRegressor

from clarify_ops.errors import BadData
from clarify_ops.explain.trees.reading import read_ensemble, read_trees
from clarify_ops.explain.trees.tree_model import NotReadable, TreeModel

from .data import classes, hard_rows, mixed, numeric, targets
from .oracle import interventional, path_dependent, sums

Floats = NDArray[np.float64]


def read(estimator: object) -> TreeModel:
    found = read_trees(estimator)
    assert isinstance(found, TreeModel), found
    return found


def answers(estimator: Any, rows: pd.DataFrame) -> Floats:
    said = estimator.predict_proba(rows) if hasattr(estimator, "predict_proba") else estimator.predict(rows)
    return np.asarray(said, dtype=np.float64).reshape(len(rows), -1)


def check(model: TreeModel, estimator: Any, rows: pd.DataFrame) -> None:
    found = sums(model.ensemble, model.encode(rows))
    np.testing.assert_allclose(model.answers(found), answers(estimator, rows), rtol=1e-12, atol=1e-12)
    if hasattr(estimator, "decision_function"):
        raw = estimator.decision_function(rows).reshape(len(rows), -1)
        scale = 2.0 if getattr(estimator, "loss", "") == "exponential" else 1.0
        np.testing.assert_allclose(found, scale * raw, rtol=1e-12, atol=1e-12)


def check_shap(model: TreeModel, estimator: Any, rows: pd.DataFrame, tolerance: float = 1e-9) -> None:
    """Against the shap library, in both games; its interventional one keeps weights in single precision."""
    outputs = model.ensemble.outputs
    # It rounds thresholds or values to single precision here and there, so that none may lie at a threshold.
    matrix = model.encode(rows) + 0.0123
    for background in (None, matrix[:4]):
        way = "tree_path_dependent" if background is None else "interventional"
        explainer = shap.TreeExplainer(estimator, data=background, feature_perturbation=way)
        given = np.asarray(explainer.shap_values(matrix[4:], check_additivity=False))
        given = given.reshape(*given.shape[:2], outputs)
        for row, expected in zip(matrix[4:], given, strict=True):
            if background is None:
                values, base = path_dependent(model.ensemble, row)
            else:
                values, base = interventional(model.ensemble, row, background)
            atol = tolerance if background is None else 1e-6
            np.testing.assert_allclose(values, expected, atol=atol)
            np.testing.assert_allclose(base, np.ravel(explainer.expected_value), atol=atol)


SMALL: dict[str, Any] = {"max_depth": 4, "random_state": 0}
FEW: dict[str, Any] = {**SMALL, "n_estimators": 5}


@pytest.mark.parametrize("gaps", [True, False])
@pytest.mark.parametrize(
    "estimator",
    [
        DecisionTreeClassifier(**SMALL),
        ExtraTreeClassifier(**SMALL, criterion="entropy"),
        RandomForestClassifier(**FEW, class_weight="balanced"),
        ExtraTreesClassifier(**FEW, bootstrap=True, max_samples=0.5),
    ],
    ids=repr,
)
@pytest.mark.parametrize("count", [2, 3])
def test_classifiers_average_probabilities(estimator: Any, count: int, *, gaps: bool) -> None:
    frame = numeric(gaps=gaps)
    weights = np.random.default_rng(4).exponential(size=len(frame))
    estimator.fit(frame, classes(frame, count), sample_weight=weights)
    model = read(estimator)
    assert (model.ensemble.unit, model.ensemble.outputs, model.additive) == ("probability", count, True)
    assert model.features == tuple(frame.columns)
    rows = hard_rows(frame, model.ensemble, gaps=gaps, infinite=False)
    check(model, estimator, rows)
    if not gaps:
        check_shap(model, estimator, frame[:9])


@pytest.mark.parametrize(
    "estimator",
    [
        DecisionTreeRegressor(**SMALL, criterion="absolute_error"),
        ExtraTreeRegressor(**SMALL),
        RandomForestRegressor(**FEW),
        ExtraTreesRegressor(**FEW),
    ],
    ids=repr,
)
@pytest.mark.parametrize("outputs", [1, 2])
def test_regressors_average_values(estimator: Any, outputs: int) -> None:
    frame = numeric(gaps=False)
    target = np.column_stack([targets(frame, seed) for seed in range(outputs)])
    estimator.fit(frame, target[:, 0] if outputs == 1 else target)
    model = read(estimator)
    assert (model.ensemble.unit, model.ensemble.outputs) == ("value", outputs)
    rows = hard_rows(frame, model.ensemble, gaps=False, infinite=False)
    check(model, estimator, rows)
    check_shap(model, estimator, frame[:9])


def test_missing_values_take_the_way_of_training() -> None:
    frame = numeric()
    estimator = RandomForestRegressor(**FEW).fit(frame, targets(frame))
    model = read(estimator)
    assert model.ensemble.missing_left.any()
    check(model, estimator, hard_rows(frame, model.ensemble, infinite=False))


def test_weights_are_in_the_covers() -> None:
    frame = numeric(gaps=False)
    weights = np.random.default_rng(4).exponential(size=len(frame)) * (np.arange(len(frame)) % 3 > 0)
    estimator = DecisionTreeRegressor(**SMALL).fit(frame, targets(frame), sample_weight=weights)
    assert read(estimator).ensemble.cover[0] == pytest.approx(weights.sum())


STARTS: list[dict[str, Any]] = [
    {},
    {"init": "zero"},
    {"init": DummyClassifier(strategy="prior")},
    {"init": DummyClassifier(strategy="most_frequent")},
    {"subsample": 0.5},
]


@pytest.mark.parametrize(
    ("settings", "count"),
    [(settings, count) for settings in STARTS for count in (2, 3)] + [({"loss": "exponential"}, 2)],
    ids=str,
)
def test_boosted_classifiers(settings: dict[str, Any], count: int) -> None:
    frame = numeric(gaps=False)
    estimator = GradientBoostingClassifier(**FEW, **settings).fit(frame, classes(frame, count))
    model = read(estimator)
    assert model.ensemble.unit == ("log-odds" if count == 2 else "score")
    rows = hard_rows(frame, model.ensemble, gaps=False, infinite=False)
    check(model, estimator, rows)
    # shap knows neither other starts nor more than two classes here.
    if settings in ({}, {"subsample": 0.5}) and count == 2:
        check_shap(model, estimator, frame[:9])


@pytest.mark.parametrize(
    "settings",
    [{}, {"loss": "huber"}, {"loss": "quantile", "alpha": 0.2}, {"init": DummyRegressor(strategy="median")}],
    ids=str,
)
def test_boosted_regressors(settings: dict[str, Any]) -> None:
    frame = numeric(gaps=False)
    estimator = GradientBoostingRegressor(**FEW, **settings).fit(frame, targets(frame))
    model = read(estimator)
    check(model, estimator, hard_rows(frame, model.ensemble, gaps=False, infinite=False))


@pytest.mark.parametrize("start", [LogisticRegression(), DummyClassifier(strategy="stratified", random_state=0)])
def test_a_start_that_is_no_constant_is_not_readable(start: Any) -> None:
    frame = numeric(gaps=False)
    estimator = GradientBoostingClassifier(**FEW, init=start).fit(frame, classes(frame, 2))
    found = read_ensemble(estimator)
    assert isinstance(found, NotReadable)
    assert "it starts from a" in str(found)


HISTOGRAM: dict[str, Any] = {"max_iter": 6, "max_leaf_nodes": 7, "min_samples_leaf": 5, "random_state": 0}


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"loss": "poisson"},
        {"loss": "gamma"},
        {"loss": "absolute_error"},
        {"loss": "quantile", "quantile": 0.3},
        {"max_bins": 8},
        {"early_stopping": True, "n_iter_no_change": 1},
        {"min_samples_leaf": 300},
    ],
    ids=str,
)
@pytest.mark.parametrize("gaps", [True, False])
def test_histogram_regression(settings: dict[str, Any], *, gaps: bool) -> None:
    frame = numeric(gaps=gaps)
    target = targets(frame)
    if settings.get("loss") in {"poisson", "gamma"}:
        target = np.exp(target / 4)
    estimator = HistGradientBoostingRegressor(**{**HISTOGRAM, **settings}).fit(frame, target)
    model = read(estimator)
    rows = hard_rows(frame, model.ensemble)
    check(model, estimator, rows)
    assert model.additive == (settings.get("loss") not in {"poisson", "gamma"})
    check_shap(model, estimator, frame[:9])


@pytest.mark.parametrize("count", [2, 3])
def test_histogram_classification(count: int) -> None:
    frame = numeric()
    estimator = HistGradientBoostingClassifier(**HISTOGRAM).fit(frame, classes(frame, count))
    model = read(estimator)
    rows = hard_rows(frame, model.ensemble)
    check(model, estimator, rows)


@pytest.mark.parametrize("text", [True, False])
def test_histogram_categories(*, text: bool) -> None:
    frame = mixed()
    if text:
        frame["town"] = frame["town"].astype(object)
    estimator = HistGradientBoostingRegressor(**HISTOGRAM, categorical_features=["town", "grade"])
    estimator.fit(frame, targets(mixed()))
    model = read(estimator)
    assert (model.ensemble.category_starts >= 0).any()
    assert model.features == tuple(frame.columns)
    rows = hard_rows(mixed(), model.ensemble)
    rows["town"] = rows["town"].cat.set_categories(["south", "moon", "east", "north", "west"])
    rows.loc[:20, "town"] = "moon"
    rows["grade"] = rows["grade"].cat.set_categories([10, 20, 30, 40, 50])
    rows.loc[10:30, "grade"] = 50
    if text:
        rows["town"] = rows["town"].astype(object)
    check(model, estimator, rows)


def test_histogram_categories_of_the_dtype_and_of_numbers() -> None:
    frame = mixed()
    estimator = HistGradientBoostingClassifier(**HISTOGRAM).fit(frame, classes(frame, 2))
    model = read(estimator)
    assert (model.ensemble.category_starts >= 0).any()
    check(model, estimator, hard_rows(frame, model.ensemble))
    matrix = numeric().to_numpy()
    matrix[::9, 1] = np.nan
    estimator = HistGradientBoostingClassifier(**HISTOGRAM, categorical_features=[1]).fit(matrix, classes(frame, 2))
    model = read(estimator)
    rows = matrix[:40].copy()
    rows[:6, 1] = [7.0, -1.0, 2.5, np.nan, 0.0, 3.0]
    found = model.answers(sums(model.ensemble, model.encode(pd.DataFrame(rows))))
    np.testing.assert_allclose(found, estimator.predict_proba(rows), rtol=1e-12)


def test_histogram_categories_that_only_the_validation_part_has() -> None:
    frame = mixed()
    rare = [f"village {number}" for number in range(12)]
    frame["town"] = frame["town"].cat.add_categories(rare)
    frame.loc[: len(rare) - 1, "town"] = rare
    estimator = HistGradientBoostingRegressor(
        **HISTOGRAM, early_stopping=True, validation_fraction=0.5, n_iter_no_change=6
    )
    estimator.fit(frame, targets(mixed()) + 5 * frame["town"].isna())
    check(read(estimator), estimator, frame)


def test_other_estimators_are_not_readable() -> None:
    frame = numeric(gaps=False)
    for estimator in (LogisticRegression(max_iter=1000), AdaBoostClassifier(n_estimators=2)):
        found = read_trees(estimator.fit(frame, classes(frame, 2)))
        assert isinstance(found, NotReadable)
        assert type(estimator).__name__ in str(found)
    several = DecisionTreeClassifier(max_depth=2).fit(frame, np.column_stack([classes(frame, 2)] * 2))
    assert isinstance(read_trees(several), NotReadable)


def test_columns_of_every_numeric_dtype() -> None:
    frame = numeric(gaps=False)
    model = read(DecisionTreeRegressor(**SMALL).fit(frame, targets(frame)))
    rows = pd.DataFrame(
        {
            "income": pd.array([1.5, None], dtype="Float64"),
            "children": pd.array([2, None], dtype="Int64"),
            "share": pd.array([True, None], dtype="boolean"),
            "known": [True, False],
            "debt": pd.Categorical([3.0, None]),
        }
    )
    expected = [[1.5, 2.0, 1.0, 1.0, 3.0], [np.nan, np.nan, np.nan, 0.0, np.nan]]
    np.testing.assert_array_equal(model.encode(rows), expected)
    with pytest.raises(BadData, match="'debt' holds no numbers"):
        model.encode(rows.assign(debt="much"))

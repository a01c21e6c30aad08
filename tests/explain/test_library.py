"""Trees that cannot be read are explained by their own library, which is asked what it is held to."""

from __future__ import annotations

from typing import Any

import catboost
import numpy as np
import pandas as pd
import pytest
import xgboost
from numpy.typing import NDArray

from clarify_ops.errors import NotSupported
from clarify_ops.explain.choosing import choose, explain, stands_in
from clarify_ops.explain.library import LIBRARY_NOTE, library_shap, read_library_values
from clarify_ops.explain.question import Question

from .trees.data import mixed, numeric, targets

SMALL: dict[str, Any] = {
    "iterations": 8,
    "depth": 4,
    "verbose": False,
    "allow_writing_files": False,
    "random_seed": 0,
    "thread_count": 1,
    "one_hot_max_size": 1,
    "cat_features": ["town", "grade"],
}


def towns() -> tuple[pd.DataFrame, NDArray[np.float64]]:
    data = mixed(200)
    town = data["town"].astype(object).where(data["town"].notna(), "none").astype(str)
    return data.assign(town=town, grade=data["grade"].astype(str)), targets(data) + (
        town == town.iloc[0]
    ).to_numpy() * 2.0


def own(model: Any, rows: pd.DataFrame) -> NDArray[np.float64]:
    pool = catboost.Pool(rows, cat_features=["town", "grade"])
    return np.asarray(model.get_feature_importance(pool, type="ShapValues"))


def test_categories_by_statistics_of_the_target() -> None:
    data, target = towns()
    model = catboost.CatBoostRegressor(**SMALL).fit(data, target)
    rows = data.iloc[:9]
    found = explain(model, rows)
    assert (found.explainer, found.unit, found.background) == ("library_shap", "value", LIBRARY_NOTE)
    np.testing.assert_allclose(found.values[..., 0], own(model, rows)[:, :-1], atol=1e-12)
    np.testing.assert_allclose(found.expected_value, own(model, rows)[0, -1:], atol=1e-12)
    np.testing.assert_allclose(found.predictions[:, 0], model.predict(rows), atol=1e-12)
    assert found.additivity_gap() < 1e-9
    assert not found.exact.any()
    assert np.isnan(found.standard_errors).all()
    assert "(CTR)" in found.reason
    some = explain(model, rows, features_to_explain=["town", "share"])
    np.testing.assert_allclose(some.values, found.values[:, [1, 3]])
    assert some.additivity_gap() < 1e-9


def test_baseline_rows_go_before_the_library_and_it_never_stands_in() -> None:
    data, target = towns()
    model = catboost.CatBoostRegressor(**SMALL).fit(data, target)
    question = Question.of(model, data.iloc[:3], data.iloc[50:52])
    assert choose(question).explainer == "exact"
    assert stands_in(question).explainer == "kernel_shap"
    named = explain(model, data.iloc[:3], data.iloc[50:52], "library_shap")
    assert named.background == LIBRARY_NOTE
    assert "The baseline rows play no part" in named.warnings[-1]


def test_log_odds_and_probabilities_of_a_classifier() -> None:
    data, target = towns()
    model = catboost.CatBoostClassifier(**SMALL).fit(data, (target > 0).astype(int))
    rows = data.iloc[:9]
    found = explain(model, rows, use_logit=True)
    assert (found.explainer, found.unit, found.outputs) == ("library_shap", "log-odds", ("label0", "label1"))
    np.testing.assert_allclose(found.values[..., 1], own(model, rows)[:, :-1], atol=1e-12)
    np.testing.assert_allclose(found.values[..., 0], -found.values[..., 1])
    with pytest.raises(NotSupported, match="what the model answers is another number"):
        explain(model, rows)
    by_name = explain(model, rows, method="library_shap")
    assert by_name.warnings[-1] == "The log-odds is explained, and not what the model answers."


def test_values_that_do_not_add_up_are_refused() -> None:
    data, target = towns()
    model = catboost.CatBoostRegressor(**SMALL, grow_policy="Lossguide", max_leaves=12).fit(data, target)
    values = own(model, data.iloc[:9])
    gap = np.abs(values.sum(axis=1) - model.predict(data.iloc[:9])).max()
    assert gap > 0.01
    with pytest.raises(NotSupported, match=r"library's own values miss the prediction of CatBoostRegressor by up to"):
        explain(model, data.iloc[:9])
    with pytest.raises(NotSupported, match=r"library_shap cannot be used: .* miss the prediction"):
        explain(model, data.iloc[:9], data.iloc[50:52], "library_shap")
    asked = read_library_values(model, data.shape[1])
    with pytest.raises(NotSupported, match=f"miss the prediction by up to {gap:.2g}"):
        library_shap(asked, data.iloc[:9])  # type: ignore[arg-type]


def test_xgboost_with_a_base_score_in_an_unknown_unit() -> None:
    data = numeric(200)
    model = xgboost.XGBRegressor(n_estimators=8, max_depth=3, n_jobs=1).fit(data, np.exp(targets(data) / 4))
    asked = read_library_values(model, data.shape[1])
    found = library_shap(asked, data.iloc[:9])  # type: ignore[arg-type]
    expected = model.get_booster().predict(xgboost.DMatrix(data.iloc[:9]), pred_contribs=True)
    np.testing.assert_allclose(found.values[..., 0], expected[:, :-1], atol=1e-6)
    assert found.unit == "score"


def test_rows_that_the_library_does_not_take() -> None:
    data, target = towns()
    model = catboost.CatBoostRegressor(**SMALL).fit(data, target)
    broken = data.iloc[:5].assign(town=np.nan)
    answers = Question.of(lambda rows: np.zeros(len(rows)), broken, estimator=model)
    with pytest.raises(NotSupported, match="does not explain these rows: CatBoostError"):
        choose(answers)

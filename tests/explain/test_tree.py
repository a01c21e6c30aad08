"""The tree explainer on fitted models, against the libraries' own values, shap and all coalitions."""

from __future__ import annotations

from typing import Any

import lightgbm
import numpy as np
import pandas as pd
import pytest
import xgboost
from scipy import sparse
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from clarify_ops.errors import BadData, BadModel
from clarify_ops.explain.choosing import explain
from clarify_ops.explain.exact import exact_shap
from clarify_ops.explain.tree import TRAINING_NOTE, TreeSums, read_tree_sums, tree_shap

NAMES = ["a", "b", "c", "d", "e"]


def table(rows: int, seed: int, *, missing: bool = True) -> tuple[pd.DataFrame, np.ndarray[Any, Any]]:
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(rows, 5))
    values[:, 3] = rng.integers(0, 6, rows)
    label = (values[:, 0] * values[:, 1] + np.sin(3 * values[:, 2]) + (values[:, 3] % 2) > 0.5).astype(int)
    if missing:
        values[rng.random((rows, 5)) < 0.1] = np.nan
    return pd.DataFrame(values, columns=NAMES), label


def read(estimator: object) -> TreeSums:
    found = read_tree_sums(estimator, len(NAMES))
    assert isinstance(found, TreeSums)
    return found


def test_lightgbms_own_contributions() -> None:
    rows, label = table(2000, 1)
    rows["d"] = rows["d"].astype("category")
    model = lightgbm.LGBMClassifier(n_estimators=40, verbose=-1, n_jobs=1).fit(rows, label)
    expected = np.asarray(model.predict(rows, pred_contrib=True))
    found = tree_shap(read(model), rows)
    np.testing.assert_allclose(found.values[..., 0], expected[:, :-1], rtol=0, atol=1e-9)
    np.testing.assert_allclose(found.expected_value, expected[0, -1:], rtol=0, atol=1e-9)
    np.testing.assert_allclose(
        found.predictions[:, 0], np.asarray(model.predict(rows, raw_score=True)), rtol=0, atol=1e-9
    )
    assert (found.unit, found.log_odds, found.background) == ("log-odds", True, TRAINING_NOTE)
    assert found.exact.all()
    assert found.additivity_gap() < 1e-10


def test_xgboosts_own_contributions_of_three_classes() -> None:
    rows, label = table(1500, 2)
    label = label + (rows["a"].fillna(0).to_numpy() > 1)
    model = xgboost.XGBClassifier(n_estimators=20, max_depth=7, n_jobs=1).fit(rows, label)
    expected = model.get_booster().predict(xgboost.DMatrix(rows), pred_contribs=True)
    found = tree_shap(read(model), rows)
    np.testing.assert_allclose(found.values, expected[..., :-1].swapaxes(1, 2), rtol=0, atol=1e-5)


def test_a_model_that_has_no_trees() -> None:
    rows, label = table(50, 8, missing=False)
    found = read_tree_sums(LogisticRegression().fit(rows, label), len(NAMES))
    assert not isinstance(found, TreeSums)
    assert "LogisticRegression" in str(found)


@pytest.mark.parametrize(
    "model",
    [
        HistGradientBoostingRegressor(max_iter=30),
        HistGradientBoostingClassifier(max_iter=30),
        RandomForestClassifier(10, random_state=0),
    ],
)
def test_shap_agrees_on_both_games(model: Any) -> None:
    import shap

    rows, label = table(600, 3, missing=False)
    # shap reads values of these models as float32.
    rows = rows.astype(np.float32).astype(np.float64)
    model.fit(rows, label)
    background = rows.iloc[:30]
    for given, how in ((None, "tree_path_dependent"), (background, "interventional")):
        explainer = shap.TreeExplainer(model, given, feature_perturbation=how)
        expected = np.asarray(explainer.shap_values(rows.iloc[:50], check_additivity=False))
        found = tree_shap(read(model), rows.iloc[:50], given)
        # shap adds in float32 where there is a background.
        tolerance = 1e-9 if given is None else 1e-6
        expected = expected if expected.ndim == 3 else expected[..., None]
        np.testing.assert_allclose(found.values, expected[..., -found.values.shape[2] :], rtol=0, atol=tolerance)


def test_a_pipeline_is_explained_by_its_raw_features() -> None:
    rows, label = table(500, 4, missing=False)
    rows["d"] = rows["d"].map(dict(enumerate("uvwxyz")))
    model = make_pipeline(
        make_column_transformer((OneHotEncoder(), ["d"]), remainder="passthrough"),
        RandomForestClassifier(8, max_depth=6, random_state=1),
    ).fit(rows, label)
    background = rows.iloc[:7]
    for wanted in (None, ["d", "a"]):
        found = tree_shap(read(model), rows.iloc[20:40], background, features_to_explain=wanted)
        expected = exact_shap(model.predict_proba, rows.iloc[20:40], background, features_to_explain=wanted)
        assert found.features == expected.features
        np.testing.assert_allclose(found.values, expected.values, rtol=0, atol=1e-9)
        np.testing.assert_allclose(found.base_values, expected.base_values, rtol=0, atol=1e-9)
        np.testing.assert_allclose(found.predictions, model.predict_proba(rows.iloc[20:40]), rtol=0, atol=1e-9)
        assert found.background == "7 baseline rows, interventional"


def test_batches_and_threads_change_nothing() -> None:
    rows, label = table(400, 5)
    model = read(lightgbm.LGBMRegressor(n_estimators=20, verbose=-1, n_jobs=1).fit(rows, label))
    whole = tree_shap(model, rows, rows.iloc[:9])
    found = tree_shap(model, rows, rows.iloc[:9], batch_rows=150, threads=2)
    np.testing.assert_array_equal(found.values, whole.values)


def test_no_rows_and_unknown_features() -> None:
    rows, label = table(200, 6)
    model = read(lightgbm.LGBMClassifier(n_estimators=5, verbose=-1, n_jobs=1).fit(rows, label))
    assert tree_shap(model, rows.iloc[:0]).values.shape == (0, 5, 1)
    with pytest.raises(BadData, match="nowhere"):
        tree_shap(model, rows, features_to_explain=["nowhere"])


def test_a_leaf_that_is_no_number_is_found_out() -> None:
    rows, label = table(200, 7)
    model = read(lightgbm.LGBMClassifier(n_estimators=5, verbose=-1, n_jobs=1).fit(rows, label))
    model.model.ensemble.values[model.model.ensemble.left < 0] = np.nan
    with pytest.raises(BadModel, match="add up"):
        tree_shap(model, rows)


def test_a_feature_that_is_zero_everywhere_has_no_part_in_the_base() -> None:
    rows, label = table(300, 9, missing=False)
    model = lightgbm.LGBMClassifier(n_estimators=5, verbose=-1, n_jobs=1).fit(rows.to_numpy(), label)
    matrix: Any = sparse.csr_matrix(rows.assign(b=0.0).to_numpy())
    found = explain(model, matrix[:20], use_logit=True)
    assert found.explainer == "tree_shap"
    assert found.additivity_gap() < 1e-9
    assert (found.values[:, 1] == 0).all()

"""Trees of any library are found and read, alone and behind encoders, where their sum is what is asked about."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from scipy import sparse
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import (
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.impute import SimpleImputer
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from clarify_ops.errors import NotSupported
from clarify_ops.explain.choosing import choose, explain, stands_in
from clarify_ops.explain.question import Question
from clarify_ops.explain.tree import TRAINING_NOTE
from clarify_ops.models.in_process import model_of

from .models import loan, loans
from .oracle import all_shapley_values
from .trees.data import classes, mixed, numeric, targets

Floats = NDArray[np.float64]


def asked(model: Any, *, use_logit: bool) -> Callable[[pd.DataFrame], Floats]:
    """What the library itself says of rows, (rows, outputs)."""

    def of(frame: pd.DataFrame) -> Floats:
        answer = getattr(model, "predict_proba", model.predict)
        outputs = np.asarray(answer(frame), dtype=np.float64)
        outputs = outputs[:, None] if outputs.ndim == 1 else outputs
        return np.log(outputs) - np.log1p(-outputs) if use_logit else outputs

    return of


def lightgbm(**settings: Any) -> Any:
    import lightgbm

    return lightgbm.LGBMClassifier(n_estimators=12, num_leaves=8, min_child_samples=5, n_jobs=1, verbose=-1, **settings)


def xgboost(**settings: Any) -> Any:
    import xgboost

    return xgboost.XGBClassifier(n_estimators=12, max_depth=3, enable_categorical=True, n_jobs=1, **settings)


CLASSIFIERS: dict[str, Any] = {
    "lightgbm": lightgbm(),
    "xgboost": xgboost(),
    "histogram": HistGradientBoostingClassifier(max_iter=12, categorical_features="from_dtype"),
}


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_boosted_log_odds_are_read_and_probabilities_are_not(name: str) -> None:
    data = mixed(200)
    model = CLASSIFIERS[name].fit(data, targets(data) > 0)
    rows, background = data.iloc[:1], data.iloc[50:53]
    explanation = explain(model, rows, background, use_logit=True)
    assert (explanation.explainer, explanation.unit) == ("tree_shap", "log-odds")
    expected = all_shapley_values(asked(model, use_logit=True), rows, background)
    # XGBoost answers in float32, of which the log-odds lose digits.
    np.testing.assert_allclose(explanation.values, expected, atol=1e-5 if name == "xgboost" else 1e-9)
    assert explanation.additivity_gap() < 1e-9
    assert explanation.reason.startswith("tree_shap was chosen: what is asked about is the log-odds that ")
    probabilities = explain(model, rows, background)
    assert probabilities.explainer == "exact"
    assert "adds up to its log-odds, and what the model answers is another number" in probabilities.reason
    yes = stands_in(Question.of(model, rows, background, use_logit=True))
    assert yes.explainer == "tree_shap"
    assert "over the 3 baseline rows" in yes.reason
    assert stands_in(Question.of(model, rows, background)).explainer == "kernel_shap"
    by_name = explain(model, rows, background, "tree_shap")
    assert (by_name.unit, by_name.warnings) == (
        "log-odds",
        ("The log-odds is explained, and not what the model answers.",),
    )


@pytest.mark.parametrize(
    "model",
    [RandomForestClassifier(10, max_depth=4, random_state=0), RandomForestRegressor(10, max_depth=4, random_state=0)],
    ids=str,
)
@pytest.mark.parametrize("outputs", [2, 3])
def test_averages_of_trees_are_sums(model: Any, outputs: int) -> None:
    data = numeric(200, gaps=False)
    regression = isinstance(model, RandomForestRegressor)
    several = targets(data) if outputs == 2 else np.column_stack([targets(data), targets(data) ** 2])
    model.fit(data, several if regression else classes(data, outputs))
    rows, background = data.iloc[:2], data.iloc[50:52]
    explanation = explain(model, rows, background)
    assert (explanation.explainer, explanation.unit) == ("tree_shap", "value" if regression else "probability")
    np.testing.assert_allclose(
        explanation.values, all_shapley_values(asked(model, use_logit=False), rows, background), atol=1e-9
    )
    if not regression:
        assert explain(model, rows, background, use_logit=True).explainer == "exact"


def test_several_boosted_classes_have_scores_and_no_log_odds() -> None:
    data = numeric(200)
    model = HistGradientBoostingClassifier(max_iter=8).fit(data, classes(data, 3))
    rows, background = data.iloc[:1], data.iloc[50:52]
    scores = explain(model.decision_function, rows, background, estimator=model)
    assert (scores.explainer, scores.unit) == ("tree_shap", "score")
    np.testing.assert_allclose(scores.values, all_shapley_values(model.decision_function, rows, background), atol=1e-9)
    shares = explain(model, rows, background, use_logit=True)
    assert shares.explainer == "exact"
    assert "adds up to its score, and log-odds are asked about" in shares.reason


def test_columns_of_one_feature_are_one_player() -> None:
    data = loans(200, 3)
    encode = ColumnTransformer(
        [
            ("numbers", make_pipeline(SimpleImputer(add_indicator=True), StandardScaler()), ["income", "children"]),
            ("words", OneHotEncoder(handle_unknown="ignore"), ["town", "grade"]),
        ],
        remainder="passthrough",
    )
    pipeline = make_pipeline(encode, RandomForestClassifier(10, max_depth=5, random_state=0))
    search = GridSearchCV(pipeline, {"randomforestclassifier__max_depth": [3, 5]}, cv=2)
    search.fit(data, loan(data)[:, 0] > 0.5)
    rows, background = data.iloc[:1], data.iloc[20:22]
    expected = all_shapley_values(asked(search, use_logit=False), rows, background)
    for model in (search, search.best_estimator_):
        explanation = explain(model, rows, background)
        assert explanation.explainer == "tree_shap"
        assert explanation.features == tuple(data.columns)
        np.testing.assert_allclose(explanation.values, expected, atol=1e-9)
    some = explain(search, rows, background, features_to_explain=["town", "income"])
    assert some.explainer == "tree_shap"
    np.testing.assert_allclose(
        some.values,
        all_shapley_values(asked(search, use_logit=False), rows, background, ["town", "income"]),
        atol=1e-9,
    )
    assert some.additivity_gap() < 1e-9


def test_without_baseline_rows_the_training_rows_of_a_path_stand_for_what_is_absent() -> None:
    data = numeric(200)
    model = HistGradientBoostingRegressor(max_iter=8).fit(data, targets(data))
    explanation = explain(model, data.iloc[:5])
    assert explanation.explainer == "tree_shap"
    assert explanation.background == TRAINING_NOTE
    np.testing.assert_allclose(explanation.predictions[:, 0], model.predict(data.iloc[:5]), atol=1e-9)
    assert explanation.additivity_gap() < 1e-9
    # Of a model fitted without sampling, the counts of its paths are those of the rows that it was fitted on.
    np.testing.assert_allclose(explanation.expected_value[0], model.predict(data).mean(), atol=1e-6)
    some = explain(model, data.iloc[:5], features_to_explain=["debt"])
    assert some.additivity_gap() < 1e-9
    with pytest.raises(NotSupported, match="linear_shap cannot be used: it needs baseline rows"):
        explain(Ridge().fit(data[["debt"]], targets(data)), data[["debt"]], method="linear_shap")


def test_what_stands_in_front_of_trees_is_seen_by_its_answers() -> None:
    data = numeric(200, gaps=False)
    target = targets(data) > 0
    rows, background = data.iloc[:3], data.iloc[50:52]
    inner = GradientBoostingClassifier(n_estimators=8).fit(data, target)
    calibrated = CalibratedClassifierCV(inner, cv=3).fit(data, target)
    choice = choose(Question.of(calibrated, rows, background, use_logit=True))
    assert choice.explainer == "exact"
    assert dict(choice.considered)["tree_shap"] == (
        "CalibratedClassifierCV cannot be read as trees: no reader knows this class"
    )

    def moved(frame: pd.DataFrame) -> Floats:
        return np.asarray(inner.predict_proba(frame)[:, 1] ** 2)

    assert choose(Question.of(moved, rows, background, use_logit=True, estimator=inner)).explainer == "exact"
    assert choose(Question.of(inner, rows, background, use_logit=True)).explainer == "tree_shap"


def test_a_function_that_makes_columns_of_its_own() -> None:
    data = numeric(200, gaps=False)
    forest = RandomForestRegressor(5, max_depth=4, random_state=0).fit(data[["income", "debt"]], targets(data))
    booster = lightgbm().fit(data[["income", "debt"]], targets(data) > 0).booster_
    rows, background = data.iloc[:3], data.iloc[50:52]
    for model, said in (
        (forest, "RandomForestRegressor was fitted on columns of other names"),
        (booster, "Booster was fitted on 2 columns, and is seen with 5"),
    ):

        def predict(frame: pd.DataFrame, model: Any = model) -> Floats:
            return np.asarray(model.predict(frame[["income", "debt"]]))

        choice = choose(Question.of(predict, rows, background, estimator=model))
        assert choice.explainer == "exact"
        assert dict(choice.considered)["tree_shap"] == said


def test_rows_that_only_the_function_in_front_can_take() -> None:
    data = numeric(200, gaps=False).assign(share=lambda frame: np.where(frame["share"] > 0, "some", "none"))
    coded = data.assign(share=data["share"] == "some").to_numpy(dtype=np.float64)
    forest = RandomForestRegressor(5, max_depth=4, random_state=0).fit(coded, coded[:, 0])

    def predict(frame: pd.DataFrame) -> Floats:
        cells = frame.assign(share=frame["share"] == "some").to_numpy(dtype=np.float64)
        return np.asarray(forest.predict(cells))

    choice = choose(Question.of(predict, data.iloc[:3], data.iloc[50:52], estimator=forest))
    assert choice.explainer == "exact"
    assert dict(choice.considered)["tree_shap"].startswith(
        "RandomForestRegressor takes no rows like these by itself: The column 'share' holds no numbers"
    )


def test_sparse_rows_of_trees() -> None:
    rng = np.random.default_rng(2)
    matrix: Any = sparse.random(150, 60, density=0.05, rng=rng, format="csr")
    target = matrix @ rng.normal(size=60)
    forest = RandomForestRegressor(8, max_depth=6, random_state=0).fit(matrix, target)
    explanation = explain(forest, matrix[:3], matrix[50:53])
    assert explanation.explainer == "tree_shap"
    assert explanation.values.shape == (3, 60, 1)
    dense, behind = pd.DataFrame(matrix[:3].toarray()), pd.DataFrame(matrix[50:53].toarray())
    whole = explain(lambda frame: forest.predict(frame.to_numpy()), dense, behind, "permutation_shap", seed=0)
    exact = whole.exact
    np.testing.assert_allclose(explanation.values[exact], whole.values[exact], atol=1e-9)
    np.testing.assert_allclose(explanation.predictions, whole.predictions, atol=1e-12)


def test_what_a_sparse_matrix_leaves_out_is_missing_to_one_library_and_zero_to_another() -> None:
    import xgboost

    rng = np.random.default_rng(2)
    matrix: Any = sparse.random(150, 12, density=0.3, rng=rng, format="csr")
    target = matrix @ rng.normal(size=12) > 0.1
    model = xgboost.XGBClassifier(n_estimators=12, max_depth=3).fit(matrix, target)
    assert np.abs(model.predict_proba(matrix) - model.predict_proba(matrix.toarray())).max() > 0.1
    rows, background = matrix[:3], matrix[50:52]
    explanation = explain(model, rows, background, use_logit=True)
    assert explanation.explainer == "tree_shap"
    asked_about = explain(model, rows, background, "exact", use_logit=True)
    np.testing.assert_allclose(explanation.values, asked_about.values, atol=1e-5)
    np.testing.assert_allclose(explanation.predictions, asked_about.predictions, atol=1e-5)


class Reordering:
    """A model that gives its estimator the columns in the order of the fit, and text as categories."""

    name = "a model of its own"
    outputs = None

    def __init__(self, estimator: Any, columns: list[str], dtypes: dict[str, Any]) -> None:
        self.estimator = estimator
        self._columns, self._dtypes = columns, dtypes

    def prepared(self, features: pd.DataFrame) -> pd.DataFrame:
        return features[self._columns].astype(self._dtypes)

    def answer(self, features: pd.DataFrame) -> Floats:
        return np.asarray(self.estimator.predict_proba(self.prepared(features))[:, 1])

    def close(self) -> None:
        """Nothing."""


@pytest.mark.parametrize("name", ["lightgbm", "histogram"])
def test_a_model_that_prepares_rows_is_read_as_it_prepares_them(name: str) -> None:
    data = mixed(200)
    estimator = CLASSIFIERS[name].fit(data, targets(data) > 0)
    model = Reordering(estimator, list(data.columns), {"town": data["town"].dtype})
    other_order = data[data.columns[::-1]].assign(town=data["town"].astype(object))
    rows, background = other_order.iloc[:3], other_order.iloc[50:53]
    explanation = explain(model, rows, background, use_logit=True)
    assert explanation.explainer == "tree_shap"
    assert explanation.features == tuple(rows.columns)
    np.testing.assert_allclose(
        explanation.values, explain(model, rows, background, "exact", use_logit=True).values, atol=1e-9
    )


def test_a_linear_model_that_orders_its_columns() -> None:
    plain = numeric(50, gaps=False)
    estimator = Ridge().fit(plain, targets(plain))
    estimator.predict_proba = lambda rows: np.column_stack([estimator.predict(rows)] * 2)
    model = Reordering(estimator, list(plain.columns), {})
    explanation = explain(model, plain[plain.columns[::-1]].iloc[:3], plain.iloc[5:9])
    assert explanation.explainer == "linear_shap"
    expected = all_shapley_values(model.answer, plain[plain.columns[::-1]].iloc[:3], plain.iloc[5:9])
    np.testing.assert_allclose(explanation.values, expected, atol=1e-9)


def test_a_loaded_model_is_read_behind_what_it_does_to_rows() -> None:
    data = mixed(200)
    model = model_of(lightgbm().fit(data, targets(data) > 0).booster_)
    rows = data[data.columns[::-1]].assign(town=data["town"].astype(object))
    explanation = explain(model, rows.iloc[:2], rows.iloc[50:52], use_logit=True)
    assert explanation.explainer == "tree_shap"
    by_asking = explain(model, rows.iloc[:2], rows.iloc[50:52], "exact", use_logit=True)
    np.testing.assert_allclose(explanation.values, by_asking.values, atol=1e-9)

"""Linear models are explained from their coefficients as the definition explains them, whatever encodes their features."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from scipy import sparse
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.feature_selection import SelectKBest
from sklearn.impute import SimpleImputer
from sklearn.linear_model import (
    ElasticNet,
    GammaRegressor,
    Lasso,
    LinearRegression,
    LogisticRegression,
    PoissonRegressor,
    Ridge,
    SGDClassifier,
    TweedieRegressor,
)
from sklearn.model_selection import GridSearchCV
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    KBinsDiscretizer,
    MaxAbsScaler,
    Normalizer,
    OneHotEncoder,
    OrdinalEncoder,
    PolynomialFeatures,
    SplineTransformer,
    StandardScaler,
)
from sklearn.svm import LinearSVC

from clarify_ops.explain.encoding import Untraced
from clarify_ops.explain.linear import LinearModel, linear_shap, read_linear

from .models import loan, loans, numbers
from .oracle import all_shapley_values

Floats = NDArray[np.float64]


def read(estimator: Any, features: int) -> LinearModel:
    model = read_linear(estimator, features)
    assert isinstance(model, LinearModel), str(model)
    return model


def three_classes(rows: int) -> NDArray[np.int64]:
    return np.arange(rows) % 3


def check(estimator: Any, rows: pd.DataFrame, background: pd.DataFrame, sums: Callable[[Any], Any]) -> LinearModel:
    """The values are those of the definition for the sums that the library itself gives."""
    model = read(estimator, rows.shape[1])
    explanation = linear_shap(model, rows, background)

    def of(frame: pd.DataFrame) -> Floats:
        found = np.asarray(sums(frame), dtype=np.float64)
        return found[:, None] if found.ndim == 1 else found

    np.testing.assert_allclose(explanation.predictions, of(rows), atol=1e-9)
    np.testing.assert_allclose(explanation.values, all_shapley_values(of, rows, background), atol=1e-9)
    np.testing.assert_allclose(explanation.expected_value, of(background).mean(axis=0), atol=1e-9)
    assert explanation.additivity_gap() < 1e-9
    assert explanation.exact.all()
    assert explanation.unit == model.unit
    assert explanation.explainer == "linear_shap"
    assert explanation.background == f"{len(background)} baseline rows, interventional"
    return model


X = numbers(60, 4, 1)
SIGNAL = X.to_numpy() @ [1.0, -2.0, 0.5, 0.0] + np.sin(np.arange(60))


@pytest.mark.parametrize(
    ("estimator", "target", "sums", "unit"),
    [
        (LinearRegression(), SIGNAL, "predict", "value"),
        (LinearRegression(), np.column_stack([SIGNAL, SIGNAL**2]), "predict", "value"),
        (Ridge(), SIGNAL, "predict", "value"),
        (Lasso(0.01), SIGNAL, "predict", "value"),
        (ElasticNet(0.01), SIGNAL, "predict", "value"),
        (LogisticRegression(), SIGNAL > 0, "decision_function", "log-odds"),
        (LogisticRegression(), three_classes(60), "decision_function", "score"),
        (LinearDiscriminantAnalysis(), SIGNAL > 0, "decision_function", "log-odds"),
        (LinearSVC(), SIGNAL > 0, "decision_function", "score"),
        (LinearSVC(), three_classes(60), "decision_function", "score"),
        (SGDClassifier(loss="log_loss", random_state=0), SIGNAL > 0, "decision_function", "log-odds"),
        (SGDClassifier(random_state=0), SIGNAL > 0, "decision_function", "score"),
        (TweedieRegressor(power=0), SIGNAL, "predict", "value"),
    ],
    ids=[
        "least squares",
        "two outputs",
        "ridge",
        "lasso",
        "elastic net",
        "logistic",
        "three classes",
        "discriminant",
        "margins",
        "three margins",
        "stochastic log loss",
        "stochastic hinge",
        "tweedie",
    ],
)
def test_equals_the_definition(estimator: Any, target: Any, sums: str, unit: str) -> None:
    estimator.fit(X, target)
    assert check(estimator, X.iloc[:3], X.iloc[10:15], getattr(estimator, sums)).unit == unit


@pytest.mark.parametrize(
    "estimator", [PoissonRegressor(), GammaRegressor(), TweedieRegressor(power=1.5), TweedieRegressor(link="log")]
)
def test_a_log_link_is_explained_before_it(estimator: Any) -> None:
    estimator.fit(X, np.exp(SIGNAL / 3))
    model = check(estimator, X.iloc[:3], X.iloc[10:15], lambda frame: np.log(estimator.predict(frame)))
    assert model.unit == "log of the value"


def test_what_the_probabilities_of_two_classes_are_log_odds_of() -> None:
    estimator = LogisticRegression().fit(X, SIGNAL > 0)
    explanation = linear_shap(read(estimator, 4), X.iloc[:3], X.iloc[10:11])
    probability = estimator.predict_proba(X.iloc[:3])[:, 1]
    np.testing.assert_allclose(explanation.predictions[:, 0], np.log(probability / (1 - probability)))
    assert explanation.log_odds


NUMBERS = ["income", "children"]
WORDS = ["town", "grade"]

ENCODERS = {
    "imputed, scaled and one-hot": ColumnTransformer(
        [
            ("numbers", make_pipeline(SimpleImputer(add_indicator=True), StandardScaler()), NUMBERS),
            ("words", OneHotEncoder(handle_unknown="ignore"), WORDS),
        ],
        remainder="passthrough",
    ),
    "sparse, dropped and rare": ColumnTransformer(
        [
            ("words", OneHotEncoder(drop="first", min_frequency=15, handle_unknown="ignore"), WORDS),
            ("numbers", make_pipeline(SimpleImputer(), MaxAbsScaler()), NUMBERS),
            ("gone", "drop", ["married"]),
        ],
        sparse_threshold=1.0,
    ),
    "by place, in several shapes": ColumnTransformer(
        [
            (
                "numbers",
                Pipeline(
                    [
                        ("filled", SimpleImputer()),
                        (
                            "shapes",
                            FeatureUnion(
                                [
                                    ("bins", KBinsDiscretizer(3, quantile_method="averaged_inverted_cdf")),
                                    ("splines", SplineTransformer(4)),
                                    ("log", FunctionTransformer(np.arctan)),
                                    ("as it is", "passthrough"),
                                    ("not at all", "drop"),
                                ]
                            ),
                        ),
                        ("best", SelectKBest(k=9)),
                    ]
                ),
                [2, 3],
            ),
            ("codes", OrdinalEncoder(encoded_missing_value=-1), slice("town", "grade")),
        ]
    ),
}


@pytest.mark.parametrize("name", ENCODERS)
def test_raw_features_through_any_encoding(name: str) -> None:
    data = loans(120, 3)
    target = loan(data)[:, 0] > 0.5
    pipeline = Pipeline([("encode", ENCODERS[name]), ("answer", LogisticRegression(max_iter=2000))]).fit(data, target)
    rows = data[data.isna().any(axis=1)].iloc[:2]
    check(pipeline, rows, data.iloc[20:22], pipeline.decision_function)


def test_powers_without_products_and_a_constant_column() -> None:
    one = X[["x0"]]
    pipeline = make_pipeline(PolynomialFeatures(3), Ridge()).fit(one, SIGNAL)
    check(pipeline, one.iloc[:3], one.iloc[5:9], pipeline.predict)


def test_a_search_is_its_best_estimator_and_a_pipeline_may_pass_through() -> None:
    search = GridSearchCV(Pipeline([("scale", "passthrough"), ("fit", Ridge())]), {"fit__alpha": [0.1, 1.0]}, cv=2)
    search.fit(X, SIGNAL)
    check(search, X.iloc[:3], X.iloc[5:9], search.predict)


def test_nullable_numbers() -> None:
    estimator = Ridge().fit(X, SIGNAL)
    rows = X.iloc[:3].astype("Float64").assign(x0=pd.array([1, 2, 3], dtype="Int64"))
    explanation = linear_shap(read(estimator, 4), rows, X.iloc[5:9])
    np.testing.assert_allclose(explanation.predictions[:, 0], estimator.predict(rows.astype(np.float64)))


def test_sparse_coefficients_and_columns() -> None:
    words = make_pipeline(OneHotEncoder(handle_unknown="ignore"), SGDClassifier(random_state=0))
    data = loans(80, 3)[WORDS]
    words.fit(data, loan(loans(80, 3))[:, 0] > 0.5)
    words[-1].sparsify()
    assert sparse.issparse(words[-1].coef_)
    check(words, data.iloc[:3], data.iloc[5:9], words.decision_function)


@pytest.mark.parametrize(
    ("estimator", "said"),
    [
        (make_pipeline(Normalizer(), Ridge()), "Normalizer is not known to make each column of one feature"),
        (make_pipeline(PCA(2), Ridge()), "PCA is not known"),
        (make_pipeline(PolynomialFeatures(2), Ridge()), "PolynomialFeatures multiplies features"),
        (make_pipeline(FunctionTransformer(lambda x: x), Ridge()), "FunctionTransformer does what cannot be seen"),
        (GaussianNB(), "GaussianNB is not known to have coefficients"),
        (make_pipeline(StandardScaler(), GaussianNB()), "GaussianNB is not known to have coefficients"),
    ],
)
def test_what_cannot_be_read_says_why(estimator: Any, said: str) -> None:
    found = read_linear(estimator.fit(X, SIGNAL > 0), 4)
    assert isinstance(found, Untraced)
    assert str(found).startswith(said)


def test_a_class_of_ones_own_is_not_taken_for_its_parent() -> None:
    class Louder(Ridge):  # type: ignore[misc]
        def predict(self, X: Any) -> Any:
            return super().predict(X) ** 2

    assert isinstance(read_linear(Louder().fit(X, SIGNAL), 4), Untraced)


def test_features_that_do_not_play() -> None:
    estimator = Ridge().fit(X, SIGNAL)
    rows, background = X.iloc[:3], X.iloc[5:9]
    explanation = linear_shap(read(estimator, 4), rows, background, features_to_explain=["x2", "x0"], labels=["y"])
    expected = all_shapley_values(estimator.predict, rows, background, ["x0", "x2"])
    assert (explanation.features, explanation.outputs) == (("x0", "x2"), ("y",))
    np.testing.assert_allclose(explanation.values, expected, atol=1e-12)
    assert explanation.additivity_gap() < 1e-12

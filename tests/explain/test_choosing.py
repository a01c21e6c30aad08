"""An explainer is chosen by what the model is; what it says is what the definition says."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from scipy import sparse
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, PoissonRegressor, Ridge
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import Normalizer, OneHotEncoder, StandardScaler
from sklearn.svm import LinearSVC

from clarify_ops.errors import BadData, BadDocument, BadModel, NotSupported
from clarify_ops.explain.choosing import choose, explain, stands_in
from clarify_ops.explain.explanation import Explanation
from clarify_ops.explain.methods import EXPLAINERS
from clarify_ops.explain.question import Question

from .models import hidden_layer, loan, loans, numbers, three_outputs
from .oracle import all_shapley_values

Floats = NDArray[np.float64]

X = numbers(80, 4, 1)
SIGNAL = X.to_numpy() @ [1.0, -2.0, 0.5, 0.0] + np.sin(np.arange(80))
ROWS, BACKGROUND = X.iloc[:2], X.iloc[20:23]


def log_odds(predict: Callable[[Any], Any]) -> Callable[[Any], Floats]:
    def of(frame: Any) -> Floats:
        probability = np.asarray(predict(frame))
        return np.asarray(np.log(probability) - np.log1p(-probability), dtype=np.float64)

    return of


def check(explanation: Explanation, model: Callable[[Any], Any], rows: pd.DataFrame, background: pd.DataFrame) -> None:
    np.testing.assert_allclose(explanation.values, all_shapley_values(_wide(model), rows, background), atol=1e-9)
    np.testing.assert_allclose(explanation.predictions, _wide(model)(rows), atol=1e-9)
    assert explanation.additivity_gap() < 1e-9


def _wide(model: Callable[[Any], Any]) -> Callable[[Any], Floats]:
    def of(frame: Any) -> Floats:
        outputs = np.asarray(model(frame), dtype=np.float64)
        return outputs[:, None] if outputs.ndim == 1 else outputs

    return of


def test_a_linear_model_is_read() -> None:
    model = Ridge().fit(X, SIGNAL)
    explanation = explain(model, ROWS, BACKGROUND)
    check(explanation, model.predict, ROWS, BACKGROUND)
    assert (explanation.explainer, explanation.unit) == ("linear_shap", "value")
    assert explanation.reason == (
        "linear_shap was chosen: what is asked about is the value that Ridge adds up, and the values are read off it exactly."
    )


def test_both_log_odds_of_a_classifier_are_read_and_its_probabilities_are_not() -> None:
    model = LogisticRegression().fit(X, SIGNAL > 0)
    explanation = explain(model, ROWS, BACKGROUND, use_logit=True, labels=["no", "yes"])
    check(explanation, log_odds(model.predict_proba), ROWS, BACKGROUND)
    assert (explanation.explainer, explanation.unit, explanation.log_odds) == ("linear_shap", "log-odds", True)
    assert explanation.outputs == ("no", "yes")
    probabilities = explain(model, ROWS, BACKGROUND)
    check(probabilities, model.predict_proba, ROWS, BACKGROUND)
    assert (probabilities.explainer, probabilities.unit) == ("exact", "as the model gives them")
    assert "linear_shap: LogisticRegression adds up to its log-odds, and what the model answers is another number" in (
        probabilities.reason
    )


@pytest.mark.parametrize(
    ("answer", "use_logit"),
    [
        (lambda model: lambda frame: model.predict_proba(frame)[:, 1], True),
        (lambda model: lambda frame: model.predict_proba(frame)[:, 0], True),
        (lambda model: model.decision_function, False),
    ],
    ids=["positive", "negative", "margin"],
)
def test_a_function_in_front_of_an_estimator(answer: Callable[[Any], Any], use_logit: bool) -> None:  # noqa: FBT001
    model = LogisticRegression().fit(X, SIGNAL > 0)
    predict = answer(model)
    explanation = explain(predict, ROWS, BACKGROUND, estimator=model, use_logit=use_logit)
    check(explanation, log_odds(predict) if use_logit else predict, ROWS, BACKGROUND)
    assert explanation.explainer == "linear_shap"


def test_several_classes_and_several_outputs() -> None:
    classes = LogisticRegression().fit(X, np.arange(80) % 3)
    scores = explain(classes.decision_function, ROWS, BACKGROUND, estimator=classes)
    check(scores, classes.decision_function, ROWS, BACKGROUND)
    assert (scores.explainer, scores.unit) == ("linear_shap", "score")
    shares = explain(classes, ROWS, BACKGROUND, use_logit=True)
    check(shares, log_odds(classes.predict_proba), ROWS, BACKGROUND)
    assert shares.explainer == "exact"
    two = Ridge().fit(X, np.column_stack([SIGNAL, SIGNAL**2]))
    check(explain(two, ROWS, BACKGROUND), two.predict, ROWS, BACKGROUND)


def test_raw_rows_through_a_pipeline() -> None:
    data = loans(150, 3)
    pipeline = make_pipeline(
        ColumnTransformer(
            [
                ("numbers", make_pipeline(SimpleImputer(), StandardScaler()), ["income", "children"]),
                ("words", OneHotEncoder(handle_unknown="ignore"), ["town", "grade"]),
            ],
            remainder="passthrough",
        ),
        LogisticRegression(max_iter=2000),
    ).fit(data, loan(data)[:, 0] > 0.5)
    rows, background = data.iloc[:2], data.iloc[20:22]
    explanation = explain(pipeline, rows, background, use_logit=True)
    check(explanation, log_odds(pipeline.predict_proba), rows, background)
    assert explanation.explainer == "linear_shap"
    assert explanation.features == tuple(data.columns)


def test_mixed_and_nullable_rows_of_a_function() -> None:
    rows, background = loans(3, 7), loans(2, 5)
    explanation = explain(loan, rows, background)
    check(explanation, loan, rows, background)
    assert explanation.explainer == "exact"
    nullable, behind = rows.convert_dtypes(), background.convert_dtypes()
    assert {str(dtype) for dtype in nullable.dtypes} >= {"Int64", "Float64", "boolean"}
    seen = []

    def looking(frame: pd.DataFrame) -> Floats:
        seen.append(frame.dtypes)
        return loan(frame)

    np.testing.assert_allclose(explain(looking, nullable, behind).values, explanation.values, atol=1e-12)
    assert all((dtypes == nullable.dtypes).all() for dtypes in seen)


def test_what_is_left_is_a_sample() -> None:
    rows, background = numbers(2, 14, 1), numbers(1, 14, 2)
    explanation = explain(hidden_layer, rows, background, seed=1, num_samples=200)
    assert explanation.explainer == "kernel_shap"
    assert "exact: rows differ from the baseline in 14 features, too many for 200 coalitions" in explanation.reason
    bounded = explain(hidden_layer, rows, background, seed=1, max_standard_error=0.05)
    assert bounded.explainer == "permutation_shap"
    assert (bounded.standard_errors < 0.05).all()


OF_LIBRARIES = ("library_shap", "deep_shap", "expected_gradients")
"""Only models of other libraries can be explained by these."""


@pytest.mark.parametrize("method", OF_LIBRARIES)
def test_what_a_model_is_not_it_is_not_explained_as(method: str) -> None:
    model = Ridge().fit(X, SIGNAL)
    with pytest.raises(NotSupported, match=f"{method} cannot be used: Ridge (is no PyTorch module|has no library)"):
        explain(model, ROWS, BACKGROUND, method)
    with pytest.raises(NotSupported, match=f"{method} cannot be used: nothing is known of the model but its answers"):
        explain(model.predict, ROWS, BACKGROUND, method)


@pytest.mark.parametrize("method", [one.name for one in EXPLAINERS if one.run and one.name not in OF_LIBRARIES])
def test_an_explainer_by_name_is_that_one(method: str) -> None:
    model = RandomForestRegressor(5, random_state=0) if method == "tree_shap" else Ridge()
    model.fit(X, SIGNAL)
    explanation = explain(model, ROWS, X.iloc[20:40], method, labels=["y"])
    assert explanation.explainer == method
    assert explanation.reason == f"{method} was asked for."
    assert explanation.outputs == ("y",)
    assert explanation.background
    if method != "linear_shap_correlated":
        check(explanation, model.predict, ROWS, X.iloc[20:40])


def test_an_explainer_by_name_explains_its_own_unit_and_says_so() -> None:
    model = LogisticRegression().fit(X, SIGNAL > 0)
    explanation = explain(model, ROWS, BACKGROUND, "linear_shap")
    check(explanation, model.decision_function, ROWS, BACKGROUND)
    assert explanation.unit == "log-odds"
    assert explanation.warnings == ("The log-odds is explained, and not what the model answers.",)
    counts = PoissonRegressor().fit(X, np.exp(SIGNAL / 3))
    assert explain(counts, ROWS, BACKGROUND, "linear_shap").unit == "log of the value"
    assert explain(counts, ROWS, BACKGROUND).explainer == "exact"


@pytest.mark.parametrize(
    ("model", "method", "wanted", "said"),
    [
        (Ridge(), "linear_shop", {}, "There is no explainer 'linear_shop'. Did you mean .linear_shap."),
        (
            MLPRegressor(hidden_layer_sizes=(3,), max_iter=20),
            "linear_shap",
            {},
            "linear_shap cannot be used: MLPRegressor is not known",
        ),
        (make_pipeline(Normalizer(), Ridge()), "linear_shap", {}, "Normalizer is not known to make each column of one"),
        (Ridge(), "pdp", {}, "pdp explains no rows"),
        (Ridge(), "exact", {"max_standard_error": 0.1}, "exact knows no bound on its errors"),
        (
            LinearSVC(),
            "linear_shap",
            {"use_logit": True},
            "LinearSVC adds up to its score, and log-odds are asked about",
        ),
    ],
)
@pytest.mark.filterwarnings("ignore:Stochastic Optimizer")
def test_what_cannot_be_done_is_said(model: Any, method: str, wanted: dict[str, Any], said: str) -> None:
    model.fit(X, SIGNAL > 0 if isinstance(model, LinearSVC) else SIGNAL)
    with pytest.raises((BadDocument, NotSupported), match=said):
        explain(model, ROWS, BACKGROUND, method, **wanted)


def test_a_function_has_no_coefficients() -> None:
    with pytest.raises(NotSupported, match="linear_shap cannot be used: nothing is known of the model but its answers"):
        explain(three_outputs, ROWS, BACKGROUND, "linear_shap")


def test_neither_rows_nor_model() -> None:
    with pytest.raises(BadModel, match="A str is no model"):
        explain("model", ROWS, BACKGROUND)
    with pytest.raises(BadData, match="The rows to explain are a list"):
        explain(three_outputs, [[1.0]], BACKGROUND)
    with pytest.raises(NotSupported, match="Without baseline rows nothing takes the place of absent features"):
        explain(three_outputs, ROWS)
    with pytest.raises(BadData, match="The rows to explain have no columns"):
        explain(three_outputs, ROWS[[]], BACKGROUND[[]])
    with pytest.raises(NotSupported, match="kernel_shap cannot be used: it needs baseline rows"):
        explain(three_outputs, ROWS, None, "kernel_shap")


class Broken(Ridge):  # type: ignore[misc]
    """Coefficients in order, and no answers."""

    def predict(self, _: Any) -> Any:
        raise RuntimeError("the disk is full")


Broken.__module__ = "sklearn.linear_model._ridge"
Broken.__name__ = "Ridge"


@pytest.mark.parametrize("method", ["auto", "linear_shap", "kernel_shap"])
def test_a_model_that_fails_moves_nobody_to_another_explainer(method: str) -> None:
    model = Broken().fit(X, SIGNAL)
    with pytest.raises(RuntimeError, match="the disk is full"):
        explain(model, ROWS, BACKGROUND, method)


def test_a_model_that_says_something_else_than_its_coefficients_is_not_read() -> None:
    model = Ridge().fit(X, SIGNAL)
    explanation = explain(lambda frame: np.round(model.predict(frame)), ROWS, BACKGROUND, estimator=model)
    check(explanation, lambda frame: np.round(model.predict(frame)), ROWS, BACKGROUND)
    assert explanation.explainer == "exact"
    assert "what the model answers is another number" in explanation.reason


def test_what_stands_in_for_the_kernel() -> None:
    model = LogisticRegression().fit(X, SIGNAL > 0)
    yes = stands_in(Question.of(model, ROWS, BACKGROUND, use_logit=True))
    assert yes.explainer == "linear_shap"
    assert yes.reason.startswith("linear_shap stands in for Kernel SHAP over the 3 baseline rows: ")
    for question in (
        Question.of(model, ROWS, BACKGROUND),
        Question.of(hidden_layer, ROWS, BACKGROUND),
        Question.of(model, ROWS, None, use_logit=True),
    ):
        assert stands_in(question).explainer == "kernel_shap"


def test_a_search_for_names_costs_the_model_few_rows() -> None:
    asked = []
    model = Ridge().fit(X, SIGNAL)

    def counted(frame: pd.DataFrame) -> Floats:
        asked.append(len(frame))
        return np.asarray(model.predict(frame))

    many = pd.concat([X] * 20, ignore_index=True)
    explain(counted, many, many, estimator=model)
    assert sum(asked) == 2 * 256


def words(rows: int) -> tuple[Any, Floats]:
    """Few of many columns in use."""
    rng = np.random.default_rng(2)
    matrix: Any = sparse.random(rows, 300, density=0.02, rng=rng, format="csr")
    return matrix, np.asarray(matrix @ rng.normal(size=300) + matrix[:, :5].multiply(matrix[:, 5:10]).sum(axis=1).A1)


def as_sparse(matrix: Any) -> pd.DataFrame:
    frames: Any = pd.DataFrame
    made: pd.DataFrame = frames.sparse.from_spmatrix(matrix)
    return made


@pytest.mark.parametrize("as_frame", [False, True])
def test_sparse_rows(as_frame: bool) -> None:  # noqa: FBT001
    matrix, target = words(120)
    model = RandomForestClassifier(8, max_depth=5, random_state=0).fit(matrix, target > np.median(target))
    seen = []

    def predict(given: Any) -> Any:
        seen.append(given)
        cells = given.sparse.to_coo().tocsr() if as_frame else given
        return model.predict_proba(cells)[:, 1]

    rows: Any = matrix[:3]
    background: Any = matrix[50:52]
    dense, behind = pd.DataFrame(rows.toarray()), pd.DataFrame(background.toarray())
    if as_frame:
        rows, background = (as_sparse(one) for one in (rows, background))
    explanation = explain(predict, rows, background, seed=3)
    wide = explain(lambda frame: model.predict_proba(frame.to_numpy())[:, 1], dense, behind, seed=3)
    assert explanation.values.shape == (3, 300, 1)
    assert explanation.features == tuple(str(one) if as_frame else f"x{one}" for one in range(300))
    if as_frame:
        assert all(isinstance(dtype, pd.SparseDtype) for one in seen for dtype in one.dtypes)
    else:
        assert all(isinstance(one, sparse.csr_matrix) and one.shape[1] == 300 for one in seen)
    np.testing.assert_allclose(explanation.values.sum(axis=1), wide.values.sum(axis=1), atol=1e-12)
    exact = wide.exact & explanation.exact
    np.testing.assert_allclose(explanation.values[exact], wide.values[exact], atol=1e-12)


def test_sparse_rows_of_a_linear_model() -> None:
    matrix, target = words(120)
    model = LogisticRegression().fit(matrix, target > np.median(target))
    rows, background = matrix[:3], matrix[50:60]
    explanation = explain(model, rows, background, use_logit=True)
    expected = (rows.toarray() - background.toarray().mean(axis=0)) * model.coef_[0]
    np.testing.assert_allclose(explanation.values[:, :, 1], expected, atol=1e-12)
    assert explanation.explainer == "linear_shap"
    some = explain(model, rows, background, use_logit=True, features_to_explain=["x0", "x7", "x299"])
    np.testing.assert_allclose(some.values[:, :, 1], expected[:, [0, 7, 299]], atol=1e-12)
    assert choose(Question.of(model, rows, background, use_logit=True)).explainer == "linear_shap"


def test_a_frame_of_which_some_columns_are_sparse() -> None:
    rows, background = loans(2, 7), loans(2, 5)
    some = rows.astype({"children": pd.SparseDtype(np.int64, 0)})
    seen = []

    def looking(frame: pd.DataFrame) -> Floats:
        seen.append(frame["children"].dtype)
        column: Any = frame["children"]
        return loan(frame.assign(children=column.sparse.to_dense()))

    explanation = explain(looking, some, background)
    np.testing.assert_allclose(explanation.values, all_shapley_values(loan, rows, background), atol=1e-12)
    assert set(seen) == {pd.SparseDtype(np.int64, 0)}

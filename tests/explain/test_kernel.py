"""Kernel SHAP equals the sum that defines Shapley values, or misses it by no more than it says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from sklearn.ensemble import RandomForestClassifier
from sklearn.tree import DecisionTreeRegressor

from clarify_ops.errors import BadData, BadDocument, BadModel
from clarify_ops.explain.game import BATCH_CELLS
from clarify_ops.explain.kernel import kernel_shap

from .models import exclusive_or, hidden_layer, loan, loans, numbers, product, three_outputs
from .oracle import all_shapley_values, value_of

Floats = NDArray[np.float64]


class Counted:
    """A model that keeps the frames it was asked about."""

    def __init__(self, model: Callable[[pd.DataFrame], Floats]) -> None:
        self.model = model
        self.frames: list[pd.DataFrame] = []

    def __call__(self, frame: pd.DataFrame) -> Floats:
        self.frames.append(frame)
        return self.model(frame)


@pytest.mark.parametrize("model", [product, exclusive_or, three_outputs, hidden_layer])
@pytest.mark.parametrize("background_rows", [1, 4])
def test_equals_the_definition(model: Callable[[pd.DataFrame], Floats], background_rows: int) -> None:
    rows, background = numbers(3, 5, 1), numbers(background_rows, 5, 2)
    background["x3"] = rows["x3"].iloc[0]
    explanation = kernel_shap(model, rows, background, seed=0)
    np.testing.assert_allclose(explanation.values, all_shapley_values(model, rows, background), atol=1e-12)
    assert explanation.exact.all()
    assert (explanation.standard_errors == 0).all()
    assert explanation.warnings == ()


def test_equals_the_definition_for_trees() -> None:
    x = numbers(200, 5, 3)
    target = x["x0"] * x["x1"] + (x["x2"] > 0) * x["x3"]
    tree = DecisionTreeRegressor(max_depth=6, random_state=0).fit(x, target)
    forest = RandomForestClassifier(10, max_depth=4, random_state=0).fit(x, pd.qcut(target, 3, labels=False))
    rows, background = x.iloc[:2], x.iloc[10:15]
    for model in (tree.predict, forest.predict_proba):
        explanation = kernel_shap(model, rows, background, seed=0)
        np.testing.assert_allclose(explanation.values, all_shapley_values(model, rows, background), atol=1e-12)


@pytest.mark.parametrize("background_rows", [1, 3])
def test_equals_the_definition_for_mixed_dtypes_and_gaps(background_rows: int) -> None:
    rows, background = loans(8, 7), loans(background_rows, 5)
    assert rows.isna().any().sum() == 3
    explanation = kernel_shap(loan, rows, background, seed=0)
    np.testing.assert_allclose(explanation.values, all_shapley_values(loan, rows, background), atol=1e-12)
    np.testing.assert_allclose(explanation.expected_value, loan(background).mean(axis=0))
    np.testing.assert_allclose(explanation.predictions, loan(rows))


def test_missing_equals_missing() -> None:
    rows = pd.DataFrame({"town": ["north", None], "income": [np.nan, 3.0]})
    background = pd.DataFrame({"town": [None], "income": [np.nan]}).astype(rows.dtypes)
    explanation = kernel_shap(lambda frame: frame.isna().sum(axis=1).to_numpy(np.float64), rows, background, seed=0)
    assert explanation.values[:, :, 0].tolist() == [[-1.0, 0.0], [0.0, -1.0]]


# shap's own import asks matplotlib for what it is about to drop.
@pytest.mark.filterwarnings("ignore:The set_:PendingDeprecationWarning")
def test_agrees_with_the_shap_library() -> None:
    import shap

    rows, background = numbers(3, 6, 6), numbers(4, 6, 7)
    theirs = shap.KernelExplainer(lambda x: three_outputs(pd.DataFrame(x)), background.to_numpy(), silent=True)
    expected = theirs.shap_values(rows.to_numpy(), l1_reg=False, silent=True)
    np.testing.assert_allclose(kernel_shap(three_outputs, rows, background, seed=0).values, expected, atol=1e-9)


def test_an_additive_attribution_may_be_wrong() -> None:
    rows, background = numbers(3, 4, 1), numbers(1, 4, 2)
    right = kernel_shap(three_outputs, rows, background, seed=0)
    wrong = replace(right, values=np.repeat(right.values.mean(axis=1, keepdims=True), 4, axis=1))
    assert wrong.additivity_gap() < 1e-12
    assert right.additivity_gap() < 1e-12
    truth = all_shapley_values(three_outputs, rows, background)
    assert np.abs(right.values - truth).max() < 1e-12
    assert np.abs(wrong.values - truth).max() > 0.5


def test_one_call_serves_many_rows_and_coalitions() -> None:
    model = Counted(product)
    explanation = kernel_shap(model, numbers(50, 4, 1), numbers(3, 4, 2), seed=0)
    assert [len(frame) for frame in model.frames] == [3, 50, 50 * 14 * 3]
    assert (explanation.prediction_calls, explanation.prediction_rows) == (3, 2153)
    assert explanation.coalitions == 50 * 14


def test_calls_are_filled_up_to_the_limit() -> None:
    model = Counted(product)
    kernel_shap(model, numbers(50, 4, 1), numbers(3, 4, 2), seed=0, batch_rows=500)
    sizes = [len(frame) for frame in model.frames[2:]]
    assert sizes == [500, 500, 500, 500, 100]


def test_rows_with_different_features_in_play_share_a_call() -> None:
    model = Counted(product)
    rows = pd.DataFrame({"x0": [1.0, 0.0, 1.0], "x1": [0.0, 1.0, 1.0], "x2": [1.0, 1.0, 0.0]})
    kernel_shap(model, rows, pd.DataFrame({"x0": [0.0], "x1": [0.0], "x2": [0.0]}), seed=0)
    assert [len(frame) for frame in model.frames] == [1, 3, 3 * 2]


def test_a_row_equal_to_the_background_asks_nothing() -> None:
    rows = numbers(2, 3, 1)
    explanation = kernel_shap(product, rows.iloc[:1], rows.iloc[:1], seed=0)
    assert (explanation.values == 0).all()
    assert explanation.coalitions == 0


def test_no_rows_are_no_attributions() -> None:
    rows = loans(4, 1)
    explanation = kernel_shap(loan, rows.iloc[:0], rows.iloc[:2], seed=0)
    assert explanation.values.shape == (0, 5, 2)
    assert explanation.additivity_gap() == 0


def test_features_that_are_not_explained_keep_the_value_of_the_row() -> None:
    rows, background = loans(4, 4), loans(3, 5)
    players = ["income", "town"]
    explanation = kernel_shap(loan, rows, background, seed=0, features_to_explain=players)
    assert explanation.features == ("town", "income")
    np.testing.assert_allclose(
        explanation.values, all_shapley_values(loan, rows, background, ["town", "income"]), atol=1e-12
    )
    others = ["grade", "children", "married"]
    np.testing.assert_allclose(explanation.base_values[1], value_of(loan, rows.iloc[[1]], background, others))
    np.testing.assert_allclose(explanation.expected_value, loan(background).mean(axis=0))
    assert explanation.additivity_gap() < 1e-12


def test_log_odds_are_explained_instead_of_probabilities() -> None:
    rows, background = loans(3, 4), loans(2, 5)

    def log_odds(frame: pd.DataFrame) -> Floats:
        probability = loan(frame)
        return np.log(probability / (1 - probability))

    explanation = kernel_shap(loan, rows, background, seed=0, use_logit=True)
    np.testing.assert_allclose(explanation.values, all_shapley_values(log_odds, rows, background), atol=1e-9)
    np.testing.assert_allclose(explanation.predictions, log_odds(rows))
    assert explanation.log_odds


def test_log_odds_of_certainty_are_limited_and_said_so() -> None:
    rows, background = numbers(2, 3, 1), numbers(1, 3, 2)
    explanation = kernel_shap(exclusive_or, rows, background, seed=0, use_logit=True)
    assert np.isfinite(explanation.values).all()
    assert explanation.warnings[0].startswith(f"{explanation.prediction_rows} probabilities were so near 0 or 1")


def test_more_than_a_thousand_features() -> None:
    rows, background = numbers(2, 1200, 1), numbers(1, 1200, 2)
    weights = np.random.default_rng(0).normal(size=1200)
    largest = 0

    def model(frame: pd.DataFrame) -> Floats:
        nonlocal largest
        largest = max(largest, frame.size)
        return np.asarray(np.einsum("nf,f->n", frame.to_numpy(), weights))

    found = kernel_shap(model, rows, background, seed=0)
    assert found.coalitions == 2 * (2 * 1200 + 2048)
    expected = (rows.to_numpy() - background.to_numpy()) * weights
    np.testing.assert_allclose(found.values[:, :, 0], expected, atol=1e-8)
    # 4,448 rows of 1,200 doubles would be 43 MB for each explained row, and any number of them together.
    assert largest <= BATCH_CELLS
    few = kernel_shap(model, rows, background, seed=0, num_samples=100)
    assert np.isnan(few.standard_errors).all()
    assert few.warnings[0].startswith("2 rows differ from the baseline in 1200 features, and 100 coalitions do not")
    assert few.additivity_gap() < 1e-9


def test_a_constant_model_has_nothing_to_share_out() -> None:
    for features in (4, 14):
        rows, background = numbers(3, features, 1), numbers(2, features, 2)
        found = kernel_shap(lambda frame: np.full(len(frame), 0.3), rows, background, seed=0)
        assert (found.values == 0).all()
        assert (found.standard_errors == 0).all()
        assert found.expected_value.tolist() == [0.3]


@pytest.mark.parametrize("num_samples", [None, 1])
def test_a_single_feature_has_all_of_the_difference(num_samples: int | None) -> None:
    rows, background = numbers(5, 1, 1), numbers(3, 1, 2)
    found = kernel_shap(product, rows, background, seed=0, num_samples=num_samples)
    np.testing.assert_allclose(found.values[:, 0, 0], rows["x0"] - background["x0"].mean(), atol=1e-15)
    assert found.exact.all()
    assert found.prediction_rows == 5 + 3


def test_sparse_columns_stay_sparse() -> None:
    dense, behind = numbers(4, 12, 1).round(), numbers(2, 12, 2).round()
    sparse = pd.SparseDtype("float64", 0.0)
    model = Counted(hidden_layer)
    found = kernel_shap(model, dense.astype(sparse), behind.astype(sparse), seed=0, num_samples=60)
    np.testing.assert_array_equal(found.values, kernel_shap(hidden_layer, dense, behind, seed=0, num_samples=60).values)
    for frame in model.frames:
        assert (frame.dtypes == sparse).all()


def test_progress_ends_at_its_total() -> None:
    seen: list[tuple[int, int]] = []
    rows, background = loans(5, 4), loans(3, 5)
    for names in (None, ["town", "income", "children"]):
        seen.clear()
        explanation = kernel_shap(
            loan,
            rows,
            background,
            seed=0,
            batch_rows=20,
            features_to_explain=names,
            progress=lambda done, total: seen.append((done, total)),
        )
        assert seen[-1] == (explanation.prediction_rows, explanation.prediction_rows)
        assert len(seen) == explanation.prediction_calls


@pytest.mark.parametrize(
    ("outputs", "said"),
    [
        (lambda frame: np.full(len(frame), np.nan), "missing or infinite for 2 of 2 rows"),
        (lambda frame: np.zeros(len(frame) + 1), r"shape \(3, 1\) for 2 rows"),
        (lambda frame: np.array(["yes"] * len(frame)), "not numbers"),
        (lambda frame: np.zeros((len(frame), 1 + (frame["x0"] > 9).any())), "1 outputs for one row and 2"),
    ],
)
def test_outputs_that_cannot_be_explained(outputs: Callable[[pd.DataFrame], Floats], said: str) -> None:
    rows = pd.DataFrame({"x0": [10.0, 11.0], "x1": [1.0, 2.0]})
    with pytest.raises(BadModel, match=said):
        kernel_shap(outputs, rows, pd.DataFrame({"x0": [0.0, 1.0], "x1": [0.0, 1.0]}), seed=0)


def test_log_odds_need_probabilities() -> None:
    with pytest.raises(BadModel, match="use_logit needs probabilities"):
        kernel_shap(product, numbers(9, 2, 1), numbers(2, 2, 2) * 10, seed=0, use_logit=True)


def test_arguments_that_are_wrong() -> None:
    rows = numbers(2, 2, 1)
    with pytest.raises(BadData, match=r"features_to_explain names 'x_1', which is no feature. Did you mean .x1."):
        kernel_shap(product, rows, rows, seed=0, features_to_explain=["x_1"])
    with pytest.raises(BadData, match="features_to_explain is empty"):
        kernel_shap(product, rows, rows, seed=0, features_to_explain=[])
    with pytest.raises(BadDocument, match="num_samples is 0"):
        kernel_shap(product, rows, rows, seed=0, num_samples=0)
    with pytest.raises(BadDocument, match="2 label headers, and the model gives 1 outputs"):
        kernel_shap(product, rows, rows, seed=0, labels=["no", "yes"])

"""Kernel SHAP equals the sum that defines Shapley values, or misses it by no more than it says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.ensemble import RandomForestClassifier
from sklearn.tree import DecisionTreeRegressor
from threadpoolctl import threadpool_limits

from clarify_ops.errors import BadData, BadDocument, BadModel
from clarify_ops.explain.game import BATCH_CELLS
from clarify_ops.explain.kernel import KernelShap, kernel_shap
from clarify_ops.explain.stages import Effort

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


games = st.tuples(st.integers(0, 2**32), st.integers(1, 5), st.integers(1, 3), st.integers(1, 4))
wide_games = st.tuples(st.integers(0, 2**32), st.integers(5, 9), st.integers(1, 3), st.integers(1, 6))


def game(drawn: tuple[int, int, int, int]) -> tuple[pd.DataFrame, pd.DataFrame, Callable[[pd.DataFrame], Floats]]:
    """Rows and a background of few different values, and a model of whole numbers, so that equal means equal."""
    seed, features, background_rows, row_count = drawn
    rng = np.random.default_rng(seed)
    names = [f"x{feature}" for feature in range(features)]
    rows = pd.DataFrame(rng.integers(0, 3, (row_count, features)), columns=names)
    background = pd.DataFrame(rng.integers(0, 3, (background_rows, features)), columns=names)
    linear, pairs = rng.integers(-3, 4, (features, 2)), rng.integers(-2, 3, (features, features, 2))

    def model(frame: pd.DataFrame) -> Floats:
        x = frame.to_numpy()
        return np.asarray(x @ linear + np.einsum("ni,ijo,nj->no", x, pairs, x), dtype=np.float64)

    return rows, background, model


@settings(deadline=None, max_examples=40)
@given(games)
def test_law_efficiency(drawn: tuple[int, int, int, int]) -> None:
    rows, background, model = game(drawn)
    explanation = kernel_shap(model, rows, background, seed=0)
    np.testing.assert_allclose(
        explanation.expected_value + explanation.values.sum(axis=1), model(rows), rtol=0, atol=1e-10
    )
    assert explanation.additivity_gap() < 1e-10


@settings(deadline=None, max_examples=40)
@given(games, st.booleans())
def test_law_dummy_is_exactly_zero(drawn: tuple[int, int, int, int], ignored: bool) -> None:  # noqa: FBT001
    rows, background, model = game(drawn)
    # A feature that the model never reads, or one in which the rows equal the background.
    rows, background = rows.assign(extra=1), background.assign(extra=0 if ignored else 1)
    with_dummy = kernel_shap(
        lambda frame: model(frame.drop(columns="extra")) + (0 if ignored else frame[["extra"]].to_numpy()),
        rows,
        background,
        seed=0,
    )
    assert (with_dummy.values[:, -1] == 0).all()


@settings(deadline=None, max_examples=40)
@given(games)
def test_law_symmetry(drawn: tuple[int, int, int, int]) -> None:
    rows, background, model = game(drawn)
    rows, background = rows.assign(twin=rows["x0"]), background.assign(twin=background["x0"])

    def symmetric(frame: pd.DataFrame) -> Floats:
        joint = frame.assign(x0=frame["x0"] * frame["twin"] + frame["x0"] + frame["twin"])
        return model(joint.drop(columns="twin"))

    values = kernel_shap(symmetric, rows, background, seed=0).values
    np.testing.assert_allclose(values[:, 0], values[:, -1], rtol=0, atol=1e-10)


@settings(deadline=None, max_examples=30)
@given(games, st.sampled_from([None, 6]))
def test_law_linearity(drawn: tuple[int, int, int, int], num_samples: int | None) -> None:
    rows, background, model = game(drawn)

    def other(frame: pd.DataFrame) -> Floats:
        return np.column_stack([product(frame), exclusive_or(frame)])

    one, two, both = (
        kernel_shap(f, rows, background, seed=3, num_samples=num_samples).values
        for f in (model, other, lambda frame: 2 * model(frame) - 3 * other(frame))
    )
    np.testing.assert_allclose(both, 2 * one - 3 * two, rtol=0, atol=1e-9)


@settings(deadline=None, max_examples=40)
@given(wide_games, st.integers(1, 300), st.sampled_from([None, 12, 60]))
def test_law_batches_do_not_matter(drawn: tuple[int, int, int, int], batch_rows: int, num_samples: int | None) -> None:
    rows, background, _ = game(drawn)
    whole = kernel_shap(hidden_layer, rows, background, seed=1, num_samples=num_samples)
    cut = kernel_shap(hidden_layer, rows, background, seed=1, num_samples=num_samples, batch_rows=batch_rows)
    np.testing.assert_array_equal(cut.values, whole.values)
    np.testing.assert_array_equal(cut.standard_errors, whole.standard_errors)
    assert cut.prediction_rows == whole.prediction_rows


@settings(deadline=None, max_examples=40)
@given(wide_games, st.randoms(use_true_random=False), st.sampled_from([None, 12, 60]))
def test_law_row_order_and_company_do_not_matter(
    drawn: tuple[int, int, int, int], random: object, num_samples: int | None
) -> None:
    rows, background, _ = game(drawn)
    order = list(range(len(rows)))
    random.shuffle(order)  # type: ignore[attr-defined]
    kept = order[: max(1, len(order) - 1)]
    whole = kernel_shap(hidden_layer, rows, background, seed=1, num_samples=num_samples)
    some = kernel_shap(hidden_layer, rows.iloc[kept], background, seed=1, num_samples=num_samples)
    np.testing.assert_array_equal(some.values, whole.values[kept])


@pytest.fixture(scope="module")
def truth() -> tuple[pd.DataFrame, pd.DataFrame, Floats]:
    """A row of ten features with its Shapley values from the definition."""
    rows, background = numbers(1, 10, 8), numbers(1, 10, 9)
    return rows, background, all_shapley_values(hidden_layer, rows, background)


def test_sampled_values_miss_the_definition_by_their_standard_errors(
    truth: tuple[pd.DataFrame, pd.DataFrame, Floats],
) -> None:
    rows, background, expected = truth
    scores = []
    for seed in range(40):
        explanation = kernel_shap(hidden_layer, rows, background, seed=seed, num_samples=200)
        assert not explanation.exact.any()
        assert explanation.additivity_gap() < 1e-12
        scores.append((explanation.values - expected) / explanation.standard_errors)
    z = np.array(scores)
    # 400 scores, ten at a time dependent. Standard errors that were twice too small or too large would not pass.
    assert np.abs(z).max() < 5
    assert 0.7 < np.sqrt((z**2).mean()) < 1.3
    assert 0.90 < (np.abs(z) < 1.96).mean() <= 1


def test_the_error_falls_with_the_samples(truth: tuple[pd.DataFrame, pd.DataFrame, Floats]) -> None:
    rows, background, expected = truth
    errors = []
    for num_samples in (30, 120, 480, 1022):
        values = [
            kernel_shap(hidden_layer, rows, background, seed=seed, num_samples=num_samples).values for seed in range(12)
        ]
        errors.append(np.sqrt(np.mean((np.array(values) - expected) ** 2)))
    assert errors[0] > 1.7 * errors[1] > 1.7**2 * errors[2]
    assert errors[3] < 1e-12


def test_the_budget_that_covers_all_coalitions_is_exact(truth: tuple[pd.DataFrame, pd.DataFrame, Floats]) -> None:
    rows, background, expected = truth
    explanation = kernel_shap(hidden_layer, rows, background, seed=0, num_samples=2**10 - 2)
    assert explanation.exact.all()
    np.testing.assert_allclose(explanation.values, expected, atol=1e-12)


def test_an_additive_model_is_recovered_from_few_samples() -> None:
    rows, background = numbers(4, 12, 1), numbers(2, 12, 2)
    weights = np.arange(12.0) - 4
    explanation = kernel_shap(lambda frame: frame.to_numpy() @ weights, rows, background, seed=0, num_samples=80)
    expected = (rows.to_numpy() - background.to_numpy().mean(axis=0)) * weights
    np.testing.assert_allclose(explanation.values[:, :, 0], expected, atol=1e-9)
    np.testing.assert_allclose(explanation.standard_errors, 0, atol=1e-9)


def test_too_few_samples_are_said_so_and_nearest_to_equal_shares() -> None:
    rows, background = numbers(3, 12, 1), numbers(1, 12, 2)
    explanation = kernel_shap(hidden_layer, rows, background, seed=0, num_samples=15)
    assert explanation.additivity_gap() < 1e-12
    assert np.isnan(explanation.standard_errors).all()
    (warning,) = explanation.warnings
    assert warning.startswith("3 rows differ from the baseline in 12 features, and 14 coalitions do not determine")
    one_pair = kernel_shap(hidden_layer, rows, background, seed=0, num_samples=1)
    # One pair tells two camps apart and nothing within them.
    assert len(np.unique(one_pair.values[0].round(9))) == 2
    assert one_pair.additivity_gap() < 1e-12


def test_features_that_do_not_vary_do_not_cost_samples() -> None:
    rows, background = numbers(2, 20, 1), numbers(1, 20, 2)
    background.iloc[0, 8:] = rows.iloc[0, 8:]
    explanation = kernel_shap(hidden_layer, rows.iloc[:1], background, seed=0)
    assert explanation.exact.all()
    assert explanation.coalitions == 2**8 - 2
    assert (explanation.values[:, 8:] == 0).all()


def test_sets_of_features_of_one_size_are_sampled_apart() -> None:
    # The same game among twelve features twice, shifted by one: equal draws would make equal mistakes.
    shift = numbers(1, 12, 1).to_numpy()[0]
    rows = pd.DataFrame([[*shift, 0.0], [0.0, *shift]], columns=[f"x{feature}" for feature in range(13)])
    background = rows.iloc[:1] * 0

    def model(frame: pd.DataFrame) -> Floats:
        return np.asarray(np.tanh(frame.to_numpy().sum(axis=1) + (frame.to_numpy() ** 2).sum(axis=1)))

    exact = kernel_shap(model, rows, background, seed=0, num_samples=2**12).values
    np.testing.assert_allclose(exact[0, :12], exact[1, 1:], atol=1e-12)
    sampled = kernel_shap(model, rows, background, seed=0, num_samples=100).values
    assert np.corrcoef((sampled - exact)[0, :12, 0], (sampled - exact)[1, 1:, 0])[0, 1] < 0.8


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


def test_threads_do_not_matter() -> None:
    rows, background = numbers(3, 14, 1), numbers(3, 14, 2)

    def explain(threads: int) -> list[Floats]:
        with threadpool_limits(threads):
            found = [
                kernel_shap(hidden_layer, rows, background, seed=1, num_samples=num_samples)
                for num_samples in (None, 20, 2**14)
            ]
            wide = kernel_shap(hidden_layer, numbers(1, 150, 1), numbers(1, 150, 2), seed=1, num_samples=3000)
        return [array for one in (*found, wide) for array in (one.values, one.standard_errors)]

    for one, other in zip(explain(1), explain(2), strict=True):
        np.testing.assert_array_equal(one, other)


def test_batches_give_what_all_rows_give_at_once() -> None:
    rows, background = loans(40, 1), loans(3, 2)
    rows["score"], background["score"] = numbers(40, 1, 3)["x0"], numbers(3, 1, 4)["x0"]

    def model(frame: pd.DataFrame) -> Floats:
        return np.asarray(loan(frame) * (1 + frame[["score"]].to_numpy() ** 2))

    whole = kernel_shap(model, rows, background, seed=2, num_samples=20, features_to_explain=list(rows.columns[1:]))
    assert not whole.exact.all()
    for size in (1, 7, 39):
        explainer = KernelShap(model, background, effort=Effort(20), seed=2, features_to_explain=list(rows.columns[1:]))
        parts = [explainer.explain(rows.iloc[start : start + size]) for start in range(0, 40, size)]
        assert [len(part.values) for part in parts[:-1]] == [size] * (len(parts) - 1)
        for name in ("values", "standard_errors", "base_values", "predictions", "exact"):
            np.testing.assert_array_equal(np.concatenate([getattr(part, name) for part in parts]), getattr(whole, name))
        assert sum(part.coalitions for part in parts) == whole.coalitions


def test_a_batch_of_other_kinds_is_refused() -> None:
    rows, background = numbers(4, 3, 1), numbers(1, 3, 2)
    for other in (rows.astype("float32"), rows[["x0", "x2", "x1"]], rows.rename(columns={"x1": "y"})):
        explainer = KernelShap(product, background, effort=Effort(), seed=0)
        assert len(explainer.explain(rows).values) == 4
        with pytest.raises(BadData, match="A batch of the rows has other columns or kinds of values than the first"):
            explainer.explain(other)


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


def test_another_seed_is_another_sample_and_a_negative_one_is_none_the_worse() -> None:
    rows, background = numbers(1, 10, 1), numbers(1, 10, 2)
    values = [kernel_shap(hidden_layer, rows, background, seed=seed, num_samples=60).values for seed in (1, 1, -1)]
    assert (values[0] == values[1]).all()
    assert (values[0] != values[2]).any()


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

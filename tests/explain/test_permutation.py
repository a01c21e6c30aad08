"""Values from random orders are unbiased, and miss the definition by no more than they say."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from clarify_ops.errors import BadData, BadDocument
from clarify_ops.explain.permutation import FIRST_PAIRS, permutation_shap

from .models import hidden_layer, loan, loans, numbers, three_outputs
from .oracle import all_shapley_values, value_of

Floats = NDArray[np.float64]


@pytest.fixture(scope="module")
def truth() -> tuple[pd.DataFrame, pd.DataFrame, Floats]:
    """Two rows of eight features with their Shapley values from the definition."""
    rows, background = numbers(2, 8, 8), numbers(3, 8, 9)
    return rows, background, all_shapley_values(hidden_layer, rows, background)


@pytest.mark.parametrize("background_rows", [1, 3])
def test_a_budget_for_all_coalitions_is_the_definition(background_rows: int) -> None:
    rows, background = loans(3, 7), loans(background_rows, 5)
    explanation = permutation_shap(loan, rows, background, seed=0)
    np.testing.assert_allclose(explanation.values, all_shapley_values(loan, rows, background), atol=1e-12)
    assert explanation.exact.all()
    assert (explanation.standard_errors == 0).all()
    assert explanation.explainer == "permutation_shap"


def test_unbiased_and_as_far_off_as_it_says(truth: tuple[pd.DataFrame, pd.DataFrame, Floats]) -> None:
    rows, background, expected = truth
    made = [permutation_shap(hidden_layer, rows, background, seed=seed, num_samples=140) for seed in range(60)]
    values = np.array([one.values for one in made])
    errors = np.array([one.standard_errors for one in made])
    assert not made[0].exact.any()
    assert max(one.additivity_gap() for one in made) < 1e-12
    # The mean over seeds misses by the error of a mean; the spread over seeds is what each claims of itself.
    z = (values.mean(axis=0) - expected) / (values.std(axis=0, ddof=1) / np.sqrt(len(made)))
    assert np.abs(z).max() < 4
    np.testing.assert_allclose(np.sqrt((errors**2).mean(axis=0)), values.std(axis=0, ddof=1), rtol=0.35)
    covered = np.abs(values - expected) < 2.262 * errors  # Student's t of ten pairs
    # 960 intervals, sixteen of a seed dependent.
    assert 0.90 < covered.mean() < 0.99


def test_the_same_values_from_one_pair_as_from_the_orders_themselves() -> None:
    rows, background = numbers(1, 4, 1), numbers(2, 4, 2)
    explanation = permutation_shap(three_outputs, rows, background, seed=3, num_samples=6)
    assert explanation.coalitions == 6
    assert np.isnan(explanation.standard_errors).all()
    names = list(rows.columns)

    def of(order: tuple[str, ...]) -> Floats:
        known = [value_of(three_outputs, rows, background, order[:size]) for size in range(5)]
        steps = dict(zip(order, np.diff(known, axis=0), strict=True))
        return np.array([steps[name] for name in names])

    candidates = [(of(order) + of(order[::-1])) / 2 for order in itertools.permutations(names)]
    assert min(np.abs(explanation.values[0] - one).max() for one in candidates) < 1e-12


def test_a_bound_costs_what_it_needs_and_no_more() -> None:
    rows, background = numbers(6, 12, 1), numbers(2, 12, 2)
    made = {
        bound: permutation_shap(hidden_layer, rows, background, seed=1, max_standard_error=bound, num_samples=4000)
        for bound in (1.0, 0.05, 0.02)
    }
    assert made[1.0].coalitions == 6 * FIRST_PAIRS * 22
    assert made[1.0].coalitions < made[0.05].coalitions < made[0.02].coalitions
    for bound, explanation in made.items():
        assert (explanation.standard_errors < bound).all()
        assert explanation.warnings == ()
    spent = permutation_shap(hidden_layer, rows, background, seed=1, max_standard_error=1e-6, num_samples=400)
    assert spent.coalitions == 6 * (400 // 22) * 22
    (warning,) = spent.warnings
    assert warning.startswith("6 of 6 rows spent their budget of 400 coalitions")


wide = st.tuples(st.integers(0, 2**32), st.integers(5, 9), st.integers(1, 3), st.integers(1, 6))


def drawn_rows(drawn: tuple[int, int, int, int]) -> tuple[pd.DataFrame, pd.DataFrame]:
    seed, features, background_rows, rows = drawn
    rng = np.random.default_rng(seed)
    names = [f"x{feature}" for feature in range(features)]
    return (
        pd.DataFrame(rng.integers(0, 3, (rows, features)), columns=names),
        pd.DataFrame(rng.integers(0, 3, (background_rows, features)), columns=names),
    )


@settings(deadline=None, max_examples=30)
@given(wide, st.integers(1, 300), st.sampled_from([None, 12, 60]), st.sampled_from([None, 0.3]))
def test_law_batches_and_company_do_not_matter(
    drawn: tuple[int, int, int, int], batch_rows: int, num_samples: int | None, bound: float | None
) -> None:
    rows, background = drawn_rows(drawn)
    whole = permutation_shap(hidden_layer, rows, background, seed=1, num_samples=num_samples, max_standard_error=bound)
    cut = permutation_shap(
        hidden_layer,
        rows.iloc[::-1],
        background,
        seed=1,
        num_samples=num_samples,
        batch_rows=batch_rows,
        max_standard_error=bound,
    )
    np.testing.assert_array_equal(cut.values[::-1], whole.values)
    np.testing.assert_array_equal(cut.standard_errors[::-1], whole.standard_errors)
    assert cut.prediction_rows == whole.prediction_rows
    assert whole.additivity_gap() < 1e-10


def test_additive_models_need_one_pair() -> None:
    rows, background = numbers(4, 12, 1), numbers(2, 12, 2)
    weights = np.arange(12.0) - 4
    explanation = permutation_shap(lambda frame: frame.to_numpy() @ weights, rows, background, seed=0, num_samples=22)
    expected = (rows.to_numpy() - background.to_numpy().mean(axis=0)) * weights
    np.testing.assert_allclose(explanation.values[:, :, 0], expected, atol=1e-9)
    assert explanation.coalitions == 4 * 22


def test_features_that_do_not_play_keep_the_value_of_the_row() -> None:
    rows, background = loans(4, 4), loans(3, 5)
    explanation = permutation_shap(loan, rows, background, seed=0, features_to_explain=["income", "town"])
    assert explanation.features == ("town", "income")
    np.testing.assert_allclose(
        explanation.values, all_shapley_values(loan, rows, background, ["town", "income"]), atol=1e-12
    )
    assert explanation.additivity_gap() < 1e-12


def test_more_than_a_thousand_features() -> None:
    rows, background = numbers(2, 1200, 1), numbers(1, 1200, 2)
    explanation = permutation_shap(hidden_layer, rows, background, seed=0, num_samples=1)
    assert explanation.coalitions == 2 * 2 * 1199
    assert explanation.additivity_gap() < 1e-9


def test_progress_ends_at_its_total() -> None:
    seen: list[tuple[int, int]] = []
    rows, background = numbers(5, 9, 4), numbers(3, 9, 5)
    for bound in (None, 0.3):
        seen.clear()
        explanation = permutation_shap(
            hidden_layer,
            rows,
            background,
            seed=0,
            num_samples=300,
            batch_rows=200,
            max_standard_error=bound,
            progress=lambda done, total: seen.append((done, total)),
        )
        assert seen[-1][0] == explanation.prediction_rows
        assert seen[-1][1] >= seen[-1][0]
        assert len(seen) == explanation.prediction_calls
    seen.clear()
    permutation_shap(
        hidden_layer, rows, background, seed=0, num_samples=300, progress=lambda done, total: seen.append((done, total))
    )
    assert seen[-1][0] == seen[-1][1]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"num_samples": 0}, "num_samples is 0"),
        ({"max_standard_error": 0.0}, "max_standard_error is 0.0, and must be above 0"),
        ({"max_standard_error": float("nan")}, "max_standard_error is nan"),
    ],
)
def test_arguments_that_are_wrong(arguments: dict[str, float], said: str) -> None:
    rows = numbers(2, 2, 1)
    call: Callable[..., object] = permutation_shap
    with pytest.raises(BadDocument, match=said):
        call(three_outputs, rows, rows, seed=0, **arguments)
    with pytest.raises(BadData, match="features_to_explain names 'y'"):
        permutation_shap(three_outputs, rows, rows, seed=0, features_to_explain=["y"])

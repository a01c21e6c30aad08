"""What Kernel SHAP draws: values that miss the definition by their standard errors, and words where a budget is too small."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from clarify_ops.explain.kernel import kernel_shap

from .models import hidden_layer, numbers
from .oracle import all_shapley_values

Floats = NDArray[np.float64]


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


def test_another_seed_is_another_sample_and_a_negative_one_is_none_the_worse() -> None:
    rows, background = numbers(1, 10, 1), numbers(1, 10, 2)
    values = [kernel_shap(hidden_layer, rows, background, seed=seed, num_samples=60).values for seed in (1, 1, -1)]
    assert (values[0] == values[1]).all()
    assert (values[0] != values[2]).any()

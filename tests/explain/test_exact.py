"""Full enumeration is the definition, or a refusal."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from clarify_ops.errors import NotSupported
from clarify_ops.explain.exact import exact_shap

from .models import loan, loans, numbers, three_outputs
from .oracle import all_shapley_values

Floats = NDArray[np.float64]


@pytest.mark.parametrize("background_rows", [1, 3])
def test_equals_the_definition(background_rows: int) -> None:
    rows, background = loans(3, 7), loans(background_rows, 5)
    explanation = exact_shap(loan, rows, background)
    np.testing.assert_allclose(explanation.values, all_shapley_values(loan, rows, background), atol=1e-12)
    assert explanation.exact.all()
    assert explanation.explainer == "exact"


def test_more_coalitions_than_a_kernels_budget_are_enumerated_too() -> None:
    # Clarify's rule for 12 features is 2,072 coalitions of 4,094.
    rows, background = numbers(1, 12, 1), numbers(1, 12, 2)
    weights = np.arange(12.0)

    def one_interaction(frame: pd.DataFrame) -> Floats:
        x = frame.to_numpy()
        return np.asarray(x @ weights + x[:, 3] * x[:, 5])

    explanation = exact_shap(one_interaction, rows, background)
    assert explanation.coalitions == 2**12 - 2
    x, z = rows.to_numpy()[0], background.to_numpy()[0]
    expected = weights * (x - z)
    # Each of the two meets the other at the row's value in half of the orders, and at the background's in the other half.
    expected[3] += (x[3] - z[3]) * (x[5] + z[5]) / 2
    expected[5] += (x[5] - z[5]) * (x[3] + z[3]) / 2
    np.testing.assert_allclose(explanation.values[0, :, 0], expected, atol=1e-12)


def test_one_feature_and_one_budgeted_pair() -> None:
    rows, background = numbers(3, 1, 1), numbers(2, 1, 2)

    def square(frame: pd.DataFrame) -> Floats:
        return np.asarray(frame, dtype=np.float64)[:, 0] ** 2

    explanation = exact_shap(square, rows, background)
    np.testing.assert_allclose(explanation.values, all_shapley_values(square, rows, background), atol=1e-12)


def test_too_many_are_refused_with_their_number() -> None:
    rows, background = numbers(2, 20, 1), numbers(1, 20, 2)
    said = r"differs from the baseline in 20 features, which have 1,048,576 coalitions; .* takes 65,536 at most"
    with pytest.raises(NotSupported, match=said):
        exact_shap(three_outputs, rows, background)
    # Features in which no row differs do not count, and neither do those that do not play.
    background.iloc[:, 5:] = rows.iloc[:1, 5:].to_numpy()
    assert exact_shap(three_outputs, rows.iloc[:1], background).exact.all()
    assert exact_shap(three_outputs, rows, background, features_to_explain=["x0", "x9"]).exact.all()

"""Sampling that goes on until it is good enough: what it costs, what it promises, and when it says that it stopped short."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from clarify_ops.errors import BadDocument
from clarify_ops.explain.kernel import kernel_shap
from clarify_ops.explain.stages import Effort, stages

from .models import hidden_layer, numbers

Floats = NDArray[np.float64]


@pytest.fixture(scope="module")
def truth() -> tuple[pd.DataFrame, pd.DataFrame, Floats]:
    """Rows of thirteen features with their exact values, which equal the definition in the tests of the kernel."""
    rows, background = numbers(6, 13, 8), numbers(1, 13, 9)
    return rows, background, kernel_shap(hidden_layer, rows, background, seed=0, num_samples=2**13).values


@pytest.mark.parametrize("bound", [0.02, 0.005])
def test_no_standard_error_exceeds_the_bound_and_values_miss_by_no_more(
    truth: tuple[pd.DataFrame, pd.DataFrame, Floats], bound: float
) -> None:
    rows, background, expected = truth
    asked = []
    scores = []
    for seed in range(8):
        found = kernel_shap(hidden_layer, rows, background, seed=seed, num_samples=80, max_standard_error=bound)
        assert found.standard_errors.max() <= bound
        assert found.warnings == ()
        assert found.additivity_gap() < 1e-12
        asked.append(found.coalitions)
        sampled = ~found.exact
        scores.append((found.values - expected)[sampled] / found.standard_errors[sampled])
        np.testing.assert_allclose(found.values[found.exact], expected[found.exact], atol=1e-12)
    z = np.concatenate(scores)
    assert np.abs(z).max() < 6
    # Stopping when the errors look small makes them a little too small.
    assert 0.6 < np.sqrt((z**2).mean()) < 1.5
    assert 6 * 80 < np.mean(asked) < 6 * 2**13


def test_a_smaller_bound_costs_more() -> None:
    rows, background = numbers(6, 13, 8), numbers(1, 13, 9)
    costs = [
        kernel_shap(hidden_layer, rows, background, seed=1, num_samples=60, max_standard_error=bound).coalitions
        for bound in (0.1, 0.02, 0.005, 1e-9)
    ]
    assert costs == sorted(costs)
    assert costs[0] < costs[1] < costs[-1]
    assert costs[-1] == 6 * (2**13 - 2)


def test_nothing_is_asked_twice() -> None:
    asked: list[pd.DataFrame] = []

    def model(frame: pd.DataFrame) -> Floats:
        asked.append(frame)
        return hidden_layer(frame)

    rows, background = numbers(1, 10, 1), numbers(1, 10, 2)
    found = kernel_shap(model, rows, background, seed=0, num_samples=30, max_standard_error=1e-9)
    assert found.exact.all()
    assert found.coalitions == 2**10 - 2
    every = pd.concat(asked)
    # The background, the row, and every other mixture of them once.
    assert len(every) == found.prediction_rows == 2**10
    assert not every.duplicated().any()
    expected = kernel_shap(hidden_layer, rows, background, seed=0)
    np.testing.assert_allclose(found.values, expected.values, atol=1e-12)


def test_a_bound_that_the_budget_does_not_reach_is_said() -> None:
    rows, background = numbers(5, 13, 1), numbers(2, 13, 2)
    found = kernel_shap(
        hidden_layer, rows, background, seed=0, num_samples=50, max_standard_error=1e-6, max_samples=300
    )
    assert found.coalitions == 5 * 300
    assert found.warnings == ("5 rows had a standard error above 1e-06 when 300 coalitions were spent on them.",)
    # It is the sample that a plain budget of that size is, drawn in another order.
    assert not found.exact.any()
    assert (found.standard_errors > 1e-6).any()


def test_rows_that_are_good_enough_cost_no_more() -> None:
    # Of an additive model the first stage knows everything; only the second half of the rows meets the interactions.
    rows, background = numbers(8, 13, 1), numbers(1, 13, 2)
    rows["x0"] = np.where(np.arange(8) < 4, 0.0, 1.0)
    background["x0"] = 0.5

    def model(frame: pd.DataFrame) -> Floats:
        additive = frame.to_numpy().sum(axis=1)
        return np.asarray(np.where(frame["x0"] < 0.75, additive, additive + 5 * hidden_layer(frame)))

    found = kernel_shap(model, rows, background, seed=0, num_samples=100, max_standard_error=1e-7, max_samples=400)
    # How many the first stage has is rounded size by size.
    assert abs(found.coalitions - 4 * 400 - 4 * 100) <= 4 * 6 * 2
    assert found.warnings[0].startswith("4 rows had a standard error above 1e-07")


@settings(deadline=None, max_examples=15)
@given(
    st.integers(0, 2**32),
    st.integers(20, 400),
    st.sampled_from([0.3, 0.05, 0.01]),
    st.sampled_from([None, 90]),
    st.integers(1, 3),
)
def test_neither_batches_nor_order_nor_company_matter(
    seed: int, batch_rows: int, bound: float, max_samples: int | None, background_rows: int
) -> None:
    rows, background = numbers(7, 9, seed), numbers(background_rows, 9, seed + 1)
    # Rows that differ in fewer features go other ways at the same time.
    rows.iloc[::2, 7:] = background.iloc[0, 7:]

    def explain(some: pd.DataFrame, batch: int) -> tuple[Floats, Floats]:
        found = kernel_shap(
            lambda frame: np.column_stack([hidden_layer(frame), hidden_layer(frame) ** 3]),
            some,
            background,
            seed=3,
            num_samples=30,
            max_standard_error=bound,
            max_samples=max_samples,
            batch_rows=batch,
        )
        return found.values, found.standard_errors

    order = np.random.default_rng(seed).permutation(7)[:5]
    whole, errors = explain(rows, 100_000)
    some, errors_of_some = explain(rows.iloc[order], batch_rows)
    np.testing.assert_array_equal(some, whole[order])
    np.testing.assert_array_equal(errors_of_some, errors[order])


def test_progress_ends_at_its_total_when_more_is_asked_than_was_planned() -> None:
    seen: list[tuple[int, int]] = []
    rows, background = numbers(5, 12, 4), numbers(3, 12, 5)
    found = kernel_shap(
        hidden_layer,
        rows,
        background,
        seed=0,
        num_samples=40,
        max_standard_error=0.001,
        batch_rows=500,
        progress=lambda done, total: seen.append((done, total)),
    )
    assert seen[-1] == (found.prediction_rows, found.prediction_rows)
    assert all(done <= total for done, total in seen)
    assert [total for _, total in seen] == sorted(total for _, total in seen)


@pytest.mark.parametrize(
    ("given_effort", "said"),
    [
        ((0,), "num_samples is 0, and must be at least 1"),
        ((10, 0.0), "max_standard_error is 0.0, and must be above 0"),
        ((10, float("nan")), "max_standard_error is nan"),
        ((10, None, 50), "max_samples is given without max_standard_error"),
        ((10, 0.1, 0), "max_samples is 0"),
        ((100, 0.1, 50), "max_samples is 50, and the first 100 coalitions exceed it"),
    ],
)
def test_efforts_that_make_no_sense(given_effort: tuple[object, ...], said: str) -> None:
    rows = numbers(1, 12, 1)
    with pytest.raises(BadDocument, match=said):
        kernel_shap(
            hidden_layer,
            rows,
            rows,
            seed=0,
            **dict(zip(("num_samples", "max_standard_error", "max_samples"), given_effort, strict=False)),  # type: ignore[arg-type]
        )


def test_stages_double_until_all_are_asked() -> None:
    assert Effort(100, 0.1).budgets(9) == (100, 200, 400, 510)
    assert Effort(100, 0.1, 250).budgets(20) == (100, 200, 250)
    assert Effort().budgets(20) == (2088,)
    # A row that differs in few features has all its coalitions sooner.
    found = stages(6, (20, 40, 80), np.random.default_rng(0))
    assert [stage.solver.exact for stage in found] == [False, False, True]
    assert sum(len(stage.asked) for stage in found) == 2**6 - 2

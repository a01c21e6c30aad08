"""What holds of Kernel SHAP whatever the game: the axioms, and that batches, company, order and threads do not matter."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from clarify_ops.errors import BadData
from clarify_ops.explain.kernel import KernelShap, kernel_shap
from clarify_ops.explain.stages import Effort

from .models import exclusive_or, hidden_layer, loan, loans, numbers, product

Floats = NDArray[np.float64]


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

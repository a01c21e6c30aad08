"""A question about one batch of rows after the other: what the model is, is made out once, and held against every batch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from scipy import sparse
from sklearn.ensemble import RandomForestRegressor
from sklearn.linear_model import Ridge

from clarify_ops.explain import question
from clarify_ops.explain.choosing import Choice, answered, explain, named
from clarify_ops.explain.kernel import KernelShap
from clarify_ops.explain.question import MATCHED_ROWS, Question
from clarify_ops.explain.tree import read_tree_sums

from .trees.data import numeric, targets

Floats = NDArray[np.float64]

DATA = numeric(400, gaps=False)
FOREST = RandomForestRegressor(6, max_depth=4, random_state=0).fit(DATA, targets(DATA))
RIDGE = Ridge().fit(DATA, targets(DATA))
BACKGROUND = DATA.iloc[100:103]


def in_batches(model: Any, method: str, size: int, rows: pd.DataFrame = DATA, **wanted: Any) -> list[Any]:
    first = Question.of(model, rows.iloc[:size], BACKGROUND, **wanted)
    choice = named(first, method)
    return [answered(first.further(rows.iloc[start : start + size]), choice) for start in range(0, len(rows), size)]


@pytest.mark.parametrize(
    ("model", "method", "wanted"),
    [
        (FOREST, "tree_shap", {}),
        (RIDGE, "linear_shap", {}),
        (FOREST, "kernel_shap", {"num_samples": 12, "seed": 3}),
        (FOREST, "kernel_shap", {"num_samples": 12, "seed": 3, "max_standard_error": 0.05}),
    ],
)
def test_batches_give_the_values_of_all_rows(model: Any, method: str, wanted: dict[str, Any]) -> None:
    rows = DATA.iloc[:60]
    whole = explain(model, rows, BACKGROUND, method, **wanted)
    for size in (7, 59):
        parts = in_batches(model, method, size, rows, **wanted)
        for name in ("values", "standard_errors", "base_values", "predictions", "exact"):
            np.testing.assert_array_equal(np.concatenate([getattr(part, name) for part in parts]), getattr(whole, name))
        assert {part.warnings for part in parts} == {whole.warnings}


def test_the_model_is_read_and_samples_are_drawn_once(monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []

    def noted(name: str, work: Callable[..., Any]) -> Callable[..., Any]:
        def doing(*given: Any, **more: Any) -> Any:
            done.append(name)
            return work(*given, **more)

        return doing

    monkeypatch.setattr(question, "read_tree_sums", noted("read", read_tree_sums))
    monkeypatch.setattr(KernelShap, "__init__", noted("drawn", KernelShap.__init__))
    in_batches(FOREST, "tree_shap", 50)
    assert done == ["read"]
    in_batches(FOREST, "kernel_shap", 200, num_samples=6)
    assert done == ["read", "drawn"]


def test_every_batch_is_held_against_the_model_on_some_rows() -> None:
    asked: list[int] = []

    def predict(frame: pd.DataFrame) -> Floats:
        asked.append(len(frame))
        return np.asarray(FOREST.predict(frame)) + (frame["income"].to_numpy() > 1e6)

    many = pd.concat([DATA] * 2, ignore_index=True)
    in_batches(predict, "tree_shap", len(DATA), many, estimator=FOREST)
    # The first batch also with the background, and every batch with no more rows than are looked at.
    assert asked == [len(BACKGROUND), MATCHED_ROWS, MATCHED_ROWS]
    other = many.copy()
    other.loc[len(DATA) + 5 :, "income"] = 2e6
    first, second = in_batches(predict, "tree_shap", len(DATA), other, estimator=FOREST)
    assert first.warnings == ()
    assert second.warnings == ("The value is explained, and not what the model answers.",)


def test_batches_of_other_columns_in_use_share_nothing() -> None:
    cells: Any = sparse.random(40, 8, density=0.15, random_state=0, format="csr")
    model = Ridge().fit(cells.toarray(), np.arange(40.0))
    asked = Question.of(model, cells[:3], cells[:2])
    choice = Choice("kernel_shap", "")
    for start in (3, 10, 20):
        rows = cells[start : start + 3]
        found, whole = answered(asked.further(rows), choice), explain(model, rows, cells[:2], "kernel_shap")
        np.testing.assert_array_equal(found.values, whole.values)
        assert found.features == tuple(f"x{column}" for column in range(8))

"""The masked model gives the mean over the background, whatever the calls look like."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from clarify_ops.explain.game import MaskedModel, Task

from .models import loan, loans
from .oracle import value_of


@settings(deadline=None, max_examples=30)
@given(
    batch_rows=st.integers(1, 60),
    background_rows=st.integers(1, 4),
    shapes=st.lists(st.tuples(st.integers(0, 3), st.integers(0, 5)), max_size=4),
    seed=st.integers(0, 2**32),
)
def test_values_are_means_over_the_background(
    batch_rows: int, background_rows: int, shapes: list[tuple[int, int]], seed: int
) -> None:
    rng = np.random.default_rng(seed)
    rows, background = loans(6, seed), loans(background_rows, seed + 1)
    tasks = [
        Task(rng.permutation(6)[:row_count], rng.random((coalitions, 5)) > 0.5) for row_count, coalitions in shapes
    ]
    largest = 0

    def predict(frame: pd.DataFrame) -> NDArray[np.float64]:
        nonlocal largest
        largest = max(largest, len(frame))
        return loan(frame)

    model = MaskedModel(predict, rows, background, batch_rows=batch_rows)
    model.predict_rows()
    seen: dict[int, list[int]] = {index: [] for index in range(len(tasks))}
    for task, positions, values in model.evaluate(iter(tasks)):
        seen[next(index for index, known in enumerate(tasks) if known is task)] += positions.tolist()
        assert values.shape == (len(positions), len(task.present), 2)
        for at, position in enumerate(positions):
            for coalition, present in enumerate(task.present):
                names = rows.columns[present]
                expected = value_of(loan, rows.iloc[[position]], background, list(names))
                np.testing.assert_allclose(values[at, coalition], expected, atol=1e-12)
    assert largest <= batch_rows
    assert seen == {index: task.rows.tolist() for index, task in enumerate(tasks)}
    assert model.predicted_rows == 6 + background_rows * sum(len(task.rows) * len(task.present) for task in tasks)


def test_tasks_are_taken_when_their_turn_comes() -> None:
    taken = 0

    def tasks() -> object:
        nonlocal taken
        for row in range(6):
            taken += 1
            yield Task(np.array([row]), np.ones((4, 5), dtype=np.bool_))

    model = MaskedModel(loan, loans(6, 1), loans(1, 2), batch_rows=4)
    next(iter(model.evaluate(tasks())))  # type: ignore[arg-type]
    assert taken == 1


def test_a_call_of_no_rows_makes_no_sense() -> None:
    with pytest.raises(ValueError, match="batch_rows"):
        MaskedModel(loan, loans(1, 1), loans(1, 2), batch_rows=0)

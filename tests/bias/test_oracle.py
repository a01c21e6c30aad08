"""The count table against metrics computed row by row, in both dialects."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clarify_ops.bias.clarify import value_or_error
from clarify_ops.bias.flip_test import flip_counts
from clarify_ops.bias.measure import plain_value
from clarify_ops.bias.table import METRICS
from clarify_ops.config.analysis import Facet
from clarify_ops.data.counts import Counts, count

from .oracle import Oracle, Row, clarify, flip_test, plain

COUNTED = [metric for metric in METRICS if metric.form is not None]
people = st.lists(
    st.builds(
        Row,
        facet=st.sampled_from(["d", "d", "a", "b", None]),
        group=st.sampled_from(["x", "y", "z", None]),
        label=st.booleans(),
        predicted=st.booleans(),
    ),
    min_size=1,
    max_size=24,
)


def counted(rows: list[Row]) -> Counts:
    frame = pd.DataFrame({"facet": [row.facet for row in rows], "group": [row.group for row in rows]})
    table = count(
        frame,
        facets=[Facet(name_or_index="facet", value_or_threshold=("d",))],
        label=np.asarray([row.label for row in rows]),
        predicted=np.asarray([row.predicted for row in rows]),
        group="group",
        kinds={"facet": "categorical"},
    )
    assert int(table.rows.sum()) == len(rows)
    assert table.missing == {"facet": sum(row.facet is None for row in rows)}
    return table.split(table.entries[0])


def close(found: float | None, expected: float | None) -> bool:
    if found is None or expected is None:
        return found is expected
    return found == expected or math.isclose(found, expected, rel_tol=1e-12, abs_tol=1e-12)


@settings(deadline=None, max_examples=300)
@given(people)
def test_counts_give_what_rows_give(rows: list[Row]) -> None:
    counts = counted(rows)
    groups = any(row.group is not None for row in rows)
    for metric in COUNTED:
        if metric.name.startswith("CDD") and not groups:
            # A group variable that nobody has is none.
            assert value_or_error(metric, counts) == (None, "Group variable is empty or not provided")
            assert plain_value(metric, counts)[:2] == (None, "There is no group variable.")
            continue
        value, error = value_or_error(metric, counts)
        assert close(value, Oracle(rows, clarify).value(metric.name)), metric.name
        assert (value is None) == bool(error)
        ours, reason, denominators = plain_value(metric, counts)
        assert close(ours, Oracle(rows, plain).value(metric.name)), metric.name
        assert (ours is None) == bool(reason)
        assert ours is None or min(denominators.values()) > 0


@settings(deadline=None, max_examples=60)
@given(st.integers(1, 14), st.integers(1, 8), st.integers(1, 4), st.integers(0, 2**32 - 1))
def test_flip_test_is_a_vote_of_neighbours(a: int, d: int, features: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    matrix, predicted = rng.normal(size=(a + d, features)), rng.random(a + d) < 0.5
    side = rng.permutation(np.arange(a + d) < d)
    found = flip_counts(pd.DataFrame(matrix), side, predicted)
    rows = [(matrix[i].tolist(), bool(predicted[i])) for i in range(a + d)]
    expected = flip_test([row for row, in_d in zip(rows, side, strict=True) if not in_d],
                         [row for row, in_d in zip(rows, side, strict=True) if in_d])  # fmt: skip
    assert found.value == pytest.approx(expected, abs=1e-12)
    assert found.rows == d


@pytest.mark.parametrize(
    ("features", "side", "reason"),
    [
        ({"x": [1.0, 2.0]}, [True, True], "Negated Facet set is empty"),
        ({"x": [1.0, 2.0]}, [False, False], "Facet set is empty"),
        ({"x": ["1", "2"]}, [False, True], "FlipTest does not support non-numeric columns"),
        ({"x": [1.0, math.nan]}, [False, True], "Input X contains NaN."),
        ({"x": [1.0, math.inf]}, [False, True], "Input X contains infinity."),
        ({}, [False, True], "There are no columns to find neighbours by"),
    ],
)
def test_flip_test_says_why_it_has_no_answer(features: dict[str, list[object]], side: list[bool], reason: str) -> None:
    found = flip_counts(pd.DataFrame(features, index=range(2)), np.asarray(side), np.asarray([True, False]))
    assert (found.value, found.reason) == (None, reason)


def test_flip_test_takes_truth_values_and_agreeing_neighbours() -> None:
    frame = pd.DataFrame({"owner": [True, False, True, False], "age": [30, 40, 31, 41]})
    found = flip_counts(frame, np.asarray([False, False, True, True]), np.asarray([True, True, False, True]))
    assert (found.favoured, found.wronged, found.rows, found.value) == (0, 1, 2, -0.5)

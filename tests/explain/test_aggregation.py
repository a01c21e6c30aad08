"""Sums and medians of blocks against those of all values at once."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from clarify_ops.explain.aggregation import ExactSums, medians

Floats = NDArray[np.float64]

# The squares of attributions are finite, and so are these.
values = st.floats(allow_nan=False, allow_infinity=False, max_value=1e150, min_value=-1e150)
odd = st.sampled_from([0.0, -0.0, 5e-324, -5e-324, 1.0, -1.0, 0.1, 1e-300, 2.0**60, -(2.0**60)])
tables = st.integers(1, 3).flatmap(
    lambda columns: st.lists(st.lists(values | odd, min_size=columns, max_size=columns), min_size=1, max_size=40)
)


def cut(table: Floats, rng: np.random.Generator) -> list[Floats]:
    """In blocks, some of them empty."""
    return np.split(table, np.sort(rng.integers(0, len(table) + 1, 4)))


@settings(deadline=None, max_examples=150)
@given(tables, st.integers(0, 2**32))
def test_sums_are_rounded_once_whatever_the_blocks(rows: list[list[float]], seed: int) -> None:
    table = np.array(rows)
    sums = ExactSums(table.shape[1])
    for block in cut(table, np.random.default_rng(seed)):
        sums.add(block)
    assert sums.totals().tolist() == [math.fsum(column) for column in table.T]


@settings(deadline=None, max_examples=150)
@given(tables, st.integers(0, 2**32), st.sampled_from([0, 9000, 10**9]))
def test_medians_are_those_of_all_rows(rows: list[list[float]], seed: int, together: int) -> None:
    table = np.array(rows)
    blocks = cut(table, np.random.default_rng(seed))
    found = medians(lambda: iter(blocks), len(table), table.shape[1], together=together)
    assert found.tolist() == np.median(table, axis=0).tolist()


@pytest.mark.parametrize("rows", [5_000, 5_001])
def test_medians_of_many_rows_pass_through_memory_in_blocks(rows: int) -> None:
    table = np.random.default_rng(rows).normal(size=(rows, 40)).round(2)
    held = 0

    def blocks() -> Iterator[Floats]:
        nonlocal held
        for start in range(0, rows, 500):
            held += 1
            yield table[start : start + 500]

    found = medians(blocks, rows, 40, together=2 * 2048 * 30)
    np.testing.assert_array_equal(found, np.median(table, axis=0))
    # Six digits, forty columns in two goes.
    assert held == 2 * 6 * -(-rows // 500)

"""Sums of blocks against those of all values at once."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from clarify_ops.explain.aggregation import ExactSums

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

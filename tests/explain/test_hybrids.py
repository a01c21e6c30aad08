"""Hybrid rows hold the right value in the right dtype."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clarify_ops.errors import BadData
from clarify_ops.explain.hybrids import Coalitions, Hybrids, Pairs

from .models import loans, numbers

KINDS: dict[str, Callable[[int, int], pd.DataFrame]] = {
    "of five dtypes": loans,
    "doubles": lambda rows, seed: numbers(rows, 5, seed),
    "floats and bytes": lambda rows, seed: numbers(rows, 5, seed).astype({"x0": "float32", "x2": "int8", "x3": "int8"}),
    "truth": lambda rows, seed: numbers(rows, 5, seed) > 0,
    "sparse": lambda rows, seed: (
        numbers(rows, 5, seed).round().astype({f"x{one}": pd.SparseDtype("float64", 0.0) for one in range(4)})
    ),
}


@settings(deadline=None, max_examples=60)
@given(st.sampled_from(sorted(KINDS)), st.integers(0, 2**32), st.data())
def test_every_cell_comes_from_its_side(kind: str, seed: int, drawn: st.DataObject) -> None:
    rows, background = KINDS[kind](6, seed), KINDS[kind](4, seed + 1)
    rng = np.random.default_rng(seed)
    runs = []
    for _ in range(drawn.draw(st.integers(1, 3))):
        coalitions = Coalitions(rng.random((drawn.draw(st.integers(1, 5)), 5)) > 0.5)
        some = rng.integers(0, 6, drawn.draw(st.integers(1, 4)))
        ends = sorted(drawn.draw(st.tuples(*[st.integers(0, len(some) * len(coalitions))] * 2)))
        runs.append(Pairs(some, coalitions, *ends))
    first, last = sorted(drawn.draw(st.lists(st.integers(0, 4), min_size=2, max_size=2, unique=True)))
    mixed = Hybrids(rows, background).mixed(runs, first, last)
    expected = [
        row_by_hand(rows, background, int(run.rows[pair // len(run.coalitions)]), behind, present)
        for behind in range(first, last)
        for run in runs
        for pair in range(run.start, run.stop)
        for present in [run.coalitions.present[pair % len(run.coalitions)].tolist()]
    ]
    assert len(mixed) == len(expected)
    if expected:
        start = drawn.draw(st.integers(0, len(mixed) - 1))
        frame = mixed.frame(start, len(mixed))
        assert frame.dtypes.tolist() == rows.dtypes.tolist()
        by_hand = pd.concat(expected[start:], ignore_index=True).astype(rows.dtypes)
        pd.testing.assert_frame_equal(frame, by_hand, check_categorical=False)


def row_by_hand(
    rows: pd.DataFrame, background: pd.DataFrame, row: int, behind: int, present: list[bool]
) -> pd.DataFrame:
    """One hybrid, cell by cell."""
    sides = zip(rows.columns, present, strict=True)
    return pd.DataFrame(
        {name: (rows[name].iloc[[row]] if known else background[name].iloc[[behind]]).array for name, known in sides}
    )


def test_rows_and_background_come_back_as_they_went_in() -> None:
    for rows, background in ((loans(6, 1), loans(4, 2)), (numbers(6, 3, 1), numbers(4, 3, 2))):
        hybrids = Hybrids(rows, background)
        pd.testing.assert_frame_equal(hybrids.rows(0, 6), rows)
        pd.testing.assert_frame_equal(hybrids.background(1, 4), background.iloc[1:4].reset_index(drop=True))


@pytest.mark.parametrize(
    ("rows", "background", "dtype"),
    [
        (pd.Series([1, 2]), pd.Series([3.0]), "int64"),
        (pd.Series([1, 2]), pd.Series([3.5]), "float64"),
        (pd.Series([1, 2]), pd.Series([np.nan]), "float64"),
        (pd.Series([1, 2]), pd.Series([None], dtype=object), "float64"),
        (pd.Series([1, 2], dtype="int8"), pd.Series([300]), "int64"),
        (pd.Series([1, 2], dtype="Int64"), pd.Series([None], dtype=object), "Int64"),
        (pd.Series([1.5], dtype="float32"), pd.Series([0.1]), "float32"),
        (pd.Series([True]), pd.Series([False], dtype=object), "bool"),
        (pd.Series(["a"]), pd.Series(["b"], dtype=object), str(pd.Series(["a"]).dtype)),
        (pd.Series(["a"]), pd.Series([5]), "object"),
        (pd.Series([5]), pd.Series(["none"], dtype=object), "object"),
    ],
)
def test_the_dtype_is_that_of_the_rows_where_it_can_be(rows: object, background: object, dtype: str) -> None:
    frame = Hybrids(pd.DataFrame({"x": rows}), pd.DataFrame({"x": background})).rows(0, 1)
    assert str(frame["x"].dtype) == dtype


def test_a_category_gains_those_of_the_background() -> None:
    rows = pd.DataFrame({"grade": pd.Series(["b", "a"], dtype=pd.CategoricalDtype(["a", "b"], ordered=True))})
    hybrids = Hybrids(rows, pd.DataFrame({"grade": ["a", "z", None]}))
    frame = hybrids.background(0, 3)
    assert frame["grade"].cat.categories.tolist() == ["a", "b", "z"]
    assert frame["grade"].cat.ordered
    assert frame["grade"].isna().tolist() == [False, False, True]
    assert Hybrids(rows, rows).rows(0, 2)["grade"].dtype == rows["grade"].dtype


def test_differing_is_from_at_least_one_background_row() -> None:
    rows = pd.DataFrame({"x": [1.0, np.nan, 2.0], "y": ["a", "b", None]})
    one = Hybrids(rows, pd.DataFrame({"x": [np.nan], "y": ["b"]})).differing()
    assert one.tolist() == [[True, True], [False, False], [True, True]]
    two = Hybrids(rows, pd.DataFrame({"x": [1.0, 1.0], "y": ["a", "b"]})).differing()
    assert two.tolist() == [[False, True], [True, True], [True, True]]


def test_columns_of_the_background_may_come_in_any_order() -> None:
    rows, background = loans(3, 1), loans(2, 2)
    shuffled = Hybrids(rows, background[background.columns[::-1]]).background(0, 2)
    pd.testing.assert_frame_equal(shuffled, background)


def test_frames_that_do_not_fit() -> None:
    rows = numbers(2, 2, 1)
    with pytest.raises(BadData, match="background lacks the feature 'x1'"):
        Hybrids(rows, rows[["x0"]])
    with pytest.raises(BadData, match="The background names the column 'x2'"):
        Hybrids(rows, numbers(2, 3, 1))
    with pytest.raises(BadData, match="background has no rows"):
        Hybrids(rows, rows.iloc[:0])
    with pytest.raises(BadData, match="no columns"):
        Hybrids(rows[[]], rows[[]])
    twice = pd.concat([rows, rows[["x0"]]], axis=1)
    with pytest.raises(BadData, match="two columns named 'x0'"):
        Hybrids(twice, rows)
    with pytest.raises(BadData, match="background repeats a column"):
        Hybrids(rows, twice)

"""Hybrid rows hold the right value in the right dtype."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from clarify_ops.errors import BadData
from clarify_ops.explain.hybrids import Hybrids

from .models import loans, numbers


def mixed_by_hand(rows: pd.DataFrame, background: pd.DataFrame, row: int, present: list[bool]) -> pd.DataFrame:
    """The hybrids of one row and coalition, cell by cell."""
    return pd.DataFrame(
        {
            name: [(rows[name].iloc[row] if known else background[name].iloc[b]) for b in range(len(background))]
            for name, known in zip(rows.columns, present, strict=True)
        }
    )


@pytest.mark.parametrize("make", [loans, lambda rows, seed: numbers(rows, 5, seed)])
def test_every_cell_comes_from_its_side(make: object) -> None:
    rows, background = make(6, 1), make(4, 2)  # type: ignore[operator]
    rng = np.random.default_rng(0)
    row, present = rng.integers(0, 6, 20), rng.random((20, 5)) > 0.5
    frame = Hybrids(rows, background).mixed(row, present, 1, 4)
    assert frame.dtypes.tolist() == rows.dtypes.tolist()
    for pair in range(20):
        expected = mixed_by_hand(rows, background.iloc[1:4], int(row[pair]), present[pair].tolist())
        got = frame.iloc[3 * pair : 3 * pair + 3].reset_index(drop=True)
        pd.testing.assert_frame_equal(got, expected, check_dtype=False, check_categorical=False)


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

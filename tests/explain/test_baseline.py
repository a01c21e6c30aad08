"""Baseline rows: typical ones that occur, and given ones that are checked."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clarify_ops.errors import BadData, BadDocument
from clarify_ops.explain.baseline import baseline_rows, typical_row

from .models import loans


@pytest.fixture
def data() -> pd.DataFrame:
    """One column of each kind."""
    return pd.DataFrame(
        {
            "age": [30, 20, 50, 40],
            "income": [1.5, np.nan, 2.5, 9.0],
            "town": ["west", "north", "north", None],
            "grade": pd.Categorical(["b", "a", None, "b"], categories=["a", "b", "c"]),
            "married": [True, False, False, True],
            "code": [7, 8, 8, 9],
        }
    )


def test_the_typical_row_is_medians_and_most_frequent_values(data: pd.DataFrame) -> None:
    row = typical_row(data, categorical=["code"])
    assert row.iloc[0].tolist() == [30, 2.5, "north", "b", True, 8]
    assert row.dtypes.tolist() == data.dtypes.tolist()


@settings(deadline=None, max_examples=30)
@given(st.integers(1, 30), st.integers(0, 2**32))
def test_typical_values_are_observed_and_as_typical_as_any(rows: int, seed: int) -> None:
    data = loans(rows, seed)
    row = typical_row(data)
    assert row.dtypes.tolist() == data.dtypes.tolist()
    for name in data.columns:
        observed, value = data[name].dropna(), row[name].iloc[0]
        if observed.empty:
            assert pd.isna(value)
            continue
        assert (observed == value).any()
        if name in ("income", "children"):
            assert (observed <= value).sum() * 2 >= len(observed)
            assert (observed >= value).sum() * 2 >= len(observed)
        else:
            assert (observed == value).sum() == observed.astype(object).value_counts().max()


def test_no_rows_or_unknown_names_make_no_typical_row(data: pd.DataFrame) -> None:
    with pytest.raises(BadData, match="no rows"):
        typical_row(data.iloc[:0])
    with pytest.raises(BadData, match="'cod'"):
        typical_row(data, categorical=["cod"])


def test_lists_objects_and_one_object_are_the_same_rows(data: pd.DataFrame) -> None:
    values = [35, 2, "south", "c", False, 7]
    named = dict(zip(data.columns, values, strict=True))
    as_list = baseline_rows([values], data)
    assert as_list.iloc[0].tolist() == values
    assert as_list.dtypes.tolist() == data.dtypes.tolist()
    reordered = dict(reversed(named.items()))
    pd.testing.assert_frame_equal(baseline_rows([reordered], data), as_list)
    pd.testing.assert_frame_equal(baseline_rows(named, data), as_list)
    assert len(baseline_rows([values, named], data)) == 2


def test_missing_values_and_fractions_widen_what_cannot_hold_them(data: pd.DataFrame) -> None:
    frame = baseline_rows([[35.5, None, None, None, None, 8.0], [36, float("nan"), "x", "new", True, 8]], data)
    assert [str(dtype) for dtype in frame.dtypes[["age", "income", "married", "code"]]] == [
        "float64",
        "float64",
        "object",
        "int64",
    ]
    assert frame.isna().to_numpy().tolist() == [[False, True, True, True, True, False], [False, True, *[False] * 4]]
    assert frame["grade"].cat.categories.tolist() == ["a", "b", "c", "new"]
    assert baseline_rows([[None]], data[["age"]])["age"].dtype == np.float64
    assert baseline_rows([[300]], data[["age"]].astype("int8"))["age"].tolist() == [300.0]


@pytest.mark.parametrize(
    ("given_rows", "said"),
    [
        ([], "The baseline has no rows."),
        ("rows", "The baseline is no list of rows."),
        ([[30, 1.5]], "Row 1 of the baseline has 2 values for 6 features. The features are: age, income"),
        ([30], "Row 1 of the baseline is neither a list nor an object."),
        (["30,1"], "Row 1 of the baseline is neither a list nor an object."),
        ([{"agee": 1}], "Row 1 of the baseline has the key 'agee', which is no feature. Did you mean \"age\"?"),
        ([{"age": 1}], "Row 1 of the baseline lacks the feature 'income'."),
        (
            [[30, "1.5", "a", "a", True, 7]],
            "Row 1 of the baseline has '1.5' for the feature 'income', which holds numbers.",
        ),
        (
            [[True, 1.5, "a", "a", True, 7]],
            "Row 1 of the baseline has True for the feature 'age', which holds numbers.",
        ),
        ([[30, float("inf"), "a", "a", True, 7]], "has inf for the feature 'income', which holds numbers."),
        ([[30, 1.5, 5, "a", True, 7]], "has 5 for the feature 'town', which holds text."),
        ([[30, 1.5, "a", 5, True, 7]], "has 5 for the feature 'grade', which holds text."),
        ([[30, 1.5, "a", "a", "yes", 7]], "has 'yes' for the feature 'married', which holds true and false."),
        ([[30, 1.5, "a", "a", True, [7]]], r"has \[7\] for the feature 'code', which is no single value."),
    ],
)
def test_what_is_refused_names_the_row_and_the_key(given_rows: object, said: str, data: pd.DataFrame) -> None:
    with pytest.raises(BadDocument, match=said):
        baseline_rows(given_rows, data)  # type: ignore[arg-type]


def test_the_second_row_is_named_as_the_second(data: pd.DataFrame) -> None:
    good = [35, 2, "south", "c", False, 7]
    with pytest.raises(BadDocument, match="Row 2 of the baseline has 'x' for the feature 'code'"):
        baseline_rows([good, [*good[:-1], "x"]], data)


def test_dates_are_read_and_checked() -> None:
    data = pd.DataFrame({"day": pd.to_datetime(["2024-05-01"])})
    assert baseline_rows([["2024-05-03"]], data)["day"].iloc[0] == pd.Timestamp("2024-05-03")
    with pytest.raises(BadDocument, match="values for the feature 'day' are no datetime64"):
        baseline_rows([["tomorrow-ish"]], data)

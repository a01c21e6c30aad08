"""Clarify's rules for what a column is, and for which rows are positive."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from clarify_ops.config.analysis import Value
from clarify_ops.data.kinds import infer_kind, match
from clarify_ops.errors import BadData


@pytest.mark.parametrize(
    ("series", "values", "kind"),
    [
        (pd.Series([0, 1] * 20), None, "continuous"),
        (pd.Series([0, 1] * 21), None, "categorical"),
        (pd.Series([0.0, 1.0] * 500), None, "continuous"),
        (pd.Series([True, False]), None, "categorical"),
        (pd.Series([True, False], dtype="boolean"), None, "categorical"),
        (pd.Series([1, 2, 3]), (1, 2), "categorical"),
        (pd.Series([1, 2, 3]), (1,), "continuous"),
        (pd.Series([1, 2, 3]).astype("category"), None, "categorical"),
        (pd.Series(["1", "2"]), None, "continuous"),
        (pd.Series(["1", "2"] * 50), None, "categorical"),
        (pd.Series(["1", "2.5"]), None, "categorical"),
        (pd.Series(["1", None]), None, "categorical"),
        (pd.Series(["a", "b"]), None, "categorical"),
        (pd.Series(["99999999999999999999", "1"], dtype=object), None, "categorical"),
        (pd.Series([1, None, 3], dtype="Int64"), None, "continuous"),
        (pd.Series([None, None], dtype=object), None, "categorical"),
        (pd.Series([np.nan, np.nan]), None, "continuous"),
    ],
)
def test_kinds(series: pd.Series, values: tuple[Value, ...] | None, kind: str) -> None:
    assert infer_kind(series, values) == kind


@pytest.mark.parametrize(
    ("series", "values", "text", "matched"),
    [
        (pd.Series([1, 2, 3, 4]), (2,), "(2, 4]", [False, False, True, True]),
        (pd.Series([1.0, 2.0, 3.5]), (2,), "(2.0, 3.5]", [False, False, True]),
        (pd.Series([1.0, np.nan, 3.5]), (2,), "(2.0, 3.5]", [False, False, True]),
        (pd.Series([1, None, 3], dtype="Int64"), (2,), "(2, 3]", [False, False, True]),
        (pd.Series(["1", "2", "3"]), (2,), "(2, 3]", [False, False, True]),
        # A threshold above the maximum matches nobody, and one at the maximum has no interval at all.
        (pd.Series([1.0, 2.0]), (5,), "(2.0, 5.0]", [False, False]),
        (pd.Series([0.0, 1.0]), (1,), "", [False, False]),
        # Clarify compares the threshold with the size of the maximum.
        (pd.Series([-9.0, -5.0]), (5,), "", [False, False]),
        (pd.Series(["a", "b", None]), ("a",), "a", [True, False, False]),
        (pd.Series(["a", "b", "c"]), ("a", "c"), "a,c", [True, False, True]),
        (pd.Series([1, 2] * 50), ("1",), "1", [True, False] * 50),
        (pd.Series([1, 2] * 50), ("1.0",), "1.0", [True, False] * 50),
        (pd.Series([1, 2] * 50), ("one",), "one", [False, False] * 50),
        (pd.Series(["1", "2"] * 50), (1,), "1", [True, False] * 50),
        (pd.Series([True, False]), (1,), "1", [True, False]),
        (pd.Series([True, False]), (0,), "0", [False, True]),
        (pd.Series([True, False]), ("False",), "False", [False, True]),
        (pd.Series([True, False]), ("true",), "true", [True, False]),
        (pd.Series([True, False]), ("no",), "no", [False, False]),
        (pd.Series([None, None], dtype=object), ("a",), "a", [False, False]),
    ],
)
def test_matches(series: pd.Series, values: tuple[Value, ...], text: str, matched: list[bool]) -> None:
    found = match(series, values)
    assert (found.text, found.matches.tolist()) == (text, matched)
    assert found.matches.dtype == bool


def test_a_kind_by_hand_wins() -> None:
    series = pd.Series([0.0, 1.0, 1.0])
    assert match(series, (1,)).matches.sum() == 0
    found = match(series, (1,), "categorical")
    assert (found.kind, found.text, found.matches.tolist()) == ("categorical", "1", [False, True, True])


def test_label_and_prediction_share_the_upper_end() -> None:
    assert match(pd.Series([1.0, 3.0]), (2,), highest=9.5).text == "(2.0, 9.5]"


@pytest.mark.parametrize("values", [("a",), (1, 2)])
def test_a_threshold_is_one_number(values: tuple[Value, ...]) -> None:
    with pytest.raises(
        BadData, match=r"must be a single numeric threshold .*'age' is continuous, and .* is not one number"
    ):
        match(pd.Series([1.0, 2.0], name="age"), values, "continuous")


def test_text_has_no_threshold() -> None:
    with pytest.raises(BadData, match="The column 'age' holds text where a threshold needs numbers"):
        match(pd.Series(["young", "old"], name="age"), (2,), "continuous")

"""Inferred kinds that most people would not expect are said, and no others."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pandas as pd
import pytest

from clarify_ops.data.kinds import Column
from clarify_ops.data.surprises import kind_note


@pytest.mark.parametrize(
    ("column", "values", "words"),
    [
        (pd.Series(list(range(20)) * 30), (4,), "age was inferred to be categorical, .*: 4 means equal to, not above"),
        (pd.Series([0, 1] * 10), (0,), "continuous, as Clarify infers it, though it has two values"),
        (pd.Series([0.0, 1.0] * 500), (1,), "and none of its values is above 1. "),
        (pd.Series([0.0, 1.0] * 500), (7,), "and none of its values is above 7. "),
        (pd.Series([0, 1] * 19), (0,), "2 distinct values in 38 rows: with some rows more it would be categorical"),
        (pd.Series([0, 1] * 22), (0,), "2 distinct values in 44 rows: with some rows fewer it would be continuous"),
        (pd.Series(["0", "1"] * 22), ("0",), "with some rows fewer it would be continuous"),
        (pd.Series([0, 1, None] * 30), (0,), "its values are whole numbers, which the missing ones made float64. "),
    ],
)
def test_a_kind_that_would_surprise_is_said(column: pd.Series, values: tuple[Any, ...], words: str) -> None:
    distinct = Column.of(column.rename("age")).distinct
    note = kind_note(distinct, values, None, is_label=True)
    assert re.search(words, note.warning)
    other = "categorical" if note.kind == "continuous" else "continuous"
    assert note.warning.endswith(f'. Set clarify_ops.kinds: {{"age": "{other}"}} to change that.')
    assert kind_note(distinct, values, note.kind, is_label=True).warning == ""


@pytest.mark.parametrize(
    ("column", "values"),
    [
        (pd.Series(["a", "b"] * 22), ("a",)),
        (pd.Series(["0", "1", None] * 15), ("0",)),
        (pd.Series([0, 1] * 22).astype("category"), (0,)),
        (pd.Series([True, False] * 22), (1,)),
        (pd.Series([0, 1, 2] * 15), (0, 1)),
        (pd.Series(np.arange(100)), (5,)),
        (pd.Series([0, 1] * 100), (1,)),
        (pd.Series([0.5, 1.5, None] * 50), (1,)),
        (pd.Series([1.0, 2.0, None]), (1,)),
        (pd.Series([None, None], dtype=float), (1,)),
    ],
)
def test_what_surprises_nobody_is_not_said(column: pd.Series, values: tuple[Any, ...]) -> None:
    assert kind_note(Column.of(column.rename("age")).distinct, values, None).warning == ""

"""Parquet: one table of many files, and what is no Parquet."""

from __future__ import annotations

import datetime
import decimal
import io
from collections.abc import Mapping
from typing import Any

import pandas as pd
import pytest

from clarify_ops.data.files import Content
from clarify_ops.data.parquet_table import read_parquet
from clarify_ops.errors import BadData


def files(*frames: pd.DataFrame | bytes) -> list[Content]:
    contents = [frame if isinstance(frame, bytes) else stored(frame) for frame in frames]
    return [Content(f"{place}.parquet", f"sha256:{place}", content) for place, content in enumerate(contents)]


def stored(frame: pd.DataFrame) -> bytes:
    stream = io.BytesIO()
    frame.to_parquet(stream)
    return stream.getvalue()


KINDS = pd.DataFrame(
    {
        "whole": [1, 2],
        "part": [1.5, None],
        "truth": [True, False],
        "text": ["a", None],
        "kind": pd.Categorical(["x", "y"]),
        "nullable": pd.array([1, None], dtype="Int64"),
        "day": pd.to_datetime(["2020-01-01", "2020-01-02"]),
        "date": [datetime.date(2020, 1, 1), None],
    }
)


def test_types_are_those_of_pandas() -> None:
    (file,) = files(KINDS)
    pd.testing.assert_frame_equal(read_parquet([file]).frame, pd.read_parquet(io.BytesIO(file.data)))


def test_many_files_are_one_table() -> None:
    table = read_parquet(files(KINDS, KINDS[list(KINDS.columns)[::-1]], KINDS.head(0)))
    pd.testing.assert_frame_equal(table.frame, pd.concat([KINDS, KINDS], ignore_index=True))
    assert table.rows == (2, 2, 0)
    assert table.place(3) == "row 2 of 1.parquet"


@pytest.mark.parametrize(
    ("one", "other", "dtype"),
    [
        ([1], [1.5], "float64"),
        ([1], [None], "float64"),
        (["a"], [None], "str"),
        ([2], [2**40], "int64"),
    ],
)
def test_the_wider_type_holds_for_all(one: list[Any], other: list[Any], dtype: str) -> None:
    frames = [pd.DataFrame({"a": pd.Series(values)}) for values in (one, other)]
    column = read_parquet(files(*frames)).frame["a"]
    assert str(column.dtype) in {dtype, "object" if dtype == "str" else dtype}
    assert column.iloc[0] == one[0]


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"a": ["x"], "b": [1]}, r"'a' is int64 in 0\.parquet and (large_)?string in 1\.parquet"),
        ({"a": [1]}, r"compared with 0\.parquet, 1\.parquet lacks 'b'"),
        ({"a": [1], "c": [1]}, r"1\.parquet lacks 'b' and only 1\.parquet has 'c'"),
    ],
)
def test_files_that_do_not_fit(columns: Mapping[str, list[Any]], words: str) -> None:
    with pytest.raises(BadData, match=words):
        read_parquet(files(pd.DataFrame({"a": [1], "b": [1]}), pd.DataFrame(columns)))


@pytest.mark.parametrize(
    ("frame", "words"),
    [
        (b"", r"0\.parquet is empty"),
        (b"a,b\n1,2\n", r"0\.parquet is not a readable parquet file"),
        (b"PAR1" + bytes(20) + b"PAR1", "is not a readable parquet file"),
        (KINDS.head(0), r"0\.parquet has no rows"),
        (pd.DataFrame({"a": [[1]]}), "'a' of 0.parquet holds lists"),
    ],
)
def test_what_is_no_table(frame: pd.DataFrame | bytes, words: str) -> None:
    with pytest.raises(BadData, match=words):
        read_parquet(files(frame))


def test_an_index_is_no_column_and_one_with_a_name_is_noted() -> None:
    table = read_parquet(files(pd.DataFrame({"a": [1, 2]}, index=pd.Index([7, 9], name="customer"))))
    assert list(table.frame.columns) == ["a"]
    assert list(table.frame.index) == [0, 1]
    assert table.notes == ("The index 'customer' of 0.parquet is no column; store it as one to use it.",)


def test_decimals_are_numbers() -> None:
    column = read_parquet(files(pd.DataFrame({"a": [decimal.Decimal("1.25"), None]}))).frame["a"]
    assert column.dtype == "float64"
    assert column.iloc[0] == 1.25

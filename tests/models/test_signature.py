"""Rows are brought into the form of a signature, or it is said why not."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clarify_ops.errors import BadModel
from clarify_ops.models.signature import Signature


def signed(**kinds: str) -> Signature:
    inputs = [{"name": name, "type": kind, "required": not name.startswith("maybe")} for name, kind in kinds.items()]
    found = Signature.read({"inputs": json.dumps(inputs)})
    assert found is not None
    return found


@given(order=st.permutations(["a", "b", "c"]), extra=st.sampled_from([0, 1]))
def test_columns_in_order(order: list[str], extra: int) -> None:
    rows = pd.DataFrame({name: [ord(name)] for name in order})
    rows = rows.assign(z=0) if extra else rows
    assert list(signed(a="long", b="long", c="long").fitted(rows, "m").columns) == ["a", "b", "c"]


def test_rows_that_fit_are_not_copied() -> None:
    rows = pd.DataFrame({"a": [1.5], "b": ["x"], "c": pd.Categorical(["u"])})
    assert signed(a="long", b="string", c="string").fitted(rows, "m") is rows


def test_optional_columns_may_be_absent() -> None:
    rows = pd.DataFrame({"a": [1]})
    assert list(signed(maybe="long", a="long").fitted(rows, "m").columns) == ["a"]


@pytest.mark.parametrize(
    ("kind", "given", "expected"),
    [
        ("double", ["1", "2.5", None], [1.0, 2.5, np.nan]),
        ("long", ["3"], [3]),
        ("string", [1, 20], ["1", "20"]),
        ("string", [1.0, 2.5, np.nan], ["1", "2.5", None]),
        ("boolean", ["True", "false"], [True, False]),
        ("datetime", ["2020-01-02"], [pd.Timestamp("2020-01-02")]),
    ],
)
def test_types(kind: str, given: list[Any], expected: list[Any]) -> None:
    found = signed(a=kind).fitted(pd.DataFrame({"a": given}), "m")["a"]
    assert [None if pd.isna(one) else one for one in found] == [None if pd.isna(one) else one for one in expected]


@pytest.mark.parametrize(
    ("kind", "given", "expected"),
    [
        ("long", [1.0, 2.0], "int64"),
        ("integer", [1, 2], "int32"),
        ("double", [1, 2], "float64"),
        ("float", [1.0], "float32"),
        ("boolean", [0, 1], "bool"),
    ],
)
def test_exact_types(kind: str, given: list[Any], expected: str) -> None:
    found = signed(a=kind).fitted(pd.DataFrame({"a": given}), "m", exactly=True)["a"]
    assert found.dtype == expected
    assert found.tolist() == given


@pytest.mark.parametrize(
    ("kind", "given", "sentence"),
    [
        ("double", ["1", "much"], "takes a number in the column 'a', and the rows hold 'much'"),
        ("boolean", ["perhaps"], "takes a boolean in the column 'a'"),
        ("datetime", ["soon"], "takes a datetime in the column 'a'"),
        ("long", [1.5], "takes whole numbers in the column 'a', and the rows hold 1.5"),
        ("long", [np.nan], "takes whole numbers"),
        ("boolean", [2], "takes true or false"),
    ],
)
def test_what_does_not_fit(kind: str, given: list[Any], sentence: str) -> None:
    with pytest.raises(BadModel, match=sentence):
        signed(a=kind).fitted(pd.DataFrame({"a": given}), "m", exactly=True)


def test_a_tensor_has_a_width() -> None:
    tensor = [{"type": "tensor", "tensor-spec": {"dtype": "float64", "shape": [-1, 2]}}]
    found = Signature.read({"inputs": json.dumps(tensor)})
    assert found is not None
    rows = pd.DataFrame({"a": [1], "b": [2]})
    assert found.fitted(rows, "m") is rows
    with pytest.raises(BadModel, match="takes 2 columns, and the rows have 1"):
        found.fitted(rows[["a"]], "m")


def test_positions_without_names() -> None:
    found = Signature.read({"inputs": json.dumps([{"type": "string"}, {"type": "long"}])})
    assert found is not None
    assert found.fitted(pd.DataFrame({"x": [1], "y": [2]}), "m")["x"].tolist() == ["1"]
    with pytest.raises(BadModel, match="takes 2 columns, and the rows have 1"):
        found.fitted(pd.DataFrame({"x": [1]}), "m")


def test_no_signature_and_a_broken_one() -> None:
    assert Signature.read(None) is None
    with pytest.raises(BadModel, match="not readable"):
        Signature.read({"inputs": "{"})

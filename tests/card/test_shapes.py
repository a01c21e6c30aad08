"""The documents have the shape that their readers know."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.card.shapes import FOLDER, documents, shape


@pytest.mark.parametrize("name", documents())
def test_the_document_is_the_golden_one(name: str) -> None:
    golden: Any = json.loads((FOLDER / name).read_text(encoding="utf-8"))
    assert documents()[name] == golden, "If this is meant: python -m tests.card.shapes"


def test_a_shape_tells_keys_and_types_apart() -> None:
    assert shape([{"a": 1}, {"b": "x"}]) == [{"a": "int", "b": "str"}]
    assert shape([1, "x", 2.0]) == ["float or int or str"]
    assert shape([[1], ["x"]]) == [["int or str"]]
    assert shape({"a": []}) == {"a": [None]}

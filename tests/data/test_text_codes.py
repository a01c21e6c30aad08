"""Texts numbered in machine code: the same numbers as by looking at one after the other."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clarify_ops.data import cells
from clarify_ops.data.cells import Codes, TooMany
from clarify_ops.data.text_codes import MOST_TEXTS, NO_ROOM, TextCodes

KINDS = [pa.string(), pa.large_string(), pa.binary(), pa.large_binary()]
# Of one length and alike at both ends, or cut short: what a comparison that looks at too little takes for the same.
ALIKE = [
    *(text[:size] for text in ("abcdefgh12345678", "abcdefgh1234567890") for size in range(len(text) + 1)),
    *(f"abcdefgh{middle}ijklmnop" for middle in ("", "x", "y", "12345678", "12345679", "1234567812345678")),
    "abcdefgh\0",
    "abcdefg\0",
    "\0",
    "\0\0",
    "åß∂ƒ",
    "日本語のとても長い文字列です",
]


def numbers_one_by_one(values: list[str | bytes | None]) -> tuple[list[int], list[str | bytes | None]]:
    known: dict[str | bytes | None, int] = {}
    return [known.setdefault(value, len(known)) for value in values], list(known)


@pytest.fixture(autouse=True)
def _in_machine_code(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cells, "_MANY_ROWS", 1)


@settings(deadline=None, max_examples=300)
@given(
    st.lists(st.lists(st.one_of(st.sampled_from(ALIKE), st.text(max_size=20), st.none()), max_size=40), max_size=4),
    st.sampled_from(KINDS),
    st.integers(0, 5),
)
def test_texts_are_numbered_in_the_order_in_which_they_appear(
    batches: list[list[str | None]], kind: pa.DataType, cut: int
) -> None:
    codes = Codes()
    found: list[int] = []
    seen: list[str | bytes | None] = []
    for batch in batches:
        # A slice keeps the bytes before it, as a batch of a larger table does.
        array = pa.array([*ALIKE[:cut], *batch], type=kind).slice(cut)
        found += codes.of(array).tolist() if len(array) else []
        seen += array.to_pylist()
    assert (found, codes.values) == numbers_one_by_one(seen)


def test_long_columns_of_few_texts_and_gaps() -> None:
    rng = np.random.default_rng(0)
    values = np.array([*ALIKE, None], dtype=object)[rng.integers(0, len(ALIKE) + 1, 100_000)].tolist()
    codes = Codes()
    assert (codes.of(pa.array(values)).tolist(), codes.values) == numbers_one_by_one(values)


def test_a_table_that_is_full_says_so_and_another_way_takes_over() -> None:
    values = [f"text {number}" for number in range(MOST_TEXTS + 10)]
    ends = np.cumsum([0, *map(len, values)])
    found = TextCodes().of(ends, np.frombuffer("".join(values).encode(), dtype=np.uint8), None, 0)
    assert found[MOST_TEXTS - 1] == MOST_TEXTS - 1
    assert (found[MOST_TEXTS:] == NO_ROOM).all()
    codes = Codes()
    codes.of(pa.array(values[:5]))
    assert codes.of(pa.array(values[::-1])).tolist() == [*range(5, len(values)), *range(4, -1, -1)]
    with pytest.raises(TooMany):
        codes.of(pa.array([f"another {number}" for number in range(cells.MOST_VALUES)]))

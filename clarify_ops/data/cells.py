"""Rows counted batch by batch: distinct values as numbers, and how often each combination of them occurs.

What is kept does not grow with the rows, only with the distinct values and their combinations.
"""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Hashable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pyarrow as pa

    from clarify_ops.data.text_codes import TextCodes

Integers = NDArray[np.int64]
MOST_VALUES = 20_000
MOST_CELLS = 1 << 21
_WIDEST_TABLE = 1 << 16
# So many cells are counted in a table of all combinations that are possible; more are looked for among those that occur.
_DENSE = 1 << 18
_TOGETHER = 1 << 20
_UNKNOWN = -1
# Below, loading the machine code that numbers texts takes longer than they do.
_MANY_ROWS = 1 << 14


class TooMany(Exception):
    """There are more distinct values, or combinations of them, than are worth counting one by one."""


class Codes:
    """Numbers the distinct values of a column, a missing one among them, in the order in which they appear.

    Attributes:
        values: The distinct values; None is a missing one.
        full: Whether more of them appeared than are numbered.
    """

    def __init__(self) -> None:
        self.values: list[Any] = []
        self.full = False
        self._known: dict[Hashable, int] = {}
        self._dictionary: pa.Array | None = None
        self._of_dictionary: Integers = np.zeros(0, dtype=np.int64)
        self._lowest = 0
        # Place 0 is the missing value, place 1 + i the number `lowest + i`.
        self._of_number: Integers = np.full(1, _UNKNOWN, dtype=np.int64)
        self._of_bytes: dict[int, Integers] = {}
        self._texts: TextCodes | None = None
        self._of_text: Integers = np.zeros(0, dtype=np.int64)
        self._few_texts = True

    def __len__(self) -> int:
        return len(self.values)

    def of(self, array: pa.Array) -> Integers:
        """(rows,) the numbers of an array's values.

        Raises:
            TooMany: They are not worth it.
        """
        import pyarrow as pa

        kind = array.type
        if pa.types.is_integer(kind):
            found = self._of_numbers(array)
            if found is not None:
                return found
        if pa.types.is_binary(kind):
            found = self._of_short_bytes(array)
            if found is not None:
                return found
        if self._few_texts and len(array) >= _MANY_ROWS and _is_text(kind):
            found = self._of_texts(array)
            if found is not None:
                return found
        return self._of_dictionaries(array if pa.types.is_dictionary(kind) else array.dictionary_encode())

    def _of_numbers(self, array: pa.Array) -> Integers | None:
        """By their distance from the lowest; None where they lie too far apart."""
        missing = array.null_count
        if missing == len(array):
            return self._looked_up(np.zeros(len(array), dtype=np.int64), self._of_number, lambda _: None)
        known = array.drop_null() if missing else array
        numbers = known.to_numpy()
        if not self._reaches(int(numbers.min()), int(numbers.max())):
            return None
        distances = numbers.astype(np.int64, copy=False) - (self._lowest - 1)
        if missing:
            places: Integers = np.zeros(len(array), dtype=np.int64)
            places[array.is_valid().to_numpy(zero_copy_only=False)] = distances
        else:
            places = distances
        return self._looked_up(places, self._of_number, lambda place: self._lowest + place - 1 if place else None)

    def _reaches(self, low: int, high: int) -> bool:
        """Makes the table of numbers wide enough."""
        width = len(self._of_number) - 1
        if width and self._lowest <= low and high < self._lowest + width:
            return True
        if width:
            low, high = min(low, self._lowest), max(high, self._lowest + width - 1)
        # Beyond, differences would not fit their type.
        if high - low >= _WIDEST_TABLE or not -(1 << 62) < low <= high < 1 << 62:
            return False
        table = np.full(high - low + 2, _UNKNOWN, dtype=np.int64)
        table[0] = self._of_number[0]
        table[1 + self._lowest - low : 1 + self._lowest - low + width] = self._of_number[1:]
        self._lowest, self._of_number = low, table
        return True

    def _of_short_bytes(self, array: pa.Array) -> Integers | None:
        """Texts of one or two bytes each are numbers as they lie there; None where they are not."""
        rows = len(array)
        _, ends, content = array.buffers()
        if not rows or content is None:
            return None
        offsets = np.frombuffer(ends, dtype=np.int32, count=array.offset + rows + 1)[array.offset :]
        start, size = int(offsets[0]), int(offsets[1]) - int(offsets[0])
        if size not in {1, 2} or int(offsets[-1]) - start != rows * size or (np.diff(offsets) != size).any():
            return None
        places = np.frombuffer(content, dtype=f"<u{size}", count=rows, offset=start)
        table = self._of_bytes.setdefault(size, np.full(1 << 8 * size, _UNKNOWN, dtype=np.int64))
        return self._looked_up(places, table, lambda place: place.to_bytes(size, "little"))

    def _of_texts(self, array: pa.Array) -> Integers | None:
        """By the table of the texts seen so far; None where they are too many for it."""
        import pyarrow as pa

        from clarify_ops.data.text_codes import MOST_TEXTS, NO_ROOM, TextCodes

        if self._texts is None:
            self._texts = TextCodes()
            # The last place is the missing value.
            self._of_text = np.full(MOST_TEXTS + 1, _UNKNOWN, dtype=np.int64)
        texts = self._texts
        valid, ends, content = array.buffers()
        width = np.int64 if pa.types.is_large_string(array.type) or pa.types.is_large_binary(array.type) else np.int32
        offsets = np.frombuffer(ends, dtype=width, count=array.offset + len(array) + 1)[array.offset :]
        places = texts.of(
            offsets.astype(np.int64, copy=False),
            np.frombuffer(content or b"", dtype=np.uint8),
            np.frombuffer(valid, dtype=np.uint8) if valid is not None and array.null_count else None,
            array.offset,
        )
        if places[-1] == NO_ROOM:
            self._few_texts = False
            return None
        as_bytes = pa.types.is_binary(array.type) or pa.types.is_large_binary(array.type)

        def value(place: int) -> Any:
            if place < 0:
                return None
            return texts.texts[place] if as_bytes else texts.texts[place].decode()

        return self._looked_up(places, self._of_text, value)

    def _of_dictionaries(self, array: pa.DictionaryArray) -> Integers:
        import pyarrow.compute as pc

        dictionary, places = array.dictionary, array.indices
        size = len(dictionary)
        if size > MOST_VALUES and pc.count_distinct(places).as_py() > MOST_VALUES:
            self.full = True
            raise TooMany
        if self._dictionary is None or not dictionary.equals(self._dictionary):
            values = dictionary.to_pylist()
            self._dictionary = dictionary
            self._of_dictionary = np.asarray(
                [*(self._known.get(_key(value), _UNKNOWN) for value in values), self._known.get(None, _UNKNOWN)],
                dtype=np.int64,
            )
        if places.null_count:
            places = places.cast("int64").fill_null(size)
        return self._looked_up(
            places.to_numpy(),
            self._of_dictionary,
            lambda place: None if place == size else dictionary[place].as_py(),
        )

    def _looked_up(self, places: NDArray[Any], table: Integers, value: Callable[[int], Any]) -> Integers:
        """Numbers by table, where what was not seen before gets the next numbers."""
        codes: Integers = table.take(places)
        if codes.min(initial=0) < 0:
            for place in pd.unique(places[codes < 0]).tolist():
                table[place] = self._number(value(place))
            codes = table.take(places)
        return codes

    def _number(self, value: Any) -> int:
        code = self._known.setdefault(_key(value), len(self.values))
        if code == len(self.values):
            if code >= MOST_VALUES:
                self.full = True
                raise TooMany
            self.values.append(value)
        return code


class ScoreCodes(Codes):
    """Tells scores apart only as far as a threshold does.

    Each side of it, and each way to be missing, is numbered in the order in which it appears, and has its first score for a
    value.
    """

    def __init__(self, threshold: float) -> None:
        super().__init__()
        self._threshold = threshold
        self._of_side: Integers = np.full(4, _UNKNOWN, dtype=np.int64)

    def of(self, array: pa.Array) -> Integers:
        """(rows,) the numbers of the sides of an array of floats."""
        scores = array.to_numpy(zero_copy_only=False)
        sides = (scores > self._threshold).astype(np.int8)
        sides[np.isnan(scores)] = 2
        if array.null_count:
            sides[array.is_null().to_numpy(zero_copy_only=False)] = 3
        return self._looked_up(sides, self._of_side, lambda side: array[int(np.argmax(sides == side))].as_py())


class ScoreTextCodes(Codes):
    """As `ScoreCodes`, from scores as text: bytes that pandas reads as numbers.

    Values are text that stands for a side, and for a missing score.

    Attributes:
        floats: Whether some batch makes the column one of floats, as scores have to be.
    """

    def __init__(self, threshold: float) -> None:
        super().__init__()
        self.floats = False
        self._threshold = threshold
        self._of_side: Integers = np.full(3, _UNKNOWN, dtype=np.int64)

    def of(self, array: pa.Array) -> Integers:
        """(rows,) the numbers of the sides of an array of bytes.

        Raises:
            TooMany: It holds other text than numbers.
        """
        import pyarrow as pa
        import pyarrow.compute as pc

        whole = pa.ListArray.from_arrays(pa.array([0, len(array)], type=pa.int32()), array)
        text = pc.binary_join(whole, pa.scalar(b"\n"))[0].as_py() + b"\n"
        if text.count(b"\n") != len(array) or any(sign in text for sign in (b'"', b",", b"\r")):
            raise TooMany
        scores = pd.read_csv(io.BytesIO(text), header=None, low_memory=False, skip_blank_lines=False)[0].to_numpy()
        if scores.dtype not in {np.dtype(np.int64), np.dtype(np.float64)} or len(scores) != len(array):
            raise TooMany
        self.floats |= scores.dtype == np.float64
        sides = (scores > self._threshold).astype(np.int8)
        sides[np.isnan(scores)] = 2
        return self._looked_up(sides, self._of_side, (b"-inf", b"inf", b"").__getitem__)


class Cells:
    """Counts how often each combination of codes occurs.

    Args:
        columns: How many codes a row has.
        ordered: Whether the order in which the combinations appear matters.
    """

    def __init__(self, columns: int, *, ordered: bool) -> None:
        self._shape = (0,) * columns
        self._ordered = ordered
        self._rows = 0
        self._dense: Integers | None = None if ordered else np.zeros(0, dtype=np.int64)
        self._kept: list[tuple[Integers, Integers, Integers]] = []
        self._pending = 0

    def add(self, codes: Sequence[Integers], sizes: Sequence[int]) -> None:
        """Counts a batch.

        Args:
            codes: (rows,) of each column, in 0 .. size - 1.
            sizes: Of each column; they never shrink.

        Raises:
            TooMany: There are too many combinations.
        """
        if tuple(sizes) != self._shape:
            self._grow(tuple(sizes))
        keys = codes[0].copy()
        for column, size in zip(codes[1:], self._shape[1:], strict=True):
            keys *= size
            keys += column
        if self._dense is not None:
            self._dense += np.bincount(keys, minlength=len(self._dense))
        else:
            places, found = pd.factorize(keys)
            _, first = np.unique(places, return_index=True)
            self._kept.append((found, np.bincount(places, minlength=len(found)), first + self._rows))
            self._pending += len(found)
            if self._pending > _TOGETHER:
                self._merge()
        self._rows += len(keys)

    def counted(self) -> tuple[tuple[Integers, ...], Integers]:
        """Codes of each column in the combinations that occur, and (cells,) their rows.

        Where it matters, combinations come in the order in which they appear.
        """
        if self._dense is None:
            self._merge()
            keys, rows, first = self._kept[0]
            order = np.argsort(first)
            keys, rows = keys[order], rows[order]
        else:
            keys = np.flatnonzero(self._dense)
            rows = self._dense[keys]
        return np.unravel_index(keys, self._shape), rows

    def _grow(self, shape: tuple[int, ...]) -> None:
        if math.prod(shape) > np.iinfo(np.int64).max // 2:
            raise TooMany
        old, self._shape = self._shape, shape
        if self._dense is not None:
            keys = np.flatnonzero(self._dense)
            rows = self._dense[keys]
            if math.prod(shape) <= _DENSE:
                self._dense = np.zeros(math.prod(shape), dtype=np.int64)
                self._dense[_again(keys, old, shape)] = rows
                return
            self._dense = None
            self._kept = [(keys, rows, np.zeros_like(keys))]
        self._kept = [(_again(keys, old, shape), rows, first) for keys, rows, first in self._kept]

    def _merge(self) -> None:
        keys, rows, first = (np.concatenate(parts) for parts in zip(*self._kept, strict=True))
        order = np.argsort(keys, kind="stable")
        keys = keys[order]
        starts = np.flatnonzero(np.diff(keys, prepend=-1))
        if len(starts) > MOST_CELLS:
            raise TooMany
        rows, first = np.add.reduceat(rows[order], starts), np.minimum.reduceat(first[order], starts)
        self._kept, self._pending = [(keys[starts], rows, first)], 0


def _again(keys: Integers, old: tuple[int, ...], new: tuple[int, ...]) -> Integers:
    """Keys of the same codes among more of them."""
    return np.ravel_multi_index(np.unravel_index(keys, old), new) if len(keys) else keys


def _is_text(kind: pa.DataType) -> bool:
    import pyarrow as pa

    return any(
        one(kind)
        for one in (pa.types.is_string, pa.types.is_large_string, pa.types.is_binary, pa.types.is_large_binary)
    )


def _key(value: Any) -> Hashable:
    # No float of another kind equals NaN, and it does not equal itself.
    return ("nan",) if isinstance(value, float) and math.isnan(value) else value

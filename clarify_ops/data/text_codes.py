"""Numbers the distinct texts of a column as Arrow stores it, in machine code.

A text of up to 16 bytes is told by its length, its first and its last 8 bytes, which are read as two numbers; only longer
ones are compared byte by byte. This module imports numba: import it only where there is much to count.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba.core import types
from numba.extending import intrinsic
from numpy.typing import NDArray

from clarify_ops.compiled import compiled

Integers = NDArray[np.int64]

# Slots of the table of texts; at most half of them are taken, so that a search ends soon.
_SLOTS = 1 << 12
MOST_TEXTS = _SLOTS // 2
MISSING, NO_ROOM = -1, -2
_WORD = 8
_MASKS = np.asarray([(1 << 8 * size) - 1 for size in range(_WORD + 1)], dtype=np.uint64)
_ODD = np.uint64(0x9E3779B97F4A7C15)

# Offsets, content, bits of the rows that hold a text, and the first of these bits.
_Texts = tuple[Integers, NDArray[np.uint8], NDArray[np.uint8], int]
# Of each slot what it holds, and its number; all known texts, and where each begins.
_Table = tuple[NDArray[np.uint64], Integers, NDArray[np.uint8], Integers]


def _load(_typing: Any, content: Any, place: Any) -> Any:  # noqa: ARG001 - numba looks at the number of arguments
    """The 8 bytes from a place on as a number, wherever they lie."""

    def generated(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        array = context.make_array(signature.args[0])(context, builder, arguments[0])
        start = builder.gep(array.data, [arguments[1]])
        word = context.get_value_type(types.uint64)
        return builder.load(builder.bitcast(start, word.as_pointer()), align=1)

    return types.uint64(content, types.int64), generated


_word: Any = intrinsic(_load)


class TextCodes:
    """The texts seen so far, by number.

    Attributes:
        texts: In the order of their numbers.
    """

    def __init__(self) -> None:
        self.texts: list[bytes] = []
        # Of each slot: length, first and last word, number; -1 where it is free.
        self._slots = np.zeros((_SLOTS, 3), dtype=np.uint64)
        self._numbers = np.full(_SLOTS, -1, dtype=np.int64)
        self._starts = np.zeros(MOST_TEXTS + 1, dtype=np.int64)
        self._known = np.zeros(1 << 10, dtype=np.uint8)

    def of(
        self, offsets: Integers, content: NDArray[np.uint8], valid: NDArray[np.uint8] | None, first: int
    ) -> Integers:
        """Numbers of texts.

        Args:
            offsets: (rows + 1,) where each text begins in `content`, and where the last one ends.
            content: UTF-8.
            valid: Bits of the rows that hold a text, from bit `first` on; None: all do.
            first: See `valid`.

        Returns:
            (rows,) the number of each text; MISSING for a row without one, and NO_ROOM from a text on that is one too many.
        """
        rows = len(offsets) - 1
        codes = np.empty(rows, dtype=np.int64)
        bits = np.zeros(0, dtype=np.uint8) if valid is None else valid
        done = 0
        while True:
            table = (self._slots, self._numbers, self._known, self._starts)
            done = _code((offsets, content, bits, first), table, done, codes, _MASKS)
            if done == rows:
                return codes
            if len(self.texts) == MOST_TEXTS:
                codes[done:] = NO_ROOM
                return codes
            self._learn(content[offsets[done] : offsets[done + 1]].tobytes())

    def _learn(self, text: bytes) -> None:
        number, start = len(self.texts), int(self._starts[len(self.texts)])
        end = start + len(text)
        if end > len(self._known):
            self._known = np.concatenate([self._known, np.zeros(max(end, len(self._known)), dtype=np.uint8)])
        self._known[start:end] = np.frombuffer(text, dtype=np.uint8)
        self._starts[number + 1] = end
        self.texts.append(text)
        _insert(self._known, start, end, number, self._slots, self._numbers)


@compiled
def _read(content: NDArray[np.uint8], start: int, end: int) -> Any:
    """First and last 8 bytes of a text as numbers; a shorter one's bytes, with zeros behind, and 0."""
    size = end - start
    first, last = np.uint64(0), np.uint64(0)
    for i in range(min(size, _WORD)):
        first |= np.uint64(content[start + i]) << np.uint64(8 * i)
        if size > _WORD:
            last |= np.uint64(content[end - _WORD + i]) << np.uint64(8 * i)
    return first, last


@compiled
def _read_inside(content: NDArray[np.uint8], start: int, end: int, masks: NDArray[np.uint64]) -> Any:
    """As `_read`, where 8 bytes can be read from the start on and up to the end: no step depends on the text's length."""
    size = end - start
    long = np.uint64(size > _WORD)
    return _word(content, start) & masks[min(size, _WORD)], _word(content, end - _WORD) & (np.uint64(0) - long)


@compiled
def _slot(size: Any, first: Any, last: Any) -> Any:
    mixed = (first ^ (last * _ODD) ^ np.uint64(size)) * _ODD
    return np.int64((mixed ^ (mixed >> np.uint64(29))) * _ODD >> np.uint64(52))


@compiled
def _insert(known: NDArray[np.uint8], start: int, end: int, number: int, slots: Any, numbers: Integers) -> None:
    first, last = _read(known, start, end)
    slot = _slot(end - start, first, last)
    while numbers[slot] >= 0:
        slot = (slot + 1) % _SLOTS
    slots[slot, 0], slots[slot, 1], slots[slot, 2] = np.uint64(end - start), first, last
    numbers[slot] = number


@compiled
def _code(texts: _Texts, table: _Table, row: int, codes: Integers, masks: NDArray[np.uint64]) -> int:
    """Codes rows up to the first text that is not known, and returns its place."""
    offsets, content, valid, bit = texts
    slots, numbers, known, starts = table
    rows = len(offsets) - 1
    while row < rows:
        if len(valid) and not valid[(bit + row) >> 3] >> ((bit + row) & 7) & 1:
            codes[row] = MISSING
            row += 1
            continue
        start, end = offsets[row], offsets[row + 1]
        size = end - start
        if end >= _WORD and start + _WORD <= len(content):
            first, last = _read_inside(content, start, end, masks)
        else:
            first, last = _read(content, start, end)
        slot = _slot(size, first, last)
        found = -1
        while numbers[slot] >= 0:
            if slots[slot, 0] == np.uint64(size) and slots[slot, 1] == first and slots[slot, 2] == last:
                number = numbers[slot]
                same = True
                if size > 2 * _WORD:
                    begin = starts[number]
                    for i in range(_WORD, size - _WORD, _WORD):
                        place = min(i, size - 2 * _WORD)
                        if _word(known, begin + place) != _word(content, start + place):
                            same = False
                            break
                if same:
                    found = number
                    break
            slot = (slot + 1) % _SLOTS
        if found < 0:
            return row
        codes[row] = found
        row += 1
    return row

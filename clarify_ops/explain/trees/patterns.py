"""Patterns: for every row and unit the bits that decide what the unit's leaves give the row. Compiled."""

from __future__ import annotations

from typing import Any

import numpy as np

from clarify_ops.compiled import inner
from clarify_ops.explain.trees.binning import Tests
from clarify_ops.explain.trees.units import Ints, Units

# Rows whose bits are made at once: those of a tree's splits should fit the fast caches.
BLOCK = 512


@inner
def passes(numbers: Any, tests: Tests, node: int, start: int, out: Any) -> None:
    """Fills out (rows,) with 1 for rows, from start on, that go to the left at a split."""
    column = numbers[tests.source[node]]
    if tests.member[node] >= 0:
        first = tests.member[node]
        for row in range(len(out)):
            out[row] = tests.members[first + column[start + row]]
        return
    cut, missing, zero = tests.cut[node], tests.missing[node], tests.zero[node]
    part = column[start : start + len(out)]
    for row in range(len(out)):
        number = part[row]
        out[row] = (number <= cut) | (number == missing) | (number == zero)


@inner
def _patterns(bits: Any, place: Ints, units: Units, unit: int, held: Any, out: Any) -> None:
    """Fills out (rows,) with a unit's patterns from the bits (splits, rows) of its splits; held is room for a bit."""
    rows = len(out)
    out[:] = 0
    first = units.bits[unit]
    for bit in range(first, units.bits[unit + 1]):
        shift = bit - first
        start, stop = units.terms[bit], units.terms[bit + 1]
        code = units.term[start]
        source = bits[place[code >> 1]]
        flip = np.uint8(1 - (code & 1))
        if stop == start + 1:
            for row in range(rows):
                out[row] |= np.uint16(np.uint16(source[row] ^ flip) << shift)
            continue
        for row in range(rows):
            held[row] = source[row] ^ flip
        for term in range(start + 1, stop):
            code = units.term[term]
            source = bits[place[code >> 1]]
            flip = np.uint8(1 - (code & 1))
            for row in range(rows):
                held[row] &= source[row] ^ flip
        for row in range(rows):
            out[row] |= np.uint16(np.uint16(held[row]) << shift)


@inner
def _needed(units: Units, chosen: Ints, place: Ints) -> list[Any]:
    """The splits that the chosen units look at; place (nodes,) gets where each stands among them."""
    found = [np.int64(0) for _ in range(0)]
    for unit in chosen:
        for index in range(units.terms[units.bits[unit]], units.terms[units.bits[unit + 1]]):
            place[units.term[index] >> 1] = -1
    for unit in chosen:
        for index in range(units.terms[units.bits[unit]], units.terms[units.bits[unit + 1]]):
            node = units.term[index] >> 1
            if place[node] < 0:
                place[node] = len(found)
                found.append(node)
    return found


@inner
def unit_patterns(numbers: Any, tests: Tests, units: Units, chosen: Ints, place: Ints, out: Any) -> None:
    """Fills out (units, rows) with the patterns of the chosen units; place is room for a number a node."""
    rows = numbers.shape[1]
    needed = _needed(units, chosen, place)
    bits = np.empty((len(needed), BLOCK), dtype=np.uint8)
    held = np.empty(BLOCK, dtype=np.uint8)
    for start in range(0, rows, BLOCK):
        count = min(BLOCK, rows - start)
        for index in range(len(needed)):
            passes(numbers, tests, needed[index], start, bits[index, :count])
        for index in range(len(chosen)):
            _patterns(bits[:, :count], place, units, chosen[index], held, out[index, start : start + count])


@inner
def unit_bits(numbers: Any, tests: Tests, units: Units, unit: int) -> Any:
    """(bits, rows) the bits of one unit, each for itself."""
    rows = numbers.shape[1]
    first, last = units.bits[unit], units.bits[unit + 1]
    out = np.ones((last - first, rows), dtype=np.uint8)
    held = np.empty(BLOCK, dtype=np.uint8)
    for start in range(0, rows, BLOCK):
        stop = min(start + BLOCK, rows)
        for bit in range(first, last):
            part = out[bit - first, start:stop]
            for term in range(units.terms[bit], units.terms[bit + 1]):
                code = units.term[term]
                passes(numbers, tests, code >> 1, start, held[: stop - start])
                flip = np.uint8(1 - (code & 1))
                for row in range(stop - start):
                    part[row] &= held[row] ^ flip
    return out


@inner
def occurring(patterns: Any, count_of: Ints, out: Ints) -> int:
    """Fills out with the patterns that occur, count_of (patterns,) with how often; returns how many there are."""
    count_of[:] = 0
    count = 0
    if len(patterns) < 4 * len(count_of):
        for row in range(len(patterns)):
            pattern = patterns[row]
            if count_of[pattern] == 0:
                out[count] = pattern
                count += 1
            count_of[pattern] += 1
        return count
    for row in range(len(patterns)):
        count_of[patterns[row]] += 1
    for pattern in range(len(count_of)):
        if count_of[pattern]:
            out[count] = pattern
            count += 1
    return count


@inner
def leaf_patterns(patterns: Ints, units: Units, start: int, stop: int, out: Any) -> None:
    """Fills out with which of a leaf's conditions each of a unit's patterns meets."""
    out[:] = 0
    for condition in range(start, stop):
        mask, want = units.mask[condition], units.want[condition]
        place = condition - start
        for index in range(len(patterns)):
            out[index] |= np.int64((patterns[index] & mask) == want) << place

"""Leaves whose paths have more players than a table of patterns has room for. Compiled.

Of such a leaf the distinct patterns among the rows are gathered, and each is worked out by itself.
"""

# Compiled functions are called by position.
# ruff: noqa: FBT001, PLR0917

from __future__ import annotations

from typing import Any

import numpy as np

from clarify_ops.compiled import inner
from clarify_ops.explain.trees.binning import Tests
from clarify_ops.explain.trees.leaf_values import Floats, Quadrature, one_of_fractions, one_of_patterns, one_of_rows
from clarify_ops.explain.trees.patterns import unit_bits
from clarify_ops.explain.trees.units import Ints, Units

# As many bits as a whole number holds beside its sign and the bit of no player.
_WORD = 62


@inner
def _words(bits: Any) -> Ints:
    """(rows,) the bits (bits, rows) as one number a row."""
    out = np.zeros(bits.shape[1], dtype=np.int64)
    for bit in range(len(bits)):
        line = bits[bit]
        for row in range(len(out)):
            out[row] |= np.int64(line[row]) << bit
    return out


@inner
def _distinct(words: Ints) -> tuple[Ints, Ints, Ints]:
    """The distinct numbers in order of appearance, how often each is there, and (rows,) the position of each row's."""
    size = 16
    while size < 2 * len(words):
        size *= 2
    slots = np.full(size, -1, dtype=np.int64)
    found = np.empty(len(words), dtype=np.int64)
    times = np.zeros(len(words), dtype=np.int64)
    place = np.empty(len(words), dtype=np.int64)
    count = 0
    for row in range(len(words)):
        word = words[row]
        # Fibonacci hashing: the high bits of a product with 2**64 over the golden ratio.
        at = np.int64((np.uint64(word) * np.uint64(11400714819323198485)) >> np.uint64(32)) & (size - 1)
        while slots[at] >= 0 and found[slots[at]] != word:
            at = (at + 1) & (size - 1)
        if slots[at] < 0:
            slots[at] = count
            found[count] = word
            count += 1
        place[row] = slots[at]
        times[slots[at]] += 1
    return found[:count], times[:count], place


@inner
def _of_words(
    words: Ints, others: Ints, size: int, gated: bool, fraction: Floats, interventional: bool, rule: Quadrature
) -> tuple[Floats, Ints]:
    """(distinct patterns, players) what they are given, and (rows,) which is whose."""
    keep = (np.int64(1) << size) - np.int64(1)
    found, _, place = _distinct(words)
    there, times, _ = _distinct(others & keep)
    shares = times / max(1, len(others))
    given = np.zeros((len(found), size))
    present, room = np.empty(size), np.empty(size)
    for index in range(len(found)):
        pattern = found[index]
        if gated and not pattern >> size:
            continue
        if interventional:
            one_of_patterns(pattern & keep, size, there, shares, rule, given[index])
        else:
            for player in range(size):
                present[player] = (pattern >> player) & 1
            one_of_fractions(present, fraction, rule, room, given[index])
    return given, place


@inner
def _of_rows(
    bits: Any, others: Any, size: int, gated: bool, fraction: Floats, interventional: bool, rule: Quadrature
) -> tuple[Floats, Ints]:
    """The same where the bits are too many for a number: nothing is gathered."""
    rows = bits.shape[1]
    given = np.zeros((rows, size))
    present, room = np.empty(size), np.empty(size)
    for row in range(rows):
        if gated and not bits[size, row]:
            continue
        if interventional:
            one_of_rows(bits[:size, row], others, rule, given[row])
        else:
            for player in range(size):
                present[player] = bits[player, row]
            one_of_fractions(present, fraction, rule, room, given[row])
    return given, np.arange(rows)


@inner
def add_large(
    numbers: Any,
    background: Any,
    tests: Tests,
    units: Units,
    unit: int,
    values: Floats,
    outputs: Ints,
    interventional: bool,
    rule: Quadrature,
    out: Any,
) -> None:
    """Adds to out (rows, players x outputs) what the one leaf of a unit gives; the arguments are those of `explain`."""
    leaf = units.leaves[unit]
    start, stop = units.conditions[leaf], units.conditions[leaf + 1]
    size = stop - start
    gated = units.closed[leaf] != 0
    fraction = units.fraction[start:stop]
    bits = unit_bits(numbers, tests, units, unit)
    others = unit_bits(background, tests, units, unit)
    if size <= _WORD:
        given, place = _of_words(_words(bits), _words(others), size, gated, fraction, interventional, rule)
    else:
        given, place = _of_rows(bits, others[:size], size, gated, fraction, interventional, rule)
    for output in outputs:
        value = values[units.node[leaf], output]
        for row in range(len(place)):
            line = given[place[row]]
            for condition in range(size):
                # The conditions of a unit of one leaf are its slots, in their order.
                out[row, units.player[units.slots[unit] + condition] * values.shape[1] + output] += (
                    value * line[condition]
                )

"""Shapley values of all trees: tables for the patterns that occur, and their sums. Compiled."""

# Compiled functions are called by position.
# ruff: noqa: FBT001, PLR0917

from __future__ import annotations

from typing import Any

import numpy as np

from clarify_ops.compiled import compiled, inner
from clarify_ops.explain.trees.binning import Tests
from clarify_ops.explain.trees.large import add_large
from clarify_ops.explain.trees.leaf_values import (
    TABLE,
    Floats,
    Quadrature,
    one_of_fractions,
    one_of_patterns,
    table_of_fractions,
    table_of_shares,
)
from clarify_ops.explain.trees.patterns import BLOCK, leaf_patterns, occurring, unit_patterns
from clarify_ops.explain.trees.units import BITS, Ints, Units

# Units whose tables are held at once.
_TOGETHER = 32
_PATTERNS = 1 << BITS


@inner
def _fill(
    units: Units,
    leaf: Any,
    mine: Ints,
    others: Ints,
    shares: Floats,
    interventional: bool,
    rule: Quadrature,
    room: tuple[Floats, Floats, Floats],
    out: Any,
) -> None:
    """Fills out (players, leaf patterns) for the leaf patterns that occur, `mine`; others are the background's."""
    start, stop = units.conditions[leaf], units.conditions[leaf + 1]
    size = stop - start
    product, share, one = room
    if interventional:
        share[: 1 << size] = 0.0
        theirs = np.empty(len(others), dtype=np.int64)
        leaf_patterns(others, units, start, stop, theirs)
        for index in range(len(others)):
            share[theirs[index]] += shares[index]
    if size <= TABLE:
        if interventional:
            table_of_shares(share, size, rule, product, out)
        else:
            table_of_fractions(units.fraction[start:stop], rule, product, out)
        return
    if interventional:
        there = np.flatnonzero(share[: 1 << size])
        weights = share[there]
        done = np.zeros(1 << size, dtype=np.uint8)
        for index in range(len(mine)):
            pattern = mine[index]
            if not done[pattern]:
                done[pattern] = 1
                one_of_patterns(pattern, size, there, weights, rule, one)
                out[:size, pattern] = one[:size]
        return
    done = np.zeros(1 << size, dtype=np.uint8)
    present = np.empty(size)
    for index in range(len(mine)):
        pattern = mine[index]
        if not done[pattern]:
            done[pattern] = 1
            for player in range(size):
                present[player] = (pattern >> player) & 1
            one_of_fractions(present, units.fraction[start:stop], rule, product, one[:size])
            out[:size, pattern] = one[:size]


@inner
def _unit_table(
    units: Units,
    unit: int,
    mine: Ints,
    others: Ints,
    shares: Floats,
    interventional: bool,
    rule: Quadrature,
    values: Floats,
    outputs: Ints,
    room: tuple[Floats, Floats, Floats],
    contribution: Floats,
) -> Floats:
    """(slots x outputs, patterns) what the unit gives for the patterns that occur, `mine`."""
    found = np.empty(len(mine), dtype=np.int64)
    slots = units.slots[unit + 1] - units.slots[unit]
    given = np.zeros((slots * len(outputs), len(mine)))
    for leaf in range(units.leaves[unit], units.leaves[unit + 1]):
        start, stop = units.conditions[leaf], units.conditions[leaf + 1]
        leaf_patterns(mine, units, start, stop, found)
        _fill(units, leaf, found, others, shares, interventional, rule, room, contribution)
        closed, wanted = units.closed[leaf], units.wanted[leaf]
        for output in range(len(outputs)):
            value = values[units.node[leaf], outputs[output]]
            for condition in range(start, stop):
                line = given[units.place[condition] * len(outputs) + output]
                part = contribution[condition - start]
                if closed == 0:
                    for index in range(len(mine)):
                        line[index] += value * part[found[index]]
                else:
                    for index in range(len(mine)):
                        if (mine[index] & closed) == wanted:
                            line[index] += value * part[found[index]]
    return given


@inner
def _add_wide(patterns: Any, table: Floats, out: Any) -> None:
    """Adds to out (rows, columns) what a table (patterns, columns) says."""
    for row in range(len(patterns)):
        line = table[patterns[row]]
        for column in range(out.shape[1]):
            out[row, column] += line[column]


@inner
def _add_named(patterns: Any, table: Floats, columns: Ints, out: Any) -> None:
    """Adds to the named columns of out (rows, columns) what a table (patterns, columns named) says."""
    for row in range(len(patterns)):
        line = table[patterns[row]]
        for index in range(len(columns)):
            out[row, columns[index]] += line[index]


@inner
def _outputs(values: Floats, first: int, last: int) -> list[Any]:
    """The outputs to which the leaves of a tree add anything."""
    found = [np.int64(0) for _ in range(0)]
    for output in range(values.shape[1]):
        for node in range(first, last):
            if values[node, output] != 0.0:
                found.append(np.int64(output))
                break
    return found


@inner
def _narrow(units: Units, first: int, last: int) -> Ints:
    """Those of the units from first up to last whose patterns have no more than the usual number of bits."""
    found = np.empty(last - first, dtype=np.int64)
    count = 0
    for unit in range(first, last):
        if units.bits[unit + 1] - units.bits[unit] <= BITS:
            found[count] = unit
            count += 1
    return found[:count]


@inner
def _columns(units: Units, unit: int, outputs: Ints, all_outputs: int, out: Any) -> None:
    """Fills out with the column of the result of each slot and output of a unit."""
    at = 0
    for slot in range(units.slots[unit], units.slots[unit + 1]):
        for output in outputs:
            out[at] = units.player[slot] * all_outputs + output
            at += 1


@compiled
def explain(
    numbers: Any,
    background: Any,
    tests: Tests,
    units: Units,
    tree_starts: Ints,
    values: Floats,
    interventional: bool,
    rule: Quadrature,
    dense: bool,
    out: Any,
) -> None:
    """Adds the Shapley values of rows to out (rows, players x outputs).

    Args:
        numbers: (sources, rows) of the rows.
        background: (sources, background rows); none where it is path-dependent.
        tests: Of the splits.
        units: Of the trees.
        tree_starts: First node of each tree.
        values: (nodes, outputs).
        interventional: Which game.
        rule: The quadrature.
        dense: Whether tables have every column of out; else those of the unit's players.
        out: (rows, players x outputs)
    """
    rows, others = numbers.shape[1], background.shape[1]
    width = out.shape[1] if dense else BITS * values.shape[1]
    patterns = np.empty((_TOGETHER, rows), dtype=np.uint16)
    back = np.empty((_TOGETHER, others), dtype=np.uint16)
    count_of = np.empty(_PATTERNS, dtype=np.int64)
    listed, listed_back = np.empty(_PATTERNS, dtype=np.int64), np.empty(_PATTERNS, dtype=np.int64)
    room = (np.empty(_PATTERNS), np.empty(_PATTERNS), np.empty(BITS))
    contribution = np.empty((BITS, _PATTERNS))
    place = np.empty(len(tests.source), dtype=np.int64)
    tables = np.empty((_TOGETHER, _PATTERNS, width))
    columns = np.empty((_TOGETHER, width), dtype=np.int64)
    for tree in range(len(tree_starts) - 1):
        outputs = np.array(_outputs(values, tree_starts[tree], tree_starts[tree + 1]))
        chosen = _narrow(units, units.trees[tree], units.trees[tree + 1])
        for first in range(0, len(chosen), _TOGETHER):
            some = chosen[first : first + _TOGETHER]
            unit_patterns(numbers, tests, units, some, place, patterns)
            unit_patterns(background, tests, units, some, place, back)
            for at in range(len(some)):
                unit = some[at]
                count_back = occurring(back[at], count_of, listed_back)
                shares = np.empty(count_back)
                for index in range(count_back):
                    shares[index] = count_of[listed_back[index]] / others
                count = occurring(patterns[at], count_of, listed)
                given = _unit_table(
                    units,
                    unit,
                    listed[:count],
                    listed_back[:count_back],
                    shares,
                    interventional,
                    rule,
                    values,
                    outputs,
                    room,
                    contribution,
                )
                _columns(units, unit, outputs, values.shape[1], columns[at])
                for index in range(count):
                    line = tables[at, listed[index]]
                    if dense:
                        line[:] = 0.0
                    for column in range(len(given)):
                        line[columns[at, column] if dense else column] = given[column, index]
                if not dense:
                    _add_named(patterns[at], tables[at], columns[at, : len(given)], out)
            if dense:
                for start in range(0, rows, BLOCK):
                    stop = min(start + BLOCK, rows)
                    for at in range(len(some)):
                        _add_wide(patterns[at, start:stop], tables[at], out[start:stop])
        for unit in range(units.trees[tree], units.trees[tree + 1]):
            if units.bits[unit + 1] - units.bits[unit] > BITS:
                add_large(numbers, background, tests, units, unit, values, outputs, interventional, rule, out)

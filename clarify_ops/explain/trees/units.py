"""Trees cut into units: few enough bits that a table answers every row, as many leaves as these bits decide.

A unit is a set of leaves and of bits. A bit is a condition on a row: that it passes all splits by one player above the
unit's top, or that it goes to the left at one split inside. A row's bits are its pattern, and the pattern alone decides
what the unit's leaves contribute. A leaf whose path has more players than a pattern may have bits is a unit by itself.
"""

# Compiled functions are called by position.
# ruff: noqa: PLR0917

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from clarify_ops.compiled import compiled, inner
from clarify_ops.explain.trees.ensemble import Ensemble

# A pattern has at most so many bits. More make fewer and larger tables.
BITS = 10
# A pattern of more bits than that is no number.
_WORD = 62
# Instead of the player of a column without one.
_OPEN = -1

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class Units(NamedTuple):
    """The units of all trees, each list cut by the one before.

    Attributes:
        trees: (trees + 1,) first unit of each tree.
        bits: (units + 1,) first bit of each unit.
        leaves: (units + 1,) first leaf.
        slots: (units + 1,) first slot: a player that the unit gives to.
        terms: (bits + 1,) first term of each bit; a bit is set where all its terms hold.
        term: (terms,) twice the node, plus 1 where the row must go to the left.
        node: (leaves,) the leaf.
        closed: (leaves,) bits of the pattern that decide the splits of no player; -1 where they have no room in a number.
        wanted: (leaves,) what they must be.
        conditions: (leaves + 1,) first condition of each leaf; there is one a player on the path.
        place: (conditions,) the player's slot, counted in the unit.
        mask: (conditions,) bits of the pattern that decide it.
        want: (conditions,) what they must be.
        fraction: (conditions,) of the training rows, at the player's splits together, that went the leaf's way.
        player: (slots,)
    """

    trees: Ints
    bits: Ints
    leaves: Ints
    slots: Ints
    terms: Ints
    term: Ints
    node: Ints
    closed: Ints
    wanted: Ints
    conditions: Ints
    place: Ints
    mask: Ints
    want: Ints
    fraction: NDArray[np.float64]
    player: Ints


def units(ensemble: Ensemble, players: Ints, bits: int = BITS) -> Units:
    """The units of an ensemble.

    Args:
        ensemble: The trees.
        players: (columns,) of each column its player, or -1: then it stays at the row's value in every coalition.
        bits: Most bits of a pattern, but for leaves that need more by themselves.
    """
    split = ensemble.left >= 0
    of_node = np.full(len(split), _OPEN, dtype=np.int64)
    of_node[split] = players[ensemble.column[split]]
    return Units(*_units(ensemble.tree_starts, ensemble.left, ensemble.right, of_node, ensemble.cover, bits))


@inner
def _family(left: Any, right: Any, first: int, parent: Ints, splits: Ints) -> None:
    """Fills the parents (the root's is -1) and the number of splits below and at each node."""
    parent[first] = -1
    order: list[Any] = [first]
    at = 0
    while at < len(order):
        node = order[at]
        at += 1
        if left[node] >= 0:
            for child in (left[node], right[node]):
                parent[child] = node
                order.append(np.int64(child))
    for at in range(len(order) - 1, -1, -1):
        node = order[at]
        splits[node] = 1 + splits[left[node]] + splits[right[node]] if left[node] >= 0 else 0


@inner
def _prefix(
    node: int, parent: Ints, left: Any, player: Ints, players: list[Any], terms: list[Any], no_player: int
) -> None:
    """Appends the players above a node, from the top, and of each the terms that its splits are; or no player alone."""
    path: list[Any] = [node]
    while parent[path[-1]] >= 0:
        path.append(parent[path[-1]])
    for at in range(len(path) - 1, 0, -1):
        above, below = path[at], path[at - 1]
        if (player[above] == _OPEN) != (no_player == 1):
            continue
        term = 2 * above + (left[above] == below)
        known = -1
        for bit in range(len(players)):
            if players[bit] == player[above]:
                known = bit
        if known < 0:
            players.append(player[above])
            terms.append([term])
        else:
            terms[known].append(term)


@inner
def _spine(top: int, room: int, left: Any, right: Any, splits: Ints) -> Any:
    """The node below which the unit of `top` ends: -1 if all of it has room, `top` if nothing of it has."""
    current, used = top, 0
    while used + splits[current] > room:
        one, other = left[current], right[current]
        if one < 0:
            return np.int64(current)
        if splits[one] < splits[other]:
            one, other = other, one
        # The larger of the two subtrees that still has room comes in; the other goes on.
        if used + 1 + splits[one] <= room:
            used += 1 + splits[one]
            current = other
        elif used + 1 + splits[other] <= room:
            used += 1 + splits[other]
            current = one
        else:
            return np.int64(current)
    return np.int64(-1)


@inner
def _empty() -> Any:
    """A list of whole numbers."""
    return [np.int64(0) for _ in range(0)]


@inner
def _bounds() -> Any:
    """A list that will say where parts begin."""
    return [np.int64(0)]


@inner
def _no_units() -> Any:
    """Units of which there are none yet, in lists that grow."""
    fractions: Any = [0.0 for _ in range(0)]
    return Units(
        trees=_bounds(),
        bits=_bounds(),
        leaves=_bounds(),
        slots=_bounds(),
        terms=_bounds(),
        term=_empty(),
        node=_empty(),
        closed=_empty(),
        wanted=_empty(),
        conditions=_bounds(),
        place=_empty(),
        mask=_empty(),
        want=_empty(),
        fraction=fractions,
        player=_empty(),
    )


@compiled
def _units(tree_starts: Ints, left: Any, right: Any, player: Ints, cover: Floats, most: int) -> Any:
    """The arrays of Units, in their order."""
    parent = np.full(len(left), -1, dtype=np.int64)
    splits = np.zeros(len(left), dtype=np.int64)
    # Of a split inside the unit at hand its bit; of others -1.
    bit_of = np.full(len(left), -1, dtype=np.int64)
    made = _no_units()
    for tree in range(len(tree_starts) - 1):
        tops = [tree_starts[tree]]
        if tree_starts[tree] == tree_starts[tree + 1]:
            tops.pop()
        else:
            _family(left, right, tree_starts[tree], parent, splits)
        while len(tops) > 0:
            top = tops.pop()
            players = _empty()
            own_terms = [_empty() for _ in range(0)]
            _prefix(top, parent, left, player, players, own_terms, np.int64(0))
            # The bit of no player comes last: before it stand, where a unit is one leaf, its conditions in their order.
            _prefix(top, parent, left, player, players, own_terms, np.int64(1))
            stop = _spine(top, most - len(players), left, right, splits)
            if stop == top and left[top] >= 0:
                tops.append(np.int64(right[top]))
                tops.append(np.int64(left[top]))
                continue
            if stop == top:
                stop = np.int64(-1)
            elif stop >= 0:
                tops.append(stop)
            found, inside = _below(top, stop, left, right)
            for index in range(len(inside)):
                bit_of[inside[index]] = len(players) + index
            for leaf in found:
                _add_leaf(leaf, players, parent, left, player, cover, bit_of, made)
            for split in inside:
                bit_of[split] = -1
                own_terms.append([2 * split + 1])
            _close_unit(own_terms, made)
        made.trees.append(np.int64(len(made.bits) - 1))
    return (
        np.array(made.trees),
        np.array(made.bits),
        np.array(made.leaves),
        np.array(made.slots),
        np.array(made.terms),
        np.array(made.term),
        np.array(made.node),
        np.array(made.closed),
        np.array(made.wanted),
        np.array(made.conditions),
        np.array(made.place),
        np.array(made.mask),
        np.array(made.want),
        np.array(made.fraction),
        np.array(made.player),
    )


@inner
def _below(top: int, stop: int, left: Any, right: Any) -> tuple[list[Any], list[Any]]:
    """The leaves and the splits below a node, from left to right, without what is at or below another."""
    found = _empty()
    inside = _empty()
    walk: list[Any] = [top]
    while len(walk) > 0:
        here = walk.pop()
        if here == stop:
            continue
        if left[here] < 0:
            found.append(here)
        else:
            inside.append(here)
            walk.append(np.int64(right[here]))
            walk.append(np.int64(left[here]))
    return found, inside


@inner
def _close_unit(own_terms: list[Any], made: Any) -> None:
    """Ends a unit with its bits, unless no leaf of it has a player."""
    if len(made.node) == made.leaves[-1]:
        return
    for one in own_terms:
        made.term.extend(one)
        made.terms.append(np.int64(len(made.term)))
    made.bits.append(np.int64(len(made.terms) - 1))
    made.leaves.append(np.int64(len(made.node)))
    made.slots.append(np.int64(len(made.player)))


@inner
def _place(wanted: int, start: int, listed: list[Any]) -> Any:
    """Where a number stands in a list from start on, counted from there; it is appended where it is not."""
    for index in range(start, len(listed)):
        if listed[index] == wanted:
            return np.int64(index - start)
    listed.append(wanted)
    return np.int64(len(listed) - 1 - start)


@inner
def _add_leaf(
    leaf: int, players: list[Any], parent: Ints, left: Any, player: Ints, cover: Floats, bit_of: Ints, made: Any
) -> None:
    """Appends a leaf and the conditions on its path, unless there are none."""
    path: list[Any] = [leaf]
    while parent[path[-1]] >= 0:
        path.append(parent[path[-1]])
    mine = _empty()
    start = len(made.place)
    closed, wanted = np.int64(0), np.int64(0)
    for at in range(len(path) - 1, 0, -1):
        above, below = path[at], path[at - 1]
        inside = bit_of[above] >= 0
        bit_place = bit_of[above] if inside else _place(player[above], 0, players)
        # Where a number has no room for it, a bit is read for itself.
        bit = np.int64(1) << bit_place if bit_place < _WORD else np.int64(0)
        needed = bit if left[above] == below or not inside else np.int64(0)
        if player[above] == _OPEN:
            closed |= bit
            wanted |= needed
            continue
        # Below a node that nobody came by, each side counts half: what it is multiplied with is 0.
        share = cover[below] / cover[above] if cover[above] > 0.0 else 0.5
        known = start + _place(player[above], 0, mine)
        if known == len(made.place):
            made.place.append(_place(player[above], made.slots[-1], made.player))
            made.mask.append(bit)
            made.want.append(needed)
            made.fraction.append(share)
        else:
            made.mask[known] |= bit
            made.want[known] |= needed
            made.fraction[known] *= share
    if len(mine) > 0:
        made.node.append(leaf)
        made.closed.append(np.int64(-1) if len(players) > _WORD and players[-1] == _OPEN else closed)
        made.wanted.append(wanted)
        made.conditions.append(np.int64(len(made.place)))

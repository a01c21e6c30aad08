r"""What one leaf gives its players, for a pattern of bits: which of their conditions the row meets.

A leaf of value 1 is worth, to a coalition S, the product over players of o (does the row meet the condition, 0 or 1) for
those in S and of r for the others. r is the fraction of training rows that met the condition (path-dependent), or 0 or 1
by a background row (interventional, then averaged over rows). Its Shapley values are the integral

.. math:: \phi_i = \int_0^1 (o_i - r_i) \prod_{j \ne i} \bigl(t\, o_j + (1 - t)\, r_j\bigr)\, dt

of a polynomial of degree d - 1, which Gauss and Legendre's rule of d / 2 points, rounded up, gives exactly.

Source: Owen (1972), "Multilinear extensions of games", for the integral; Lundberg et al. (2020), arXiv:1905.04610, for
the two games.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from clarify_ops.compiled import compiled

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

# Up to so many players a leaf's table is made for all patterns; beyond, for those that occur.
TABLE = 8


class Quadrature(NamedTuple):
    """Points and weights for each number of players, and the closed form for pairs of rows.

    Attributes:
        points: (players + 1,) how many there are.
        point: (players + 1, points) in 0 to 1.
        weight: (players + 1, points)
        gain: (players + 1, players + 1) (a - 1)! b! / (a + b)!, what a player on the row's side gets where a players
            stand on that side and b on the background's.
    """

    points: NDArray[np.int64]
    point: Floats
    weight: Floats
    gain: Floats


def quadrature(sizes: NDArray[np.int64]) -> Quadrature:
    """Rules for these numbers of players."""
    most = int(sizes.max(initial=0))
    count = (np.arange(most + 1) + 1) // 2
    point, weight = (np.zeros((most + 1, max(1, count[-1]))) for _ in range(2))
    for size in sizes.tolist():
        nodes, weights = np.polynomial.legendre.leggauss(count[size])
        point[size, : count[size]], weight[size, : count[size]] = (nodes + 1) / 2, weights / 2
    gain = np.zeros((most + 1, most + 1))
    theirs = np.arange(most + 1)
    for mine in range(1, most + 1):
        gain[mine] = gain[mine - 1] * (mine - 1) / (mine + theirs) if mine > 1 else 1 / (1 + theirs)
    return Quadrature(count, point, weight, gain)


@compiled
def table_of_fractions(fraction: Floats, rule: Quadrature, product: Floats, out: Any) -> None:
    """Fills out (players, patterns) from the fractions of the players; product is room for the patterns."""
    size = len(fraction)
    patterns = 1 << size
    for player in range(size):
        for pattern in range(patterns):
            out[player, pattern] = 0.0
    for step in range(rule.points[size]):
        point, weight = rule.point[size, step], rule.weight[size, step]
        product[0] = weight
        for player in range(size):
            absent = (1.0 - point) * fraction[player]
            present = point + absent
            half = 1 << player
            for pattern in range(half):
                product[half + pattern] = product[pattern] * present
                product[pattern] *= absent
        for player in range(size):
            # The product of the others, from that of all where this one is present: its factor is not 0.
            inverse = 1.0 / (point + (1.0 - point) * fraction[player])
            half = 1 << player
            for start in range(half, patterns, 2 * half):
                for pattern in range(start, start + half):
                    out[player, pattern] += product[pattern] * inverse
    for player in range(size):
        half = 1 << player
        gain, loss = 1.0 - fraction[player], -fraction[player]
        for start in range(0, patterns, 2 * half):
            for pattern in range(start, start + half):
                others = out[player, pattern + half]
                out[player, pattern] = others * loss
                out[player, pattern + half] = others * gain


@compiled
def table_of_shares(share: Floats, size: int, rule: Quadrature, product: Floats, out: Any) -> None:
    """Fills out (players, patterns) from the share of background rows that have each pattern (patterns,)."""
    patterns = 1 << size
    for player in range(size):
        for pattern in range(patterns):
            out[player, pattern] = 0.0
    for step in range(rule.points[size]):
        point, weight = rule.point[size, step], rule.weight[size, step]
        for pattern in range(patterns):
            product[pattern] = weight * share[pattern]
        for player in range(size):
            half = 1 << player
            for start in range(0, patterns, 2 * half):
                for pattern in range(start, start + half):
                    without, having = product[pattern], product[pattern + half]
                    product[pattern] = (1.0 - point) * having
                    product[pattern + half] = point * without + having
        over, back = 1.0 / point, 1.0 / (1.0 - point)
        for player in range(size):
            half = 1 << player
            for start in range(0, patterns, 2 * half):
                for pattern in range(start, start + half):
                    # Background rows that meet this player's condition, and those that do not, told apart again.
                    having = product[pattern] * back
                    out[player, pattern] -= having
                    out[player, pattern + half] += (product[pattern + half] - having) * over


@compiled
def one_of_fractions(present: Floats, fraction: Floats, rule: Quadrature, room: Floats, out: Any) -> None:
    """Fills out (players,) for one row; present (players,) is 0 or 1, room as long."""
    size = len(fraction)
    out[:] = 0.0
    for step in range(rule.points[size]):
        point = rule.point[size, step]
        before = rule.weight[size, step]
        for player in range(size):
            room[player] = before
            before *= point * present[player] + (1.0 - point) * fraction[player]
        after = 1.0
        for player in range(size - 1, -1, -1):
            out[player] += room[player] * after
            after *= point * present[player] + (1.0 - point) * fraction[player]
    for player in range(size):
        out[player] *= present[player] - fraction[player]


@compiled
def one_of_patterns(pattern: int, size: int, others: Ints, shares: Floats, rule: Quadrature, out: Any) -> None:
    """Fills out (players,) for a row's pattern against the patterns of background rows and their shares."""
    one = np.int64(1)
    whole = (one << size) - one
    out[:size] = 0.0
    for index in range(len(others)):
        other = others[index]
        if (pattern | other) != whole:
            continue
        mine, theirs = 0, 0
        for player in range(size):
            there = (other >> player) & one
            here = (pattern >> player) & one
            mine += here > there
            theirs += there > here
        gain, loss = rule.gain[mine, theirs] * shares[index], rule.gain[theirs, mine] * shares[index]
        for player in range(size):
            there = (other >> player) & one
            here = (pattern >> player) & one
            if here > there:
                out[player] += gain
            elif there > here:
                out[player] -= loss


@compiled
def one_of_rows(present: Any, others: Any, rule: Quadrature, out: Any) -> None:
    """The same without patterns: present (players,) and others (players, background rows) are 0 or 1."""
    size, rows = others.shape
    out[:size] = 0.0
    for row in range(rows):
        mine, theirs, neither = 0, 0, 0
        for player in range(size):
            mine += present[player] > others[player, row]
            theirs += others[player, row] > present[player]
            neither += (present[player] | others[player, row]) == 0
        if neither:
            continue
        gain, loss = rule.gain[mine, theirs] / rows, rule.gain[theirs, mine] / rows
        for player in range(size):
            if present[player] > others[player, row]:
                out[player] += gain
            elif others[player, row] > present[player]:
                out[player] -= loss

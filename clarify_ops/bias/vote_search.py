"""The majority among the 5 nearest of two kinds of points, by search in a k-d tree of each kind.

Five neighbours vote positive if and only if the third nearest positive is nearer than the third nearest negative, however
those at equal distance are ordered. So nobody's five neighbours have to be found: the nearer of two good guesses bounds
the search among the points of the other kind, which mostly finds nothing so near. Where both distances are equal up to
rounding, the order of equals would decide, and the search says so.

The compiled code keeps the points of each leaf together, one column after the other, so that a leaf is compared in vector
instructions. This module imports numba: import it only where there is much to ask.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clarify_ops.bias.neighbours import nearby
from clarify_ops.compiled import compiled

Floats = NDArray[np.float64]
# Points by leaf and column; boxes (nodes, 2, columns); first and last point of each node; whether it is a leaf.
Tree = tuple[NDArray[Any], NDArray[Any], NDArray[Any], NDArray[Any], NDArray[Any]]
# The three best; distances in a leaf; nodes that wait; their gaps.
Scratch = tuple[Floats, Floats, NDArray[np.int64], Floats]

NEGATIVE, POSITIVE, TIED = 0, 1, 2
# So many of the five nearest make a majority; the search keeps as many of each kind.
MAJORITY = 3
# Leaves of about a hundred points: smaller ones lose in comparing boxes what they save in comparing points.
_LEAF = 80
# The stack holds one node a level, and 2 ** 64 points are not to be had.
_DEPTH = 64
# Two squared distances this close, relatively, count as equal; each is summed to about 1e-15 here and by others.
_CLOSE = 1e-9
_TINY = 1e-300


@dataclass(frozen=True)
class Trees:
    """Two k-d trees, of the negative and of the positive points.

    Attributes:
        negative, positive: The points of each kind.
        slack: How far apart squared distances may be, absolutely, and still count as equal.
    """

    negative: Tree
    positive: Tree
    slack: float

    def ask(self, points: Floats) -> tuple[NDArray[np.int8], int]:
        """Votes on points.

        Args:
            points: (points, columns).

        Returns:
            (points,) NEGATIVE, POSITIVE or TIED, and the work: how many coordinates were compared. Both depend on the
            points alone, not on their order or the number of threads.
        """
        order = nearby(points)
        parts = np.array_split(points[order], max(1, min(os.cpu_count() or 1, len(points) // 256)))
        found = np.empty(len(points), dtype=np.int8)
        with ThreadPoolExecutor(len(parts)) as threads:
            done = list(threads.map(self._part, parts))
        found[order] = np.concatenate([votes for votes, _ in done])
        return found, sum(work for _, work in done)

    def _part(self, points: Floats) -> tuple[NDArray[np.int8], int]:
        votes = np.empty(len(points), dtype=np.int8)
        work = _vote(self.negative, self.positive, points, self.slack, votes)
        return votes, int(work) * points.shape[1]


def trees(points: Floats, outcome: NDArray[np.bool_], slack: float) -> Trees:
    """Sorts points into the two trees.

    Args:
        points: (points, columns).
        outcome: (points,) bool; at least one of each.
        slack: See `Trees`.
    """
    return Trees(_tree(points[~outcome]), _tree(points[outcome]), slack)


def _tree(points: Floats) -> Tree:
    from sklearn.neighbors import KDTree

    data, order, nodes, boxes = KDTree(points, leaf_size=_LEAF).get_arrays()
    data = np.asarray(data)[np.asarray(order)]
    start, end = nodes["idx_start"].astype(np.int64), nodes["idx_end"].astype(np.int64)
    leaf = nodes["is_leaf"].astype(np.bool_)
    by_column = np.empty(data.size)
    columns = data.shape[1]
    for first, last in zip(start[leaf], end[leaf], strict=True):
        by_column[first * columns : last * columns] = data[first:last].T.ravel()
    return by_column, np.ascontiguousarray(np.swapaxes(np.asarray(boxes), 0, 1)), start, end, leaf


@compiled
def _gap(boxes: Floats, node: int, point: Floats) -> float:
    """Squared distance of a point from the box of a node."""
    gap = 0.0
    for column in range(point.shape[0]):
        here = point[column]
        outside = max(boxes[node, 0, column] - here, here - boxes[node, 1, column], 0.0)
        gap += outside * outside
    return gap


@compiled
def _scan(leaf: Floats, point: Floats, distances: Floats, best: Floats) -> None:
    """Puts the points of a leaf that are nearer than the third best among the three best, nearest first."""
    size = leaf.shape[0] // point.shape[0]
    distance = distances[:size]
    distance[:] = 0.0
    for column in range(point.shape[0]):
        here = point[column]
        there = leaf[column * size : column * size + size]
        for row in range(size):
            apart = there[row] - here
            distance[row] += apart * apart
    limit = best[2]
    nearer = 0
    for row in range(size):
        nearer += distance[row] < limit
    if nearer == 0:
        return
    for row in range(size):
        one = distance[row]
        if one < best[0]:
            best[2], best[1], best[0] = best[1], best[0], one
        elif one < best[1]:
            best[2], best[1] = best[1], one
        elif one < best[2]:
            best[2] = one


@compiled
def _third(tree: Tree, point: Floats, limit: float, guess: bool, scratch: Scratch) -> int:  # noqa: FBT001 - compiled
    """Squared distance to the third nearest point into the third best, or `limit` where it is not below that.

    A guess looks into the nearest leaf alone. Returns how many points and boxes were compared.
    """
    by_column, boxes, start, end, leaf = tree
    best, distances, waiting, gaps = scratch
    columns = point.shape[0]
    best[:] = limit
    work = 0
    top = 0
    waiting[0] = 0
    gaps[0] = _gap(boxes, 0, point)
    while top >= 0:
        node, gap = waiting[top], gaps[top]
        top -= 1
        while gap < best[2] and not leaf[node]:
            left, right = 2 * node + 1, 2 * node + 2
            left_gap, right_gap = _gap(boxes, left, point), _gap(boxes, right, point)
            work += 4
            if left_gap <= right_gap:
                node, gap, other, other_gap = left, left_gap, right, right_gap
            else:
                node, gap, other, other_gap = right, right_gap, left, left_gap
            if not guess and other_gap < best[2]:
                top += 1
                waiting[top], gaps[top] = other, other_gap
        if gap < best[2]:
            _scan(by_column[start[node] * columns : end[node] * columns], point, distances, best)
            work += end[node] - start[node]
    return work


@compiled
def _vote(negative: Tree, positive: Tree, asked: Floats, slack: float, votes: NDArray[np.int8]) -> int:
    """Writes NEGATIVE, POSITIVE or TIED for every point asked; returns how many points and boxes were compared."""
    largest = max(np.max(negative[3] - negative[2]), np.max(positive[3] - positive[2]))
    best = np.empty(MAJORITY)
    scratch = (best, np.empty(largest), np.empty(_DEPTH, np.int64), np.empty(_DEPTH))
    work = 0
    for row in range(asked.shape[0]):
        point = asked[row]
        work += _third(negative, point, np.inf, True, scratch)
        guess = best[2]
        work += _third(positive, point, np.inf, True, scratch)
        positive_first = best[2] < guess
        limit = min(guess, best[2]) * (1 + _CLOSE) + slack + _TINY
        rival = np.inf
        # First the other kind, within the nearer guess; then the kind of that guess, within what was found.
        for turn in range(2):
            if positive_first == (turn == 1):
                kind = POSITIVE
                work += _third(positive, point, limit, False, scratch)
            else:
                kind = NEGATIVE
                work += _third(negative, point, limit, False, scratch)
            if best[2] >= limit:
                votes[row] = 1 - kind
                break
            limit = best[2] * (1 + _CLOSE) + slack + _TINY
            if turn == 1:
                votes[row] = kind if limit < rival else TIED
            rival = best[2]
    return work

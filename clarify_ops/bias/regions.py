"""Intervals of what is not a difference or a ratio: least and largest value over a region that holds the unknown shares.

A distance is 0 at equality and never below, so that resampling, which only adds noise, puts its replicates on one side of the
truth: at equal distributions a bootstrap covers next to never. Here the unknown shares themselves get a joint region, and the
distance takes its ends over it.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from clarify_ops.data.counts import Array
from clarify_ops.intervals import Ends, normal_quantile, share_at, wilson_ends
from clarify_ops.measures import Interval

Pair = tuple[Array, Array]
Distance = Callable[[Array, Array], Array]

# A side with fewer rows than this is too small for any score interval to be relied on.
LEAST_ROWS = 5
_FIRST_POINTS, _POINTS, _ROUNDS = 97, 9, 9


def over_region(first: Pair, second: Pair, function: Callable[[Array, Array], Array], level: float) -> Ends:
    """Least and largest value of a function of two independent shares over the boundary of their joint score region.

    The region holds every (p, q) whose score statistics fulfil z_p^2 + z_q^2 <= z^2. It is convex, and its extent along
    either share is Wilson's interval. One degree of freedom is enough for a function of one value: where its slope is not
    0, the statistic of its level line is asymptotically chi-square with one, as for a profile likelihood; where the value
    is the distance of two equal shares, the statistic is that of the test whether they are equal.

    Args:
        first: (hits, rows) of the one share, (...) each.
        second: (hits, rows) of the other.
        function: From two arrays (..., points) of shares to (..., points); it has no extremum inside the region but 0.
        level: Confidence level.
    """
    z = normal_quantile(level)
    hits, rows = (np.asarray(one, dtype=float)[..., None] for one in first)
    other_hits, other_rows = (np.asarray(one, dtype=float)[..., None] for one in second)

    def at(angle: Array) -> Array:
        p, q = share_at(hits, rows, z * np.cos(angle)), share_at(other_hits, other_rows, z * np.sin(angle))
        return function(p, q)

    shape = np.broadcast_shapes(hits.shape[:-1], other_hits.shape[:-1])
    return -_largest(lambda angle: -at(angle), shape), _largest(at, shape)


def _largest(function: Callable[[Array], Array], shape: tuple[int, ...]) -> Array:
    """The maximum over a circle, by a grid that closes in on the best point."""
    angles = np.broadcast_to(np.linspace(0, 2 * math.pi, _FIRST_POINTS), (*shape, _FIRST_POINTS))
    step = 2 * math.pi / (_FIRST_POINTS - 1)
    best = np.full(shape, -np.inf)
    for _ in range(_ROUNDS):
        values = function(angles)
        values = np.where(np.isnan(values), -np.inf, values)
        found = values.argmax(axis=-1, keepdims=True)
        best = np.maximum(best, np.take_along_axis(values, found, axis=-1)[..., 0])
        angles = np.take_along_axis(angles, found, axis=-1) + step * np.linspace(-1, 1, _POINTS)
        step *= 2 / (_POINTS - 1)
    return best


def two_outcome_distance(first: Pair, second: Pair, distance: Distance, level: float) -> Ends:
    """Interval of a distance between two distributions over two outcomes.

    Args:
        first: (hits, rows) of the one distribution, (...) each.
        second: (hits, rows) of the other.
        distance: From two arrays (..., 2) of probabilities to (...): jointly convex, and 0 where both are equal.
        level: Confidence level.
    """

    def of_shares(p: Array, q: Array) -> Array:
        return distance(np.stack([1 - p, p], axis=-1), np.stack([1 - q, q], axis=-1))

    low, high = over_region(first, second, of_shares, level)
    gap_low, gap_high = over_region(first, second, lambda p, q: p - q, level)
    # Inside, a convex function that is 0 on a line has its minimum there: the region reaches the line or it does not.
    return np.where((gap_low <= 0) & (gap_high >= 0), 0.0, low), high


def distance_interval(
    counts_a: NDArray[np.float64], counts_d: NDArray[np.float64], distance: Distance, level: float
) -> Interval:
    """Interval of a distance between two distributions over any number of outcomes.

    With two outcomes it is that of `two_outcome_distance`. With more, every probability gets Wilson's interval at a level
    that makes all 2k of them hold at once (Bonferroni), and the distance takes its ends over that box: it covers at least
    as often as it says, and is the wider the more outcomes there are.

    Args:
        counts_a: (outcomes,) rows of the advantaged side by outcome.
        counts_d: (outcomes,) rows of the disadvantaged side; both sides have rows.
        distance: From two arrays (..., outcomes) of probabilities to (...): jointly convex, and 0 where both are equal.
        level: Confidence level.

    Returns:
        Unreliable where a side has fewer than 5 rows.

    Source: Goodman, 1965, doi:10.1080/00401706.1965.10490252, with the score interval in place of his normal one.
    """
    a, d = np.asarray(counts_a, dtype=float), np.asarray(counts_d, dtype=float)
    reliable = bool(min(a.sum(), d.sum()) >= LEAST_ROWS)
    if len(a) == 2:
        low, high = two_outcome_distance((a[1], a.sum()), (d[1], d.sum()), distance, level)
        return Interval(float(low), float(high), level, "score region", reliable)
    each = 1 - (1 - level) / (2 * len(a))
    boxes = [np.stack(wilson_ends(one, one.sum(), each)) for one in (a, d)]
    return Interval(
        _least_over_boxes(boxes[0], boxes[1], distance),
        _largest_over_boxes(boxes[0], boxes[1], distance),
        level,
        "simultaneous Wilson box",
        reliable,
    )


def _vertex(box: Array, slope: Array) -> Array:
    """(..., outcomes): where a linear function is largest among the distributions in a box.

    Args:
        box: (2, outcomes) lower and upper ends.
        slope: (..., outcomes).
    """
    order = np.argsort(-slope, axis=-1, kind="stable")
    low, room = box[0], (box[1] - box[0])
    room_in_order = np.broadcast_to(room, slope.shape)
    room_in_order = np.take_along_axis(room_in_order, order, axis=-1)
    before = np.cumsum(room_in_order, axis=-1) - room_in_order
    given = np.clip(1 - low.sum() - before, 0, room_in_order)
    found = np.empty(slope.shape)
    np.put_along_axis(found, order, given, axis=-1)
    return np.asarray(low + found)


def _slopes(distance: Distance, p: Array, q: Array) -> Array:
    """(..., 2, outcomes): slopes of a distance by every probability of both distributions, by differences."""
    step = 1e-7
    both = np.stack([p, q], axis=-2)
    outcomes = both.shape[-1]
    moves = step * np.eye(2 * outcomes).reshape(2 * outcomes, 2, outcomes)
    up, down = both[..., None, :, :] + moves, np.maximum(both[..., None, :, :] - moves, 0.0)
    gaps = distance(up[..., 0, :], up[..., 1, :]) - distance(down[..., 0, :], down[..., 1, :])
    return np.asarray(gaps).reshape(both.shape) / step


def _largest_over_boxes(a: Array, d: Array, distance: Distance) -> float:
    """A convex function is largest at corners: from many of them, each climbs to a better one until there is none."""
    outcomes = a.shape[1]
    starts = np.random.default_rng(0).standard_normal((64, outcomes))
    slopes = np.concatenate([np.eye(outcomes), -np.eye(outcomes), starts])
    p, q = _vertex(a, slopes), _vertex(d, -slopes)
    best = -math.inf
    for _ in range(100):
        found = float(np.max(distance(p, q)))
        if found <= best:
            break
        best = found
        if math.isinf(best):
            break
        slope = _slopes(distance, p, q)
        p, q = _vertex(a, slope[..., 0, :]), _vertex(d, slope[..., 1, :])
    return best


def _least_over_boxes(a: Array, d: Array, distance: Distance) -> float:
    """0 where one distribution is in both boxes; else by cutting planes, which come from below and never exceed the minimum."""
    from scipy import optimize

    low, high = np.maximum(a[0], d[0]), np.minimum(a[1], d[1])
    if (low <= high).all() and low.sum() <= 1 <= high.sum():
        return 0.0
    outcomes = a.shape[1]
    sums = np.kron(np.eye(2), np.ones(outcomes))
    sums = np.column_stack([sums, np.zeros(2)])
    bounds = [*np.concatenate([a, d], axis=1).T.tolist(), [0.0, None]]
    rows: list[Array] = []
    limits: list[float] = []
    point = np.concatenate([_vertex(a, d.mean(axis=0)), _vertex(d, a.mean(axis=0))])
    bound, best = 0.0, math.inf
    for _ in range(300):
        p, q = np.maximum(point[:outcomes], 1e-12), np.maximum(point[outcomes:], 1e-12)
        value, slope = float(distance(p, q)), _slopes(distance, p, q).reshape(-1)
        best = min(best, value)
        if best - bound <= 1e-9 * max(best, 1e-3):
            break
        # value + slope (x - point) <= t
        rows.append(np.append(slope, -1.0))
        limits.append(float(slope @ np.concatenate([p, q]) - value))
        found = optimize.linprog(
            np.append(np.zeros(2 * outcomes), 1.0), np.stack(rows), limits, sums, np.ones(2), bounds, method="highs"
        )
        if found.x is None or found.fun is None:
            break
        bound, point = max(bound, float(found.fun)), found.x[:-1]
    return bound

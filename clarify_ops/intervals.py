"""Score intervals of proportions, their differences and their ratios.

They hold for small groups and for rates near 0 and 1, where the usual normal approximation covers far too little.

Every method has an array form, whose arguments broadcast, and a form for one pair of numbers made of it: what a simulation
of ten thousand tables finds out about a method is about the code that a report runs.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

Array = NDArray[np.float64]
Ends = tuple[Array, Array]


def normal_quantile(level: float) -> float:
    """Half-width, in standard errors, of a two-sided normal interval."""
    return float(special.ndtri(0.5 + level / 2))


def share_at(hits: ArrayLike, rows: ArrayLike, z: ArrayLike) -> Array:
    """The share that lies z of its own standard errors above the observed one: an end of Wilson's interval, for any z.

    Args:
        hits: (...) counts.
        rows: (...) counts; NaN comes of 0.
        z: (...) signed.
    """
    x, n, z = np.broadcast_arrays(*(np.asarray(one, dtype=float) for one in (hits, rows, z)))
    square = z * z
    with np.errstate(divide="ignore", invalid="ignore"):
        half = z * np.sqrt(x * (n - x) / n + square / 4)
        found = (x + square / 2 + half) / (n + square)
    # The ends are exact at 0 and 1; the arithmetic leaves 1e-17.
    found = np.where((x == 0) & (z <= 0), 0.0, np.where((x == n) & (z >= 0), 1.0, found))
    return np.where(n > 0, np.clip(found, 0.0, 1.0), np.nan)


def wilson_ends(hits: ArrayLike, rows: ArrayLike, level: float) -> Ends:
    """Array form of `wilson`."""
    z = normal_quantile(level)
    return share_at(hits, rows, -z), share_at(hits, rows, z)


def wilson(hits: float, rows: float, level: float) -> tuple[float, float]:
    """Score interval of a proportion.

    Source: Wilson, 1927, doi:10.1080/01621459.1927.10502953.

    >>> [round(end, 4) for end in wilson(0, 10, 0.95)]
    [0.0, 0.2775]
    """
    return _pair(wilson_ends(hits, rows, level))


def modified_wilson_ends(hits: ArrayLike, rows: ArrayLike, level: float) -> Ends:
    """Wilson's interval, with the end beside 0 or 1 moved out to Poisson's where there are 1 to 3 hits or misses.

    There, Wilson's covers shares very near 0 or 1 in as few as 83 % of samples at a level of 95 %.

    Source: Brown, Cai and DasGupta, 2001, doi:10.1214/ss/1009213286.

    >>> [round(float(end), 4) for end in modified_wilson_ends(18, 19, 0.95)]
    [0.7536, 0.9973]
    """
    x, n = np.broadcast_arrays(np.asarray(hits, dtype=float), np.asarray(rows, dtype=float))
    few = np.where(n > 50, 3, 2)

    def beside_zero(count: Array) -> Array:
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(special.gammaincinv(np.maximum(count, 1), 1 - level) / n)

    low, high = wilson_ends(x, n, level)
    low = np.where((x >= 1) & (x <= few), np.minimum(low, beside_zero(x)), low)
    high = np.where((n - x >= 1) & (n - x <= few), np.maximum(high, 1 - beside_zero(n - x)), high)
    return low, high


def square_and_add(first: tuple[ArrayLike, Ends], second: tuple[ArrayLike, Ends]) -> Ends:
    """Interval of the difference of two independent estimates from the interval of each (MOVER).

    Args:
        first: Estimate and interval of the one.
        second: Estimate and interval of what is taken off it.

    Source: Zou and Donner, 2008, doi:10.1002/sim.3095.
    """
    p, (p_low, p_high) = np.asarray(first[0], dtype=float), first[1]
    q, (q_low, q_high) = np.asarray(second[0], dtype=float), second[1]
    return p - q - np.hypot(p - p_low, q_high - q), p - q + np.hypot(p_high - p, q - q_low)


def newcombe_ends(
    first: tuple[ArrayLike, ArrayLike],
    second: tuple[ArrayLike, ArrayLike],
    level: float,
    of_share: Callable[[ArrayLike, ArrayLike, float], Ends] = wilson_ends,
) -> Ends:
    """Array form of `newcombe`; `of_share` makes the interval of each share."""
    with np.errstate(divide="ignore", invalid="ignore"):
        shares = [np.divide(*(np.asarray(one, dtype=float) for one in pair)) for pair in (first, second)]
    low, high = square_and_add((shares[0], of_share(*first, level)), (shares[1], of_share(*second, level)))
    return np.maximum(low, -1.0), np.minimum(high, 1.0)


def newcombe(first: tuple[float, float], second: tuple[float, float], level: float) -> tuple[float, float]:
    """Hybrid score interval of the difference of two independent proportions.

    Args:
        first: (hits, rows) of one proportion.
        second: (hits, rows) of the other.
        level: Confidence level.

    Source: Newcombe, 1998, method 10, doi:10.1002/(SICI)1097-0258(19980430)17:8<873::AID-SIM779>3.0.CO;2-I.

    >>> [round(end, 4) for end in newcombe((56, 70), (48, 80), 0.95)]
    [0.0524, 0.3339]
    """
    return _pair(newcombe_ends(first, second, level))


def odds_ends(more: ArrayLike, fewer: ArrayLike, level: float) -> Ends:
    """Score interval of the odds more : fewer of two exclusive counts, from Wilson's for the share of the first.

    >>> [round(float(end), 4) for end in odds_ends(8, 4, 0.95)]
    [0.641, 6.2401]
    """
    more, fewer = np.asarray(more, dtype=float), np.asarray(fewer, dtype=float)
    low, high = wilson_ends(more, more + fewer, level)
    with np.errstate(divide="ignore", invalid="ignore"):
        return low / (1 - low), high / (1 - high)


def paired_ratio_ends(first: ArrayLike, second: ArrayLike, both: ArrayLike, level: float) -> Ends:
    """Interval of the ratio of two overlapping counts of the same rows.

    Args:
        first: (...) rows of the numerator's kind.
        second: (...) rows of the denominator's kind.
        both: (...) rows of both kinds.
        level: Confidence level.

    Source: Bonett and Price, 2006, doi:10.1002/sim.2440.

    >>> [round(float(end), 4) for end in paired_ratio_ends(60, 50, 40, 0.95)]
    [0.9842, 1.4631]
    """
    x, y, shared = np.broadcast_arrays(*(np.asarray(one, dtype=float) for one in (first, second, both)))
    rows = x + y - shared
    joint = np.sqrt((x + y - 2 * shared + 2) / ((x + 1) * (y + 1)))
    alone = [np.sqrt((1 - (one + 1) / (rows + 2)) / (one + 1)) for one in (x, y)]
    # Two intervals, each so much shorter than at the level that their ratio has it.
    z = normal_quantile(level) * joint / (alone[0] + alone[1])
    with np.errstate(divide="ignore", invalid="ignore"):
        return share_at(x, rows, -z) / share_at(y, rows, z), share_at(x, rows, z) / share_at(y, rows, -z)


def score_ratio_ends(first: tuple[ArrayLike, ArrayLike], second: tuple[ArrayLike, ArrayLike], level: float) -> Ends:
    """Array form of `score_ratio`."""
    z = normal_quantile(level)
    x, m, y, n = np.broadcast_arrays(*(np.asarray(one, dtype=float) for one in (*first, *second)))

    def score(log_ratio: Array) -> Array:
        ratio = np.exp(log_ratio)
        # The constrained share q is the smaller root of (m + n) ratio q^2 - b q + x + y. Discriminant and root are written
        # without the difference of two nearly equal numbers: as usually printed they are lost where the ratio is far from
        # 1, and near 1 where both sides have only hits.
        b = (m + y) * ratio + n + x
        discriminant = ((m + y) * ratio - n - x) ** 2 + 4 * ratio * (m - x) * (n - y)
        q = np.minimum(np.minimum(2 * (x + y) / (b + np.sqrt(discriminant)), 1.0), 1 / ratio)
        p = np.minimum(1.0, ratio * q)
        return _standardized(x / m - ratio * y / n, p * (1 - p) / m + ratio**2 * q * (1 - q) / n)

    centre = np.log((x + 0.5) / (m + 0.5) / ((y + 0.5) / (n + 0.5)))
    reach = 40.0
    low = np.where(x == 0, 0.0, np.exp(_falls_to(z, score, centre - reach, centre + reach)))
    return low, np.where(y == 0, np.inf, np.exp(_falls_to(-z, score, centre - reach, centre + reach)))


def score_ratio(first: tuple[float, float], second: tuple[float, float], level: float) -> tuple[float, float]:
    """Score interval of the ratio of two independent proportions, by inverting the constrained likelihood's test.

    Args:
        first: (hits, rows) of the numerator.
        second: (hits, rows) of the denominator; it has hits.
        level: Confidence level.

    Source: Koopman, 1984, doi:10.2307/2531405; Miettinen and Nurminen, 1985, doi:10.1002/sim.4780040211.

    >>> [round(end, 3) for end in score_ratio((36, 40), (16, 80), 0.95)]
    [2.94, 7.152]
    """
    return _pair(score_ratio_ends(first, second, level))


def tango_ends(more: ArrayLike, fewer: ArrayLike, rows: ArrayLike, level: float) -> Ends:
    """Array form of `tango`."""
    z = normal_quantile(level)
    more, fewer, rows = np.broadcast_arrays(*(np.asarray(one, dtype=float) for one in (more, fewer, rows)))

    def score(delta: Array) -> Array:
        a = 2 * rows
        b = -more - fewer + (2 * rows - more + fewer) * delta
        c = -fewer * delta * (1 - delta)
        q = (np.sqrt(np.maximum(0.0, b * b - 4 * a * c)) - b) / (2 * a)
        return _standardized(more - fewer - rows * delta, rows * (2 * q + delta * (1 - delta)))

    edge = np.full(rows.shape, 1 - 1e-12)
    value = (more - fewer) / rows
    low = np.where(score(-edge) < z, -1.0, _falls_to(z, score, -edge, value))
    return low, np.where(score(edge) > -z, 1.0, _falls_to(-z, score, value, edge))


def tango(more: float, fewer: float, rows: float, level: float) -> tuple[float, float]:
    """Score interval of (more - fewer) / rows, two kinds of discordant rows among all.

    Source: Tango, 1998, doi:10.1002/(SICI)1097-0258(19980430)17:8<891::AID-SIM780>3.0.CO;2-B.

    >>> [round(end, 4) for end in tango(1, 0, 44, 0.95)]
    [-0.0594, 0.1181]
    """
    return _pair(tango_ends(more, fewer, rows, level))


def _standardized(gap: Array, variance: Array) -> Array:
    with np.errstate(divide="ignore", invalid="ignore"):
        certain = np.copysign(np.inf, gap)
        return np.where(gap == 0, 0.0, np.where(variance <= 0, certain, gap / np.sqrt(variance)))


def _falls_to(target: float, function: Callable[[Array], Array], low: Array, high: Array) -> Array:
    """Where a falling function of one number passes a target, elementwise, by bisection to the last digits.

    Evidence holds 12 digits, which are to be the same on every machine; a bisection never leaves the bracket, and takes
    infinite values of the function as they are.
    """
    low, high = np.array(low, dtype=float), np.array(high, dtype=float)
    for _ in range(64):
        middle = (low + high) / 2
        above = function(middle) > target
        low, high = np.where(above, middle, low), np.where(above, high, middle)
    return (low + high) / 2


def _pair(ends: Ends) -> tuple[float, float]:
    return float(ends[0]), float(ends[1])

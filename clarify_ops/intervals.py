"""Score intervals of proportions, their differences and their ratios.

They hold for small groups and for rates near 0 and 1, where the usual normal approximation covers far too little.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from scipy import optimize, stats


def normal_quantile(level: float) -> float:
    """Half-width, in standard errors, of a two-sided normal interval."""
    return float(stats.norm.ppf(0.5 + level / 2))


def wilson(hits: float, rows: float, level: float) -> tuple[float, float]:
    """Score interval of a proportion.

    Source: Wilson, 1927, doi:10.1080/01621459.1927.10502953.

    >>> [round(end, 4) for end in wilson(0, 10, 0.95)]
    [0.0, 0.2775]
    """
    z = normal_quantile(level)
    share = hits / rows
    centre = (share + z**2 / (2 * rows)) / (1 + z**2 / rows)
    half = z / (1 + z**2 / rows) * math.sqrt(share * (1 - share) / rows + z**2 / (4 * rows**2))
    # The ends are exact at 0 and 1; the arithmetic leaves 1e-17.
    return (0.0 if hits == 0 else max(0.0, centre - half)), (1.0 if hits == rows else min(1.0, centre + half))


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
    p, q = first[0] / first[1], second[0] / second[1]
    p_low, p_high = wilson(*first, level)
    q_low, q_high = wilson(*second, level)
    below = math.hypot(p - p_low, q_high - q)
    above = math.hypot(p_high - p, q - q_low)
    return max(-1.0, p - q - below), min(1.0, p - q + above)


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
    z = normal_quantile(level)
    (x, m), (y, n) = first, second

    def score(log_ratio: float) -> float:
        ratio = math.exp(log_ratio)
        # The constrained share q is the smaller root of (m + n) ratio q^2 - b q + x + y. Discriminant and root are written
        # without the difference of two nearly equal numbers: as usually printed they are lost where the ratio is far from
        # 1, and near 1 where both sides have only hits.
        b = (m + y) * ratio + n + x
        discriminant = ((m + y) * ratio - n - x) ** 2 + 4 * ratio * (m - x) * (n - y)
        q = min(2 * (x + y) / (b + math.sqrt(discriminant)), 1.0, 1 / ratio)
        p = min(1.0, ratio * q)
        variance = p * (1 - p) / m + ratio**2 * q * (1 - q) / n
        gap = x / m - ratio * y / n
        return 0.0 if gap == 0 else math.copysign(math.inf, gap) if variance <= 0 else gap / math.sqrt(variance)

    centre = math.log((x + 0.5) / (m + 0.5) / ((y + 0.5) / (n + 0.5)))
    reach = 40.0
    low = 0.0 if x == 0 else math.exp(_root(lambda t: score(t) - z, centre - reach, centre + reach))
    return low, math.exp(_root(lambda t: score(t) + z, centre - reach, centre + reach))


def tango(more: float, fewer: float, rows: float, level: float) -> tuple[float, float]:
    """Score interval of (more - fewer) / rows, two kinds of discordant rows among all.

    Source: Tango, 1998, doi:10.1002/(SICI)1097-0258(19980430)17:8<891::AID-SIM780>3.0.CO;2-B.

    >>> [round(end, 4) for end in tango(1, 0, 44, 0.95)]
    [-0.0594, 0.1181]
    """
    z = normal_quantile(level)

    def score(delta: float) -> float:
        a = 2 * rows
        b = -more - fewer + (2 * rows - more + fewer) * delta
        c = -fewer * delta * (1 - delta)
        q = (math.sqrt(max(0.0, b * b - 4 * a * c)) - b) / (2 * a)
        variance = rows * (2 * q + delta * (1 - delta))
        gap = more - fewer - rows * delta
        return 0.0 if gap == 0 else math.copysign(math.inf, gap) if variance <= 0 else gap / math.sqrt(variance)

    edge = 1 - 1e-12
    value = (more - fewer) / rows
    low = -1.0 if score(-edge) < z else _root(lambda t: score(t) - z, -edge, value)
    high = 1.0 if score(edge) > -z else _root(lambda t: score(t) + z, value, edge)
    return low, high


def _root(function: Callable[[float], float], low: float, high: float) -> float:
    # To the last digits: evidence holds 12, which are to be the same on every machine.
    return float(optimize.brentq(function, low, high, xtol=1e-15))

"""Confidence intervals for everything a metric can be made of.

Proportions and their differences and ratios have score intervals, which hold for small groups and for rates near 0 and
1, where the usual normal approximation does not. What has no closed form gets a bootstrap over the cells of the count
table (which is the bootstrap over rows, done in the time of a few hundred cells), and is called unreliable where a cell
that it rests on is small.
"""

from __future__ import annotations

import math
from functools import singledispatch

import numpy as np
from scipy import optimize, stats

from clarify_ops.bias.flip_test import FlipCounts
from clarify_ops.bias.forms import PLAIN, Difference, Divergence, Form, Imbalance, Quotient, Ratio
from clarify_ops.bias.table import Metric
from clarify_ops.data.counts import Array, Counts
from clarify_ops.measures import Interval

REPLICATES = 2000
# Below these a bootstrap of counts is known to cover too little; the gate then does not decide by it.
SMALLEST_CELL = 5
_MOST_UNDEFINED = 0.01


def _z(level: float) -> float:
    return float(stats.norm.ppf(0.5 + level / 2))


def wilson(hits: float, rows: float, level: float) -> tuple[float, float]:
    """Score interval of a proportion.

    Source: Wilson, 1927, doi:10.1080/01621459.1927.10502953.

    >>> [round(end, 4) for end in wilson(0, 10, 0.95)]
    [0.0, 0.2775]
    """
    z = _z(level)
    share = hits / rows
    centre = (share + z**2 / (2 * rows)) / (1 + z**2 / rows)
    half = z / (1 + z**2 / rows) * math.sqrt(share * (1 - share) / rows + z**2 / (4 * rows**2))
    # The ends are exact at 0 and 1; the arithmetic leaves 1e-17.
    return (0.0 if hits == 0 else max(0.0, centre - half)), (1.0 if hits == rows else min(1.0, centre + half))


def newcombe(first: tuple[float, float], second: tuple[float, float], level: float) -> tuple[float, float]:
    """Hybrid score interval of the difference of two independent proportions.

    Args:
        first, second: (hits, rows) each.
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
        first, second: (hits, rows) each; `second` is the denominator and has hits.
        level: Confidence level.

    Source: Koopman, 1984, doi:10.2307/2531405; Miettinen and Nurminen, 1985, doi:10.1002/sim.4780040211.

    >>> [round(end, 3) for end in score_ratio((36, 40), (16, 80), 0.95)]
    [2.94, 7.152]
    """
    z = _z(level)
    (x, m), (y, n) = first, second

    def score(log_ratio: float) -> float:
        ratio = math.exp(log_ratio)
        a = (m + n) * ratio
        b = -(m * ratio + x + n + y * ratio)
        c = x + y
        q = (-b - math.sqrt(max(0.0, b * b - 4 * a * c))) / (2 * a)
        p = ratio * q
        variance = p * (1 - p) / m + ratio**2 * q * (1 - q) / n
        gap = x / m - ratio * y / n
        return 0.0 if gap == 0 else math.copysign(math.inf, gap) if variance <= 0 else gap / math.sqrt(variance)

    centre = math.log((x + 0.5) / (m + 0.5) / ((y + 0.5) / (n + 0.5)))
    reach = 40.0
    low = 0.0 if x == 0 else math.exp(optimize.brentq(lambda t: score(t) - z, centre - reach, centre + reach))
    return low, math.exp(optimize.brentq(lambda t: score(t) + z, centre - reach, centre + reach))


def tango(more: float, fewer: float, rows: float, level: float) -> tuple[float, float]:
    """Score interval of (more - fewer) / rows, two kinds of discordant rows among all.

    Source: Tango, 1998, doi:10.1002/(SICI)1097-0258(19980430)17:8<891::AID-SIM780>3.0.CO;2-B.

    >>> [round(end, 4) for end in tango(1, 0, 44, 0.95)]
    [-0.0594, 0.1181]
    """
    z = _z(level)

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
    low = -1.0 if score(-edge) < z else optimize.brentq(lambda t: score(t) - z, -edge, value)
    high = 1.0 if score(edge) > -z else optimize.brentq(lambda t: score(t) + z, value, edge)
    return float(low), float(high)


def interval_of(
    metric: Metric, counts: Counts, level: float, rng: np.random.Generator, flip: FlipCounts | None = None
) -> Interval | None:
    """The interval of a metric for one facet value.

    Args:
        metric: A row of the metric table.
        counts: The counts of the facet value.
        level: Confidence level.
        rng: For the metrics that need a bootstrap.
        flip: Result of the flip test, for the one metric that needs it.

    Returns:
        None where the metric is undefined.
    """
    if metric.form is None:
        if flip is None or flip.value is None:
            return None
        return Interval(*tango(flip.favoured, flip.wronged, flip.rows, level), level, "Tango score")
    form = metric.form(counts)
    if form is None or not np.isfinite(form.value(PLAIN)).all():
        return None
    closed = closed_form(form, level)
    return closed if closed is not None else cell_bootstrap(metric, counts, form, level, rng)


@singledispatch
def closed_form(form: Form, level: float) -> Interval | None:  # noqa: ARG001 - the branches use it
    """The score interval of a form, or None where there is none."""
    return None


@closed_form.register
def _(form: Difference, level: float) -> Interval | None:
    if not (form.first.proportion and form.second.proportion):
        return None
    return Interval(*newcombe(_pair(form.first), _pair(form.second), level), level, "Newcombe score")


@closed_form.register
def _(form: Ratio, level: float) -> Interval | None:
    return Interval(*score_ratio(_pair(form.first), _pair(form.second), level), level, "Koopman score")


@closed_form.register
def _(form: Imbalance, level: float) -> Interval | None:
    low, high = wilson(*_pair(form.quotients[0]), level)
    return Interval(2 * low - 1, 2 * high - 1, level, "Wilson score")


@closed_form.register
def _(form: Divergence, level: float) -> Interval | None:
    if form.of_gap is not None:
        low, high = newcombe(_pair(form.first), _pair(form.second), level)
        ends = sorted(float(form.of_gap(np.asarray(end))) for end in (low, high))
        return Interval(0.0 if low <= 0 <= high else ends[0], ends[1], level, "Newcombe score")
    return Interval(*_over_box(form, level), level, "Wilson box")


def _over_box(form: Divergence, level: float) -> tuple[float, float]:
    """Least and largest distance over the box of both shares' intervals, which holds both at once: conservative.

    The distance is convex in each share and 0 where they are equal, so that its ends are at corners, or at 0 where the
    intervals overlap.
    """
    each = math.sqrt(level)
    first, second = wilson(*_pair(form.first), each), wilson(*_pair(form.second), each)
    p, q = np.meshgrid(first, second)
    corners = form.distance(np.stack([1 - p, p], axis=-1), np.stack([1 - q, q], axis=-1))
    overlap = first[0] <= second[1] and second[0] <= first[1]
    return (0.0 if overlap else float(corners.min())), float(corners.max())


def cell_bootstrap(metric: Metric, counts: Counts, form: Form, level: float, rng: np.random.Generator) -> Interval:
    """Percentile interval over multinomial replicates of the cells."""
    if metric.form is None:
        raise ValueError(f"{metric.name} is not a function of counts")
    replicates = metric.form(resample(counts, REPLICATES, rng))
    values = np.asarray([]) if replicates is None else replicates.value(PLAIN)
    defined = values[~np.isnan(values)]
    undefined = 1 - len(defined) / REPLICATES
    tail = (1 - level) / 2
    low, high = np.quantile(defined, [tail, 1 - tail])
    reliable = form.smallest_cell >= SMALLEST_CELL and undefined <= _MOST_UNDEFINED
    return Interval(float(low), float(high), level, "cell bootstrap", reliable)


def resample(counts: Counts, replicates: int, rng: np.random.Generator) -> Counts:
    """Multinomial replicates of all cells at once.

    Returns:
        Counts with one leading axis of `replicates`.
    """
    if counts.by_group is None:
        shape, cells = (1, 2, 2, 2), counts.total.reshape(-1)
    else:
        # Rows without a known subgroup are one more subgroup here, so that the total is right.
        rest = counts.total - counts.by_group.sum(axis=0)
        stacked = np.concatenate([counts.by_group, rest[None]])
        shape, cells = stacked.shape, stacked.reshape(-1)
    rows = int(cells.sum())
    drawn: Array = rng.multinomial(rows, cells / rows, size=replicates).reshape(replicates, *shape).astype(float)
    by_group = None if counts.by_group is None else drawn[:, :-1]
    return Counts(drawn.sum(axis=1), by_group, counts.predicted)


def _pair(quotient: Quotient) -> tuple[float, float]:
    return float(quotient.numerator), float(quotient.denominator)

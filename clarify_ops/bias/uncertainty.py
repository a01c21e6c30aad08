"""Confidence intervals for everything a metric can be made of, chosen by its form.

What has no closed form gets a bootstrap over the cells of the count table, which is the bootstrap over rows, done in the
time of a few hundred cells; it is called unreliable where a cell that it rests on is small.
"""

from __future__ import annotations

import math
from functools import singledispatch

import numpy as np

from clarify_ops.bias.flip_test import FlipCounts
from clarify_ops.bias.forms import PLAIN, Difference, Divergence, Form, Imbalance, Quotient, Ratio
from clarify_ops.bias.table import Metric
from clarify_ops.data.counts import Array, Counts
from clarify_ops.intervals import newcombe, score_ratio, tango, wilson
from clarify_ops.measures import Interval

REPLICATES = 2000
# Below these a bootstrap of counts is known to cover too little; the gate then does not decide by it.
SMALLEST_CELL = 5
_MOST_UNDEFINED = 0.01


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
    if form is None or np.isnan(form.value(PLAIN)).any():
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

"""Confidence intervals for every metric, by what is valid for it.

What is made of proportions, of ratios of counts or of a distance between shares has a score interval, chosen by its form; a
form without one gets a bootstrap over the cells of the count table. Which method covers what it promises, and where none
does, was found by simulation: docs/coverage.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from clarify_ops.bias.bootstrap import Bootstrap, TableReplicates, replicate_ends
from clarify_ops.bias.closed_forms import Intervals, closed_form
from clarify_ops.bias.ends import CountEnds, FlipEnds, Uncertainty
from clarify_ops.bias.flip_test import FlipCounts
from clarify_ops.bias.forms import PLAIN, Difference, Divergence, Form, Imbalance, Ratio
from clarify_ops.bias.table import Metric
from clarify_ops.data.counts import Counts, CountTable
from clarify_ops.measures import Interval

UncertaintyTable = dict[tuple[int, str], Uncertainty]


def intervals_of(
    table: CountTable, metrics: Iterable[Metric], *, level: float, seed: int, bootstrap: Bootstrap | None = None
) -> UncertaintyTable:
    """The intervals of all facet values at once.

    Args:
        table: The counts.
        metrics: Rows of the metric table; those that are no function of counts are left out.
        level: Confidence level.
        seed: Of the bootstrap. Equal tables give equal intervals, whichever metrics are asked for.
        bootstrap: Resample whatever may be resampled, in this way, though it has a score interval.

    Returns:
        By (place of the entry in the table, metric), for every metric that has a value.
    """
    counted = [metric for metric in metrics if metric.form is not None]
    found: UncertaintyTable = {}
    if not table.entries or not counted:
        return found
    splits = [table.split(entry) for entry in table.entries]
    stack = _stacked(splits)
    resampled: list[Metric] = []
    for metric in counted:
        form = None if metric.form is None else metric.form(stack)
        if form is None:
            continue
        closed = None if bootstrap is not None and may_be_resampled(form) else closed_form(form, level)
        if closed is None:
            resampled.append(metric)
        else:
            for i, one in _each(closed, form, level):
                found[i, metric.name] = Uncertainty(one, CountEnds(metric, splits[i], one))
    if resampled:
        replicates = TableReplicates(table, seed)
        for i, (entry, counts) in enumerate(zip(table.entries, splits, strict=True)):
            drawn = None
            for metric in resampled:
                if not _defined(metric, counts):
                    continue
                drawn = drawn or replicates.of(entry)
                ends = replicate_ends(metric, counts, drawn, bootstrap or "BCa")
                found[i, metric.name] = Uncertainty(ends.interval(level), ends)
    return found


def interval_of(metric: Metric, counts: Counts, level: float) -> Interval | None:
    """The score interval of a metric for one facet value; None where the metric is undefined or has none."""
    form = None if metric.form is None else metric.form(counts)
    closed = None if form is None else closed_form(form, level)
    if form is None or closed is None:
        return None
    return next((one for _, one in _each(closed, form, level)), None)


def flip_score_interval(flip: FlipCounts | None, level: float) -> Uncertainty | None:
    """The interval of the flip test with the neighbours as they are, or None where it has no value."""
    if flip is None or flip.value is None:
        return None
    ends = FlipEnds(flip)
    return Uncertainty(Interval(*ends(level), level, "Tango score"), ends)


def may_be_resampled(form: Form) -> bool:
    """Whether a bootstrap is valid: not for distances, which it puts on one side of the truth, and not needed for proportions."""
    if isinstance(form, Difference):
        return not (form.first.proportion and form.second.proportion)
    return not isinstance(form, Divergence | Imbalance | Ratio)


def _stacked(splits: Sequence[Counts]) -> Counts:
    groups = [one.by_group for one in splits if one.by_group is not None]
    return replace(
        splits[0], total=np.stack([one.total for one in splits]), by_group=np.stack(groups) if groups else None
    )


def _defined(metric: Metric, counts: Counts) -> bool:
    form = None if metric.form is None else metric.form(counts)
    return form is not None and not np.isnan(form.value(PLAIN)).any()


def _each(closed: Intervals, form: Form, level: float) -> Iterable[tuple[int, Interval]]:
    undefined = np.isnan(np.atleast_1d(form.value(PLAIN)))
    low, high, reliable = (np.atleast_1d(one) for one in (closed.low, closed.high, closed.reliable))
    for i in np.flatnonzero(~undefined):
        yield int(i), Interval(float(low[i]), float(high[i]), level, closed.method, bool(reliable[i]))

"""Our face of the metrics: a value or the reason why there is none, with denominators and interval."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from clarify_ops.bias.bootstrap import Bootstrap
from clarify_ops.bias.ends import Uncertainty
from clarify_ops.bias.flip_test import FlipCounts
from clarify_ops.bias.forms import PLAIN
from clarify_ops.bias.table import Metric
from clarify_ops.bias.uncertainty import flip_score_interval, intervals_of
from clarify_ops.data.counts import ADVANTAGED, DISADVANTAGED, Counts, CountTable, FacetEntry
from clarify_ops.measures import Measure


def measure(
    table: CountTable,
    metrics: Iterable[Metric],
    *,
    level: float,
    seed: int,
    flips: Mapping[tuple[str, str], FlipCounts] | None = None,
    flip_intervals: Mapping[tuple[str, str], Uncertainty] | None = None,
    bootstrap: Bootstrap | None = None,
) -> tuple[Measure, ...]:
    """Every metric for every facet value.

    Args:
        table: The counts.
        metrics: Which rows of the metric table.
        level: Of the confidence intervals.
        seed: Of the bootstrap. The same table gives the same intervals, whichever of the metrics are asked for; adding a
            facet changes the table, and with it the draws.
        flips: Results of the flip test by (facet, value).
        flip_intervals: Their intervals, where the neighbours were sampled too; else the neighbours are taken as they are.
        bootstrap: Resample whatever may be resampled, in this way, though it has a score interval.
    """
    chosen = tuple(metrics)
    intervals = intervals_of(table, chosen, level=level, seed=seed, bootstrap=bootstrap)
    found: list[Measure] = []
    for place, entry in enumerate(table.entries):
        counts, key = table.split(entry), (entry.facet, entry.value)
        flip = (flips or {}).get(key)
        of_flip = (flip_intervals or {}).get(key) or flip_score_interval(flip, level)
        for metric in chosen:
            unsure = intervals.get((place, metric.name)) if metric.form is not None else of_flip
            found.append(_measure(metric, entry, counts, flip, unsure))
    return tuple(found)


def _measure(
    metric: Metric, entry: FacetEntry, counts: Counts, flip: FlipCounts | None, unsure: Uncertainty | None
) -> Measure:
    value, reason, denominators = plain_value(metric, counts, flip)
    known = None if value is None else unsure
    return Measure(
        stage=metric.stage,
        metric=metric.name,
        value=value,
        reason=reason,
        facet=entry.facet,
        facet_value=entry.value,
        groups={"a": int(counts.n(ADVANTAGED)), "d": int(counts.n(DISADVANTAGED))},
        denominators=denominators,
        interval=None if known is None else known.interval,
        ends=None if known is None else known.ends,
    )


def plain_value(
    metric: Metric, counts: Counts, flip: FlipCounts | None = None
) -> tuple[float | None, str, dict[str, int]]:
    """A metric's value, or None and the reason, and the counts that were divided by."""
    if metric.form is None:
        if flip is None:
            return None, "The flip test was not run.", {}
        if flip.value is None:
            return None, f"The flip test has no answer: {flip.reason}.".replace("..", "."), {}
        return flip.value, "", {"disadvantaged rows": flip.sampled}
    form = metric.form(counts)
    if form is None:
        return None, "There is no group variable.", {}
    denominators = {one.of: int(one.denominator) for one in form.quotients}
    value = float(np.asarray(form.value(PLAIN)))
    empty = [name for name, rows in denominators.items() if rows == 0]
    if empty or np.isnan(value):
        return None, f"There are no {empty[0] if empty else 'rows to compare'}.", denominators
    return value, "", denominators

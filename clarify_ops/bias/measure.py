"""Our face of the metrics: a value or the reason why there is none, with denominators and interval."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from zlib import crc32

import numpy as np

from clarify_ops.bias.flip_test import FlipCounts
from clarify_ops.bias.forms import PLAIN
from clarify_ops.bias.table import Metric
from clarify_ops.bias.uncertainty import interval_of
from clarify_ops.data.counts import ADVANTAGED, DISADVANTAGED, Counts, CountTable, FacetEntry
from clarify_ops.measures import Measure


def measure(
    table: CountTable,
    metrics: Iterable[Metric],
    *,
    level: float,
    seed: int,
    flips: Mapping[tuple[str, str], FlipCounts] | None = None,
) -> tuple[Measure, ...]:
    """Every metric for every facet value.

    Args:
        table: The counts.
        metrics: Which rows of the metric table.
        level: Of the confidence intervals.
        seed: Of the bootstraps; each metric and facet value has a stream of its own, so that none depends on the others.
        flips: Results of the flip test by (facet, value).
    """
    chosen = tuple(metrics)
    found: list[Measure] = []
    for entry in table.entries:
        counts = table.split(entry)
        flip = (flips or {}).get((entry.facet, entry.value))
        found.extend(_measure(metric, entry, counts, flip, level, seed) for metric in chosen)
    return tuple(found)


def _measure(
    metric: Metric, entry: FacetEntry, counts: Counts, flip: FlipCounts | None, level: float, seed: int
) -> Measure:
    value, reason, denominators = plain_value(metric, counts, flip)
    interval = None
    if value is not None:
        stream = crc32(f"{metric.name}\n{entry.facet}\n{entry.value}".encode())
        interval = interval_of(metric, counts, level, np.random.default_rng([seed, stream]), flip)
    return Measure(
        stage=metric.stage,
        metric=metric.name,
        value=value,
        reason=reason,
        facet=entry.facet,
        facet_value=entry.value,
        groups={"a": int(counts.n(ADVANTAGED)), "d": int(counts.n(DISADVANTAGED))},
        denominators=denominators,
        interval=interval,
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
        return flip.value, "", {"disadvantaged rows": flip.rows}
    form = metric.form(counts)
    if form is None:
        return None, "There is no group variable.", {}
    denominators = {one.of: int(one.denominator) for one in form.quotients}
    value = float(np.asarray(form.value(PLAIN)))
    empty = [name for name, rows in denominators.items() if rows == 0]
    if empty or np.isnan(value):
        return None, f"There are no {empty[0] if empty else 'rows to compare'}.", denominators
    return value, "", denominators

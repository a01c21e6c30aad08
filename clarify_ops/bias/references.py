"""Facet values compared with one of them, in place of all other rows; from the same counts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from clarify_ops.bias.measure import measure
from clarify_ops.bias.table import Metric
from clarify_ops.data.counts import CountTable, FacetEntry
from clarify_ops.measures import Measure


def against_reference(
    table: CountTable, metrics: Iterable[Metric], facet: str, reference: str, *, level: float, seed: int
) -> tuple[Measure, ...]:
    """Every metric of counts for every other value of a facet, with the rows of the reference as the advantaged side.

    Rows with a third value are left out of a comparison altogether. The flip test is no function of counts: it is not among
    the metrics.

    Args:
        table: The counts of all rows.
        metrics: Which rows of the metric table.
        facet: Name of the facet, or of an intersection of facets.
        reference: One of its values, as `metrics.json` has it.
        level: Of the intervals.
        seed: Of a bootstrap, where a metric has no score interval.

    Returns:
        None at all where the data have no such value: whoever needs one must find it missing.
    """
    counted = [metric for metric in metrics if metric.form is not None]
    of_facet = [entry for entry in table.entries if entry.facet == facet]
    found: list[Measure] = []
    for known in (entry for entry in of_facet if entry.value == reference):
        for entry in of_facet:
            pair = None if entry.value == reference else between(table, entry, known)
            if pair is not None:
                compared = measure(pair, counted, level=level, seed=seed)
                found.extend(replace(one, reference=reference) for one in compared)
    return tuple(found)


def between(table: CountTable, entry: FacetEntry, reference: FacetEntry) -> CountTable | None:
    """The cells of two values of one facet: the table that counting their rows alone would give, about the first value.

    None where a row has both, as two thresholds of one column can have it.
    """
    one, other = (np.isin(table.codes[:, each.column], list(each.members)) for each in (entry, reference))
    if (one & other).any():
        return None
    kept = one | other
    return replace(table, entries=(entry,), codes=table.codes[kept], rows=table.rows[kept])

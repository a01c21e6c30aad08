"""Clarify's face of the metrics: the sections of `analysis.json`, to the letter."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from clarify_ops.bias.flip_test import FlipCounts
from clarify_ops.bias.forms import CLARIFY
from clarify_ops.bias.table import BiasStage, Metric
from clarify_ops.data.counts import ADVANTAGED, DISADVANTAGED, Counts, CountTable
from clarify_ops.measures import json_number

SECTIONS: Mapping[BiasStage, str] = {
    "pre_training": "pre_training_bias_metrics",
    "post_training": "post_training_bias_metrics",
}


def section(
    table: CountTable,
    metrics: Iterable[Metric],
    *,
    label: str,
    positive: str,
    flips: Mapping[tuple[str, str], FlipCounts] | None = None,
) -> dict[str, Any]:
    """One bias section of `analysis.json`, keys in Clarify's order; intersections of facets are ours alone.

    Args:
        table: The counts.
        metrics: Which rows of the metric table.
        label: Name of the label column.
        positive: Its positive values as text.
        flips: Results of the flip test by (facet, value), for metrics that ask for it.
    """
    chosen = tuple(metrics)
    own = set(table.intersections)
    facets: dict[str, list[dict[str, Any]]] = {name: [] for name in table.facets if name not in own}
    for entry in table.entries:
        if entry.facet in own:
            continue
        # No value equals a missing one: in Clarify's report the entry "nan" has nobody on its side.
        counts = table.split(replace(entry, members=frozenset()) if entry.missing else entry)
        flip = (flips or {}).get((entry.facet, entry.value))
        facets[entry.facet].append(
            {"value_or_threshold": entry.value, "metrics": [_entry(metric, counts, flip) for metric in chosen]}
        )
    return {"label": label, "facets": facets, "label_value_or_threshold": positive}


def _entry(metric: Metric, counts: Counts, flip: FlipCounts | None) -> dict[str, Any]:
    value, error = value_or_error(metric, counts, flip)
    document: dict[str, Any] = {"name": metric.name, "description": metric.description}
    document["value"] = None if value is None else json_number(value)
    if error:
        document["error"] = error
    return document


def value_or_error(metric: Metric, counts: Counts, flip: FlipCounts | None = None) -> tuple[float | None, str]:
    """A metric as Clarify computes it: its value, or None and the text of its error."""
    if metric.empty is not None:
        if counts.n(ADVANTAGED) == 0:
            return None, metric.empty[0]
        if counts.n(DISADVANTAGED) == 0:
            return None, metric.empty[1]
    if metric.form is None:
        if flip is None:
            return None, "FlipTest needs the rows"
        return flip.value, flip.reason
    fault = _FAULTS.get(metric.name)
    if fault is not None and (text := fault(counts)):
        return None, text
    form = metric.form(counts)
    if form is None:
        return None, "Group variable is empty or not provided"
    value = float(np.asarray(form.value(CLARIFY)))
    if math.isnan(value):
        return None, metric.empty[0] if metric.empty else "undefined"
    return value, ""


def _no_outcomes(counts: Counts, axis: int) -> str:
    if counts.by_group is None:
        return "Group variable is empty or not provided"
    outcomes = counts.total.sum(axis=(0, axis))
    if outcomes[1] == 0:
        return "No positive labels in set"
    return "No negative labels in set" if outcomes[0] == 0 else ""


def _all_wronged(counts: Counts) -> str:
    if counts.total.sum() > 0 and counts.total[:, 1, 0].sum() == counts.total.sum():
        return "All predicted labels are false negatives. There should be at least one prediction that is not false negative."
    return ""


# What ends a metric for a reason other than an empty side.
_FAULTS = {
    "CDDL": lambda counts: _no_outcomes(counts, 2),
    "CDDPL": lambda counts: _no_outcomes(counts, 1),
    "GE": _all_wronged,
}

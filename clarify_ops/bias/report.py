"""One stage of bias analysis, from counts to both faces of its metrics."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from zlib import crc32

import numpy as np
import pandas as pd

from clarify_ops.bias.clarify import section
from clarify_ops.bias.ends import Uncertainty
from clarify_ops.bias.flip_interval import flip_interval
from clarify_ops.bias.flip_test import FlipCounts, flip_counts
from clarify_ops.bias.measure import measure
from clarify_ops.bias.table import BiasStage, Metric, metrics_of
from clarify_ops.config.analysis import AnalysisConfig, BiasMethods
from clarify_ops.data.counts import ADVANTAGED, DISADVANTAGED, CountTable, FacetEntry
from clarify_ops.data.tally import CodedRows, Tally
from clarify_ops.errors import BadData, BadDocument, nearest
from clarify_ops.measures import Measure

NO_PREDICTED_POSITIVE = "No Label values are present in the predicted Label Column,Positive Predicted Index Series contains all False values"
Flips = Mapping[tuple[str, str], FlipCounts]
FlipIntervals = Mapping[tuple[str, str], Uncertainty]


@dataclass(frozen=True)
class BiasReport:
    """A stage's results.

    Attributes:
        stage: Before or after training.
        measures: Ours: value or reason, denominators, interval.
        clarify: Clarify's section of `analysis.json`.
        table: The counts behind both.
    """

    stage: BiasStage
    measures: tuple[Measure, ...]
    clarify: dict[str, Any]
    table: CountTable


def requested_metrics(config: AnalysisConfig, stage: BiasStage) -> tuple[Metric, ...]:
    """The metrics that a configuration asks for, in Clarify's order.

    Raises:
        BadDocument: A name is not in the table.
    """
    settings: BiasMethods | None = getattr(config.methods, f"{stage}_bias")
    if settings is None:
        return ()
    rows = metrics_of(stage)
    if settings.methods == "all":
        return rows
    names = (settings.methods,) if isinstance(settings.methods, str) else settings.methods
    if "all" in names:
        return rows
    known = [metric.name for metric in rows]
    for name in names:
        if name not in known:
            raise BadDocument(
                f"Invalid metric_name: metrics should be one of the registered metrics{known}",
                f"methods.{stage}_bias names {name!r}. {nearest(name, known)}",
            )
    return tuple(metric for metric in rows if metric.name in names)


def bias_report(
    tally: Tally,
    stage: BiasStage,
    config: AnalysisConfig,
    *,
    level: float,
    seed: int,
    flips: Flips | None = None,
    flip_intervals: FlipIntervals | None = None,
    strict: bool = True,
    progress: Callable[[str], None] = lambda _: None,
) -> BiasReport:
    """Asks every metric of a stage about the counts.

    Args:
        tally: The counts; before training, predictions among them are not looked at.
        stage: Before or after training.
        config: Which metrics.
        level: Of the intervals.
        seed: Of the bootstraps.
        flips: Results of the flip test by (facet, value), from `flips_of`.
        flip_intervals: Their intervals, from `flip_intervals_of`.
        strict: Whether to stop where Clarify's report after training stops, at predictions that are all negative; a gate
            goes on, to judge the model that makes them.
        progress: Told what is being done.

    Raises:
        BadData: There are no predictions, or, where `strict`, no predicted positives.
        BadDocument: A metric is unknown.
    """
    metrics = requested_metrics(config, stage)
    table, positive = tally.table, tally.positive
    if stage == "pre_training":
        table = table.unpredicted()
    else:
        if not table.predicted:
            raise BadData("There are no predicted labels to compare.", "Name their column as predicted_label.")
        if strict:
            _require_predicted_positives(tally, config)
        positive = positive if tally.shared_positive is None else tally.shared_positive
    progress(f"computing {len(metrics)} metrics for {len(table.entries)} facet values")
    return BiasReport(
        stage=stage,
        measures=measure(table, metrics, level=level, seed=seed, flips=flips, flip_intervals=flip_intervals),
        clarify=section(table, metrics, label=tally.label, positive=positive, flips=flips),
        table=table,
    )


def _require_predicted_positives(tally: Tally, config: AnalysisConfig) -> None:
    table = tally.table
    if table.rows[table.codes[:, -1] == 1].sum():
        return
    values = " or ".join(str(value) for value in config.label_values_or_threshold or ())
    how = ", ".join(f"{name} is {note.text}" for name, note in tally.kinds.items() if name not in table.facets)
    hint = f"No prediction is positive by label_values_or_threshold {values}: {how}."
    if tally.thresholded:
        hint += f" Predictions are 1 above probability_threshold {config.probability_threshold:g}, and 0 elsewhere."
    raise BadData(NO_PREDICTED_POSITIVE, hint)


def flips_of(
    rows: CodedRows, features: pd.DataFrame, *, progress: Callable[[str], None] = lambda _: None
) -> dict[tuple[str, str], FlipCounts]:
    """The flip test of every facet value.

    Args:
        rows: The rows, with predictions.
        features: (rows, columns) that neighbours are looked for in: Clarify takes all but label and predicted label. A facet
            is left out only while it is itself asked about.
        progress: Told which facet value is tested.
    """
    predicted = rows.outcomes.predicted
    if predicted is None:
        return {}
    found: dict[tuple[str, str], FlipCounts] = {}
    for entry in rows.entries:
        progress(f"flip test for {entry.facet} = {entry.value}")
        found[entry.facet, entry.value] = flip_counts(_without(rows, entry, features), rows.members(entry), predicted)
    return found


def flip_intervals_of(
    rows: CodedRows,
    features: pd.DataFrame,
    flips: Flips,
    *,
    level: float,
    seed: int,
    progress: Callable[[str], None] = lambda _: None,
) -> dict[tuple[str, str], Uncertainty]:
    """Intervals of the flip tests that have a value, in which the neighbours are a sample too.

    Args:
        rows: As for `flips_of`.
        features: As for `flips_of`.
        flips: Its result.
        level: Of the intervals.
        seed: Of the subsamples; each facet value has a stream of its own.
        progress: Told which facet value is looked at.
    """
    predicted = rows.outcomes.predicted
    found: dict[tuple[str, str], Uncertainty] = {}
    for entry in rows.entries:
        key = (entry.facet, entry.value)
        if predicted is None or key not in flips:
            continue
        rng = np.random.default_rng([seed, crc32("\n".join(key).encode())])
        interval = flip_interval(
            _without(rows, entry, features),
            rows.members(entry),
            predicted,
            flips[key],
            level=level,
            rng=rng,
            progress=progress,
        )
        if interval is not None:
            found[key] = interval
    return found


def _without(rows: CodedRows, entry: FacetEntry, features: pd.DataFrame) -> pd.DataFrame:
    """The columns to look for neighbours in, without those that the facet is made of."""
    asked = rows.combined.get(entry.facet, (entry.facet,))
    return features.drop(columns=list(asked), errors="ignore")


def refuse_empty_sides(table: CountTable) -> None:
    """Stops where a facet has nobody to compare: a gate has nothing to decide there, while Clarify's report goes on.

    Raises:
        BadData: Naming the facet and value.
    """
    for entry in table.entries:
        counts = table.split(entry)
        if counts.n(DISADVANTAGED) == 0:
            raise BadData(
                f"No row has {entry.facet} = {entry.value or 'a value above the threshold'}: the facet has nobody to compare.",
                "Check analysis.facet: its values are compared as they stand in the data.",
            )
        if counts.n(ADVANTAGED) == 0:
            raise BadData(f"Every row has {entry.facet} = {entry.value}: the facet has nobody to compare with.")

"""One stage of bias analysis, from rows to both faces of its metrics."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clarify_ops.bias.clarify import section
from clarify_ops.bias.flip_test import FlipCounts, flip_counts
from clarify_ops.bias.measure import measure
from clarify_ops.bias.table import BiasStage, Metric, metrics_of
from clarify_ops.config.analysis import AnalysisConfig, BiasMethods
from clarify_ops.data.counts import ADVANTAGED, DISADVANTAGED, CountTable, coded, count
from clarify_ops.data.kinds import Positives
from clarify_ops.errors import BadData, BadDocument, nearest
from clarify_ops.measures import Measure


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
    known = [metric.name for metric in rows]
    for name in names:
        if name not in known:
            raise BadDocument(f"analysis.methods.{stage}_bias names the metric {name!r}.", nearest(name, known))
    return tuple(metric for metric in rows if metric.name in names)


def analyse_bias(
    frame: pd.DataFrame,
    config: AnalysisConfig,
    positives: Positives,
    *,
    level: float,
    seed: int,
    predicted: NDArray[np.bool_] | None = None,
    features: pd.DataFrame | None = None,
    progress: Callable[[str], None] = lambda _: None,
) -> BiasReport:
    """Counts once, then asks every metric.

    Args:
        frame: (rows, columns) with the facets and the group variable.
        config: Which facets, group variable and metrics.
        positives: (rows,) observed positives.
        level: Of the intervals.
        seed: Of the bootstraps.
        predicted: (rows,) predicted positives; with them this is the stage after training.
        features: (rows, features) numbers that the flip test looks for neighbours in; the facet itself is left out.
        progress: Told about the slow part.

    Raises:
        BadData: A facet column is unknown, or a facet value has no rows.
        BadDocument: A metric is unknown.
    """
    stage: BiasStage = "pre_training" if predicted is None else "post_training"
    metrics = requested_metrics(config, stage)
    group = None if config.group_variable is None else _column(frame, config.group_variable)
    table = count(
        frame,
        facets=config.facet or (),
        label=positives.matches,
        predicted=predicted,
        group=group,
        kinds=config.clarify_ops.kinds,
    )
    _refuse_empty_sides(table)
    flips: dict[tuple[str, str], FlipCounts] = {}
    if predicted is not None and features is not None and any(metric.form is None for metric in metrics):
        flips = _flips(frame, config, table, predicted, features, progress)
    return BiasReport(
        stage=stage,
        measures=measure(table, metrics, level=level, seed=seed, flips=flips),
        clarify=section(table, metrics, label=_label(config, frame), positive=positives.text, flips=flips),
        table=table,
    )


def _flips(
    frame: pd.DataFrame,
    config: AnalysisConfig,
    table: CountTable,
    predicted: NDArray[np.bool_],
    features: pd.DataFrame,
    progress: Callable[[str], None],
) -> dict[tuple[str, str], FlipCounts]:
    found: dict[tuple[str, str], FlipCounts] = {}
    for entry, disadvantaged in sides(frame, config, table):
        progress(f"flip test for {entry[0]} = {entry[1]}")
        others = features.drop(columns=[entry[0]], errors="ignore")
        found[entry] = flip_counts(others, disadvantaged, predicted)
    return found


def sides(
    frame: pd.DataFrame, config: AnalysisConfig, table: CountTable
) -> list[tuple[tuple[str, str], NDArray[np.bool_]]]:
    """((facet, value), (rows,) disadvantaged) of every entry, for what needs the rows and not the counts."""
    found: list[tuple[tuple[str, str], NDArray[np.bool_]]] = []
    for name, facet in zip(table.facets, config.facet or (), strict=True):
        code, entries = coded(frame[name], name, facet, config.clarify_ops.kinds.get(name))
        found.extend(((one.facet, one.value), np.isin(code, list(one.members))) for one in entries)
    return found


def _refuse_empty_sides(table: CountTable) -> None:
    for entry in table.entries:
        counts = table.split(entry)
        if counts.n(DISADVANTAGED) == 0:
            raise BadData(
                f"No row has {entry.facet} = {entry.value or 'a value above the threshold'}: the facet has nobody to compare.",
                "Check analysis.facet: its values are compared as they stand in the data.",
            )
        if counts.n(ADVANTAGED) == 0:
            raise BadData(f"Every row has {entry.facet} = {entry.value}: the facet has nobody to compare with.")


def _column(frame: pd.DataFrame, column: str | int) -> str:
    if isinstance(column, int) and 0 <= column < frame.shape[1]:
        return str(frame.columns[column])
    if column not in frame.columns:
        raise BadData.unknown_column(str(column), map(str, frame.columns), "analysis.group_variable")
    return str(column)


def _label(config: AnalysisConfig, frame: pd.DataFrame) -> str:
    return str(frame.columns[config.label]) if isinstance(config.label, int) else str(config.label)

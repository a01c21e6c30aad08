"""What an analysis tells beside Clarify's numbers: statistics, segments, classes, numbers, and the groups behind a metric."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pandas as pd

from clarify_ops.analysis.counting import Rows
from clarify_ops.analysis.job import Job
from clarify_ops.bias.distributions import class_reports
from clarify_ops.bias.drivers import drivers
from clarify_ops.bias.numeric import numeric_report
from clarify_ops.bias.performance import bias_basic_stats, confusion_of_classes, everybody, model_performance_report
from clarify_ops.bias.report import bias_report, requested_metrics
from clarify_ops.bias.table import BiasStage
from clarify_ops.data.kinds import numbers_of
from clarify_ops.data.tally import Tally

SEGMENT = "segment:"


def basic_stats(tally: Tally, stages: tuple[BiasStage, ...]) -> dict[str, Any]:
    """Clarify's basic statistics by stage, facet and value; intersections included."""
    found: dict[str, Any] = {}
    for stage in stages:
        table = tally.table.unpredicted() if stage == "pre_training" else tally.table
        facets: dict[str, dict[str, Any]] = {name: {} for name in table.facets}
        for entry in table.entries:
            facets[entry.facet][entry.value] = bias_basic_stats(table, entry)
        found[stage] = facets
    return found


def performance(tally: Tally) -> dict[str, Any]:
    """Clarify's model performance report, with the confusion of classes where the label is categorical."""
    return model_performance_report(everybody(tally.table), tally.label, confusion_of_classes(tally.table))


def further_sections(job: Job, rows: Rows, tally: Tally, stages: tuple[BiasStage, ...]) -> dict[str, Any]:
    """The sections of metrics.json that stand beside the measures; those that have nothing to say are left out."""
    own = job.config.clarify_ops
    level, seed = own.confidence, own.seed
    metrics = [metric for stage in stages for metric in requested_metrics(job.config, stage) if metric.form is not None]
    sections: dict[str, Any] = {
        "drivers": drivers(tally.table, metrics, level=level).to_json(),
        "classes": [one.to_json() for one in class_reports(tally.table, metrics, level=level, seed=seed)],
        "segments": _segments(job, tally, stages),
        "numeric": _numeric(rows, tally, level),
        "intersections": {
            name: {"empty_combinations": empty} for name, empty in tally.table.empty_combinations.items()
        },
    }
    return {name: section for name, section in sections.items() if section}


def _segments(job: Job, tally: Tally, stages: tuple[BiasStage, ...]) -> list[dict[str, Any]]:
    """The same metrics for the rows of each segment; what the flip test says is about all rows, and is not repeated."""
    own = job.config.clarify_ops
    found = []
    for axis in tally.table.axes:
        if not axis.name.startswith(SEGMENT):
            continue
        for code, value in enumerate(axis.values):
            part = replace(tally, table=tally.table.where(axis, code))
            rows = int(part.table.rows.sum())
            measures = [
                one.to_json()
                for stage in stages
                if rows
                for one in bias_report(
                    part, stage, job.config, level=own.confidence, seed=own.seed, strict=False
                ).measures
                if one.metric != "FT"
            ]
            found.append(
                {"name": axis.name.removeprefix(SEGMENT), "segment": value, "rows": rows, "measures": measures}
            )
    return found


def _numeric(rows: Rows, tally: Tally, level: float) -> list[dict[str, Any]]:
    """Differences in means and quantiles of a continuous label and prediction."""
    coded, data = rows.coded, rows.data
    found = []
    for name in (data.label, data.predicted_label):
        if name is None or coded is None or name not in tally.kinds or tally.kinds[name].kind != "continuous":
            continue
        values = pd.to_numeric(numbers_of(data.frame[name]), errors="coerce").to_numpy(
            dtype=float, na_value=float("nan")
        )
        for entry in coded.entries:
            members = coded.members(entry)
            report = numeric_report(values, members, of=name, facet=entry.facet, facet_value=entry.value, level=level)
            found.append(report.to_json())
    return found

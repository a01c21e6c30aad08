"""Pretraining bias check: what is wrong with the data before anything is learnt from them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from clarify_ops.bias.report import BiasReport, analyse_bias, sides
from clarify_ops.data.kinds import infer_kind
from clarify_ops.documents import write_json
from clarify_ops.gate.release import DataFacts
from clarify_ops.measures import Measure
from clarify_ops.quality.leakage import Leak, find_leaks
from clarify_ops.steps.folder import StepResult, read_step, step_output
from clarify_ops.steps.inputs import Inputs, Progress, check, silent

NAME = "pretraining-bias"


def run(
    pipeline: str | Path,
    output: str | Path,
    *,
    data: str | None = None,
    policy: str | Path | None = None,
    progress: Progress = silent,
) -> StepResult:
    """Measures the data.

    Args:
        pipeline: Path of the pipeline document.
        output: Folder to write: metrics.json, analysis.json, step.json.
        data: URI of the dataset, in place of the pipeline's.
        policy: Path of a policy, in place of the pipeline's; its confidence level is used.
        progress: Told what is being done.
    """
    inputs = check(Inputs.read(pipeline, data=data, policy=policy))
    with step_output(NAME, Path(output), inputs.places()) as work:
        progress("counting labels by facet")
        report = pretraining_report(inputs)
        progress("looking for columns that give the answer away")
        leaks = find_data_leaks(inputs, report)
        measures = (*data_measures(inputs, report, leaks), *report.measures)
        work.claims.update(inputs.claims())
        work.metrics(measures, data=data_facts(inputs, report, leaks).to_json())
        write_json(
            work.folder / "analysis.json",
            {"version": "1.0", "pre_training_bias_metrics": report.clarify},
            sort_keys=False,
        )
    return read_step(output, NAME)


def pretraining_report(inputs: Inputs) -> BiasReport:
    """The metrics of observed labels."""
    return analyse_bias(
        inputs.dataset.frame, inputs.pipeline.analysis, inputs.positives, level=inputs.level, seed=inputs.pipeline.seed
    )


def find_data_leaks(inputs: Inputs, report: BiasReport) -> tuple[Leak, ...]:
    """Features that tell the label or a facet by themselves."""
    outcomes = {"the label": inputs.positives.matches}
    anyone = np.zeros(len(inputs.dataset.frame), dtype=bool)
    entries = sides(inputs.dataset.frame, inputs.pipeline.analysis, report.table)
    for (facet, value), members in entries:
        outcomes[f"the facet {facet} = {value}"] = members
        anyone |= members
    if len(entries) > 1 and not anyone.all():
        outcomes["membership in any disadvantaged group"] = anyone
    return find_leaks(inputs.features, outcomes)


def data_measures(inputs: Inputs, report: BiasReport, leaks: tuple[Leak, ...]) -> tuple[Measure, ...]:
    """Plain facts about the data, which a policy can bound."""
    frame = inputs.dataset.frame
    rows = len(frame)
    used = frame[inputs.columns.names]

    def fact(name: str, value: float) -> Measure:
        return Measure(stage="data", metric=name, value=float(value), groups={"all": rows}, exact=True)

    overall = (
        fact("rows", rows),
        fact("duplicate_rows", int(frame.duplicated().sum())),
        fact("missing_share", float(used.isna().to_numpy().mean())),
        fact("label_leaks", len({leak.feature for leak in leaks if leak.outcome == "the label"})),
        fact("facet_proxies", len({leak.feature for leak in leaks if leak.outcome != "the label"})),
    )
    per_value = tuple(
        Measure(
            stage="data",
            metric="rows",
            value=float(members.sum()),
            facet=facet,
            facet_value=value,
            groups={"a": int((~members).sum()), "d": int(members.sum())},
            exact=True,
        )
        for (facet, value), members in sides(frame, inputs.pipeline.analysis, report.table)
    )
    return overall + per_value


def data_facts(inputs: Inputs, report: BiasReport, leaks: tuple[Leak, ...]) -> DataFacts:
    """What the report tells of the dataset."""
    frame, analysis = inputs.dataset.frame, inputs.pipeline.analysis
    facets: dict[str, dict[str, int]] = {name: {} for name in report.table.facets}
    for (facet, value), members in sides(frame, analysis, report.table):
        facets[facet][value] = int(members.sum())
    for name, missing in report.table.missing.items():
        if missing:
            facets[name]["missing"] = missing
    missing_values = frame[inputs.columns.names].isna().sum()
    return DataFacts(
        name=inputs.dataset.uri,
        digest=inputs.dataset.digest,
        rows=len(frame),
        columns=frame.shape[1],
        label=inputs.pipeline.data.label,
        positive=inputs.positives.text,
        positives=int(inputs.positives.matches.sum()),
        group_variable=None if analysis.group_variable is None else str(analysis.group_variable),
        facets=facets,
        kinds={name: infer_kind(frame[name]) for name in (inputs.pipeline.data.label, *report.table.facets)},
        excluded=dict(inputs.columns.left_out),
        missing={str(name): int(count) for name, count in missing_values.items() if count},
        warnings=(*_surprises(inputs, frame), *_leak_warnings(leaks)),
    )


def _surprises(inputs: Inputs, frame: pd.DataFrame) -> list[str]:
    """Kinds that were inferred otherwise than most people would expect."""
    found = []
    for facet in inputs.pipeline.analysis.facet or ():
        if (
            not isinstance(facet.name_or_index, str)
            or facet.name_or_index in inputs.pipeline.analysis.clarify_ops.kinds
        ):
            continue
        column, values = frame[facet.name_or_index], facet.value_or_threshold
        numeric = pd.api.types.is_numeric_dtype(column.dtype)
        if (
            numeric
            and infer_kind(column, values) == "categorical"
            and column.nunique() > 10
            and values
            and len(values) == 1
        ):
            found.append(
                f"{facet.name_or_index} was inferred to be categorical, as Clarify infers it: {values[0]} means equal to, not above."
                " Set analysis.clarify_ops.kinds to change that."
            )
    label = inputs.pipeline.data.label
    if (
        label not in inputs.pipeline.analysis.clarify_ops.kinds
        and frame[label].nunique() == 2
        and inputs.positives.kind == "continuous"
    ):
        found.append(f"The label {label} has two values and was inferred to be continuous, as Clarify infers it.")
    return found


def _leak_warnings(leaks: tuple[Leak, ...]) -> list[str]:
    return [f"{leak.feature} alone tells {leak.outcome} with AUC {leak.auc:.3f}." for leak in leaks]

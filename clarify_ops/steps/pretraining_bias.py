"""Pretraining bias check: what is wrong with the data before anything is learnt from them."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from clarify_ops.bias.report import BiasReport, bias_report
from clarify_ops.config.pipeline import Elsewhere, Pipeline
from clarify_ops.documents import write_json
from clarify_ops.gate.release import DataFacts
from clarify_ops.measures import Measure
from clarify_ops.quality.leakage import Leak, find_leaks
from clarify_ops.quality.rows import row_checks
from clarify_ops.steps.folder import StepResult, read_step, step_output
from clarify_ops.steps.inputs import Inputs, check
from clarify_ops.steps.progress import Progress, silent
from clarify_ops.training.split import split_rows

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
        leaks = find_data_leaks(inputs)
        measures = (*data_measures(inputs, leaks), *report.measures)
        work.claims.update(inputs.claims())
        work.metrics(measures, data=data_facts(inputs, leaks).to_json())
        write_json(
            work.folder / "analysis.json",
            {"version": "1.0", "pre_training_bias_metrics": report.clarify},
            sort_keys=False,
        )
    return read_step(output, NAME)


def pretraining_report(inputs: Inputs) -> BiasReport:
    """The metrics of observed labels."""
    tally = inputs.rows.tally()
    return bias_report(tally, "pre_training", inputs.pipeline.analysis, level=inputs.level, seed=inputs.pipeline.seed)


def find_data_leaks(inputs: Inputs) -> tuple[Leak, ...]:
    """Features that tell the label or a facet by themselves."""
    outcomes = {"the label": inputs.positives.matches}
    anyone = np.zeros(len(inputs.dataset.frame), dtype=bool)
    entries = inputs.rows.entries
    for entry in entries:
        members = inputs.rows.members(entry)
        outcomes[f"the facet {entry.facet} = {entry.value}"] = members
        anyone |= members
    if len(entries) > 1 and not anyone.all():
        outcomes["membership in any disadvantaged group"] = anyone
    return find_leaks(inputs.features, outcomes)


def data_measures(inputs: Inputs, leaks: tuple[Leak, ...]) -> tuple[Measure, ...]:
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
            facet=entry.facet,
            facet_value=entry.value,
            groups={"a": int((~members).sum()), "d": int(members.sum())},
            exact=True,
        )
        for entry in inputs.rows.entries
        for members in (inputs.rows.members(entry),)
    )
    split = split_rows(inputs.dataset, inputs.positives.matches, inputs.pipeline.split, inputs.pipeline.seed)
    label = frame[inputs.pipeline.data.label]
    checks = row_checks(inputs.features, label, inputs.positives.matches, list(split.rounds()))
    return (*overall, *checks, *per_value)


def data_facts(inputs: Inputs, leaks: tuple[Leak, ...]) -> DataFacts:
    """What the report tells of the dataset."""
    frame, analysis = inputs.dataset.frame, inputs.pipeline.analysis
    facets: dict[str, dict[str, int]] = {name: {} for name in inputs.rows.facets}
    for entry in inputs.rows.entries:
        facets[entry.facet][entry.value] = int(inputs.rows.members(entry).sum())
    for name, missing in inputs.rows.facet_missing.items():
        if missing:
            facets[name]["missing"] = missing
    surprises = [note.warning for note in inputs.rows.kinds.values() if note.warning]
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
        kinds={name: note.kind for name, note in inputs.rows.kinds.items()},
        excluded=dict(inputs.columns.left_out),
        missing={str(name): int(count) for name, count in missing_values.items() if count},
        warnings=(*_unknown_training(inputs.pipeline), *surprises, *_leak_warnings(leaks)),
    )


def _unknown_training(pipeline: Pipeline) -> list[str]:
    if not isinstance(pipeline.train, Elsewhere):
        return []
    words = pipeline.train.elsewhere.rstrip(". ")
    known = "Which of these rows it saw cannot be known here, and rows that it saw flatter it."
    return [f"The model was trained elsewhere: {words}. {known}"]


def _leak_warnings(leaks: tuple[Leak, ...]) -> list[str]:
    return [f"{leak.feature} alone tells {leak.outcome} with AUC {leak.auc:.3f}." for leak in leaks]

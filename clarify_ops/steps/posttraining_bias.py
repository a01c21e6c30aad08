"""Posttraining bias check: whom the predictions treat worse, and how good they are for whom."""

from __future__ import annotations

from pathlib import Path

from clarify_ops.bias.report import (
    BiasReport,
    FlipIntervals,
    Flips,
    bias_report,
    flip_intervals_of,
    flips_of,
    requested_metrics,
)
from clarify_ops.documents import write_json
from clarify_ops.gate.evidence import require_same
from clarify_ops.measures import Measure
from clarify_ops.quality.found import Predictions
from clarify_ops.quality.performance import measure_quality
from clarify_ops.steps import train
from clarify_ops.steps.folder import StepResult, read_step, step_output
from clarify_ops.steps.inputs import Inputs, check
from clarify_ops.steps.progress import Progress, silent
from clarify_ops.steps.train import Predicted

NAME = "posttraining-bias"


def run(
    pipeline: str | Path,
    output: str | Path,
    *,
    training: str | Path,
    data: str | None = None,
    policy: str | Path | None = None,
    progress: Progress = silent,
) -> StepResult:
    """Measures the predictions of a train step.

    Args:
        pipeline: Path of the pipeline document.
        output: Folder to write: metrics.json, analysis.json, step.json.
        training: Output folder of the train step.
        data: URI of the dataset, in place of the pipeline's.
        policy: Path of a policy, in place of the pipeline's; its confidence level is used.
        progress: Told what is being done.
    """
    inputs = check(Inputs.read(pipeline, data=data, policy=policy))
    trained = read_trained(inputs, training)
    predictions = read_predictions(trained)
    with step_output(NAME, Path(output), inputs.places()) as work:
        progress("counting predictions by facet")
        report, measures = posttraining_report(inputs, predictions, progress)
        work.claims.update(inputs.claims(), model=trained.claims["model"], predictions=predictions.digest)
        work.metrics(measures)
        write_json(
            work.folder / "analysis.json",
            {"version": "1.0", "post_training_bias_metrics": report.clarify},
            sort_keys=False,
        )
    return read_step(output, NAME)


def read_trained(inputs: Inputs, folder: str | Path) -> StepResult:
    """The output of the train step, if it is about these data and this configuration.

    Raises:
        Refused: It is about others.
    """
    trained = read_step(folder, train.NAME)
    require_same(trained.claims.get("data"), inputs.dataset.digest, "dataset", train.NAME)
    require_same(trained.claims.get("configuration"), inputs.pipeline.configuration_digest, "configuration", train.NAME)
    return trained


def read_predictions(trained: StepResult) -> Predicted:
    """The predictions of a train step, if they are those it claims."""
    predictions = Predicted.read(trained.folder / train.PREDICTIONS)
    require_same(trained.claims.get("predictions"), predictions.digest, "set of predictions", train.NAME)
    return predictions


def posttraining_report(
    inputs: Inputs, predictions: Predicted, progress: Progress = silent
) -> tuple[BiasReport, tuple[Measure, ...]]:
    """Bias metrics of the predicted rows, and with them all measures: bias and quality per facet value."""
    analysis = inputs.analysis
    rows = inputs.predicted(predictions.row, predictions.predicted_label)
    flips: Flips = {}
    intervals: FlipIntervals = {}
    if any(metric.form is None for metric in requested_metrics(analysis, "post_training")):
        neighbours = inputs.neighbourhood.iloc[predictions.row].reset_index(drop=True)
        flips = flips_of(rows, neighbours, progress=progress)
        intervals = flip_intervals_of(
            rows, neighbours, flips, level=inputs.level, seed=inputs.pipeline.seed, progress=progress
        )
    report = bias_report(
        rows.tally(),
        "post_training",
        analysis,
        level=inputs.level,
        seed=inputs.pipeline.seed,
        flips=flips,
        flip_intervals=intervals,
        strict=False,
    )
    progress("measuring quality by facet")
    judged = Predictions(predictions.label, predictions.predicted_label, predictions.score)
    sides = [((entry.facet, entry.value), rows.members(entry)) for entry in rows.entries]
    quality = measure_quality(judged, sides, inputs.level)
    return report, (*report.measures, *quality)

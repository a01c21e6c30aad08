"""Explanations of the groups of rows that a configuration names."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from clarify_ops.analysis.asking import AskedModel
from clarify_ops.analysis.attributing import Attributed
from clarify_ops.analysis.job import Job
from clarify_ops.data.outcomes import read_outcomes
from clarify_ops.data.row_batches import Profile, RowBatches
from clarify_ops.errors import BadDocument
from clarify_ops.explain.cohort_rows import Errors, cohort_rows
from clarify_ops.explain.cohorts import compare_cohorts
from clarify_ops.explain.explanation import Explanation


def check_cohorts(job: Job, batches: RowBatches, seen: Profile) -> None:
    """Looks at the cohorts before anything is explained.

    Raises:
        BadInput: One does not fit the data, or is about errors that cannot be known.
    """
    own = job.config.clarify_ops
    if any(one.error is not None for one in own.cohorts):
        _label(job, batches)
    frame = batches.data.frame if batches.whole else seen.sample
    nothing = np.zeros(len(frame), dtype=np.bool_)
    # What the model is wrong about is not known yet.
    cohort_rows(own.cohorts, frame, Errors(nothing, nothing, nothing.astype(np.float64)), dict(own.kinds))


def cohort_section(job: Job, batches: RowBatches, seen: Profile, made: Attributed, asked: AskedModel) -> dict[str, Any]:
    """`cohorts` of metrics.json: what moves the output in each, and the differences between them.

    Of rows that are not all in memory those are compared that are evenly spaced over the dataset.

    Raises:
        BadDocument: A cohort does not fit the data, or is about errors that cannot be known.
    """
    config, own = job.config, job.config.clarify_ops
    if batches.whole and made.whole is not None:
        frame, explanation = batches.data.frame, made.whole
    else:
        frame, explanation = seen.sample.reset_index(drop=True), made.shown
    errors = None
    if any(one.error is not None for one in own.cohorts):
        errors = _errors(job, batches, frame, explanation, asked)
    rows = cohort_rows(own.cohorts, frame, errors, dict(own.kinds))
    shap = config.methods.shap
    report = compare_cohorts(
        explanation,
        rows,
        aggregation="mean_abs" if shap is None else shap.agg_method,
        level=own.confidence,
        smallest=own.smallest_group,
    ).to_json()
    if len(frame) < batches.rows:
        report["notes"].append(f"Cohorts are of {len(frame):,} of the {batches.rows:,} rows, evenly spaced.")
    return report


def _errors(job: Job, batches: RowBatches, frame: pd.DataFrame, explanation: Explanation, asked: AskedModel) -> Errors:
    """What the model is wrong about: by the dataset's predictions, else by its own answers."""
    config, data = job.config, batches.data
    label, predicted = _label(job, batches), data.predicted_label
    if predicted is None:
        predicted = "predicted_label"
        while predicted in frame.columns:
            predicted += "_"
        frame = frame.assign(**{predicted: asked.labels(frame[list(data.features)]).to_numpy()})
    outcomes = read_outcomes(frame, config, label, predicted)
    observed = outcomes.observed == 1
    residuals = None
    if len(explanation.outputs) == 1 and not explanation.log_odds:
        residuals = np.abs(observed - explanation.predictions[:, 0])
    known = frame[[label, predicted]].notna().all(axis=1).to_numpy()
    return Errors(observed, None if outcomes.predicted is None else outcomes.predicted == 1, residuals, known)


def _label(job: Job, batches: RowBatches) -> str:
    label = batches.data.label
    if label is None or not job.config.label_values_or_threshold:
        raise BadDocument("A cohort of errors needs the observed label.", "Set label and label_values_or_threshold.")
    return label

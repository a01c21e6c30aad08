"""From a job and its data to counts: by streaming where counts are all that is wanted, else over the rows in memory."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from clarify_ops.analysis.asking import AskedModel
from clarify_ops.analysis.job import Job
from clarify_ops.data.layout import AnalysisData, read_analysis_data
from clarify_ops.data.outcomes import read_outcomes
from clarify_ops.data.row_batches import RowBatches, batches_of, stream_rows
from clarify_ops.data.streamed import has_numbers, stream_analysis_data
from clarify_ops.data.streaming import tally_in_blocks
from clarify_ops.data.tally import CodedRows, Tally, code_rows
from clarify_ops.errors import BadData

Data = str | Path | pd.DataFrame | None
PREDICTED = "predicted_label"
MANY_ROWS = 100_000
"""From here on rows that nobody needs one by one are counted in blocks."""


@dataclass(frozen=True)
class Rows:
    """A dataset, in memory or counted as it was read.

    Attributes:
        data: As it was read, with the model's labels where these were asked for. Where it is not whole, its frame holds a
            sample, for names and types alone.
        coded: The rows as small numbers; None where nothing has to be asked of them, or no bias metric is asked for.
        tally: Their counts; None where no bias metric is asked for.
        batches: The rows to be explained; None where nothing is.
        whole: Whether the frame holds all rows.
    """

    data: AnalysisData
    coded: CodedRows | None
    tally: Tally | None
    batches: RowBatches | None = None
    whole: bool = True

    @property
    def neighbourhood(self) -> pd.DataFrame:
        """(rows, columns) that the flip test looks for neighbours in: all but label and predicted label."""
        apart = [one for one in (self.data.label, self.data.predicted_label) if one is not None]
        return self.data.frame.drop(columns=apart)


def read_rows(job: Job, data: Data, asked: AskedModel | None, progress: Callable[[str], None]) -> Rows:
    """Reads a dataset, asks the model for labels where there are none, and codes what bias metrics need.

    Raises:
        BadInput: The data cannot be read, do not fit the configuration, or stop Clarify's report.
        BadModel: The model's answers cannot be used.
    """
    progress("reading the data")
    found = _streamed(job, data, asked, progress)
    if found is not None:
        return found
    read = read_analysis_data(job.config, data, progress)
    after = job.asks_for("post_training")
    if after and read.predicted_label is None:
        read = with_predictions(read, asked, progress)
    batches = batches_of(read) if job.explains else None
    if not job.asks_for_bias:
        return Rows(read, None, None, batches)
    if read.label is None:
        raise BadData("The data have no label.", "Set label in the analysis configuration.")
    progress(f"counting {len(read.frame):,} rows")
    predicted_label = read.predicted_label if after else None
    asked_about = read.asked_about()
    if len(read.frame) >= MANY_ROWS and not job.wants_flips:
        tally = tally_in_blocks(
            read.frame, config=job.config, label=read.label, predicted_label=predicted_label, **asked_about
        )
        if not has_numbers(tally, read):
            return Rows(read, None, tally, batches)
    outcomes = read_outcomes(read.frame, job.config, read.label, predicted_label)
    coded = code_rows(read.frame, config=job.config, outcomes=outcomes, **asked_about)
    return Rows(read, coded, coded.tally(), batches)


def _streamed(job: Job, data: Data, asked: AskedModel | None, progress: Callable[[str], None]) -> Rows | None:
    """Large files, counted and explained without holding their rows; None where something has to be asked of these."""
    place = job.config.dataset_uri if data is None else data
    if job.wants_flips or not isinstance(place, str | Path):
        return None
    counted = None
    if job.asks_for_bias:
        predictions = job.asks_for("post_training")
        if asked is not None and predictions and job.config.predicted_label is None:
            return None
        counted = stream_analysis_data(job.config, place, predictions=predictions, progress=progress)
        if counted is None:
            return None
    if not job.explains:
        return None if counted is None else Rows(counted.data, None, counted.tally, whole=False)
    batches = stream_rows(job.config, place, progress=progress)
    if batches is None:
        return None
    return Rows(batches.data, None, None if counted is None else counted.tally, batches, whole=False)


def with_predictions(read: AnalysisData, asked: AskedModel | None, progress: Callable[[str], None]) -> AnalysisData:
    """The data with the model's labels as one more column.

    Raises:
        BadData: There is no model to ask.
    """
    if asked is None:
        raise BadData("The data have no predicted labels.", "Set predicted_label, or give a model.")
    progress(f"asking the model about {len(read.frame):,} rows")
    name = PREDICTED
    while name in read.frame.columns:
        name = f"{name}_"
    labels = asked.labels(read.frame[list(read.features)])
    return replace(read, frame=read.frame.assign(**{name: labels.to_numpy()}), predicted_label=name)

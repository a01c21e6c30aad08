"""From a job and its data to counts: by streaming where counts are all that is wanted, else over the rows in memory."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from clarify_ops.analysis.asking import AskedModel
from clarify_ops.analysis.job import Job
from clarify_ops.bias.table import BiasStage
from clarify_ops.data.layout import AnalysisData, read_analysis_data
from clarify_ops.data.tally import Tally, tally_frame
from clarify_ops.errors import BadData

Data = str | Path | pd.DataFrame | None
PREDICTED = "predicted_label"


@dataclass(frozen=True)
class Counted:
    """A dataset, counted.

    Attributes:
        tallies: By stage that was asked for.
        data: The rows, where they were read; None where they were streamed.
        digest: Of the files.
        notes: Sentences about reading them.
    """

    tallies: dict[BiasStage, Tally]
    data: AnalysisData | None
    digest: str
    notes: tuple[str, ...]


def count_data(job: Job, data: Data, asked: AskedModel | None, progress: Callable[[str], None]) -> Counted:
    """Reads and counts.

    Raises:
        BadInput: The data cannot be read, do not fit the configuration, or stop Clarify's report.
        BadModel: The model's answers cannot be used.
    """
    progress("reading the data")
    read = read_analysis_data(job.config, data, progress)
    if job.asks_for("post_training") and read.predicted_label is None:
        read = with_predictions(read, asked, progress)
    progress(f"counting {len(read.frame):,} rows")
    tallies: dict[BiasStage, Tally] = {}
    for stage in ("pre_training", "post_training"):
        if job.asks_for(stage):
            tallies[stage] = _tally(job, read, stage)
    return Counted(tallies, read, read.digest, read.notes)


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
    frame = read.frame.assign(**{name: labels.to_numpy()})
    return replace(read, frame=frame, predicted_label=name)


def _tally(job: Job, read: AnalysisData, stage: BiasStage) -> Tally:
    if read.label is None:
        raise BadData("The data have no label.", "Set label in the analysis configuration.")
    return tally_frame(
        read.frame,
        config=job.config,
        label=read.label,
        facets=read.facets,
        group=read.group,
        predicted_label=read.predicted_label if stage == "post_training" else None,
        segments=read.segments,
        intersections=read.intersections,
    )

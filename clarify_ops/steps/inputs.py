"""What every step reads first: the pipeline, its dataset, which rows are positive, and what the model may see."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clarify_ops.analysis.explaining import check_settings
from clarify_ops.analysis.policy_check import check_policy
from clarify_ops.bias.report import refuse_empty_sides, requested_metrics
from clarify_ops.bias.table import BiasStage
from clarify_ops.config.analysis import AnalysisConfig
from clarify_ops.config.pipeline import Pipeline, load_pipeline
from clarify_ops.data.counts import column_name
from clarify_ops.data.intersections import AND
from clarify_ops.data.kinds import Column, Kind, Positives, infer_kind, match
from clarify_ops.data.outcomes import Outcomes
from clarify_ops.data.source import Dataset, read_dataset
from clarify_ops.data.surprises import kind_note
from clarify_ops.data.tally import CodedRows, code_rows
from clarify_ops.errors import BadData, BadDocument
from clarify_ops.training.columns import FeatureColumns, choose_features, sensitive_columns
from clarify_ops.training.elsewhere import LabelNames


@dataclass(frozen=True)
class Inputs:
    """A pipeline and its dataset.

    Attributes:
        pipeline: The document, complete.
        dataset: Its data.
    """

    pipeline: Pipeline
    dataset: Dataset

    @classmethod
    def read(cls, pipeline: str | Path, *, data: str | None = None, policy: str | Path | None = None) -> Inputs:
        """Reads and checks both.

        Args:
            pipeline: Path of the pipeline document.
            data: URI of the dataset, in place of the pipeline's.
            policy: Path of a policy, in place of the pipeline's.

        Raises:
            BadInput: One sentence about what is wrong.
        """
        document = load_pipeline(pipeline, policy=policy, data=data)
        section = document.data
        dataset = read_dataset(section.uri, format=section.format, missing_values=section.missing_values)
        dataset.require([section.label], "data.label")
        return cls(document, dataset)

    @cached_property
    def positives(self) -> Positives:
        """Which rows have a positive label.

        Raises:
            BadDocument: The analysis does not say which values are positive.
            BadData: A row has no label, or no row has a positive one.
        """
        name, analysis = self.pipeline.data.label, self.pipeline.analysis
        values = analysis.label_values_or_threshold
        if not values:
            raise BadDocument(
                "The analysis does not say which labels are positive.",
                "Set analysis.label_values_or_threshold, for example [1].",
            )
        label = self.dataset.frame[name]
        if label.isna().any():
            row = int(np.flatnonzero(label.isna())[0]) + 1
            raise BadData(
                f"The label {name!r} of {self.dataset.uri} is missing in {int(label.isna().sum())} rows, first in row {row}.",
                "Remove these rows: a model cannot be trained or judged on them.",
            )
        kind = analysis.clarify_ops.kinds.get(name) or infer_kind(label, values)
        found = match(label, values, kind)
        if not found.matches.any():
            known = ", ".join(str(one) for one in pd.unique(label)[:8])
            above = (
                f" It is split above {values[0]}; set analysis.clarify_ops.kinds: {{{name}: categorical}} to compare."
            )
            raise BadData(
                f"No row has a positive label: {name!r} is never {' or '.join(map(str, values))} ({kind}).",
                f"Values in the data: {known}.{above if kind == 'continuous' else ''}",
            )
        return found

    @cached_property
    def analysis(self) -> AnalysisConfig:
        """The analysis with the facets' kinds as all rows have them: a part of the rows would be read otherwise."""
        analysis, frame = self.pipeline.analysis, self.dataset.frame
        kinds: dict[str, set[Kind]] = {}
        for facet in analysis.facet or ():
            name = column_name(frame, facet.name_or_index, "analysis.facet")
            kinds.setdefault(name, set()).add(infer_kind(frame[name], facet.value_or_threshold))
        # A facet that is asked about twice, by values and by a threshold, is left to each of the two.
        settled = {name: found.pop() for name, found in kinds.items() if len(found) == 1}
        own = analysis.clarify_ops.model_copy(update={"kinds": {**settled, **analysis.clarify_ops.kinds}})
        return analysis.model_copy(update={"clarify_ops": own})

    @cached_property
    def rows(self) -> CodedRows:
        """All rows with their observed labels, coded."""
        name, analysis = self.pipeline.data.label, self.pipeline.analysis
        label = Column.of(self.dataset.frame[name]).distinct
        note = kind_note(label, analysis.label_values_or_threshold, analysis.clarify_ops.kinds.get(name), is_label=True)
        return coded(
            self.dataset.frame,
            analysis,
            Outcomes(name, self.positives.matches, self.positives.text, kinds={name: note}),
        )

    def predicted(self, row: NDArray[np.int64], label: NDArray[np.bool_]) -> CodedRows:
        """Some rows, coded, with their predicted labels.

        Args:
            row: (predicted rows,) which.
            label: (predicted rows,) predicted positives.
        """
        frame = self.dataset.frame.iloc[row].reset_index(drop=True)
        observed = Outcomes(self.pipeline.data.label, self.positives.matches[row], self.positives.text, label)
        return coded(frame, self.analysis, observed)

    @cached_property
    def columns(self) -> FeatureColumns:
        """What the model may see."""
        return choose_features(self.dataset, self.pipeline.data, self.pipeline.analysis)

    @cached_property
    def features(self) -> pd.DataFrame:
        """(rows, features): the model's input."""
        return self.columns.frame(self.dataset.frame)

    @property
    def labels(self) -> LabelNames:
        """How a model that was trained elsewhere may call its classes."""
        categorical = self.positives.kind == "categorical"
        listed = self.pipeline.analysis.label_values_or_threshold or () if categorical else ()
        return LabelNames.of(self.dataset.frame[self.pipeline.data.label], self.positives.matches, listed)

    @property
    def neighbourhood(self) -> pd.DataFrame:
        """(rows, columns) in which the flip test looks for neighbours: features and sensitive columns.

        A missing number becomes the column's median: a distance needs a number. Text stays text, which the flip test
        refuses, as Clarify's does.
        """
        frame = self.dataset.frame
        sensitive = [
            name for name in sensitive_columns(frame.columns, self.pipeline.analysis) if name not in self.features
        ]
        together = pd.concat([self.features, frame[sensitive]], axis=1)
        return together.fillna(together.median(numeric_only=True))

    @property
    def level(self) -> float:
        """Level of the intervals: the one that the policy judges by."""
        return self.pipeline.policy.confidence

    def claims(self) -> dict[str, object]:
        """What every step says it worked on."""
        return {
            "data": self.dataset.digest,
            "configuration": self.pipeline.configuration_digest,
            "seed": self.pipeline.seed,
            "confidence": self.level,
        }

    def places(self) -> dict[str, str]:
        """Where it was: for the envelope."""
        return {"data": self.dataset.uri}


def coded(frame: pd.DataFrame, analysis: AnalysisConfig, outcomes: Outcomes) -> CodedRows:
    """Rows as the analysis tells them apart.

    Raises:
        BadData: A facet value has no rows, or a continuous facet has no threshold.
    """
    group = analysis.group_variable
    rows = code_rows(
        frame,
        config=analysis,
        facets=[column_name(frame, one.name_or_index, "analysis.facet") for one in analysis.facet or ()],
        group=None if group is None else column_name(frame, group, "analysis.group_variable"),
        outcomes=outcomes,
    )
    refuse_empty_sides(rows.tally().table)
    return rows


def compared_columns(frame: pd.DataFrame, analysis: AnalysisConfig) -> list[str]:
    """Names of what a rule can be about: facets, intersections and the group variable."""
    group = () if analysis.group_variable is None else (analysis.group_variable,)
    columns = (*(one.name_or_index for one in analysis.facet or ()), *group)
    combined = (
        AND.join(column_name(frame, part, "analysis.clarify_ops.intersections") for part in one)
        for one in analysis.clarify_ops.intersections
    )
    return [*(column_name(frame, one, "analysis") for one in columns), *combined]


def check(inputs: Inputs) -> Inputs:
    """Looks at everything that can be wrong before any work is done."""
    analysis = inputs.pipeline.analysis
    dataset = inputs.dataset
    for facet in analysis.facet or ():
        column_name(dataset.frame, facet.name_or_index, "analysis.facet")
    if analysis.group_variable is not None:
        column_name(dataset.frame, analysis.group_variable, "analysis.group_variable")
    check_settings(analysis.methods)
    if not 0 <= analysis.probability_threshold < 1:
        raise BadDocument(
            f"analysis.probability_threshold is {analysis.probability_threshold:g}, which no probability is above and below.",
            "Give a number from 0 to below 1.",
        )
    if inputs.pipeline.data.label in sensitive_columns(dataset.frame.columns, analysis):
        raise BadDocument(f"The label {inputs.pipeline.data.label!r} is also a facet or the group variable.")
    stages: tuple[BiasStage, ...] = ("pre_training", "post_training")
    for stage in stages:
        requested_metrics(analysis, stage)
    check_policy(inputs.pipeline.policy, compared_columns(dataset.frame, analysis))
    _ = inputs.positives, inputs.columns
    return inputs

"""The explanations that a job asks for, of the dataset's rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pandas as pd

from clarify_ops.analysis.asking import AskedModel
from clarify_ops.analysis.explaining import (
    Subject,
    attribute,
    background_rows,
    dependence,
    explanation_facts,
    explanation_measures,
)
from clarify_ops.analysis.job import Job
from clarify_ops.config.analysis import AnalysisConfig, Shap
from clarify_ops.data.kinds import infer_kind
from clarify_ops.data.layout import AnalysisData
from clarify_ops.errors import BadDocument
from clarify_ops.gate.release import ExplanationFacts
from clarify_ops.measures import Measure

if TYPE_CHECKING:
    from clarify_ops.explain.explanation import Explanation
    from clarify_ops.explain.partial_dependence import FeatureKind


@dataclass(frozen=True)
class Explained:
    """What was found of the model; nothing where nothing was asked for.

    Attributes:
        document: The `explanations` of analysis.json.
        facts: For the report.
        measures: What a policy can bound.
        explanation: Attributions of every row.
        baseline: The rows behind them.
    """

    document: Mapping[str, Any] = field(default_factory=dict)
    facts: ExplanationFacts | None = None
    measures: tuple[Measure, ...] = ()
    explanation: Explanation | None = None
    baseline: pd.DataFrame | None = None


def explained(job: Job, data: AnalysisData, asked: AskedModel | None, progress: Callable[[str], None]) -> Explained:
    """Runs `methods.shap` and `methods.pdp`.

    Raises:
        BadInput: A baseline row or a feature's name does not fit the data.
        BadModel: The model's answers are no scores.
    """
    methods = job.config.methods
    if asked is None or not job.explains:
        return Explained()
    features = data.frame[list(data.features)]
    kinds: dict[str, FeatureKind] = {
        name: "numerical" if infer_kind(features[name]) == "continuous" else "categorical" for name in data.features
    }
    subject = Subject(asked.scores, features, kinds, progress, asked.outputs())
    document: dict[str, Any] = {}
    shap: dict[str, Any] = {}
    explanation = baseline = None
    measures: tuple[Measure, ...] = ()
    if methods.shap is not None:
        categorical = [name for name, kind in kinds.items() if kind == "categorical"]
        baseline = background_rows(in_rows(methods.shap, job.config), features, categorical)
        explanation = attribute(subject, methods.shap, baseline, job.config.clarify_ops.seed)
        document["kernel_shap"] = explanation.to_clarify(methods.shap.agg_method)
        shap = {**explanation.facts(), "aggregation": methods.shap.agg_method, "baseline_rows": len(baseline)}
        measures = explanation_measures(shap)
    if methods.pdp is not None:
        document["pdp"] = dependence(subject, methods.pdp, explanation)
    local = None if explanation is None else explanation.to_frame()
    facts = explanation_facts(
        shap,
        document.get("kernel_shap", {}),
        local_values={} if local is None else {str(name): tuple(local[name].tolist()) for name in local.columns},
        feature_values={}
        if local is None
        else {str(name): tuple(features[name].tolist()) for name in features.columns},
        partial_dependence=document.get("pdp", ()),
    )
    return Explained(document, facts, measures, explanation, baseline)


def in_rows(settings: Shap, config: AnalysisConfig) -> Shap:
    """The settings with a baseline as rows, where it has the layout of a JSON dataset.

    Clarify takes a baseline as the dataset is laid out: an object per row of JSON Lines, one object for all rows of JSON. An
    object in which the features' expression finds nothing has the features by name.

    Raises:
        BadDocument: The expression finds no list.
    """
    given = settings.baseline
    if config.features is None or given is None or isinstance(given, str):
        return settings
    import jmespath

    objects = [given] if isinstance(given, dict) else [one for one in given if isinstance(one, dict)]
    found = [jmespath.search(config.features, one) for one in objects]
    if not objects or any(one is None for one in found):
        return settings
    for one in found:
        if not isinstance(one, list):
            raise BadDocument(f"methods.shap.baseline: the features {config.features!r} are no list there.")
    rows = [row for one in found for row in (one if one and isinstance(one[0], list) else [one])]
    return settings.model_copy(update={"baseline": tuple(map(tuple, rows))})

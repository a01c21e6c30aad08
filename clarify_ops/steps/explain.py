"""Explain: what each feature adds to each score, what it does on average, and how sure that is."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clarify_ops.analysis.explaining import Subject, attribute, background_rows, dependence, explanation_measures
from clarify_ops.config.analysis import Shap
from clarify_ops.data.kinds import infer_kind
from clarify_ops.documents import digest, write_json
from clarify_ops.explain.partial_dependence import FeatureKind
from clarify_ops.gate.evidence import require_same
from clarify_ops.measures import Measure
from clarify_ops.models.mlflow_model import Predict, load_predictor
from clarify_ops.steps import train
from clarify_ops.steps.folder import StepResult, read_step, step_output
from clarify_ops.steps.inputs import Inputs, Progress, check, silent
from clarify_ops.steps.posttraining_bias import read_predictions, read_trained
from clarify_ops.steps.pretraining_bias import find_data_leaks
from clarify_ops.training.saving import model_digest

if TYPE_CHECKING:
    from clarify_ops.explain.explanation import Explanation

NAME = "explain"
LOCAL = Path("explanations_shap", "out.csv")
BASELINE = Path("explanations_shap", "baseline.csv")
EXPLANATIONS = "explanations.json"


def run(
    pipeline: str | Path,
    output: str | Path,
    *,
    training: str | Path,
    data: str | None = None,
    policy: str | Path | None = None,
    progress: Progress = silent,
) -> StepResult:
    """Explains the model of a train step on the rows it was judged on.

    Args:
        pipeline: Path of the pipeline document.
        output: Folder to write: explanations_shap/, explanations.json, analysis.json, metrics.json, step.json.
        training: Output folder of the train step.
        data: URI of the dataset, in place of the pipeline's.
        policy: Path of a policy, in place of the pipeline's.
        progress: Told what is being done.
    """
    inputs = check(Inputs.read(pipeline, data=data, policy=policy))
    trained = read_trained(inputs, training)
    predict = released_model(inputs, trained)
    rows = inputs.features.iloc[read_predictions(trained).row].reset_index(drop=True)
    subject = subject_of(inputs, predict, rows, progress)
    methods = inputs.pipeline.analysis.methods
    with step_output(NAME, Path(output), inputs.places()) as work:
        work.claims.update(inputs.claims(), model=trained.claims["model"])
        explanations: dict[str, Any] = {}
        measures: tuple[Measure, ...] = ()
        facts: dict[str, Any] = {"shap": None, "pdp": []}
        explanation = None
        if methods.shap is not None:
            background = background_of(inputs, methods.shap)
            explanation = attribute(subject, methods.shap, background, inputs.pipeline.seed)
            explanations["kernel_shap"] = explanation.to_clarify(methods.shap.agg_method)
            facts["shap"] = {
                **explanation.facts(),
                "aggregation": methods.shap.agg_method,
                "baseline_rows": len(background),
                "quality": [one.to_json() for one in _quality(inputs, explanation)],
            }
            measures = explanation_measures(facts["shap"])
            work.claims["attributions"] = digest(explanation.values.tolist())
            if methods.shap.save_local_shap_values:
                (work.folder / LOCAL).parent.mkdir()
                explanation.to_frame().to_csv(work.folder / LOCAL, index=False)
                background.to_csv(work.folder / BASELINE, index=False)
        if methods.pdp is not None:
            explanations["pdp"] = facts["pdp"] = dependence(subject, methods.pdp, explanation)
        work.metrics(measures, explained=explanations)
        write_json(work.folder / EXPLANATIONS, facts)
        work.claims["explanations"] = digest(facts)
        write_json(work.folder / "analysis.json", {"version": "1.0", "explanations": explanations}, sort_keys=False)
    return read_step(output, NAME)


def _quality(inputs: Inputs, explanation: Explanation) -> tuple[Measure, ...]:
    """How much of the attributions goes to facets and to features that stand in for them; and the gap of the sums."""
    from clarify_ops.explain.stability import attribution_shares, relative_additivity_gap

    facets = list(dict.fromkeys(entry.facet for entry in inputs.rows.entries))
    proxies: dict[str, list[str]] = {}
    for leak in find_data_leaks(inputs):
        told = [facet for facet in facets if leak.outcome.startswith(f"the facet {facet} = ")]
        for facet in told:
            if leak.feature in explanation.features and leak.feature != facet:
                proxies.setdefault(facet, []).append(leak.feature)
    return (relative_additivity_gap(explanation), *attribution_shares(explanation, facets, proxies))


def _unasked(_: pd.DataFrame) -> NDArray[np.float64]:
    raise AssertionError("no model is asked while settings are checked")


def check_settings(inputs: Inputs) -> None:
    """Looks at the settings that would otherwise be found wrong after training.

    Raises:
        BadInput: A baseline row or a feature's name is wrong.
    """
    methods = inputs.pipeline.analysis.methods
    if methods.shap is not None:
        background_of(inputs, methods.shap)
    subject = subject_of(inputs, _unasked, inputs.features)
    named = (
        *((methods.shap and methods.shap.features_to_explain) or ()),
        *((methods.pdp and methods.pdp.features) or ()),
    )
    for column in named:
        subject.feature(column)


def released_model(inputs: Inputs, trained: StepResult) -> Predict:
    """The model of a train step, if its files are those that the step claims.

    Raises:
        Refused: They are others. They are compared before anything in them is read.
        BadModel: They cannot be read.
    """
    folder = trained.folder / train.MODEL
    require_same(trained.claims.get("model"), model_digest(folder), "model", train.NAME)
    return load_predictor(folder, trusted={inputs.pipeline.train.estimator.split(".")[0]})


def subject_of(inputs: Inputs, predict: Predict, rows: pd.DataFrame, progress: Progress = silent) -> Subject:
    """The model and its rows, with the kinds that the features have in all rows."""
    kinds: dict[str, FeatureKind] = {
        name: "numerical"
        if kind != "categorical" and infer_kind(inputs.dataset.frame[name]) == "continuous"
        else "categorical"
        for name, kind in inputs.columns.kinds.items()
    }
    return Subject(predict, rows, kinds, progress)


def background_of(inputs: Inputs, settings: Shap) -> pd.DataFrame:
    """The rows that stand for an absent feature."""
    return background_rows(settings, inputs.features, inputs.columns.of_kind("categorical"))

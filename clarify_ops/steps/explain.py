"""Explain: what each feature adds to each score, what it does on average, and how sure that is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clarify_ops.analysis.explaining import Subject, attribute, background_rows, dependence, explanation_measures
from clarify_ops.analysis.trust import stability_of, surrogate_of
from clarify_ops.config.analysis import Shap
from clarify_ops.data.kinds import infer_kind
from clarify_ops.documents import digest, write_json
from clarify_ops.errors import BadDocument, MissingExtra
from clarify_ops.explain.partial_dependence import FeatureKind
from clarify_ops.gate.evidence import require_same
from clarify_ops.measures import Measure
from clarify_ops.models.mlflow_model import Predict
from clarify_ops.steps import train
from clarify_ops.steps.folder import StepResult, read_step, step_output
from clarify_ops.steps.inputs import Inputs, check
from clarify_ops.steps.posttraining_bias import read_predictions, read_trained
from clarify_ops.steps.pretraining_bias import find_data_leaks
from clarify_ops.steps.progress import Progress, silent
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
    seen = train.seen(inputs, trained)
    rows = inputs.features[seen].iloc[read_predictions(trained).row].reset_index(drop=True)
    subject = subject_of(inputs, predict, rows, progress)
    methods = inputs.pipeline.analysis.methods
    with step_output(NAME, Path(output), inputs.places()) as work:
        work.claims.update(inputs.claims(), model=trained.claims["model"])
        explanations: dict[str, Any] = {}
        facts: dict[str, Any] = {"shap": None, "pdp": []}
        explanation = None
        if methods.shap is not None:
            background = background_of(inputs, methods.shap)[seen]
            explanation = attribute(subject, methods.shap, background, inputs.pipeline.seed)
            explanations["kernel_shap"] = explanation.to_clarify(methods.shap.agg_method)
            facts["shap"] = {
                **explanation.facts(),
                "aggregation": methods.shap.agg_method,
                "baseline_rows": len(background),
                "quality": [one.to_json() for one in _quality(inputs, explanation)],
            }
            work.claims["attributions"] = digest(explanation.values.tolist())
            if methods.shap.save_local_shap_values:
                (work.folder / LOCAL).parent.mkdir()
                explanation.to_frame().to_csv(work.folder / LOCAL, index=False)
                background.to_csv(work.folder / BASELINE, index=False)
        facts.update(_trust(inputs, subject))
        if methods.pdp is not None:
            explanations["pdp"] = facts["pdp"] = dependence(subject, methods.pdp, explanation)
        work.metrics(measures_of(facts), explained=explanations)
        write_json(work.folder / EXPLANATIONS, facts)
        work.claims["explanations"] = digest(facts)
        write_json(work.folder / "analysis.json", {"version": "1.0", "explanations": explanations}, sort_keys=False)
    return read_step(output, NAME)


def measures_of(facts: Mapping[str, Any]) -> tuple[Measure, ...]:
    """What a policy can bound, from the document of `explanations.json`."""
    shap, trust = facts["shap"], facts.get("trust", {})
    found = () if shap is None else explanation_measures(shap)
    return (*found, *(Measure.from_json(one) for one in trust.get("measures", ())))


def _trust(inputs: Inputs, subject: Subject) -> dict[str, Any]:
    """The surrogate's fidelity and how alike repeated rankings are, where the analysis asks for them."""
    own, shap = inputs.pipeline.analysis.clarify_ops, inputs.pipeline.analysis.methods.shap
    found: dict[str, Any] = {}
    measures: list[Measure] = []
    if own.surrogate is not None:
        subject.progress("fitting a surrogate")
        made = surrogate_of(
            subject,
            own.surrogate,
            categorical=[name for name in inputs.columns.of_kind("categorical") if name in subject.names],
            smallest_group=own.smallest_group,
            seed=inputs.pipeline.seed,
        )
        found["surrogate"] = made.to_json()
        measures += made.measures(inputs.level)
    if own.stability is not None and shap is not None:
        subject.progress("repeating explanations with other seeds and baselines")
        repeated = shap.model_copy(update={"seed": None})

        def again(rows: pd.DataFrame, background: pd.DataFrame, seed: int) -> Explanation:
            return attribute(replace(subject, rows=rows, progress=silent), repeated, background, seed)

        seed = inputs.pipeline.seed if shap.seed is None else shap.seed
        background = background_of(inputs, shap)[subject.names]
        found["stability"], more = stability_of(again, subject.rows, background, own.stability, seed)
        measures += more
    return {"trust": {**found, "measures": [one.to_json() for one in measures]}} if found else {}


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
        BadInput: A baseline row or a feature's name is wrong, or there are no attributions to repeat.
        MissingExtra: A surrogate needs a library that is not installed.
    """
    methods, own = inputs.pipeline.analysis.methods, inputs.pipeline.analysis.clarify_ops
    if methods.shap is not None:
        background_of(inputs, methods.shap)
    elif own.stability is not None:
        raise BadDocument(
            "analysis.clarify_ops.stability repeats attributions, and there are none.", "Set methods.shap."
        )
    if own.surrogate is not None and own.surrogate.kind == "lightgbm" and find_spec("lightgbm") is None:
        raise MissingExtra.of("surrogate", "LightGBM")
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
    return train.kept_model(inputs.pipeline.train, inputs, folder)


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

"""Explain: what each feature adds to each score, what it does on average, and how sure that is."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from clarify_ops.config.analysis import Column, Shap
from clarify_ops.data.kinds import infer_kind
from clarify_ops.documents import digest, write_json
from clarify_ops.errors import BadData, NotSupported
from clarify_ops.gate.evidence import require_same
from clarify_ops.measures import Measure
from clarify_ops.models.mlflow_model import Predict, load_predictor
from clarify_ops.steps import train
from clarify_ops.steps.folder import StepResult, read_step, step_output
from clarify_ops.steps.inputs import Inputs, Progress, check, silent
from clarify_ops.steps.posttraining_bias import read_predictions, read_trained
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
    methods = inputs.pipeline.analysis.methods
    with step_output(NAME, Path(output), inputs.places()) as work:
        work.claims.update(inputs.claims(), model=trained.claims["model"])
        explanations: dict[str, Any] = {}
        measures: tuple[Measure, ...] = ()
        facts: dict[str, Any] = {"shap": None, "pdp": []}
        explanation = None
        if methods.shap is not None:
            background = background_rows(inputs, methods.shap)
            explanation = attribute(inputs, methods.shap, predict, rows, background, progress)
            explanations["kernel_shap"] = explanation.to_clarify(methods.shap.agg_method)
            facts["shap"] = {
                **explanation.facts(),
                "aggregation": methods.shap.agg_method,
                "baseline_rows": len(background),
            }
            measures = explanation_measures(facts["shap"])
            work.claims["attributions"] = digest(explanation.values.tolist())
            if methods.shap.save_local_shap_values:
                (work.folder / LOCAL).parent.mkdir()
                explanation.to_frame().to_csv(work.folder / LOCAL, index=False)
                background.to_csv(work.folder / BASELINE, index=False)
        if methods.pdp is not None:
            explanations["pdp"] = facts["pdp"] = dependence(inputs, predict, rows, explanation, progress)
        work.metrics(measures, explained=explanations)
        write_json(work.folder / EXPLANATIONS, facts)
        work.claims["explanations"] = digest(facts)
        write_json(work.folder / "analysis.json", {"version": "1.0", "explanations": explanations}, sort_keys=False)
    return read_step(output, NAME)


def check_settings(inputs: Inputs) -> None:
    """Looks at the settings that would otherwise be found wrong after training.

    Raises:
        BadInput: A baseline row or a feature's name is wrong.
    """
    methods = inputs.pipeline.analysis.methods
    if methods.shap is not None:
        background_rows(inputs, methods.shap)
    named = (
        *((methods.shap and methods.shap.features_to_explain) or ()),
        *((methods.pdp and methods.pdp.features) or ()),
    )
    for column in named:
        _feature(inputs, column)


def released_model(inputs: Inputs, trained: StepResult) -> Predict:
    """The model of a train step, if its files are those that the step claims.

    Raises:
        Refused: They are others. They are compared before anything in them is read.
        BadModel: They cannot be read.
    """
    folder = trained.folder / train.MODEL
    require_same(trained.claims.get("model"), model_digest(folder), "model", train.NAME)
    return load_predictor(folder, trusted={inputs.pipeline.train.estimator.split(".")[0]})


def background_rows(inputs: Inputs, settings: Shap) -> pd.DataFrame:
    """The rows that stand for an absent feature: those given, or one typical row of the data."""
    from clarify_ops.explain.baseline import baseline_rows, typical_row

    if settings.baseline is None:
        return typical_row(inputs.features, inputs.columns.of_kind("categorical"))
    if isinstance(settings.baseline, str):
        # The rows of a file elsewhere would decide every attribution, and no digest would be about them.
        raise NotSupported(
            "The key analysis.methods.shap.baseline names a file, which is not supported here.",
            "Give the rows themselves.",
        )
    given = settings.baseline
    return baseline_rows(given if isinstance(given, Mapping) else list(given), inputs.features)


def attribute(
    inputs: Inputs, settings: Shap, predict: Predict, rows: pd.DataFrame, background: pd.DataFrame, progress: Progress
) -> Explanation:
    """Kernel SHAP of the rows."""
    from clarify_ops.explain.kernel import kernel_shap

    chosen = settings.features_to_explain
    return kernel_shap(
        predict,
        rows,
        background,
        num_samples=settings.num_samples,
        seed=inputs.pipeline.seed if settings.seed is None else settings.seed,
        features_to_explain=None if chosen is None else [_feature(inputs, one) for one in chosen],
        use_logit=settings.use_logit,
        progress=lambda done, total: progress(f"asked the model about {done:,} of {total:,} rows"),
    )


def explanation_measures(facts: Mapping[str, Any]) -> tuple[Measure, ...]:
    """What a policy can bound of `Explanation.facts`."""
    rows = facts["rows"]
    values = {
        "explained_rows": float(rows),
        "exact_share": facts["exact_rows"] / rows if rows else 0.0,
        "additivity_gap": facts["additivity_gap"],
        "warnings": float(len(facts["warnings"])),
    }
    found = [
        Measure(stage="explanations", metric=name, value=value, groups={"all": rows}, exact=True)
        for name, value in values.items()
    ]
    error = facts["largest_standard_error"]
    reason = "" if error is not None else "No value has a standard error."
    found.append(
        Measure(
            stage="explanations",
            metric="largest_standard_error",
            value=error,
            reason=reason,
            groups={"all": rows},
            exact=True,
        )
    )
    return tuple(found)


def dependence(
    inputs: Inputs, predict: Predict, rows: pd.DataFrame, explanation: Explanation | None, progress: Progress
) -> list[dict[str, Any]]:
    """Clarify's `pdp` entries."""
    from clarify_ops.explain.partial_dependence import partial_dependence

    settings = inputs.pipeline.analysis.methods.pdp
    if settings is None:
        return []
    if settings.features is not None:
        names = [_feature(inputs, one) for one in settings.features]
    elif explanation is not None:
        weights = np.abs(explanation.global_values()).sum(axis=1)
        strongest = np.argsort(-weights, kind="stable")[: settings.top_k_features]
        names = [explanation.features[one] for one in strongest]
    else:
        names = inputs.columns.names[: settings.top_k_features]
    found = partial_dependence(
        predict,
        rows,
        {name: _dependence_kind(inputs, name) for name in names},
        grid_resolution=settings.grid_resolution,
        progress=lambda done, total: progress(f"partial dependence of {done} of {total} features"),
    )
    return [one.to_clarify() for one in found]


def _dependence_kind(inputs: Inputs, name: str) -> Any:
    if inputs.columns.kinds[name] == "categorical":
        return "categorical"
    return "numerical" if infer_kind(inputs.dataset.frame[name]) == "continuous" else "categorical"


def _feature(inputs: Inputs, column: Column) -> str:
    names = inputs.columns.names
    if isinstance(column, int):
        if not 0 <= column < len(names):
            raise BadData(f"The analysis names feature {column}, but there are {len(names)}, numbered from 0.")
        return names[column]
    if column not in names:
        raise BadData.unknown_column(column, names, "analysis.methods")
    return column

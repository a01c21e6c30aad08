"""The components. Each calls one step of the library; its signature and its words are what a pipeline's author sees.

kfp copies the source of a function into the pipeline and runs it in the image: a body imports all that it uses. It runs in
the image as it is: nothing is installed when a task starts.
"""

from typing import Optional

from kfp import dsl

from clarify_ops.components.image import image

_component = dsl.component(base_image=image(), install_kfp_package=False)


@_component
def pretraining_bias(
    *,
    pipeline: str,
    pretraining_bias: dsl.Output[dsl.Artifact],
    metrics: dsl.Output[dsl.Metrics],
    dataset: Optional[dsl.Input[dsl.Dataset]] = None,
    data: str = "",
    policy: str = "",
) -> None:
    """Measures bias in the labels, counts every group, and looks for columns that give label or facet away.

    Args:
        pipeline: The pipeline document (pipeline.yaml), as self-contained text.
        dataset: The dataset as an artifact, in place of the pipeline's; data.format must say what it is.
        data: URI of the dataset, in place of the pipeline's.
        policy: A policy, in place of the pipeline's, as text.
        pretraining_bias: Folder with step.json, metrics.json and analysis.json.
        metrics: Every measure that is a number.
    """
    from clarify_ops.components.task import log_measures, task
    from clarify_ops.steps import pretraining_bias as step

    with task(pipeline, policy, data, dataset) as files:
        result = step.run(files.pipeline, pretraining_bias.path, **files.common)
        log_measures(metrics, result.measures)


@_component
def train(
    *,
    pipeline: str,
    training: dsl.Output[dsl.Artifact],
    model: dsl.Output[dsl.Model],
    dataset: Optional[dsl.Input[dsl.Dataset]] = None,
    data: str = "",
    policy: str = "",
) -> None:
    """Fits the estimator, predicts rows that were not seen, and saves an MLflow model as data, not as a pickle.

    Args:
        pipeline: The pipeline document (pipeline.yaml), as self-contained text.
        dataset: The dataset as an artifact, in place of the pipeline's; data.format must say what it is.
        data: URI of the dataset, in place of the pipeline's.
        policy: A policy, in place of the pipeline's, as text.
        training: Folder with step.json, metrics.json, predictions.parquet and the model.
        model: The model by itself: a folder that mlflow.pyfunc.load_model takes. It is a candidate: nothing judged it yet.
    """
    import shutil

    from clarify_ops.components.task import task
    from clarify_ops.steps import train as step

    with task(pipeline, policy, data, dataset) as files:
        result = step.run(files.pipeline, training.path, **files.common)
        shutil.copytree(result.folder / step.MODEL, model.path)
        model.metadata.update(framework="mlflow", digest=result.claims["model"])


@_component
def posttraining_bias(
    *,
    pipeline: str,
    training: dsl.Input[dsl.Artifact],
    posttraining_bias: dsl.Output[dsl.Artifact],
    metrics: dsl.Output[dsl.Metrics],
    dataset: Optional[dsl.Input[dsl.Dataset]] = None,
    data: str = "",
    policy: str = "",
) -> None:
    """Measures bias of the predictions, and their quality for everybody and for each facet value.

    Args:
        pipeline: The pipeline document (pipeline.yaml), as self-contained text.
        training: Output folder of the train step.
        dataset: The dataset as an artifact, in place of the pipeline's; data.format must say what it is.
        data: URI of the dataset, in place of the pipeline's.
        policy: A policy, in place of the pipeline's, as text.
        posttraining_bias: Folder with step.json, metrics.json and analysis.json.
        metrics: Every measure that is a number.
    """
    from clarify_ops.components.task import log_measures, task
    from clarify_ops.steps import posttraining_bias as step

    with task(pipeline, policy, data, dataset) as files:
        result = step.run(files.pipeline, posttraining_bias.path, training=training.path, **files.common)
        log_measures(metrics, result.measures)


@_component
def explain(
    *,
    pipeline: str,
    training: dsl.Input[dsl.Artifact],
    explanations: dsl.Output[dsl.Artifact],
    metrics: dsl.Output[dsl.Metrics],
    dataset: Optional[dsl.Input[dsl.Dataset]] = None,
    data: str = "",
    policy: str = "",
) -> None:
    """Attributes every score to features with Kernel SHAP, and shows what each feature does on average.

    Args:
        pipeline: The pipeline document (pipeline.yaml), as self-contained text.
        training: Output folder of the train step.
        dataset: The dataset as an artifact, in place of the pipeline's; data.format must say what it is.
        data: URI of the dataset, in place of the pipeline's.
        policy: A policy, in place of the pipeline's, as text.
        explanations: Folder with step.json, metrics.json, analysis.json, explanations.json and explanations_shap/.
        metrics: How well the explanations explain.
    """
    from clarify_ops.components.task import log_measures, task
    from clarify_ops.steps import explain as step

    with task(pipeline, policy, data, dataset) as files:
        result = step.run(files.pipeline, explanations.path, training=training.path, **files.common)
        log_measures(metrics, result.measures)


@_component
def gate(
    *,
    pipeline: str,
    pretraining_bias: dsl.Input[dsl.Artifact],
    training: dsl.Input[dsl.Artifact],
    posttraining_bias: dsl.Input[dsl.Artifact],
    explanations: dsl.Input[dsl.Artifact],
    gate: dsl.Output[dsl.Artifact],
    verdict: dsl.Output[dsl.Artifact],
    evidence: dsl.Output[dsl.Artifact],
    dataset: Optional[dsl.Input[dsl.Dataset]] = None,
    data: str = "",
    policy: str = "",
    champion: str = "",
    no_fail: bool = False,
) -> str:
    """Checks that the evidence belongs together, measures again, and judges by the policy; registers nothing.

    Args:
        pipeline: The pipeline document (pipeline.yaml), as self-contained text.
        pretraining_bias: Output folder of the pretraining-bias step.
        training: Output folder of the train step.
        posttraining_bias: Output folder of the posttraining-bias step.
        explanations: Output folder of the explain step.
        dataset: The dataset as an artifact, in place of the pipeline's; data.format must say what it is.
        data: URI of the dataset, in place of the pipeline's.
        policy: A policy, in place of the pipeline's, as text.
        champion: What the candidate is compared with, in place of the registry's champion: a model or predictions.
        no_fail: Exit with 0 whatever the verdict, for an orchestrator that branches on it.
        gate: Folder with step.json, metrics.json, analysis.json, verdict.json and evidence.json.
        verdict: The gate's answer, rule by rule.
        evidence: Claims that bind data, model, configuration, policy and verdict, under one digest.

    Returns:
        PASS, FAIL or INCONCLUSIVE, for dsl.If. A policy that only warns lets an INCONCLUSIVE model register as well.
    """
    import shutil
    from pathlib import Path

    from clarify_ops.components.task import require_may_register, task
    from clarify_ops.steps import gate as step
    from clarify_ops.steps.judging import Parts

    with task(pipeline, policy, data, dataset) as files:
        parts = Parts(*(Path(one.path) for one in (pretraining_bias, training, posttraining_bias, explanations)))
        result, answer = step.run(files.pipeline, gate.path, parts=parts, champion=champion or None, **files.common)
        shutil.copy(result.folder / step.VERDICT, verdict.path)
        shutil.copy(result.folder / step.EVIDENCE, evidence.path)
        if not no_fail:
            require_may_register(answer.to_json())
        return answer.outcome


@_component
def register(
    *,
    pipeline: str,
    pretraining_bias: dsl.Input[dsl.Artifact],
    training: dsl.Input[dsl.Artifact],
    posttraining_bias: dsl.Input[dsl.Artifact],
    explanations: dsl.Input[dsl.Artifact],
    release: dsl.Output[dsl.Artifact],
    report: dsl.Output[dsl.HTML],
    card: dsl.Output[dsl.Markdown],
    metrics: dsl.Output[dsl.Metrics],
    dataset: Optional[dsl.Input[dsl.Dataset]] = None,
    verdict: Optional[dsl.Input[dsl.Artifact]] = None,
    evidence: Optional[dsl.Input[dsl.Artifact]] = None,
    data: str = "",
    policy: str = "",
    champion: str = "",
    registry_uri: str = "",
    no_fail: bool = False,
) -> str:
    """Judges again, writes verdict, evidence, report and model card, and registers a model that passes.

    Args:
        pipeline: The pipeline document (pipeline.yaml), as self-contained text.
        pretraining_bias: Output folder of the pretraining-bias step.
        training: Output folder of the train step.
        posttraining_bias: Output folder of the posttraining-bias step.
        explanations: Output folder of the explain step.
        dataset: The dataset as an artifact, in place of the pipeline's; data.format must say what it is.
        data: URI of the dataset, in place of the pipeline's.
        policy: A policy, in place of the pipeline's, as text.
        champion: What the candidate is compared with, in place of the registry's champion: a model or predictions.
        verdict: A verdict computed before; it must equal the one computed here.
        evidence: Evidence made before; it must equal the one made here.
        registry_uri: The registry, in place of the pipeline's: an MLflow tracking URI, or S3.
        no_fail: Succeed though the gate refuses, for Kubeflow throws away what a failed task wrote. Follow it by
            require_pass, so that the run fails with the report at hand.
        release: Folder with verdict, evidence, measures, report, card and plots, and registration.json when registered.
        report: The report.
        card: The model card.
        metrics: Every measure of every step that is a number.

    Returns:
        PASS, FAIL or INCONCLUSIVE.
    """
    import shutil
    from pathlib import Path

    from clarify_ops.card.attached import CARD, REPORT
    from clarify_ops.components.task import log_measures, require_may_register, task
    from clarify_ops.steps import register as step
    from clarify_ops.steps.judging import Parts

    with task(pipeline, policy, data, dataset) as files:
        outcome = step.run(
            files.pipeline,
            release.path,
            parts=Parts(*(Path(one.path) for one in (pretraining_bias, training, posttraining_bias, explanations))),
            verdict=None if verdict is None else verdict.path,
            evidence=None if evidence is None else evidence.path,
            registry_uri=registry_uri or None,
            champion=champion or None,
            **files.common,
        )
        shutil.copy(outcome.result.folder / REPORT, report.path)
        shutil.copy(outcome.result.folder / CARD, card.path)
        log_measures(metrics, outcome.result.measures)
        if not no_fail:
            require_may_register(outcome.verdict.to_json())
        return outcome.verdict.outcome


@_component
def audit(
    *,
    audit: dsl.Output[dsl.Artifact],
    pipeline: str = "",
    registry_uri: str = "",
    model: str = "",
    demote: bool = False,
) -> None:
    """Lists versions and aliases of a registry without valid evidence, and fails when there are any.

    Args:
        pipeline: A pipeline document, whose registry is meant, as self-contained text.
        registry_uri: The registry, in place of the pipeline's; without a pipeline an MLflow tracking URI, or S3.
        model: The registered model; all models by default.
        demote: Take the aliases from versions without valid evidence; remove no version.
        audit: Folder with audit.json, which Kubeflow keeps where nothing is wrong; else the task's log tells.
    """
    from clarify_ops.components.task import require_clean, task, tell
    from clarify_ops.steps import audit as step

    with task(pipeline, "", "", None) as files:
        require_clean(
            step.run(
                audit.path,
                pipeline=files.pipeline if pipeline else None,
                registry_uri=registry_uri or None,
                model=model or None,
                demote=demote,
                progress=tell,
            )
        )


@_component
def require_pass(judged: dsl.Input[dsl.Artifact]) -> None:
    """Fails when the gate refused.

    Args:
        judged: Output folder of the gate or the register step.
    """
    from pathlib import Path

    from clarify_ops.components.task import one_sentence, require_may_register
    from clarify_ops.documents import read_document

    with one_sentence():
        require_may_register(read_document(Path(judged.path, "verdict.json"), "verdict"))

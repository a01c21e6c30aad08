"""The components that judge: gate, register, and one that fails a run that was refused."""

from typing import NamedTuple, Optional

from kfp import dsl

from clarify_ops.components.kubeflow.decorator import component


@component
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
    report: dsl.Output[dsl.HTML],
    card: dsl.Output[dsl.Markdown],
    dataset: Optional[dsl.Input[dsl.Dataset]] = None,
    data: str = "",
    policy: str = "",
    champion: str = "",
    registry_uri: str = "",
    no_fail: bool = False,
) -> NamedTuple("Judged", [("outcome", str), ("may_register", bool)]):  # type: ignore[valid-type]
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
        registry_uri: The registry, in place of the pipeline's: an MLflow tracking URI, or S3.
        no_fail: Exit with 0 whatever the verdict, for an orchestrator that branches on it.

    Returns:
        gate: Folder with step.json, metrics.json, analysis.json, verdict.json, evidence.json, report and card.
        verdict: The gate's answer, rule by rule.
        evidence: Claims that bind data, model, configuration, policy and verdict, under one digest.
        report: The report.
        card: The model card.
        outcome: PASS, FAIL or INCONCLUSIVE.
        may_register: Whether the policy lets the model into the registry, for dsl.If.
    """
    import shutil
    from pathlib import Path

    from clarify_ops.card.attached import CARD, REPORT
    from clarify_ops.components.task import require_may_register, task
    from clarify_ops.steps import gate as step
    from clarify_ops.steps.judging import Parts

    with task(pipeline, policy, data, dataset, registry_uri) as files:
        parts = Parts(*(Path(one.path) for one in (pretraining_bias, training, posttraining_bias, explanations)))
        result, answer = step.run(
            files.pipeline,
            gate.path,
            parts=parts,
            champion=champion or None,
            registry_uri=registry_uri or None,
            **files.common,
        )
        shutil.copy(result.folder / step.VERDICT, verdict.path)
        shutil.copy(result.folder / step.EVIDENCE, evidence.path)
        shutil.copy(result.folder / REPORT, report.path)
        shutil.copy(result.folder / CARD, card.path)
        if not no_fail:
            require_may_register(answer.to_json())
        return answer.outcome, answer.may_register


@component
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
) -> NamedTuple("Registered", [("outcome", str), ("version", str)]):  # type: ignore[valid-type]
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

    Returns:
        release: Folder with verdict, evidence, measures, report, card and plots, and registration.json when registered.
        report: The report.
        card: The model card.
        metrics: Every measure of every step that is a number.
        outcome: PASS, FAIL or INCONCLUSIVE.
        version: The version in the registry; "" where nothing was registered.
    """
    import shutil
    from pathlib import Path

    from clarify_ops.card.attached import CARD, REPORT
    from clarify_ops.components.task import log_measures, require_may_register, task
    from clarify_ops.steps import register as step
    from clarify_ops.steps.judging import Parts

    with task(pipeline, policy, data, dataset, registry_uri) as files:
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
        return outcome.verdict.outcome, outcome.registration.version or ""


@component
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

"""A function for every step of the table: its inputs and parameters by name, and a step of a SageMaker pipeline out.

A step runs `clarify-ops VERB` in our image. Folders of earlier steps and documents arrive below `/opt/ml/processing/input`, what the
step writes leaves from `/opt/ml/processing/output`, and S3 lies between. Every argument may be a pipeline variable.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

from clarify_ops.components.sagemaker.processing import StepOptions, processing_step

if TYPE_CHECKING:
    from sagemaker.mlops.workflow import ProcessingStep

    from clarify_ops.components.sagemaker.job import Job
    from clarify_ops.components.sagemaker.variables import Data, Document, Flag, Folder, Text


def pretraining_bias(
    job: Job,
    *,
    pipeline: Document,
    data: Data | None = None,
    policy: Document | None = None,
    **options: Unpack[StepOptions],
) -> ProcessingStep:
    """Measures bias in the labels, counts every group, and looks for columns that give label or facet away.

    Args:
        job: Where and as whom it runs.
        pipeline: The pipeline document (pipeline.yaml).
        data: URI of the dataset, in place of the pipeline's.
        policy: A policy, in place of the pipeline's.
        options: Name, dependencies, caching and retries: see `StepOptions`.
    """
    values = {
        "pipeline": pipeline,
        "data": data,
        "policy": policy,
    }
    return processing_step(job, "pretraining-bias", values, options)


def train(
    job: Job,
    *,
    pipeline: Document,
    data: Data | None = None,
    model: Folder | None = None,
    policy: Document | None = None,
    **options: Unpack[StepOptions],
) -> ProcessingStep:
    """Fits the estimator, predicts rows that were not seen, and saves an MLflow model as data, not as a pickle.

    Args:
        job: Where and as whom it runs.
        pipeline: The pipeline document (pipeline.yaml).
        data: URI of the dataset, in place of the pipeline's.
        model: A model that was trained elsewhere, in place of fitting one: an MLflow model.
        policy: A policy, in place of the pipeline's.
        options: Name, dependencies, caching and retries: see `StepOptions`.
    """
    values = {
        "pipeline": pipeline,
        "data": data,
        "model": model,
        "policy": policy,
    }
    return processing_step(job, "train", values, options)


def posttraining_bias(
    job: Job,
    *,
    pipeline: Document,
    training: Folder,
    data: Data | None = None,
    policy: Document | None = None,
    **options: Unpack[StepOptions],
) -> ProcessingStep:
    """Measures bias of the predictions, and their quality for everybody and for each facet value.

    Args:
        job: Where and as whom it runs.
        pipeline: The pipeline document (pipeline.yaml).
        training: Output folder of the train step.
        data: URI of the dataset, in place of the pipeline's.
        policy: A policy, in place of the pipeline's.
        options: Name, dependencies, caching and retries: see `StepOptions`.
    """
    values = {
        "pipeline": pipeline,
        "data": data,
        "training": training,
        "policy": policy,
    }
    return processing_step(job, "posttraining-bias", values, options)


def explain(
    job: Job,
    *,
    pipeline: Document,
    training: Folder,
    data: Data | None = None,
    policy: Document | None = None,
    **options: Unpack[StepOptions],
) -> ProcessingStep:
    """Attributes every score to features with Kernel SHAP, and shows what each feature does on average.

    Args:
        job: Where and as whom it runs.
        pipeline: The pipeline document (pipeline.yaml).
        training: Output folder of the train step.
        data: URI of the dataset, in place of the pipeline's.
        policy: A policy, in place of the pipeline's.
        options: Name, dependencies, caching and retries: see `StepOptions`.
    """
    values = {
        "pipeline": pipeline,
        "data": data,
        "training": training,
        "policy": policy,
    }
    return processing_step(job, "explain", values, options)


def gate(
    job: Job,
    *,
    pipeline: Document,
    pretraining_bias: Folder,
    training: Folder,
    posttraining_bias: Folder,
    explanations: Folder,
    data: Data | None = None,
    policy: Document | None = None,
    champion: Text | None = None,
    registry_uri: Text | None = None,
    no_fail: Flag = True,
    **options: Unpack[StepOptions],
) -> ProcessingStep:
    """Checks that the evidence belongs together, measures again, and judges by the policy; registers nothing.

    It succeeds whatever the verdict, unlike on the command line: a processing job that fails ends the pipeline before
    anything could branch. `answer` reads its verdict, `may_register` branches on it.

    Args:
        job: Where and as whom it runs.
        pipeline: The pipeline document (pipeline.yaml).
        pretraining_bias: Output folder of the pretraining-bias step.
        training: Output folder of the train step.
        posttraining_bias: Output folder of the posttraining-bias step.
        explanations: Output folder of the explain step.
        data: URI of the dataset, in place of the pipeline's.
        policy: A policy, in place of the pipeline's.
        champion: What the candidate is compared with, in place of the registry's champion: a model or predictions.
        registry_uri: The registry, in place of the pipeline's: an MLflow tracking URI, or S3.
        no_fail: Exit with 0 whatever the verdict, for an orchestrator that branches on it.
        options: Name, dependencies, caching and retries: see `StepOptions`.
    """
    values = {
        "pipeline": pipeline,
        "data": data,
        "pretraining_bias": pretraining_bias,
        "training": training,
        "posttraining_bias": posttraining_bias,
        "explanations": explanations,
        "policy": policy,
        "champion": champion,
        "registry_uri": registry_uri,
        "no_fail": no_fail,
    }
    return processing_step(job, "gate", values, options)


def register(
    job: Job,
    *,
    pipeline: Document,
    pretraining_bias: Folder,
    training: Folder,
    posttraining_bias: Folder,
    explanations: Folder,
    data: Data | None = None,
    policy: Document | None = None,
    champion: Text | None = None,
    registry_uri: Text | None = None,
    verdict: Document | None = None,
    evidence: Document | None = None,
    **options: Unpack[StepOptions],
) -> ProcessingStep:
    """Judges again, writes verdict, evidence, report and model card, and registers a model that passes.

    A verdict or evidence from the gate is named by the gate's step. The registry is MLflow's or SageMaker's: the pipeline
    document says which.

    Args:
        job: Where and as whom it runs.
        pipeline: The pipeline document (pipeline.yaml).
        pretraining_bias: Output folder of the pretraining-bias step.
        training: Output folder of the train step.
        posttraining_bias: Output folder of the posttraining-bias step.
        explanations: Output folder of the explain step.
        data: URI of the dataset, in place of the pipeline's.
        policy: A policy, in place of the pipeline's.
        champion: What the candidate is compared with, in place of the registry's champion: a model or predictions.
        registry_uri: The registry, in place of the pipeline's: an MLflow tracking URI, or S3.
        verdict: A verdict computed before; it must equal the one computed here.
        evidence: Evidence made before; it must equal the one made here.
        options: Name, dependencies, caching and retries: see `StepOptions`.
    """
    values = {
        "pipeline": pipeline,
        "data": data,
        "pretraining_bias": pretraining_bias,
        "training": training,
        "posttraining_bias": posttraining_bias,
        "explanations": explanations,
        "policy": policy,
        "champion": champion,
        "registry_uri": registry_uri,
        "verdict": verdict,
        "evidence": evidence,
    }
    return processing_step(job, "register", values, options)


def publish(
    job: Job,
    *,
    to: Text,
    release: Folder | None = None,
    state: Text | None = None,
    message: Text | None = None,
    **options: Unpack[StepOptions],
) -> ProcessingStep:
    """Puts report, card and verdict where people look, and says how the run ended, however it ended.

    It writes to `to` itself, with the role of the job.

    Args:
        job: Where and as whom it runs.
        to: Folder or prefix that the run has for itself, and that people can read.
        release: Output folder of the gate or the register step; where there is none, a page says how far the run came.
        state: How the run ended, in the orchestrator's words.
        message: Why it ended so.
        options: Name, dependencies, caching and retries: see `StepOptions`.
    """
    values = {
        "release": release,
        "to": to,
        "state": state,
        "message": message,
    }
    return processing_step(job, "publish", values, options)


def audit(
    job: Job,
    *,
    pipeline: Document | None = None,
    registry_uri: Text | None = None,
    model: Text | None = None,
    demote: Flag = False,
    **options: Unpack[StepOptions],
) -> ProcessingStep:
    """Lists versions and aliases of a registry without valid evidence, and fails when there are any.

    Args:
        job: Where and as whom it runs.
        pipeline: A pipeline document, whose registry is meant.
        registry_uri: The registry, in place of the pipeline's; without a pipeline an MLflow tracking URI, or S3.
        model: The registered model; all models by default.
        demote: Take the aliases from versions without valid evidence; remove no version.
        options: Name, dependencies, caching and retries: see `StepOptions`.
    """
    values = {
        "pipeline": pipeline,
        "registry_uri": registry_uri,
        "model": model,
        "demote": demote,
    }
    return processing_step(job, "audit", values, options)

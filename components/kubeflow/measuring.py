"""The components up to the gate. Each calls one step of the library; its signature and its words are what a pipeline's author sees.

kfp copies the source of a function into the pipeline and runs it in the image: a body imports all that it uses.
"""

from typing import Optional

from kfp import dsl

from clarify_ops.components.kubeflow.decorator import component


@component
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

    Returns:
        pretraining_bias: Folder with step.json, metrics.json and analysis.json.
        metrics: Every measure that is a number.
    """
    from clarify_ops.components.task import log_measures, task
    from clarify_ops.steps import pretraining_bias as step

    with task(pipeline, policy, data, dataset) as files:
        result = step.run(files.pipeline, pretraining_bias.path, **files.common)
        log_measures(metrics, result.measures)


@component
def train(
    *,
    pipeline: str,
    training: dsl.Output[dsl.Artifact],
    candidate: dsl.Output[dsl.Model],
    dataset: Optional[dsl.Input[dsl.Dataset]] = None,
    model: Optional[dsl.Input[dsl.Model]] = None,
    data: str = "",
    policy: str = "",
) -> None:
    """Fits the estimator, predicts rows that were not seen, and saves an MLflow model as data, not as a pickle.

    Args:
        pipeline: The pipeline document (pipeline.yaml), as self-contained text.
        dataset: The dataset as an artifact, in place of the pipeline's; data.format must say what it is.
        data: URI of the dataset, in place of the pipeline's.
        policy: A policy, in place of the pipeline's, as text.
        model: A model that was trained elsewhere, in place of fitting one: an MLflow model.

    Returns:
        training: Folder with step.json, metrics.json, predictions.parquet and the model.
        candidate: The model by itself: a folder that mlflow.pyfunc.load_model takes. Nothing judged it yet.
    """
    import shutil

    from clarify_ops.components.task import task
    from clarify_ops.steps import train as step

    with task(pipeline, policy, data, dataset) as files:
        result = step.run(files.pipeline, training.path, model=None if model is None else model.path, **files.common)
        # A task that is tried again finds what the last try left.
        shutil.copytree(result.folder / step.MODEL, candidate.path, dirs_exist_ok=True)
        candidate.metadata.update(framework="mlflow", digest=result.claims["model"])


@component
def posttraining_bias(
    *,
    pipeline: str,
    training: dsl.Input[dsl.Artifact],
    posttraining_bias: dsl.Output[dsl.Artifact],
    metrics: dsl.Output[dsl.Metrics],
    classification: dsl.Output[dsl.ClassificationMetrics],
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

    Returns:
        posttraining_bias: Folder with step.json, metrics.json and analysis.json.
        metrics: Every measure that is a number.
        classification: Confusion matrix and ROC curve of all judged rows.
    """
    from clarify_ops.components.task import log_measures, log_predictions, task
    from clarify_ops.steps import posttraining_bias as step

    with task(pipeline, policy, data, dataset) as files:
        result = step.run(files.pipeline, posttraining_bias.path, training=training.path, **files.common)
        log_measures(metrics, result.measures)
        log_predictions(classification, training.path)


@component
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

    Returns:
        explanations: Folder with step.json, metrics.json, analysis.json, explanations.json and explanations_shap/.
        metrics: How well the explanations explain.
    """
    from clarify_ops.components.task import log_measures, task
    from clarify_ops.steps import explain as step

    with task(pipeline, policy, data, dataset) as files:
        result = step.run(files.pipeline, explanations.path, training=training.path, **files.common)
        log_measures(metrics, result.measures)

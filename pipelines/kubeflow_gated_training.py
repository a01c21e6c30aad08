"""Gated training on Kubeflow Pipelines: five components, and a run that fails where the gate refuses.

Compile it:  kfp dsl compile --py pipelines/kubeflow_gated_training.py --output gated_training.yaml
"""

from kfp import dsl

from clarify_ops.components.kubeflow import (
    explain,
    posttraining_bias,
    pretraining_bias,
    register,
    require_pass,
    train,
)


@dsl.pipeline(name="gated-training", description="Trains a model and registers it only if the policy lets it.")
def gated_training(pipeline: str, policy: str = "", data: str = "", registry_uri: str = "") -> None:
    """Trains a model, measures its bias before and after, explains it, and registers it if the policy lets it.

    Args:
        pipeline: The pipeline document, as self-contained text: clarify_ops.components.documents.self_contained makes it.
        policy: A policy, in place of the pipeline's, as text.
        data: URI of the dataset, in place of the pipeline's.
        registry_uri: MLflow tracking URI, in place of the pipeline's.
    """
    settings = {"pipeline": pipeline, "policy": policy, "data": data}

    before = pretraining_bias(**settings)
    training = train(**settings).outputs["training"]
    after = posttraining_bias(training=training, **settings)
    explained = explain(training=training, **settings)
    registered = register(
        pretraining_bias=before.outputs["pretraining_bias"],
        training=training,
        posttraining_bias=after.outputs["posttraining_bias"],
        explanations=explained.outputs["explanations"],
        registry_uri=registry_uri,
        # Kubeflow keeps nothing of a failed task. So this one succeeds, and shows report and card of a refused model as
        # well; the next one fails the run.
        no_fail=True,
        **settings,
    )
    # A verdict depends on the day, for waivers expire; and a registration is an act, not a result.
    registered.set_caching_options(enable_caching=False)

    answer = require_pass(judged=registered.outputs["release"])
    answer.set_caching_options(enable_caching=False)

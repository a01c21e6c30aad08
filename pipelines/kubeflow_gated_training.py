"""Gated training on Kubeflow Pipelines: a model that the policy refuses is not registered, and its report says why.

Compile it:  kfp dsl compile --py pipelines/kubeflow_gated_training.py --output gated_training.yaml
"""

from kfp import dsl

from clarify_ops.components.kubeflow import (
    explain,
    gate,
    posttraining_bias,
    pretraining_bias,
    publish,
    publish_at_exit,
    register,
    require_pass,
    settled,
    train,
)


@dsl.pipeline(name="gated-training", description="Trains a model and registers it only if the policy lets it.")
def gated_training(pipeline: str, reports: str, policy: str = "", data: str = "", registry_uri: str = "") -> None:
    """Trains a model, measures its bias before and after, explains it, and registers it if the policy lets it.

    Args:
        pipeline: The pipeline document, as self-contained text: clarify_ops.components.documents.self_contained makes it.
        reports: Folder or bucket for reports; each run has its own place below it.
        policy: A policy, in place of the pipeline's, as text.
        data: URI of the dataset, in place of the pipeline's.
        registry_uri: MLflow tracking URI, in place of the pipeline's. A password belongs into the tasks' environment, for
            everybody who sees the run sees its parameters.
    """
    same = {"pipeline": pipeline, "policy": policy, "data": data}
    # Kubeflow fills in the run's id when it runs.
    place = f"{reports}/{dsl.PIPELINE_JOB_ID_PLACEHOLDER}"

    # `settled` gives a task what its step allows: results of a run before where they would be the same, other tries where
    # they may help. Its `cpu` and `memory` are Kubernetes' words, and limits.
    at_the_end = settled(publish_at_exit(to=place))

    # Whatever happens in this block, the exit task runs: people find a page at `place` after a crash as well.
    with dsl.ExitHandler(at_the_end, name="judged-training"):
        before = settled(pretraining_bias(**same))
        training = settled(train(**same), cpu="2", memory="4Gi").outputs["training"]
        after = settled(posttraining_bias(training=training, **same))
        explained = settled(explain(training=training, **same), cpu="2", memory="4Gi")

        evidence = {
            "pretraining_bias": before.outputs["pretraining_bias"],
            "training": training,
            "posttraining_bias": after.outputs["posttraining_bias"],
            "explanations": explained.outputs["explanations"],
        }
        # Kubeflow keeps nothing of a task that fails. So the gate succeeds whatever it says, and leaves its report.
        judged = settled(gate(no_fail=True, registry_uri=registry_uri, **evidence, **same))
        settled(publish(release=judged.outputs["gate"], to=place))

        # Not the outcome: a policy that only warns lets an inconclusive model in as well.
        with dsl.If(judged.outputs["may_register"] == True, name="open"):  # noqa: E712 - kfp compares when it runs
            # It takes nobody's word: it judges again, and refuses where the verdict is another one.
            settled(
                register(
                    verdict=judged.outputs["verdict"],
                    evidence=judged.outputs["evidence"],
                    registry_uri=registry_uri,
                    **evidence,
                    **same,
                )
            )
        with dsl.Else(name="shut"):
            # Fails the run, so that nobody takes it for a release.
            settled(require_pass(judged=judged.outputs["gate"]))

"""Gated training on SageMaker Pipelines: four steps, a gate, and registration only where the gate lets the model through.

Print its definition:  python -m clarify_ops.pipelines.sagemaker_gated_training ROLE RESULTS PIPELINE REGISTRY
"""

import sys
from typing import Any, Optional

from clarify_ops.components import sagemaker as steps


def gated_training(
    job: steps.Job,
    *,
    pipeline: str,
    registry_uri: str,
    data: Optional[str] = None,
    policy: Optional[str] = None,
    name: str = "gated-training",
) -> Any:
    """The pipeline; `.upsert(role_arn=...)` sends it to SageMaker, `.definition()` is its document.

    Args:
        job: Role, session, image and machine of the steps.
        pipeline: S3 URI of the self-contained pipeline document.
        registry_uri: MLflow tracking URI: a job's own disk does not outlive it.
        data: URI of the dataset, in place of the pipeline's; from S3 it is brought into the containers.
        policy: S3 URI of a policy, in place of the pipeline's.
        name: Of the pipeline.
    """
    from sagemaker.core.workflow.conditions import ConditionEquals
    from sagemaker.core.workflow.functions import Join
    from sagemaker.mlops.workflow import ConditionStep, FailStep, Pipeline

    settings: dict[str, Any] = {"pipeline": pipeline, "data": data, "policy": policy}
    before = steps.pretraining_bias(job, **settings)
    trained = steps.train(job, **settings)
    after = steps.posttraining_bias(job, training=trained, **settings)
    explained = steps.explain(job, training=trained, **settings)
    parts: dict[str, Any] = {
        "pretraining_bias": before,
        "training": trained,
        "posttraining_bias": after,
        "explanations": explained,
    }
    judged = steps.gate(job, **parts, **settings)
    registered = steps.register(job, **parts, **settings, verdict=judged, evidence=judged, registry_uri=registry_uri)
    refused = FailStep(
        name="Refused",
        error_message=Join(on=" ", values=["The gate says", steps.answer(judged, "outcome"), "and registers nothing."]),
    )
    branch = ConditionStep(
        name="MayRegister",
        conditions=[ConditionEquals(left=steps.answer(judged, "may_register"), right=True)],
        if_steps=[registered],
        else_steps=[refused],
    )
    return Pipeline(name=name, steps=[before, trained, after, explained, judged, branch], sagemaker_session=job.session)


def main() -> None:
    """Prints the definition.

    The arguments are the role's ARN, the S3 prefix for results, the S3 URI of the pipeline and the MLflow tracking URI.
    """
    import json

    from sagemaker.core.workflow.pipeline_context import PipelineSession

    role, results, pipeline, registry_uri = sys.argv[1:]
    job = steps.Job(role, results, PipelineSession())
    definition = gated_training(job, pipeline=pipeline, registry_uri=registry_uri).definition()
    print(json.dumps(json.loads(definition), indent=2))


if __name__ == "__main__":
    main()

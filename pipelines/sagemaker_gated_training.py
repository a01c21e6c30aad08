"""Gated training on SageMaker Pipelines: four steps, a gate whose report is published, and a registration that it may refuse.

Print its definition:  python -m clarify_ops.pipelines.sagemaker_gated_training ROLE RESULTS PIPELINE REGISTRY REPORTS
"""

import sys
from typing import Any, Optional

from clarify_ops.components import sagemaker as steps


def gated_training(
    job: steps.Job,
    *,
    pipeline: str,
    registry_uri: str,
    reports: str,
    data: str = "",
    policy: Optional[str] = None,
    name: str = "gated-training",
) -> Any:
    """The pipeline; `.upsert(role_arn=...)` sends it to SageMaker, `.definition()` is its document.

    All but the first and the last are parameters of the pipeline, which may be given anew at every start; these are their defaults.

    Args:
        job: Role, session, image and machine of the steps.
        pipeline: S3 URI of the self-contained pipeline document, or of the prefix that it alone lies in.
        registry_uri: MLflow tracking URI, or S3 for SageMaker's registry: a job's own disk does not outlive it.
        reports: Where report, card and verdict of every run are published, in a folder of the run.
        data: URI of the dataset, in place of the pipeline's; "" for the pipeline's.
        policy: S3 URI of a policy, in place of the pipeline's.
        name: Of the pipeline.
    """
    from sagemaker.core.workflow.execution_variables import ExecutionVariables
    from sagemaker.core.workflow.functions import Join
    from sagemaker.core.workflow.parameters import ParameterString
    from sagemaker.mlops.workflow import Pipeline
    from sagemaker.mlops.workflow.step_dependency import StepDependency, TriggerCondition

    defaults = {"Pipeline": pipeline, "Data": data, "Policy": policy, "RegistryUri": registry_uri, "Reports": reports}
    asked = {key: ParameterString(key, default_value=value) for key, value in defaults.items() if value is not None}
    settings: dict[str, Any] = {"pipeline": asked["Pipeline"], "data": asked["Data"], "policy": asked.get("Policy")}

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
    # The gate's step succeeds whatever the verdict, so its report is published on either branch, and before anything is registered.
    judged = steps.gate(job, **parts, **settings, registry_uri=asked["RegistryUri"])
    here = Join(on="/", values=[asked["Reports"], ExecutionVariables.PIPELINE_EXECUTION_ID])
    published = steps.publish(job, release=judged, to=here)
    registered = steps.register(
        job, **parts, **settings, verdict=judged, evidence=judged, registry_uri=asked["RegistryUri"]
    )
    # The other branch is a Fail step with the gate's reason.
    branch = steps.may_register(judged, if_steps=[registered], depends_on=[published])
    everything = [before, trained, after, explained, judged, published, branch]

    # SageMaker has no exit handler: a step that breaks ends the run there. But a step may wait for the failure of another, so
    # each has one that publishes how far the run came. Local mode knows no such steps and refuses them.
    if not job.session.local_mode:
        everything += [
            steps.publish(
                job,
                to=here,
                state="Failed",
                message=f"The step {one.name} failed; its job's log says why.",
                name=f"{one.name}Failed",
                depends_on=[StepDependency(one, TriggerCondition.FAILED)],
            )
            for one in (before, trained, after, explained, judged)
        ]
    return Pipeline(name=name, parameters=list(asked.values()), steps=everything, sagemaker_session=job.session)


def main() -> None:
    """Prints the definition; the arguments are the role's ARN and four URIs, in the order of the first line of this file."""
    import json

    from sagemaker.core.workflow.pipeline_context import PipelineSession

    role, results, pipeline, registry_uri, reports = sys.argv[1:]
    job = steps.Job(role, results, PipelineSession())
    definition = gated_training(job, pipeline=pipeline, registry_uri=registry_uri, reports=reports).definition()
    print(json.dumps(json.loads(definition), indent=2))


if __name__ == "__main__":
    main()

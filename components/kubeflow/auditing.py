"""The component that looks after a registry."""

from kfp import dsl

from clarify_ops.components.kubeflow.decorator import component


@component
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

    Returns:
        audit: Folder with audit.json, which Kubeflow keeps where nothing is wrong; else the task's log tells.
    """
    from clarify_ops.components.task import require_clean, task, tell
    from clarify_ops.steps import audit as step

    with task(pipeline, "", "", None, registry_uri) as files:
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

"""How a task is run: kept and reused where that is right, tried again where that is safe, with what it needs."""

from typing import Optional

from kfp import dsl

from clarify_ops.components.task import refuse_secrets
from clarify_ops.steps.table import BY_NAME

RETRIES = 2
# What is away for a while: a registry, the place where reports are published.
_OUTSIDE = frozenset(["register", "publish", "publish-at-exit"])
_WAIT = "30s"
# Their failure is an answer, which another try would only repeat. The gate's is one unless it is told not to fail.
_ANSWERS = frozenset(["audit", "require-pass"])


def settled(
    task: dsl.PipelineTask,
    *,
    cpu: Optional[str] = None,
    memory: Optional[str] = None,
    retries: Optional[int] = None,
) -> dsl.PipelineTask:
    """Gives a task of ours the settings that its step allows.

    Kubeflow takes a task's outputs from a run before unless it is told otherwise. That is right for a step that gives the
    same for the same inputs; a verdict depends on the day, for waivers expire, and a registration is an act.

    Args:
        task: A call of one of the components, in a pipeline.
        cpu: At most this much processor, as Kubernetes writes it: "2", "500m".
        memory: At most this much memory, as Kubernetes writes it: "4Gi". A task that needs more is killed.
        retries: How often a task that fails is tried again; after half a minute and longer where it may be a registry that
            is away. By default twice, but not where failing is the step's answer.

    Returns:
        The task, for further settings.

    Raises:
        BadInput: A parameter that is written into the pipeline holds a password.
    """
    refuse_secrets(**task.inputs)
    name = task.component_spec.name
    step = BY_NAME.get(name)
    task.set_caching_options(enable_caching=step is not None and step.pure)
    answers = name in _ANSWERS or (name == "gate" and task.inputs.get("no_fail") is not True)
    again = retries if retries is not None else 0 if answers else RETRIES
    if again:
        task.set_retry(again, backoff_duration=_WAIT if name in _OUTSIDE else None)
    if cpu is not None:
        task.set_cpu_limit(cpu)
    if memory is not None:
        task.set_memory_limit(memory)
    return task

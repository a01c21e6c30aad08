"""Kubeflow Pipelines components: the steps as tasks with typed artifacts."""

from clarify_ops.errors import MissingExtra

try:
    from clarify_ops.components.kubeflow.auditing import audit
    from clarify_ops.components.kubeflow.judging import gate, register, require_pass
    from clarify_ops.components.kubeflow.measuring import explain, posttraining_bias, pretraining_bias, train
    from clarify_ops.components.kubeflow.publishing import publish, publish_at_exit
    from clarify_ops.components.kubeflow.settings import settled
except ModuleNotFoundError as error:
    if (error.name or "").partition(".")[0] != "kfp":
        raise
    raise MissingExtra.of("kfp", "The SDK of Kubeflow Pipelines (kfp)") from error

__all__ = [
    "audit",
    "explain",
    "gate",
    "posttraining_bias",
    "pretraining_bias",
    "publish",
    "publish_at_exit",
    "register",
    "require_pass",
    "settled",
    "train",
]

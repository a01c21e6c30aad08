"""Kubeflow Pipelines components: the steps as tasks with typed artifacts."""

from clarify_ops.errors import MissingExtra

try:
    from clarify_ops.components.kubeflow.components import (
        audit,
        explain,
        gate,
        posttraining_bias,
        pretraining_bias,
        register,
        require_pass,
        train,
    )
except ModuleNotFoundError as error:
    if (error.name or "").partition(".")[0] != "kfp":
        raise
    raise MissingExtra.of("kfp", "The SDK of Kubeflow Pipelines (kfp)") from error

__all__ = ["audit", "explain", "gate", "posttraining_bias", "pretraining_bias", "register", "require_pass", "train"]

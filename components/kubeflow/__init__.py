"""Kubeflow Pipelines components: the steps as tasks with typed artifacts."""

from clarify_ops.components.kubeflow.components import (
    explain,
    gate,
    posttraining_bias,
    pretraining_bias,
    register,
    require_pass,
    train,
)

__all__ = ["explain", "gate", "posttraining_bias", "pretraining_bias", "register", "require_pass", "train"]

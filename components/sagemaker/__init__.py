"""SageMaker Pipelines steps: the steps as processing jobs in our image."""

from clarify_ops.components.sagemaker.steps import (
    Job,
    answer,
    explain,
    gate,
    posttraining_bias,
    pretraining_bias,
    processing_step,
    register,
    train,
)

__all__ = [
    "Job",
    "answer",
    "explain",
    "gate",
    "posttraining_bias",
    "pretraining_bias",
    "processing_step",
    "register",
    "train",
]

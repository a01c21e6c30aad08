"""SageMaker Pipelines steps: the steps as processing jobs in our image."""

import importlib

from clarify_ops.components.sagemaker.steps import (
    Job,
    answer,
    audit,
    explain,
    gate,
    posttraining_bias,
    pretraining_bias,
    processing_step,
    register,
    train,
)
from clarify_ops.errors import MissingExtra

try:
    # The SDK itself is imported by the functions that need it; its empty top package tells whether it is there.
    importlib.import_module("sagemaker")
except ModuleNotFoundError as error:
    raise MissingExtra.of("sagemaker", "The SageMaker SDK") from error

__all__ = [
    "Job",
    "answer",
    "audit",
    "explain",
    "gate",
    "posttraining_bias",
    "pretraining_bias",
    "processing_step",
    "register",
    "train",
]

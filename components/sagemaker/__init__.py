"""SageMaker Pipelines steps: the steps as processing jobs in our image."""

import importlib
from typing import TYPE_CHECKING, Any

from clarify_ops.components.sagemaker.check_config import (
    CheckJobConfig,
    DataBiasCheckConfig,
    ModelBiasCheckConfig,
    ModelExplainabilityCheckConfig,
)
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

if TYPE_CHECKING:
    from clarify_ops.components.sagemaker.check import ClarifyCheckStep

try:
    # The SDK itself is imported by the functions that need it; its empty top package tells whether it is there.
    importlib.import_module("sagemaker")
except ModuleNotFoundError as error:
    raise MissingExtra.of("sagemaker", "The SageMaker SDK") from error

__all__ = [
    "CheckJobConfig",
    "ClarifyCheckStep",
    "DataBiasCheckConfig",
    "Job",
    "ModelBiasCheckConfig",
    "ModelExplainabilityCheckConfig",
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


def __getattr__(name: str) -> Any:
    # A class of the SDK's kind: it needs the SDK when it is made, and so is not made before somebody asks for it.
    if name == "ClarifyCheckStep":
        return importlib.import_module("clarify_ops.components.sagemaker.check").ClarifyCheckStep
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

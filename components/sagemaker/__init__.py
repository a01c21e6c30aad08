"""SageMaker Pipelines steps: the steps as processing jobs in our image."""

import importlib
from typing import TYPE_CHECKING, Any

from clarify_ops.components.sagemaker.branches import answer, may_register, refused
from clarify_ops.components.sagemaker.check_config import (
    CheckJobConfig,
    DataBiasCheckConfig,
    ModelBiasCheckConfig,
    ModelExplainabilityCheckConfig,
)
from clarify_ops.components.sagemaker.job import Job
from clarify_ops.components.sagemaker.processing import StepOptions, processing_step, retries
from clarify_ops.components.sagemaker.steps import (
    audit,
    explain,
    gate,
    posttraining_bias,
    pretraining_bias,
    publish,
    register,
    train,
)
from clarify_ops.components.sagemaker.variables import InS3
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
    "InS3",
    "Job",
    "ModelBiasCheckConfig",
    "ModelExplainabilityCheckConfig",
    "StepOptions",
    "answer",
    "audit",
    "explain",
    "gate",
    "may_register",
    "posttraining_bias",
    "pretraining_bias",
    "processing_step",
    "publish",
    "refused",
    "register",
    "retries",
    "train",
]


def __getattr__(name: str) -> Any:
    # A class of the SDK's kind: it needs the SDK when it is made, and so is not made before somebody asks for it.
    if name == "ClarifyCheckStep":
        return importlib.import_module("clarify_ops.components.sagemaker.check").ClarifyCheckStep
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

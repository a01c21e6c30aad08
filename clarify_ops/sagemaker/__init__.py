"""What the SageMaker SDK calls `clarify`: the same classes and arguments, with jobs that run here or with our image.

    from clarify_ops import sagemaker as clarify

in place of `from sagemaker import clarify` (SDK 2) or `from sagemaker.core import clarify` (SDK 3). Nothing here needs the
SDK; its own configuration objects are taken as well. With `CLARIFY_OPS_MODE=local` in the environment, or
`instance_type="local"`, a job runs in this process, and local paths may stand where S3 URIs do.
"""

from clarify_ops.sagemaker.bias import BiasConfig, ModelPredictedLabelConfig
from clarify_ops.sagemaker.data import (
    DataConfig,
    DatasetType,
    SegmentationConfig,
    TimeSeriesDataConfig,
    TimeSeriesJSONDatasetFormat,
)
from clarify_ops.sagemaker.explainability import (
    AsymmetricShapleyValueConfig,
    ExplainabilityConfig,
    ImageConfig,
    PDPConfig,
    SHAPConfig,
    TextConfig,
)
from clarify_ops.sagemaker.model import ModelConfig, TimeSeriesModelConfig
from clarify_ops.sagemaker.processor import SageMakerClarifyProcessor

__all__ = [
    "AsymmetricShapleyValueConfig",
    "BiasConfig",
    "DataConfig",
    "DatasetType",
    "ExplainabilityConfig",
    "ImageConfig",
    "ModelConfig",
    "ModelPredictedLabelConfig",
    "PDPConfig",
    "SHAPConfig",
    "SageMakerClarifyProcessor",
    "SegmentationConfig",
    "TextConfig",
    "TimeSeriesDataConfig",
    "TimeSeriesJSONDatasetFormat",
    "TimeSeriesModelConfig",
]

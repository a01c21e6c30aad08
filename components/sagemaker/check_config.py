"""Equals of the SDK's configurations of checks, which need no SDK; the SDK's own objects are taken in their place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, field
from typing import Any

Methods = str | list[str]


@dataclass
class DataBiasCheckConfig:
    """Bias of the labels.

    Attributes:
        data_config: `DataConfig`, of the SDK or of `clarify_ops.sagemaker`, as all configurations here.
        data_bias_config: `BiasConfig`.
        methods: "all", or names of metrics.
        kms_key: For a configuration that is uploaded, which this one is not; taken so that a call stays as it is.
    """

    data_config: Any
    data_bias_config: Any
    methods: Methods = "all"
    _: KW_ONLY
    kms_key: str | None = None


@dataclass
class ModelBiasCheckConfig:
    """Bias of a model's predictions.

    Attributes:
        data_config: `DataConfig`.
        data_bias_config: `BiasConfig`.
        model_config: `ModelConfig`; None where the dataset holds the predictions, or the step is given a model.
        model_predicted_label_config: `ModelPredictedLabelConfig`.
        methods: "all", or names of metrics.
        kms_key: See `DataBiasCheckConfig`.
    """

    data_config: Any
    data_bias_config: Any
    model_config: Any = None
    model_predicted_label_config: Any = None
    methods: Methods = "all"
    _: KW_ONLY
    kms_key: str | None = None


@dataclass
class ModelExplainabilityCheckConfig:
    """Which features a model goes by.

    Attributes:
        data_config: `DataConfig`.
        model_config: `ModelConfig`; None where the step is given a model.
        explainability_config: `SHAPConfig`. There is no rule of drift for `PDPConfig`.
        model_scores: Where the scores stand in the model's answer, or a `ModelPredictedLabelConfig`.
        kms_key: See `DataBiasCheckConfig`.
    """

    data_config: Any
    model_config: Any
    explainability_config: Any
    model_scores: Any = None
    _: KW_ONLY
    kms_key: str | None = None


@dataclass
class CheckJobConfig:
    """The job that a check is. Every value but the image may be a pipeline variable.

    Attributes:
        role: ARN of the role that the job takes on.
        instance_count: One: it does what Clarify needs several for.
        instance_type: As SageMaker calls it.
        volume_size_in_gb: Of the disk that data and results must fit on.
        volume_kms_key, output_kms_key: Keys of that disk and of the results.
        max_runtime_in_seconds: After that SageMaker ends it; an hour by default.
        base_job_name: Of no consequence in a pipeline, which names its jobs itself.
        sagemaker_session: Asked for a role's ARN where only its name is given.
        env: Variables for the job.
        tags: A dictionary, or a list of Key and Value.
        network_config: The SDK's `NetworkConfig`, or the object of the request.
        image_uri: Our image in ECR; by default what `CLARIFY_OPS_IMAGE` says.
    """

    role: Any
    instance_count: Any = 1
    instance_type: Any = "ml.m5.xlarge"
    volume_size_in_gb: Any = 30
    volume_kms_key: Any = None
    output_kms_key: Any = None
    max_runtime_in_seconds: Any = None
    base_job_name: str | None = None
    sagemaker_session: Any = None
    env: Mapping[str, Any] | None = field(default_factory=dict)
    tags: Any = None
    network_config: Any = None
    image_uri: str | None = None

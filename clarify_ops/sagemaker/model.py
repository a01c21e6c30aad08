"""The model of a job: `ModelConfig`."""

from __future__ import annotations

import copy
import re
from typing import Any

from clarify_ops.sagemaker.settings import given, one_of, require

_PREFIX = r"^[a-zA-Z0-9](-*[a-zA-Z0-9])"
_CSV, _LINES, _JSON = "text/csv", "application/jsonlines", "application/json"
_ACCEPTED = (_CSV, _LINES, _JSON)
_SENT = (*_ACCEPTED, "image/jpeg", "image/jpg", "image/png", "application/x-npy")


class TimeSeriesModelConfig:
    """Where a forecasting model's answer stands.

    Raises:
        ValueError: It is no string.
    """

    def __init__(self, forecast: str) -> None:
        require(
            isinstance(forecast, str),
            "Please provide a string JMESPath expression for ``forecast`` to extract the forecast result.",
        )
        self.time_series_model_config = {"forecast": forecast}

    def get_time_series_model_config(self) -> dict[str, Any]:
        """The object of `time_series_predictor_config`."""
        return copy.deepcopy(self.time_series_model_config)


class ModelConfig:
    """A model and how it is asked.

    In local mode `model_name` may be the path or MLflow URI of a model, which is asked in this process; instance type and
    count are then of no consequence.

    Args:
        model_name, instance_count, instance_type: A model, and the endpoint to make for it. All three, or `endpoint_name`.
        accept_type: Type of the answer.
        content_type: Type of the request.
        content_template, record_template: Layout of the request in JSON.
        custom_attributes, accelerator_type, endpoint_name_prefix, target_model: Of the endpoint.
        endpoint_name: An endpoint that exists.
        time_series_model_config: Of a forecasting model.

    Raises:
        AssertionError: Both or neither of a model and an endpoint are named, or a prefix for an endpoint that exists.
        ValueError: Types and templates that do not go together.
    """

    def __init__(
        self,
        model_name: str | None = None,
        instance_count: int | None = None,
        instance_type: str | None = None,
        accept_type: str | None = None,
        content_type: str | None = None,
        content_template: str | None = None,
        record_template: str | None = None,
        custom_attributes: str | None = None,
        accelerator_type: str | None = None,
        endpoint_name_prefix: str | None = None,
        target_model: str | None = None,
        endpoint_name: str | None = None,
        time_series_model_config: TimeSeriesModelConfig | None = None,
    ) -> None:
        whole = bool(model_name and instance_count and instance_type)
        if whole == bool(endpoint_name) or (endpoint_name and endpoint_name_prefix):
            raise AssertionError(
                "Please name either model_name, instance_count and instance_type, or endpoint_name without a prefix."
            )
        if endpoint_name_prefix and re.search(_PREFIX, endpoint_name_prefix) is None:
            raise ValueError(f"Invalid endpoint_name_prefix. Please follow pattern {_PREFIX}.")
        _check_types(accept_type, content_type, series=time_series_model_config is not None)
        _check_templates(content_type, content_template, record_template)
        self.predictor_config: dict[str, Any] = (
            {"endpoint_name": endpoint_name}
            if endpoint_name
            else {"model_name": model_name, "instance_type": instance_type, "initial_instance_count": instance_count}
        )
        if endpoint_name_prefix:
            self.predictor_config["endpoint_name_prefix"] = endpoint_name_prefix
        self.predictor_config |= given(
            accept_type=accept_type,
            content_type=content_type,
            content_template=content_template,
            record_template=record_template,
            custom_attributes=custom_attributes,
            accelerator_type=accelerator_type,
            target_model=target_model,
        )
        if time_series_model_config:
            self.predictor_config["time_series_predictor_config"] = (
                time_series_model_config.get_time_series_model_config()
            )

    def get_predictor_config(self) -> dict[str, Any]:
        """The object of `predictor`."""
        return copy.deepcopy(self.predictor_config)


def _check_types(accept_type: str | None, content_type: str | None, *, series: bool) -> None:
    if accept_type is not None:
        one_of(accept_type, _ACCEPTED, "accept_type")
        require(
            not (series and accept_type == _CSV),
            "``accept_type`` must be JSON or JSONLines for time series explainability.",
        )
    if content_type is not None:
        one_of(content_type, _SENT, "content_type")
        require(
            not series or content_type in {_JSON, _LINES},
            "``content_type`` must be JSON or JSONLines for time series explainability.",
        )


def _check_templates(content_type: str | None, content_template: str | None, record_template: str | None) -> None:
    if content_type == _LINES:
        require(content_template is not None, f"content_template field is required for content_type {content_type}")
        require(
            "$features" in str(content_template),
            f"Invalid content_template {content_template}. Please include a placeholder $features.",
        )
    if content_type == _JSON:
        require(
            content_template is not None and record_template is not None,
            f"content_template and record_template are required for content_type {content_type}",
        )
        require(
            "$record" in str(content_template),
            f"Invalid content_template {content_template}. Please include either placeholder $records or $record.",
        )

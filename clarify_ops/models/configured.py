"""The model behind a wire that a configuration's `predictor` describes."""

from __future__ import annotations

from typing import Any, get_args

from clarify_ops.config.analysis import Predictor
from clarify_ops.errors import BadDocument, NotSupported
from clarify_ops.models.answer import Reading
from clarify_ops.models.endpoint import HttpEndpoint
from clarify_ops.models.payload import JSON, ContentType, Encoding, Flavour
from clarify_ops.models.remote import Limits, RemoteModel
from clarify_ops.models.sagemaker_endpoint import SageMakerEndpoint
from clarify_ops.models.shadow import PREFIX, ShadowEndpoint
from clarify_ops.models.wire import Backoff

_TYPES: tuple[ContentType, ...] = get_args(ContentType)


def encoding_of(predictor: Predictor, dataset_type: str, flavour: Flavour = "clarify") -> Encoding:
    """What a request looks like: as the predictor says, else as the dataset is.

    Raises:
        BadDocument: A template is absent or out of place, or the dataset's type is none of a request.
        NotSupported: Requests are images or arrays.
    """
    if flavour == "mlflow" and predictor.content_type is None:
        return Encoding(JSON, flavour=flavour)
    chosen = predictor.content_type or dataset_type.lower()
    for one in _TYPES:
        if one == chosen:
            return Encoding(one, predictor.content_template, predictor.record_template, flavour)
    if predictor.content_type is None:
        raise BadDocument(
            f"The dataset is {dataset_type}, which no request is.", f"Set predictor.content_type: {', '.join(_TYPES)}."
        )
    raise NotSupported(f"predictor.content_type is {chosen}: images and arrays are not sent to an endpoint.")


def reading_of(predictor: Predictor, encoding: Encoding) -> Reading:
    """Where label and scores stand in an answer.

    Raises:
        BadDocument: A JMESPath expression does not parse, or stands for CSV.
    """
    accepted = predictor.accept_type
    if accepted is None and encoding.flavour == "mlflow":
        # Whatever it is asked in.
        accepted = JSON
    return Reading(
        accepted, predictor.label, predictor.probability, predictor.label_headers, content_type=encoding.content_type
    )


def endpoint_of(
    predictor: Predictor,
    dataset_type: str,
    *,
    url: str | None = None,
    flavour: Flavour = "clarify",
    limits: Limits | None = None,
    backoff: Backoff | None = None,
    sagemaker: Any = None,
    runtime: Any = None,
) -> RemoteModel:
    """The endpoint to ask; a shadow is made at once.

    Args:
        predictor: Clarify's settings.
        dataset_type: Of the dataset, which requests are like where the predictor does not say.
        url: An endpoint by its address; else the predictor's `endpoint_name`, else a shadow of its `model_name`.
        flavour: "mlflow" where `url` is `mlflow models serve`.
        limits: Sizes, and requests at a time.
        backoff: Between attempts.
        sagemaker: boto3's client of that name, for a shadow.
        runtime: boto3's client of `sagemaker-runtime`.

    Raises:
        BadDocument: The predictor names no endpoint, or lacks a setting.
        NotSupported: Requests are images or arrays.
        MissingExtra: boto3 is not installed.
        Outside: A shadow cannot be made.
    """
    encoding = encoding_of(predictor, dataset_type, flavour)
    reading = reading_of(predictor, encoding)
    if url is not None:
        return HttpEndpoint(url, encoding, reading, limits, backoff)
    if predictor.endpoint_name is not None:
        return SageMakerEndpoint(
            predictor.endpoint_name,
            encoding,
            reading,
            limits,
            backoff,
            runtime=runtime,
            target_model=predictor.target_model,
            custom_attributes=predictor.custom_attributes,
        )
    needed = {
        "model_name": predictor.model_name,
        "instance_type": predictor.instance_type,
        "initial_instance_count": predictor.initial_instance_count,
    }
    absent = [key for key, value in needed.items() if not value]
    if absent:
        raise BadDocument(
            f"predictor.{absent[0]} is not set.",
            "Set endpoint_name, or model_name with instance_type and initial_instance_count.",
        )
    return ShadowEndpoint(
        str(predictor.model_name),
        str(predictor.instance_type),
        int(predictor.initial_instance_count or 0),
        encoding=encoding,
        reading=reading,
        limits=limits,
        backoff=backoff,
        accelerator_type=predictor.accelerator_type,
        prefix=predictor.endpoint_name_prefix or PREFIX,
        sagemaker=sagemaker,
        runtime=runtime,
        target_model=predictor.target_model,
        custom_attributes=predictor.custom_attributes,
    )

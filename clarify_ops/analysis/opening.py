"""The model that an analysis asks: the one that is handed over, or the one that the configuration names."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd

from clarify_ops.analysis.asking import AskedModel, LaterModel
from clarify_ops.analysis.supported import HandedOver
from clarify_ops.config.analysis import AnalysisConfig, Predictor
from clarify_ops.errors import BadDocument
from clarify_ops.models.answer import Reading
from clarify_ops.models.model import Model
from clarify_ops.models.payload import CSV, JSON, JSON_LINES, ContentType, Encoding
from clarify_ops.models.remote import RemoteModel

Given = str | Path | Model | Callable[[pd.DataFrame], Any] | None
"""An MLflow model (folder or URI), the address of an endpoint, a function from (rows, features) to scores or labels, or a
`clarify_ops.models.model.Model`."""

_CONTENT_TYPES: dict[str, ContentType] = {one: one for one in (CSV, JSON_LINES, JSON)}
_MLFLOW_SCHEMES = ("models:/", "runs:/", "file:", "mlflow-artifacts:/")
_WEB = ("http://", "https://")


@contextmanager
def asked_model(
    given: Given, config: AnalysisConfig, *, trust: bool, progress: Callable[[str], None]
) -> Iterator[AskedModel | None]:
    """The model to ask, let go of when the block ends, however it ends.

    Args:
        given: What is handed over; None for what the configuration names.
        config: The configuration.
        trust: Open models whose files run code when they are read.
        progress: Told what is being waited for.

    Yields:
        None where nothing is handed over or named.

    Raises:
        BadDocument: The configuration's settings about it contradict each other.
        BadModel: It cannot be read or served.
        Outside: It cannot be reached.
    """
    model = _opened(given, config, trust=trust, progress=progress)
    if model is None:
        yield None
        return
    try:
        yield AskedModel.of(model, config)
    finally:
        if model is not given:
            model.close()


def is_mlflow_model(name: str) -> bool:
    """Whether a name leads to an MLflow model: a scheme of MLflow's, or a folder."""
    return name.startswith(_MLFLOW_SCHEMES) or Path(name).is_dir()


def handed_over(given: Given) -> HandedOver:
    """What a caller hands over, as far as a configuration's keys are superseded by it."""
    if given is None:
        return "nothing"
    return "an address" if is_address(given) else "a model"


def is_address(given: object) -> bool:
    """Whether a model is given by the address of an endpoint."""
    return isinstance(given, str) and given.startswith(_WEB)


def _opened(given: Given, config: AnalysisConfig, *, trust: bool, progress: Callable[[str], None]) -> Model | None:
    if isinstance(given, Model):
        return given
    if callable(given):
        return model_of(given)
    predictor = config.predictor or Predictor()
    if is_address(given):
        from clarify_ops.models.endpoint import HttpEndpoint

        return HttpEndpoint(str(given), encoding_of(config, predictor), reading_of(config, predictor))
    if given is not None:
        return open_model(str(given), trust=trust)
    if predictor.endpoint_name is not None:
        from clarify_ops.models.sagemaker_endpoint import SageMakerEndpoint

        return SageMakerEndpoint(
            predictor.endpoint_name,
            encoding_of(config, predictor),
            reading_of(config, predictor),
            target_model=predictor.target_model,
            custom_attributes=predictor.custom_attributes,
        )
    name = predictor.model_name
    if name is None:
        return None
    # Whoever has a mistake in the data need not wait for a temporary endpoint, nor pay for it.
    return LaterModel(name, lambda: _shadow(name, config, predictor, progress))


def _shadow(name: str, config: AnalysisConfig, predictor: Predictor, progress: Callable[[str], None]) -> RemoteModel:
    if is_mlflow_model(name):
        from clarify_ops.models.local_shadow import LocalShadow

        progress(f"serving {name} on a port of this machine")
        return LocalShadow(name, _local_reading(predictor))
    from clarify_ops.models.shadow import ShadowEndpoint

    progress(f"waiting for a temporary endpoint of {name}")
    return ShadowEndpoint(
        name,
        encoding_of(config, predictor),
        reading_of(config, predictor),
        instance_type=predictor.instance_type,
        initial_instance_count=predictor.initial_instance_count,
        endpoint_name_prefix=predictor.endpoint_name_prefix,
        accelerator_type=predictor.accelerator_type,
        target_model=predictor.target_model,
        custom_attributes=predictor.custom_attributes,
    )


def encoding_of(config: AnalysisConfig, predictor: Predictor) -> Encoding:
    """What a request looks like: by default in the format of the dataset.

    Raises:
        BadDocument: Nothing says which, or the templates do not fit it.
    """
    return Encoding(_content_type(config, predictor), predictor.content_template, predictor.record_template)


def reading_of(config: AnalysisConfig, predictor: Predictor) -> Reading:
    """Where label and scores stand in an answer: by default in the format of the request."""
    content_type = _content_type(config, predictor)
    return Reading(predictor.accept_type, predictor.label, predictor.probability, predictor.label_headers, content_type)


def _local_reading(predictor: Predictor) -> Reading:
    # A served MLflow model answers in its own layout, whatever a SageMaker model of that name would.
    return Reading(JSON, None, None, predictor.label_headers, JSON)


def _content_type(config: AnalysisConfig, predictor: Predictor) -> ContentType:
    told = predictor.content_type or config.dataset_type
    if told not in _CONTENT_TYPES:
        raise BadDocument(
            f"The predictor's content_type is {told}, which is no format of rows."
            if predictor.content_type
            else f"A dataset of {told} does not say how the endpoint is asked.",
            f"Set predictor.content_type to one of {', '.join(_CONTENT_TYPES)}.",
        )
    return _CONTENT_TYPES[told]

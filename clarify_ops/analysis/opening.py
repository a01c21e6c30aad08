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
from clarify_ops.models.model import Model
from clarify_ops.models.remote import RemoteModel

Given = str | Path | Model | Callable[[pd.DataFrame], Any] | None
"""An MLflow model (folder or URI), the address of an endpoint, a function (or its import path) from (rows, features) to scores
or labels, or a `clarify_ops.models.model.Model`."""

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


def handed_over(given: Given) -> HandedOver:
    """What a caller hands over, as far as a configuration's keys are superseded by it."""
    if given is None:
        return "nothing"
    return "an address" if is_address(given) else "a model"


def is_address(given: object) -> bool:
    """Whether a model is given by the address of an endpoint."""
    return isinstance(given, str) and given.startswith(_WEB)


def is_mlflow_model(name: str) -> bool:
    """Whether a name leads to an MLflow model: a scheme of MLflow's, or a folder."""
    return name.startswith(_MLFLOW_SCHEMES) or Path(name).is_dir()


def _opened(given: Given, config: AnalysisConfig, *, trust: bool, progress: Callable[[str], None]) -> Model | None:
    if isinstance(given, Model):
        return given
    if given is None or is_address(given):
        return _remote(None if given is None else str(given), config, progress)
    if isinstance(given, str | Path):
        from clarify_ops.models.mlflow_model import load_model

        return load_model(given, trust=trust)
    from clarify_ops.models.in_process import model_of

    return model_of(given)


def _remote(address: str | None, config: AnalysisConfig, progress: Callable[[str], None]) -> Model | None:
    from clarify_ops.models.configured import encoding_of, endpoint_of, reading_of

    predictor, kind = config.predictor or Predictor(), config.dataset_type
    name = predictor.model_name
    if address is not None or predictor.endpoint_name is not None:
        return endpoint_of(predictor, kind, url=address)
    if name is None:
        return None
    if not is_mlflow_model(name):
        # What the configuration lacks is said at once; only the endpoint itself comes later.
        reading_of(predictor, encoding_of(predictor, kind))
    return LaterModel(name, lambda: _shadow(name, config, predictor, progress))


def _shadow(name: str, config: AnalysisConfig, predictor: Predictor, progress: Callable[[str], None]) -> RemoteModel:
    """A temporary endpoint: whoever has a mistake in the data need not wait for it, nor pay."""
    if is_mlflow_model(name):
        from clarify_ops.models.answer import Reading
        from clarify_ops.models.local_shadow import LocalShadow
        from clarify_ops.models.payload import JSON

        progress(f"serving {name} on a port of this machine")
        # A served MLflow model answers in its own layout, whatever a SageMaker model of that name would.
        return LocalShadow(name, Reading(JSON, label_headers=predictor.label_headers, content_type=JSON))
    from clarify_ops.models.configured import endpoint_of

    progress(f"waiting for a temporary endpoint of {name}")
    return endpoint_of(predictor, config.dataset_type)

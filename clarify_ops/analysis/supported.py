"""Which keys of a valid configuration `analyze` does not follow, and why: it stops at them, and ignores none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from clarify_ops.config.analysis import AnalysisConfig, keys_set
from clarify_ops.errors import NotSupported

HandedOver = Literal["nothing", "a model", "an address"]


@dataclass(frozen=True)
class Refusal:
    """A key that is valid in SageMaker Clarify and stops an analysis here.

    Attributes:
        key: Its path; everything below it is meant as well.
        why: What is missing.
        instead: What to do; empty where nothing can be done.
    """

    key: str
    why: str
    instead: str = ""


_TIME_SERIES = "Time series are not analysed."

REFUSALS: tuple[Refusal, ...] = (
    Refusal("time_series_data_config", _TIME_SERIES),
    Refusal("methods.asymmetric_shapley_value", _TIME_SERIES),
    Refusal("predictor.time_series_predictor_config", _TIME_SERIES),
    Refusal("methods.shap.text_config", "Free text is not explained."),
    Refusal("methods.shap.image_config", "Images are not explained."),
)

# Where a model is to be found: a model that is handed over takes their place.
_PLACES = (
    "model_name",
    "endpoint_name",
    "endpoint_name_prefix",
    "target_model",
    "instance_type",
    "initial_instance_count",
    "accelerator_type",
    "custom_attributes",
)
# How it is asked: a model in this process is not asked by requests.
_REQUESTS = ("content_type", "accept_type", "content_template", "record_template")
_SUPERSEDED: dict[HandedOver, tuple[str, ...]] = {
    "nothing": (),
    "an address": _PLACES,
    "a model": (*_PLACES, *_REQUESTS),
}


def refuse_unsupported_keys(config: AnalysisConfig, *, model: HandedOver) -> tuple[str, ...]:
    """Stops at the first key that is valid and not followed.

    Args:
        config: The parsed configuration.
        model: What is handed over; then keys that say where a model is to be found, and how it is asked, are superseded.

    Returns:
        Sentences about superseded keys, for the report.

    Raises:
        NotSupported: Naming the key and the reason.
    """
    superseded = []
    predictor = config.predictor
    named = predictor is not None and (predictor.endpoint_name is not None or predictor.model_name is not None)
    nobody = model == "nothing" and not named
    keys = {f"predictor.{name}" for name in (_SUPERSEDED["a model"] if nobody else _SUPERSEDED[model])}
    for key in keys_set(config):
        refusal = next((one for one in REFUSALS if f"{key}.".startswith(f"{one.key}.")), None)
        if refusal is not None:
            raise NotSupported(f"The analysis configuration has the key {key}. {refusal.why}", refusal.instead)
        if key in keys:
            superseded.append(key)
    if not superseded:
        return ()
    why = "No model is named" if nobody else "A model was handed over"
    return (f"{why}, so that these keys had nothing to say: {', '.join(superseded)}.",)

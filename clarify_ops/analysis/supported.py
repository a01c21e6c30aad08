"""Which keys of a valid configuration `analyze` does not follow, and why: it stops at them, and ignores none."""

from __future__ import annotations

from dataclasses import dataclass

from clarify_ops.config.analysis import AnalysisConfig, keys_set
from clarify_ops.errors import NotSupported


@dataclass(frozen=True)
class Refusal:
    """A key that is valid in SageMaker Clarify and stops an analysis here.

    Attributes:
        key: Its path; everything below it is meant as well.
        why: What is missing.
        instead: What to do; empty where nothing can be done.
        unless_model: Whether a model that is handed over takes its place.
    """

    key: str
    why: str
    instead: str = ""
    unless_model: bool = False


_TIME_SERIES = "Time series are not analysed."
_REMOTE = "Models behind a SageMaker endpoint are not asked."
_HAND_OVER = "Give the model itself (--model, or model= in Python), or its predictions as predicted_label."
_REQUEST = "It describes requests to an endpoint, and none is asked."

REFUSALS: tuple[Refusal, ...] = (
    Refusal("time_series_data_config", _TIME_SERIES),
    Refusal("methods.asymmetric_shapley_value", _TIME_SERIES),
    Refusal("predictor.time_series_predictor_config", _TIME_SERIES),
    Refusal("methods.shap.text_config", "Free text is not explained."),
    Refusal("methods.shap.image_config", "Images are not explained."),
    Refusal(
        "methods.shap.num_clusters",
        "Baselines are not made by clustering.",
        "Give the baseline's rows, or leave both out: then one typical row of the data is used.",
    ),
    *(
        Refusal(f"predictor.{name}", _REMOTE, _HAND_OVER, unless_model=True)
        for name in (
            "model_name",
            "endpoint_name",
            "endpoint_name_prefix",
            "target_model",
            "instance_type",
            "initial_instance_count",
            "accelerator_type",
            "custom_attributes",
        )
    ),
    *(
        Refusal(f"predictor.{name}", _REQUEST, _HAND_OVER, unless_model=True)
        for name in ("content_type", "accept_type", "content_template", "record_template")
    ),
)


def refuse_unsupported_keys(config: AnalysisConfig, *, model: bool) -> tuple[str, ...]:
    """Stops at the first key that is valid and not followed.

    Args:
        config: The parsed configuration.
        model: Whether a model is handed over; then keys that say where a model is to be found are superseded.

    Returns:
        Sentences about superseded keys, for the report.

    Raises:
        NotSupported: Naming the key and the reason.
    """
    superseded = []
    for key in keys_set(config):
        refusal = next((one for one in REFUSALS if f"{key}.".startswith(f"{one.key}.")), None)
        if refusal is None:
            continue
        if not (refusal.unless_model and model):
            raise NotSupported(f"The analysis configuration has the key {key}. {refusal.why}", refusal.instead)
        superseded.append(key)
    if not superseded:
        return ()
    return (f"A model was handed over, so that these keys had nothing to say: {', '.join(superseded)}.",)

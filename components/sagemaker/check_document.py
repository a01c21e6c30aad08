"""From the configuration of a check to the analysis configuration that its job follows."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from typing import Any

from clarify_ops.analysis.job import Job
from clarify_ops.components.sagemaker.job import LONGEST
from clarify_ops.components.sagemaker.variables import is_variable
from clarify_ops.config.composed import bias_document, explanation_document, labels_document
from clarify_ops.config.pieces import to_pieces
from clarify_ops.errors import BadInput, NotSupported

# CreateProcessingJob takes 100 arguments; a few of them are no configuration.
_MOST_PIECES = 75
_OPTION = "--config-text="


class _NoPredictor:
    """Stands where a `ModelConfig` would: the model is handed over."""

    def get_predictor_config(self) -> dict[str, Any]:
        return {}


def analysis_document(check: Any, *, model_given: bool) -> tuple[dict[str, Any], Any]:
    """The analysis configuration of a check, and the model's name where that is a variable.

    Args:
        check: A configuration of a check, ours or the SDK's.
        model_given: Whether the step is given a model.

    Raises:
        BadInput: It is no configuration of a check, is not valid, or holds a variable elsewhere.
        ValueError: Its parts do not go together.
    """
    document = _document(check, model_given=model_given)
    predictor = document.get("predictor", {})
    name = predictor.pop("model_name") if is_variable(predictor.get("model_name")) else None
    if not predictor:
        document.pop("predictor", None)
    for place in _variables(document, ""):
        raise BadInput(
            f"The key {place} of the analysis configuration is a pipeline variable, and is needed before the run.",
            "Variables may stand for S3 URIs, the model's name and all that the step itself takes.",
        )
    # Checked as it will be: a mistake shows here, and not in a job.
    known = copy.deepcopy(document)
    if name is not None:
        known["predictor"]["model_name"] = "later"
    Job.of(known, model="a model" if model_given else "nothing")
    return document, name


def config_arguments(document: Mapping[str, Any]) -> list[str]:
    """The configuration as arguments of a container.

    They carry it, and not an object in S3, so that a definition is made without a network and holds all that it is about.

    Raises:
        NotSupported: It is too long.
    """
    pieces = to_pieces(document, length=LONGEST - len(_OPTION), most=_MOST_PIECES)
    if pieces is None:
        raise NotSupported(
            "The analysis configuration is too long for the arguments of a processing job, even compressed.",
            "Name the baseline of SHAP by its S3 URI, in place of its rows.",
        )
    return [f"{_OPTION}{piece}" for piece in pieces]


def _document(check: Any, *, model_given: bool) -> dict[str, Any]:
    model = getattr(check, "model_config", None)
    if model_given:
        model = model or _NoPredictor()
    # By what they hold and not by their class: the SDK's own are other classes.
    if hasattr(check, "explainability_config"):
        return explanation_document(check.data_config, model, check.model_scores, check.explainability_config)
    if hasattr(check, "model_config") and hasattr(check, "data_bias_config"):
        labels = check.model_predicted_label_config
        return bias_document(check.data_config, check.data_bias_config, model=model, labels=labels, after=check.methods)
    if hasattr(check, "data_bias_config"):
        return labels_document(check.data_config, check.data_bias_config, check.methods)
    raise BadInput(
        f"The configuration of a check cannot be a {type(check).__name__}.",
        "Give a DataBiasCheckConfig, a ModelBiasCheckConfig or a ModelExplainabilityCheckConfig.",
    )


def _variables(value: Any, place: str) -> Iterator[str]:
    if is_variable(value):
        yield place
    elif isinstance(value, Mapping):
        for key, one in value.items():
            yield from _variables(one, f"{place}.{key}".lstrip("."))
    elif isinstance(value, list):
        for number, one in enumerate(value):
            yield from _variables(one, f"{place}[{number}]")

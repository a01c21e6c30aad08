"""From configuration objects, ours or the SDK's, to the analysis configuration that the SDK would write."""

from __future__ import annotations

import copy
from typing import Any

Names = str | list[str] | None
_REPORT = {"name": "report", "title": "Analysis Report"}
_SERIES = "asymmetric_shapley_value"
_NOT_FOR_TABLES = "Please do not provide Asymmetric Shapley Value configs for non-TimeSeries uses."


def require(condition: object, sentence: str) -> None:
    """Raises ValueError, as the SDK does, where an argument is wrong."""
    if not condition:
        raise ValueError(sentence)


def labels_document(data: Any, bias: Any, before: Names) -> dict[str, Any]:
    """Bias before training alone, which needs no predictions; arguments as of `bias_document`."""
    return {**data.get_config(), **bias.get_config(), "methods": _methods(before)}


def bias_document(
    data: Any, bias: Any, *, model: Any = None, labels: Any = None, before: Names = None, after: Names = None
) -> dict[str, Any]:
    """Bias after training, and before it as well where that is asked for.

    Args:
        data: `DataConfig`, ours or the SDK's, as all that follow.
        bias: `BiasConfig`.
        model: `ModelConfig`.
        labels: `ModelPredictedLabelConfig`.
        before: Metrics before training; None leaves them out.
        after: Metrics after training; None leaves them out.

    Raises:
        ValueError: There are neither predictions nor a model.
    """
    return _with_predictor(
        {**data.get_config(), **bias.get_config(), "methods": _methods(before, after)}, model, labels
    )


def explanation_document(data: Any, model: Any, scores: Any, explainers: Any) -> dict[str, Any]:
    """Explanations alone.

    Args:
        data: `DataConfig`.
        model: `ModelConfig`.
        scores: Where the model's scores stand in its answer, or a `ModelPredictedLabelConfig`.
        explainers: One explainability configuration, or a list.

    Raises:
        ValueError: Configurations that do not go together.
    """
    series = not isinstance(explainers, list) and _SERIES in explainers.get_explainability_config()
    about_series = (
        ("time_series_data_config", data.get_config()),
        (
            "time_series_predictor_config",
            model.get_predictor_config(),
        ),
    )
    for key, part in about_series:
        require(
            (key in part) == series,
            f"Time series need an AsymmetricShapleyValueConfig and {key}, and nothing else takes them.",
        )
    if series:
        _check_static_covariates(explainers, data)
    methods = _methods(explainers=explainers)
    document = _with_predictor({**data.get_config(), "methods": methods}, model, scores)
    del document["methods"]
    return {**document, "methods": methods}


def whole_document(
    data: Any, bias: Any, explainers: Any, *, model: Any, labels: Any, before: Names, after: Names
) -> dict[str, Any]:
    """Bias and explanations.

    Raises:
        ValueError: Configurations that do not go together.
    """
    series = (
        (not isinstance(explainers, list) and _SERIES in explainers.get_explainability_config())
        or "time_series_data_config" in data.get_config()
        or (model is not None and "time_series_predictor_config" in model.get_predictor_config())
    )
    require(not series, "Bias metrics are unsupported for time series.")
    document = {**data.get_config(), **bias.get_config(), "methods": _methods(before, after, explainers)}
    return _with_predictor(document, model, labels)


def _methods(before: Names = None, after: Names = None, explainers: Any = None) -> dict[str, Any]:
    if not (before or after or explainers):
        # The SDK's own kind of error.
        raise AttributeError("analysis_config must have at least one working method.")
    methods: dict[str, Any] = {"report": dict(_REPORT)}
    if before:
        methods["pre_training_bias"] = {"methods": before}
    if after:
        methods["post_training_bias"] = {"methods": after}
    return methods if explainers is None else {**methods, **_explainers(explainers)}


def _explainers(explainers: Any) -> dict[str, Any]:
    if not isinstance(explainers, list):
        found = dict(explainers.get_explainability_config())
    else:
        require(explainers, "Please provide at least one explainability config.")
        parts = [one.get_explainability_config() for one in explainers]
        require(not any(_SERIES in part for part in parts), _NOT_FOR_TABLES)
        found = {key: value for part in parts for key, value in part.items()}
        require(len(found) == len(parts), "Duplicate explainability configs are provided")
    if "pdp" in found and "shap" not in found:
        require("features" in found["pdp"], "PDP features must be provided when ShapConfig is not provided")
    return found


def _with_predictor(document: dict[str, Any], model: Any, labels: Any) -> dict[str, Any]:
    document = dict(document)
    if model is not None:
        document["predictor"] = model.get_predictor_config()
    else:
        explains = document["methods"].keys() & {"shap", "pdp", _SERIES}
        require(not explains, "model_config must be provided when explainability methods are selected.")
        require(
            document.keys() & {"predicted_label_dataset_uri", "predicted_label"},
            "model_config must be provided when `predicted_label_dataset_uri` or `predicted_label` are not provided in"
            " data_config.",
        )
    if hasattr(labels, "get_predictor_config"):
        threshold, settings = labels.get_predictor_config()
        if settings and "predictor" in document:
            document["predictor"].update(settings)
        if threshold is not None:
            document["probability_threshold"] = threshold
    elif labels is not None and "predictor" in document:
        document["predictor"]["label"] = labels
    return document


def _check_static_covariates(explainer: Any, data: Any) -> None:
    baseline = explainer.get_explainability_config()[_SERIES].get("baseline")
    if not isinstance(baseline, dict) or "static_covariates" not in baseline:
        return
    covariates = data.get_config()["time_series_data_config"].get("static_covariates", [])
    require(covariates, "Static covariate baselines are provided, and no static covariate columns.")
    for item, values in copy.deepcopy(baseline["static_covariates"]).items():
        require(isinstance(values, list), f"Baseline entry for {item} must be a list, is {type(values)}.")
        require(
            len(values) == len(covariates),
            f"Length of baseline entry for {item} does not match the number of static covariate columns.",
        )

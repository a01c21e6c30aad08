"""How a model is explained: `SHAPConfig`, `PDPConfig` and what they are made of."""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from typing import Any, Literal

from clarify_ops.config.languages import LANGUAGES
from clarify_ops.sagemaker.settings import given, one_of, require

_GRANULARITIES = ("token", "sentence", "paragraph")
_IMAGE_MODELS = ("OBJECT_DETECTION", "IMAGE_CLASSIFICATION")
_AGGREGATIONS = ("mean_abs", "median", "mean_sq")
_DIRECTIONS = ("chronological", "anti_chronological", "bidirectional")
_STEPS = ("timewise", "fine_grained")
_STAND_INS = ("zero", "mean")


class ExplainabilityConfig(ABC):
    """A way to explain a model."""

    @abstractmethod
    def get_explainability_config(self) -> dict[str, Any]:
        """Its part of `methods`."""


class PDPConfig(ExplainabilityConfig):
    """Partial dependence.

    Args:
        features: Which; required without SHAP.
        grid_resolution: Buckets of a numerical feature.
        top_k_features: How many, by SHAP, where none are named.
    """

    def __init__(self, features: list[Any] | None = None, grid_resolution: int = 15, top_k_features: int = 10) -> None:
        self.pdp_config = given(grid_resolution=grid_resolution, top_k_features=top_k_features, features=features)

    def get_explainability_config(self) -> dict[str, Any]:
        """The object `pdp`."""
        return {"pdp": copy.deepcopy(self.pdp_config)}


class TextConfig:
    """How text is split.

    Raises:
        ValueError: Unit or language is unknown.
    """

    def __init__(self, granularity: str, language: str) -> None:
        one_of(granularity, _GRANULARITIES, "granularity")
        require(language in LANGUAGES, f"Invalid language {language}.")
        self.text_config = {"granularity": granularity, "language": language}

    def get_text_config(self) -> dict[str, Any]:
        """The object `text_config`."""
        return copy.deepcopy(self.text_config)


class ImageConfig:
    """How images are segmented.

    Raises:
        ValueError: The model is neither a classifier nor a detector.
    """

    def __init__(
        self,
        model_type: str,
        num_segments: int | None = None,
        feature_extraction_method: str | None = None,
        segment_compactness: float | None = None,
        max_objects: int | None = None,
        iou_threshold: float | None = None,
        context: float | None = None,
    ) -> None:
        one_of(model_type, _IMAGE_MODELS, "model_type")
        self.image_config = given(
            model_type=model_type,
            num_segments=num_segments,
            feature_extraction_method=feature_extraction_method,
            segment_compactness=segment_compactness,
            max_objects=max_objects,
            iou_threshold=iou_threshold,
            context=context,
        )

    def get_image_config(self) -> dict[str, Any]:
        """The object `image_config`."""
        return copy.deepcopy(self.image_config)


class SHAPConfig(ExplainabilityConfig):
    """Kernel SHAP.

    Args:
        baseline: Rows that stand for an absent feature, or a URI of them.
        num_samples: Coalitions per row.
        agg_method: "mean_abs", "median" or "mean_sq".
        use_logit: Explain log-odds.
        save_local_shap_values: Write every row's values.
        seed: Of the sampler.
        num_clusters: Clusters to make a baseline of; not together with one.
        text_config, image_config: For text and images.
        features_to_explain: The others keep their own value; not for text and images.

    Raises:
        ValueError: Arguments that do not go together.
    """

    def __init__(
        self,
        baseline: str | list[Any] | dict[str, Any] | None = None,
        num_samples: int | None = None,
        agg_method: str | None = None,
        use_logit: bool = False,
        save_local_shap_values: bool = True,
        seed: int | None = None,
        num_clusters: int | None = None,
        text_config: TextConfig | None = None,
        image_config: ImageConfig | None = None,
        features_to_explain: list[str | int] | None = None,
    ) -> None:
        if agg_method is not None:
            one_of(agg_method, _AGGREGATIONS, "agg_method")
        require(
            num_clusters is None or baseline is None,
            "Baseline and num_clusters cannot be provided together. Please specify one of the two.",
        )
        require(
            features_to_explain is None or (text_config is None and image_config is None),
            "`features_to_explain` is not supported for datasets containing text features or images.",
        )
        self.shap_config = {"use_logit": use_logit, "save_local_shap_values": save_local_shap_values} | given(
            baseline=baseline,
            num_samples=num_samples,
            agg_method=agg_method,
            seed=seed,
            num_clusters=num_clusters,
            text_config=text_config.get_text_config() if text_config else None,
            image_config=image_config.get_image_config() if image_config else None,
            features_to_explain=features_to_explain,
        )

    def get_explainability_config(self) -> dict[str, Any]:
        """The object `shap`."""
        return {"shap": copy.deepcopy(self.shap_config)}


class AsymmetricShapleyValueConfig(ExplainabilityConfig):
    """Asymmetric Shapley values of a forecasting model.

    Args:
        direction: "chronological", "anti_chronological" or "bidirectional".
        granularity: "timewise" or "fine_grained", which is chronological and needs `num_samples`.
        num_samples: Permutations per row.
        baseline: What stands for absent steps.

    Raises:
        ValueError: Arguments that do not go together.
    """

    def __init__(
        self,
        direction: Literal["chronological", "anti_chronological", "bidirectional"] = "chronological",
        granularity: Literal["timewise", "fine_grained"] = "timewise",
        num_samples: int | None = None,
        baseline: str | dict[str, Any] | None = None,
    ) -> None:
        one_of(direction, _DIRECTIONS, "direction")
        one_of(granularity, _STEPS, "granularity")
        if granularity == "fine_grained":
            require(isinstance(num_samples, int), "Please provide an integer for ``num_samples``.")
            require(
                direction == "chronological", f"{direction} and {granularity} granularity are not supported together."
            )
        else:
            require(not num_samples, "``num_samples`` is only used for fine-grained explanations.")
        if isinstance(baseline, dict):
            for name in ("target_time_series", "related_time_series"):
                if name in baseline:
                    one_of(baseline[name], _STAND_INS, f"baseline for ``{name}``")
        self.asymmetric_shapley_value_config = given(
            direction=direction, granularity=granularity, num_samples=num_samples, baseline=baseline
        )

    def get_explainability_config(self) -> dict[str, Any]:
        """The object `asymmetric_shapley_value`."""
        return {"asymmetric_shapley_value": copy.deepcopy(self.asymmetric_shapley_value_config)}

"""What bias metrics are about: `BiasConfig` and `ModelPredictedLabelConfig`."""

from __future__ import annotations

import copy
from typing import Any

from clarify_ops.sagemaker.settings import given, require


class BiasConfig:
    """Positive labels and facets.

    Args:
        label_values_or_threshold: Positive labels, or the threshold of a continuous one.
        facet_name: A facet or a list of them, by name or index.
        facet_values_or_threshold: Values of the disadvantaged group (or a threshold); for a list of facets a list of such
            lists, in which None leaves a facet's values open.
        group_name: The column that conditional disparities are conditioned on.

    Raises:
        AssertionError: The list of facets is empty.
        ValueError: Facets and values are of different number.
    """

    def __init__(
        self,
        label_values_or_threshold: list[int | float | str],
        facet_name: str | int | list[str] | list[int],
        facet_values_or_threshold: Any = None,
        group_name: str | None = None,
    ) -> None:
        if isinstance(facet_name, list):
            if not facet_name:
                # As the SDK: callers may catch it.
                raise AssertionError("Please provide at least one facet")
            values = [None] * len(facet_name) if facet_values_or_threshold is None else facet_values_or_threshold
            require(
                len(values) == len(facet_name), "The number of facet names doesn't match the number of facet values"
            )
            facets = [
                given(name_or_index=name, value_or_threshold=value)
                for name, value in zip(facet_name, values, strict=True)
            ]
        else:
            facets = [given(name_or_index=facet_name, value_or_threshold=facet_values_or_threshold)]
        self.analysis_config = {"label_values_or_threshold": label_values_or_threshold, "facet": facets} | given(
            group_variable=group_name
        )

    def get_config(self) -> dict[str, Any]:
        """Its part of the analysis configuration."""
        return copy.deepcopy(self.analysis_config)


class ModelPredictedLabelConfig:
    """How a predicted label is read off a model's answer.

    Args:
        label: Place of the label in the answer.
        probability: Place of the probability or probabilities.
        probability_threshold: A probability above it is a positive prediction.
        label_headers: Names of the labels, in the order of the probabilities.

    Raises:
        TypeError: The threshold is no number.
    """

    def __init__(
        self,
        label: str | int | None = None,
        probability: str | int | None = None,
        probability_threshold: float | None = None,
        label_headers: list[str] | None = None,
    ) -> None:
        if probability_threshold is not None:
            try:
                float(probability_threshold)
            except ValueError as error:
                raise TypeError(
                    f"Invalid probability_threshold {probability_threshold}. Please choose one that can be cast to float."
                ) from error
        self.label = label
        self.probability = probability
        self.probability_threshold = probability_threshold
        self.label_headers = label_headers
        self.predictor_config = given(label=label, probability=probability, label_headers=label_headers)

    def get_predictor_config(self) -> tuple[float | None, dict[str, Any]]:
        """The threshold, and its part of `predictor`."""
        return self.probability_threshold, copy.deepcopy(self.predictor_config)

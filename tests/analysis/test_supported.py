"""Every key of the schema is followed or refused by name."""

from __future__ import annotations

import typing
from collections.abc import Iterator

from pydantic import BaseModel

from clarify_ops.analysis.supported import REFUSALS
from clarify_ops.config.analysis import AnalysisConfig


def paths(model: type[BaseModel], prefix: str = "") -> Iterator[str]:
    for name, field in model.model_fields.items():
        yield f"{prefix}{name}"
        for inner in models_in(field.annotation):
            yield from paths(inner, f"{prefix}{name}.")


def models_in(annotation: object) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for one in typing.get_args(annotation):
        yield from models_in(one)


# What `analyze` does something with. A key that is added to the schema has to be added here, or refused.
FOLLOWED = [
    "version",
    "dataset_type",
    "dataset_uri",
    "headers",
    "label",
    "predicted_label",
    "features",
    "label_values_or_threshold",
    "probability_threshold",
    "segment_config",
    "segment_config.name_or_index",
    "segment_config.segments",
    "segment_config.config_name",
    "segment_config.display_aliases",
    "facet",
    "facet.name_or_index",
    "facet.value_or_threshold",
    "facet_dataset_uri",
    "facet_headers",
    "predicted_label_dataset_uri",
    "predicted_label_headers",
    "excluded_columns",
    "joinsource_name_or_index",
    "group_variable",
    "methods",
    "methods.shap",
    "methods.shap.baseline",
    "methods.shap.num_clusters",
    "methods.shap.use_logit",
    "methods.shap.num_samples",
    "methods.shap.agg_method",
    "methods.shap.save_local_shap_values",
    "methods.shap.seed",
    "methods.shap.features_to_explain",
    "methods.pre_training_bias",
    "methods.pre_training_bias.methods",
    "methods.post_training_bias",
    "methods.post_training_bias.methods",
    "methods.pdp",
    "methods.pdp.grid_resolution",
    "methods.pdp.features",
    "methods.pdp.top_k_features",
    "methods.report",
    "methods.report.name",
    "methods.report.title",
    "predictor",
    "predictor.model_name",
    "predictor.endpoint_name",
    "predictor.endpoint_name_prefix",
    "predictor.target_model",
    "predictor.instance_type",
    "predictor.initial_instance_count",
    "predictor.accelerator_type",
    "predictor.custom_attributes",
    "predictor.content_type",
    "predictor.accept_type",
    "predictor.content_template",
    "predictor.record_template",
    "predictor.label",
    "predictor.probability",
    "predictor.label_headers",
    "clarify_ops",
    "clarify_ops.kinds",
    "clarify_ops.intersections",
    "clarify_ops.explainer",
    "clarify_ops.max_standard_error",
    "clarify_ops.cohorts",
    "clarify_ops.cohorts.name",
    "clarify_ops.cohorts.where",
    "clarify_ops.cohorts.facet",
    "clarify_ops.cohorts.facet.name_or_index",
    "clarify_ops.cohorts.facet.value_or_threshold",
    "clarify_ops.cohorts.error",
    "clarify_ops.cohorts.against",
    "clarify_ops.feature_importance",
    "clarify_ops.feature_importance.metric",
    "clarify_ops.feature_importance.repeats",
    "clarify_ops.accumulated_effects",
    "clarify_ops.accumulated_effects.features",
    "clarify_ops.individual_curves",
    "clarify_ops.individual_curves.features",
    "clarify_ops.surrogate",
    "clarify_ops.surrogate.kind",
    "clarify_ops.surrogate.target",
    "clarify_ops.surrogate.max_depth",
    "clarify_ops.stability",
    "clarify_ops.stability.seeds",
    "clarify_ops.stability.baselines",
    "clarify_ops.stability.rows",
    "clarify_ops.confidence",
    "clarify_ops.seed",
    "clarify_ops.smallest_group",
]


def test_every_key_is_followed_or_refused() -> None:
    refused = tuple(f"{one.key}." for one in REFUSALS)
    open_ = [one for one in paths(AnalysisConfig) if not f"{one}.".startswith(refused)]
    assert sorted(open_) == sorted(FOLLOWED)


def test_what_is_refused_exists() -> None:
    known = set(paths(AnalysisConfig))
    assert [one.key for one in REFUSALS if one.key not in known] == []
    assert len({one.key for one in REFUSALS}) == len(REFUSALS)

"""Configurations of a job as a module generates them: ours, or an SDK's; and made-up arguments to generate them from."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import strategies as st


class Caught(Exception):
    """Carries the configuration of a job that was about to start."""


def document(module: Any, method: str, arguments: dict[str, Any]) -> str:
    """The configuration as JSON text, so that the order of its keys counts."""
    ours = module.__name__.startswith("clarify_ops")
    starter, place = ("_start", 1) if ours else ("_run", 0)

    class Processor(module.SageMakerClarifyProcessor):  # type: ignore[misc]
        def __init__(self) -> None:
            self.job_name_prefix = None
            self.skip_early_validation = True

    def catch(self: Any, *given_: Any, **_: Any) -> None:
        raise Caught(next(one for one in given_[place:] if isinstance(one, dict)))

    setattr(Processor, starter, catch)
    with pytest.raises(Caught) as caught:
        getattr(Processor(), method)(**arguments)
    return json.dumps(caught.value.args[0])


texts = st.sampled_from(["a", "b", "Sex", ""])
columns = st.one_of(texts, st.integers(0, 2))
DATA = st.fixed_dictionaries(
    {"s3_data_input_path": st.just("s3://b/x"), "s3_output_path": st.just("s3://b/o")},
    optional={
        "label": columns,
        "headers": st.lists(texts, max_size=3),
        "features": texts,
        "dataset_type": st.sampled_from(
            [
                "text/csv",
                "application/json",
                "application/jsonlines",
                "application/x-parquet",
                "application/x-image",
                "?",
            ]
        ),
        "joinsource": columns,
        "facet_dataset_uri": texts,
        "facet_headers": st.lists(texts, max_size=2),
        "predicted_label_dataset_uri": texts,
        "predicted_label_headers": st.lists(texts, max_size=2),
        "predicted_label": columns,
        "excluded_columns": st.lists(columns, max_size=2),
    },
)
FACETS = st.one_of(
    st.fixed_dictionaries(
        {"facet_name": columns}, optional={"facet_values_or_threshold": st.lists(st.integers(0, 2), max_size=2)}
    ),
    st.fixed_dictionaries(
        {"facet_name": st.lists(columns, max_size=3)},
        optional={
            "facet_values_or_threshold": st.lists(
                st.one_of(st.none(), st.lists(st.integers(0, 2), max_size=2)), max_size=3
            )
        },
    ),
)
BIAS = st.builds(
    lambda facets, rest: {"label_values_or_threshold": [1], **facets, **rest},
    FACETS,
    st.fixed_dictionaries({}, optional={"group_name": texts}),
)
MODEL = st.fixed_dictionaries(
    {},
    optional={
        "model_name": texts,
        "instance_count": st.integers(0, 2),
        "instance_type": texts,
        "accept_type": st.sampled_from(["text/csv", "application/json", "?"]),
        "content_type": st.sampled_from(["text/csv", "application/jsonlines", "application/json", "image/jpg", "?"]),
        "content_template": st.sampled_from(["$features", "$records", "x"]),
        "record_template": st.sampled_from(["$features", "x"]),
        "custom_attributes": texts,
        "accelerator_type": texts,
        "endpoint_name_prefix": st.sampled_from(["ab", "-a", ""]),
        "target_model": texts,
        "endpoint_name": texts,
    },
)
LABELS = st.fixed_dictionaries(
    {},
    optional={
        "label": columns,
        "probability": columns,
        "probability_threshold": st.sampled_from([0.5, 0, "0.3", "x"]),
        "label_headers": st.lists(texts, max_size=2),
    },
)
SHAP = st.fixed_dictionaries(
    {},
    optional={
        "baseline": st.sampled_from(["s3://b/x", [[1, 2]], {"a": 1}, []]),
        "num_samples": st.integers(0, 3),
        "agg_method": st.sampled_from(["mean_abs", "median", "mean_sq", "max"]),
        "use_logit": st.booleans(),
        "save_local_shap_values": st.booleans(),
        "seed": st.integers(0, 3),
        "num_clusters": st.integers(0, 3),
        "features_to_explain": st.lists(columns, max_size=2),
    },
)
PDP = st.fixed_dictionaries(
    {},
    optional={
        "features": st.lists(columns, max_size=2),
        "grid_resolution": st.integers(1, 3),
        "top_k_features": st.just(3),
    },
)


RECIPES = st.fixed_dictionaries(
    {
        "data": DATA,
        "bias": BIAS,
        "model": st.one_of(st.none(), MODEL, st.just({"endpoint_name": "e"})),
        "labels": st.one_of(st.none(), LABELS),
        "before": st.sampled_from(["all", ["DPL"], None]),
        "after": st.sampled_from(["all", ["AD"], None]),
        "shap": st.lists(SHAP, max_size=2),
        "pdp": st.lists(PDP, max_size=1),
    }
)


def outcome(module: Any, recipe: dict[str, Any], objects: Any = None) -> tuple[str, str]:
    """The configuration, or the kind of error that stops it; `objects`: whose classes the arguments are of."""
    made = objects or module
    try:
        arguments = {
            "data_config": made.DataConfig(**recipe["data"]),
            "bias_config": made.BiasConfig(**recipe["bias"]),
            "model_config": None if recipe["model"] is None else made.ModelConfig(**recipe["model"]),
            "model_predicted_label_config": None
            if recipe["labels"] is None
            else made.ModelPredictedLabelConfig(**recipe["labels"]),
            "pre_training_methods": recipe["before"],
            "post_training_methods": recipe["after"],
        }
        method = "run_bias"
        explainers = [made.SHAPConfig(**one) for one in recipe["shap"]]
        explainers += [made.PDPConfig(**one) for one in recipe["pdp"]]
        if explainers:
            method = "run_bias_and_explainability"
            arguments["explainability_config"] = explainers[0] if len(explainers) == 1 else explainers
        return "document", document(module, method, arguments)
    except (ValueError, TypeError, AssertionError, AttributeError) as error:
        return "error", type(error).__name__

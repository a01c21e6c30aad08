"""The configurations that the facade generates are those of the SDK."""

from __future__ import annotations

import inspect
import json
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clarify_ops import sagemaker as ours
from clarify_ops.config.languages import LANGUAGES

from .calls import Call, recorded_calls

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from sagemaker.core import clarify as sdk

CLASSES = [name for name in ours.__all__ if inspect.isclass(getattr(ours, name))]


class Caught(Exception):
    """Carries the configuration of a job that was about to start."""


def document(module: Any, method: str, arguments: dict[str, Any]) -> str:
    """The configuration as JSON text, so that the order of its keys counts."""
    starter = "_start" if module is ours else "_run"
    place = 1 if module is ours else 0

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


@pytest.mark.parametrize("call", recorded_calls())
def test_the_calls_of_public_notebooks(shared: Path, call: Call) -> None:
    assert document(ours, call.method, call.arguments(ours)) == json.dumps(call.expected)
    assert document(sdk, call.method, call.arguments(sdk)) == json.dumps(call.expected)


@pytest.mark.parametrize("call", recorded_calls())
def test_the_sdks_own_objects_are_taken(shared: Path, call: Call) -> None:
    assert document(ours, call.method, call.arguments(sdk)) == json.dumps(call.expected)


@pytest.mark.parametrize("name", CLASSES)
def test_arguments_are_those_of_the_sdk(name: str) -> None:
    def arguments(module: Any) -> list[tuple[str, Any]]:
        found = inspect.signature(getattr(module, name)).parameters.values()
        return [(one.name, getattr(one.default, "value", one.default)) for one in found if one.name != "image_uri"]

    assert arguments(ours) == arguments(sdk)


@pytest.mark.parametrize("method", [one for one in dir(ours.SageMakerClarifyProcessor) if one.startswith("run_")])
def test_methods_are_those_of_the_sdk(method: str) -> None:
    def arguments(module: Any) -> list[tuple[str, Any]]:
        found = inspect.signature(getattr(module.SageMakerClarifyProcessor, method)).parameters.values()
        return [(one.name, one.default) for one in found]

    assert arguments(ours) == arguments(sdk)


def test_every_class_of_the_sdk_is_here() -> None:
    theirs = {
        name
        for name, one in vars(sdk).items()
        if inspect.isclass(one) and one.__module__ == sdk.__name__ and not name.startswith("_")
    }
    assert theirs - set(ours.__all__) == {"ProcessingOutputHandler"}


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


def outcome(module: Any, recipe: dict[str, Any]) -> tuple[str, str]:
    """The configuration, or the kind of error that stops it."""
    try:
        arguments = {
            "data_config": module.DataConfig(**recipe["data"]),
            "bias_config": module.BiasConfig(**recipe["bias"]),
            "model_config": None if recipe["model"] is None else module.ModelConfig(**recipe["model"]),
            "model_predicted_label_config": None
            if recipe["labels"] is None
            else module.ModelPredictedLabelConfig(**recipe["labels"]),
            "pre_training_methods": recipe["before"],
            "post_training_methods": recipe["after"],
        }
        method = "run_bias"
        explainers = [module.SHAPConfig(**one) for one in recipe["shap"]]
        explainers += [module.PDPConfig(**one) for one in recipe["pdp"]]
        if explainers:
            method = "run_bias_and_explainability"
            arguments["explainability_config"] = explainers[0] if len(explainers) == 1 else explainers
        return "document", document(module, method, arguments)
    except (ValueError, TypeError, AssertionError, AttributeError) as error:
        return "error", type(error).__name__


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


@given(RECIPES)
@settings(max_examples=300, deadline=None)
def test_the_same_configuration_or_the_same_error_as_the_sdk(recipe: dict[str, Any]) -> None:
    assert outcome(ours, recipe) == outcome(sdk, recipe)


SERIES: list[dict[str, Any]] = [
    {"target_time_series": 1, "item_id": 2, "timestamp": 3, "related_time_series": [4]},
    {"target_time_series": 1, "item_id": "2", "timestamp": 3},
    {"target_time_series": "a", "item_id": "b", "timestamp": "c"},
    {"target_time_series": "a", "item_id": "b", "timestamp": "c", "dataset_format": "COLUMNS"},
    {
        "target_time_series": "a",
        "item_id": "b",
        "timestamp": "c",
        "static_covariates": [""],
        "dataset_format": "COLUMNS",
    },
    {"target_time_series": 1, "item_id": 2, "timestamp": 3, "dataset_format": "COLUMNS"},
    {"target_time_series": 1, "item_id": 2, "timestamp": 3, "related_time_series": "4"},
    {"target_time_series": "", "item_id": "b", "timestamp": "c"},
]


@pytest.mark.parametrize("recipe", SERIES)
def test_time_series(recipe: dict[str, Any]) -> None:
    def made(module: Any) -> Any:
        given_ = dict(recipe)
        if "dataset_format" in given_:
            given_["dataset_format"] = module.TimeSeriesJSONDatasetFormat[given_["dataset_format"]]
        try:
            return module.TimeSeriesDataConfig(**given_).get_time_series_data_config()
        except ValueError as error:
            return type(error)

    assert made(ours) == made(sdk)


OTHERS: list[tuple[str, dict[str, Any], str]] = [
    ("AsymmetricShapleyValueConfig", {}, "get_explainability_config"),
    ("AsymmetricShapleyValueConfig", {"direction": "sideways"}, "get_explainability_config"),
    ("AsymmetricShapleyValueConfig", {"granularity": "fine_grained"}, "get_explainability_config"),
    ("AsymmetricShapleyValueConfig", {"granularity": "fine_grained", "num_samples": 2}, "get_explainability_config"),
    ("AsymmetricShapleyValueConfig", {"num_samples": 2}, "get_explainability_config"),
    ("AsymmetricShapleyValueConfig", {"baseline": {"target_time_series": "max"}}, "get_explainability_config"),
    ("TextConfig", {"granularity": "token", "language": "english"}, "get_text_config"),
    ("TextConfig", {"granularity": "word", "language": "english"}, "get_text_config"),
    ("TextConfig", {"granularity": "token", "language": "klingon"}, "get_text_config"),
    ("ImageConfig", {"model_type": "OBJECT_DETECTION", "context": 0.5, "num_segments": 3}, "get_image_config"),
    ("ImageConfig", {"model_type": "X"}, "get_image_config"),
    ("SegmentationConfig", {"name_or_index": 0, "segments": [["a"]], "display_aliases": ["x", "y"]}, "to_dict"),
    ("SegmentationConfig", {"name_or_index": 0, "segments": [["a"]], "display_aliases": []}, "to_dict"),
    ("SegmentationConfig", {"name_or_index": 0, "segments": ["a"]}, "to_dict"),
    ("SegmentationConfig", {"name_or_index": None, "segments": [["a"]], "config_name": "c"}, "to_dict"),
]


@pytest.mark.parametrize(("name", "recipe", "getter"), OTHERS)
def test_other_classes(name: str, recipe: dict[str, Any], getter: str) -> None:
    def made(module: Any) -> Any:
        try:
            return json.dumps(getattr(getattr(module, name)(**recipe), getter)())
        except ValueError as error:
            return type(error)

    assert made(ours) == made(sdk)


def test_languages_are_those_of_the_sdk() -> None:
    languages = sdk.TextConfig._SUPPORTED_LANGUAGES
    for language in languages:
        ours.TextConfig("token", language)
    assert set(languages) == LANGUAGES


def test_neither_the_sdk_nor_boto3_is_needed() -> None:
    code = (
        "import sys\n"
        "for name in ('sagemaker', 'boto3', 'botocore'): sys.modules[name] = None\n"
        "from clarify_ops import sagemaker as clarify\n"
        "print(clarify.DataConfig('x', 'y', label=0).get_config())\n"
    )
    found = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert found.stdout.strip() == "{'dataset_type': 'text/csv', 'label': 0}"

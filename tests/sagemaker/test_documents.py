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

from clarify_ops import sagemaker as ours
from clarify_ops.config.languages import LANGUAGES

from .calls import Call, recorded_calls
from .recipes import RECIPES, document, outcome

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from sagemaker.core import clarify as sdk

CLASSES = [name for name in ours.__all__ if inspect.isclass(getattr(ours, name))]


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

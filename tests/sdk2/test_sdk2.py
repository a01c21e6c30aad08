"""SDK 2: its objects are taken, and its processor generates the configurations that ours does."""

from __future__ import annotations

import importlib
import importlib.metadata
import inspect
import json
import warnings
from typing import Any

import pytest
from hypothesis import given, settings

from clarify_ops import sagemaker as ours
from clarify_ops.config.analysis import AnalysisConfig
from tests.sagemaker.calls import Call, recorded_calls
from tests.sagemaker.recipes import RECIPES, document, outcome

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    sdk: Any = importlib.import_module("sagemaker.clarify")

CLASSES = [name for name in ours.__all__ if inspect.isclass(getattr(ours, name))]
METHODS = [one for one in dir(ours.SageMakerClarifyProcessor) if one.startswith("run_")]


def test_this_is_sdk_2() -> None:
    assert importlib.metadata.version("sagemaker").startswith("2.")


@pytest.mark.parametrize("call", recorded_calls())
def test_the_calls_of_public_notebooks(call: Call | None) -> None:
    if call is None:
        pytest.skip("needs CLARIFY_OPS_SHARED")
    expected = json.dumps(call.expected)
    assert document(sdk, call.method, call.arguments(sdk)) == expected
    assert document(ours, call.method, call.arguments(ours)) == expected
    assert document(ours, call.method, call.arguments(sdk)) == expected
    AnalysisConfig.parse(call.expected, "The analysis configuration")


@given(RECIPES)
@settings(max_examples=300, deadline=None)
def test_the_same_configuration_or_the_same_error(recipe: dict[str, Any]) -> None:
    assert outcome(ours, recipe) == outcome(sdk, recipe)


@given(RECIPES)
@settings(max_examples=300, deadline=None)
def test_its_objects_are_taken(recipe: dict[str, Any]) -> None:
    assert outcome(ours, recipe, objects=sdk) == outcome(sdk, recipe)


@pytest.mark.parametrize("name", CLASSES)
def test_arguments_of_classes(name: str) -> None:
    def arguments(module: Any) -> list[tuple[str, Any]]:
        found = inspect.signature(getattr(module, name)).parameters.values()
        return [(one.name, getattr(one.default, "value", one.default)) for one in found if one.name != "image_uri"]

    assert arguments(ours) == arguments(sdk)


@pytest.mark.parametrize("method", METHODS)
def test_arguments_of_methods(method: str) -> None:
    def arguments(module: Any) -> list[tuple[str, Any]]:
        found = inspect.signature(getattr(module.SageMakerClarifyProcessor, method)).parameters.values()
        return [(one.name, one.default) for one in found]

    assert arguments(ours) == arguments(sdk)

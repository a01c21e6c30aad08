"""The Clarify calls of public sample notebooks, made with whatever module has the classes: ours, or an SDK's."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from _pytest.mark import ParameterSet

METHODS = ("run_pre_training_bias", "run_post_training_bias", "run_bias", "run_explainability")


@dataclass(frozen=True)
class Call:
    """One call: which method, with which arguments, and the configuration that the SDK generates for it."""

    method: str
    document: dict[str, Any]
    expected: dict[str, Any]

    def arguments(self, module: Any) -> dict[str, Any]:
        """The arguments, as objects of a module's classes."""
        call = self.document
        found: dict[str, Any] = {"data_config": _made(module, "DataConfig", call["data_config"])}
        if call.get("bias_config"):
            found["bias_config"] = _made(module, "BiasConfig", call["bias_config"])
        if call.get("model_config"):
            found["model_config"] = _made(module, "ModelConfig", call["model_config"])
        if call.get("predictions_config") is not None:
            labels = _made(module, "ModelPredictedLabelConfig", call["predictions_config"])
            found["model_predicted_label_config"] = labels
        explainers = [_value(module, one) for one in call.get("explainability_config") or ()]
        if explainers:
            as_list = call.get("explainability_config_is_list")
            found["explainability_config"] = explainers if as_list else explainers[0]
        if call.get("model_scores") is not None:
            found["model_scores"] = _value(module, call["model_scores"])
        further: dict[str, Any] = call.get("method_kwargs", {})
        return found | further


def recorded_calls() -> list[ParameterSet]:
    """Every call that ends in a job with a configuration, or one that its test's `shared` fixture skips."""
    root = Path(os.environ.get("CLARIFY_OPS_SHARED") or Path(__file__).resolve().parents[3] / "shared") / "conformance"
    if not root.is_dir():
        return [pytest.param(None, id="none")]
    configs = json.loads((root / "notebook_configs.json").read_text(encoding="utf-8"))
    expected = {(one["id"], one["call"]): one["config"] for one in configs if "analysis_config via" in one["what"]}
    found = []
    for notebook in json.loads((root / "notebook_calls.json").read_text(encoding="utf-8")):
        for place, call in enumerate(notebook["calls"]):
            if (notebook["id"], place) in expected:
                method = call.get("equivalent_processor_method") or call["method"]
                made = Call(method, call, expected[notebook["id"], place])
                found.append(pytest.param(made, id=f"{notebook['id']}-{place}-{method}"))
    return found


def _made(module: Any, name: str, settings: dict[str, Any]) -> Any:
    return getattr(module, name)(**{key: _value(module, value) for key, value in settings.items()})


def _value(module: Any, value: Any) -> Any:
    if isinstance(value, dict) and "type" in value:
        settings = {key: one for key, one in value.items() if key != "type"}
        if "dataset_format" in settings:
            settings["dataset_format"] = module.TimeSeriesJSONDatasetFormat[settings["dataset_format"]]
        return _made(module, value["type"], settings)
    return value

"""The Kubeflow components are held to the step table: names, types, defaults, descriptions, and what they leave."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from google.protobuf import json_format  # type: ignore[import-untyped]
from kfp import components, dsl
from kfp.pipeline_spec import pipeline_spec_pb2

from clarify_ops.components import kubeflow
from clarify_ops.components.commands import ports
from clarify_ops.components.image import image
from clarify_ops.components.kubeflow.compiled import FILE, FOLDER, NAMES, compiled
from clarify_ops.steps.table import BY_NAME, Port

# What Kubeflow has besides the ports of the table: a dataset that a task before made, and a registration that succeeds
# though the gate refuses, for the sake of its report.
OWN = {step: {"dataset"} for step in BY_NAME} | {"register": {"dataset", "no_fail"}, "audit": set(), "publish": set()}
TYPES = {"file": "STRING", "uri": "STRING", "text": "STRING", "flag": "BOOLEAN", "folder": "system.Artifact"}
# Documents that a task before made, and a model that anybody made.
ARTIFACTS = {"verdict": "system.Artifact", "evidence": "system.Artifact"}
DEFAULTS = {"STRING": "", "BOOLEAN": False}
# By their types a user interface knows what to show.
SHOWN = {
    "pretraining-bias": {"metrics": "system.Metrics"},
    "train": {"candidate": "system.Model"},
    "posttraining-bias": {"metrics": "system.Metrics", "classification": "system.ClassificationMetrics"},
    "explain": {"metrics": "system.Metrics"},
    "gate": {
        "verdict": "system.Artifact",
        "evidence": "system.Artifact",
        "report": "system.HTML",
        "card": "system.Markdown",
        "outcome": "STRING",
        "may_register": "BOOLEAN",
    },
    "register": {
        "report": "system.HTML",
        "card": "system.Markdown",
        "metrics": "system.Metrics",
        "outcome": "STRING",
        "version": "STRING",
    },
    "publish": {"page": "system.HTML"},
    "audit": {},
}


def component(step: str) -> Any:
    return getattr(kubeflow, step.replace("-", "_"))


def definition(name: str) -> dict[str, Any]:
    """A component as its component.yaml has it."""
    document = yaml.safe_load((FOLDER / name / FILE).read_text(encoding="utf-8"))
    (found,) = document["components"].values()
    assert isinstance(found, dict)
    return found


def listed(definitions: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Parameters and artifacts by name, each with its type under "type"."""
    parameters = {name: {**one, "type": one["parameterType"]} for name, one in definitions["parameters"].items()}
    artifacts = definitions.get("artifacts", {})
    return parameters | {name: {**one, "type": one["artifactType"]["schemaTitle"]} for name, one in artifacts.items()}


def expected_type(step: str, port: Port) -> str:
    if (step, port.name) == ("train", "model"):
        return "system.Model"
    return ARTIFACTS.get(port.name, TYPES[port.kind])


@pytest.mark.parametrize("step", BY_NAME)
def test_inputs_are_the_ports_of_the_table(step: str) -> None:
    inputs = listed(definition(step.replace("-", "_"))["inputDefinitions"])
    expected = {port.name: port for port in ports(step)}
    assert set(inputs) - set(expected) == OWN[step]
    for name, port in expected.items():
        assert inputs[name]["type"] == expected_type(step, port), name
        assert inputs[name].get("isOptional", False) is not port.required, name
        if not port.required:
            assert inputs[name].get("defaultValue") == DEFAULTS.get(inputs[name]["type"]), name
        # The documents are texts here, which is said after what the table says.
        assert " ".join(inputs[name]["description"].split()).startswith(port.description.rstrip(".")), name
    assert all(one["description"] for one in inputs.values())
    assert component(step).description.startswith(BY_NAME[step].description)


@pytest.mark.parametrize("step", BY_NAME)
def test_outputs_are_typed_and_described(step: str) -> None:
    outputs = listed({"parameters": {}, **definition(step.replace("-", "_"))["outputDefinitions"]})
    assert {name: one["type"] for name, one in outputs.items()} == {
        BY_NAME[step].folder: "system.Artifact",
        **SHOWN[step],
    }
    assert all(one["description"] for one in outputs.values())


def test_the_exit_task_takes_the_state_from_kubeflow() -> None:
    inputs = listed(definition("publish_at_exit")["inputDefinitions"])
    assert {name: one["type"] for name, one in inputs.items()} == {"to": "STRING", "status": "TASK_FINAL_STATUS"}
    before = listed(definition("publish")["outputDefinitions"] | {"parameters": {}})
    after = listed(definition("publish_at_exit")["outputDefinitions"] | {"parameters": {}})
    assert {name: one["type"] for name, one in after.items()} == {name: one["type"] for name, one in before.items()}


def test_every_component_has_a_file_and_every_file_a_component() -> None:
    assert {file.parent.name for file in FOLDER.glob(f"*/{FILE}")} == set(NAMES)
    assert set(NAMES) == {
        name for name in kubeflow.__all__ if isinstance(component(name), dsl.base_component.BaseComponent)
    }


@pytest.mark.parametrize("name", NAMES)
def test_the_file_is_current_and_keeps_to_the_schema(name: str) -> None:
    file = FOLDER / name / FILE
    # A mismatch is repaired by: python -m clarify_ops.components.kubeflow.compiled
    assert file.read_text(encoding="utf-8") == compiled(name)
    spec = json_format.ParseDict(yaml.safe_load(file.read_text(encoding="utf-8")), pipeline_spec_pb2.PipelineSpec())
    (executor,) = spec.deployment_spec["executors"].values()
    assert executor["container"]["image"] == image()
    # A task starts at once, and without a network.
    assert "pip install" not in " ".join(executor["container"]["command"])
    loaded = components.load_component_from_file(str(file))
    assert loaded.component_spec.inputs == component(name).component_spec.inputs

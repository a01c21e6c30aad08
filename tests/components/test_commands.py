"""Command lines made from the step table are those that the command line takes."""

from __future__ import annotations

import pytest
import typer.main

from clarify_ops.cli.app import app
from clarify_ops.components.commands import arguments, ports, said
from clarify_ops.errors import BadInput
from clarify_ops.steps.table import BY_NAME, Step


def values(step: Step) -> dict[str, object]:
    return {port.name: True if port.kind == "flag" else f"value of {port.name}" for port in ports(step.name)}


@pytest.mark.parametrize("step", BY_NAME.values(), ids=BY_NAME)
def test_the_command_line_understands_every_option(step: Step) -> None:
    verb, *options = arguments(step.name, values(step), "out")
    group = typer.main.get_command(app)
    command = group.commands[verb]  # type: ignore[attr-defined]
    with command.make_context(verb, list(options)) as context:
        got = {name: value if isinstance(value, bool) else str(value) for name, value in context.params.items()}
    asked = {**values(step), "output": "out"}
    assert {name: got[name] for name in asked} == asked
    # The rest is for people. A private key is handed over by none of them: it would lie among an orchestrator's
    # parameters, and a task has it mounted.
    assert {got[name] for name in got.keys() - asked.keys()} <= {"None", False}


@pytest.mark.parametrize("absent", [None, "", False])
def test_what_is_absent_leaves_no_option(absent: object) -> None:
    assert arguments("train", {"pipeline": "p.yaml", "data": absent}, "out") == [
        "train",
        "--pipeline",
        "p.yaml",
        "--output",
        "out",
    ]


def test_a_required_input_must_be_given() -> None:
    with pytest.raises(BadInput, match="The step explain needs 'training': Output folder of the train step"):
        arguments("explain", {"pipeline": "p.yaml"}, "out")


def test_an_unknown_input_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(BadInput, match="takes no 'polcy'") as raised:
        arguments("train", {"pipeline": "p.yaml", "polcy": "x"}, "out")
    assert raised.value.hint == 'Did you mean "policy"?'


def test_variables_of_an_orchestrator_are_passed_on_as_they_are() -> None:
    variable = object()
    assert arguments("train", {"pipeline": variable}, "out")[2] is variable


def test_a_step_that_says_nothing_wrong() -> None:
    assert said(["train: reading", "errors: 0"]) == ""

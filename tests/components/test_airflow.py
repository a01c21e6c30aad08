"""The Airflow operators, held to the step table; tests/dags runs them."""

from __future__ import annotations

import inspect
import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowException

from clarify_ops.components import airflow
from clarify_ops.components.commands import ports
from clarify_ops.steps.table import BY_NAME

OPERATORS: dict[str, type[airflow.StepOperator]] = {
    operator.step: operator
    for operator in (
        airflow.PretrainingBiasOperator,
        airflow.TrainOperator,
        airflow.PosttrainingBiasOperator,
        airflow.ExplainOperator,
        airflow.GateOperator,
        airflow.RegisterOperator,
        airflow.AuditOperator,
    )
}
OWN = {"output_folder", "python", "environment"}


def parameters(operator: type[Any]) -> dict[str, inspect.Parameter]:
    """Of the operator and of the operators that it is made from, down to Airflow's own."""
    found: dict[str, inspect.Parameter] = {}
    for one in operator.__mro__:
        if issubclass(one, airflow.StepOperator) and "__init__" in vars(one):
            found |= inspect.signature(inspect.unwrap(one.__init__)).parameters
    return {name: one for name, one in found.items() if name not in {"self", "kwargs"}}


def test_every_step_has_an_operator() -> None:
    assert set(OPERATORS) == set(BY_NAME)


@pytest.mark.parametrize("step", BY_NAME)
def test_arguments_are_the_ports_of_the_table(step: str) -> None:
    found = parameters(OPERATORS[step])
    expected = {port.name: port for port in ports(step)}
    assert set(found) == set(expected) | OWN
    for name, port in expected.items():
        assert (found[name].default is inspect.Parameter.empty) is port.required, name


@pytest.mark.parametrize("step", BY_NAME)
def test_every_argument_is_a_template_but_the_switch(step: str) -> None:
    assert set(OPERATORS[step].template_fields) == {one.name for one in ports(step) if one.kind != "flag"} | OWN


@pytest.mark.parametrize("step", BY_NAME)
def test_words_are_those_of_the_table(step: str) -> None:
    texts = [inspect.getdoc(one) or "" for one in OPERATORS[step].__mro__ if issubclass(one, airflow.StepOperator)]
    assert texts[0].startswith(BY_NAME[step].description)
    documented = "\n".join(texts)
    for port in ports(step):
        # An operator has no exit status.
        words = "Succeed whatever the verdict" if port.name == "no_fail" else port.description.rstrip(".")
        assert f"{port.name}: {words}" in documented


def test_a_killed_task_ends_its_process(tmp_path: Path) -> None:
    # Opening the pipe waits for a writer, who never comes: a step that is at work.
    os.mkfifo(tmp_path / "pipeline.yaml")
    operator = airflow.TrainOperator(
        task_id="train", pipeline=str(tmp_path / "pipeline.yaml"), output_folder=str(tmp_path / "out"), retries=0
    )
    with ThreadPoolExecutor() as pool:
        task = pool.submit(operator.execute, {})
        while operator._process is None:
            time.sleep(0.01)
        operator.on_kill()
        with pytest.raises(AirflowException, match=f"ended with exit status -{signal.SIGTERM.value}"):
            task.result(timeout=20)

"""The Airflow operators and tasks, held to the step table; tests/dags runs them."""

from __future__ import annotations

import inspect
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from airflow.sdk import DAG, XComArg
from airflow.sdk.exceptions import AirflowException, AirflowFailException

from clarify_ops.components import airflow
from clarify_ops.components.airflow import tasks
from clarify_ops.components.commands import ports
from clarify_ops.steps.table import BY_NAME, Port

OPERATORS: dict[str, type[airflow.StepOperator]] = {
    operator.step: operator
    for operator in (
        airflow.PretrainingBiasOperator,
        airflow.TrainOperator,
        airflow.PosttrainingBiasOperator,
        airflow.ExplainOperator,
        airflow.GateOperator,
        airflow.RegisterOperator,
        airflow.PublishOperator,
        airflow.AuditOperator,
    )
}
TASKS: dict[str, tasks.StepTask[Any]] = {step: getattr(tasks, step.replace("-", "_")) for step in BY_NAME}
OWN = {"python", "environment", "registry_conn_id", "reports_url"}
STYLES = [pytest.param(style, step, id=f"{style}-{step}") for style in ("operator", "task") for step in BY_NAME]


def written(style: str, step: str) -> tuple[dict[str, inspect.Parameter], str]:
    """Parameters and documentation of a step, as a reader sees them."""
    made: Any = OPERATORS[step] if style == "operator" else TASKS[step]
    signature = inspect.signature(inspect.unwrap(made.__init__) if style == "operator" else made)
    found = {name: one for name, one in signature.parameters.items() if name not in {"self", "kwargs"}}
    return found, " ".join((inspect.getdoc(made) or "").split())


def arguments(step: str, **changed: Any) -> dict[str, Any]:
    """The least that a step takes."""
    values = {port.name: f"of/{port.name}" for port in ports(step) if port.required}
    return {"task_id": "made", "output_folder": "out", **values, **changed}


def test_every_step_has_an_operator_and_a_task() -> None:
    assert set(OPERATORS) == set(BY_NAME)
    assert {one.operator.step for one in TASKS.values()} == set(BY_NAME)


@pytest.mark.parametrize(("style", "step"), STYLES)
def test_names_types_and_defaults_are_those_of_the_table(style: str, step: str) -> None:
    found, _ = written(style, step)
    expected = {port.name: port for port in ports(step)}
    assert set(found) == set(expected) | {"output_folder"}
    for name, port in expected.items():
        assert (found[name].default is inspect.Parameter.empty) is port.required, name
        assert found[name].annotation == type_of(port), name
        assert port.required or found[name].default is (False if port.kind == "flag" else None), name


def type_of(port: Port) -> str:
    if port.kind == "flag":
        return "bool"
    return "Text" if port.required else "Text | None"


@pytest.mark.parametrize(("style", "step"), STYLES)
def test_words_are_those_of_the_table(style: str, step: str) -> None:
    _, documented = written(style, step)
    assert documented.startswith(BY_NAME[step].description)
    for port in ports(step):
        # An operator has no exit status.
        words = "Succeed whatever the verdict" if port.name == "no_fail" else port.description.rstrip(".")
        assert f"{port.name}: {words}" in documented


@pytest.mark.parametrize("step", BY_NAME)
def test_every_argument_is_a_template_but_the_switch(step: str) -> None:
    expected = {one.name for one in ports(step) if one.kind != "flag"} | OWN | {"output_folder"}
    assert set(OPERATORS[step].template_fields) == expected


@pytest.mark.parametrize("step", BY_NAME)
def test_a_wrong_type_is_refused_when_the_file_is_read(step: str) -> None:
    for port in ports(step):
        wrong: Any = "yes" if port.kind == "flag" else 5
        with pytest.raises(TypeError, match=rf"{OPERATORS[step].__name__} 'made' takes .* as {port.name}, not"):
            OPERATORS[step](**arguments(step, **{port.name: wrong}))


@pytest.mark.parametrize(
    "wrong",
    [
        {"output_folder": None},
        {"python": 3},
        {"registry_conn_id": 1},
        {"reports_url": []},
        {"environment": {"A": 1}},
        {"environment": "A=1"},
    ],
    ids=str,
)
def test_a_wrong_option_is_refused_when_the_file_is_read(wrong: dict[str, Any]) -> None:
    with pytest.raises(TypeError, match="AuditOperator 'made' takes"):
        airflow.AuditOperator(**arguments("audit", **wrong))


@pytest.mark.parametrize("operator", [airflow.AuditOperator, airflow.RegisteredVersionSensor])
def test_a_written_password_is_refused_when_the_file_is_read(operator: Callable[..., Any]) -> None:
    values = {"output_folder": "out"} if operator is airflow.AuditOperator else {"model": "credit"}
    with pytest.raises(ValueError, match="Put it into a connection") as raised:
        operator(task_id="made", registry_uri="https://me:pa55@mlflow.example", **values)
    assert "pa55" not in str(raised.value)


def test_a_call_makes_a_task_and_a_second_one_another() -> None:
    with DAG("calls", schedule=None) as dag:
        trained = tasks.train(pipeline="p.yaml", output_folder="training")
        tasks.train.override(retries=7, task_id="again")(pipeline="p.yaml", output_folder="again")
        explained = tasks.explain(pipeline="p.yaml", training=trained, output_folder="one")
        tasks.explain(pipeline="p.yaml", training=trained, output_folder="two")
        tasks.explain.partial(pipeline="p.yaml", training=trained, task_id="many").expand(output_folder=["a", "b"])
    assert isinstance(explained, XComArg)
    assert sorted(dag.task_ids) == ["again", "explain", "explain__1", "many", "train"]
    assert isinstance(dag.get_task("train"), airflow.TrainOperator)
    assert dag.get_task("again").retries == 7
    assert dag.get_task("train").downstream_task_ids == {"explain", "explain__1", "many"}


def test_what_another_task_returned_must_be_text(tmp_path: Path) -> None:
    operator = airflow.TrainOperator(task_id="train", pipeline="p.yaml", output_folder=str(tmp_path / "out"))
    operator.data = {"rows": 3}
    with pytest.raises(AirflowFailException, match="TrainOperator 'train' got dict as data, which takes text"):
        operator.execute({})


def test_what_rendered_to_nothing_is_missing_and_not_tried_again(tmp_path: Path) -> None:
    operator = airflow.TrainOperator(task_id="train", pipeline="", output_folder=str(tmp_path / "out"))
    with pytest.raises(AirflowFailException, match="The step train needs 'pipeline'"):
        operator.execute({})


def test_an_interpreter_that_is_not_there_is_not_tried_again(tmp_path: Path) -> None:
    python = str(tmp_path / "python")
    operator = airflow.TrainOperator(task_id="train", pipeline="p.yaml", output_folder="out", python=python)
    with pytest.raises(AirflowFailException, match="python cannot be started: No such file"):
        operator.execute({})


@pytest.fixture
def waiting(tmp_path: Path) -> airflow.TrainOperator:
    """A step that is at work until it is ended: opening a pipe waits for a writer, who never comes."""
    os.mkfifo(tmp_path / "pipeline.yaml")
    return airflow.TrainOperator(
        task_id="train", pipeline=str(tmp_path / "pipeline.yaml"), output_folder=str(tmp_path / "out"), retries=0
    )


def test_a_killed_task_ends_its_process(waiting: airflow.TrainOperator) -> None:
    with ThreadPoolExecutor() as pool:
        task = pool.submit(waiting.execute, {})
        while waiting._process is None:
            time.sleep(0.01)
        waiting.on_kill()
        with pytest.raises(AirflowException, match="was killed by SIGTERM"):
            task.result(timeout=20)


def test_a_task_whose_time_is_over_ends_its_process(waiting: airflow.TrainOperator) -> None:
    class Over(BaseException):
        """As Airflow's timeout: an alarm's handler raises it."""

    def ring(*_: object) -> None:
        raise Over

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, 0.5)
    try:
        with pytest.raises(Over):
            waiting.execute({})
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert waiting._process is not None
    assert waiting._process.returncode == -signal.SIGTERM


def test_a_step_ends_with_its_worker(tmp_path: Path) -> None:
    """A worker that is killed with SIGKILL, and cannot end what it started."""
    os.mkfifo(tmp_path / "pipeline.yaml")
    program = (
        "import sys; from clarify_ops.components.airflow import TrainOperator;"
        "TrainOperator(task_id='t', pipeline=sys.argv[1], output_folder=sys.argv[2]).execute({})"
    )
    worker = subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path / "pipeline.yaml"), str(tmp_path / "out")],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        child = until(lambda: children(worker.pid))[0]
        # Its module is running, and not only its interpreter: until then nobody reads the pipe.
        until(lambda: b"\0train\0" in Path(f"/proc/{child}/cmdline").read_bytes())
    finally:
        worker.kill()
        worker.wait(20)
    until(lambda: ended(child))


def children(process: int) -> list[int]:
    return [int(one) for one in Path(f"/proc/{process}/task/{process}/children").read_text().split()]


def ended(process: int) -> bool:
    try:
        # A zombie waits for whoever adopted it.
        return Path(f"/proc/{process}/stat").read_text().rpartition(") ")[2].startswith("Z")
    except OSError:
        return True


def until(found: Callable[[], Any]) -> Any:
    end = time.monotonic() + 60
    while time.monotonic() < end:
        if answer := found():
            return answer
        time.sleep(0.05)
    raise AssertionError("It never happened.")


def test_links_lead_where_people_can_look(tmp_path: Path) -> None:
    """Of what lies in the folder of a task that has ended."""
    register = airflow.RegisterOperator(**arguments("register", output_folder=str(tmp_path)))
    links: dict[str, Any] = {link.name: link for link in register.operator_extra_links}

    def shown(operator: Any = register) -> list[str]:
        return [links[name].get_link(operator, ti_key=None) for name in ("Report", "Model card", "Registered version")]

    assert shown() == ["", "", ""]
    (tmp_path / "report.html").touch()
    (tmp_path / "model_card.md").touch()
    assert shown() == [(tmp_path / "report.html").as_uri(), (tmp_path / "model_card.md").as_uri(), ""]
    registration = {"registry": "http://mlflow:5000", "run": "1a", "model": "credit risk", "version": "3"}
    (tmp_path / "registration.json").write_text(json.dumps(registration), encoding="utf-8")
    assert shown() == [
        "http://mlflow:5000/#/runs/1a",
        "http://mlflow:5000/#/models/credit%20risk/versions/3",
        "http://mlflow:5000/#/models/credit%20risk/versions/3",
    ]
    register.reports_url = "https://reports.example/run/"
    assert shown()[0] == "https://reports.example/run/report.html"
    (tmp_path / "index.html").touch()
    publish = airflow.PublishOperator(**arguments("publish", output_folder=str(tmp_path), to="s3://bucket/a run"))
    assert shown(publish)[0] == "https://s3.console.aws.amazon.com/s3/object/bucket?prefix=a%20run/index.html"
    publish.to = "https://me:pa55@reports.example/dav?signature=pa55"
    assert shown(publish)[0] == "https://reports.example/dav/index.html"


def test_airflow_is_needed_for_what_is_airflow_s_alone() -> None:
    """A step's process imports two modules of this package, and may run where there is no Airflow."""
    program = (
        "import sys; sys.modules['airflow'] = None\n"
        "import clarify_ops.components.airflow.child, clarify_ops.components.airflow.asking\n"
        "from clarify_ops.errors import MissingExtra\n"
        "try: from clarify_ops.components.airflow import TrainOperator\n"
        "except MissingExtra as error: print(error)"
    )
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert "pip install 'clarify-ops[airflow]'" in said.stdout


def test_a_dag_is_read_fast_and_without_the_libraries_that_train(tmp_path: Path) -> None:
    program = """
import sys, time
from importlib import import_module
import airflow.sdk
files = ("dags.gated_training", "dags.champion_deployment", "components.airflow.tasks", "components.airflow.provider")
known, seconds = set(sys.modules), []
for _ in range(2):
    for name in [name for name in sys.modules if name.startswith("clarify_ops")]:
        del sys.modules[name]
    begin = time.process_time()
    for name in files:
        import_module(f"clarify_ops.{name}")
    seconds.append(time.process_time() - begin)
print(seconds[-1], *sorted(set(sys.modules) - known))
"""
    # The first time compiles, and loads what Airflow has loaded whenever it reads a file.
    environment = {**os.environ, "AIRFLOW_HOME": str(tmp_path), "PYTHONDONTWRITEBYTECODE": ""}
    said = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True
    ).stdout
    seconds, *added = said.splitlines()[-1].split()
    heavy = {"jsonschema", "matplotlib", "mlflow", "numpy", "pandas", "pyarrow", "pydantic", "scipy", "shap", "yaml"}
    assert not {name.partition(".")[0] for name in added} & heavy
    # Of our own only what operators are made of: the step table, and the errors, which an installed provider has brought.
    ours = {
        name for name in added if name.startswith("clarify_ops") and ".components" not in name and ".dags" not in name
    }
    assert "clarify_ops.steps.table" in ours
    assert ours <= {"clarify_ops", "clarify_ops.errors", "clarify_ops.steps", "clarify_ops.steps.table"}
    assert float(seconds) < 0.1

"""The DAG and its operators, run by Airflow with a database in a temporary folder."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from mlflow import MlflowClient

from tests.project import POLICY

# Of MLflow's tables, when a process opens its first registry.
Ran = dict[str, Any]
Run = Callable[..., Ran]


@pytest.fixture(scope="module")
def airflow(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Runs a DAG of a folder with a configuration."""
    home = tmp_path_factory.mktemp("airflow")
    environment = {
        **os.environ,
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__DAGS_FOLDER": str(root / "dags"),
        "PYTHONPATH": str(root),
    }
    call([sys.executable, "-m", "airflow", "db", "migrate"], environment)

    def run(folder: Path, dag_id: str, **conf: str) -> Ran:
        output = home / "run.json"
        said = call(
            [sys.executable, "-m", "tests.dags.runner", dag_id, json.dumps(conf), str(output)],
            {**environment, "AIRFLOW__CORE__DAGS_FOLDER": str(folder)},
        )
        document: Ran = json.loads(output.read_text(encoding="utf-8"))
        return {**document, "said": said}

    return run


def call(command: list[str], environment: dict[str, str]) -> str:
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    return said


def test_an_open_gate_registers_the_model(root: Path, finished: Path, tmp_path: Path, airflow: Run) -> None:
    registry = f"sqlite:///{tmp_path}/registry/mlflow.db"
    run = airflow(
        root / "dags",
        "gated_training",
        pipeline=str(finished / "pipeline.yaml"),
        output=str(tmp_path / "runs"),
        registry_uri=registry,
    )
    assert run["state"] == "success"
    assert run["tasks"] == {
        name: ["success", 1] for name in ("pretraining_bias", "train", "posttraining_bias", "explain", "register")
    }
    folder = tmp_path / "runs" / run["run_id"]
    assert run["told"]["train.return_value"] == str(folder / "training")
    assert run["told"]["register.outcome"] == "PASS"
    assert run["told"]["register.version"] == "1"
    version = MlflowClient(registry, registry).get_model_version_by_alias("small-model", "challenger")
    assert version.tags["clarify_ops.verdict"] == "PASS"


def test_the_registry_is_audited(root: Path, finished: Path, tmp_path: Path, airflow: Run) -> None:
    """The registry of a finished run, before and after somebody took the evidence's digest from a version."""
    shutil.copy(finished / "registry" / "mlflow.db", tmp_path)
    registry = f"sqlite:///{tmp_path}/mlflow.db"
    asked = {"registry_uri": registry, "output": str(tmp_path / "runs")}
    run = airflow(root / "dags", "registry_audit", **asked)
    assert (run["state"], run["tasks"]) == ("success", {"audit": ["success", 1]})
    MlflowClient(registry, registry).delete_model_version_tag("small-model", "1", "clarify_ops.evidence")
    run = airflow(root / "dags", "registry_audit", **asked)
    assert (run["state"], run["tasks"]) == ("failed", {"audit": ["failed", 1]})
    assert "1 version is without valid evidence, the first is small-model 1:" in run["said"]
    assert (tmp_path / "runs" / run["run_id"] / "audit" / "audit.json").is_file()


@pytest.fixture(scope="module")
def refusals(root: Path, finished: Path, airflow: Run) -> Ran:
    """A DAG of all the ways to fail, run once for the tests below."""
    strict = {**POLICY, "rules": [{**POLICY["rules"][0], "min": 0.999}]}
    (finished / "strict.yaml").write_text(yaml.safe_dump(strict), encoding="utf-8")
    run = airflow(root / "tests" / "dags" / "cases", "refusals", project=str(finished), registry=registry_of(finished))
    assert run["state"] == "failed"
    return run


def registry_of(finished: Path) -> str:
    return f"sqlite:///{finished}/refused/mlflow.db"


def test_a_refused_gate_fails_at_once(refusals: Ran, finished: Path) -> None:
    assert refusals["tasks"]["refused"] == ["failed", 1]
    assert refusals["tasks"]["after_refused"][0] == "upstream_failed"
    assert "AirflowFailException: The gate says FAIL: " in refusals["said"]
    assert "PASS" not in (finished / "run" / "refused" / "verdict.json").read_text(encoding="utf-8")
    assert (finished / "run" / "refused" / "report.html").is_file()
    client = MlflowClient(registry_of(finished), registry_of(finished))
    assert client.search_registered_models() == []


def test_a_dag_can_branch_on_the_gate(refusals: Ran) -> None:
    assert refusals["tasks"]["gate"] == ["success", 1]
    assert refusals["told"]["gate.outcome"] == "FAIL"
    assert refusals["told"]["gate.may_register"] is False
    assert refusals["tasks"]["after_gate"][0] == "skipped"


def test_a_store_that_does_not_answer_is_tried_again(refusals: Ran) -> None:
    assert refusals["tasks"]["unreachable"] == ["failed", 2]
    assert "ended with exit status 5: The store behind ftp://127.0.0.1:9/loans.csv failed" in refusals["said"]


def test_wrong_input_fails_at_once(refusals: Ran) -> None:
    assert refusals["tasks"]["wrong_input"] == ["failed", 1]
    assert "AirflowFailException: The data file" in refusals["said"]


def test_a_dag_is_read_without_the_libraries_that_train(root: Path, tmp_path: Path) -> None:
    program = "import airflow.sdk, sys; a = set(sys.modules); import clarify_ops.dags.gated_training; print(*set(sys.modules) - a)"
    said = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "AIRFLOW_HOME": str(tmp_path), "PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        check=True,
    )
    added = {name.partition(".")[0] for name in said.stdout.splitlines()[-1].split()}
    assert "clarify_ops" in added
    assert not added & {"matplotlib", "mlflow", "numpy", "pandas", "pyarrow", "scipy", "shap", "sklearn"}

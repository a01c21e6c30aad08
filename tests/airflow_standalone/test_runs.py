"""The DAGs under a scheduler: what becomes of a model, what people are shown, and what nobody is."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import requests

from tests.airflow_standalone.scene import (
    CONNECTION,
    DAGS,
    MEASURING,
    MODEL,
    OTHER_MODEL,
    PERSON,
    SECONDS_TO_END,
    SECRETS,
    WHOLE,
    WORKER,
    Scene,
    basic,
)
from tests.airflow_standalone.standalone import Run, until


def versions(stage: Scene, model: str) -> list[dict[str, Any]]:
    """What the registry itself holds."""
    found: list[dict[str, Any]] = asked(stage, "model-versions/search", filter=f"name = '{model}'")["model_versions"]
    return found


def asked(stage: Scene, question: str, **words: str) -> dict[str, Any]:
    """MLflow's answer."""
    answer = requests.get(f"{stage.registry}/api/2.0/mlflow/{question}", params=words, auth=WORKER, timeout=60)
    answer.raise_for_status()
    found: dict[str, Any] = answer.json()
    return found


def run_of(stage: Scene, dag: str) -> Run:
    """The only run of a DAG, which Airflow starts by itself."""
    path = f"dags/{dag}/dagRuns"
    (found,) = until(lambda: stage.airflow.get(path)["dag_runs"], SECONDS_TO_END, lambda: f"{dag} was not started.")
    return Run(stage.airflow, dag, found["dag_run_id"])


def text_of(link: str | None) -> str:
    """What a link leads to, of those that lead to a file."""
    assert link is not None
    assert urlsplit(link).scheme == "file"
    return Path(unquote(urlsplit(link).path)).read_text(encoding="utf-8")


def test_airflow_knows_the_provider(stage: Scene) -> None:
    listed = json.loads(stage.airflow.command("providers", "list", "--output", "json"))
    assert "clarify-ops" in {one["package_name"] for one in listed}
    assert stage.airflow.get("importErrors")["total_entries"] == 0


def test_the_wheel_is_what_runs(stage: Scene) -> None:
    program = "import clarify_ops.components.airflow as found; print(found.__file__)"
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=stage.airflow.environment,
        cwd=stage.airflow.home,
        capture_output=True,
        text=True,
        check=True,
    )
    assert Path(done.stdout.splitlines()[-1]).is_relative_to(Path(sys.prefix, "lib"))


def test_an_open_gate_registers_one_version(stage: Scene) -> None:
    run = stage.opened
    assert run.wait(SECONDS_TO_END) == "success"
    assert run.tasks() == dict.fromkeys(WHOLE, ("success", 1))
    (version,) = versions(stage, MODEL)
    assert {"key": "clarify_ops.verdict", "value": "PASS"} in version["tags"]
    told = run.told("register")
    assert {name: told[name] for name in ("outcome", "may_register", "version")} == {
        "outcome": "PASS",
        "may_register": True,
        "version": version["version"],
    }
    assert run.told("train") == {"return_value": str(stage.folder / "runs" / "open_gate" / "training")}


def test_its_links_lead_to_report_card_and_version(stage: Scene) -> None:
    registered, published = stage.opened.links("register"), stage.opened.links("publish")
    assert registered["Registered version"] == f"{stage.registry}/#/models/{MODEL}/versions/1"
    assert registered["Report"] is not None
    assert registered["Report"].startswith(f"{stage.registry}/#/runs/")
    assert "Passed" in text_of(published["Report"])
    assert f"model_name: {MODEL}\n" in text_of(published["Model card"])


def test_a_shut_gate_fails_at_once_and_registers_nothing(stage: Scene) -> None:
    run = stage.shut
    assert run.wait(SECONDS_TO_END) == "failed"
    assert run.tasks() == {
        **dict.fromkeys(MEASURING, ("success", 1)),
        "gate": ("failed", 1),
        "register": ("upstream_failed", 0),
        "publish": ("success", 1),
    }
    assert run.told("gate")["outcome"] == "FAIL"
    assert run.told("gate")["may_register"] is False
    assert "The gate says FAIL" in run.log("gate")
    assert not (stage.folder / "runs" / "shut_gate" / "release").exists()
    assert set(run.links("register").values()) == {None}
    assert "Registration is refused" in text_of(run.links("publish")["Report"])


def test_a_person_promotes_and_the_waiting_dag_deploys(stage: Scene) -> None:
    """The DAG was started by the registration's event; it waits without a worker until the version is champion."""
    (event,) = stage.airflow.get("assets/events", source_dag_id="gated_training", source_run_id="open_gate")[
        "asset_events"
    ]
    assert {name: event["extra"][name] for name in ("model", "version", "outcome")} == {
        "model": MODEL,
        "version": "1",
        "outcome": "PASS",
    }
    (waiting,) = until(
        lambda: stage.airflow.get("dags/champion_deployment/dagRuns")["dag_runs"],
        60,
        lambda: "No event started the DAG.",
    )
    assert waiting["run_type"] == "asset_triggered"
    run = Run(stage.airflow, "champion_deployment", waiting["dag_run_id"])
    until(lambda: ("promoted", ("deferred", 1)) in run.tasks().items(), 120, lambda: f"It does not wait: {run.tasks()}")
    clarify_ops = str(Path(sys.executable).with_name("clarify-ops"))
    place = ("--model", MODEL, "--registry-uri", stage.registry)
    subprocess.run(
        [clarify_ops, "promote", "challenger", *place, "--reason", "The committee approved it."],
        env=stage.airflow.environment,
        cwd=stage.airflow.home,
        check=True,
        timeout=120,
    )
    assert run.wait(SECONDS_TO_END) == "success"
    assert run.told("deploy")["return_value"] == f"models:/{MODEL}/1"


def test_a_worker_that_dies_between_gate_and_registration_is_tried_again(stage: Scene) -> None:
    run = stage.killed
    assert run.wait(SECONDS_TO_END) == "success"
    assert run.tasks() == {**dict.fromkeys(WHOLE, ("success", 1)), "register": ("success", 2)}
    assert "was killed by SIGKILL" in run.log("register", 1)
    (version,) = versions(stage, OTHER_MODEL)
    assert run.told("register")["version"] == version["version"]
    called = asked(stage, "registered-models/alias", name=OTHER_MODEL, alias="challenger")["model_version"]
    assert called["version"] == version["version"]


def test_the_registry_is_audited_every_night(stage: Scene) -> None:
    """The last night's audit is made up for, of the registry that the worker's variables name."""
    stage.airflow.patch("dags/registry_audit", {"is_paused": False})
    run = run_of(stage, "registry_audit")
    assert run.name.startswith("scheduled__")
    assert run.name.partition("T")[2].startswith("02:15")
    assert run.wait(SECONDS_TO_END) == "success", run.log("audit")
    found = json.loads((stage.airflow.home / "runs" / run.name / "audit" / "audit.json").read_text(encoding="utf-8"))
    assert set(found["models"]) == {MODEL, OTHER_MODEL}
    assert found["findings"] == []
    details = stage.airflow.get("dags/registry_audit/details")
    assert details["next_dagrun_run_after"][11:16] == "02:15"


def test_a_connection_opens_the_registry(stage: Scene) -> None:
    """Its password alone opens this door."""
    run = stage.airflow.trigger("audit_by_connection", "by_connection", {"output": str(stage.folder / "runs")})
    assert run.wait(SECONDS_TO_END) == "success", run.log("audit")


def test_no_secret_is_anywhere(stage: Scene) -> None:
    """After all runs: neither on disk, where databases and logs are, nor in what people can ask for."""
    assert requests.get(f"{stage.for_person}/version", timeout=10).status_code == requests.codes.unauthorized
    shown = everything_shown(stage)
    assert PERSON[0] in shown
    secrets = [*SECRETS, basic(WORKER).split()[1], basic(PERSON).split()[1]]
    assert [one for one in secrets if one in shown] == []
    # The example is where the applicant comes from.
    files = [one for one in stage.folder.rglob("*") if one.is_file() and "example" not in one.parts]
    assert len([one for one in files if one.name.startswith("attempt=")]) > 3 * len(WHOLE)
    leaks = [(file.name, one) for file in files for one in secrets if one.encode() in file.read_bytes()]
    assert leaks == []


def everything_shown(stage: Scene) -> str:
    """Connections, runs, tasks with their rendered fields, XComs, logs, links and the log of events, as one text."""
    found: list[Any] = [stage.airflow.get(one) for one in ("connections", f"connections/{CONNECTION}", "eventLogs")]
    for dag in DAGS:
        for one in stage.airflow.get(f"dags/{dag}/dagRuns")["dag_runs"]:
            run = Run(stage.airflow, dag, one["dag_run_id"])
            tasks = stage.airflow.get(f"{run.path}/taskInstances")
            found += [one, tasks]
            for task, (_, attempts) in run.tasks().items():
                found += [run.told(task), run.links(task)]
                found += [run.log(task, attempt) for attempt in range(1, attempts + 1)]
    return json.dumps(found)

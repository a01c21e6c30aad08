"""The SageMaker pipeline: its definition against a golden file, and its jobs run here, folder for prefix.

After a change on purpose: CLARIFY_OPS_UPDATE_GOLDEN=1 python -m pytest tests/pipelines/test_sagemaker_gated_training.py
"""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml
from mlflow import MlflowClient
from sagemaker.core.workflow.pipeline_context import PipelineSession

from clarify_ops.components.documents import self_contained
from clarify_ops.components.sagemaker import Job
from clarify_ops.pipelines.sagemaker_gated_training import gated_training
from tests.project import POLICY, Project
from tests.sagemaker_pipelines.checker import needs, wrong
from tests.sagemaker_pipelines.expressions import walk
from tests.sagemaker_pipelines.runner import BUCKET, EXECUTION_ID, Run

# Of the SDK, about every job that it does not start.
pytestmark = pytest.mark.filterwarnings("ignore:Running within a PipelineSession:UserWarning:sagemaker")

GOLDEN = Path(__file__).parent / "golden" / "sagemaker_gated_training.json"
ROLE = "arn:aws:iam::123456789012:role/release"
JOBS = {"PretrainingBias", "Train", "PosttrainingBias", "Explain", "Gate"}


@pytest.fixture(scope="module")
def plain() -> dict[str, Any]:
    job = Job(ROLE, f"{BUCKET}/results", PipelineSession(), image="registry.example/clarify-ops:1")
    made = gated_training(
        job,
        pipeline=f"{BUCKET}/documents/pipeline.yaml",
        policy=f"{BUCKET}/documents/policy.yaml",
        registry_uri="https://mlflow.example",
        reports=f"{BUCKET}/reports",
    )
    document: dict[str, Any] = json.loads(made.definition())
    return document


def test_definition_is_the_golden_one(plain: dict[str, Any]) -> None:
    if os.environ.get("CLARIFY_OPS_UPDATE_GOLDEN"):
        GOLDEN.parent.mkdir(exist_ok=True)
        GOLDEN.write_text(json.dumps(plain, indent=2) + "\n", encoding="utf-8")
    assert plain == json.loads(GOLDEN.read_text(encoding="utf-8"))


def test_sagemaker_would_take_it(plain: dict[str, Any]) -> None:
    assert wrong(plain) == []


def test_steps_and_what_they_wait_for(plain: dict[str, Any]) -> None:
    steps = {step["Name"]: step for step in walk(plain["Steps"])}
    waits = {name: needs(step) for name, step in steps.items()}
    four = {"PretrainingBias", "Train", "PosttrainingBias", "Explain"}
    assert waits == {
        "PretrainingBias": set(),
        "Train": set(),
        "PosttrainingBias": {"Train"},
        "Explain": {"Train"},
        "Gate": four,
        "Publish": {"Gate"},
        "MayRegister": {"Gate", "Publish"},
        "Register": four | {"Gate"},
        "Refused": {"Gate"},
        **{f"{name}Failed": {name} for name in JOBS},
    }


def test_every_job_runs_the_image_with_a_verb(plain: dict[str, Any]) -> None:
    jobs = [step["Arguments"] for step in walk(plain["Steps"]) if step["Type"] == "Processing"]
    assert {job["AppSpecification"]["ImageUri"] for job in jobs} == {"registry.example/clarify-ops:1"}
    assert {tuple(job["AppSpecification"]["ContainerEntrypoint"]) for job in jobs} == {("clarify-ops",)}
    assert {job["RoleArn"] for job in jobs} == {ROLE}


def test_only_what_its_inputs_decide_is_taken_from_an_earlier_run(plain: dict[str, Any]) -> None:
    kept = {step["Name"] for step in walk(plain["Steps"]) if step.get("CacheConfig", {}).get("Enabled")}
    assert kept == JOBS - {"Gate"}


def test_local_mode_gets_no_steps_that_it_refuses() -> None:
    session = PipelineSession()
    session.local_mode = True
    job = Job(ROLE, f"{BUCKET}/results", session, image="clarify-ops:1")
    made = gated_training(job, pipeline=f"{BUCKET}/p.yaml", registry_uri="https://x", reports=f"{BUCKET}/reports")
    waits = [one for step in json.loads(made.definition())["Steps"] for one in step.get("DependsOn", [])]
    assert waits == ["Publish"]


def test_a_gate_that_is_open(plain: dict[str, Any], project: Project) -> None:
    run = prepared(plain, project)
    # The registry is away for a while.
    (project.folder / "registry").write_text("no folder")
    assert run.start() == "Failed"
    assert (run.states["MayRegister"], run.states["Register"]) == ("Succeeded", "Failed")
    assert "error: " in run.reason
    assert "Traceback" not in run.reason
    assert published(run)["outcome"] == "PASS"
    (project.folder / "registry").unlink()
    assert run.again() == "Succeeded", run.reason
    # SageMaker may lose a job after its work is done, and begins it again.
    assert run.again("Register") == "Succeeded"
    client = MlflowClient(registry(project), registry(project))
    (version,) = client.search_model_versions("name = 'small-model'")
    assert version.tags["clarify_ops.verdict"] == "PASS"
    assert "Refused" not in run.states


def test_a_gate_that_is_shut(plain: dict[str, Any], project: Project) -> None:
    run = prepared(plain, project, rules=[{**POLICY["rules"][0], "min": 0.999}])
    assert run.start() == "Failed"
    verdict = json.loads((run.bucket / "results" / EXECUTION_ID / "Gate" / "gate" / "verdict.json").read_bytes())
    assert run.reason == f"The gate says FAIL: {verdict['reason']} Nothing was registered."
    assert "Register" not in run.states
    assert not (project.folder / "registry").exists()
    found = published(run)
    assert (found["outcome"], found["may_register"]) == ("FAIL", False)
    assert "ranks" in (run.bucket / "reports" / EXECUTION_ID / "index.html").read_text(encoding="utf-8")


def test_a_step_that_breaks(plain: dict[str, Any], project: Project) -> None:
    run = prepared(plain, project)
    run.broken = frozenset({"Train"})
    assert run.start() == "CompletedWithFailures"
    assert run.states == {"PretrainingBias": "Succeeded", "Train": "Failed", "TrainFailed": "Succeeded"}
    assert not (project.folder / "registry").exists()
    found = published(run)
    assert (found["outcome"], found["state"]) == (None, "Failed")
    assert "The step Train failed" in (run.bucket / "reports" / EXECUTION_ID / "index.html").read_text(encoding="utf-8")


def test_parameters_given_at_the_start(plain: dict[str, Any], project: Project) -> None:
    run = prepared(plain, project)
    # A prefix is as good as the one document below it.
    (run.bucket / "other").mkdir()
    (run.bucket / "documents" / "pipeline.yaml").rename(run.bucket / "other" / "credit.yaml")
    run.given |= {"Pipeline": f"{BUCKET}/other/", "Reports": f"{BUCKET}/elsewhere"}
    run.broken = frozenset({"Train"})
    run.start()
    assert run.states["PretrainingBias"] == "Succeeded"
    assert (run.bucket / "elsewhere" / EXECUTION_ID / "run.json").is_file()


def prepared(definition: dict[str, Any], project: Project, **policy: Any) -> Run:
    """The documents and the dataset are put into the folder that stands for the bucket."""
    bucket = project.folder / "s3"
    (bucket / "documents").mkdir(parents=True)
    text = self_contained(project.folder / "pipeline.yaml")
    (bucket / "documents" / "pipeline.yaml").write_text(text, encoding="utf-8")
    (bucket / "documents" / "policy.yaml").write_text(yaml.safe_dump({**POLICY, **policy}), encoding="utf-8")
    shutil.move(project.folder / "data.csv", bucket / "loans.csv")
    return Run(definition, project, given={"RegistryUri": registry(project), "Data": f"{BUCKET}/loans.csv"})


def registry(project: Project) -> str:
    return f"sqlite:///{project.folder}/registry/mlflow.db"


def published(run: Run) -> dict[str, Any]:
    """What run.json says, where people look."""
    found: dict[str, Any] = json.loads((run.bucket / "reports" / EXECUTION_ID / "run.json").read_bytes())
    return found

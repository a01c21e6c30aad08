"""The SageMaker pipeline: its definition against a golden file, and its jobs run here, folder for prefix.

After a change on purpose: CLARIFY_OPS_UPDATE_GOLDEN=1 python -m pytest tests/pipelines/test_sagemaker_gated_training.py
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
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

# Of the SDK, about every job that it does not start.
pytestmark = pytest.mark.filterwarnings("ignore:Running within a PipelineSession:UserWarning:sagemaker")

GOLDEN = Path(__file__).parent / "golden" / "sagemaker_gated_training.json"
ROLE = "arn:aws:iam::123456789012:role/release"
BUCKET = "s3://bucket"


def definition(**settings: Any) -> dict[str, Any]:
    job = Job(ROLE, f"{BUCKET}/results", PipelineSession(), image="registry.example/clarify-ops:1")
    made = gated_training(job, pipeline=f"{BUCKET}/documents/pipeline.yaml", **settings).definition()
    document: dict[str, Any] = json.loads(made)
    return document


@pytest.fixture(scope="module")
def plain() -> dict[str, Any]:
    return definition(registry_uri="https://mlflow.example", policy=f"{BUCKET}/documents/policy.yaml")


def test_definition_is_the_golden_one(plain: dict[str, Any]) -> None:
    if os.environ.get("CLARIFY_OPS_UPDATE_GOLDEN"):
        GOLDEN.parent.mkdir(exist_ok=True)
        GOLDEN.write_text(json.dumps(plain, indent=2) + "\n", encoding="utf-8")
    assert plain == json.loads(GOLDEN.read_text(encoding="utf-8"))


def test_steps_and_what_they_wait_for(plain: dict[str, Any]) -> None:
    steps = {step["Name"]: step for step in walk(plain["Steps"])}
    types = {name: step["Type"] for name, step in steps.items()}
    assert types == {
        "PretrainingBias": "Processing",
        "Train": "Processing",
        "PosttrainingBias": "Processing",
        "Explain": "Processing",
        "Gate": "Processing",
        "MayRegister": "Condition",
        "Register": "Processing",
        "Refused": "Fail",
    }
    four = {"PretrainingBias", "Train", "PosttrainingBias", "Explain"}
    waits = {name: sources(step) for name, step in steps.items() if step["Type"] == "Processing"}
    assert waits == {
        "PretrainingBias": set(),
        "Train": set(),
        "PosttrainingBias": {"Train"},
        "Explain": {"Train"},
        "Gate": four,
        "Register": four | {"Gate"},
    }


def test_every_job_runs_the_image_with_a_verb(plain: dict[str, Any]) -> None:
    jobs = [step["Arguments"] for step in walk(plain["Steps"]) if step["Type"] == "Processing"]
    assert {job["AppSpecification"]["ImageUri"] for job in jobs} == {"registry.example/clarify-ops:1"}
    assert {tuple(job["AppSpecification"]["ContainerEntrypoint"]) for job in jobs} == {("clarify-ops",)}
    assert {job["RoleArn"] for job in jobs} == {ROLE}
    # SageMaker takes ten at most.
    assert max(len(job["ProcessingInputs"]) for job in jobs) <= 10


def test_a_gate_that_is_open(project: Project) -> None:
    status = run_here(project)
    assert status == "Succeeded"
    client = MlflowClient(registry(project), registry(project))
    version = client.get_model_version_by_alias("small-model", "challenger")
    assert version.tags["clarify_ops.verdict"] == "PASS"


def test_a_gate_that_is_shut(project: Project) -> None:
    rules = [{**POLICY["rules"][0], "min": 0.999}]
    status = run_here(project, policy={**POLICY, "rules": rules})
    assert status == "The gate says FAIL and registers nothing."
    assert not (project.folder / "registry").exists()
    assert (project.folder / "s3" / "results" / "1" / "gate" / "verdict.json").is_file()


def run_here(project: Project, policy: dict[str, Any] | None = None) -> str:
    """Runs a definition with folders for S3 and for the containers' disks; returns status or reason of the failure.

    The documents and the dataset are put into the folder that stands for the bucket.
    """
    bucket = project.folder / "s3"
    (bucket / "documents").mkdir(parents=True)
    document = yaml.safe_load(self_contained(project.folder / "pipeline.yaml"))
    document["policy"] = policy or document["policy"]
    (bucket / "documents" / "pipeline.yaml").write_text(yaml.safe_dump(document), encoding="utf-8")
    shutil.move(project.folder / "data.csv", bucket / "loans.csv")
    steps = definition(registry_uri=registry(project), data=f"{BUCKET}/loans.csv")["Steps"]
    return execute(steps, project, bucket) or "Succeeded"


def registry(project: Project) -> str:
    return f"sqlite:///{project.folder}/registry/mlflow.db"


def execute(steps: list[dict[str, Any]], project: Project, bucket: Path) -> str:
    """In order; returns the message of the Fail step that was reached, if one was."""
    for step in steps:
        arguments = step["Arguments"]
        if step["Type"] == "Processing":
            process(step, project, bucket)
        elif step["Type"] == "Fail":
            return str(value(arguments["ErrorMessage"], bucket))
        else:
            (condition,) = arguments["Conditions"]
            holds = value(condition["LeftValue"], bucket) == condition["RightValue"]
            reached = execute(arguments["IfSteps" if holds else "ElseSteps"], project, bucket)
            if reached:
                return reached
    return ""


def process(step: dict[str, Any], project: Project, bucket: Path) -> None:
    """One job: its inputs are copied to a disk of its own, its outputs from there."""
    disk = project.folder / "disks" / step["Name"]
    arguments = step["Arguments"]
    for one in arguments["ProcessingInputs"]:
        source = Path(value(one["S3Input"]["S3Uri"], bucket))
        target = disk / one["S3Input"]["LocalPath"].lstrip("/")
        if source.is_dir():
            shutil.copytree(source, target)
        else:
            target.mkdir(parents=True)
            shutil.copy(source, target)
    (output,) = arguments["ProcessingOutputConfig"]["Outputs"]
    written = disk / output["S3Output"]["LocalPath"].lstrip("/")
    written.mkdir(parents=True)
    told = arguments["AppSpecification"]["ContainerArguments"]
    status, _, error = project.cli(*(one.replace("/opt/ml", f"{disk}/opt/ml") for one in told))
    assert status == 0, error
    shutil.copytree(written, value(output["S3Output"]["S3Uri"], bucket))


def value(expression: Any, bucket: Path) -> Any:
    """What SageMaker would put in place of an expression, with paths for S3 URIs."""
    folders = {
        "PretrainingBias": "pretraining_bias",
        "Train": "training",
        "PosttrainingBias": "posttraining_bias",
        "Explain": "explanations",
        "Gate": "gate",
    }
    match expression:
        case str():
            return expression.replace(BUCKET, str(bucket))
        case {"Std:Join": {"On": separator, "Values": values}}:
            return separator.join(str(value(one, bucket)) for one in values)
        case {"Std:JsonGet": {"PropertyFile": {"Get": "Steps.Gate.PropertyFiles.Verdict"}, "Path": key}}:
            verdict = bucket / "results" / "1" / "gate" / "verdict.json"
            return json.loads(verdict.read_text(encoding="utf-8"))[key]
        case {"Get": "Execution.PipelineExecutionId"}:
            return "1"
        case {"Get": str(path)} if path.startswith("Steps."):
            name = path.split(".")[1]
            assert f"Outputs['{folders[name]}']" in path
            return str(bucket / "results" / "1" / folders[name])
    raise AssertionError(f"SageMaker has no value for {expression}")


def walk(steps: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """All steps, those in branches too."""
    for step in steps:
        yield step
        for branch in ("IfSteps", "ElseSteps"):
            yield from walk(step["Arguments"].get(branch, []))


def sources(step: dict[str, Any]) -> set[str]:
    """The steps whose outputs a job reads."""
    uris = [one["S3Input"]["S3Uri"] for one in step["Arguments"]["ProcessingInputs"]]
    return {uri["Get"].split(".")[1] for uri in uris if isinstance(uri, dict)}

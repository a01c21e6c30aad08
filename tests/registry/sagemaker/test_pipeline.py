"""`registry: {kind: sagemaker}`: what the register step makes of a finished run."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from clarify_ops.config.pipeline import Pipeline, load_pipeline
from clarify_ops.errors import BadDocument, MissingExtra
from clarify_ops.registry.mlflow_registry import MlflowRegistry
from clarify_ops.registry.opening import open_registry, registry_at
from clarify_ops.registry.protocol import Candidate
from clarify_ops.registry.sagemaker_registry import SageMakerRegistry
from tests.project import Project

from .place import BUCKET, SageMakerPlace
from .server import Aws, refusal


@pytest.fixture
def sagemaker(project: Project, finished: Path, aws: Aws, place: SageMakerPlace) -> tuple[Project, str]:
    """The small project, finished but for its release, with a group that nobody has used."""
    project.take_over(finished)
    name = place.name()
    project.edit(lambda document: document.update(registry=section(name, aws.url)))
    return project, name


def section(name: str, url: str) -> dict[str, Any]:
    """A `registry:` with every key but those of one's own choice."""
    return {
        "kind": "sagemaker",
        "uri": f"s3://{BUCKET}/small",
        "model": name,
        "region": "us-east-1",
        "image": "123456789012.dkr.ecr.us-east-1.amazonaws.com/serving:1",
        "endpoint_url": url,
    }


def approve(project: Project, **approval: str) -> None:
    project.edit(lambda document: document["registry"].update(approval=approval))


def strict(project: Project, inconclusive: str) -> None:
    """A policy that the small project cannot decide."""

    def change(document: dict[str, Any]) -> None:
        document["inconclusive"] = inconclusive
        document["rules"][1].update(min=-0.06, max=0.06)

    project.edit(change, "policy.yaml")


def test_a_finished_run_is_registered_once(
    sagemaker: tuple[Project, str], aws: Aws, place: SageMakerPlace, tmp_path: Path
) -> None:
    project, name = sagemaker
    status, out, err = project.step("register")
    assert (status, f"{name}, version 1 as challenger" in out) == (0, True), err
    registration = json.loads((project.folder / "run/release/registration.json").read_text())
    assert (registration["model"], registration["version"], registration["alias"]) == (name, "1", "challenger")
    assert registration["run"].startswith(f"s3://{BUCKET}/small/{name}/")
    assert project.step("register")[0] == 0
    (request,) = aws.asked("CreateModelPackage")
    assert request["InferenceSpecification"]["Containers"][0]["Image"].endswith("/serving:1")
    assert request["DriftCheckBaselines"].keys() == {"Bias", "Explainability", "ModelQuality"}
    (version,) = place.registry.versions(name)
    place.registry.fetch(version, tmp_path / "fetched")
    for one in (project.folder / "run" / "training" / "model").iterdir():
        assert (tmp_path / "fetched" / "model" / one.name).read_bytes() == one.read_bytes()


def test_what_passes_is_approved_where_that_is_wanted(sagemaker: tuple[Project, str], place: SageMakerPlace) -> None:
    project, name = sagemaker
    approve(project, passed="Approved")
    assert project.step("register")[0] == 0
    (version,) = place.registry.versions(name)
    assert (version.status, version.aliases, version.verdict) == ("Approved", ("champion",), "PASS")
    description = place.described(version)["ApprovalDescription"]
    assert description.startswith("registered: ")


@pytest.mark.parametrize(("inconclusive", "status"), [("warn", 0), ("approval", 4)])
def test_what_is_undecided_waits_for_a_person(
    sagemaker: tuple[Project, str], place: SageMakerPlace, inconclusive: str, status: int
) -> None:
    project, name = sagemaker
    approve(project, passed="Approved")
    strict(project, inconclusive)
    assert project.step("register")[0] == status
    (version,) = place.registry.versions(name)
    assert (version.status, version.verdict, version.complete) == ("PendingManualApproval", "INCONCLUSIVE", True)


def test_what_blocks_leaves_its_documents_and_no_version(
    sagemaker: tuple[Project, str], aws: Aws, place: SageMakerPlace
) -> None:
    project, name = sagemaker
    strict(project, "block")
    status, out, _ = project.step("register")
    assert status == 4
    assert "Registered  nothing" in out
    assert place.registry.versions(name) == ()
    assert aws.asked("CreateModelPackage") == aws.asked("CreateModelPackageGroup") == []
    kept = place.s3.list_objects_v2(Bucket=BUCKET, Prefix=f"small/{name}/")["Contents"]
    names = {one["Key"].split("/", 4)[-1] for one in kept}
    assert {"documents/report.html", "documents/verdict.json", "documents/evidence.json"} <= names
    assert not any(one.startswith("model/") for one in names)
    assert not (project.folder / "run/release/registration.json").exists()


def test_a_refusal_is_recorded_where_that_is_wanted(
    sagemaker: tuple[Project, str], aws: Aws, place: SageMakerPlace
) -> None:
    project, name = sagemaker
    approve(project, refused="Rejected")
    project.edit(lambda document: document["rules"][0].update(min=0.99), "policy.yaml")
    for _ in range(2):
        assert project.step("register")[0] == 3
    (version,) = place.registry.versions(name)
    assert (version.status, version.verdict, version.aliases) == ("Rejected", "FAIL", ())
    (request,) = aws.asked("CreateModelPackage")
    assert request["ModelApprovalStatus"] == "Rejected"
    assert request["ModelCard"]["ModelCardStatus"] == "Draft"
    assert not request.keys() & {"InferenceSpecification", "SourceUri"}


def test_a_registry_that_refuses_registers_nothing(
    sagemaker: tuple[Project, str], aws: Aws, place: SageMakerPlace
) -> None:
    project, name = sagemaker
    aws.answer = refusal("CreateModelPackage", "AccessDeniedException", "User x is not authorized.")
    status, _, err = project.step("register")
    assert status == 5
    assert "Traceback" not in err
    assert "refused CreateModelPackage: AccessDeniedException: User x is not authorized." in " ".join(err.split())
    assert not (project.folder / "run/release").exists()
    aws.answer = None
    assert place.registry.versions(name) == ()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"model": "small_model"}, "key registry.model"),
        ({"model": "x" * 64}, "key registry.model"),
        ({"uri": "models/small"}, "key registry.uri"),
        ({"uri": "s3://UPPER/small"}, "key registry.uri"),
        ({"uri": f"s3://{BUCKET}/a b"}, "key registry.uri"),
        ({"uri": f"s3://{BUCKET}/{'x' * 100}"}, "key registry.uri"),
        ({"region": "Frankfurt"}, "key registry.region"),
        ({"image": "two words"}, "key registry.image"),
        ({"endpoint_url": "http://me:secret@localhost"}, "key registry.endpoint_url"),
        ({"alias": "champion"}, "unknown key registry.alias"),
        ({"experiment": "e"}, "unknown key registry.experiment"),
        ({"approval": {"passed": "approved"}}, "key registry.approval.passed"),
        ({"approval": {"failed": "Rejected"}}, "unknown key registry.approval.failed"),
        ({"kind": "sagemakr"}, "key registry"),
    ],
)
def test_a_section_that_is_wrong_by_itself(project: Project, aws: Aws, change: dict[str, Any], words: str) -> None:
    project.edit(lambda document: document.update(registry={**section("small", aws.url), **change}))
    status, out, err = project.step("register")
    assert (status, out) == (2, "")
    assert words in " ".join(err.split())
    assert "secret" not in err
    assert aws.calls == []


def pipeline_of(sagemaker: tuple[Project, str]) -> Pipeline:
    return load_pipeline(sagemaker[0].folder / "pipeline.yaml")


def test_files_go_elsewhere_on_demand(sagemaker: tuple[Project, str], monkeypatch: pytest.MonkeyPatch) -> None:
    # A variable of MLflow's is no reason to leave SageMaker.
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "https://mlflow.example")
    here, there = (open_registry(pipeline_of(sagemaker), uri) for uri in (None, "s3://other/place/"))
    assert isinstance(here, SageMakerRegistry)
    assert isinstance(there, SageMakerRegistry)
    assert (here.uri, there.uri) == (f"s3://{BUCKET}/small", "s3://other/place")
    assert there.image == here.image
    with pytest.raises(BadDocument, match="The registry, key uri"):
        open_registry(pipeline_of(sagemaker), "https://mlflow.example")


def test_a_uri_alone_tells_the_registry() -> None:
    assert isinstance(registry_at("s3://models/credit"), SageMakerRegistry)
    assert isinstance(registry_at("https://mlflow.example"), MlflowRegistry)


def test_without_boto3(sagemaker: tuple[Project, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "boto3", None)
    with pytest.raises(MissingExtra, match="boto3 is not installed") as caught:
        open_registry(pipeline_of(sagemaker))
    assert "clarify-ops[aws]" in caught.value.hint


def test_a_recorded_candidate_of_python(place: SageMakerPlace, make: Callable[..., Candidate]) -> None:
    told = place.registry.record(make(7, outcome="FAIL"))
    assert told.run.startswith(f"s3://{BUCKET}/registry/mortgage-approval/")
    assert told.look == f"aws s3 ls --recursive {told.run}/"


def test_the_verbs_of_the_command_line(sagemaker: tuple[Project, str], place: SageMakerPlace) -> None:
    project, name = sagemaker
    assert project.step("register")[0] == 0
    registry = ("--pipeline", "pipeline.yaml")
    assert project.cli("audit", *registry, "--model", name)[0] == 0
    status, _, err = project.cli("promote", "challenger", *registry, "--reason", "Approved, on 3 March.", "--by", "Ada")
    assert status == 0, err
    (version,) = place.registry.versions(name)
    assert version.status == "Approved"
    assert place.described(version)["ApprovalDescription"] == "promoted by Ada: Approved, on 3 March."
    assert project.cli("rollback", *registry, "--reason", "r")[0] == 3
    place.rewrite(version, "report.html", b"<h1>All is well</h1>")
    status, out, _ = project.cli("audit", *registry, "--model", name, "--demote")
    assert (status, "report.html was changed" in out) == (3, True)
    (version,) = place.registry.versions(name)
    assert (version.status, version.aliases) == ("Rejected", ())

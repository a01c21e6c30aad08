"""Drift baselines of approved versions: what registration writes is what the next check compares with."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import s3fs

from clarify_ops.documents import digest_bytes, write_json
from clarify_ops.errors import Outside, Refused
from clarify_ops.registry.protocol import Candidate
from clarify_ops.steps.baseline import Where
from tests.monitor.test_drift import analysis, explained
from tests.project import Project

from .place import BUCKET, SageMakerPlace
from .server import Aws, refusal

PRE, POST, EXPLANATIONS = "pre_training_bias_metrics", "post_training_bias_metrics", "explanations"


def documents(shift: float = 0.0) -> dict[str, dict[str, Any]]:
    """The analyses of a release, by the names of its documents."""
    return {
        "pretraining_bias/analysis.json": analysis({"DPL": 0.1 + shift}, PRE),
        "posttraining_bias/analysis.json": analysis({"RD": 0.2 + shift}),
        "explanations/analysis.json": explained({"a": 1.0, "b": 0.1 + shift}),
    }


def with_documents(candidate: Candidate, found: dict[str, dict[str, Any]]) -> Candidate:
    for name, document in found.items():
        write_json(candidate.documents[name], document, sort_keys=False)
    return candidate


def own(place: SageMakerPlace, group: str, status: str, content: bytes | None, **source: str) -> None:
    """A version as the SDK registers it: with a pre-training baseline, or without."""
    key = f"theirs/{group}/{status}/{len(content or b'')}.json"
    if content is not None:
        place.s3.put_object(Bucket=BUCKET, Key=key, Body=content)
    named = {"ContentType": "application/json", "S3Uri": f"s3://{BUCKET}/{key}", **source}
    place.sagemaker.create_model_package(
        ModelPackageGroupName=group,
        ModelApprovalStatus=status,
        **({} if content is None else {"DriftCheckBaselines": {"Bias": {"PreTrainingConstraints": named}}}),
    )


@pytest.fixture
def group(place: SageMakerPlace) -> str:
    name = place.name()
    place.sagemaker.create_model_package_group(ModelPackageGroupName=name)
    return name


def where(place: SageMakerPlace, group: str, **more: Any) -> Where:
    return Where(group=group, clients=place.registry.clients, **more)


def text(value: float) -> bytes:
    return json.dumps(analysis({"DPL": value}, PRE)).encode()


def test_what_is_registered_here_is_found_by_the_next_check(
    place: SageMakerPlace, make: Callable[..., Candidate], project: Project, aws: Aws, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = place.name()
    before = documents()
    version = place.registry.register(with_documents(make(1), before), name, "champion")
    assert version.version == "1"
    place.registry.register(with_documents(make(2), documents(0.05)), name, "challenger")
    monkeypatch.setenv("AWS_ENDPOINT_URL", aws.url)
    for number, (file, document) in enumerate(before.items()):
        for shift, status in ((0.0, 0), (0.02, 0 if "explanations" in file else 3)):
            current = write_json(project.folder / f"{number}.json", documents(shift)[file])
            told = ("check", "--current", str(current), "--model-package-group", name, "--output", f"out{number}")
            found, out, err = project.cli(*told)
            assert found == status, out + err
        used = project.folder / f"out{number}" / "baseline_used_for_drift_check" / "analysis.json"
        assert json.loads(used.read_text()) == document
        source = json.loads((project.folder / f"out{number}" / "check.json").read_text())["baseline"]
        assert source["version"].endswith(f"model-package/{name}/1")
        assert source["address"].endswith(f"documents/{file}")


def test_an_analysis_of_all_is_compared_with_all_files(place: SageMakerPlace, make: Callable[..., Candidate]) -> None:
    name = place.name()
    place.registry.register(with_documents(make(3), documents()), name, "champion")
    found = where(place, name).find((PRE, POST, EXPLANATIONS))
    assert found is not None
    expected = {"version": "1.0"} | {key: one for part in documents().values() for key, one in part.items()}
    assert found.document == expected == json.loads(found.content)
    assert found.address.count("s3://") == 3


def test_the_latest_of_those_that_are_approved(place: SageMakerPlace, group: str) -> None:
    for value, status in (
        (0.1, "Approved"),
        (0.22, "Approved"),
        (0.333, "PendingManualApproval"),
        (0.4444, "Rejected"),
    ):
        own(place, group, status, text(value))
    found = where(place, group).find((PRE,))
    assert found is not None
    assert found.content == text(0.22)
    assert str(found.version).endswith("/2")


def test_a_file_that_is_named_goes_before_the_group(place: SageMakerPlace, group: str, tmp_path: Path) -> None:
    own(place, group, "Approved", text(0.1))
    (tmp_path / "mine.json").write_bytes(text(0.3))
    found = where(place, group, file=str(tmp_path / "mine.json")).find((PRE,))
    assert found is not None
    assert (found.content, found.version) == (text(0.3), None)


def test_a_file_in_s3(place: SageMakerPlace, aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    # Tests elsewhere have servers of their own.
    s3fs.S3FileSystem.clear_instance_cache()
    monkeypatch.setenv("AWS_ENDPOINT_URL", aws.url)
    place.s3.put_object(Bucket=BUCKET, Key="supplied/analysis.json", Body=text(0.3))
    found = Where(file=f"s3://{BUCKET}/supplied/analysis.json").find((PRE,))
    assert found is not None
    assert found.content == text(0.3)


def test_a_group_without_approved_versions(place: SageMakerPlace, group: str) -> None:
    own(place, group, "PendingManualApproval", text(0.1))
    assert where(place, group).find((PRE,)) is None
    assert where(place, place.name()).find((PRE,)) is None


def test_no_baseline_is_made_up(place: SageMakerPlace, group: str) -> None:
    own(place, group, "Approved", text(0.1))
    with pytest.raises(Refused, match="has no baseline for post_training_bias_metrics"):
        where(place, group).find((PRE, POST))
    # Not that of an older version: what is deployed counts.
    own(place, group, "Approved", None)
    with pytest.raises(Refused, match="has no baseline for pre_training_bias_metrics"):
        where(place, group).find((PRE,))


def test_a_baseline_that_is_not_what_was_registered(place: SageMakerPlace, group: str) -> None:
    own(place, group, "Approved", text(0.1), ContentDigest=digest_bytes(text(0.1)))
    assert where(place, group).find((PRE,)) is not None
    own(place, group, "Approved", text(0.9), ContentDigest=digest_bytes(text(0.1)))
    with pytest.raises(Refused, match="was changed after it was registered"):
        where(place, group).find((PRE,))
    own(place, group, "Approved", text(0.1), S3Uri=f"s3://{BUCKET}/gone.json")
    with pytest.raises(Refused, match=r"gone\.json of .* is not there"):
        where(place, group).find((PRE,))


def test_a_registry_that_refuses_is_no_absence(
    place: SageMakerPlace, group: str, aws: Aws, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    own(place, group, "Approved", text(0.1))
    aws.answer = refusal("DescribeModelPackage", "AccessDeniedException", "User x is not authorized.")
    with pytest.raises(Outside, match="AccessDeniedException"):
        where(place, group).find((PRE,))
    monkeypatch.setenv("AWS_ENDPOINT_URL", aws.url)
    (project.folder / "n.json").write_bytes(text(0.1))
    assert project.cli("check", "--current", "n.json", "--model-package-group", group)[0] == 5

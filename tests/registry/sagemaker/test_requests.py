"""What a version says of itself, and that the service would take it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clarify_ops.errors import BadDocument
from clarify_ops.measures import Measure
from clarify_ops.registry.contents import EVIDENCE_TAG
from clarify_ops.registry.protocol import Candidate
from clarify_ops.registry.sagemaker_package import (
    approval_description,
    evidence_of,
    metadata_of,
    package_request,
)
from clarify_ops.registry.sagemaker_registry import SageMakerRegistry
from clarify_ops.registry.sagemaker_storage import content_type
from tests.factories import release

from .place import BUCKET, SageMakerPlace
from .server import Aws
from .shapes import faults


@pytest.fixture
def request_(aws: Aws, registry: SageMakerRegistry, candidate: Candidate, place: SageMakerPlace) -> dict[str, Any]:
    """CreateModelPackage as it was sent."""
    registry.register(candidate, place.name(), "challenger")
    (found,) = aws.asked("CreateModelPackage")
    return found


def sources(document: Any, path: str = "") -> dict[str, dict[str, str]]:
    """Every file that a request points at, by where it stands."""
    if not isinstance(document, dict):
        return {}
    if "S3Uri" in document:
        return {path: document}
    return {key: one for name, part in document.items() for key, one in sources(part, f"{path}/{name}").items()}


def test_metrics_and_baselines_point_at_files_with_those_digests(
    place: SageMakerPlace, request_: dict[str, Any]
) -> None:
    found = sources({key: request_[key] for key in ("ModelMetrics", "DriftCheckBaselines")})
    assert set(found) == {
        "/ModelMetrics/ModelQuality/Statistics",
        "/ModelMetrics/Bias/Report",
        "/ModelMetrics/Bias/PreTrainingReport",
        "/ModelMetrics/Bias/PostTrainingReport",
        "/ModelMetrics/Explainability/Report",
        "/DriftCheckBaselines/Bias/ConfigFile",
        "/DriftCheckBaselines/Bias/PreTrainingConstraints",
        "/DriftCheckBaselines/Bias/PostTrainingConstraints",
        "/DriftCheckBaselines/Explainability/ConfigFile",
        "/DriftCheckBaselines/Explainability/Constraints",
        "/DriftCheckBaselines/ModelQuality/Statistics",
        "/DriftCheckBaselines/ModelQuality/Constraints",
    }
    for one in found.values():
        key = one["S3Uri"].removeprefix(f"s3://{BUCKET}/")
        stored = place.s3.get_object(Bucket=BUCKET, Key=key)
        content = stored["Body"].read()
        assert one["ContentDigest"] == "sha256:" + hashlib.sha256(content).hexdigest()
        assert one["ContentType"] == stored["ContentType"] == "application/json"
    before = found["/DriftCheckBaselines/Bias/PreTrainingConstraints"]["S3Uri"]
    assert before.endswith("/documents/pretraining_bias/analysis.json")


def test_the_baselines_are_what_the_monitors_read(place: SageMakerPlace, request_: dict[str, Any]) -> None:
    def read(one: dict[str, str]) -> Any:
        key = one["S3Uri"].removeprefix(f"s3://{BUCKET}/")
        return json.loads(place.s3.get_object(Bucket=BUCKET, Key=key)["Body"].read())

    baselines = request_["DriftCheckBaselines"]
    assert read(baselines["Bias"]["ConfigFile"]) == {"label_values_or_threshold": [1], "methods": {"shap": {}}}
    known = {one.metric: one.value for one in release().measures if one.stage == "quality" and one.facet is None}
    statistics = read(baselines["ModelQuality"]["Statistics"])["binary_classification_metrics"]
    assert {name: one["value"] for name, one in statistics.items()} == {
        "accuracy": known["accuracy"],
        "auc": known["auc"],
    }
    limits = read(baselines["ModelQuality"]["Constraints"])["binary_classification_constraints"]
    assert limits["auc"] == {"threshold": known["auc"], "comparison_operator": "LessThanThreshold"}


def test_it_is_found_and_told_apart(request_: dict[str, Any], candidate: Candidate) -> None:
    assert request_["ModelApprovalStatus"] == "PendingManualApproval"
    assert request_["ModelPackageDescription"].startswith("PASS by the policy mortgage-approval, judged on 2026-11-20")
    assert candidate.evidence_digest in request_["ModelPackageDescription"]
    metadata = request_["CustomerMetadataProperties"]
    assert metadata[EVIDENCE_TAG] == candidate.evidence_digest
    assert metadata["clarify_ops.verdict"] == "PASS"
    assert "hunter2" not in json.dumps(request_)


def test_the_card_is_the_one_that_was_written(request_: dict[str, Any], candidate: Candidate) -> None:
    card = request_["ModelCard"]
    assert json.loads(card["ModelCardContent"]) == json.loads(candidate.documents["model_card.json"].read_text())
    assert card["ModelCardStatus"] == "PendingReview"


def test_a_model_with_an_image_can_be_deployed(request_: dict[str, Any]) -> None:
    (container,) = request_["InferenceSpecification"]["Containers"]
    assert container["Image"] == "image:1"
    assert container["ModelDataUrl"].endswith("/model/model.tar.gz")
    assert request_["ModelPackageRegistrationType"] == "Registered"


def test_a_model_without_one_is_logged(aws: Aws, place: SageMakerPlace, candidate: Candidate) -> None:
    bare = SageMakerRegistry(place.registry.uri, clients=place.registry.clients, kms_key="alias/models")
    bare.register(candidate, place.name(), "challenger")
    (request,) = aws.asked("CreateModelPackage")
    assert request["ModelPackageRegistrationType"] == "Logged"
    assert request["SourceUri"].endswith("/model/model.tar.gz")
    assert "InferenceSpecification" not in request
    assert request["SecurityConfig"] == {"KmsKeyId": "alias/models"}
    key = request["SourceUri"].removeprefix(f"s3://{BUCKET}/")
    assert place.s3.head_object(Bucket=BUCKET, Key=key)["ServerSideEncryption"] == "aws:kms"


def test_the_token_is_one_for_every_try_and_another_elsewhere(
    aws: Aws, place: SageMakerPlace, make: Callable[..., Candidate]
) -> None:
    one, other = make(1), make(2)
    names = place.name(), place.name()
    for candidate, name in ((one, names[0]), (one, names[1]), (other, names[0])):
        place.registry.register(candidate, name, "challenger")
    tokens = [found["ClientToken"] for found in aws.asked("CreateModelPackage")]
    assert len(set(tokens)) == 3
    again = package_request(one, names[0], {}, {}, status="PendingManualApproval", image=None, kms_key=None)
    assert again["ClientToken"] == tokens[0]


def test_hostile_words_are_made_allowed(make: Callable[..., Candidate]) -> None:
    """Names and reasons come from data and policies: signs, lengths and counts that the service refuses."""
    candidate = make()
    said = "{évidence}, 100 % \n\t\x00 „quoted“ \U0001f600 " * 90
    verdict = replace(candidate.release.verdict, reason=said)
    odd = replace(candidate, release=replace(candidate.release, verdict=verdict, pipeline="p" * 60))
    entries = {f"clarify_ops.champion.20261121T10{number:04}.000000Z": said for number in range(80)}
    metadata = metadata_of({**entries, "clarify_ops.empty": "{}", "clarify_ops.kept": "yes"})
    request = package_request(odd, "credit", {}, metadata, status="Rejected", image=None, kms_key=None)
    assert faults("CreateModelPackage", request) == []
    assert evidence_of(request["ModelPackageDescription"], odd.evidence_digest) == odd.evidence_digest
    assert len(metadata) == 50
    assert metadata["clarify_ops.kept"] == "yes"
    assert "clarify_ops.champion.20261121T100079.000000Z" in metadata, "the latest events stay"
    update = {"ModelPackageArn": "arn:aws:sagemaker:us-east-1:123456789012:model-package/a/1"}
    assert faults("UpdateModelPackage", {**update, "ApprovalDescription": approval_description(said)}) == []


@given(
    entries=st.dictionaries(st.text(max_size=150), st.text(max_size=300), max_size=60),
    said=st.text(max_size=1500),
)
@settings(max_examples=60, deadline=None)
def test_whatever_is_said_the_service_would_take(entries: dict[str, str], said: str) -> None:
    verdict = replace(release().verdict, reason=said)
    candidate = Candidate(replace(release(), verdict=verdict), Path(), {}, {}, {}, f"sha256:{'0' * 64}", "data.csv")
    request = package_request(
        candidate, "credit", {}, metadata_of(entries), status="Rejected", image=None, kms_key=None
    )
    assert faults("CreateModelPackage", request) == []
    assert evidence_of(request["ModelPackageDescription"], candidate.evidence_digest) == candidate.evidence_digest
    update = {
        "ModelPackageArn": "arn:aws:sagemaker:us-east-1:123456789012:model-package/a/1",
        "ApprovalDescription": approval_description(said),
    }
    assert faults("UpdateModelPackage", update) == []


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"ModelPackageGroupName": "a b"}, "which is not"),
        ({"ModelPackageGroupName": "a-"}, "which is not"),
        ({"ModelApprovalStatus": "approved"}, "none of"),
        ({"CustomerMetadataProperties": {"a": "b,c"}}, "which is not"),
        ({"CustomerMetadataProperties": {"a": "b" * 257}}, "has 257"),
        ({"CustomerMetadataProperties": {str(number): "b" for number in range(51)}}, "has 51"),
        ({"ClientToken": "x" * 37}, "has 37"),
        ({"ModelMetrics": {"Bias": {"Report": {"ContentType": "a", "S3Uri": "/tmp/a"}}}}, "which is not"),
        ({"ModelMetrics": {"Bias": {"Report": {"S3Uri": "s3://a/b"}}}}, "ContentType"),
        ({"ModelMetrics": {"Bias": {"Reports": {}}}}, "Unknown parameter"),
        ({"ModelPackageDescription": "a\nb"}, "which is not"),
        ({"ModelPackageGroupName": 3}, "type"),
    ],
)
def test_the_walk_finds_what_the_service_would_refuse(arguments: dict[str, Any], words: str) -> None:
    found = faults("CreateModelPackage", arguments)
    assert any(words in one for one in found), found


@pytest.mark.parametrize("name", ["", "a b", "a_b", "-a", "a-", "a.b", "x" * 64, "été"])
def test_names_that_sagemaker_does_not_allow(
    aws: Aws, registry: SageMakerRegistry, candidate: Candidate, name: str
) -> None:
    with pytest.raises(BadDocument, match="does not allow the model package group name") as caught:
        registry.register(candidate, name, "challenger")
    assert caught.value.exit_status == 2
    assert aws.calls == []


def test_a_card_that_is_too_long(aws: Aws, registry: SageMakerRegistry, candidate: Candidate, tmp_path: Path) -> None:
    card = tmp_path / "long.json"
    card.write_text(json.dumps({"model_overview": {"model_owner": "x" * 100_000}}), encoding="utf-8")
    long = replace(candidate, documents={**candidate.documents, "model_card.json": card})
    with pytest.raises(BadDocument, match=r"has 100,0\d\d characters, and SageMaker takes 100,000"):
        registry.register(long, "credit", "challenger")
    assert aws.calls == []


def test_without_documents_there_is_nothing_to_point_at(candidate: Candidate) -> None:
    bare = replace(candidate, documents={})
    request = package_request(bare, "credit", {}, {"a": "b"}, status="Rejected", image=None, kms_key=None)
    assert faults("CreateModelPackage", request) == []
    assert not request.keys() & {"ModelMetrics", "DriftCheckBaselines", "ModelCard", "InferenceSpecification"}


def test_quality_that_is_not_known_makes_no_baseline(aws: Aws, place: SageMakerPlace, candidate: Candidate) -> None:
    unknown = (Measure("quality", "auc", None, reason="One class."), Measure("quality", "brier", 0.1))
    bare = replace(candidate, release=replace(candidate.release, measures=unknown))
    place.registry.register(bare, place.name(), "challenger")
    assert "ModelQuality" not in aws.asked("CreateModelPackage")[0]["DriftCheckBaselines"]


def test_files_have_their_types() -> None:
    assert [content_type(one) for one in ("a.json", "b/model.tar.gz", "c.html", "d")] == [
        "application/json",
        "application/gzip",
        "text/html",
        "application/octet-stream",
    ]

"""AWS that is down, refuses or is not set up: one sentence, exit status 5, nothing registered."""

from __future__ import annotations

import socket
import time

import boto3
import pytest
from botocore.config import Config

from clarify_ops.errors import BadDocument, Outside
from clarify_ops.registry.protocol import Candidate
from clarify_ops.registry.sagemaker_calls import Clients
from clarify_ops.registry.sagemaker_registry import SageMakerRegistry

from .place import BUCKET, SageMakerPlace
from .server import Aws, Call, refusal

CODES = [
    ("AccessDeniedException", "User x is not authorized to perform sagemaker:CreateModelPackage.", "permissions"),
    ("ThrottlingException", "Rate exceeded", "Try again later"),
    ("ExpiredTokenException", "The security token included in the request is expired", "Sign in again"),
    ("ResourceLimitExceeded", "The limit of model packages is reached.", "quota"),
]


@pytest.mark.parametrize(("code", "message", "hint"), CODES)
def test_aws_refuses(aws: Aws, place: SageMakerPlace, candidate: Candidate, code: str, message: str, hint: str) -> None:
    name = place.name()
    aws.answer = refusal("CreateModelPackage", code, message)
    with pytest.raises(Outside) as caught:
        place.registry.register(candidate, name, "champion")
    expected = (
        f"The SageMaker registry s3://{BUCKET}/registry refused CreateModelPackage: {code}: {message.rstrip('.')}."
    )
    assert caught.value.message == expected
    assert hint in caught.value.hint
    assert caught.value.exit_status == 5
    aws.answer = None
    assert place.registry.versions(name) == ()


def test_a_busy_service_is_asked_again(aws: Aws, place: SageMakerPlace, candidate: Candidate) -> None:
    busy = iter(["CreateModelPackage", "UpdateModelPackage"])
    waiting = [next(busy)]

    def throttled(call: Call) -> tuple[int, dict[str, str]] | None:
        if call.operation != waiting[0]:
            return None
        waiting[0] = next(busy, "")
        return 400, {"__type": "ThrottlingException", "message": "Rate exceeded"}

    aws.answer = throttled
    assert place.registry.register(candidate, place.name(), "champion").alias == "champion"
    assert len(aws.asked("CreateModelPackage")) == 2


def test_a_bucket_that_there_is_not(aws: Aws, place: SageMakerPlace, candidate: Candidate) -> None:
    registry = SageMakerRegistry("s3://no-such-bucket", clients=place.registry.clients)
    with pytest.raises(Outside, match=r"s3://no-such-bucket .*NoSuchBucket") as caught:
        registry.register(candidate, place.name(), "challenger")
    assert "\n" not in caught.value.message
    assert aws.asked("CreateModelPackage") == []


def test_a_bucket_that_may_not_be_written_to(aws: Aws, place: SageMakerPlace, candidate: Candidate) -> None:
    aws.answer = lambda call: (403, {}) if call.operation == "PUT" else None
    with pytest.raises(Outside, match=r"403|Forbidden|AccessDenied"):
        place.registry.register(candidate, place.name(), "challenger")
    assert aws.asked("CreateModelPackage") == []


def test_an_endpoint_that_is_down(aws: Aws, candidate: Candidate, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        registry = SageMakerRegistry(f"s3://{BUCKET}", endpoint_url=url)
        for speak in (registry.versions, lambda: registry.record(candidate)):
            with pytest.raises(Outside, match=f"s3://{BUCKET} failed: .*{url}") as caught:
                speak()
            assert caught.value.exit_status == 5


def test_an_endpoint_that_answers_slowly(aws: Aws, place: SageMakerPlace, candidate: Candidate) -> None:
    def slowly(call: Call) -> None:
        if call.operation == "CreateModelPackage":
            time.sleep(2)

    aws.answer = slowly
    name = place.name()
    patience = Config(read_timeout=0.5, retries={"total_max_attempts": 1})
    sagemaker = boto3.client("sagemaker", endpoint_url=aws.url, config=patience)
    registry = SageMakerRegistry(place.registry.uri, clients=Clients(sagemaker, place.s3))
    with pytest.raises(Outside, match=r"[Rr]ead timeout"):
        registry.register(candidate, name, "champion")
    # It may have made the version after all.
    assert not any(one.aliases for one in place.registry.versions(name))


def test_no_region(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    with pytest.raises(Outside, match="region") as caught:
        SageMakerRegistry(f"s3://{BUCKET}", endpoint_url=aws.url)
    assert "AWS_DEFAULT_REGION" in caught.value.hint
    assert Clients.made("eu-central-1", aws.url).sagemaker.meta.region_name == "eu-central-1"


def test_an_address_that_is_none() -> None:
    with pytest.raises(Outside, match="AWS cannot be asked: Invalid endpoint"):
        SageMakerRegistry(f"s3://{BUCKET}", endpoint_url="http://")


def test_no_credentials(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    # The process's own session has found the credentials that the other tests set.
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
    registry = SageMakerRegistry(f"s3://{BUCKET}", endpoint_url=aws.url)
    with pytest.raises(Outside, match="cannot be asked without credentials") as caught:
        registry.versions()
    assert "AWS_PROFILE" in caught.value.hint
    assert aws.calls == []


@pytest.mark.parametrize("alias", ["production", "", "Approved"])
def test_an_alias_that_is_no_status(aws: Aws, place: SageMakerPlace, candidate: Candidate, alias: str) -> None:
    with pytest.raises(BadDocument, match=f"none is called {alias!r}"):
        place.registry.register(candidate, place.name(), alias)
    assert aws.calls == []


def test_a_group_of_others_has_no_versions(aws: Aws, place: SageMakerPlace) -> None:
    aws.answer = refusal("ListModelPackages", "ValidationException", "ModelPackageGroup does not exist.")
    assert place.registry.versions("not-there") == ()

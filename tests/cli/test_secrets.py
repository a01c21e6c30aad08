"""Secrets that a container fetches itself: from a local Secrets Manager, and never said."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator

import boto3
import pytest
from moto import mock_aws

from clarify_ops.cli.secrets import PREFIX, fetch_secrets
from clarify_ops.errors import BadInput, Outside
from tests.project import Project

SECRET = "hunter2-planted"


@pytest.fixture(scope="module")
def arn() -> Iterator[str]:
    with mock_aws():
        client = boto3.client("secretsmanager", region_name="eu-west-1")
        yield client.create_secret(Name="mlflow", SecretString=json.dumps({"user": "me", "password": SECRET}))["ARN"]


def test_a_variable_names_a_secret(arn: str) -> None:
    environment = {f"{PREFIX}MLFLOW_TRACKING_PASSWORD": f"{arn}:password::", f"{PREFIX}WHOLE": arn, "OTHER": arn}
    fetch_secrets(environment)
    assert environment["MLFLOW_TRACKING_PASSWORD"] == SECRET
    assert json.loads(environment["WHOLE"])["user"] == "me"
    assert environment["OTHER"] == arn


def test_a_verb_finds_it_and_does_not_say_it(arn: str, project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    # Set first, so that it is taken away again.
    monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", "")
    monkeypatch.setenv(f"{PREFIX}MLFLOW_TRACKING_PASSWORD", f"{arn}:password::")
    status, out, error = project.cli("metrics")
    assert status == 0
    assert os.environ["MLFLOW_TRACKING_PASSWORD"] == SECRET
    assert SECRET not in out + error


def test_a_secret_that_is_not_there(arn: str) -> None:
    with pytest.raises(Outside, match=r"was not handed out: .*ResourceNotFoundException"):
        fetch_secrets({f"{PREFIX}X": arn.replace("mlflow", "absent")})


@pytest.mark.parametrize("value", ["mlflow", SECRET, "arn:aws:iam::123456789012:role/release"])
def test_a_variable_that_names_no_secret_is_not_repeated(value: str) -> None:
    with pytest.raises(BadInput, match="The variable CLARIFY_OPS_SECRET_X is no ARN of a secret") as raised:
        fetch_secrets({f"{PREFIX}X": value})
    assert value not in str(raised.value)


def test_a_secret_without_the_key(arn: str) -> None:
    with pytest.raises(BadInput, match="is no JSON object with the key 'token'") as raised:
        fetch_secrets({f"{PREFIX}X": f"{arn}:token::"})
    assert SECRET not in str(raised.value)
    assert raised.value.__cause__ is None

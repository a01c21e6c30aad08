"""Jobs: here, and as SageMaker processing jobs against a mock of AWS that checks requests by botocore's own model."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from clarify_ops import sagemaker as clarify
from clarify_ops.analysis.analyze import analyze
from clarify_ops.errors import BadDocument, BadInput, Outside
from clarify_ops.sagemaker.local import LocalJob
from clarify_ops.sagemaker.names import name_from_prefix
from clarify_ops.sagemaker.remote import RemoteJob
from tests.analysis.jobs import equal, people


def data_config(folder: Path, **changes: Any) -> clarify.DataConfig:
    people().to_csv(folder / "x.csv", index=False)
    return clarify.DataConfig(
        **{
            "s3_data_input_path": str(folder / "x.csv"),
            "s3_output_path": str(folder / "out"),
            "label": "paid",
            "predicted_label": "predicted",
            **changes,
        }
    )


BIAS = clarify.BiasConfig([1], "sex", ["female"], "school")


def test_a_job_that_runs_here(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    processor = clarify.SageMakerClarifyProcessor(role="any", instance_count=1, instance_type="local")
    data = data_config(tmp_path, s3_analysis_config_output_path=str(tmp_path / "config"))
    processor.run_bias(data, BIAS, job_name="mine")
    job = processor.latest_job
    assert isinstance(job, LocalJob)
    assert processor.jobs == [job]
    document = json.loads((tmp_path / "config" / "analysis_config.json").read_text())
    assert document == job.analysis_config
    found = json.loads((tmp_path / "out" / "analysis.json").read_text())
    assert found == analyze(document, tmp_path / "x.csv").to_clarify()
    assert job.outputs[0].destination == str(tmp_path / "out")
    assert job.describe()["ProcessingJobStatus"] == "Completed"
    assert "mine: counting 200 rows" in capsys.readouterr().err


def test_the_environment_says_that_jobs_run_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CLARIFY_OPS_MODE", "local")
    processor = clarify.SageMakerClarifyProcessor(role="any", instance_count=1, instance_type="ml.m5.large")
    processor.run_pre_training_bias(data_config(tmp_path), BIAS, methods=["DPL"], logs=False)
    processor.run_post_training_bias(data_config(tmp_path), BIAS, methods=["DPPL"], logs=False)
    assert capsys.readouterr().err == ""
    assert [list(one.analysis.to_clarify())[1] for one in processor.jobs if isinstance(one, LocalJob)] == [
        "pre_training_bias_metrics",
        "post_training_bias_metrics",
    ]
    monkeypatch.setenv("CLARIFY_OPS_MODE", "lokal")
    with pytest.raises(BadInput, match="CLARIFY_OPS_MODE=lokal"):
        processor.run_pre_training_bias(data_config(tmp_path), BIAS)


def test_what_clarify_wrote_comes_of_the_sdks_call(shared: Path, tmp_path: Path) -> None:
    folder = shared / "data" / "clarify_linear_learner_adult"
    data = clarify.DataConfig(
        str(folder / "validation_with_predictions.csv"),
        str(tmp_path),
        label="Target",
        predicted_label="predicted_label",
    )
    processor = clarify.SageMakerClarifyProcessor(instance_type="local")
    processor.run_bias(data, clarify.BiasConfig([1], "Sex", [0], "Age"), logs=False)
    expected = json.loads((folder / "analysis_bias.json").read_text())
    found = json.loads((tmp_path / "analysis.json").read_text())
    assert equal(found, expected)


def test_a_model_that_the_train_step_wrote(finished: Path, tmp_path: Path) -> None:
    from clarify_ops.steps.run import parts_of

    processor = clarify.SageMakerClarifyProcessor(instance_type="local")
    model = clarify.ModelConfig(str(parts_of(finished / "run").training / "model"), 1, "local")
    data = clarify.DataConfig(
        str(finished / "data.csv"), str(tmp_path / "out"), label="good", excluded_columns=["g", "area"]
    )
    processor.run_explainability(data, model, clarify.PDPConfig(["income"]), logs=False)
    found = json.loads((tmp_path / "out" / "analysis.json").read_text())
    assert found["explanations"]["pdp"][0]["feature_name"] == "income"


def test_a_configuration_is_checked_before_anything_starts(tmp_path: Path) -> None:
    processor = clarify.SageMakerClarifyProcessor(instance_type="local")
    bias = clarify.BiasConfig([1], "sex", "female")
    with pytest.raises(BadDocument, match="value_or_threshold"):
        processor.run_bias(data_config(tmp_path), bias, logs=False)
    with pytest.raises(NotImplementedError):
        processor.run()


def test_names_fit() -> None:
    assert len(name_from_prefix("x" * 80)) == 63


@pytest.fixture
def aws() -> Iterator[Any]:
    with mock_aws():
        boto3.client("s3").create_bucket(Bucket="results")
        boto3.client("iam").create_role(RoleName="analyst", AssumeRolePolicyDocument="{}")
        yield boto3


def remote(**changes: Any) -> clarify.SageMakerClarifyProcessor:
    return clarify.SageMakerClarifyProcessor(
        **{
            "role": "analyst",
            "instance_count": 2,
            "instance_type": "ml.m5.xlarge",
            "image_uri": "example.test/clarify-ops:1",
            "volume_kms_key": "disk",
            "output_kms_key": "out",
            "max_runtime_in_seconds": 600,
            "env": {"A": "b"},
            "tags": {"team": "risk"},
            "network_config": {"EnableNetworkIsolation": True},
            "job_name_prefix": "nightly",
            **changes,
        }
    )


def test_a_processing_job(aws: Any, tmp_path: Path) -> None:
    processor = remote()
    data = data_config(tmp_path, s3_output_path="s3://results/run")
    processor.run_bias(data, BIAS, wait=False, experiment_config={"ExperimentName": "e"})
    job = processor.latest_job
    assert isinstance(job, RemoteJob)
    assert job.job_name.startswith("nightly-")
    found = job.describe()
    # The mock keeps all but these, which botocore's model has checked in the request.
    dropped = {"Environment", "ProcessingResources", "Tags"}
    assert {key: found.get(key) for key in job.arguments if key not in dropped} == {
        key: value for key, value in job.arguments.items() if key not in dropped
    }
    assert job.arguments["ProcessingResources"]["ClusterConfig"] == {
        "InstanceCount": 2,
        "InstanceType": "ml.m5.xlarge",
        "VolumeSizeInGB": 30,
        "VolumeKmsKeyId": "disk",
    }
    assert job.arguments["Environment"] == {"A": "b"}
    assert job.arguments["Tags"] == [{"Key": "team", "Value": "risk"}]
    assert found["RoleArn"].endswith(":role/analyst")
    assert found["AppSpecification"]["ImageUri"] == "example.test/clarify-ops:1"
    assert found["NetworkConfig"] == {"EnableNetworkIsolation": True}
    inputs = {one["InputName"]: one["S3Input"] for one in found["ProcessingInputs"]}
    assert inputs["analysis_config"]["S3Uri"] == "s3://results/run/analysis_config.json"
    assert inputs["analysis_config"]["LocalPath"] == "/opt/ml/processing/input/config"
    assert inputs["dataset"]["LocalPath"] == "/opt/ml/processing/input/data"
    output = found["ProcessingOutputConfig"]["Outputs"][0]
    assert output["OutputName"] == "analysis_result"
    assert output["S3Output"] == {
        "S3Uri": "s3://results/run",
        "LocalPath": "/opt/ml/processing/output",
        "S3UploadMode": "EndOfJob",
    }
    stored = boto3.client("s3").get_object(Bucket="results", Key="run/analysis_config.json")["Body"].read()
    assert json.loads(stored)["facet"] == [{"name_or_index": "sex", "value_or_threshold": ["female"]}]
    bucket, _, key = inputs["dataset"]["S3Uri"].removeprefix("s3://").partition("/")
    uploaded = boto3.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
    assert uploaded == (tmp_path / "x.csv").read_bytes()


def test_waiting_ends_with_the_job(aws: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    processor = remote(role="arn:aws:iam::123456789012:role/analyst", env=None, tags=None, network_config=None)
    processor.run_bias(data_config(tmp_path, s3_output_path="s3://results/run"), BIAS)
    assert "Completed" in capsys.readouterr().err


class Failed:
    """A client whose job has failed."""

    def describe_processing_job(self, **_: str) -> dict[str, str]:
        return {"ProcessingJobStatus": "Failed", "ExitMessage": "The label 'x' is unknown"}


def test_a_failed_job_gives_its_reason() -> None:
    with pytest.raises(Outside, match="ended as Failed: The label 'x' is unknown"):
        RemoteJob("j", {}, (), Failed()).wait(logs=False)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"image_uri": None}, "CLARIFY_OPS_IMAGE"),
        ({"role": None}, "a role"),
        ({"instance_type": None}, "an instance_type"),
        ({"instance_count": None}, "an instance_count"),
    ],
)
def test_what_a_processing_job_needs(aws: Any, changes: dict[str, Any], words: str, tmp_path: Path) -> None:
    data = data_config(tmp_path, s3_output_path="s3://results/run")
    with pytest.raises(BadInput, match=words):
        remote(**changes).run_bias(data, BIAS)


def test_places_that_a_processing_job_cannot_reach(aws: Any, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="go to S3"):
        remote().run_bias(data_config(tmp_path), BIAS)
    data = data_config(tmp_path, s3_output_path="s3://results/run", s3_data_input_path=str(tmp_path / "none.csv"))
    with pytest.raises(BadInput, match="does not exist"):
        remote().run_bias(data, BIAS)
    with pytest.raises(Outside, match="could not be started"):
        remote(role="nobody").run_bias(data_config(tmp_path, s3_output_path="s3://results/run"), BIAS)

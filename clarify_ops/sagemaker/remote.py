"""A SageMaker processing job with our image."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from clarify_ops.errors import BadInput, MissingExtra, Outside
from clarify_ops.sagemaker.local import Output

if TYPE_CHECKING:
    from clarify_ops.sagemaker.processor import SageMakerClarifyProcessor

IMAGE = "CLARIFY_OPS_IMAGE"
_ROOT = "/opt/ml/processing"
_CONFIG, _DATA, _OUTPUT = f"{_ROOT}/input/config", f"{_ROOT}/input/data", f"{_ROOT}/output"
_LONGEST_RUN = 86_400
_RUNNING = frozenset({"InProgress", "Stopping"})


@dataclass(frozen=True)
class RemoteJob:
    """A processing job that was started.

    Attributes:
        job_name: Its name.
        arguments: The request that made it.
        outputs: Where its results go.
        client: boto3's SageMaker client.
        poll: Seconds between two questions after its state.
    """

    job_name: str
    arguments: Mapping[str, Any]
    outputs: tuple[Output, ...]
    client: Any = field(repr=False)
    poll: float = 10.0

    def describe(self) -> dict[str, Any]:
        """DescribeProcessingJob."""
        found: dict[str, Any] = self.client.describe_processing_job(ProcessingJobName=self.job_name)
        return found

    def wait(self, logs: bool = True) -> None:
        """Returns when the job has completed.

        Args:
            logs: Tell on standard error when its state changes.

        Raises:
            Outside: It failed or was stopped; with the reason that SageMaker gives.
        """
        before = ""
        while True:
            found = self.describe()
            status = found["ProcessingJobStatus"]
            if logs and status != before:
                print(f"{self.job_name}: {status}", file=sys.stderr)
            if status not in _RUNNING:
                break
            before = status
            time.sleep(self.poll)
        if status != "Completed":
            reason = found.get("ExitMessage") or found.get("FailureReason") or "SageMaker gives no reason"
            raise Outside(f"The processing job {self.job_name} ended as {status}: {reason}.", "See its log.")


def start_job(
    processor: SageMakerClarifyProcessor,
    document: dict[str, Any],
    data: Any,
    name: str,
    *,
    kms_key: str | None,
    experiment: dict[str, str] | None,
) -> RemoteJob:
    """Uploads the configuration and starts a job, with the inputs and outputs of Clarify's own.

    Raises:
        BadInput: Something that a job needs is not given.
        MissingExtra: boto3 is not installed.
        Outside: AWS refused.
    """
    image = processor.image_uri or os.environ.get(IMAGE)
    needed = {
        f"an image: image_uri, or {IMAGE} in the environment": image,
        "a role": processor.role,
        "an instance_type": processor.instance_type,
        "an instance_count": processor.instance_count,
    }
    for what, value in needed.items():
        if not value:
            raise BadInput(f"A processing job needs {what}.", 'With instance_type="local" it runs here.')
    session = _session(processor.sagemaker_session)
    try:
        return _start(processor, document, data, name, str(image), session, kms_key, experiment)
    except _aws_errors() as error:
        raise Outside(f"The processing job {name} could not be started: {error}.", "See what AWS says.") from error


def _start(
    processor: SageMakerClarifyProcessor,
    document: dict[str, Any],
    data: Any,
    name: str,
    image: str,
    session: Any,
    kms_key: str | None,
    experiment: dict[str, str] | None,
) -> RemoteJob:
    configuration = _uploaded_configuration(
        document, str(data.s3_analysis_config_output_path or data.s3_output_path), session, kms_key
    )
    source = _uploaded_data(str(data.s3_data_input_path), name, session)
    mode = "Continuous" if document["dataset_type"] == "application/x-image" else "EndOfJob"
    result = {"S3Uri": str(data.s3_output_path), "LocalPath": _OUTPUT, "S3UploadMode": mode}
    arguments: dict[str, Any] = {
        "ProcessingJobName": name,
        "RoleArn": _role(str(processor.role), session),
        "AppSpecification": {"ImageUri": image},
        "ProcessingInputs": [
            _input("dataset", source, _DATA, str(data.s3_compression_type), str(data.s3_data_distribution_type)),
            _input("analysis_config", configuration, _CONFIG, "None", None),
        ],
        "ProcessingOutputConfig": {
            "Outputs": [{"OutputName": "analysis_result", "S3Output": result}],
            **_if_given(KmsKeyId=processor.output_kms_key),
        },
        "ProcessingResources": {
            "ClusterConfig": {
                "InstanceCount": processor.instance_count,
                "InstanceType": processor.instance_type,
                "VolumeSizeInGB": processor.volume_size_in_gb,
                **_if_given(VolumeKmsKeyId=processor.volume_kms_key),
            }
        },
        "StoppingCondition": {"MaxRuntimeInSeconds": processor.max_runtime_in_seconds or _LONGEST_RUN},
        **_if_given(
            Environment=processor.env,
            Tags=_tags(processor.tags),
            NetworkConfig=_network(processor.network_config),
            ExperimentConfig=experiment,
        ),
    }
    client = session.client("sagemaker")
    client.create_processing_job(**arguments)
    return RemoteJob(name, arguments, (Output("analysis_result", _OUTPUT, str(data.s3_output_path)),), client)


def _session(given: Any) -> Any:
    found = getattr(given, "boto_session", given)
    if found is not None:
        return found
    try:
        import boto3
    except ImportError as error:
        raise MissingExtra.of("sagemaker", "A SageMaker processing job") from error
    return boto3.Session()


def _aws_errors() -> tuple[type[Exception], ...]:
    from boto3.exceptions import Boto3Error
    from botocore.exceptions import BotoCoreError, ClientError

    return (Boto3Error, BotoCoreError, ClientError)


def _role(role: str, session: Any) -> str:
    if role.startswith("arn:"):
        return role
    return str(session.client("iam").get_role(RoleName=role)["Role"]["Arn"])


def _uploaded_configuration(document: dict[str, Any], place: str, session: Any, kms_key: str | None) -> str:
    bucket, prefix = _bucket_and_key(place)
    key = f"{prefix}/analysis_config.json".lstrip("/")
    encryption = {} if kms_key is None else {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": kms_key}
    body = json.dumps(document).encode()
    session.client("s3").put_object(Bucket=bucket, Key=key, Body=body, **encryption)
    return f"s3://{bucket}/{key}"


def _uploaded_data(place: str, name: str, session: Any) -> str:
    """A dataset that lies here goes to the account's default bucket of SageMaker, as the SDK puts it there."""
    if place.startswith("s3://"):
        return place
    path = Path(place.removeprefix("file://"))
    if not path.exists():
        raise BadInput(f"The dataset {place} does not exist.", "Name an S3 URI, or a file that is here.")
    account = session.client("sts").get_caller_identity()["Account"]
    bucket = f"sagemaker-{session.region_name}-{account}"
    store = session.client("s3")
    if bucket not in {one["Name"] for one in store.list_buckets()["Buckets"]}:
        where = {"LocationConstraint": session.region_name}
        # S3 refuses to be told of its first region.
        extra = {} if session.region_name == "us-east-1" else {"CreateBucketConfiguration": where}
        store.create_bucket(Bucket=bucket, **extra)
    root = f"{name}/input/dataset"
    for file, key in _files(path):
        store.upload_file(str(file), bucket, f"{root}/{key}")
    return f"s3://{bucket}/{root}" if path.is_dir() else f"s3://{bucket}/{root}/{path.name}"


def _files(path: Path) -> Iterator[tuple[Path, str]]:
    if path.is_file():
        yield path, path.name
        return
    for one in sorted(path.rglob("*")):
        if one.is_file():
            yield one, one.relative_to(path).as_posix()


def _bucket_and_key(place: str) -> tuple[str, str]:
    if not place.startswith("s3://"):
        raise BadInput(
            f"The results of a processing job go to S3, and {place} is elsewhere.",
            'Give an s3:// URI, or run here with instance_type="local".',
        )
    bucket, _, key = place.removeprefix("s3://").partition("/")
    return bucket, key.rstrip("/")


def _input(name: str, uri: str, path: str, compression: str, distribution: str | None) -> dict[str, Any]:
    return {
        "InputName": name,
        "S3Input": {
            "S3Uri": uri,
            "LocalPath": path,
            "S3DataType": "S3Prefix",
            "S3InputMode": "File",
            "S3CompressionType": compression,
            **_if_given(S3DataDistributionType=distribution),
        },
    }


def _if_given(**settings: Any) -> dict[str, Any]:
    return {name: value for name, value in settings.items() if value}


def _tags(tags: Any) -> Any:
    if isinstance(tags, Mapping):
        return [dict(tags)] if tags.keys() == {"Key", "Value"} else [{"Key": k, "Value": v} for k, v in tags.items()]
    return tags


def _network(network: Any) -> Any:
    if network is None or isinstance(network, Mapping):
        return network
    return network._to_request_dict()  # noqa: SLF001 - the SDK's own way to say it

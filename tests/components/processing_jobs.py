"""Processing jobs of a SageMaker pipeline, run here: S3 and the registry are a local AWS, a container is the command line."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import pytest
import s3fs

from tests.project import Project
from tests.registry.sagemaker.server import Aws
from tests.sagemaker_pipelines.expressions import resolved


@dataclass
class Account:
    """An account in which pipelines run.

    Attributes:
        aws: Its door, which refuses requests that the service would refuse.
        project: The command line, and a folder for the disks of jobs.
        patch: For the environment of jobs.
        requests: Those of the jobs that ran, by step.
        told: What the last job said.
    """

    aws: Aws
    project: Project
    patch: pytest.MonkeyPatch
    requests: dict[str, dict[str, Any]] = field(default_factory=dict)
    told: str = ""
    _clients: dict[str, Any] = field(default_factory=dict)

    def client(self, name: str) -> Any:
        if name not in self._clients:
            self._clients[name] = boto3.client(name, endpoint_url=self.aws.url)
        return self._clients[name]

    def run(self, step: dict[str, Any], parameters: dict[str, Any], execution: str) -> int:
        """Runs a step of a definition; its exit status.

        What a job that fails has written is uploaded as far as that is done continuously.
        """
        request = self.value(step["Arguments"], parameters, execution)
        # Of botocore's own model, and through the door.
        self.client("sagemaker").create_processing_job(ProcessingJobName=f"{execution}-{step['Name']}", **request)
        self.requests[step["Name"]] = request
        disk = self.project.folder / "disks" / execution / step["Name"]
        for one in request["ProcessingInputs"]:
            self._download(one["S3Input"]["S3Uri"], disk / one["S3Input"]["LocalPath"].lstrip("/"))
        outputs = request["ProcessingOutputConfig"]["Outputs"]
        for one in outputs:
            self._local(disk, one).mkdir(parents=True, exist_ok=True)
        application = request["AppSpecification"]
        assert application["ContainerEntrypoint"] == ["clarify-ops"]
        told = [one.replace("/opt/ml", f"{disk}/opt/ml") for one in application["ContainerArguments"]]
        # A process of its own has no file system of an earlier server.
        s3fs.S3FileSystem.clear_instance_cache()
        with self.patch.context() as patch:
            patch.setenv("AWS_ENDPOINT_URL", self.aws.url)
            for name, value in request.get("Environment", {}).items():
                patch.setenv(name, value)
            status, out, err = self.project.cli(*told)
        self.told = out + err
        for one in outputs:
            if status == 0 or one["S3Output"]["S3UploadMode"] == "Continuous":
                self._upload(self._local(disk, one), one["S3Output"]["S3Uri"])
        return status

    def value(self, expression: Any, parameters: dict[str, Any], execution: str) -> Any:
        """What SageMaker puts in place of an expression; none of a check's step reads a property file."""

        def nothing(path: str, key: str) -> Any:
            raise AssertionError(f"{path} has no {key}")

        return resolved(expression, lambda path: self._got(path, parameters, execution), nothing)

    def read(self, uri: str) -> bytes:
        """An object."""
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        found: bytes = self.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
        return found

    def names(self, uri: str) -> set[str]:
        """Names of the objects below a prefix."""
        bucket, _, prefix = uri.removeprefix("s3://").partition("/")
        found = self.client("s3").list_objects_v2(Bucket=bucket, Prefix=f"{prefix.rstrip('/')}/").get("Contents", [])
        return {one["Key"].removeprefix(prefix).strip("/") for one in found}

    def _got(self, path: str, parameters: dict[str, Any], execution: str) -> Any:
        if path == "Execution.PipelineExecutionId":
            return execution
        if path.startswith("Parameters."):
            return parameters[path.removeprefix("Parameters.")]
        # As in Steps.Bias.ProcessingOutputConfig.Outputs['check'].S3Output.S3Uri
        _, step, end = path.split(".", 2)
        name = end.removeprefix("ProcessingOutputConfig.Outputs['").removesuffix("'].S3Output.S3Uri")
        (found,) = (
            one["S3Output"]["S3Uri"]
            for one in self.requests[step]["ProcessingOutputConfig"]["Outputs"]
            if one["OutputName"] == name
        )
        return found

    def _local(self, disk: Path, output: dict[str, Any]) -> Path:
        return disk / str(output["S3Output"]["LocalPath"]).lstrip("/")

    def _download(self, uri: str, folder: Path) -> None:
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        folder.mkdir(parents=True)
        store = self.client("s3")
        for one in store.list_objects_v2(Bucket=bucket, Prefix=key)["Contents"]:
            inner = one["Key"].removeprefix(key).strip("/") or key.rpartition("/")[2]
            (folder / inner).parent.mkdir(parents=True, exist_ok=True)
            store.download_file(bucket, one["Key"], str(folder / inner))

    def _upload(self, folder: Path, uri: str) -> None:
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        for one in sorted(folder.rglob("*")):
            if one.is_file():
                self.client("s3").upload_file(str(one), bucket, f"{key}/{one.relative_to(folder).as_posix()}")

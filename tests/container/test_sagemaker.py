"""The SageMaker pipeline in local mode: every step a container of the image, S3 and the registry of a server on this machine."""

from __future__ import annotations

import gc
import json
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest
import yaml
from sagemaker.core.workflow.pipeline_context import LocalPipelineSession as Jobs
from sagemaker.mlops.local import LocalPipelineSession as Pipelines

from clarify_ops.components.sagemaker import Job
from clarify_ops.pipelines.sagemaker_gated_training import gated_training
from tests.container.conftest import Mortgage
from tests.container.engine import ENVIRONMENT, docker
from tests.container.evidence import same_work
from tests.servers import moto_server

pytestmark = [
    # Of the SDK, about every job that it does not start.
    pytest.mark.filterwarnings("ignore:Running within a PipelineSession:UserWarning:sagemaker"),
    # It leaves the output of docker-compose open.
    pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning"),
]

BUCKET = "release"
ROLE = "arn:aws:iam::123456789012:role/release"
# What local mode calls the network of its containers.
NETWORK = "sagemaker-local"


class LocalSession(Pipelines, Jobs):  # type: ignore[misc]
    """The SDK has two classes of one name: this one starts pipelines, and that one describes their jobs."""


@pytest.fixture(scope="module")
def host(image_as_root: str) -> Iterator[str]:
    """This machine's address in the network of the containers."""
    if shutil.which("docker-compose") is None and docker("compose", "version", check=False).returncode:
        pytest.skip("needs a Docker engine with docker-compose")
    made = docker("network", "create", NETWORK, check=False).returncode == 0
    (network,) = json.loads(docker("network", "inspect", NETWORK).stdout)
    yield network["IPAM"]["Config"][0]["Gateway"]
    if made:
        docker("network", "rm", NETWORK, check=False)


@pytest.fixture(scope="module")
def endpoint(host: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with pytest.MonkeyPatch.context() as patch, moto_server(tmp_path_factory.mktemp("aws"), host) as address:
        patch.setenv("AWS_ENDPOINT_URL", address)
        boto3.client("s3").create_bucket(Bucket=BUCKET)
        yield address


@dataclass(frozen=True)
class Cloud:
    """S3 and the pipeline's session.

    Attributes:
        folder: Where local mode keeps what it mounts.
        endpoint: The address of AWS, for containers and for this process.
        image: Run by root, as SageMaker's jobs need it.
    """

    folder: Path
    endpoint: str
    image: str

    def put(self, key: str, content: bytes) -> str:
        boto3.client("s3").put_object(Bucket=BUCKET, Key=key, Body=content)
        return f"s3://{BUCKET}/{key}"

    def get(self, ending: str, to: Path) -> Path:
        """Brings the files below the only prefix that ends so."""
        keys = [one["Key"] for one in boto3.client("s3").list_objects_v2(Bucket=BUCKET)["Contents"]]
        for key in keys:
            before, found, path = key.partition(f"/{ending}/")
            if found and before.startswith(self.folder.name):
                place = to / path
                place.parent.mkdir(parents=True, exist_ok=True)
                boto3.client("s3").download_file(BUCKET, key, str(place))
        return to

    def start(self, mortgage: Mortgage, container: Mapping[str, Any] | None = None, **changes: Any) -> Any:
        """Runs the pipeline, and returns its execution."""
        session = LocalSession(boto_session=boto3.Session(), default_bucket=BUCKET)
        local = {"local_code": False, "container_root": str(self.folder), "container_config": dict(container or {})}
        session.config = {"local": local}
        own = self.folder.name
        document = yaml.safe_load(mortgage.pipeline)
        document["registry"] = {"kind": "sagemaker", "uri": f"s3://{BUCKET}/models", "model": changes.pop("model", own)}
        document |= changes.pop("document", {})
        job = Job(
            role=ROLE,
            results=f"s3://{BUCKET}/{own}",
            session=session,
            image=self.image,
            instance_type="local",
            environment={"AWS_ENDPOINT_URL": self.endpoint, "AWS_DEFAULT_REGION": "us-east-1", **ENVIRONMENT},
        )
        given: dict[str, Any] = {
            "pipeline": self.put(f"{own}/documents/pipeline.yaml", yaml.safe_dump(document).encode()),
            "data": self.put(f"{own}/data/{mortgage.data.name}", mortgage.data.read_bytes()),
            "registry_uri": f"s3://{BUCKET}/models",
            "reports": f"s3://{BUCKET}/{own}/reports",
        }
        pipeline = gated_training(job, name=own, **{**given, **changes})
        # The SDK's own create() and start() ask for a client that local mode does not have.
        session.create_pipeline(pipeline, "gated training")
        return session.start_pipeline_execution(own)

    def registered(self) -> list[str]:
        groups = boto3.client("sagemaker").list_model_package_groups()["ModelPackageGroupSummaryList"]
        return [one["ModelPackageGroupName"] for one in groups if one["ModelPackageGroupName"] == self.folder.name]


@pytest.fixture
def cloud(endpoint: str, image_as_root: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    yield Cloud(tmp_path_factory.mktemp("mortgage-", numbered=True), endpoint, image_as_root)
    # What the SDK leaves open is closed before another test would be blamed.
    gc.collect()


def test_an_open_gate_registers_what_the_command_line_finds(cloud: Cloud, mortgage: Mortgage, tmp_path: Path) -> None:
    # Evidence names the model, so it has the name that it has on the command line.
    execution = cloud.start(mortgage, model="mortgage-approval")
    assert execution.describe()["PipelineExecutionStatus"] == "Succeeded", execution.describe()
    same_work(mortgage.run / "release", cloud.get("release", tmp_path))
    packages = boto3.client("sagemaker").list_model_packages(ModelPackageGroupName="mortgage-approval")
    assert len(packages["ModelPackageSummaryList"]) == 1
    assert {one.name for one in cloud.get("published", tmp_path / "published").iterdir()} >= {"index.html", "run.json"}


def test_a_shut_gate_ends_the_run_with_its_reason(cloud: Cloud, mortgage: Mortgage, tmp_path: Path) -> None:
    policy = cloud.put(f"{cloud.folder.name}/documents-strict/policy.yaml", mortgage.strict.encode())
    described = cloud.start(mortgage, policy=policy).describe()
    assert described["PipelineExecutionStatus"] == "Failed"
    assert "FAIL" in described["FailureReason"], described
    assert cloud.registered() == []
    assert (cloud.get("published", tmp_path) / "index.html").is_file()


def test_a_job_that_is_killed_by_memory_says_so(cloud: Cloud, mortgage: Mortgage) -> None:
    large = {
        "estimator": "sklearn.neural_network.MLPClassifier",
        "parameters": {"hidden_layer_sizes": [20_000, 20_000]},
    }
    container = {"mem_limit": "1g", "memswap_limit": "1g"}
    described = cloud.start(mortgage, container, document={"train": {**large, "scale": True}}).describe()
    assert described["PipelineExecutionStatus"] == "Failed"
    assert "'Train' failed" in described["FailureReason"]
    # 128 and the number of the signal that nobody can catch.
    assert "137" in described["FailureReason"]
    assert cloud.registered() == []

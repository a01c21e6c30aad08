"""SageMaker's registry on a local AWS."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import boto3
import pytest

from clarify_ops.registry.protocol import Candidate
from clarify_ops.registry.sagemaker_calls import Clients
from clarify_ops.registry.sagemaker_registry import SageMakerRegistry

from .candidates import whole_candidate
from .place import BUCKET, SageMakerPlace
from .server import Aws, local_aws


@pytest.fixture(scope="session")
def local() -> Iterator[Aws]:
    """The server, started once."""
    with local_aws() as found:
        yield found


@pytest.fixture(scope="session")
def clients(local: Aws) -> Clients:
    """Clients that try twice."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_MAX_ATTEMPTS", "2")
        return Clients.made(None, local.url)


@pytest.fixture
def aws(local: Aws) -> Iterator[Aws]:
    """The server with one bucket. Every request of a test must be one that the service takes."""
    local.again()
    # Tests elsewhere that have moto in this process as well leave it empty; making what is there does nothing.
    boto3.client("s3", endpoint_url=local.url).create_bucket(Bucket=BUCKET)
    local.again()
    yield local
    assert local.wrong == []


@pytest.fixture
def place(aws: Aws, clients: Clients) -> SageMakerPlace:
    """The registry under test."""
    return SageMakerPlace(SageMakerRegistry(f"s3://{BUCKET}/registry", clients=clients, image="image:1"))


@pytest.fixture
def registry(place: SageMakerPlace) -> SageMakerRegistry:
    return place.registry


@pytest.fixture
def make(tmp_path: Path) -> Callable[..., Candidate]:
    """Candidates with every document that a release has."""
    return lambda *seed, **wishes: whole_candidate(tmp_path, *seed, **wishes)


@pytest.fixture
def candidate(make: Callable[..., Candidate]) -> Candidate:
    return make()

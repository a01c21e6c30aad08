"""A SageMaker registry under test, and what anybody with access can do behind its back."""

from __future__ import annotations

import itertools
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from clarify_ops.registry.protocol import RegisteredVersion
from clarify_ops.registry.sagemaker_registering import PLACE_TAG
from clarify_ops.registry.sagemaker_registry import SageMakerRegistry
from clarify_ops.registry.sagemaker_storage import ARCHIVE, pack, unpack

BUCKET = "models"
_NUMBERS = itertools.count(1)


@dataclass(frozen=True)
class SageMakerPlace:
    """See `tests.registry.contract.Place`."""

    registry: SageMakerRegistry

    @property
    def sagemaker(self) -> Any:
        return self.registry.clients.sagemaker

    @property
    def s3(self) -> Any:
        return self.registry.clients.s3

    def name(self) -> str:
        return f"credit-{next(_NUMBERS)}"

    def rewrite(self, version: RegisteredVersion, document: str, content: bytes) -> None:
        self.s3.put_object(Bucket=BUCKET, Key=self.key(version, f"documents/{document}"), Body=content)

    def remove(self, version: RegisteredVersion, document: str) -> None:
        self.s3.delete_object(Bucket=BUCKET, Key=self.key(version, f"documents/{document}"))

    def exchange(self, version: RegisteredVersion, file: str, content: bytes) -> None:
        with tempfile.TemporaryDirectory() as temporary:
            folder, archive = Path(temporary, "model"), Path(temporary, "model.tar.gz")
            self.s3.download_file(BUCKET, self.key(version, ARCHIVE), str(archive))
            unpack(archive, folder)
            (folder / file).write_bytes(content)
            pack(folder, archive)
            self.s3.upload_file(str(archive), BUCKET, self.key(version, ARCHIVE))

    def tag(self, version: RegisteredVersion, key: str, value: str | None) -> None:
        found = self.described(version)
        tags = {**found["CustomerMetadataProperties"], key: value}
        self._set(found, found["ModelApprovalStatus"], {name: one for name, one in tags.items() if one is not None})

    def intrude(self, model: str) -> RegisteredVersion:
        self.sagemaker.create_model_package(ModelPackageGroupName=model, ModelApprovalStatus="PendingManualApproval")
        return self.registry.versions(model)[-1]

    def call(self, version: RegisteredVersion, alias: str) -> None:
        # As somebody would who wants this one deployed and no other.
        assert alias == "champion"
        for one in self.registry.versions(version.model):
            found = self.described(one)
            status = "Approved" if one.version == version.version else "Rejected"
            self._set(found, status, found.get("CustomerMetadataProperties", {}))

    def key(self, version: RegisteredVersion, name: str) -> str:
        return f"{version.tags[PLACE_TAG].removeprefix(f's3://{BUCKET}/')}/{name}"

    def described(self, version: RegisteredVersion) -> dict[str, Any]:
        found: dict[str, Any] = self.sagemaker.describe_model_package(
            ModelPackageName=f"arn:aws:sagemaker:us-east-1:123456789012:model-package/{version.model}/{version.version}"
        )
        return found

    def _set(self, found: dict[str, Any], status: str, tags: dict[str, str]) -> None:
        self.sagemaker.update_model_package(
            ModelPackageArn=found["ModelPackageArn"],
            ModelApprovalStatus=status,
            **({"CustomerMetadataProperties": tags} if tags else {}),
        )

"""An MLflow registry under test, and what anybody with access can do behind its back."""

from __future__ import annotations

import itertools
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mlflow import MlflowClient
from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

from clarify_ops.registry.mlflow_connection import speaking_to
from clarify_ops.registry.mlflow_registry import MlflowRegistry
from clarify_ops.registry.protocol import RegisteredVersion

_NUMBERS = itertools.count(1)


@dataclass(frozen=True)
class MlflowPlace:
    """See `tests.registry.contract.Place`."""

    registry: MlflowRegistry
    words: str = field(default="credit")

    @property
    def client(self) -> MlflowClient:
        return MlflowClient(self.registry.uri, self.registry.uri)

    def name(self) -> str:
        return f"{self.words} {next(_NUMBERS)}"

    def rewrite(self, version: RegisteredVersion, document: str, content: bytes) -> None:
        self._put(self._documents(version), document, content)

    def remove(self, version: RegisteredVersion, document: str) -> None:
        with speaking_to(self.registry.uri):
            self._artifacts(self._documents(version)).delete_artifacts(document)

    def exchange(self, version: RegisteredVersion, file: str, content: bytes) -> None:
        self._put(self.client.get_model_version_download_uri(version.model, version.version), file, content)

    def tag(self, version: RegisteredVersion, key: str, value: str | None) -> None:
        with speaking_to(self.registry.uri):
            if value is None:
                self.client.delete_model_version_tag(version.model, version.version, key)
            else:
                self.client.set_model_version_tag(version.model, version.version, key, value)

    def intrude(self, model: str) -> RegisteredVersion:
        with speaking_to(self.registry.uri):
            run = self.client.create_run(self.registry.experiment_id(self.client))
            self.client.create_model_version(model, f"{run.info.artifact_uri}/model", run.info.run_id)
        return self.registry.versions(model)[-1]

    def call(self, version: RegisteredVersion, alias: str) -> None:
        self.client.set_registered_model_alias(version.model, alias, version.version)

    def _documents(self, version: RegisteredVersion) -> str:
        run = self.client.get_model_version(version.model, version.version).run_id
        return str(self.client.get_run(str(run)).info.artifact_uri)

    def _put(self, uri: str, name: str, content: bytes) -> None:
        with tempfile.TemporaryDirectory() as folder, speaking_to(self.registry.uri):
            file = Path(folder, Path(name).name)
            file.write_bytes(content)
            parent = Path(name).parent.as_posix()
            self._artifacts(uri).log_artifact(str(file), None if parent == "." else parent)

    def _artifacts(self, uri: str) -> Any:
        return get_artifact_repository(uri, self.registry.uri)

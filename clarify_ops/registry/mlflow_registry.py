"""The MLflow Model Registry; with an SQLite file it needs no server."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from clarify_ops.data.source import address
from clarify_ops.errors import BadDocument, Outside
from clarify_ops.registry.contents import DOCUMENTS, MODEL, require_registrable, version_tags
from clarify_ops.registry.history import record_of
from clarify_ops.registry.mlflow_connection import speaking_to
from clarify_ops.registry.mlflow_registering import register
from clarify_ops.registry.mlflow_run import PLOTS, log_run
from clarify_ops.registry.mlflow_versions import (
    aliases_of,
    already_there,
    as_registered,
    current,
    give_alias,
    not_there,
    require_allowed,
    search_versions,
)
from clarify_ops.registry.protocol import Candidate, RegisteredVersion, Registration

if TYPE_CHECKING:
    from mlflow import MlflowClient


class MlflowRegistry:
    """Writes runs and versions.

    Attributes:
        uri: Tracking and registry URI.
        experiment: Name of the experiment.
        artifacts: Folder for artifacts where the URI is a database file; a server decides for itself.
    """

    def __init__(self, uri: str, experiment: str, artifacts: Path | None = None) -> None:
        self.uri = uri
        self.experiment = experiment
        self.artifacts = artifacts

    def record(self, candidate: Candidate) -> Registration:
        """Keeps the run of a candidate and registers nothing."""
        with speaking_to(self.uri):
            client = self.client()
            run = log_run(client, self.experiment_id(client), candidate, version_tags(candidate))
            client.set_terminated(run)
            return Registration(address(self.uri), run, self._look())

    def register(self, candidate: Candidate, name: str, alias: str) -> Registration:
        """Keeps the run and makes a version of the model, once: evidence that is registered already gives its version.

        Raises:
            BadDocument: MLflow does not allow the name or the alias.
            Refused: The verdict does not let the model in, or the evidence is not the candidate's.
            Outside: The registry failed; registering again goes on where that is possible, and else cleans up.
        """
        require_allowed(name, alias)
        require_registrable(candidate)
        with speaking_to(self.uri):
            found, run = register(self, candidate, name, alias)
        return Registration(
            address(self.uri),
            run,
            self._look(),
            found.model,
            found.version,
            alias if alias in found.aliases else None,
            version_tags(candidate),
        )

    def versions(self, model: str | None = None) -> tuple[RegisteredVersion, ...]:
        """Every version of one model, or of all, by model and number."""
        with speaking_to(self.uri):
            client = self.client()
            found = search_versions(client, model)
            aliases = aliases_of(client, model)
        known = (as_registered(one, aliases.get((one.name, str(one.version)), ())) for one in found)
        return tuple(sorted(known, key=lambda one: (one.model, int(one.version))))

    def fetch(self, version: RegisteredVersion, folder: Path) -> None:
        """Brings what was registered: `documents/` as in `Candidate.documents`, and the model's files in `model/`.

        What is missing there is missing here, and whoever looks at the evidence says so.
        """
        with speaking_to(self.uri):
            self.bring(self.client(), version, folder)

    def move_alias(self, version: RegisteredVersion, alias: str, reason: str) -> RegisteredVersion:
        """Gives the alias to a version, away from whichever has it, and keeps who had it and the reason in tags.

        Raises:
            BadDocument: MLflow does not allow the alias.
            Outside: The registry failed.
        """
        require_allowed(version.model, alias)
        with speaking_to(self.uri):
            client = self.client()
            give_alias(client, version, alias, reason)
            return current(client, version.model, version.version)

    def drop_alias(self, version: RegisteredVersion, alias: str, reason: str) -> RegisteredVersion:
        """Takes the alias from a version and keeps the reason."""
        with speaking_to(self.uri):
            client = self.client()
            key, words = record_of(alias, reason)
            client.set_model_version_tag(version.model, version.version, key, words)
            # MLflow takes an alias away from whichever version has it, and by now that may be another one.
            if alias in current(client, version.model, version.version).aliases:
                with not_there:
                    client.delete_registered_model_alias(version.model, alias)
            return current(client, version.model, version.version)

    def client(self) -> MlflowClient:
        """A client of this registry; to be used while `speaking_to` it."""
        from mlflow import MlflowClient

        return MlflowClient(self.uri, self.uri)

    def experiment_id(self, client: MlflowClient) -> str:
        """The experiment, made where there is none.

        Raises:
            BadDocument: It was deleted.
        """
        found = client.get_experiment_by_name(self.experiment)
        if found is None:
            location = None if self.artifacts is None else self.artifacts.resolve().as_uri()
            with already_there:
                return str(client.create_experiment(self.experiment, artifact_location=location))
            found = client.get_experiment_by_name(self.experiment)
        if found is None:
            raise Outside(f"The experiment {self.experiment!r} comes and goes in {address(self.uri)}.", "Try again.")
        if found.lifecycle_stage == "deleted":
            raise BadDocument(
                f"The experiment {self.experiment!r} was deleted in {address(self.uri)}.",
                "Restore it, or set registry.experiment.",
            )
        return str(found.experiment_id)

    def bring(self, client: MlflowClient, version: RegisteredVersion, folder: Path) -> None:
        """`fetch` while speaking to the registry already."""
        found = client.get_model_version(version.model, version.version)
        with not_there:
            run = client.get_run(str(found.run_id))
            self._download(str(run.info.artifact_uri), folder / DOCUMENTS)
        with not_there:
            self._download(client.get_model_version_download_uri(found.name, str(found.version)), folder / MODEL)

    def _download(self, uri: str, folder: Path) -> None:
        from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

        repository: Any = get_artifact_repository(uri, tracking_uri=self.uri)
        if repository.list_artifacts():
            folder.mkdir(exist_ok=True)
            repository.download_artifacts("", str(folder))
            shutil.rmtree(folder / PLOTS, ignore_errors=True)

    def _look(self) -> str:
        return f"mlflow ui --backend-store-uri {self.uri}" if self.artifacts is not None else address(self.uri)

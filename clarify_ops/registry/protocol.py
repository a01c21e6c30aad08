"""What a registry must be able to do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from clarify_ops.gate.release import Release


@dataclass(frozen=True)
class Candidate:
    """A judged model with everything that is kept of it.

    Attributes:
        release: What is known, the verdict included.
        model: Folder of the MLflow model.
        documents: Files to keep, by the name they are kept under ("report.html", "pretraining_bias/metrics.json").
        plots: PNG files by name.
        parameters: Settings by name, flat.
        evidence_digest: Of the claims.
        data_uri: Where the data are.
    """

    release: Release
    model: Path
    documents: Mapping[str, Path]
    plots: Mapping[str, bytes]
    parameters: Mapping[str, str]
    evidence_digest: str
    data_uri: str


@dataclass(frozen=True)
class Registration:
    """Where a candidate went.

    Attributes:
        registry: URI of the registry, without secrets.
        run: Id of the run that holds documents, parameters, metrics and plots.
        model: Name of the registered model, or None where the gate refused.
        version: Its version, or None.
        alias: What the version is called, or None.
        look: A command that shows it.
        note: Why there is no run, where there is none.
    """

    registry: str
    run: str
    look: str
    model: str | None = None
    version: str | None = None
    alias: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    note: str = ""

    def to_json(self) -> dict[str, Any]:
        """The document of `registration.json`."""
        return {**vars(self), "tags": dict(self.tags)}


class Registry(Protocol):
    """A registry of models."""

    def record(self, candidate: Candidate) -> Registration:
        """Keeps the run of a candidate and registers nothing.

        Raises:
            Outside: The registry failed.
        """
        ...

    def register(self, candidate: Candidate, name: str, alias: str) -> Registration:
        """Keeps the run and makes a version of the model.

        Raises:
            Outside: The registry failed.
        """
        ...

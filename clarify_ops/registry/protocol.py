"""What a registry must be able to do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from clarify_ops.documents import digest_file
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

    @property
    def statement_digest(self) -> str | None:
        """Digest of the statement's file, which binds every other document; None where there is none."""
        path = self.documents.get("statement.json")
        return None if path is None else digest_file(path)


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


@dataclass(frozen=True)
class RegisteredVersion:
    """A version as the registry has it.

    Attributes:
        model: Name of the registered model or group.
        version: Its number, as text.
        aliases: What it is called: `challenger`, `champion`. A registry with an approval status instead of names calls an
            approved version `champion` and a pending one `challenger`.
        status: The approval status, where the registry has one.
        evidence: Digest of the evidence that it was registered with, or None: nothing is known of how it came there.
        verdict: Outcome it was registered with, or None.
        complete: Whether its registration was finished: a version that is not may carry no alias.
        created: When, as an ISO date and time in UTC.
        tags: What it is searched by.
    """

    model: str
    version: str
    aliases: tuple[str, ...] = ()
    status: str | None = None
    evidence: str | None = None
    verdict: str | None = None
    complete: bool = True
    created: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)


class Registry(Protocol):
    """A registry of models.

    Every call speaks to one registry; each raises Outside where that fails, after as many tries as its client makes.
    """

    def record(self, candidate: Candidate) -> Registration:
        """Keeps the run of a candidate and registers nothing.

        Raises:
            Outside: The registry failed.
        """
        ...

    def register(self, candidate: Candidate, name: str, alias: str) -> Registration:
        """Keeps the run and makes a version of the model, once: evidence that is registered already gives its version.

        Tags and description go in the call that creates the version, and the alias is given last, to a version whose
        evidence is complete. Of two registrations of the same evidence at once the lowest version wins; a registration
        that died in between is finished by the next one.

        Raises:
            Outside: The registry failed.
        """
        ...

    def versions(self, model: str | None = None) -> tuple[RegisteredVersion, ...]:
        """Every version of one model, or of all, by model and number.

        Raises:
            Outside: The registry failed.
        """
        ...

    def fetch(self, version: RegisteredVersion, folder: Path) -> None:
        """Brings what was registered: `documents/` as in `Candidate.documents`, and the model's files in `model/`.

        Raises:
            Outside: The registry failed, or does not have them.
        """
        ...

    def move_alias(self, version: RegisteredVersion, alias: str, reason: str) -> RegisteredVersion:
        """Gives the alias to a version, away from whichever has it, and keeps who had it and the reason in tags.

        Raises:
            Outside: The registry failed.
        """
        ...

    def drop_alias(self, version: RegisteredVersion, alias: str, reason: str) -> RegisteredVersion:
        """Takes the alias from a version and keeps the reason.

        Raises:
            Outside: The registry failed.
        """
        ...

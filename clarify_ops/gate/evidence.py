"""Evidence: what was measured, of what, by what, and what was answered, under one digest.

`claims` are equal wherever and whenever the same work is done; `envelope` holds what is not (times, machines, places).
The digest of the claims is the evidence digest, and is stored in the registry with the version. The seal is a checksum of
the whole document: it finds accidents in the envelope, and whoever edits it could make another. What binds it is a
statement about its file (`clarify_ops.gate.statement`).
"""

from __future__ import annotations

import datetime
import getpass
import json
import platform
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, distributions, version
from pathlib import Path
from typing import Any

from clarify_ops.documents import digest, digest_bytes, digest_file, read_document
from clarify_ops.errors import BadDocument, Refused

# Orchestrators' wrappings compute nothing; which of them ran is no part of what was done.
_WRAPPINGS = {"components", "pipelines", "dags"}


@dataclass(frozen=True)
class Evidence:
    """Claims and their envelope.

    Attributes:
        claims: JSON types; floats count to 12 significant digits.
        envelope: JSON types; not part of the digest.
    """

    claims: Mapping[str, Any]
    envelope: Mapping[str, Any]

    @property
    def digest(self) -> str:
        """`sha256:<hex>` of the claims."""
        return digest(self.claims)

    def to_json(self) -> dict[str, Any]:
        """The document of `evidence.json` and, within a step, of `step.json`."""
        document = {"version": "1", "claims": dict(self.claims), "digest": self.digest, "envelope": dict(self.envelope)}
        return {**document, "seal": seal(document)}


def seal(document: Mapping[str, Any]) -> str:
    """Digest of every digit of a document but of its seal, in the order of its keys."""
    rest = {key: value for key, value in document.items() if key != "seal"}
    return digest_bytes(json.dumps(rest, sort_keys=True, allow_nan=False).encode())


def read_evidence(path: str | Path) -> Evidence:
    """Reads evidence and checks that it is whole.

    Raises:
        BadDocument: The file is missing or is not evidence.
        Refused: Claims or envelope do not have the digests that are written beside them: somebody changed them.
    """
    document = read_document(path, "evidence")
    kinds = {"claims": dict, "digest": str, "envelope": dict}
    if not isinstance(document, dict) or not all(isinstance(document.get(key), kind) for key, kind in kinds.items()):
        raise BadDocument(f"The file {path} is not evidence of a step: it lacks claims, digest or envelope.")
    evidence = Evidence(document["claims"], document["envelope"])
    if evidence.digest != document["digest"]:
        raise Refused(
            f"The claims in {path} have the digest {_short(evidence.digest)}, but {_short(document['digest'])} is written there.",
            "They were changed after they were made: run the step again.",
        )
    # Earlier versions wrote no seal, and a step of theirs may be replaced.
    if document.get("seal", seal(document)) != seal(document):
        raise Refused(f"The envelope in {path} was changed after it was made.", "Run the step again.")
    return evidence


def require_same(claimed: str | None, found: str, what: str, where: str) -> None:
    """Refuses evidence about something else.

    Args:
        claimed: Digest in the evidence.
        found: Digest of what it is shown with.
        what: "the model", "the dataset".
        where: Which evidence.

    Raises:
        Refused: They differ.
    """
    if claimed != found:
        raise Refused(
            f"The evidence of {where} is about another {what}: it names {_short(claimed)}, but this one is {_short(found)}.",
            "Run that step again for what you want to register.",
        )


def envelope(started: datetime.datetime, places: Mapping[str, str]) -> dict[str, Any]:
    """Who, when, where and with which packages: what the evidence digest may not depend on.

    `environment` is the digest of the packages with their versions.
    """
    packages = _packages()
    return {
        "started": started.isoformat(timespec="seconds"),
        "finished": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "user": _user(),
        "machine": platform.machine(),
        "system": platform.platform(),
        "python": sys.version.split()[0],
        "places": dict(places),
        "packages": dict(packages),
        "environment": digest(packages),
    }


@cache
def code() -> dict[str, str]:
    """Version and digest of this library's own source."""
    root = Path(__file__).parents[1]
    files = sorted(one for one in root.rglob("*.py") if one.relative_to(root).parts[0] not in _WRAPPINGS)
    content = digest({one.relative_to(root).as_posix(): digest_file(one) for one in files})
    try:
        release = version("clarify-ops")
    except PackageNotFoundError:
        release = "not installed"
    return {"clarify_ops": release, "digest": content}


@cache
def _packages() -> dict[str, str]:
    """What is installed, as a lock file has it: sorted, one version each, names spelt one way."""
    found: dict[str, str] = {}
    for one in distributions():
        if one.metadata["Name"]:
            # The first on the path is the one that is imported.
            found.setdefault(re.sub(r"[-_.]+", "-", one.metadata["Name"]).lower(), one.version)
    return {name: found[name] for name in sorted(found)}


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        # A container may run under a number that no user has.
        return "unknown"


def _short(value: str | None) -> str:
    return "none" if value is None else value[:19]

"""Audit: which versions of a registry, and which aliases, have no evidence that holds."""

from __future__ import annotations

import datetime
import getpass
from pathlib import Path

from clarify_ops.documents import digest, write_json
from clarify_ops.registry.audit import Audit, audit
from clarify_ops.steps.folder import step_output
from clarify_ops.steps.progress import Progress, silent
from clarify_ops.steps.registries import find_registry

NAME = "audit"
AUDIT = "audit.json"


def run(
    output: str | Path | None = None,
    *,
    pipeline: str | Path | None = None,
    registry_uri: str | None = None,
    model: str | None = None,
    demote: bool = False,
    progress: Progress = silent,
) -> Audit:
    """Looks at a registry, and writes what it found.

    Args:
        output: Folder to write: audit.json, step.json; None writes nothing.
        pipeline: Path of a pipeline document, whose registry is meant.
        registry_uri: The registry, in place of the pipeline's.
        model: Name of a registered model; None for all.
        demote: Take the aliases from versions without valid evidence.
        progress: Told what is being looked at.

    Raises:
        BadInput: There is no such registry or model.
        Outside: The registry failed.
    """
    place = find_registry(pipeline, registry_uri)

    def look() -> Audit:
        today = datetime.datetime.now().astimezone().date()
        return audit(
            place.registry,
            model,
            today=today,
            address=place.address,
            demote=demote,
            by=getpass.getuser(),
            progress=progress,
        )

    if output is None:
        return look()
    with step_output(NAME, Path(output), {"registry": place.address}) as work:
        found = look()
        write_json(work.folder / AUDIT, found.to_json())
        work.claims.update(registry=place.address, audit=digest(found.to_json()))
    return found

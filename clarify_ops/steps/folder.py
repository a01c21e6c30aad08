"""A step's output folder: all of it, or what was there before."""

from __future__ import annotations

import datetime
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from clarify_ops.documents import digest, read_document, write_json
from clarify_ops.errors import BadDocument, BadInput, Refused
from clarify_ops.gate.evidence import Evidence, code, envelope, read_evidence
from clarify_ops.measures import Measure

STEP_FILE = "step.json"
METRICS_FILE = "metrics.json"
_PARTIAL = ".partial"


@dataclass
class Workspace:
    """Where a step writes while it runs.

    Attributes:
        folder: Hidden; becomes the output when the step ends well.
        claims: To be filled by the step.
    """

    folder: Path
    claims: dict[str, Any] = field(default_factory=dict)

    def metrics(self, measures: Sequence[Measure], **facts: Any) -> None:
        """Writes `metrics.json`, and claims what is in it."""
        document = {"version": "1", "measures": [one.to_json() for one in measures], **facts}
        write_json(self.folder / METRICS_FILE, document)
        self.claims["metrics"] = digest(document)


@contextmanager
def step_output(step: str, output: Path, places: Mapping[str, str]) -> Iterator[Workspace]:
    """A place to write; its content moves to `output` when the block ends without an error.

    Args:
        step: Name of the step.
        output: The folder to make or to replace.
        places: URIs and paths that went in, for the envelope.

    Raises:
        BadInput: `output` is a file, or holds something that no step has written.
    """
    started = datetime.datetime.now(datetime.UTC)
    existed = output.exists()
    _refuse_foreign(output)
    partial = output / _PARTIAL
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    workspace = Workspace(partial, {"step": step, "code": code()})
    try:
        yield workspace
        write_json(partial / STEP_FILE, Evidence(workspace.claims, envelope(started, places)).to_json())
        _publish(partial, output)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        if not existed:
            shutil.rmtree(output, ignore_errors=True)
        raise


def _publish(partial: Path, output: Path) -> None:
    # step.json goes first and comes last: a folder with one is whole. Files move one by one because the folder itself
    # may be a mount point, which cannot be renamed.
    (output / STEP_FILE).unlink(missing_ok=True)
    for old in output.iterdir():
        if old.name != _PARTIAL:
            shutil.rmtree(old) if old.is_dir() else old.unlink()
    for new in sorted(partial.iterdir(), key=lambda one: one.name == STEP_FILE):
        new.replace(output / new.name)
    partial.rmdir()


def _refuse_foreign(output: Path) -> None:
    if output.is_file():
        raise BadInput(f"The output {output} is a file.", "Name a folder.")
    if output.is_dir() and not (output / STEP_FILE).exists() and any(one.name != _PARTIAL for one in output.iterdir()):
        raise BadInput(
            f"The output folder {output} holds files that no step has written.", "Name an empty or a new folder."
        )


@dataclass(frozen=True)
class StepResult:
    """What a step left in its folder.

    Attributes:
        folder: Its folder.
        claims: Of its `step.json`, with `digest`.
        metrics: The document of `metrics.json`.
        measures: The measures in it.
    """

    folder: Path
    claims: Mapping[str, Any]
    digest: str
    metrics: Mapping[str, Any]
    measures: tuple[Measure, ...]


def read_step(folder: str | Path, step: str) -> StepResult:
    """Reads the output of a step that another depends on.

    Raises:
        BadDocument: The folder is not the output of that step.
        Refused: Its files are not those it claims.
    """
    root = Path(folder)
    if not (root / STEP_FILE).is_file():
        raise BadDocument(
            f"The folder {root} is not the output of the step {step}: it has no {STEP_FILE}.",
            f"Run clarify-ops {step} first.",
        )
    evidence = read_evidence(root / STEP_FILE)
    found = evidence.claims.get("step")
    if found != step:
        raise BadDocument(f"The folder {root} is the output of the step {found}, not of {step}.")
    metrics = read_document(root / METRICS_FILE, "metrics")
    if digest(metrics) != evidence.claims.get("metrics"):
        raise Refused(
            f"The file {root / METRICS_FILE} was changed after the step {step} wrote it.", "Run the step again."
        )
    measures = tuple(Measure.from_json(one) for one in metrics["measures"])
    return StepResult(root, evidence.claims, evidence.digest, metrics, measures)

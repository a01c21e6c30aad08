"""A step's output folder: all of it, or what was there before."""

from __future__ import annotations

import datetime
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from clarify_ops.documents import alone_in, digest, digest_file, read_document, write_json
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
        self.claims["metrics"] = metrics_digest(document)


def metrics_digest(document: Mapping[str, Any]) -> str:
    """Digest of what `metrics.json` says, but for where the data lie: the same work elsewhere has the same claims."""
    facts = document.get("data")
    if not isinstance(facts, Mapping):
        return digest(document)
    return digest({**document, "data": {name: value for name, value in facts.items() if name != "name"}})


@contextmanager
def step_output(step: str, output: Path, places: Mapping[str, str]) -> Iterator[Workspace]:
    """A place to write; its content moves to `output` when the block ends without an error.

    Args:
        step: Name of the step.
        output: The folder to make or to replace.
        places: URIs and paths that went in, for the envelope.

    Raises:
        BadInput: `output` cannot be written, is being written by another run, lies within the output of a step, or holds
            something that this step has not written.
    """
    started = datetime.datetime.now(datetime.UTC)
    existed = output.exists()
    _refuse_foreign(step, output)
    partial = output / _PARTIAL
    try:
        output.mkdir(parents=True, exist_ok=True)
        partial.mkdir(exist_ok=True)
    except OSError as error:
        raise BadInput(
            f"The output folder {output} cannot be made: {error.strerror}.", "Name a folder that can be written to."
        ) from error
    with alone_in(output):
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir()
        workspace = Workspace(partial, {"step": step, "code": code()})
        try:
            yield workspace
            around = {**envelope(started, places), "files": file_digests(partial)}
            write_json(partial / STEP_FILE, Evidence(workspace.claims, around).to_json())
        except BaseException:
            shutil.rmtree(partial, ignore_errors=True)
            if not existed:
                shutil.rmtree(output, ignore_errors=True)
            raise
        # Interrupted from here on, the folder keeps its .partial, by which the next run knows it as a step's.
        _publish(partial, output)


def _publish(partial: Path, output: Path) -> None:
    # step.json goes first and comes last: a folder with one is whole. Files move one by one because the folder itself
    # may be a mount point, which cannot be renamed.
    (output / STEP_FILE).unlink(missing_ok=True)
    for old in output.iterdir():
        if old.name != _PARTIAL:
            shutil.rmtree(old) if old.is_dir() and not old.is_symlink() else old.unlink()
    for new in sorted(partial.iterdir(), key=lambda one: one.name == STEP_FILE):
        new.replace(output / new.name)
    partial.rmdir()


def _refuse_foreign(step: str, output: Path) -> None:
    """Stops before a folder is written to that is not this step's to replace."""
    if output.is_file() or (output.is_symlink() and not output.exists()):
        raise BadInput(f"The output {output} is not a folder.", "Name a folder.")
    for above in output.absolute().parents:
        if (above / STEP_FILE).is_file():
            raise BadInput(
                f"The output {output} lies within {above}, which a step has written.", "Name another folder."
            )
    if not output.is_dir():
        return
    found = {one.name for one in output.iterdir()}
    if STEP_FILE in found:
        before = read_evidence(output / STEP_FILE)
        if before.claims.get("step") != step:
            raise BadInput(
                f"The folder {output} is the output of the step {before.claims.get('step')}, which {step} would replace.",
                "Name another folder.",
            )
        written = {name.split("/")[0] for name in before.envelope.get("files", ())}
        found -= {STEP_FILE, *written}
    # A .partial is there only where a step was killed, perhaps while it moved its files.
    if found and _PARTIAL not in found:
        raise BadInput(
            f"The output folder {output} holds {min(found)}, which no step has written.",
            "Name an empty or a new folder.",
        )


def file_digests(folder: Path) -> dict[str, str]:
    """Digest of every file of a step by its path, but for `step.json`, which holds them, and what a killed run left.

    Raises:
        Refused: Something in it is a link: what it leads to is not what the step wrote.
    """
    found: dict[str, str] = {}
    for one in sorted(folder.rglob("*")):
        if one.relative_to(folder).parts[0] == _PARTIAL:
            continue
        if one.is_symlink():
            raise Refused(f"{one} is a link, which no step writes.", "Run the step again.")
        name = one.relative_to(folder).as_posix()
        if one.is_file() and name != STEP_FILE:
            found[name] = digest_file(one)
    return found


@dataclass(frozen=True)
class StepResult:
    """What a step left in its folder.

    Attributes:
        folder: Its folder.
        claims: Of its `step.json`, with `digest`.
        metrics: The document of `metrics.json`.
        measures: The measures in it.
        files: Digests of the files that it wrote, by path.
        finished: When it ended; None where it does not say.
    """

    folder: Path
    claims: Mapping[str, Any]
    digest: str
    metrics: Mapping[str, Any]
    measures: tuple[Measure, ...]
    files: Mapping[str, str]
    finished: datetime.datetime | None = None

    def require_untouched(self) -> None:
        """Holds the files that lie there against those that the step wrote.

        Raises:
            Refused: One was changed, added or removed.
        """
        found = file_digests(self.folder)
        for name in sorted(found.keys() | self.files.keys()):
            if found.get(name) != self.files.get(name):
                what = "was added" if name not in self.files else "is gone" if name not in found else "was changed"
                raise Refused(
                    f"The file {self.folder / name} {what} after the step {self.claims['step']} wrote its folder.",
                    "Run the step again.",
                )


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
    if not isinstance(metrics, dict) or metrics_digest(metrics) != evidence.claims.get("metrics"):
        raise Refused(
            f"The file {root / METRICS_FILE} was changed after the step {step} wrote it.", "Run the step again."
        )
    try:
        measures = tuple(Measure.from_json(one) for one in metrics["measures"])
    except (KeyError, TypeError, ValueError) as error:
        raise BadDocument(f"The file {root / METRICS_FILE} does not hold the measures of a step.") from error
    files, finished = dict(evidence.envelope.get("files", {})), _moment(evidence.envelope.get("finished"))
    return StepResult(root, evidence.claims, evidence.digest, metrics, measures, files, finished)


def _moment(text: object) -> datetime.datetime | None:
    try:
        found = datetime.datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return found if found.tzinfo is not None else None

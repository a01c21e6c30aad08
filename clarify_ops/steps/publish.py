"""Publish: report, card and verdict are put where people look, and how the run ended is said beside them."""

from __future__ import annotations

import datetime
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from clarify_ops.card.attached import CARD, REPORT, VERDICT
from clarify_ops.data.place import Place
from clarify_ops.documents import digest_bytes, json_text, parse_document, write_bytes
from clarify_ops.errors import BadDocument, BadInput, ClarifyOpsError
from clarify_ops.gate.evidence import read_evidence
from clarify_ops.report.ended import render_ended
from clarify_ops.steps.folder import STEP_FILE, read_step, step_output
from clarify_ops.steps.progress import Progress, silent

NAME = "publish"
PAGE, RUN = "index.html", "run.json"
_JUDGING = ("gate", "register")
_LONGEST_MESSAGE = 4_000
# user:password@ of an address that an orchestrator quotes.
_SECRET = re.compile(r"(?<=://)[^/\s@]+@")


@dataclass(frozen=True)
class Published:
    """What stands where people look.

    Attributes:
        folder: The output folder, which holds the same.
        place: Where it was put, without secrets.
        outcome: The gate's answer; None where nothing was judged.
        digest: Of the claims of `step.json`.
    """

    folder: Path
    place: str
    outcome: str | None
    digest: str


def run(
    output: str | Path,
    *,
    to: str,
    release: str | Path | None = None,
    state: str | None = None,
    message: str | None = None,
    progress: Progress = silent,
) -> Published:
    """Puts the papers of a judgement at a place, or else a page that says how far the run came.

    It refuses nothing: a run that was refused, that was killed half-way, or whose papers somebody changed has a page as
    well. Called again for a run whose report is there already, without a release, it only adds how the run ended: so
    an exit handler, which orchestrators give none of the run's results, may follow a task that published the report.

    Args:
        output: Folder to write: index.html, run.json, model_card.md and verdict.json (where something was judged), step.json.
        to: Path or URI of a folder or prefix that the run has for itself.
        release: Output folder of the gate or the register step.
        state: How the run ended, in the orchestrator's words.
        message: Why it ended so; secrets in addresses are taken out.
        progress: Told what is being done.

    Raises:
        BadInput: The place cannot be written to.
        Outside: The store behind it failed.
    """
    place = Place(to)
    told = {"state": _clean(state), "message": _clean(message)}
    with step_output(NAME, Path(output), {"to": place.shown}) as work:
        before = _published_before(place)
        found, reason = _papers(release)
        if not found and before.get("outcome") is not None:
            progress("the report is there; adding how the run ended")
            found = {name: place.read(name) or b"" for name in (PAGE, CARD, VERDICT)}
        said = {name: value or before.get(name, "") for name, value in told.items()}
        verdict = json.loads(found[VERDICT]) if VERDICT in found else {}
        page = found.pop(REPORT, None) or found.pop(PAGE, None)
        if page is None:
            now = datetime.datetime.now(datetime.UTC).strftime("%d %B %Y, %H:%M UTC")
            page = render_ended(said["state"], said["message"], reason, now).encode()
        files = {**found, PAGE: page}
        summary = {
            "version": "1",
            **said,
            "outcome": verdict.get("outcome"),
            "may_register": verdict.get("may_register"),
            "reason": verdict.get("reason", reason),
            "files": {name: digest_bytes(content) for name, content in sorted(files.items())},
        }
        progress(f"writing to {place.shown}")
        # run.json comes last: where it stands, all that it names is there.
        for name, content in {**files, RUN: json_text(summary).encode()}.items():
            write_bytes(work.folder / name, content)
            place.write(name, content)
        work.claims.update(files=summary["files"], outcome=summary["outcome"])
    return Published(Path(output), place.shown, summary["outcome"], read_evidence(Path(output, STEP_FILE)).digest)


def _papers(release: str | Path | None) -> tuple[dict[str, bytes], str]:
    """What a judging step left for people, by name; or nothing, and why."""
    if release is None:
        return {}, "The run ended before anything was judged."
    folder = Path(release)
    if not (folder / STEP_FILE).is_file():
        return {}, "The run ended before it was judged: the gate left nothing."
    try:
        step = str(read_evidence(folder / STEP_FILE).claims.get("step"))
        if step not in _JUDGING:
            raise BadDocument(f"The folder is the output of the step {step}, which judges nothing.")
        read_step(folder, step).require_untouched()
        return {name: (folder / name).read_bytes() for name in (REPORT, CARD, VERDICT)}, ""
    except (ClarifyOpsError, OSError) as error:
        return {}, f"What the gate left cannot be published. {_clean(str(error))}"


def _published_before(place: Place) -> dict[str, Any]:
    """The run.json that stands there, if one of ours does."""
    content = place.read(RUN)
    if content is None:
        return {}
    try:
        found = parse_document(content.decode("utf-8", "replace"), f"The file {RUN}", as_json=True)
    except BadDocument:
        found = None
    if not isinstance(found, dict) or not isinstance(found.get("files"), dict):
        raise BadInput(
            f"At {place.shown} lies a {RUN} that was not written here.", "Give every run a folder or prefix of its own."
        )
    return found


def _clean(text: str | None) -> str:
    return _SECRET.sub("", text or "")[:_LONGEST_MESSAGE].strip()

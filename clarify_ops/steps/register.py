"""Model-card register: judge, write verdict, evidence, report and card, and let a model that passes into the registry."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from clarify_ops.documents import canonical, read_document, write_json
from clarify_ops.errors import Outside, Refused
from clarify_ops.gate.evidence import read_evidence
from clarify_ops.gate.signing import signing_key
from clarify_ops.gate.verdict import Verdict
from clarify_ops.registry.opening import open_registry
from clarify_ops.registry.protocol import Candidate, Registration, Registry
from clarify_ops.steps import train
from clarify_ops.steps.folder import StepResult, file_digests, read_step, step_output
from clarify_ops.steps.gate import write_judgement
from clarify_ops.steps.judging import Judged, Parts, judge_parts
from clarify_ops.steps.papers import shown, write_papers, write_plots
from clarify_ops.steps.progress import Progress, silent
from clarify_ops.steps.stating import write_statement
from clarify_ops.steps.table import BY_NAME

NAME = "register"
REGISTRATION = "registration.json"


@dataclass(frozen=True)
class Outcome:
    """What registration came to.

    Attributes:
        result: The output folder.
        verdict: The gate's answer.
        registration: Where the run went and, if the gate let it, the version.
    """

    result: StepResult
    verdict: Verdict
    registration: Registration


def run(
    pipeline: str | Path,
    output: str | Path,
    *,
    parts: Parts,
    data: str | None = None,
    policy: str | Path | None = None,
    registry_uri: str | None = None,
    verdict: str | Path | None = None,
    evidence: str | Path | None = None,
    key: str | Path | None = None,
    champion: str | None = None,
    progress: Progress = silent,
) -> Outcome:
    """Judges a candidate and registers it if the policy lets it.

    A refused candidate leaves verdict, evidence, report and card as well, and its run is kept; nothing is registered.

    Args:
        pipeline: Path of the pipeline document.
        output: Folder to write: verdict.json, evidence.json, metrics.json, analysis.json, report.html, the forms of the
            card (`card.CARDS`), plots/, pipeline.json, statement.json, statement.dsse.json (only when signed),
            champion/ (only when compared), registration.json (only when registered), step.json.
        parts: Folders of the steps before.
        data: URI of the dataset, in place of the pipeline's.
        policy: Path of a policy, in place of the pipeline's.
        registry_uri: Registry, in place of the pipeline's.
        verdict: A verdict that somebody computed before; it is compared, never trusted.
        evidence: Evidence that somebody made before; it must be the same.
        key: Path of a private key to sign with; absent: the one that CLARIFY_OPS_SIGNING_KEY names, or none.
        champion: What rules of stage `champion` compare with, in place of the registry's champion.
        progress: Told what is being done.

    Raises:
        Refused: The parts, a verdict or evidence handed in do not belong to this candidate.
        Outside: The registry failed.
    """
    signer = signing_key(key)
    judged = judge_parts(
        pipeline, parts, data=data, policy=policy, champion=champion, registry_uri=registry_uri, progress=progress
    )
    _compare(judged, verdict, evidence)
    document = judged.inputs.pipeline
    registry = open_registry(document, registry_uri)
    with step_output(NAME, Path(output), judged.inputs.places()) as work:
        write_judgement(work, judged)
        progress("writing report and card")
        write_papers(work.folder, judged, signed=signer is not None)
        pictures = write_plots(work.folder, judged)
        write_statement(work.folder, judged, signer)
        with _held(judged) as model:
            candidate = _candidate(judged, work.folder, model, pictures)
            may = judged.release.verdict.may_register
            progress("registering the model" if may else "keeping the run; nothing is registered")
            if may:
                registration = registry.register(candidate, document.registry.model, document.registry.alias)
            else:
                registration = _recorded(registry, candidate)
            if registration.version is not None:
                write_json(work.folder / REGISTRATION, registration.to_json())
    return Outcome(read_step(output, NAME), judged.release.verdict, registration)


def _recorded(registry: Registry, candidate: Candidate) -> Registration:
    """Keeps the run of a refused candidate if that can be done: a registry that fails does not change the answer."""
    try:
        return registry.record(candidate)
    except Outside as error:
        return Registration(registry="", run="", look="", note=f"not kept: {error.message}")


def _compare(judged: Judged, verdict: str | Path | None, evidence: str | Path | None) -> None:
    """Holds what was handed in against what was computed here."""
    if verdict is not None:
        claimed = read_document(verdict, "verdict")
        if canonical(claimed) != canonical(judged.release.verdict.to_json()):
            outcome = claimed.get("outcome") if isinstance(claimed, dict) else None
            raise Refused(
                f"The verdict {verdict} ({outcome}) is not the one that these data, this model and this policy give"
                f" ({judged.release.verdict.outcome}).",
                "Judge again: clarify-ops gate.",
            )
    if evidence is not None:
        claimed_evidence = read_evidence(evidence)
        for name, value in judged.evidence.claims.items():
            if canonical(claimed_evidence.claims.get(name)) != canonical(value):
                raise Refused(f"The evidence {evidence} is about another {name}.", "Make it again: clarify-ops gate.")


@contextmanager
def _held(judged: Judged) -> Iterator[Path]:
    """A copy of the model that nobody else writes to, checked once more: it may have been exchanged since it was judged."""
    trained = judged.results[train.NAME]
    with tempfile.TemporaryDirectory() as place:
        copy = Path(place, train.MODEL)
        shutil.copytree(trained.folder / train.MODEL, copy, symlinks=True)
        written = {name: value for name, value in trained.files.items() if name.startswith(f"{train.MODEL}/")}
        if file_digests(Path(place)) != written:
            raise Refused(f"The model in {trained.folder} was changed while it was being judged.", "Train it again.")
        yield copy


def _candidate(judged: Judged, folder: Path, model: Path, pictures: Mapping[str, bytes]) -> Candidate:
    documents = {one.name: one for one in sorted(folder.iterdir()) if one.is_file()}
    for name, result in judged.results.items():
        for file in ("step.json", *result.files):
            if "/" not in file and file.endswith(".json"):
                documents[f"{BY_NAME[name].folder}/{file}"] = result.folder / file
    pipeline = judged.inputs.pipeline
    return Candidate(
        release=judged.release,
        model=model,
        documents=documents,
        plots=pictures,
        parameters=dict(
            _flat(shown(pipeline.model_dump(mode="json", exclude={"policy", "card", "registry"}, exclude_unset=True)))
        ),
        evidence_digest=judged.evidence.digest,
        data_uri=judged.inputs.dataset.uri,
    )


def _flat(document: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Settings under dotted names, lists and excluded columns as text."""
    for key, value in document.items():
        if isinstance(value, dict) and f"{prefix}{key}" != "data.exclude":
            yield from _flat(value, f"{prefix}{key}.")
        elif isinstance(value, list | dict):
            yield f"{prefix}{key}", ", ".join(one if isinstance(one, str) else canonical(one).decode() for one in value)
        elif value is not None:
            yield f"{prefix}{key}", str(value)

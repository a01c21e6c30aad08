"""What goes into a registry with a version, and whether what lies there is still that.

The claims are bound by the evidence digest. Reports and cards are bound by the list of contents, whose digest stands
beside the evidence digest in the version's tags.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from clarify_ops.documents import canonical, digest, digest_file, read_document
from clarify_ops.errors import ClarifyOpsError, Refused
from clarify_ops.gate.evidence import Evidence, read_evidence
from clarify_ops.registry.protocol import Candidate, RegisteredVersion
from clarify_ops.training.saving import model_digest

EVIDENCE = "evidence.json"
VERDICT = "verdict.json"
CONTENTS = "contents.json"
DOCUMENTS, MODEL = "documents", "model"

EVIDENCE_TAG = "clarify_ops.evidence"
VERDICT_TAG = "clarify_ops.verdict"
CONTENTS_TAG = "clarify_ops.contents"
STATEMENT_TAG = "clarify_ops.statement"
COMPLETE_TAG = "clarify_ops.complete"


def contents(candidate: Candidate) -> dict[str, Any]:
    """The document of `contents.json`: the digest of every document and of every file of the model."""
    return {
        "version": "1",
        "evidence": candidate.evidence_digest,
        DOCUMENTS: {name: digest_file(path) for name, path in sorted(candidate.documents.items())},
        MODEL: _files(candidate.model),
    }


def version_tags(candidate: Candidate) -> dict[str, str]:
    """What a version is searched by and held to; the same in every registry."""
    verdict = candidate.release.verdict
    return {
        VERDICT_TAG: verdict.outcome,
        "clarify_ops.policy": verdict.policy,
        "clarify_ops.waived": str(len(verdict.waived)),
        EVIDENCE_TAG: candidate.evidence_digest,
        CONTENTS_TAG: digest(contents(candidate)),
        **({} if candidate.statement_digest is None else {STATEMENT_TAG: candidate.statement_digest}),
        **{
            f"clarify_ops.digest.{name}": value
            for name, value in candidate.release.digests.items()
            if name != "evidence"
        },
    }


def require_registrable(candidate: Candidate) -> None:
    """Looks again at verdict and evidence, whatever the caller says of them.

    Raises:
        Refused: The verdict does not let the model in, or its evidence is missing or about something else.
    """
    verdict = candidate.release.verdict
    if not verdict.may_register:
        raise Refused(
            f"The verdict is {verdict.outcome}, which does not let the model into a registry.", verdict.reason
        )
    path = candidate.documents.get(EVIDENCE)
    if path is None:
        raise Refused(f"The candidate comes without {EVIDENCE}.", "Judge it again: clarify-ops gate.")
    evidence = read_evidence(path)
    found = [
        *_digest_problems(evidence, candidate.evidence_digest, "the candidate says"),
        *_model_problems(evidence, candidate.model),
    ]
    if canonical(evidence.claims.get("verdict")) != canonical(verdict.to_json()):
        found.append("its evidence claims another verdict")
    if found:
        raise Refused(f"The candidate is not registered: {found[0]}.", "Judge it again: clarify-ops gate.")


def problems(folder: Path, version: RegisteredVersion, today: datetime.date) -> list[str]:
    """What is wrong with a fetched version, in words that go on after "version 3 of credit: "; empty where nothing is.

    Args:
        folder: What `Registry.fetch` brought.
        version: What the registry says of it.
        today: A waiver that ended before counts for nothing.
    """
    return list(_problems(folder, version, today))


def _problems(folder: Path, version: RegisteredVersion, today: datetime.date) -> Iterator[str]:
    path = folder / DOCUMENTS / EVIDENCE
    if not path.is_file():
        yield f"its {EVIDENCE} is missing"
        return
    try:
        evidence = read_evidence(path)
        yield from _digest_problems(evidence, version.evidence, "its tag says")
        yield from _model_problems(evidence, folder / MODEL)
        yield from _verdict_problems(evidence, version, today)
        yield from _content_problems(folder, version)
    except ClarifyOpsError as error:
        yield error.message.replace(f"{folder}/", "").rstrip(".")


def _digest_problems(evidence: Evidence, expected: str | None, who: str) -> Iterator[str]:
    if evidence.digest != expected:
        yield f"its evidence has the digest {evidence.digest}, but {who} {expected}"


def _model_problems(evidence: Evidence, model: Path) -> Iterator[str]:
    if not model.is_dir():
        yield "the model's files are missing"
    elif model_digest(model) != evidence.claims.get("model"):
        yield "the model's files are not those that the evidence is about"


def _verdict_problems(evidence: Evidence, version: RegisteredVersion, today: datetime.date) -> Iterator[str]:
    verdict = evidence.claims.get("verdict")
    if not isinstance(verdict, dict):
        yield "its evidence holds no verdict"
        return
    outcome = verdict.get("outcome")
    # Where a registry has an approval status, what the policy wants approved waits there, and a person gives it.
    decided = {"warn"} if version.status is None else {"warn", "approval"}
    if outcome != "PASS" and not (outcome == "INCONCLUSIVE" and verdict.get("inconclusive") in decided):
        yield f"its verdict is {outcome}"
    if version.verdict != outcome:
        yield f"its tag says {version.verdict}, its evidence {outcome}"
    for one in verdict.get("judgements", ()):
        waiver = one.get("waiver")
        if one.get("waived") and datetime.date.fromisoformat(waiver["expires"]) < today:
            yield f"the waiver of the rule {one['rule']} expired on {waiver['expires']}"


def _content_problems(folder: Path, version: RegisteredVersion) -> Iterator[str]:
    """Reports and cards, which the claims do not hold."""
    path = folder / DOCUMENTS / CONTENTS
    if not path.is_file():
        yield f"its {CONTENTS} is missing"
        return
    listed = read_document(path, "list of contents")
    if digest(listed) != version.tags.get(CONTENTS_TAG):
        yield f"its {CONTENTS} was changed"
        return
    found = {DOCUMENTS: _files(folder / DOCUMENTS), MODEL: _files(folder / MODEL)}
    for kind, what in ((DOCUMENTS, "document"), (MODEL, "model file")):
        for name, expected in listed[kind].items():
            if name not in found[kind]:
                yield f"the {what} {name} is missing"
            elif found[kind][name] != expected:
                yield f"the {what} {name} was changed"
    yield from (f"the model file {name} was added" for name in found[MODEL].keys() - listed[MODEL].keys())


def _files(folder: Path) -> Mapping[str, str]:
    files = sorted(one for one in folder.rglob("*") if one.is_file())
    return {one.relative_to(folder).as_posix(): digest_file(one) for one in files}

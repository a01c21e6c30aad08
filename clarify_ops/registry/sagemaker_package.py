"""The request that makes a version: CreateModelPackage, within the service's limits.

Limits and allowed signs: botocore's service model of SageMaker.
"""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from clarify_ops.card.limits import CONTENT
from clarify_ops.errors import BadDocument
from clarify_ops.registry.protocol import Candidate
from clarify_ops.registry.sagemaker_baselines import CONFIG, CONSTRAINTS, STATISTICS
from clarify_ops.registry.sagemaker_storage import ARCHIVE, Stored

APPROVED, PENDING, REJECTED = "Approved", "PendingManualApproval", "Rejected"
DESCRIPTION = 1024
_KEY, _VALUE, _ENTRIES = 128, 256, 50
_SIGNS = "_.:/=+-@"
_CARD = "model_card.json"
_GROUP = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}")
_EVIDENCE = re.compile(r"Evidence (sha256:[0-9a-f]{64})\.")
_EVENT = re.compile(r"clarify_ops\.[a-z]+\.\d{8}T[\d.]+Z")
_CUT = " ..."


def require_allowed(candidate: Candidate, group: str) -> None:
    """Stops before anything is written.

    Raises:
        BadDocument: The name of the group is not allowed, or the card is longer than the registry takes.
    """
    if len(group) > 63 or not _GROUP.fullmatch(group):
        raise BadDocument(
            f"SageMaker does not allow the model package group name {group!r}.",
            "Set registry.model to at most 63 letters, digits and single hyphens between them.",
        )
    card = card_content(candidate)
    if card is not None and len(card) > CONTENT:
        raise BadDocument(
            f"The model card {_CARD} has {len(card):,} characters, and SageMaker takes {CONTENT:,}.",
            "Shorten the card section of the pipeline.",
        )


def package_request(
    candidate: Candidate,
    group: str,
    files: Mapping[str, Stored],
    metadata: Mapping[str, str],
    *,
    status: str,
    image: str | None,
    kms_key: str | None,
    attempt: int = 0,
) -> dict[str, Any]:
    """The arguments of CreateModelPackage.

    Args:
        candidate: What is registered.
        group: Name of the model package group.
        files: What was stored, by the names in the version's folder; without an archive there is no model to deploy.
        metadata: Of the version, within limits already.
        status: Its approval status.
        image: Container that serves it; None makes a version that is logged and cannot be deployed.
        kms_key: Key that the version's files are encrypted with, if any.
        attempt: How many versions with this evidence died before.
    """
    card = card_content(candidate)
    request: dict[str, Any] = {
        "ModelPackageGroupName": group,
        "ModelPackageDescription": _description(candidate),
        "ModelApprovalStatus": status,
        "MetadataProperties": {"GeneratedBy": f"clarify_ops {_release()} pipeline {candidate.release.pipeline}"},
        "CustomerMetadataProperties": dict(metadata),
        "ClientToken": client_token(candidate, group, status, attempt),
        "ModelMetrics": model_metrics(files),
        "DriftCheckBaselines": drift_baselines(files),
        # The gate is the validation; SageMaker's own would start a transform job.
        "SkipModelValidation": "All",
        **_served(files, image),
    }
    if card is not None:
        reviewed = "Draft" if status == REJECTED else "PendingReview"
        request["ModelCard"] = {"ModelCardContent": card, "ModelCardStatus": reviewed}
    if kms_key is not None:
        request["SecurityConfig"] = {"KmsKeyId": kms_key}
    return {key: value for key, value in request.items() if value}


def _served(files: Mapping[str, Stored], image: str | None) -> dict[str, Any]:
    archive = files.get(ARCHIVE)
    if archive is None:
        return {"ModelPackageRegistrationType": "Logged"}
    if image is None:
        return {"ModelPackageRegistrationType": "Logged", "SourceUri": archive.uri}
    specification = {
        "Containers": [{"Image": image, "ModelDataUrl": archive.uri}],
        "SupportedContentTypes": ["text/csv", "application/json"],
        "SupportedResponseMIMETypes": ["application/json"],
    }
    return {"ModelPackageRegistrationType": "Registered", "InferenceSpecification": specification}


def model_metrics(files: Mapping[str, Stored]) -> dict[str, Any]:
    """`ModelMetrics`, of what there is."""
    return _sources(
        files,
        {
            "ModelQuality": {"Statistics": "documents/metrics.json"},
            "Bias": {
                "Report": "documents/analysis.json",
                "PreTrainingReport": "documents/pretraining_bias/analysis.json",
                "PostTrainingReport": "documents/posttraining_bias/analysis.json",
            },
            "Explainability": {"Report": "documents/explanations/analysis.json"},
        },
    )


def drift_baselines(files: Mapping[str, Stored]) -> dict[str, Any]:
    """`DriftCheckBaselines`, of what there is."""
    return _sources(
        files,
        {
            "Bias": {
                "ConfigFile": CONFIG,
                "PreTrainingConstraints": "documents/pretraining_bias/analysis.json",
                "PostTrainingConstraints": "documents/posttraining_bias/analysis.json",
            },
            "Explainability": {"ConfigFile": CONFIG, "Constraints": "documents/explanations/analysis.json"},
            "ModelQuality": {"Statistics": STATISTICS, "Constraints": CONSTRAINTS},
        },
    )


def _sources(files: Mapping[str, Stored], wanted: Mapping[str, Mapping[str, str]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for section, entries in wanted.items():
        there = {
            key: {"ContentType": one.content_type, "ContentDigest": one.digest, "S3Uri": one.uri}
            for key, name in entries.items()
            if (one := files.get(name)) is not None
        }
        if there:
            found[section] = there
    return found


def client_token(candidate: Candidate, group: str, status: str, attempt: int) -> str:
    """The same for every try to register one model's evidence in one group, so that AWS makes one version of two calls."""
    # A refusal that is recorded must not stand for a registration of the same evidence, nor one that died for its successor.
    what = f"{group}\n{candidate.evidence_digest}\n{status == REJECTED}\n{attempt}"
    return hashlib.sha256(what.encode()).hexdigest()[:36]


def evidence_of(description: str, tagged: str | None) -> str | None:
    """The evidence digest of a version, or None where no tag names one.

    The tag may be changed at any time, the description cannot: where they differ, what is told equals no digest.

    >>> evidence_of("PASS by the policy p.", "sha256:00")
    'sha256:00, and its description none'
    """
    found = _EVIDENCE.search(description)
    written = "none" if found is None else found[1]
    return tagged if tagged is None or tagged == written else f"{tagged}, and its description {written}"


def metadata_of(entries: Mapping[str, str]) -> dict[str, str]:
    """Entries as SageMaker takes them: at most 50, of few signs; the oldest events of an alias make room.

    >>> metadata_of({"why": "late, {odd} and 3 % over"})
    {'why': 'late odd and 3 over'}
    """
    found = {_allowed(key, _KEY): _allowed(value, _VALUE) for key, value in entries.items()}
    found = {key: value for key, value in found.items() if key and value}
    events = sorted((key for key in found if _EVENT.fullmatch(key)), key=lambda key: key.split(".", 2)[2])
    for key in events[: max(0, len(found) - _ENTRIES)]:
        del found[key]
    return found


def approval_description(text: str) -> str:
    """One line within the service's limit."""
    return _cut(" ".join(text.split()), DESCRIPTION)


def _description(candidate: Candidate) -> str:
    """What is shown in a list of versions, and what they are searched by: it cannot be changed later."""
    verdict = candidate.release.verdict
    end = f" Evidence {candidate.evidence_digest}."
    said = (
        f"{verdict.outcome} by the policy {verdict.policy}, judged on {candidate.release.judged_on}: {verdict.reason}"
    )
    return _cut(_printable(said), DESCRIPTION - len(end)) + end


def card_content(candidate: Candidate) -> str | None:
    """The card as it is stored, without line ends."""
    path = candidate.documents.get(_CARD)
    if path is None:
        return None
    return json.dumps(json.loads(path.read_text(encoding="utf-8")), ensure_ascii=True)


def _allowed(text: str, limit: int) -> str:
    kept = "".join(sign if unicodedata.category(sign)[0] in "LZN" or sign in _SIGNS else " " for sign in text)
    return " ".join(kept.split())[:limit].rstrip()


def _printable(text: str) -> str:
    # Letters, marks, separators, symbols, numbers and punctuation: no line ends.
    return " ".join("".join(sign if unicodedata.category(sign)[0] in "LMZSNP" else " " for sign in text).split())


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - len(_CUT)].rstrip() + _CUT


def _release() -> str:
    try:
        return version("clarify-ops")
    except PackageNotFoundError:
        return "not installed"

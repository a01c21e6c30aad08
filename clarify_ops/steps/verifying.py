"""Verifying a folder: every file against the statement about it, the statement against its signature and the registry.

A run has its folders side by side; a release may have been kept without them, and what a registry gives back has the
documents of all steps in one folder and the model in another.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from clarify_ops.documents import canonical, digest_bytes, digest_file, read_document
from clarify_ops.errors import BadDocument, BadInput, ClarifyOpsError, nearest
from clarify_ops.gate.evidence import Evidence
from clarify_ops.gate.model_signature import model_signature_check
from clarify_ops.gate.signing import Envelope, public_key, read_envelope
from clarify_ops.gate.statement import Statement, read_statement
from clarify_ops.gate.verify import (
    Check,
    Verification,
    evidence_check,
    outcome_of,
    parse_evidence,
    same,
    signature_check,
    statement_check,
    time_checks,
)
from clarify_ops.registry.contents import STATEMENT_TAG
from clarify_ops.registry.protocol import RegisteredVersion, Registry
from clarify_ops.steps import train
from clarify_ops.steps.folder import METRICS_FILE, STEP_FILE
from clarify_ops.steps.gate import EVIDENCE, VERDICT
from clarify_ops.steps.stating import SIGNED, STATEMENT
from clarify_ops.steps.table import BY_NAME
from clarify_ops.training.saving import model_digest

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

# Written when the statement is, or after it.
_AFTERWARDS = frozenset({STATEMENT, SIGNED, STEP_FILE, "registration.json"})
_PARTIAL = ".partial"


@dataclass(frozen=True)
class Asked:
    """What evidence is held against.

    Attributes:
        key: Public key that must have signed, or None.
        required: Whether evidence that no key vouches for is false.
        version: The version that a registry has, or None.
        on: The moment at which it must hold, with its time zone.
        model_signature: A signature of the model's files by themselves and the public key to trust, or None.
    """

    key: Ed25519PublicKey | None
    required: bool
    version: RegisteredVersion | None
    on: datetime.datetime
    model_signature: tuple[Path, Path] | None = None


@dataclass(frozen=True)
class _Place:
    """Where files of one prefix lie; `complete`: whether all of them should, and no others."""

    root: Path
    complete: bool


def verify(
    path: str | Path,
    *,
    key: str | Path | None = None,
    require_signature: bool = False,
    version: RegisteredVersion | None = None,
    on: datetime.datetime | None = None,
    model_signature: tuple[Path, Path] | None = None,
) -> Verification:
    """Verifies a run, a release, or one file of evidence by itself.

    Args:
        path: Folder of a run, of its `gate` or `release`, or of what a registry gave back; or a file `evidence.json`,
            `step.json`, `statement.json` or `statement.dsse.json`.
        key: Path of the public key that must have signed it.
        require_signature: Whether a signature that is missing, or was not checked, is false.
        version: As a registry has it: digests must be those it was registered with.
        on: The moment at which age and waivers are looked at; now where it is not given.
        model_signature: A signature of the model's files by themselves, as sigstore's `model-signing` makes them, and the
            public key that must have made it.

    Raises:
        BadInput: There is no evidence, or the file that everything hangs on is cut short; the key cannot be read.
    """
    trusted = None if key is None else public_key(key)
    asked = Asked(trusted, require_signature, version, on or datetime.datetime.now(datetime.UTC), model_signature)
    place = Path(path)
    if place.is_dir():
        return _verify_folder(place, asked)
    if not place.is_file():
        raise BadInput(f"There is nothing at {place} to verify.", "Give the folder of a run or a file of evidence.")
    if model_signature is not None:
        raise BadInput(f"{place} is a file, and the model does not lie in it.", "Give the folder of the run.")
    return _verify_file(place, asked)


def version_of(registry: Registry, model: str, number: str) -> RegisteredVersion:
    """A version as a registry has it.

    Raises:
        BadInput: The registry does not have it.
        Outside: The registry failed.
    """
    found = {one.version: one for one in registry.versions(model)}
    if number not in found:
        raise BadInput(f"The registry has no version {number} of {model!r}.", nearest(number, found))
    return found[number]


def _verify_file(file: Path, asked: Asked) -> Verification:
    content = _content(file)
    document = read_document(file, "evidence")
    kind = document if isinstance(document, dict) else {}
    name = str(file)
    if "payloadType" in kind:
        envelope = read_envelope(content, f"The envelope {file}")
        return _stated(name, [], envelope.payload, envelope, asked)
    if "_type" in kind:
        return _stated(name, [], content, None, asked)
    found = parse_evidence(content, f"The file {file}")
    evidence = Evidence(found["claims"], found["envelope"])
    words, signature = signature_check(None, content, asked.key, required=asked.required)
    checks = (evidence_check(name, content, found), signature, *_registered(evidence.digest, None, asked.version))
    return Verification(name, outcome_of(evidence), evidence.digest, None, words, checks)


def _verify_folder(folder: Path, asked: Asked) -> Verification:
    release, whole = _release_of(folder)
    content = _content(release / STATEMENT)
    statement = read_statement(content, f"The statement {release / STATEMENT}")
    signed = release / SIGNED
    envelope = read_envelope(_content(signed), f"The envelope {signed}") if signed.is_file() else None
    places = _places(folder, release, whole=whole)
    checks = [
        *_subject_checks(statement, places),
        *_last_step_checks(release, needed=whole),
        *_claim_checks(statement, release, places),
    ]
    if asked.model_signature is not None:
        model = _model_folder(places)
        if model is None:
            raise BadInput(f"There is no model in {folder} that could be signed.", "Give the folder of the run.")
        checks.append(model_signature_check(model, *asked.model_signature))
    return _stated(str(release / STATEMENT), checks, content, envelope, asked)


def _stated(name: str, checks: list[Check], content: bytes, envelope: Envelope | None, asked: Asked) -> Verification:
    """A statement by itself, after whatever was found about its subjects."""
    statement = read_statement(content, f"The statement {name}")
    words, signature = signature_check(envelope, content, asked.key, required=asked.required)
    found = digest_bytes(content)
    everything = (
        *checks,
        statement_check(name, content, statement),
        signature,
        *time_checks(statement, asked.on),
        *_registered(statement.evidence.digest, found, asked.version, signed=signature.state == "OK"),
    )
    evidence = statement.evidence
    return Verification(name, outcome_of(evidence), evidence.digest, found, words, everything)


def _release_of(folder: Path) -> tuple[Path, bool]:
    """The folder with the statement, and whether the one that was given is that of a whole run."""
    for name in ("release", "gate", "documents"):
        if (folder / name / STATEMENT).is_file():
            return folder / name, name != "documents"
    if (folder / STATEMENT).is_file():
        return folder, False
    raise BadDocument(
        f"The folder {folder} has no {STATEMENT}: nothing states what is in it.",
        "Give the folder of a run, or the output of gate or register.",
    )


def _places(folder: Path, release: Path, *, whole: bool) -> dict[str, _Place]:
    """Where the files of each step lie, by the first part of their name; "" for those of the release itself."""
    found = {"": _Place(release, complete=whole or (release / STEP_FILE).is_file())}
    # Not the parent of a folder that was named from within.
    beside = release.absolute().parent if release == folder else release.parent
    for step in BY_NAME.values():
        name = step.folder
        if whole:
            found[name] = _Place(folder / name, complete=True)
        elif (release / name).is_dir():
            found[name] = _Place(release / name, complete=False)
        elif (beside / name / STEP_FILE).is_file():
            found[name] = _Place(beside / name, complete=True)
    model = f"{BY_NAME[train.NAME].folder}/{train.MODEL}"
    if not whole and (beside / train.MODEL).is_dir():
        found[model] = _Place(beside / train.MODEL, complete=False)
    return found


def _located(name: str, places: Mapping[str, _Place]) -> tuple[_Place | None, str]:
    """The place of a subject, and its name there."""
    for prefix in sorted(places, key=len, reverse=True):
        if prefix and name.startswith(f"{prefix}/"):
            return places[prefix], name.removeprefix(f"{prefix}/")
    first = name.split("/", maxsplit=1)[0]
    return (None, name) if "/" in name and first in {step.folder for step in BY_NAME.values()} else (places[""], name)


def _subject_checks(statement: Statement, places: Mapping[str, _Place]) -> Iterator[Check]:
    """Every subject against the file that lies there, and every file that is no subject."""
    known = set()
    for name, stated in statement.subjects.items():
        place, rest = _located(name, places)
        if place is None:
            yield Check(name, "NOT CHECKED", "it is not here")
            continue
        file = place.root / rest
        known.add(file)
        # A name that leads out of its folder would have another file digested.
        if ".." in Path(rest).parts or Path(rest).is_absolute() or file.is_symlink():
            yield Check(str(file), "FALSE", "it is a link, or leads elsewhere")
        elif file.is_file():
            yield Check.of(str(file), digest_file(file) == stated, "it was changed")
        elif place.complete:
            yield Check(str(file), "FALSE", "it is gone")
        else:
            yield Check(name, "NOT CHECKED", "it is not here")
    roots = {place.root for prefix, place in places.items() if place.complete and _stated_of(prefix, statement)}
    for root in roots:
        for file in sorted(root.rglob("*")):
            inside = file.relative_to(root)
            if file in known or inside.parts[0] == _PARTIAL or (root == places[""].root and file.name in _AFTERWARDS):
                continue
            if file.is_symlink() or file.is_file():
                yield Check(str(file), "FALSE", "it was added")


def _stated_of(prefix: str, statement: Statement) -> bool:
    return not prefix or any(name.startswith(f"{prefix}/") for name in statement.subjects)


def _last_step_checks(release: Path, *, needed: bool) -> Iterator[Check]:
    """`step.json` of the step that made the statement: it is written last and lists what came after the statement."""
    file = release / STEP_FILE
    if not file.is_file():
        if needed:
            yield Check(str(file), "FALSE", "it is gone")
        return
    try:
        document = parse_evidence(_content(file), f"The file {file}")
    except BadDocument as error:
        yield Check(str(file), "FALSE", error.message)
        return
    yield evidence_check(str(file), _content(file), document)
    listed = document["envelope"].get("files")
    for name in sorted(_AFTERWARDS - {STEP_FILE}):
        stated = listed.get(name) if isinstance(listed, dict) else None
        found = digest_file(release / name) if (release / name).is_file() else None
        if stated != found:
            what = "it is gone" if found is None else "it was added" if stated is None else "it was changed"
            yield Check(str(release / name), "FALSE", what)


def _claim_checks(statement: Statement, release: Path, places: Mapping[str, _Place]) -> Iterator[Check]:
    """Whether the documents and the model are those that the claims are about: digests alone do not say that."""
    claims = statement.evidence.claims
    stated = statement.to_json()["predicate"]
    parts = {key: stated[key] for key in ("claims", "digest", "envelope")}

    def evidence() -> Check:
        document = read_document(release / EVIDENCE, "evidence")
        found = {key: document.get(key) for key in parts} if isinstance(document, dict) else None
        return same("evidence", found, parts, f"{release / EVIDENCE} is not the evidence that is stated")

    def verdict() -> Check:
        found = read_document(release / VERDICT, "verdict")
        return same("verdict", found, claims.get("verdict"), f"{release / VERDICT} is not the verdict that is claimed")

    def measures() -> Check:
        found = read_document(release / METRICS_FILE, "metrics")
        claimed = claims.get("measures")
        numbers = found.get("measures") if isinstance(found, dict) else None
        return same("numbers", numbers, claimed, f"{release / METRICS_FILE} has other numbers than are claimed")

    yield from _tried("evidence", evidence)
    yield from _tried("verdict", verdict)
    yield from _tried("numbers", measures)
    yield from _tried("model", lambda: _model_check(claims, places))
    yield from _part_checks(claims, places)


def _model_folder(places: Mapping[str, _Place]) -> Path | None:
    part = BY_NAME[train.NAME].folder
    elsewhere = places.get(f"{part}/{train.MODEL}")
    root = elsewhere.root if elsewhere else places[part].root / train.MODEL if part in places else None
    return root if root is not None and root.is_dir() else None


def _model_check(claims: Mapping[str, Any], places: Mapping[str, _Place]) -> Check:
    root = _model_folder(places)
    if root is None:
        return Check("model", "NOT CHECKED", "it is not here")
    return Check.of("model", model_digest(root) == claims.get("model"), f"{root} is not the model that is claimed")


def _part_checks(claims: Mapping[str, Any], places: Mapping[str, _Place]) -> Iterator[Check]:
    """The claims of each step before against what the evidence says of them."""
    steps = claims.get("steps")
    for name, stated in steps.items() if isinstance(steps, dict) else ():
        place = places.get(BY_NAME[name].folder) if name in BY_NAME else None
        if place is None:
            yield Check(f"step {name}", "NOT CHECKED", "it is not here")
            continue
        file = place.root / STEP_FILE

        def belongs(file: Path = file, name: str = name, stated: Any = stated) -> Check:
            found = parse_evidence(_content(file), f"The file {file}")
            return Check.of(
                f"step {name}",
                Evidence(found["claims"], {}).digest == stated,
                f"{file} has other claims than the evidence rests on",
            )

        yield from _tried(f"step {name}", belongs)


def _tried(what: str, check: Callable[[], Check]) -> Iterator[Check]:
    """A check, FALSE where what it needs cannot be read: the file has been named by its digest before."""
    try:
        yield check()
    except ClarifyOpsError as error:
        yield Check(what, "FALSE", error.message)


def _registered(
    evidence: str, statement: str | None, version: RegisteredVersion | None, *, signed: bool = False
) -> Iterator[Check]:
    """Digests against those that a version was registered with.

    The same work done again has the same evidence, is not registered twice, and is stated in other words of time and
    place: such a statement needs a signature that holds.
    """
    if version is None:
        yield Check("registry", "NOT CHECKED", "no version was named")
        return
    where = f"version {version.version} of {version.model}"
    if version.evidence is None:
        yield Check("registry", "FALSE", f"{where} has no evidence digest: nothing vouches for it")
        return
    yield Check.of(
        "registry: evidence",
        canonical(version.evidence) == canonical(evidence),
        f"{where} was registered with the evidence {version.evidence[:19]}, and this is {evidence[:19]}",
        where,
    )
    tag = version.tags.get(STATEMENT_TAG)
    if statement is None or not tag:
        yield Check("registry: statement", "NOT CHECKED", "the registry, or what was given, has no statement")
        return
    if tag != statement and signed:
        yield Check("registry: statement", "NOT CHECKED", f"{where} was registered with another one of the same work")
        return
    yield Check.of(
        "registry: statement",
        tag == statement,
        f"{where} was registered with the statement {tag[:19]}, and this is {statement[:19]}",
        where,
    )


def _content(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise BadInput(f"The file {file} cannot be read: {error.strerror}.", "Check the path.") from error

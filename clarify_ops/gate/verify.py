"""Verifying: what can be said of a statement, its signature and its evidence, fact by fact. No file is read here."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from clarify_ops.documents import canonical, digest, json_text, parse_document
from clarify_ops.errors import BadDocument
from clarify_ops.gate.evidence import Evidence, seal
from clarify_ops.gate.signing import Envelope, key_identity
from clarify_ops.gate.statement import PAYLOAD_TYPE, Statement

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

State = Literal["OK", "FALSE", "NOT CHECKED"]


@dataclass(frozen=True)
class Check:
    """One thing that was looked at.

    Attributes:
        what: A file, or a fact ("signature", "verdict").
        state: FALSE where it is not what it should be.
        note: Why, in words.
    """

    what: str
    state: State
    note: str = ""

    @classmethod
    def of(cls, what: str, holds: bool, otherwise: str, note: str = "") -> Check:  # noqa: FBT001 - the fact itself
        """OK, or FALSE with the reason."""
        return cls(what, "OK", note) if holds else cls(what, "FALSE", otherwise)


@dataclass(frozen=True)
class Verification:
    """What verifying came to.

    Attributes:
        where: What was verified.
        outcome: Verdict that the evidence claims.
        digest: Of the claims: the evidence digest.
        statement: Digest of the statement, or None where only evidence was looked at.
        signature: In words: "unsigned", "signed; the signature was not checked", "signed with the key ...".
        checks: Everything that was looked at.
    """

    where: str
    outcome: str
    digest: str
    statement: str | None
    signature: str
    checks: tuple[Check, ...]

    @property
    def false(self) -> tuple[Check, ...]:
        """What does not hold."""
        return tuple(one for one in self.checks if one.state == "FALSE")

    @property
    def exit_status(self) -> int:
        """0, or 3 where something is false."""
        return 3 if self.false else 0


def parse_evidence(content: bytes, where: str) -> dict[str, Any]:
    """The document of `evidence.json` or `step.json`.

    Raises:
        BadDocument: It is cut short, or not evidence; `where` opens the sentence.
    """
    try:
        document = parse_document(content.decode(), where, as_json=True)
    except UnicodeDecodeError as error:
        raise BadDocument(f"{where} is not UTF-8 text.") from error
    kinds = {"claims": dict, "digest": str, "envelope": dict, "seal": str}
    if not isinstance(document, dict) or not all(isinstance(document.get(key), kind) for key, kind in kinds.items()):
        raise BadDocument(f"{where} is not evidence: it lacks claims, digest, envelope or seal.")
    return document


def evidence_check(name: str, content: bytes, document: Mapping[str, Any]) -> Check:
    """Whether a file of evidence is as it was written, by its own digests: this finds accidents, not intent.

    Args:
        name: Of the file.
        content: Its bytes.
        document: What `parse_evidence` found in them.
    """
    faults = {
        "the claims do not have the digest that is written there": digest(document["claims"]) != document["digest"],
        "the claims or the envelope were changed": seal(document) != document["seal"],
        "it is not in the form in which it was written": json_text(document).encode() != content,
    }
    return _without_fault(name, faults)


def statement_check(name: str, content: bytes, statement: Statement) -> Check:
    """Whether a statement is canonical and agrees with itself."""
    around = statement.evidence.envelope
    faults = {
        "its claims do not have the digest that is written there": statement.evidence.digest
        != statement.evidence_digest,
        "its packages do not have the digest that is written there": digest(around.get("packages"))
        != around.get("environment"),
        "it is not in the canonical form": statement.content != content,
    }
    return _without_fault(name, faults)


def _without_fault(name: str, faults: Mapping[str, bool]) -> Check:
    found = next((words for words, fault in faults.items() if fault), "")
    return Check.of(name, not found, found)


def signature_check(
    envelope: Envelope | None, content: bytes, key: Ed25519PublicKey | None, *, required: bool
) -> tuple[str, Check]:
    """Whether a statement is signed by a key.

    Args:
        envelope: What lies beside the statement, or None.
        content: The statement's bytes.
        key: The key to trust, or None.
        required: Whether a signature that was not checked, or is not there, is false; with a key it is.

    Returns:
        In words how it is signed, and the check.
    """
    unless: State = "FALSE" if required or key is not None else "NOT CHECKED"
    if envelope is None:
        return "unsigned", Check("signature", unless, "unsigned")
    if envelope.payload_type != PAYLOAD_TYPE or envelope.payload != content:
        return "signed, but not this statement", Check("signature", "FALSE", "it signs another document")
    if key is None:
        words = "signed; the signature was not checked"
        return words, Check("signature", unless, "not checked: give the public key with --key")
    if not envelope.signed_by(key):
        named = next((hint for hint, _ in envelope.signatures if hint), "another key")
        note = f"not a signature of the key {key_identity(key)[:16]} over this statement (it names {named[:16]})"
        return "signed, but not with this key", Check("signature", "FALSE", note)
    words = f"signed with the key {key_identity(key)[:16]}"
    return words, Check("signature", "OK", words)


def time_checks(statement: Statement, on: datetime.datetime) -> Iterator[Check]:
    """What a moment decides: whether the policy still takes the evidence, and whether the waivers it rests on still count.

    Args:
        statement: The statement.
        on: The moment, with its time zone.
    """
    expires = statement.expires
    if expires is not None:
        note = f"until {expires:%Y-%m-%d %H:%M} UTC"
        yield Check.of("age", on <= expires, f"expired: the policy takes it {note}", note)
    for one in _judgements(statement.evidence):
        waiver = one.get("waiver")
        if one.get("waived") is True and isinstance(waiver, Mapping):
            last = str(waiver.get("expires"))
            note = f"until {last}"
            yield Check.of(f"waiver of {one.get('rule')}", f"{on:%Y-%m-%d}" <= last, f"expired on {last}", note)


def outcome_of(evidence: Evidence) -> str:
    """The verdict that evidence claims, or a dash: the evidence of a step claims none."""
    verdict = evidence.claims.get("verdict")
    return str(verdict.get("outcome")) if isinstance(verdict, Mapping) else "-"


def _judgements(evidence: Evidence) -> list[Mapping[str, Any]]:
    verdict = evidence.claims.get("verdict")
    listed = verdict.get("judgements") if isinstance(verdict, Mapping) else None
    return [one for one in listed if isinstance(one, Mapping)] if isinstance(listed, list) else []


def same(what: str, claimed: Any, found: Any, otherwise: str) -> Check:
    """Whether two documents have one canonical form."""
    return Check.of(what, canonical(claimed) == canonical(found), otherwise)

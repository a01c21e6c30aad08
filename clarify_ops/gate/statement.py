"""The statement: one canonical document that binds evidence to the files it is about, in the shape of in-toto.

Subjects are files by name and SHA-256; the predicate is the evidence. Claims cannot hold the digest of a report, which
tells the hour at which it was made: a report is a subject. So the digest of the claims is equal wherever the same work
is done, and the digest of the statement is that of one release and every file of it.

Source: in-toto Attestation Framework, Statement v1 (https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md).
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from clarify_ops.documents import canonical, digest_bytes, parse_document
from clarify_ops.errors import BadDocument
from clarify_ops.gate.evidence import Evidence

STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE = "urn:clarify-ops:evidence:v1"
PAYLOAD_TYPE = "application/vnd.in-toto+json"

_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Tolerance:
    """How far recomputed numbers may lie from those claimed.

    Attributes:
        counts: Of rows, absolute.
        measures: Of what is made of the same counts or scores, relative: the digits that the evidence digest holds.
        refitted: Of what a model says that was trained again, relative: other processors add in another order.
    """

    counts: float = 0.0
    measures: float = 1e-12
    refitted: float = 1e-6


@dataclass(frozen=True)
class Statement:
    """Evidence and what it is about.

    Attributes:
        subjects: Digests of files (`sha256:<hex>`), by name.
        evidence: Claims and envelope.
        evidence_digest: As it is written in the statement, whether it is right or not.
        tolerance: For whoever recomputes the numbers.
    """

    subjects: Mapping[str, str]
    evidence: Evidence
    evidence_digest: str
    tolerance: Tolerance = field(default_factory=Tolerance)

    @classmethod
    def about(cls, subjects: Mapping[str, str], evidence: Evidence) -> Statement:
        """States evidence about files.

        Raises:
            ValueError: There are no subjects: in-toto wants one.
        """
        if not subjects:
            raise ValueError("a statement is about at least one file")
        return cls(dict(subjects), evidence, evidence.digest)

    def to_json(self) -> dict[str, Any]:
        """The document of `statement.json`."""
        return {
            "_type": STATEMENT_TYPE,
            "subject": [
                {"name": name, "digest": {"sha256": self.subjects[name].removeprefix("sha256:")}}
                for name in sorted(self.subjects)
            ],
            "predicateType": PREDICATE_TYPE,
            "predicate": {
                "version": "1",
                "claims": dict(self.evidence.claims),
                "digest": self.evidence_digest,
                "envelope": dict(self.evidence.envelope),
                "tolerance": dict(vars(self.tolerance)),
            },
        }

    @property
    def content(self) -> bytes:
        """The one byte sequence of it: what is written, digested and signed."""
        return canonical(self.to_json())

    @property
    def digest(self) -> str:
        """`sha256:<hex>` of its bytes."""
        return digest_bytes(self.content)

    @property
    def expires(self) -> datetime.datetime | None:
        """When the policy no longer takes this evidence, in UTC; None where it sets no limit."""
        written = self.evidence.envelope.get("expires")
        if written is None:
            return None
        found = datetime.datetime.fromisoformat(written)
        return found if found.tzinfo is not None else found.replace(tzinfo=datetime.UTC)


def read_statement(content: bytes, where: str) -> Statement:
    """Parses a statement.

    Args:
        content: Its bytes.
        where: Opens the sentence of an error ("The statement run/release/statement.json").

    Raises:
        BadDocument: It is cut short, or not a statement of evidence.
    """
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        raise BadDocument(f"{where} is not UTF-8 text.") from error
    document = parse_document(text, where, as_json=True)
    if not isinstance(document, dict) or document.get("_type") != STATEMENT_TYPE:
        raise BadDocument(f"{where} is not an in-toto statement.")
    if document.get("predicateType") != PREDICATE_TYPE:
        raise BadDocument(f"{where} states {document.get('predicateType')!r}, not evidence of a gate.")
    predicate = document.get("predicate")
    kinds = {"claims": dict, "digest": str, "envelope": dict, "tolerance": dict}
    if not isinstance(predicate, dict) or not all(isinstance(predicate.get(key), kind) for key, kind in kinds.items()):
        raise BadDocument(f"{where} lacks claims, digest, envelope or tolerance.")
    limits = {name: predicate["tolerance"].get(name) for name in Tolerance.__dataclass_fields__}
    if not all(isinstance(limit, int | float) and limit >= 0 for limit in limits.values()):
        raise BadDocument(f"{where} states no tolerance for {', '.join(limits)}.")
    statement = Statement(
        _subjects(document.get("subject"), where),
        Evidence(predicate["claims"], predicate["envelope"]),
        predicate["digest"],
        Tolerance(**limits),
    )
    try:
        _ = statement.expires
    except (TypeError, ValueError) as error:
        raise BadDocument(f"{where} expires on {predicate['envelope']['expires']!r}, which is no date.") from error
    return statement


def _subjects(listed: Any, where: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for one in listed if isinstance(listed, list) else ():
        name = one.get("name") if isinstance(one, dict) else None
        digests = one.get("digest") if isinstance(one, dict) else None
        value = digests.get("sha256") if isinstance(digests, dict) else None
        if not isinstance(name, str) or not isinstance(value, str) or not _SHA256.fullmatch(value):
            raise BadDocument(f"{where} has a subject without a name or a SHA-256 digest: {one!r:.80}.")
        if name in found:
            raise BadDocument(f"{where} has the subject {name!r} twice.")
        found[name] = f"sha256:{value}"
    if not found:
        raise BadDocument(f"{where} has no subjects: it is about nothing.")
    return found

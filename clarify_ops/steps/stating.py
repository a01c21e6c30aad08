"""Stating: which file of a run is called what in its statement, and the statement written and signed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from clarify_ops.documents import digest_file, write_bytes, write_json
from clarify_ops.gate.signing import sign
from clarify_ops.gate.statement import PAYLOAD_TYPE, Statement
from clarify_ops.steps.folder import STEP_FILE, file_digests
from clarify_ops.steps.table import BY_NAME

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from clarify_ops.steps.judging import Judged

STATEMENT = "statement.json"
SIGNED = "statement.dsse.json"


def write_statement(folder: Path, judged: Judged, key: Ed25519PrivateKey | None) -> Statement:
    """Writes the statement about everything that a judgement rests on and that it left, and signs it where there is a key.

    Args:
        folder: Where the judgement's files lie; all that is there by now is a subject, by its path. The files of the
            steps before are subjects with their step's folder before the name, as the steps claim them.
        judged: The judgement.
        key: Private key, or None.
    """
    subjects = file_digests(folder)
    for name, result in judged.results.items():
        before = BY_NAME[name].folder
        subjects.update({f"{before}/{file}": value for file, value in result.files.items()})
        subjects[f"{before}/{STEP_FILE}"] = digest_file(result.folder / STEP_FILE)
    statement = Statement.about(subjects, judged.evidence)
    write_bytes(folder / STATEMENT, statement.content)
    if key is not None:
        write_json(folder / SIGNED, sign(statement.content, PAYLOAD_TYPE, key).to_json())
    return statement

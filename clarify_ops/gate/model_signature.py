"""Signatures of a model's files by themselves, as sigstore's `model-signing` makes them (OpenSSF Model Signing).

They say who published the files and nothing of how good they are; a server that takes signed models alone looks for
them. The key is one of an elliptic curve (P-256, P-384 or P-521), in a file: no service is asked.
"""

from __future__ import annotations

import importlib
import json
from pathlib import Path

from clarify_ops.errors import BadDocument, BadInput, MissingExtra
from clarify_ops.gate.verify import Check


def model_signature_check(model: Path, signature: Path, key: Path) -> Check:
    """Whether a signature is by a key and over exactly these files.

    Args:
        model: Folder of the MLflow model, as `model_signing sign key` was given it.
        signature: The bundle that it wrote (`model.sig`).
        key: Public key in PEM.

    Raises:
        BadInput: A file is missing, or is not what it should be.
        MissingExtra: `model-signing`, or pyOpenSSL which it needs and does not ask for, is not installed.
    """
    try:
        # By name: where the extra is not installed there is nothing to hold types against.
        verifying = importlib.import_module("model_signing.verifying")
    except ImportError as error:
        raise MissingExtra.of("signing", error.name or "model-signing") from error
    from cryptography.exceptions import InvalidSignature

    for file, what in ((key, "public key"), (signature, "signature of the model")):
        if not file.is_file():
            raise BadInput(f"The {what} {file} is not a file.", "Check the path.")
    try:
        verifier = verifying.Config().use_elliptic_key_verifier(public_key=key)
    except (ValueError, AttributeError) as error:
        # It asks a key of another kind for its curve.
        raise BadInput(f"The file {key} holds no public key of an elliptic curve in PEM.") from error
    try:
        json.loads(signature.read_bytes())
    except ValueError as error:
        raise BadDocument(f"The signature of the model {signature} is cut short, or is none.") from error
    what = f"signature of {model}"
    try:
        verifier.verify(model, signature)
    except InvalidSignature:
        return Check(what, "FALSE", "it is not by this key, or was edited")
    except (ValueError, KeyError, TypeError) as error:
        return Check(what, "FALSE", str(error).strip().splitlines()[0])
    return Check(what, "OK", f"{signature} is over these files")

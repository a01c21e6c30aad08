"""Signatures: DSSE envelopes with Ed25519 keys that lie in files.

What is signed is not the payload but its type and length with it, so that a signature over one kind of document never
holds for another. The identity of a key in an envelope is a hint and decides nothing.

Sources: DSSE 1.0 (https://github.com/secure-systems-lab/dsse/blob/v1.0.0/protocol.md, envelope.md); RFC 8032 (Ed25519).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from clarify_ops.documents import parse_document, write_bytes
from clarify_ops.errors import BadDocument, BadInput

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

# The path of a private key; a path, for the text of a variable is seen by every process.
KEY_VARIABLE = "CLARIFY_OPS_SIGNING_KEY"
PUBLIC_SUFFIX = ".pub"


@dataclass(frozen=True)
class Envelope:
    """A payload and its signatures.

    Attributes:
        payload: The bytes that are signed.
        payload_type: What they are.
        signatures: (identity of the key as a hint, signature) of each.
    """

    payload: bytes
    payload_type: str
    signatures: tuple[tuple[str, bytes], ...]

    def to_json(self) -> dict[str, Any]:
        """The JSON envelope of DSSE."""
        return {
            "payload": base64.b64encode(self.payload).decode(),
            "payloadType": self.payload_type,
            "signatures": [{"keyid": key, "sig": base64.b64encode(value).decode()} for key, value in self.signatures],
        }

    def signed_by(self, key: Ed25519PublicKey) -> bool:
        """Whether one of the signatures is by that key."""
        from cryptography.exceptions import InvalidSignature

        message = pae(self.payload_type, self.payload)
        for _, signature in self.signatures:
            try:
                key.verify(signature, message)
            except InvalidSignature:
                continue
            return True
        return False


def pae(payload_type: str, payload: bytes) -> bytes:
    """The pre-authentication encoding, which is what a signature is about.

    >>> pae("http://example.com/HelloWorld", b"hello world")
    b'DSSEv1 29 http://example.com/HelloWorld 11 hello world'
    """
    kind = payload_type.encode()
    return b" ".join((b"DSSEv1", str(len(kind)).encode(), kind, str(len(payload)).encode(), payload))


def sign(payload: bytes, payload_type: str, key: Ed25519PrivateKey) -> Envelope:
    """An envelope with one signature."""
    signature = key.sign(pae(payload_type, payload))
    return Envelope(payload, payload_type, ((key_identity(key.public_key()), signature),))


def read_envelope(content: bytes, where: str) -> Envelope:
    """Parses a JSON envelope of DSSE, in either alphabet of Base64; keys it does not know are passed over.

    Raises:
        BadDocument: It is cut short, or not an envelope; `where` opens the sentence.
    """
    try:
        document = parse_document(content.decode(), where, as_json=True)
    except UnicodeDecodeError as error:
        raise BadDocument(f"{where} is not UTF-8 text.") from error
    if not isinstance(document, dict) or not isinstance(document.get("payloadType"), str):
        raise BadDocument(f"{where} is not a DSSE envelope: it lacks payload, payloadType or signatures.")
    listed = document.get("signatures")
    if not isinstance(listed, list) or not listed or not all(isinstance(one, dict) for one in listed):
        raise BadDocument(f"{where} is not a DSSE envelope: it has no signatures.")
    return Envelope(
        _decoded(document.get("payload"), f"{where}, payload"),
        document["payloadType"],
        tuple((str(one.get("keyid") or ""), _decoded(one.get("sig"), f"{where}, sig")) for one in listed),
    )


def _decoded(text: Any, where: str) -> bytes:
    standard = text.replace("-", "+").replace("_", "/") if isinstance(text, str) else ""
    try:
        content = base64.b64decode(standard, validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadDocument(f"{where}: is not Base64.") from error
    # The last sign has bits that nobody reads: two texts would be one content.
    if not content or base64.b64encode(content).decode() != standard:
        raise BadDocument(f"{where}: is not Base64.")
    return content


def key_identity(key: Ed25519PublicKey) -> str:
    """SHA-256 of a public key (DER, SubjectPublicKeyInfo), as hex."""
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    return hashlib.sha256(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).hexdigest()


def signing_key(path: str | Path | None = None) -> Ed25519PrivateKey | None:
    """The private key at a path or, without one, at the path that CLARIFY_OPS_SIGNING_KEY names; None where neither is said.

    Raises:
        BadInput: There is no such file, or it holds no Ed25519 key in PEM (PKCS #8).
    """
    chosen = path or os.environ.get(KEY_VARIABLE)
    if not chosen:
        return None
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    content = _read_key(chosen, "signing key")
    try:
        key = load_pem_private_key(content, password=None)
    except TypeError as error:
        raise BadInput(
            f"The signing key {chosen} is encrypted.", "Give an unencrypted one, in a file that you alone can read."
        ) from error
    except (ValueError, UnsupportedAlgorithm) as error:
        # What the library says may quote the key.
        raise BadInput(
            f"The file {chosen} holds no private key in PEM.", "Make one: clarify-ops keygen FILE."
        ) from error
    if not isinstance(key, Ed25519PrivateKey):
        raise BadInput(f"The signing key {chosen} is not an Ed25519 key.", "Make one: clarify-ops keygen FILE.")
    return key


def public_key(path: str | Path) -> Ed25519PublicKey:
    """The public key at a path.

    Raises:
        BadInput: There is no such file, or it holds no Ed25519 public key in PEM.
    """
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    content = _read_key(path, "public key")
    if b"PRIVATE KEY" in content:
        raise BadInput(f"The file {path} holds a private key.", f"Verify with the public one: {path}{PUBLIC_SUFFIX}.")
    try:
        key = load_pem_public_key(content)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise BadInput(f"The file {path} holds no public key in PEM.") from error
    if not isinstance(key, Ed25519PublicKey):
        raise BadInput(f"The public key {path} is not an Ed25519 key.")
    return key


def make_keys(path: str | Path) -> tuple[Path, Path, str]:
    """Makes a key pair: the private key at the path, for its owner alone, and the public one beside it.

    Returns:
        Both paths, and the identity of the key.

    Raises:
        BadInput: One of the files exists, or the folder does not.
    """
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

    private, public = Path(path), Path(f"{path}{PUBLIC_SUFFIX}")
    if public.exists():
        raise BadInput(f"The file {public} exists.", "A key is never overwritten: name another file.")
    key = Ed25519PrivateKey.generate()
    try:
        # Never readable by others, not even for a moment, and never over another key.
        descriptor = os.open(private, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError as error:
        raise BadInput(f"The file {private} exists.", "A key is never overwritten: name another file.") from error
    except OSError as error:
        raise BadInput(f"The key {private} cannot be written: {error.strerror}.", "Name another file.") from error
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    write_bytes(public, key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    return private, public, key_identity(key.public_key())


def _read_key(path: str | Path, what: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise BadInput(f"The {what} {path} cannot be read: {error.strerror}.", "Check the path.") from error

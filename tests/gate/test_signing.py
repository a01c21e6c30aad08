"""Signatures by the specification of DSSE, with its own vectors, and keys that nobody reads or overwrites."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from hypothesis import given
from hypothesis import strategies as st

from clarify_ops.documents import json_text
from clarify_ops.errors import BadDocument, BadInput
from clarify_ops.gate.signing import (
    KEY_VARIABLE,
    Envelope,
    key_identity,
    make_keys,
    pae,
    public_key,
    read_envelope,
    sign,
    signing_key,
)

GOLDEN = Path(__file__).parent / "golden"
TYPE = "application/vnd.in-toto+json"
# The first test vector of RFC 8032, section 7.1.
KEY = Ed25519PrivateKey.from_private_bytes(
    bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
)
ENVELOPE = sign(b'{"a":1}', TYPE, KEY)


def test_the_vector_of_the_specification() -> None:
    """protocol.md of DSSE 1.0: its encoding, and its ECDSA signature over it."""
    message = pae("http://example.com/HelloWorld", b"hello world")
    assert message == b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    x = 46950820868899156662930047687818585632848591499744589407958293238635476079160
    y = 5640078356564379163099075877009565129882514886557779369047442380624545832820
    envelope = read_envelope(
        b'{"payload": "aGVsbG8gd29ybGQ=", "payloadType": "http://example.com/HelloWorld", "signatures": [{"sig": '
        b'"A3JqsQGtVsJ2O2xqrI5IcnXip5GToJ3F+FnZ+O88SjtR6rDAajabZKciJTfUiHqJPcIAriEGAHTVeCUjW2JIZA=="}]}',
        "It",
    )
    assert pae(envelope.payload_type, envelope.payload) == message
    ((_, raw),) = envelope.signatures
    signature = encode_dss_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))
    key = ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key()
    key.verify(signature, message, ec.ECDSA(hashes.SHA256()))


@given(st.text(), st.binary(), st.text(), st.binary())
def test_two_messages_never_have_one_encoding(kind: str, body: bytes, other: str, content: bytes) -> None:
    same = (kind, body) == (other, content)
    assert (pae(kind, body) == pae(other, content)) == same


def test_lengths_are_those_of_the_bytes() -> None:
    assert pae("ä", "ö".encode()) == b"DSSEv1 2 \xc3\xa4 2 \xc3\xb6"


def test_golden() -> None:
    """Ed25519 has no randomness: a key signs a payload in one way."""
    assert json_text(ENVELOPE.to_json()) == (GOLDEN / "envelope.json").read_text(encoding="utf-8")


@given(st.binary(max_size=200), st.text(max_size=20))
def test_what_is_signed_verifies_and_nothing_else(payload: bytes, kind: str) -> None:
    found = sign(payload, kind, KEY)
    other = Ed25519PrivateKey.from_private_bytes(bytes(32))
    assert found.signed_by(KEY.public_key())
    assert not found.signed_by(other.public_key())
    assert not Envelope(payload + b" ", kind, found.signatures).signed_by(KEY.public_key())
    assert not Envelope(payload, f"{kind} ", found.signatures).signed_by(KEY.public_key())


def test_any_of_several_signatures_is_enough_and_the_hint_decides_nothing() -> None:
    other = Ed25519PrivateKey.from_private_bytes(bytes(32))
    strange = sign(ENVELOPE.payload, TYPE, other).signatures
    both = Envelope(ENVELOPE.payload, TYPE, (*strange, ("", ENVELOPE.signatures[0][1])))
    assert both.signed_by(KEY.public_key())
    lie = Envelope(ENVELOPE.payload, TYPE, ((key_identity(KEY.public_key()), strange[0][1]),))
    assert not lie.signed_by(KEY.public_key())


def test_both_alphabets_and_unknown_fields_are_taken() -> None:
    """As the specification demands of whoever verifies."""
    payload = b"\xfb\xff\xfe" * 5
    document = {**sign(payload, TYPE, KEY).to_json(), "more": 1}
    for text in (base64.b64encode(payload), base64.urlsafe_b64encode(payload)):
        found = read_envelope(json.dumps({**document, "payload": text.decode()}).encode(), "It")
        assert found.payload == payload
        assert found.signed_by(KEY.public_key())


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"payload": "eyJhIjoxfR=="}, "payload: is not Base64"),
        ({"payload": "eyJhIjoxfQ"}, "payload: is not Base64"),
        ({"payload": "eyJh\nIjoxfQ=="}, "payload: is not Base64"),
        ({"payload": 5}, "payload: is not Base64"),
        ({"payloadType": None}, "is not a DSSE envelope"),
        ({"signatures": []}, "it has no signatures"),
        ({"signatures": [{"keyid": "a"}]}, "sig: is not Base64"),
    ],
)
def test_what_is_no_envelope(change: dict[str, object], words: str) -> None:
    with pytest.raises(BadDocument, match=words):
        read_envelope(json.dumps({**ENVELOPE.to_json(), **change}).encode(), "It")


@given(st.integers(0, len(json_text(ENVELOPE.to_json())) - 2))
def test_cut_short(length: int) -> None:
    with pytest.raises(BadDocument):
        read_envelope(json_text(ENVELOPE.to_json()).encode()[:length], "It")


def test_keys_are_made_for_their_owner_and_never_overwritten(tmp_path: Path) -> None:
    private, public, identity = make_keys(tmp_path / "key")
    assert private.stat().st_mode & 0o777 == 0o600
    assert public == tmp_path / "key.pub"
    key = signing_key(private)
    assert key is not None
    assert key_identity(key.public_key()) == key_identity(public_key(public)) == identity
    assert key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()) == private.read_bytes()
    before = private.read_bytes(), public.read_bytes()
    with pytest.raises(BadInput, match="exists"):
        make_keys(private)
    public.unlink()
    with pytest.raises(BadInput, match="exists"):
        make_keys(private)
    assert private.read_bytes() == before[0]
    assert not public.exists()
    with pytest.raises(BadInput, match="cannot be written"):
        make_keys(tmp_path / "no" / "key")


def test_the_variable_names_a_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(KEY_VARIABLE, raising=False)
    assert signing_key() is None
    private, _, identity = make_keys(tmp_path / "key")
    monkeypatch.setenv(KEY_VARIABLE, str(private))
    key = signing_key()
    assert key is not None
    assert key_identity(key.public_key()) == identity
    monkeypatch.setenv(KEY_VARIABLE, str(tmp_path / "none"))
    with pytest.raises(BadInput, match="cannot be read: No such file"):
        signing_key()


def test_keys_that_are_none_are_refused_without_a_word_of_them(tmp_path: Path) -> None:
    private, public, _ = make_keys(tmp_path / "key")
    secret = private.read_bytes().splitlines()[1].decode()
    cut = tmp_path / "cut"
    cut.write_bytes(private.read_bytes()[:70])
    locked = tmp_path / "locked"
    locked.write_bytes(KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"word")))
    curve = ec.generate_private_key(ec.SECP256R1())
    other = tmp_path / "other"
    other.write_bytes(curve.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    for file, words in (
        (cut, "holds no private key"),
        (locked, "is encrypted"),
        (other, "is not an Ed25519 key"),
        (public, "holds no private key"),
    ):
        with pytest.raises(BadInput, match=words) as raised:
            signing_key(file)
        assert secret not in str(raised.value)
    with pytest.raises(BadInput, match="holds a private key"):
        public_key(private)
    with pytest.raises(BadInput, match="holds no public key"):
        public_key(Path(__file__))
    other.write_bytes(curve.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    with pytest.raises(BadInput, match="is not an Ed25519 key"):
        public_key(other)

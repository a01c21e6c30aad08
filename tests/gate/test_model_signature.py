"""Signatures of a model by sigstore's own library, where it is installed, and a sentence where it is not."""

from __future__ import annotations

import base64
import importlib
import json
import sys
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from clarify_ops.errors import BadDocument, BadInput, MissingExtra
from clarify_ops.gate.model_signature import model_signature_check
from clarify_ops.gate.signing import make_keys
from tests.project import Project


@pytest.fixture
def signing() -> Any:
    """The library; it needs pyOpenSSL and does not ask for it."""
    pytest.importorskip("OpenSSL", reason="needs pyOpenSSL")
    pytest.importorskip("model_signing", reason="needs model-signing")
    return importlib.import_module("model_signing.signing")


def key_pair(folder: Path, name: str) -> tuple[Path, Path]:
    key = ec.generate_private_key(ec.SECP256R1())
    private, public = folder / name, folder / f"{name}.pub"
    private.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    public.write_bytes(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    return private, public


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A folder of files."""
    folder = tmp_path / "model"
    (folder / "more").mkdir(parents=True)
    for name in ("MLmodel", "model.skops", "more/data"):
        (folder / name).write_text(name, encoding="utf-8")
    return folder


def test_a_signature_holds_for_these_files_and_this_key_alone(signing: Any, model: Path, tmp_path: Path) -> None:
    private, public = key_pair(tmp_path, "key")
    signature = tmp_path / "model.sig"
    signing.Config().use_elliptic_key_signer(private_key=private).sign(model, signature)
    assert model_signature_check(model, signature, public).state == "OK"
    _, other = key_pair(tmp_path, "other")
    assert model_signature_check(model, signature, other).state == "FALSE"

    file = model / "more" / "data"
    file.write_text("other", encoding="utf-8")
    found = model_signature_check(model, signature, public)
    assert (found.state, "more/data" in found.note) == ("FALSE", True)
    file.write_text("more/data", encoding="utf-8")
    (model / "added").write_text("x", encoding="utf-8")
    assert "added" in model_signature_check(model, signature, public).note
    (model / "added").unlink()

    bundle = json.loads(signature.read_bytes())
    payload = json.loads(base64.b64decode(bundle["dsseEnvelope"]["payload"]))
    payload["predicate"]["resources"][0]["digest"] = "0" * 64
    bundle["dsseEnvelope"]["payload"] = base64.b64encode(json.dumps(payload).encode()).decode()
    edited = tmp_path / "edited.sig"
    edited.write_text(json.dumps(bundle), encoding="utf-8")
    assert model_signature_check(model, edited, public).state == "FALSE"
    edited.write_text("{}", encoding="utf-8")
    assert model_signature_check(model, edited, public).state == "FALSE"
    edited.write_bytes(signature.read_bytes()[:-50])
    with pytest.raises(BadDocument, match="is cut short"):
        model_signature_check(model, edited, public)


def test_what_is_no_key_and_no_signature(signing: Any, model: Path, tmp_path: Path) -> None:
    _, public = key_pair(tmp_path, "key")
    with pytest.raises(BadInput, match=r"signature of the model .* is not a file"):
        model_signature_check(model, tmp_path / "none", public)
    for key in (model / "MLmodel", make_keys(tmp_path / "edwards")[1]):
        with pytest.raises(BadInput, match="no public key of an elliptic curve"):
            model_signature_check(model, model / "MLmodel", key)


@pytest.mark.parametrize("absent", ["model_signing.verifying", "OpenSSL"])
def test_without_the_library(model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, absent: str) -> None:
    monkeypatch.setitem(sys.modules, absent, None)
    if absent == "OpenSSL":
        pytest.importorskip("rfc3161_client", reason="needs model-signing")
        for name in [one for one in sys.modules if one.startswith("model_signing")]:
            monkeypatch.delitem(sys.modules, name)
    with pytest.raises(MissingExtra, match="is not installed"):
        model_signature_check(model, tmp_path / "model.sig", tmp_path / "key.pub")


def test_both_options_or_none(project: Project) -> None:
    status, _, err = project.cli("verify", "run", "--model-signature", "model.sig")
    assert (status, "go together" in err) == (2, True)
    status, _, err = project.cli("verify", "data.csv", "--model-signature", "model.sig", "--model-key", "k.pub")
    assert (status, "the model does not lie in it" in err) == (2, True)

"""Signed evidence: by whom, until when, and what the registry knows of it."""

from __future__ import annotations

import base64
import datetime
import hashlib
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from clarify_ops.gate.signing import make_keys, sign, signing_key
from clarify_ops.gate.statement import PAYLOAD_TYPE
from clarify_ops.registry.opening import registry_at
from clarify_ops.steps.verifying import verify, version_of
from tests.project import Project

NAMES = ("--model", "small-model", "--version", "1")


@pytest.fixture
def ready(project: Project, finished: Path) -> Project:
    """A project whose steps have run, with a key pair in `key`."""
    project.take_over(finished)
    make_keys(project.folder / "key")
    return project


def test_a_release_is_signed_registered_and_verified(ready: Project) -> None:
    status, out, err = ready.step("register", "--signing-key", "key")
    assert status == 0, err
    assert "run/release/statement.dsse.json" in out
    secret = Path("key").read_bytes().splitlines()[1].decode()
    everything = [one.read_bytes() for one in ready.folder.rglob("*") if one.is_file() and one.name != "key"]
    assert not any(secret.encode() in content for content in everything)
    assert secret not in out + err

    uri = ("--registry-uri", "sqlite:///registry/mlflow.db")
    status, out, err = ready.cli("verify", "run", "--key", "key.pub", "--require-signature", *uri, *NAMES)
    assert status == 0, out + err
    assert "All that was checked holds." in out
    assert "NOT CHECKED" not in out
    status, out, _ = ready.cli("verify", "run")
    assert status == 0
    assert "signed; the signature was not checked" in out

    registry = registry_at("sqlite:///registry/mlflow.db")
    version = version_of(registry, "small-model", "1")
    Path("fetched").mkdir()
    registry.fetch(version, ready.folder / "fetched")
    found = verify(ready.folder / "fetched", key="key.pub", version=version)
    assert found.exit_status == 0, found.false
    assert {"model", "evidence", "verdict", "numbers", "step train", "signature"} <= {
        one.what for one in found.checks if one.state == "OK"
    }
    card = ready.folder / "fetched" / "documents" / "model_card.md"
    card.write_bytes(card.read_bytes() + b" ")
    assert [one.what for one in verify(ready.folder / "fetched", version=version).false] == [str(card)]


def test_another_key_an_edited_signature_and_none(ready: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    make_keys(ready.folder / "other")
    monkeypatch.setenv("CLARIFY_OPS_SIGNING_KEY", "key")
    assert ready.step("gate")[0] == 0
    monkeypatch.delenv("CLARIFY_OPS_SIGNING_KEY")
    assert ready.cli("verify", "run/gate", "--key", "key.pub")[0] == 0
    status, out, _ = ready.cli("verify", "run/gate", "--key", "other.pub")
    assert status == 3
    assert "not a signature of the key" in out

    # Somebody without the key changes the verdict and makes every digest fit again.
    file = Path("run/gate/statement.json")
    content = file.read_bytes().replace(b"PASS", b"FAIL")
    other = signing_key("other")
    assert other is not None
    forged = Path("forged.json")
    forged.write_text(json.dumps(sign(content, PAYLOAD_TYPE, other).to_json()), encoding="utf-8")
    assert ready.cli("verify", "forged.json", "--key", "key.pub")[0] == 3
    envelope = json.loads(Path("run/gate/statement.dsse.json").read_bytes())
    forged.write_text(json.dumps({**envelope, "payload": sign(content, PAYLOAD_TYPE, other).to_json()["payload"]}))
    assert ready.cli("verify", "forged.json", "--key", "key.pub")[0] == 3

    # Taking the signature away is found by the step's own list; from a copy of the statement alone it is "unsigned".
    Path("run/gate/statement.dsse.json").unlink()
    status, out, _ = ready.cli("verify", "run/gate")
    assert (status, "it is gone" in out) == (3, True)
    status, out, _ = ready.cli("verify", "run/gate/statement.json")
    assert (status, "unsigned" in out) == (0, True)
    assert ready.cli("verify", "run/gate/statement.json", "--require-signature")[0] == 3
    assert ready.cli("verify", "run/gate/statement.json", "--key", "key.pub")[0] == 3


def test_what_the_documentation_does_by_hand(ready: Project, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In ten years nothing but Python and the files may be left."""
    assert ready.step("gate", "--signing-key", "key")[0] == 0
    (program,) = re.findall(
        r"```python\n(.*?)```", (root / "docs" / "evidence.md").read_text(encoding="utf-8"), flags=re.DOTALL
    )
    monkeypatch.chdir("run/gate")
    shutil.copy(ready.folder / "key.pub", "release.pem.pub")
    command = [sys.executable, "-W", "ignore", "-c", program]
    assert subprocess.run(command, check=False).returncode == 0
    envelope = json.loads(Path("statement.dsse.json").read_bytes())
    payload = base64.b64decode(envelope["payload"])
    assert payload == Path("statement.json").read_bytes()
    statement = json.loads(payload)
    claims = json.dumps(
        statement["predicate"]["claims"], sort_keys=True, separators=(",", ":"), ensure_ascii=False
    ).encode()
    assert statement["predicate"]["digest"] == f"sha256:{hashlib.sha256(claims).hexdigest()}"
    for one in statement["subject"]:
        places = (Path(one["name"]), Path("..", one["name"]))
        file = next(place for place in places if place.is_file())
        assert hashlib.sha256(file.read_bytes()).hexdigest() == one["digest"]["sha256"]
    edited = base64.b64encode(payload.replace(b"PASS", b"FAIL")).decode()
    Path("statement.dsse.json").write_text(json.dumps({**envelope, "payload": edited}), encoding="utf-8")
    failed = subprocess.run(command, capture_output=True, text=True, check=False)
    assert "InvalidSignature" in failed.stderr


def test_a_key_that_is_none_stops_before_the_work(project: Project) -> None:
    status, _, err = project.run("--signing-key", "data.csv")
    assert status == 2
    assert "holds no private key" in err
    assert not Path("run").exists()


def test_keygen(project: Project) -> None:
    status, out, err = project.cli("keygen", "release.pem")
    assert status == 0, err
    assert Path("release.pem").stat().st_mode & 0o777 == 0o600
    assert "PRIVATE" not in out
    assert project.cli("keygen", "release.pem")[0] == 2


def test_evidence_expires_with_the_policy_and_its_waivers(ready: Project) -> None:
    ready.edit(lambda d: d.update(max_age_days=30), "policy.yaml")
    for name in ("pretraining-bias", "train", "posttraining-bias", "explain"):
        assert ready.step(name)[0] == 0
    assert ready.step("gate")[0] == 0
    assert verify("run/gate").exit_status == 0
    now = datetime.datetime.now(datetime.UTC)
    late = verify("run/gate", on=now + datetime.timedelta(days=31))
    assert [(one.what, one.note.split(":")[0]) for one in late.false] == [("age", "expired")]
    assert ready.cli("verify", "run/gate", "--on", "2199-01-01")[0] == 3
    assert verify("run/gate", on=now + datetime.timedelta(days=29)).exit_status == 0


def test_a_waiver_that_has_ended(ready: Project) -> None:
    waiver = {
        "rule": "ranks",
        "up_to": 0.5,
        "reason": "A challenger.",
        "author": "Ann",
        "approver": "Bo",
        "granted": "2020-01-01",
        "expires": "2099-12-31",
    }
    ready.edit(lambda d: (d["rules"][0].update(min=0.9999), d.update(waivers=[waiver])), "policy.yaml")
    assert ready.step("gate")[0] == 0
    assert verify("run/gate").exit_status == 0
    status, out, _ = ready.cli("verify", "run/gate", "--on", "2100-01-01")
    assert (status, "waiver of ranks" in out, "expired on 2099-12-31" in out) == (3, True, True)


def test_unsigned_evidence_is_held_against_the_registry(ready: Project, finished: Path) -> None:
    """Everything can be forged to fit but what the registry knows."""
    uri = f"sqlite:///{finished}/registry/mlflow.db"
    shutil.copytree(finished / "run" / "release", "run/release")
    status, out, err = ready.cli("verify", "run", "--registry-uri", uri, *NAMES)
    assert status == 0, out + err
    assert "Signature         unsigned" in out
    assert "version 1 of small-model" in out
    status, out, _ = ready.cli("verify", "run/release/evidence.json", "--registry-uri", uri, *NAMES)
    assert status == 0
    # The same work done again elsewhere has the same evidence; its reports are others, and nobody signed for them.
    assert ready.step("gate")[0] == 0
    status, out, _ = ready.cli("verify", "run/gate", "--registry-uri", uri, *NAMES)
    assert (status, "1 of" in out, "registry: statement" in out) == (3, True, True)
    assert ready.step("gate", "--signing-key", "key")[0] == 0
    assert ready.cli("verify", "run/gate", "--key", "key.pub", "--registry-uri", uri, *NAMES)[0] == 0
    # Another result, whose files all fit.
    ready.edit(lambda d: d["rules"][0].update(why="Otherwise."), "policy.yaml")
    assert ready.step("gate")[0] == 0
    assert ready.cli("verify", "run/gate")[0] == 0
    status, out, _ = ready.cli("verify", "run/gate", "--registry-uri", uri, *NAMES)
    assert (status, "registry: evidence" in out) == (3, True)


def test_registries_that_are_down_or_know_nothing(
    ready: Project, finished: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    evidence = str(finished / "run" / "release" / "evidence.json")
    status, _, err = ready.cli("verify", evidence, "--registry-uri", "http://127.0.0.1:9", *NAMES)
    assert (status, "failed" in err, "Traceback" in err) == (5, True, False)
    uri = f"sqlite:///{finished}/registry/mlflow.db"
    status, _, err = ready.cli("verify", evidence, "--registry-uri", uri, "--model", "small-model", "--version", "9")
    assert (status, "no version 9 of 'small-model'" in err) == (2, True)
    status, _, err = ready.cli("verify", evidence, "--registry-uri", uri)
    assert (status, "--model and --version" in err) == (2, True)

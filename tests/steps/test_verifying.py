"""One changed byte anywhere is found, and named."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from clarify_ops.errors import BadDocument, BadInput
from clarify_ops.gate.signing import make_keys
from clarify_ops.gate.statement import read_statement
from clarify_ops.gate.verify import Verification
from clarify_ops.steps import gate
from clarify_ops.steps.run import parts_of
from clarify_ops.steps.verifying import verify
from tests.gate.test_statement import IN_TOTO
from tests.project import Project


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A private and a public key."""
    private, public, _ = make_keys(tmp_path_factory.mktemp("keys") / "release.pem")
    return private, public


@pytest.fixture(scope="module")
def signed(finished: Path, keys: tuple[Path, Path]) -> Path:
    """The finished run, judged by the gate as well, which signed."""
    run = finished / "run"
    gate.run(finished / "pipeline.yaml", run / "gate", parts=parts_of(run), key=keys[0])
    return run


@pytest.fixture
def copy(signed: Path, tmp_path: Path) -> Path:
    """A copy to change: the registered release alone, or the signed gate in `gate`."""
    return Path(shutil.copytree(signed, tmp_path / "elsewhere" / "run"))


def named(found: Verification) -> set[str]:
    return {one.what for one in found.false}


def test_what_nobody_touched_holds_wherever_it_lies(copy: Path) -> None:
    found = verify(copy)
    assert (found.exit_status, found.outcome, found.signature) == (0, "PASS", "unsigned")
    files = {str(one) for one in copy.rglob("*") if one.is_file() and one.parent.name != "gate"}
    looked_at = {one.what for one in found.checks if one.state == "OK"}
    later = {str(copy / "release" / "registration.json")}
    assert files - looked_at == later
    assert {one.what for one in found.checks if one.state == "NOT CHECKED"} == {"signature", "registry"}


def test_every_file_is_stated(copy: Path) -> None:
    """Of the release and of the steps before it, but for those that come after the statement."""
    content = (copy / "release" / "statement.json").read_bytes()
    Draft202012Validator(IN_TOTO).validate(json.loads(content))
    statement = read_statement(content, "It")
    assert statement.content == content
    files = {one.relative_to(copy).as_posix() for one in copy.rglob("*") if one.is_file() and one.parent.name != "gate"}
    later = {"statement.json", "step.json", "registration.json"}
    assert set(statement.subjects) == {one.removeprefix("release/") for one in files} - later


def test_folders_and_files_by_themselves(copy: Path, keys: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    evidence = json.loads((copy / "release" / "evidence.json").read_text(encoding="utf-8"))["digest"]
    for place in ("release", "gate", "release/statement.json", "release/evidence.json", "gate/statement.dsse.json"):
        found = verify(copy / place)
        assert found.exit_status == 0, (place, found.false)
        assert found.digest == evidence
    assert verify(copy / "training" / "step.json").outcome == "-"
    assert verify(copy / "gate" / "statement.dsse.json", key=keys[1], require_signature=True).exit_status == 0
    monkeypatch.chdir(copy / "release")
    assert verify(".").exit_status == 0
    # Kept by itself, a release is checked by itself, and says what is not there.
    alone = shutil.copytree(copy / "release", copy.parent / "archive" / "release")
    found = verify(alone)
    assert found.exit_status == 0
    absent = {one.what for one in found.checks if one.state == "NOT CHECKED"}
    assert {"model", "step train", "training/model/model.skops"} <= absent


def files_of(run: Path) -> list[Path]:
    return sorted(one for one in run.rglob("*") if one.is_file())


def found_after(run: Path, place: str, file: Path, content: bytes) -> str:
    """What verifying says of a file with other content, which is put back."""
    before = file.read_bytes()
    file.write_bytes(content)
    try:
        found = verify(run / place)
    except BadDocument as error:
        return error.message
    finally:
        file.write_bytes(before)
    assert found.exit_status == (3 if found.false else 0)
    return " ".join(f"{one.what}: {one.note}" for one in found.false)


def seen_from(run: Path, file: Path) -> Iterator[str]:
    """The folders to verify for which a file counts."""
    part = file.relative_to(run).parts[0]
    if part == "gate":
        yield "gate"
    else:
        yield ""
        if part != "release":
            yield "gate"


def test_a_byte_of_every_file(signed: Path) -> None:
    """The first and the last byte of every file: of steps, release, statement, signature and receipt."""
    for file in files_of(signed):
        content = file.read_bytes()
        for position in {0, len(content) - 1}:
            changed = bytearray(content)
            changed[position] ^= 1
            for place in seen_from(signed, file):
                assert str(file) in found_after(signed, place, file, bytes(changed)), (file, position, place)


@given(st.data())
@settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
def test_any_byte_of_any_file(signed: Path, data: st.DataObject) -> None:
    file = data.draw(st.sampled_from(files_of(signed)), "file")
    content = file.read_bytes()
    position = data.draw(st.integers(0, len(content) - 1), "position")
    changed = bytearray(content)
    changed[position] ^= data.draw(st.integers(1, 255), "flip")
    place = data.draw(st.sampled_from(list(seen_from(signed, file))), "place")
    assert str(file) in found_after(signed, place, file, bytes(changed))


@given(st.data())
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
def test_any_file_cut_short_or_gone_on_with(signed: Path, data: st.DataObject) -> None:
    file = data.draw(st.sampled_from(files_of(signed)), "file")
    content = file.read_bytes()
    length = data.draw(st.integers(0, len(content) - 1), "length")
    place = next(seen_from(signed, file))
    assert str(file) in found_after(signed, place, file, content[:length])
    assert str(file) in found_after(signed, place, file, content + b"\n")


def test_files_that_are_gone_added_or_links(copy: Path) -> None:
    for name in ("release/report.html", "training/model/model.skops", "release/step.json", "release/registration.json"):
        file = copy / name
        content = file.read_bytes()
        file.unlink()
        assert str(file) in named(verify(copy))
        file.write_bytes(content)
    for name in (
        "release/note.txt",
        "training/model/code.py",
        "explanations/more/rows.csv",
        "release/statement.dsse.json",
    ):
        file = copy / name
        file.parent.mkdir(exist_ok=True)
        file.write_bytes((copy / "gate" / "statement.dsse.json").read_bytes() if "dsse" in name else b"x")
        assert str(file) in named(verify(copy))
        file.unlink()
    plot = next((copy / "release" / "plots").iterdir())
    plot.rename(copy.parent / "plot.png")
    plot.symlink_to(copy.parent / "plot.png")
    assert named(verify(copy)) == {str(plot)}
    shutil.rmtree(copy / "training")
    assert str(copy / "training" / "predictions.parquet") in named(verify(copy))


def test_a_subject_that_leads_out_of_the_folder(copy: Path) -> None:
    """A forged statement may name any file of the machine; none but those of the run is looked at."""
    file = copy / "release" / "statement.json"
    outside = copy.parent / "outside"
    outside.write_bytes(b"x")
    document = json.loads(file.read_bytes())
    document["subject"].append({"name": "plots/../../../outside", "digest": {"sha256": "0" * 64}})
    file.write_text(json.dumps(document), encoding="utf-8")
    notes = {one.what: one.note for one in verify(copy).false}
    assert notes[str(copy / "release" / "plots/../../../outside")] == "it is a link, or leads elsewhere"


def test_a_release_of_another_run(copy: Path, project: Project) -> None:
    """Everything is whole, but the model beside the release is another one."""
    project.edit(lambda d: d["train"]["parameters"].update(C=0.001))
    assert project.cli("train", "--pipeline", "pipeline.yaml", "--output", "other")[0] == 0
    shutil.rmtree(copy / "training")
    shutil.copytree(project.folder / "other", copy / "training")
    false = named(verify(copy))
    assert {"model", "step train", str(copy / "training" / "model" / "model.skops")} <= false


def test_what_is_no_evidence(copy: Path, project: Project) -> None:
    for path, status, words in (
        (copy / "nothing", 2, "There is nothing at"),
        (copy / "training", 2, "has no statement.json"),
        (copy / "training" / "metrics.json", 2, "is not evidence"),
        (copy / "training" / "model" / "model.skops", 2, "is not UTF-8 text"),
    ):
        found, _, err = project.cli("verify", str(path))
        assert (found, words in err, "Traceback" in err) == (status, True, False), err
    file = copy / "release" / "evidence.json"
    file.write_bytes(file.read_bytes()[:-100])
    assert project.cli("verify", str(file))[0] == 2
    found, out, _ = project.cli("verify", str(copy))
    assert found == 3
    assert "evidence.json" in out


def test_keys_that_are_none(copy: Path) -> None:
    with pytest.raises(BadInput, match="cannot be read"):
        verify(copy, key=copy / "none")

"""Replay: every number comes out again, or is named."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from clarify_ops.errors import BadDocument, Refused
from clarify_ops.gate.evidence import Evidence, read_evidence
from clarify_ops.gate.statement import Tolerance
from clarify_ops.registry.opening import registry_at
from clarify_ops.steps.replay import Source, compared, replay, replay_version
from clarify_ops.steps.run import run
from clarify_ops.steps.verifying import version_of
from tests.project import Project, write_documents


@pytest.fixture
def copy(finished: Path, tmp_path: Path) -> Path:
    """A copy of the finished run to change."""
    return Path(shutil.copytree(finished / "run", tmp_path / "copy"))


def forge(release: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """Changes claims as somebody who knows the format would: with fitting digests."""
    file = release / "evidence.json"
    document = json.loads(file.read_text(encoding="utf-8"))
    change(document["claims"])
    file.write_text(json.dumps(Evidence(document["claims"], document["envelope"]).to_json()), encoding="utf-8")


def measure(claims: dict[str, Any], metric: str, facet: str | None) -> dict[str, Any]:
    found: dict[str, Any] = next(one for one in claims["measures"] if (one["metric"], one["facet"]) == (metric, facet))
    return found


def test_a_run_is_trained_again_with_equal_numbers(finished: Path) -> None:
    before = {one: one.stat().st_mtime_ns for one in finished.rglob("*")}
    found = replay(finished / "run")
    assert found.differences == ()
    assert found.compared > 300
    assert found.notes == ("The model was trained again and has the same files.",)
    assert {one: one.stat().st_mtime_ns for one in finished.rglob("*")} == before


def test_a_registered_version_is_replayed(project: Project, finished: Path) -> None:
    """From what the registry holds alone; the data are where the pipeline says."""
    uri = f"sqlite:///{finished}/registry/mlflow.db"
    registry = registry_at(uri)
    found = replay_version(registry, version_of(registry, "small-model", "1"))
    assert (found.exit_status, found.compared > 300) == (0, True)
    for arguments in ((), ("run", "--model", "m"), ("--model", "m", "--version", "1", "--keep-model")):
        status, _, err = project.cli("replay", *arguments)
        assert (status, "hint:" in err, "Traceback" in err) == (2, True, False)


def test_changed_numbers_are_found_and_named(copy: Path, project: Project) -> None:
    """Whoever changes numbers can make all digests fit, but not the data."""

    def change(claims: dict[str, Any]) -> None:
        measure(claims, "DPPL", "g")["value"] += 1e-9
        measure(claims, "DPL", "g")["groups"]["d"] += 1
        measure(claims, "auc", None)["interval"]["low"] = 0.99
        measure(claims, "AD", "g").update(value=None, reason="nobody knows")
        del claims["measures"][0]
        claims["verdict"]["judgements"][0]["outcome"] = "FAIL"

    forge(copy / "release", change)
    status, out, err = project.cli("replay", str(copy), "--keep-model")
    assert status == 3, err
    named = (
        "post_training DPPL for g = 1: value",
        "pre_training DPL for g = 1: rows of d",
        "quality auc for all rows: interval low",
        "post_training AD for g = 1: value",
        "post_training AD for g = 1: reason",
        "data rows for all rows: value",
        "verdict: rule ranks, auc for all rows",
    )
    for words in named:
        assert words in out
    assert "numbers came out otherwise" in out


def test_numbers_within_the_stated_tolerance_are_equal(copy: Path) -> None:
    """Twelve digits are what the evidence digest holds."""

    def change(claims: dict[str, Any]) -> None:
        measure(claims, "DPPL", "g")["value"] *= 1 + 1e-13

    forge(copy / "release", change)
    assert replay(copy, keep_model=True).differences == ()


def test_a_model_that_was_trained_otherwise_may_move_its_own_numbers_alone(copy: Path) -> None:
    """Other predictions loosen what is said of the model, and nothing else."""
    original = read_evidence(copy / "release" / "evidence.json")

    def change(claims: dict[str, Any]) -> None:
        claims["predictions"] = f"sha256:{'0' * 64}"
        for metric in ("DPPL", "DPL"):
            measure(claims, metric, "g")["value"] *= 1 + 1e-8

    forge(copy / "release", change)
    forged = read_evidence(copy / "release" / "evidence.json")
    assert Tolerance().measures < 1e-8 < Tolerance().refitted
    dpl, dppl = "pre_training DPL for g = 1: value", "post_training DPPL for g = 1: value"
    found_when: dict[Source, set[str]] = {"fitted": {dpl}, "asked": {dpl, dppl}, "kept": {dpl, dppl}}
    for how, names in found_when.items():
        found = compared(forged, original, Tolerance(), how)
        assert {one.what for one in found.differences} == names


def test_other_data_are_refused(copy: Path, project: Project) -> None:
    project.edit_data(lambda d: d.assign(income=d["income"] + 1))
    status, _, err = project.cli("replay", str(copy), "--data", "data.csv")
    assert status == 3
    assert "another version of the dataset" in err


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda d: d["train"]["parameters"].update(C=0.1), "another version of the configuration"),
        (lambda d: d["policy"]["rules"][0].update(min=0.1), "another version of the policy"),
    ],
)
def test_another_pipeline_is_refused(copy: Path, change: Callable[[dict[str, Any]], object], words: str) -> None:
    file = copy / "release" / "pipeline.json"
    document = json.loads(file.read_text(encoding="utf-8"))
    change(document)
    file.write_text(json.dumps(document), encoding="utf-8")
    with pytest.raises(Refused, match=words):
        replay(copy)


def test_what_cannot_be_replayed(copy: Path) -> None:
    for folder, words in ((copy / "training", r"has no pipeline\.json"), (copy / "none", r"has no pipeline\.json")):
        with pytest.raises(BadDocument, match=words):
            replay(folder)
    alone = shutil.copytree(copy / "release", copy.parent / "archive" / "release")
    with pytest.raises(BadDocument, match="no output of the train step to keep"):
        replay(alone, keep_model=True)
    for content, words in (
        ('{"claims": {}}', "claims no measures"),
        ("[]", "lacks claims"),
        ('{"claims": {"measures": []', "is not valid JSON"),
        ('{"claims": {"measures": []}, "envelope": {}}', "another version of the dataset"),
    ):
        (copy / "release" / "evidence.json").write_text(content, encoding="utf-8")
        with pytest.raises((BadDocument, Refused), match=words):
            replay(copy)


@pytest.fixture
def elsewhere(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Another time zone and another user."""
    monkeypatch.setenv("TZ", "Pacific/Kiritimati")
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.setenv(name, "somebody-else")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("elsewhere")
def test_the_same_work_has_the_same_evidence_elsewhere(finished: Path, tmp_path: Path) -> None:
    """Another time zone, user and folder: equal claims, and all that differs lies around them."""
    write_documents(tmp_path)
    run(tmp_path / "pipeline.yaml", tmp_path / "other" / "place", registry_uri=f"sqlite:///{tmp_path}/other.db")
    first, second = (
        json.loads((folder / "release" / "evidence.json").read_text(encoding="utf-8"))
        for folder in (finished / "run", tmp_path / "other" / "place")
    )
    assert first["claims"] == second["claims"]
    assert first["digest"] == second["digest"]
    assert second["envelope"]["user"] == "somebody-else" != first["envelope"]["user"]
    assert first["envelope"]["places"] != second["envelope"]["places"]
    assert first["envelope"]["environment"] == second["envelope"]["environment"]

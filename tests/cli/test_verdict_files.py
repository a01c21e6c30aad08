"""Every verb that has a verdict writes it in every form, whatever the verdict is, and refuses early what it could not write."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from clarify_ops.cli.app import INTERRUPTED
from tests.project import Project

FORMS = ("--junit", "ci/junit.xml", "--markdown", "ci/verdict.md", "--sarif", "ci/verdict.sarif", "--annotations")


@pytest.fixture
def ran(project: Project, finished: Path) -> Project:
    project.take_over(finished)
    return project


def refuse_everything(project: Project) -> None:
    project.edit(lambda policy: policy["rules"][0].update(min=0.9999), "policy.yaml")


@pytest.mark.parametrize("verb", ["gate", "register"])
def test_a_refused_model_is_told_in_every_form(ran: Project, verb: str) -> None:
    refuse_everything(ran)
    status, out, err = ran.step(verb, *FORMS)
    assert status == 3, err
    root = ElementTree.parse(ran.folder / "ci/junit.xml").getroot()  # noqa: S314 - our own
    assert root.attrib["failures"] == "1"
    assert "## Gate: FAIL" in (ran.folder / "ci/verdict.md").read_text(encoding="utf-8")
    result = json.loads((ran.folder / "ci/verdict.sarif").read_text(encoding="utf-8"))["runs"][0]["results"][0]
    place = result["locations"][0]["physicalLocation"]
    line = (ran.folder / "policy.yaml").read_text(encoding="utf-8").splitlines()[place["region"]["startLine"] - 1]
    assert line.startswith("- ")
    assert place["artifactLocation"]["uri"] == "policy.yaml"
    assert f"::error file=policy.yaml,line={place['region']['startLine']},title=FAIL ranks%3A auc of all rows::" in out


def test_without_a_verdict_every_form_says_why(ran: Project) -> None:
    ran.edit_data(lambda data: data.iloc[1:])
    status, out, err = ran.step("gate", *FORMS)
    assert status == 3
    reason = err.split("error: ")[1].split("\n")[0]
    root = ElementTree.parse(ran.folder / "ci/junit.xml").getroot()  # noqa: S314 - our own
    error = root.find(".//error")
    assert error is not None
    assert error.attrib["message"].startswith(reason)
    assert root.attrib["errors"] == "1"
    assert "## Gate: no verdict" in (ran.folder / "ci/verdict.md").read_text(encoding="utf-8")
    run = json.loads((ran.folder / "ci/verdict.sarif").read_text(encoding="utf-8"))["runs"][0]
    assert run["invocations"][0]["toolExecutionNotifications"][0]["message"]["text"].startswith(reason)
    assert out.startswith("::error title=Gate%3A no verdict::")


def test_wrong_input_leaves_no_form(ran: Project) -> None:
    ran.edit(lambda policy: policy.update(names="x"), "policy.yaml")
    assert ran.step("gate", *FORMS)[0] == 2
    assert not list((ran.folder / "ci").iterdir())


def test_what_cannot_be_decided_is_told_with_its_status(ran: Project) -> None:
    ran.edit(lambda policy: policy["rules"][1].update(min=-0.05, max=0.05), "policy.yaml")
    status, out, _ = ran.step("gate", "--explain", "--markdown", "verdict.md")
    assert status == 4
    assert "INCONCLUSIVE  recall: RD of g = 1" in out
    assert "Asked: RD (Recall Difference) of g = 1, measured on the predictions, after training" in out
    assert "Exit status 4" in out
    assert "## Gate: INCONCLUSIVE" in (ran.folder / "verdict.md").read_text(encoding="utf-8")


def test_the_policy_within_the_pipeline_is_pointed_at(ran: Project) -> None:
    refuse_everything(ran)
    ran.edit(lambda one: one.update(policy=json.loads(json.dumps(_policy(ran)))))
    status, out, _ = ran.step("gate", "--annotations")
    assert status == 3
    line = int(out.split("::error file=pipeline.yaml,line=")[1].split(",")[0])
    text = (ran.folder / "pipeline.yaml").read_text(encoding="utf-8").splitlines()
    assert text[line - 1].strip().startswith("- ")
    assert any("id: ranks" in one for one in text[line - 1 : line + 2])


def _policy(project: Project) -> object:
    import yaml

    return yaml.safe_load((project.folder / "policy.yaml").read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--junit", "data.csv/x.xml"), "cannot be written"),
        (("--markdown", "run"), "is a folder"),
        (("--sarif", "run/gate/verdict.sarif"), "lies within the output folder"),
        (("--junit", "a.xml", "--markdown", "./a.xml"), "Two forms"),
    ],
)
def test_a_file_that_cannot_be_written_is_refused_before_anything_is_judged(
    ran: Project, options: tuple[str, ...], words: str
) -> None:
    status, out, err = ran.step("gate", *options)
    assert (status, out) == (2, "")
    assert words in err
    assert not (ran.folder / "run/gate").exists()


def test_a_verdict_is_shown_again_with_its_words_and_forms(ran: Project) -> None:
    assert ran.step("gate")[0] == 0
    status, out, _ = ran.cli("show", "run", "--explain")
    assert status == 0
    assert "PASS  ranks: auc of all rows" in out
    assert "Exit status 0: the model may be released." in out
    status, out, _ = ran.cli("show", "run/gate/verdict.json", "--markdown", "again.md")
    assert status == 0
    assert "Verdict: PASS" in out
    assert "| PASS | ranks |" in (ran.folder / "again.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("nowhere",), "is not a file"),
        (("policy.yaml",), "is not a verdict of the gate"),
        (("run/gate", "--annotations"), "Name it with --policy."),
    ],
)
def test_what_cannot_be_shown_is_refused(ran: Project, arguments: tuple[str, ...], words: str) -> None:
    assert ran.step("gate")[0] == 0
    status, _, err = ran.cli("show", *arguments)
    assert status == 2
    assert words in err


@pytest.mark.parametrize("columns", [60, 100, 160])
def test_a_terminal_of_any_width_shows_every_number(
    ran: Project, columns: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    from clarify_ops.cli import show_verdict as module
    from clarify_ops.gate.reading import read_verdict

    assert ran.step("gate")[0] == 0
    verdict = read_verdict(ran.folder / "run/gate/verdict.json")
    from rich.console import Console

    monkeypatch.setattr(module, "standard_output", lambda: Console(width=columns, highlight=False))
    ran.capsys.readouterr()
    module.show_verdict(verdict)
    out = ran.capsys.readouterr().out
    assert "ranks" in out
    for one in verdict.judgements:
        assert one.value is not None
        assert f"{one.value:.4g}" in out
    rows = [line for line in out.splitlines() if not line.startswith(("Verdict", "INCONCLUSIVE", "FAIL"))]
    assert max(len(line.rstrip()) for line in rows) <= columns


def test_ctrl_c_is_said_and_leaves_nothing(project: Project) -> None:
    started = subprocess.Popen(
        [sys.executable, "-m", "clarify_ops", "run", "pipeline.yaml", "--output", "run"],
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
        env=os.environ,
    )
    assert started.stderr is not None
    first = started.stderr.readline()
    assert "pretraining-bias" in first
    started.send_signal(signal.SIGINT)
    said = first + started.stderr.read()
    started.wait()
    started.stderr.close()
    assert started.returncode == INTERRUPTED, said
    assert "interrupted; nothing half-written was left" in said
    assert "Traceback" not in said

"""Options for an orchestrator that knows no file name before the run, and whose parameters may be empty, not absent."""

from __future__ import annotations

from pathlib import Path

import pytest
import typer.main

from clarify_ops.cli import given
from clarify_ops.cli.app import app
from clarify_ops.errors import BadInput
from clarify_ops.steps.table import BY_NAME
from tests.project import Project


def test_the_one_document_of_a_folder_is_meant(tmp_path: Path) -> None:
    (tmp_path / "whatever.yaml").write_text("a: 1")
    (tmp_path / ".listing").write_text("hidden files are somebody's notes")
    assert given.document(tmp_path) == tmp_path / "whatever.yaml"
    assert given.dataset(str(tmp_path)) == str(tmp_path / "whatever.yaml")


def test_what_is_no_folder_is_passed_on(tmp_path: Path) -> None:
    assert given.document(tmp_path / "p.yaml") == tmp_path / "p.yaml"
    assert given.dataset("s3://bucket/loans.csv") == "s3://bucket/loans.csv"
    assert given.document(None) is None


def test_an_empty_text_was_not_given() -> None:
    assert given.text("") is None
    assert given.dataset("") is None
    assert given.text("x") == "x"


@pytest.mark.parametrize(
    ("names", "words"),
    [
        ((), "is empty, where a document was expected"),
        (("a.yaml", "b.yaml"), "holds more than a document: a.yaml, b.yaml"),
        (("folder/",), "holds more than a document: folder"),
    ],
)
def test_a_folder_that_does_not_say_which(names: tuple[str, ...], words: str, tmp_path: Path) -> None:
    for name in names:
        (tmp_path / name).mkdir() if name.endswith("/") else (tmp_path / name).write_text("x")
    with pytest.raises(BadInput, match=words):
        given.document(tmp_path)


def test_a_step_whose_files_come_as_folders(project: Project) -> None:
    for name in ("pipeline.yaml", "policy.yaml", "data.csv"):
        folder = project.folder / "input" / name.split(".")[0]
        folder.mkdir(parents=True)
        (folder / name).write_bytes((project.folder / name).read_bytes())
    project.edit(lambda document: document.update(policy="../policy/policy.yaml"), "input/pipeline/pipeline.yaml")
    status, _, error = project.cli(
        "pretraining-bias", "--pipeline", "input/pipeline", "--data", "input/data", "--policy", "input/policy",
        "--output", "out",
    )  # fmt: skip
    assert status == 0, error
    assert (project.folder / "out" / "metrics.json").is_file()


def test_a_folder_of_two_documents_is_one_sentence(project: Project) -> None:
    status, _, error = project.cli("train", "--pipeline", ".", "--output", "out")
    assert status == 2
    assert "error: The folder . holds more than a document: data.csv, pipeline.yaml, policy.yaml." in error


def test_every_switch_can_be_a_variable() -> None:
    commands = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    for step in BY_NAME.values():
        for port in step.parameters:
            if port.kind == "flag":
                (option,) = (one for one in commands[step.name].params if one.name == port.name)
                assert option.envvar == f"CLARIFY_OPS_{port.name.upper()}"


def test_a_switch_given_by_its_variable(project: Project, finished: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project.take_over(finished)
    project.edit(lambda policy: policy["rules"][0].update(min=0.999), "policy.yaml")
    found = {}
    for value in ("true", "True", "false", ""):
        monkeypatch.setenv("CLARIFY_OPS_NO_FAIL", value)
        found[value], _, _ = project.step("gate", "--output", f"judged-{value}")
    assert found == {"true": 0, "True": 0, "false": 3, "": 3}

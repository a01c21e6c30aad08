"""promote, rollback and audit as people call them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.project import Project

from .candidates import make_candidate
from .mlflow_place import MlflowPlace


@pytest.fixture
def model(on_sqlite: MlflowPlace, tmp_path: Path) -> str:
    """A model with two versions."""
    # As a pipeline may name it.
    name = on_sqlite.name().replace(" ", "-")
    for seed in (1, 2):
        on_sqlite.registry.register(make_candidate(tmp_path, seed), name, "challenger")
    return name


@pytest.fixture
def there(on_sqlite: MlflowPlace, model: str) -> tuple[str, ...]:
    return ("--registry-uri", on_sqlite.registry.uri, "--model", model)


def test_a_champion_comes_and_goes(
    project: Project, on_sqlite: MlflowPlace, model: str, there: tuple[str, ...]
) -> None:
    before = on_sqlite.registry.versions(model)
    status, _, err = project.cli("promote", "1", "--reason", "First.", "--alias", "the best", *there)
    assert (status, err.splitlines()[0]) == (2, "error: MLflow does not allow the alias 'the best'.")
    assert on_sqlite.registry.versions(model) == before
    assert project.cli("promote", "1", "--reason", "First.", *there) == (0, f"{model} 1 is champion\n", "")
    assert project.cli("promote", "challenger", "--reason", "Better.", "--by", "Ada", *there)[0] == 0
    status, out, _ = project.cli("rollback", "--reason", "Complaints.", "--by", "Ada", *there)
    assert (status, out) == (0, f"{model} 1 is champion\n")
    words = {
        words
        for version in on_sqlite.registry.versions(model)
        for key, words in version.tags.items()
        if key.startswith("clarify_ops.champion.")
    }
    assert {
        "promoted by Ada: Better. (before: version 1)",
        "rolled back by Ada: Complaints. (before: version 2)",
    } <= words
    status, _, err = project.cli("rollback", "--reason", "Again.", *there)
    assert status == 3
    assert err.startswith("error: There is no version of")


def test_an_audit_tells_demotes_and_exits(
    project: Project, on_sqlite: MlflowPlace, model: str, there: tuple[str, ...]
) -> None:
    status, out, _ = project.cli("audit", *there)
    assert status == 0
    assert out.startswith("0 of 2 versions in sqlite:///")
    on_sqlite.rewrite(on_sqlite.registry.versions(model)[1], "report.html", b"<h1>All is well</h1>")
    status, out, _ = project.cli("audit", "--json", *there)
    assert status == 3
    (found,) = json.loads(out)["findings"]
    assert found["problems"] == ["the document report.html was changed"]
    status, out, _ = project.cli("audit", "--demote", "--output", "audited", *there)
    assert status == 3
    assert f"{model} 2 (challenger): the document report.html was changed.\n  taken from it: challenger\n" in out
    written = json.loads((project.folder / "audited" / "audit.json").read_text(encoding="utf-8"))
    assert [one["demoted"] for one in written["findings"]] == [["challenger"]]
    assert (project.folder / "audited" / "step.json").is_file()
    status, _, err = project.cli("promote", "2", "--reason", "It looks well.", *there)
    assert status == 3
    assert "does not become champion: the document report.html was changed." in err


def test_a_pipeline_says_which_registry_and_model(project: Project, on_sqlite: MlflowPlace, model: str) -> None:
    project.edit(lambda document: document["registry"].update(uri=on_sqlite.registry.uri, model=model))
    status, out, _ = project.cli("promote", "1", "--reason", "First.", "--pipeline", "pipeline.yaml")
    assert (status, out) == (0, f"{model} 1 is champion\n")
    assert project.cli("audit", "--pipeline", "pipeline.yaml", "--model", model)[0] == 0


def test_what_a_run_registers_is_found_whole(project: Project, finished: Path) -> None:
    there = ("--registry-uri", f"sqlite:///{finished}/registry/mlflow.db")
    assert project.cli("audit", *there)[:2] == (
        0,
        f"0 of 1 versions in sqlite:///{finished}/registry/mlflow.db without valid evidence (models: 1).\n",
    )
    assert project.cli("promote", "challenger", "--reason", "r", "--model", "small-model", *there)[0] == 0


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (("audit", "--registry-uri", "sqlite:///none.db"), 2, "There is no registry sqlite:///none.db."),
        (("audit", "--registry-uri", "http://127.0.0.1:9"), 5, "The MLflow registry http://127.0.0.1:9 failed"),
        (("rollback", "--reason", "r", "--registry-uri", "http://127.0.0.1:9"), 2, "not said which model is meant"),
    ],
)
def test_what_cannot_be_looked_at(
    project: Project, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], status: int, words: str
) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    found, out, err = project.cli(*arguments)
    assert (found, out) == (status, "")
    assert words in err
    assert "Traceback" not in err


def test_a_model_that_nobody_knows(project: Project, on_sqlite: MlflowPlace, model: str) -> None:
    where = ("--registry-uri", on_sqlite.registry.uri, "--model", f"{model}x")
    for verb in (("audit",), ("promote", "1", "--reason", "r"), ("rollback", "--reason", "r")):
        status, _, err = project.cli(*verb, *where)
        assert status == 2
        assert f'Did you mean "{model}' in err

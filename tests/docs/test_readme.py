"""The README is true: its tables are those of the code, its commands exist and work, its links lead somewhere."""

from __future__ import annotations

import importlib.util
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest
import typer.main
import yaml

from clarify_ops.cli.app import app
from clarify_ops.config.pipeline import Pipeline
from tests.project import POLICY, untraced_environment

# What a test does not start: these install, run this very suite, or serve until somebody stops them.
NOT_HERE = ("make ", ".venv/bin/mlflow ui")


@pytest.fixture(scope="module")
def readme(root: Path) -> str:
    return (root / "README.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def generator(root: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate", root / "docs" / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


def test_the_tables_are_current(readme: str, generator: ModuleType) -> None:
    assert generator.rendered(readme) == readme, "run make docs"
    for document, parts in generator.DOCUMENTS.items():
        text = document.read_text(encoding="utf-8")
        assert generator.rendered(text, parts) == text, f"{document.name}: run make docs"


def test_every_verb_is_in_the_readme(readme: str) -> None:
    for verb in typer.main.get_command(app).commands:  # type: ignore[attr-defined]
        assert re.search(rf"clarify-ops {verb}\b|`{verb}`", readme), verb


def test_every_command_has_the_options_that_it_is_shown_with(readme: str) -> None:
    commands = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    lines = "\n".join(blocks(readme, "bash")).replace("\\\n", " ").splitlines()
    shown = [line[line.index("clarify-ops ") :] for line in lines if "clarify-ops " in line]
    assert len(shown) >= 7
    for line in shown:
        _, verb, *words = shlex.split(line.split("||")[0].split(">")[0])
        command = commands[verb]
        if verb == "policy":
            command = command.commands[words.pop(0)]
        options = {name for option in command.params for name in option.opts}
        for word in words:
            assert not word.startswith("--") or word in options, line


def test_links_lead_somewhere(root: Path) -> None:
    for document in (
        *root.glob("*.md"),
        *root.glob("docs/*.md"),
        *root.glob("components/*.md"),
        *root.glob("pipelines/*.md"),
        *root.glob("dags/*.md"),
    ):
        for target in re.findall(r"\]\((?!https?://|#)([^)#]+)", document.read_text(encoding="utf-8")):
            assert (document.parent / target).exists(), f"{document.name}: {target}"


def test_the_start_of_a_pipeline_is_valid(readme: str) -> None:
    (start,) = blocks(readme, "yaml")
    document = yaml.safe_load(start)
    document["analysis"] |= {"dataset_type": "text/csv", "label": document["data"]["label"]}
    Pipeline.parse({**document, "policy": POLICY}, "The README's pipeline")


def test_the_commands_work(readme: str, root: Path, tmp_path: Path) -> None:
    """Every block of commands, as it stands there, in a folder with nothing but the example."""
    shutil.copytree(root / "examples", tmp_path / "examples")
    (tmp_path / "runs").mkdir()
    scripts = tmp_path / ".venv" / "bin"
    scripts.mkdir(parents=True)
    (scripts / "clarify-ops").symlink_to(Path(sys.executable).with_name("clarify-ops"))
    ran = 0
    # What `make run` does, once it has installed.
    made = ".venv/bin/clarify-ops run examples/mortgage/pipeline.yaml"
    for block in (made, *(one for one in blocks(readme, "bash") if not one.startswith(NOT_HERE))):
        found = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", block],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
            env=untraced_environment(),
        )
        assert found.returncode == 0, f"{block}\n{found.stderr}"
        ran += 1
    assert ran == 6
    assert not (tmp_path / "runs" / "strict" / "release" / "registration.json").exists()
    assert (tmp_path / "runs" / "by-hand" / "release" / "registration.json").is_file()

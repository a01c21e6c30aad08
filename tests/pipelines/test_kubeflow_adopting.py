"""The page for whoever has a Kubeflow pipeline: its code runs, before and after the gate is added, and the lines are counted."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from mlflow import MlflowClient

from tests.conftest import ROOT
from tests.project import untraced_environment

PAGE = (ROOT / "docs" / "adopting-kubeflow.md").read_text(encoding="utf-8")
LINES = 9


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, flags=re.MULTILINE | re.DOTALL)


def hunks(diff: str) -> Iterator[tuple[str, str]]:
    """What stands where, before and after."""
    for hunk in diff.split("@@\n"):
        lines = hunk.splitlines(keepends=True)
        yield "".join(one[1:] for one in lines if one[0] in " -"), "".join(one[1:] for one in lines if one[0] in " +")


def patched(code: str, diff: str) -> str:
    for old, new in hunks(diff):
        assert code.count(old) == 1, old
        code = code.replace(old, new)
    return code


def execute(folder: Path, *command: str) -> str:
    """What a command says, in a folder with the page's files."""
    environment = {
        **untraced_environment(),
        "PYTHONPATH": os.pathsep.join([str(ROOT), str(folder)]),
        "MLFLOW_TRACKING_URI": f"sqlite:///{folder}/mlflow.db",
    }
    done = subprocess.run(
        [sys.executable, *command],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout


@pytest.fixture(scope="module")
def before() -> str:
    return blocks("python")[0]


@pytest.fixture(scope="module")
def laptop() -> str:
    return blocks("python")[1]


def test_the_gate_takes_under_ten_lines() -> None:
    (diff,) = blocks("diff")
    added = [line for line in diff.splitlines() if line.startswith("+")]
    assert len(added) == LINES < 10
    assert "Nine lines put a gate" in PAGE
    assert "## The gate: nine lines" in PAGE


def test_the_pipeline_without_the_gate_deploys(before: str, laptop: str, tmp_path: Path) -> None:
    (tmp_path / "mortgages.py").write_text(before, encoding="utf-8")
    # The same lines, but for the text that this pipeline does not take.
    code = laptop.replace('pipeline=self_contained("pipeline.yaml")', "")
    execute(tmp_path, "-c", code)
    (task,) = tmp_path.glob("runs/*/deploy/executor_output.json")
    assert "serving model" in task.read_text(encoding="utf-8")


def test_the_pipeline_with_the_gate_registers_before_it_deploys(before: str, laptop: str, tmp_path: Path) -> None:
    (diff,), (document,) = blocks("diff"), blocks("yaml")
    (tmp_path / "mortgages.py").write_text(patched(before, diff), encoding="utf-8")
    (tmp_path / "pipeline.yaml").write_text(document, encoding="utf-8")
    execute(tmp_path, "-c", laptop)
    uri = f"sqlite:///{tmp_path}/mlflow.db"
    (version,) = MlflowClient(uri, uri).search_model_versions("name='mortgage-approval'")
    assert version.tags["clarify_ops.verdict"] == "PASS"
    (run,) = tmp_path.glob("runs/*")
    assert {task.name for task in run.iterdir()} >= {"train", "register", "deploy"}
    # The model that was judged is the one that was made: nothing was fitted again.
    (made,), (taken,) = run.glob("fit/model/*.skops"), run.glob("train/candidate/*.skops")
    assert made.read_bytes() == taken.read_bytes()

    compiling = "from kfp.compiler import Compiler; from mortgages import mortgages as it"
    execute(tmp_path, "-c", f"{compiling}; Compiler().compile(it, 'mortgages.yaml')")
    tasks = yaml.safe_load((tmp_path / "mortgages.yaml").read_text(encoding="utf-8"))["root"]["dag"]["tasks"]
    assert "register" in tasks["deploy"]["dependentTasks"]

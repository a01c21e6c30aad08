"""What the README files show is run. The two whole runs on the example are not: their like is in tests/pipelines and tests/dags."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from tests.conftest import ROOT

LONG = ("local.init(", "airflow dags test")


def blocks(folder: str) -> list[tuple[str, str]]:
    text = (ROOT / folder / "README.md").read_text(encoding="utf-8")
    found = re.findall(r"^```(python|bash)\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL)
    return [(language, code) for language, code in found if not any(word in code for word in LONG)]


SHOWN = [(folder, *block) for folder in ("components", "pipelines") for block in blocks(folder)]


@pytest.mark.parametrize(("folder", "language", "code"), SHOWN)
def test_snippets_run(folder: str, language: str, code: str, tmp_path: Path) -> None:
    for name in ("examples", "pipelines"):
        (tmp_path / name).symlink_to(ROOT / name)
    command = [sys.executable, "-c", code] if language == "python" else ["bash", "-euc", code]
    environment = {
        **os.environ,
        "PATH": f"{sysconfig.get_path('scripts')}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
    }
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_every_readme_shows_something() -> None:
    assert {folder for folder, _, _ in SHOWN} == {"components", "pipelines"}
    assert len(SHOWN) == 7

"""The command line teaches, and stays quiet where it should."""

from __future__ import annotations

import subprocess
import sys

import pytest

from clarify_ops.bias.table import METRICS
from clarify_ops.quality.performance import QUALITY
from tests.project import Project

VERBS = (
    "run",
    "pretraining-bias",
    "train",
    "posttraining-bias",
    "explain",
    "gate",
    "register",
    "check",
    "schema",
    "metrics",
    "show",
    "publish",
    "promote",
    "rollback",
    "audit",
)


def test_help_names_every_verb_and_exit_status(project: Project) -> None:
    status, out, _ = project.cli("--help")
    assert status == 0
    for verb in VERBS:
        assert f"  {verb} " in out
    for words in ("2 a document", "3 the gate says FAIL", "4 the gate is INCONCLUSIVE", "5 something outside"):
        assert words in " ".join(out.split())


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_explains_its_options(project: Project, verb: str) -> None:
    status, out, _ = project.cli(verb, "--help")
    assert status == 0
    assert len(out.splitlines()) > 4


def test_the_table_of_metrics_is_complete(project: Project) -> None:
    status, out, _ = project.cli("metrics")
    assert status == 0
    for name in (*(one.name for one in METRICS), *(one.name for one in QUALITY), "label_leaks", "additivity_gap"):
        assert name in out


def test_progress_goes_to_standard_error(project: Project) -> None:
    status, out, err = project.run()
    assert status == 0
    assert "[2/5] train: fitting fold 1 of 3" in err
    assert "[5/5] register: done in" in err
    assert "[2/5]" not in out
    assert "Report      run/release/report.html" in out


def test_without_arguments_it_shows_help(project: Project) -> None:
    status, out, err = project.cli()
    assert status == 2
    assert "Usage" in out + err


def test_as_a_module() -> None:
    found = subprocess.run(
        [sys.executable, "-m", "clarify_ops", "schema", "policy"], capture_output=True, text=True, check=True
    )
    assert '"Policy"' in found.stdout

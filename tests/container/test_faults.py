"""Single steps in a container, when what they need is not there."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.container.conftest import Mortgage
from tests.container.engine import ENVIRONMENT, docker, variables

# A client that waits for a registry would keep a test waiting.
IMPATIENT = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0", "MLFLOW_HTTP_REQUEST_TIMEOUT": "5"}


def step(image: str, mortgage: Mortgage, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs a verb on the example, whose run on this machine is mounted to be read, and writes into the folder."""
    (folder / "pipeline.yaml").write_text(mortgage.pipeline, encoding="utf-8")
    options = (
        *("--network=none", "--memory=2g", "--user", f"{os.getuid()}:{os.getgid()}"),
        *("--volume", f"{folder}:/work", "--volume", f"{mortgage.run}:/run-before:ro", "--workdir", "/work"),
        *("--volume", f"{mortgage.data}:/data/{mortgage.data.name}:ro"),
        *variables({**ENVIRONMENT, **IMPATIENT}),
    )
    same = ("--pipeline", "pipeline.yaml", "--data", f"/data/{mortgage.data.name}", "--output", "out")
    return docker("run", "--rm", *options, image, *arguments, *same, check=False)


def parts(before: str) -> list[str]:
    names = ("pretraining_bias", "training", "posttraining_bias", "explanations")
    return [word for name in names for word in (f"--{name.replace('_', '-')}", f"{before}/{name}")]


def test_a_registry_that_is_away_ends_the_step_and_may_be_tried_again(
    image: str, mortgage: Mortgage, tmp_path: Path
) -> None:
    away = step(image, mortgage, tmp_path, "register", *parts("/run-before"), "--registry-uri", "http://127.0.0.1:9")
    assert away.returncode == 5, away.stderr
    assert "Traceback" not in away.stderr
    assert "127.0.0.1:9" in away.stderr
    assert not (tmp_path / "out" / "registration.json").exists()
    # Its evidence is that of a run that another image, or none, made: the parts are mounted, and nothing is done twice.
    again = step(
        image, mortgage, tmp_path, "register", *parts("/run-before"), "--registry-uri", "sqlite:////work/mlflow.db"
    )
    assert again.returncode == 0, again.stderr
    assert (tmp_path / "out" / "registration.json").is_file()


@pytest.mark.parametrize("missing", ["nothing at all", "the predictions"])
def test_a_missing_artifact_is_named(image: str, mortgage: Mortgage, tmp_path: Path, missing: str) -> None:
    training = tmp_path / "training"
    training.mkdir()
    if missing == "the predictions":
        for name in ("step.json", "metrics.json"):
            (training / name).write_bytes((mortgage.run / "training" / name).read_bytes())
    ended = step(image, mortgage, tmp_path, "posttraining-bias", "--training", "training")
    assert ended.returncode in {2, 3}, ended.stderr
    assert "training" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert not (tmp_path / "out" / "step.json").exists()

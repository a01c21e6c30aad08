"""The image: built, and run as SageMaker runs Clarify's own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from clarify_ops.analysis.analyze import analyze
from tests.analysis.jobs import configuration, people

IMAGE = "clarify-ops:under-test"
BASE = os.environ.get("CLARIFY_OPS_BASE_IMAGE")


def docker(*arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["docker", *arguments], check=check, capture_output=True, text=True, timeout=600)


def engine_answers() -> bool:
    return shutil.which("docker") is not None and docker("info", check=False).returncode == 0


@pytest.fixture(scope="module")
def image(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The image, built from a wheel of this checkout on the base that `CLARIFY_OPS_BASE_IMAGE` names."""
    if BASE is None or not engine_answers():
        pytest.skip("needs a Docker engine and CLARIFY_OPS_BASE_IMAGE")
    context = tmp_path_factory.mktemp("image")
    uv = Path(sys.executable).parent / "uv"
    subprocess.run([uv, "build", "--quiet", "--wheel", "--out-dir", context / "dist", root], check=True)
    for name in ("Dockerfile", ".dockerignore"):
        shutil.copy(root / name, context)
    os.environ["DOCKER_BUILDKIT"] = "0"
    docker("build", "--network=none", "--build-arg", f"BASE={BASE}", "--tag", IMAGE, str(context))
    yield IMAGE
    docker("rmi", "--force", IMAGE, check=False)


def run(image: str, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs the image with the folders that SageMaker mounts."""
    places = {"input": "/opt/ml/processing/input", "output": "/opt/ml/processing/output", "ended": "/opt/ml/output"}
    mounts = [part for name, place in places.items() for part in ("--volume", f"{folder / name}:{place}")]
    return docker("run", "--rm", "--network=none", "--memory=2g", *mounts, image, *arguments, check=False)


@pytest.fixture
def job(tmp_path: Path) -> Path:
    """The folders of a processing job."""
    for name in ("input/config", "input/data", "output", "ended"):
        (tmp_path / name).mkdir(parents=True)
    people().to_csv(tmp_path / "input" / "data" / "part-0.csv", index=False)
    (tmp_path / "input" / "config" / "analysis_config.json").write_text(json.dumps(configuration()))
    return tmp_path


def test_without_arguments_it_is_clarifys_image(image: str, job: Path) -> None:
    ended = run(image, job)
    assert ended.returncode == 0, ended.stderr
    found = json.loads((job / "output" / "analysis.json").read_text())
    assert found == analyze(configuration(), people()).to_clarify()
    assert {"metrics.json", "analysis_config.json"} <= {one.name for one in (job / "output").iterdir()}
    assert not list((job / "ended").iterdir())


def test_a_failure_is_left_where_the_job_is_described(image: str, job: Path) -> None:
    config = job / "input" / "config" / "analysis_config.json"
    config.write_text(json.dumps(configuration(label="payed")))
    ended = run(image, job)
    assert ended.returncode == 2
    assert "payed" in (job / "ended" / "message").read_text()
    assert "Traceback" not in ended.stderr
    assert not list((job / "output").iterdir())


def test_every_verb_is_there(image: str, job: Path) -> None:
    ended = run(image, job, "--help")
    assert ended.returncode == 0
    assert "register" in ended.stdout

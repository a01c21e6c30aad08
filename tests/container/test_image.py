"""The image: what is in it, who runs it, and that it is run as SageMaker runs Clarify's own."""

from __future__ import annotations

import json
import os
import re
import time
import tomllib
from pathlib import Path
from typing import Any

import pytest

from clarify_ops.analysis.analyze import analyze
from tests.analysis.jobs import configuration, people
from tests.container.engine import build, docker

PLACES = {"input": "/opt/ml/processing/input", "output": "/opt/ml/processing/output", "ended": "/opt/ml/output"}
# A line for the content of each file, and one for its permissions, owner and time.
DIGESTS = (
    "find /opt/clarify-ops /build/ours -type f -exec sha256sum {} + && "
    "find /opt/clarify-ops /build/ours ! -type d -printf '%p %l %m %U %G %T@\\n'"
)


def run(image: str, folder: Path, *arguments: str, options: tuple[str, ...] = ()) -> tuple[int, str, str]:
    """Runs the image with the folders that SageMaker mounts, as whoever runs the tests."""
    mounts = [part for name, place in PLACES.items() for part in ("--volume", f"{folder / name}:{place}")]
    user = ("--user", f"{os.getuid()}:{os.getgid()}")
    ended = docker(
        "run", "--rm", "--network=none", "--memory=2g", *user, *mounts, *options, image, *arguments, check=False
    )
    return ended.returncode, ended.stdout, ended.stderr


def inspected(image: str) -> dict[str, Any]:
    (found,) = json.loads(docker("image", "inspect", image).stdout)
    assert isinstance(found, dict)
    return found


@pytest.fixture
def job(tmp_path: Path) -> Path:
    """The folders of a processing job."""
    for name in ("input/config", "input/data", "output", "ended"):
        (tmp_path / name).mkdir(parents=True)
    people().to_csv(tmp_path / "input" / "data" / "part-0.csv", index=False)
    (tmp_path / "input" / "config" / "analysis_config.json").write_text(json.dumps(configuration()))
    return tmp_path


def test_without_arguments_it_is_clarifys_image(image: str, job: Path) -> None:
    status, _, errors = run(image, job)
    assert status == 0, errors
    found = json.loads((job / "output" / "analysis.json").read_text())
    assert found == analyze(configuration(), people()).to_clarify()
    assert {"metrics.json", "analysis_config.json"} <= {one.name for one in (job / "output").iterdir()}
    assert not list((job / "ended").iterdir())


def test_a_failure_is_left_where_the_job_is_described(image: str, job: Path) -> None:
    config = job / "input" / "config" / "analysis_config.json"
    config.write_text(json.dumps(configuration(label="payed")))
    status, _, errors = run(image, job)
    assert status == 2
    assert "payed" in (job / "ended" / "message").read_text()
    assert "Traceback" not in errors
    assert not list((job / "output").iterdir())


def test_every_verb_is_there_and_soon(image: str) -> None:
    started = time.perf_counter()
    ended = docker("run", "--rm", "--network=none", "--read-only", image, "--help")
    assert "register" in ended.stdout
    # Without compiled files it takes five times as long as the half second that it needs.
    assert time.perf_counter() - started < 10


def test_labels_entry_point_and_user(image: str) -> None:
    config = inspected(image)["Config"]
    assert config["Entrypoint"] == ["clarify-ops"]
    assert config["User"] == "10001:0"
    labels = {key.removeprefix("org.opencontainers.image."): value for key, value in config["Labels"].items()}
    assert labels["title"] == "clarify-ops"
    assert labels["version"] == "0.1.0"
    assert labels["revision"] == "abc123"
    assert labels["licenses"] == "Apache-2.0"


@pytest.mark.parametrize("user", ["10001:0", "12345:6789"])
def test_whoever_runs_it_has_caches_and_reads_and_writes_nothing_else(image: str, user: str) -> None:
    program = (
        "import getpass, os, pathlib, matplotlib.font_manager, mlflow, numba, pyarrow.parquet, shap, boto3, s3fs, kfp.dsl, clarify_ops\n"
        "from clarify_ops.compiled import compiled\n"
        "assert os.getuid() and getpass.getuser()\n"
        "assert numba.njit(lambda x: x + 1)(1) == 2\n"
        "assert pathlib.Path(matplotlib.get_cachedir()).is_relative_to('/tmp')\n"
        "assert not os.access(os.path.dirname(clarify_ops.__file__), os.W_OK)\n"
        "import importlib.util as u; assert u.find_spec('airflow') is None and u.find_spec('pip') is None\n"
    )
    options = ("--network=none", "--read-only", "--tmpfs", "/tmp:exec", "--user", user, "--entrypoint", "python3")
    ended = docker("run", "--rm", *options, image, "-c", program, check=False)
    assert ended.returncode == 0, ended.stderr


def test_it_is_no_larger_than_we_say(image: str) -> None:
    # The base is counted: 0.12 GB here. What is large is llvmlite, Arrow, SciPy and MLflow.
    assert inspected(image)["Size"] < 1_150_000_000


def test_two_builds_have_the_same_files(image: str, build_context: Path) -> None:
    found = []
    # The stage that everything is copied from. Taken as it was built for the image, and built anew.
    for tag, options in (("files", ()), ("files-again", ("--no-cache",))):
        build(build_context, f"{image}-{tag}", "--target=ours", *options)
        ended = docker("run", "--rm", "--network=none", "--entrypoint", "sh", f"{image}-{tag}", "-c", DIGESTS)
        docker("rmi", "--force", f"{image}-{tag}", check=False)
        found.append(ended.stdout.splitlines())
    first, second = found
    assert len(first) > 10_000
    assert sorted(set(first) ^ set(second)) == []


def test_every_package_is_the_locks(image: str, build_context: Path) -> None:
    lock = tomllib.loads((build_context / "uv.lock").read_text(encoding="utf-8"))
    # Another version of Python may have another version of a package.
    locked = {(one["name"], one.get("version")) for one in lock["package"]}
    program = (
        "import importlib.metadata as m; print(*(d.metadata['Name'] + '==' + d.version for d in m.distributions()))"
    )
    ended = docker("run", "--rm", "--network=none", "--entrypoint", "python3", image, "-c", program)
    pairs = (one.split("==") for one in ended.stdout.split())
    found = {(re.sub(r"[-_.]+", "-", name).lower(), version) for name, version in pairs}
    assert len(found) > 100
    assert {one for one in found if one not in locked} == set()

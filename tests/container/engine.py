"""The Docker engine of the tests, and the image that is built with it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

IMAGE = "clarify-ops:under-test"
# The same files for root: SageMaker's jobs mount folders that nobody else may write to.
AS_ROOT = "clarify-ops:under-test-as-root"
# Set by `.ci/engine`; without them the base comes from a registry and the packages from an index.
BASE = os.environ.get("CLARIFY_OPS_BASE_IMAGE")
WHEELHOUSE = os.environ.get("CLARIFY_OPS_WHEELHOUSE")
# A loaded machine's processors are not fought for; the numbers do not depend on it.
ENVIRONMENT = {"OMP_NUM_THREADS": "1"}


def docker(*arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["docker", *arguments], check=check, capture_output=True, text=True, timeout=1_200)


@cache
def engine_answers() -> bool:
    return shutil.which("docker") is not None and docker("info", check=False).returncode == 0


def require_engine() -> None:
    if not engine_answers():
        pytest.skip("needs a Docker engine")


def context(root: Path, folder: Path) -> Path:
    """What the image is built of: a wheel of this checkout, the lock, and the wheel house if there is one."""
    uv = Path(sys.executable).parent / "uv"
    subprocess.run([uv, "build", "--quiet", "--wheel", "--out-dir", folder / "dist", root], check=True)
    for name in ("Dockerfile", ".dockerignore", "pyproject.toml", "uv.lock"):
        shutil.copy(root / name, folder)
    if WHEELHOUSE:
        shutil.copytree(WHEELHOUSE, folder / "wheelhouse", copy_function=os.link)
    return folder


def build(folder: Path, tag: str, *options: str) -> None:
    """Builds the image; without a network where a wheel house makes that possible."""
    if BASE:
        options = (*options, "--build-arg", f"BASE={BASE}")
    if WHEELHOUSE:
        options = (*options, "--network=none")
    docker("build", *options, "--tag", tag, str(folder))


def variables(given: dict[str, str]) -> list[str]:
    """As options of `docker run`."""
    return [part for name, value in given.items() for part in ("--env", f"{name}={value}")]

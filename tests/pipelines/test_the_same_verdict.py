"""The example by the command line, in Kubeflow and in Airflow, with the gate open and shut: one verdict, one set of numbers.

The containers of `make test-docker` are held to the same.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from mlflow import MlflowClient

from clarify_ops.components.documents import self_contained
from clarify_ops.steps.table import BY_NAME
from tests.project import untraced_environment

MEASURING = ("pretraining-bias", "train", "posttraining-bias", "explain")
KUBEFLOW = """
import sys
from pathlib import Path
from kfp import local
from clarify_ops.pipelines.kubeflow_gated_training import gated_training
text, policy, root, registry = sys.argv[1:]
local.init(local.SubprocessRunner(use_venv=False), pipeline_root=f"{root}/outputs", raise_on_error=False)
gated_training(
    pipeline=Path(text).read_text(),
    policy=Path(policy).read_text() if policy else "",
    registry_uri=registry,
    reports=f"{root}/reports",
)
"""


@dataclass(frozen=True)
class Ran:
    """A run of the example.

    Attributes:
        steps: Output folders of the measuring steps, by the step's name.
        judged: The folder with verdict and evidence.
        registry: URI of the run's own registry.
    """

    steps: dict[str, Path]
    judged: Path
    registry: str

    def read(self, name: str) -> Any:
        return json.loads((self.judged / name).read_text(encoding="utf-8"))

    def measures(self) -> dict[str, Any]:
        """What every step wrote down, but for where the data lay."""
        found = {}
        for name, folder in self.steps.items():
            document = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))
            document.get("data", {}).pop("name", None)
            found[name] = document
        return found

    def versions(self) -> list[tuple[str, str]]:
        """Digest of the evidence and verdict of every registered version."""
        if not Path(self.registry.removeprefix("sqlite:///")).exists():
            return []
        found = MlflowClient(self.registry, self.registry).search_model_versions()
        return [(one.tags["clarify_ops.evidence"], one.tags["clarify_ops.verdict"]) for one in found]


@pytest.fixture(scope="module")
def example(root: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The example with fewer samples, as one document; and the stricter policy."""
    folder = tmp_path_factory.mktemp("example")
    document = yaml.safe_load(self_contained(root / "examples" / "mortgage" / "pipeline.yaml"))
    document["analysis"]["methods"] |= {
        "shap": {"num_samples": 48},
        "pdp": {"grid_resolution": 2, "top_k_features": 1},
    }
    (folder / "pipeline.yaml").write_text(yaml.safe_dump(document), encoding="utf-8")
    return folder / "pipeline.yaml", root / "examples" / "mortgage" / "strict-policy.yaml"


Place = Callable[[str], Path]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    return tmp_path_factory.mktemp


def call(command: list[object], environment: dict[str, str] | None = None, status: int = 0) -> str:
    done = subprocess.run(
        [sys.executable, *map(str, command)],
        env=environment or untraced_environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=900,
    )
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout + done.stderr


def folders(run: Path) -> dict[str, Path]:
    return {name: run / BY_NAME[name].folder for name in MEASURING}


@pytest.fixture(scope="module")
def by_hand(example: tuple[Path, Path], place: Place) -> dict[str, Ran]:
    pipeline, strict = example
    found = {}
    for name, more, status in (("open", (), 0), ("shut", ("--policy", strict), 3)):
        folder = place(f"by-hand-{name}")
        registry = f"sqlite:///{folder}/mlflow.db"
        call(
            ["-m", "clarify_ops", "run", pipeline, "--output", folder / "run", "--registry-uri", registry, *more],
            status=status,
        )
        found[name] = Ran(folders(folder / "run"), folder / "run" / "release", registry)
    return found


@pytest.fixture(scope="module")
def kubeflow(example: tuple[Path, Path], place: Place) -> dict[str, Ran]:
    pipeline, strict = example
    found = {}
    for name, policy in (("open", ""), ("shut", strict)):
        folder = place(f"kubeflow-{name}")
        registry = f"sqlite:///{folder}/mlflow.db"
        call(["-c", KUBEFLOW, pipeline, policy, folder, registry])
        (run,) = (folder / "outputs").iterdir()
        steps = {step: run / step / BY_NAME[step].folder for step in MEASURING}
        found[name] = Ran(steps, run / "gate" / "gate", registry)
    return found


@pytest.fixture(scope="module")
def airflow(example: tuple[Path, Path], place: Place, root: Path) -> dict[str, Ran]:
    pipeline, strict = example
    folder = place("airflow")
    registries = {name: f"sqlite:///{folder}/{name}.db" for name in ("open", "shut")}
    same = {"pipeline": str(pipeline), "output": str(folder / "runs")}
    jobs = [
        ["gated_training", {**same, "registry_uri": registries["open"]}],
        ["gated_training", {**same, "registry_uri": registries["shut"], "policy": str(strict)}],
    ]
    (folder / "jobs.json").write_text(json.dumps(jobs), encoding="utf-8")
    environment = {
        **untraced_environment(),
        "AIRFLOW_HOME": str(folder / "home"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__DAGS_FOLDER": str(root / "dags"),
        "PYTHONPATH": os.pathsep.join([str(root), os.environ.get("PYTHONPATH", "")]),
    }
    call(["-m", "airflow", "db", "migrate"], environment)
    call(["-m", "tests.dags.runner", folder / "jobs.json", folder / "runs.json"], environment)
    kept = json.loads((folder / "runs.json").read_text(encoding="utf-8"))
    assert [one["state"] for one in kept] == ["success", "failed"]
    found = {}
    for name, one in zip(registries, kept, strict=True):
        run = folder / "runs" / one["run_id"]
        found[name] = Ran(folders(run), run / "gate", registries[name])
    return found


@pytest.fixture(scope="module")
def ways(by_hand: dict[str, Ran], kubeflow: dict[str, Ran], airflow: dict[str, Ran]) -> dict[str, dict[str, Ran]]:
    return {"by hand": by_hand, "Kubeflow": kubeflow, "Airflow": airflow}


@pytest.mark.parametrize(("gate", "outcome"), [("open", "PASS"), ("shut", "FAIL")])
def test_verdicts_numbers_and_evidence_are_equal(ways: dict[str, dict[str, Ran]], gate: str, outcome: str) -> None:
    expected = ways["by hand"][gate]
    assert expected.read("verdict.json")["outcome"] == outcome
    for name, runs in ways.items():
        ran = runs[gate]
        assert ran.read("verdict.json") == expected.read("verdict.json"), name
        assert ran.measures() == expected.measures(), name
        assert ran.read("analysis.json") == expected.read("analysis.json"), name
        assert ran.read("evidence.json")["claims"] == expected.read("evidence.json")["claims"], name
        assert ran.read("evidence.json")["digest"] == expected.read("evidence.json")["digest"], name


def test_what_passes_is_registered_once_and_what_fails_never(ways: dict[str, dict[str, Ran]]) -> None:
    digest = ways["by hand"]["open"].read("evidence.json")["digest"]
    for name, runs in ways.items():
        assert runs["open"].versions() == [(digest, "PASS")], name
        assert runs["shut"].versions() == [], name

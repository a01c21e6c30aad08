"""The Kubeflow pipeline with every task in a container of the image, as on a cluster."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from docker.models.containers import ContainerCollection  # type: ignore[import-untyped]
from kfp import local
from mlflow import MlflowClient

from tests.container.conftest import Mortgage
from tests.container.engine import ENVIRONMENT, docker
from tests.container.evidence import same_work

pytestmark = [
    pytest.mark.usefixtures("image"),
    # Of kfp, about the limits of tasks, which are a cluster's.
    pytest.mark.filterwarnings("ignore:Task .* have no effect in the current local runner:UserWarning:kfp"),
]


@pytest.fixture(autouse=True)
def _kept_until_asked(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The runner lets the engine remove a container as it ends, asks then how it ended, and takes what is gone for a success."""
    kept = []

    def run(self: ContainerCollection, *, auto_remove: bool, **options: Any) -> Any:
        assert auto_remove
        kept.append(started(self, **options))
        return kept[-1]

    started = ContainerCollection.run
    monkeypatch.setattr(ContainerCollection, "run", run)
    yield
    docker("rm", "--force", *(one.id for one in kept), check=False)


class Run:
    """A folder that every container of a run sees: outputs, reports and registry lie in it."""

    def __init__(self, folder: Path, mortgage: Mortgage, **options: Any) -> None:
        self.folder = folder
        self.registry = f"sqlite:///{folder}/registry/mlflow.db"
        self.data = folder / mortgage.data.name
        self.data.write_bytes(mortgage.data.read_bytes())
        # The image's entry point is ours, and this runner leaves it before a task's own command, which a cluster does not.
        # Tasks write into folders of whoever runs this.
        runner = local.DockerRunner(
            entrypoint="",
            user=f"{os.getuid()}:{os.getgid()}",
            environment=ENVIRONMENT,
            network_mode="none",
            **options,
        )
        local.init(runner, pipeline_root=str(folder), raise_on_error=True)

    def start(self, pipeline: str, **arguments: str) -> None:
        from clarify_ops.pipelines.kubeflow_gated_training import gated_training

        given = {"data": str(self.data), "registry_uri": self.registry, "reports": str(self.folder / "reports")}
        gated_training(pipeline=pipeline, **{**given, **arguments})

    def output(self, path: str) -> Path:
        (found,) = self.folder.glob(f"*/{path}")
        return found

    def published(self) -> dict[str, Any]:
        (found,) = self.folder.glob("reports/*/run.json")
        document = json.loads(found.read_text(encoding="utf-8"))
        assert isinstance(document, dict)
        return document

    def registered(self) -> list[str]:
        return [one.name for one in MlflowClient(self.registry, self.registry).search_registered_models()]


def test_an_open_gate_registers_what_the_command_line_finds(mortgage: Mortgage, tmp_path: Path) -> None:
    run = Run(tmp_path, mortgage)
    run.start(mortgage.pipeline)
    assert run.registered() == ["mortgage-approval"]
    same_work(mortgage.run / "release", run.output("register/release"))
    assert "<html" in next(tmp_path.glob("reports/*/index.html")).read_text(encoding="utf-8")


def test_a_shut_gate_fails_the_run_and_publishes_the_report(mortgage: Mortgage, tmp_path: Path) -> None:
    run = Run(tmp_path, mortgage)
    with pytest.raises(RuntimeError, match="require-pass"):
        run.start(mortgage.pipeline, policy=mortgage.strict)
    assert run.registered() == []
    verdict = json.loads(run.output("gate/gate/verdict.json").read_text(encoding="utf-8"))
    assert verdict["outcome"] == "FAIL"
    assert "FAIL" in next(tmp_path.glob("reports/*/index.html")).read_text(encoding="utf-8")


def test_a_task_that_is_killed_by_memory_ends_the_run(mortgage: Mortgage, tmp_path: Path) -> None:
    document = yaml.safe_load(mortgage.pipeline)
    # 3 GB of weights.
    document["train"] = {
        "estimator": "sklearn.neural_network.MLPClassifier",
        "parameters": {"hidden_layer_sizes": [20_000, 20_000], "max_iter": 1},
        "scale": True,
    }
    run = Run(tmp_path, mortgage, mem_limit="1g", memswap_limit="1g")
    with pytest.raises(RuntimeError, match="train"):
        run.start(yaml.safe_dump(document))
    assert run.registered() == []
    assert run.published()["state"] == "FAILED"


def test_data_that_are_not_there_are_named(
    mortgage: Mortgage, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    run = Run(tmp_path, mortgage)
    with pytest.raises(RuntimeError):
        run.start(mortgage.pipeline, data=str(tmp_path / "gone.csv"))
    assert "gone.csv" in capfd.readouterr().out
    assert run.registered() == []

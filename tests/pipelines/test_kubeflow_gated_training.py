"""The Kubeflow pipeline: compiled to a document that the backend's own schema takes, and run on the mortgage example."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from google.protobuf import json_format  # type: ignore[import-untyped]
from kfp import compiler, local
from kfp.pipeline_spec import pipeline_spec_pb2
from mlflow import MlflowClient

from clarify_ops.components.documents import self_contained
from clarify_ops.pipelines.kubeflow_gated_training import gated_training

# kfp cannot know that the environment of the tests is that of the image.
pytestmark = pytest.mark.filterwarnings("ignore:You may be attemping to run a task:RuntimeWarning:kfp")

FIVE = {"pretraining-bias", "train", "posttraining-bias", "explain", "register"}


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    file = tmp_path_factory.mktemp("compiled") / "gated_training.yaml"
    compiler.Compiler().compile(gated_training, str(file))
    (document,) = yaml.safe_load_all(file.read_text(encoding="utf-8"))
    assert isinstance(document, dict)
    return document


def test_the_document_keeps_to_the_schema(compiled: dict[str, Any]) -> None:
    spec = json_format.ParseDict(compiled, pipeline_spec_pb2.PipelineSpec())
    assert spec.schema_version == "2.1.0"
    assert spec.pipeline_info.name == "gated-training"
    inputs = spec.root.input_definitions.parameters
    assert {name for name, one in inputs.items() if not one.is_optional} == {"pipeline"}
    assert all(one.description for one in inputs.values())


def test_the_tasks_wait_for_what_they_need(compiled: dict[str, Any]) -> None:
    tasks = compiled["root"]["dag"]["tasks"]
    assert set(tasks) == {*FIVE, "require-pass"}
    needs = {name: set(task.get("dependentTasks", ())) for name, task in tasks.items()}
    assert needs == {
        "pretraining-bias": set(),
        "train": set(),
        "posttraining-bias": {"train"},
        "explain": {"train"},
        "register": FIVE - {"register"},
        "require-pass": {"register"},
    }


def test_a_verdict_is_never_taken_from_a_cache(compiled: dict[str, Any]) -> None:
    tasks = compiled["root"]["dag"]["tasks"]
    cached = {name for name, task in tasks.items() if task["cachingOptions"].get("enableCache")}
    assert cached == FIVE - {"register"}


@pytest.fixture
def mortgage(root: Path, tmp_path: Path) -> dict[str, str]:
    """Arguments of a run on the example, explained with fewer samples, which the gate does not look at."""
    local.init(local.SubprocessRunner(use_venv=False), pipeline_root=str(tmp_path / "outputs"), raise_on_error=True)
    document = yaml.safe_load(self_contained(root / "examples" / "mortgage" / "pipeline.yaml"))
    document["analysis"]["methods"] |= {
        "shap": {"num_samples": 48},
        "pdp": {"grid_resolution": 2, "top_k_features": 1},
    }
    return {"pipeline": yaml.safe_dump(document), "registry_uri": f"sqlite:///{tmp_path}/registry/mlflow.db"}


def test_an_open_gate_registers_the_model(mortgage: dict[str, str], tmp_path: Path) -> None:
    gated_training(**mortgage)
    client = MlflowClient(mortgage["registry_uri"], mortgage["registry_uri"])
    version = client.get_model_version_by_alias("mortgage-approval", "challenger")
    assert version.tags["clarify_ops.verdict"] == "PASS"
    (task,) = tmp_path.glob("outputs/*/register")
    assert "<html" in (task / "report").read_text(encoding="utf-8")
    assert (task / "card").read_text(encoding="utf-8") == (task / "release" / "model_card.md").read_text("utf-8")
    (model,) = tmp_path.glob("outputs/*/train/model")
    assert (model / "MLmodel").is_file()


def test_a_shut_gate_fails_the_run_and_leaves_the_report(
    mortgage: dict[str, str], root: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    policy = (root / "examples" / "mortgage" / "strict-policy.yaml").read_text(encoding="utf-8")
    with pytest.raises(RuntimeError, match=r"FAILURE.*require-pass"):
        gated_training(**mortgage, policy=policy)
    assert "error: The gate says FAIL: 3 of 4 checks fail" in capfd.readouterr().out
    client = MlflowClient(mortgage["registry_uri"], mortgage["registry_uri"])
    assert client.search_registered_models() == []
    (report,) = tmp_path.glob("outputs/*/register/report")
    assert "FAIL" in report.read_text(encoding="utf-8")

"""The Kubeflow components, run as tasks.

Without postponed annotations: kfp reads the real types of a pipeline's parameters.
"""

import json
import os
import shutil
import socket
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml
from kfp import components, dsl, local
from mlflow import MlflowClient

from clarify_ops.components import kubeflow
from clarify_ops.components.documents import self_contained
from clarify_ops.components.kubeflow.compiled import FILE, FOLDER
from clarify_ops.components.kubeflow.decorator import component
from clarify_ops.components.task import CURVE_POINTS
from tests.project import STEPS, people

# kfp cannot know that the environment of the tests is that of the image.
pytestmark = pytest.mark.filterwarnings("ignore:You may be attemping to run a task:RuntimeWarning:kfp")

PASSWORD = "planted-7731"
STRICT = {
    "version": "1",
    "name": "strict",
    "rules": [{"id": "ranks", "stage": "quality", "metric": "auc", "min": 0.999, "why": "Nothing is that good."}],
}


def folders(finished: Path) -> dict[str, str]:
    places = [str(finished / "run" / name) for name in STEPS]
    return dict(zip(("before", "training", "after", "explained"), places, strict=True))


@pytest.fixture
def runner(tmp_path: Path) -> Path:
    """Tasks run as processes of this interpreter; their outputs lie below this folder."""
    root = tmp_path / "outputs"
    local.init(local.SubprocessRunner(use_venv=False), pipeline_root=str(root), raise_on_error=True)
    return root


def imported(before: str, training: str, after: str, explained: str) -> dict[str, Any]:
    """What the steps before left, as artifacts."""
    given = {
        "pretraining_bias": before,
        "training": training,
        "posttraining_bias": after,
        "explanations": explained,
    }
    return {name: dsl.importer(artifact_uri=uri, artifact_class=dsl.Artifact).output for name, uri in given.items()}


@component
def release() -> str:
    """Stands for what is done with a model that passed."""
    return "released"


@dsl.pipeline(name="branching")
def branching(pipeline: str, policy: str, before: str, training: str, after: str, explained: str) -> None:
    """A gate whose answer decides what happens."""
    judged = kubeflow.gate(
        pipeline=pipeline, policy=policy, no_fail=True, **imported(before, training, after, explained)
    )
    # Without the Else kfp's local runner would not find the output, and take neither branch.
    with dsl.If(judged.outputs["may_register"] == True):  # noqa: E712 - kfp compares when it runs
        release()
    with dsl.Else():
        kubeflow.require_pass(judged=judged.outputs["gate"])


def test_a_pipeline_branches_on_the_gate(finished: Path, runner: Path, capfd: pytest.CaptureFixture[str]) -> None:
    inputs = folders(finished)
    pipeline = self_contained(finished / "pipeline.yaml")
    branching(pipeline=pipeline, policy="", **inputs)
    assert len(list(runner.rglob("release"))) == 1
    with pytest.raises(RuntimeError, match="FAILURE"):
        branching(pipeline=pipeline, policy=yaml.safe_dump(STRICT), **inputs)
    assert "error: The gate says FAIL: " in capfd.readouterr().out
    assert len(list(runner.rglob("release"))) == 1
    told = {
        json.loads(file.read_text(encoding="utf-8"))["parameterValues"]["outcome"]: file.parent
        for file in runner.glob("*/gate/executor_output.json")
    }
    assert set(told) == {"PASS", "FAIL"}
    for outcome, task in told.items():
        assert json.loads((task / "verdict").read_text(encoding="utf-8"))["outcome"] == outcome
        # The report of a refused model as well, for whoever takes the other branch.
        assert outcome in (task / "report").read_text(encoding="utf-8")
        assert outcome in (task / "card").read_text(encoding="utf-8")


@dsl.pipeline(name="registering")
def registering(  # noqa: PLR0917 - kfp calls the function of a pipeline by position
    pipeline: str, policy: str, registry_uri: str, before: str, training: str, after: str, explained: str
) -> None:
    """A registration that nothing follows."""
    kubeflow.register(
        pipeline=pipeline, policy=policy, registry_uri=registry_uri, **imported(before, training, after, explained)
    )


@dsl.pipeline(name="insisting")
def insisting(pipeline: str, registry_uri: str, before: str, training: str, after: str, explained: str) -> None:
    """A registration that is tried twice."""
    kubeflow.register(
        pipeline=pipeline, registry_uri=registry_uri, **imported(before, training, after, explained)
    ).set_retry(1)


def test_a_refused_registration_fails_its_task_after_the_report_is_written(
    finished: Path, tmp_path: Path, runner: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(RuntimeError, match=r"FAILURE.*register"):
        registering(
            pipeline=self_contained(finished / "pipeline.yaml"),
            policy=yaml.safe_dump(STRICT),
            registry_uri=f"sqlite:///{tmp_path}/registry/mlflow.db",
            **folders(finished),
        )
    (task,) = runner.glob("*/register")
    assert "FAIL" in (task / "report").read_text(encoding="utf-8")
    assert "FAIL" in (task / "card").read_text(encoding="utf-8")
    said = capfd.readouterr().out
    assert "error: The gate says FAIL: " in said
    assert "Nothing was registered." in said
    assert "Traceback" not in said


def test_a_registry_that_is_away_is_asked_again_and_its_password_told_to_nobody(
    finished: Path, runner: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://bot:{PASSWORD}@127.0.0.1:{nobody.getsockname()[1]}")
        monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
        document = yaml.safe_load(self_contained(finished / "pipeline.yaml"))
        del document["registry"]["uri"]
        with pytest.raises(RuntimeError, match=r"FAILURE.*register"):
            insisting(pipeline=yaml.safe_dump(document), registry_uri="", **folders(finished))
    said = capfd.readouterr()
    assert said.out.count("error: The MLflow registry http://127.0.0.1:") == 2
    assert "Try again once it answers." in said.out
    assert PASSWORD not in said.out + said.err
    assert [file for file in runner.rglob("*") if file.is_file() and PASSWORD.encode() in file.read_bytes()] == []
    assert not list(runner.rglob("registration.json"))


def test_a_password_among_the_parameters_is_refused(runner: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(RuntimeError, match="FAILURE"):
        kubeflow.audit(registry_uri="https://bot:secret@mlflow.example")
    assert "error: The parameter registry_uri holds an address with a password" in capfd.readouterr().out
    assert not list(runner.rglob("audit.json"))


def test_a_registry_is_audited(finished: Path, runner: Path, tmp_path: Path) -> None:
    """Before and after somebody took the evidence's digest from a version."""
    registry = f"sqlite:///{shutil.copy(finished / 'registry' / 'mlflow.db', tmp_path)}"
    kubeflow.audit(registry_uri=registry)
    (found,) = runner.rglob("audit.json")
    assert json.loads(found.read_text(encoding="utf-8"))["findings"] == []
    MlflowClient(registry, registry).delete_model_version_tag("small-model", "1", "clarify_ops.evidence")
    with pytest.raises(RuntimeError, match=r"audit.*FAILURE"):
        kubeflow.audit(registry_uri=registry)


# Python imports it whenever it starts.
KILLED_AFTER_REGISTERING = """
import os, shutil, signal
from pathlib import Path

def copy(source, target, *, before=shutil.copy):
    mark = Path(os.environ["KILLED"])
    if Path(source).name == "report.html" and not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return before(source, target)

shutil.copy = copy
"""


def test_a_task_that_dies_after_it_registered_and_is_tried_again_registers_once(
    finished: Path, tmp_path: Path, runner: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sitecustomize.py").write_text(KILLED_AFTER_REGISTERING, encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")]))
    monkeypatch.setenv("KILLED", str(tmp_path / "killed"))
    uri = f"sqlite:///{tmp_path}/registry/mlflow.db"
    insisting(pipeline=self_contained(finished / "pipeline.yaml"), registry_uri=uri, **folders(finished))
    assert (tmp_path / "killed").exists()
    (version,) = MlflowClient(uri, uri).search_model_versions()
    assert version.tags["clarify_ops.verdict"] == "PASS"
    (file,) = runner.glob("*/register/executor_output.json")
    assert json.loads(file.read_text(encoding="utf-8"))["parameterValues"]["version"] == str(version.version)


@dsl.pipeline(name="of-an-artifact")
def of_an_artifact(pipeline: str, dataset: str) -> None:
    """The dataset comes from a task before, and the component from its file."""
    file = dsl.importer(artifact_uri=dataset, artifact_class=dsl.Dataset)
    loaded = components.load_component_from_file(str(FOLDER / "pretraining_bias" / FILE))
    loaded(pipeline=pipeline, dataset=file.output)


def test_a_dataset_may_be_an_artifact(finished: Path, tmp_path: Path, runner: Path) -> None:
    document = yaml.safe_load(self_contained(finished / "pipeline.yaml"))
    document["data"] |= {"uri": "nowhere.csv", "format": "csv"}
    # An artifact's file has no suffix.
    people().to_csv(tmp_path / "dataset", index=False)
    of_an_artifact(pipeline=yaml.safe_dump(document), dataset=str(tmp_path / "dataset"))
    (task,) = runner.glob("*/pretraining-bias")
    done = json.loads((task / "pretraining_bias" / "step.json").read_text(encoding="utf-8"))
    before = json.loads((finished / "run" / "pretraining_bias" / "step.json").read_text(encoding="utf-8"))
    assert done["claims"]["data"] == before["claims"]["data"]
    told = json.loads((task / "executor_output.json").read_text(encoding="utf-8"))
    logged = told["artifacts"]["metrics"]["artifacts"][0]["metadata"]
    assert logged["data rows, g = 1"] == int(people()["g"].sum())


def test_wrong_input_is_one_sentence(runner: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(RuntimeError, match="FAILURE"):
        kubeflow.train(pipeline="name: only")
    said = capfd.readouterr().out
    assert "error: The pipeline " in said
    assert "Traceback" not in said


@dsl.pipeline(name="of-predictions")
def of_predictions(pipeline: str, training: str) -> None:
    """The training comes from a run before."""
    made = dsl.importer(artifact_uri=training, artifact_class=dsl.Artifact)
    kubeflow.posttraining_bias(pipeline=pipeline, training=made.output)


def test_predictions_are_shown_as_a_matrix_and_a_curve(finished: Path, runner: Path) -> None:
    training = finished / "run" / "training"
    of_predictions(pipeline=self_contained(finished / "pipeline.yaml"), training=str(training))
    (file,) = runner.glob("*/posttraining-bias/executor_output.json")
    artifacts = json.loads(file.read_text(encoding="utf-8"))["artifacts"]
    shown = artifacts["classification"]["artifacts"][0]["metadata"]
    predicted = pd.read_parquet(training / "predictions.parquet")
    labels = shown["confusionMatrix"]["annotationSpecs"]
    assert [one["displayName"] for one in labels] == ["negative", "positive"]
    crossed = pd.crosstab(predicted["label"], predicted["predicted_label"])
    assert [one["row"] for one in shown["confusionMatrix"]["rows"]] == crossed.to_numpy().tolist()

    curve = pd.DataFrame(shown["confidenceMetrics"])
    assert len(curve) <= CURVE_POINTS
    assert curve[["falsePositiveRate", "recall"]].iloc[[0, -1]].to_numpy().tolist() == [[0, 0], [1, 1]]
    # The area under it is the measure, but for what lies between two of its points.
    measured = artifacts["metrics"]["artifacts"][0]["metadata"]["quality auc, all rows"]
    assert np.trapezoid(curve["recall"], curve["falsePositiveRate"]) == pytest.approx(measured, abs=0.005)


def test_a_missing_artifact_is_one_sentence(
    finished: Path, tmp_path: Path, runner: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(RuntimeError, match="FAILURE"):
        of_predictions(pipeline=self_contained(finished / "pipeline.yaml"), training=str(tmp_path / "empty"))
    said = capfd.readouterr().out
    assert f"error: The folder {tmp_path}/empty is not the output of the step train: it has no step.json." in said
    assert "Traceback" not in said
    assert not list(runner.rglob("posttraining_bias/*"))

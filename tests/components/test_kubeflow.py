"""The Kubeflow components: held to the step table, and run as tasks.

Without postponed annotations: kfp reads the real types of a pipeline's parameters.
"""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from kfp import dsl, local

from clarify_ops.components import kubeflow
from clarify_ops.components.commands import ports
from clarify_ops.components.documents import self_contained
from clarify_ops.components.image import image
from clarify_ops.steps.table import BY_NAME
from tests.project import STEPS, people

# kfp cannot know that the environment of the tests is that of the image.
pytestmark = pytest.mark.filterwarnings("ignore:You may be attemping to run a task:RuntimeWarning:kfp")

# What Kubeflow has besides the ports of the table.
OWN = {step: {"dataset"} for step in BY_NAME} | {"register": {"dataset", "no_fail"}, "audit": set()}
STRICT = {
    "version": "1",
    "name": "strict",
    "rules": [{"id": "ranks", "stage": "quality", "metric": "auc", "min": 0.999, "why": "Nothing is that good."}],
}


def folders(finished: Path) -> list[Path]:
    return [finished / "run" / name for name in STEPS]


def component(step: str) -> Any:
    return getattr(kubeflow, step.replace("-", "_"))


@pytest.mark.parametrize("step", BY_NAME)
def test_inputs_are_the_ports_of_the_table(step: str) -> None:
    inputs = component(step).component_spec.inputs
    expected = {port.name: port for port in ports(step)}
    assert set(inputs) - set(expected) == OWN[step]
    for name, port in expected.items():
        assert inputs[name].optional is not port.required, name


@pytest.mark.parametrize("step", BY_NAME)
def test_descriptions_are_those_of_the_table(step: str) -> None:
    inputs = component(step).component_spec.inputs
    for port in ports(step):
        # register may fail or not for a reason of Kubeflow's own, and the documents are texts there.
        assert inputs[port.name].description.startswith(port.description.rstrip(".")), port.name
    assert all(one.description for one in inputs.values())
    assert component(step).description.startswith(BY_NAME[step].description)


@pytest.mark.parametrize("step", BY_NAME)
def test_the_folder_of_the_table_is_an_output(step: str) -> None:
    assert BY_NAME[step].folder in component(step).component_spec.outputs


@pytest.mark.parametrize("step", [*BY_NAME, "require-pass"])
def test_a_task_installs_nothing(step: str) -> None:
    container = component(step).component_spec.implementation.container
    assert container.image == image()
    assert "pip install" not in " ".join(map(str, container.command))


@pytest.fixture
def runner(tmp_path: Path) -> Path:
    """Tasks run as processes of this interpreter; their outputs lie below this folder."""
    root = tmp_path / "outputs"
    local.init(local.SubprocessRunner(use_venv=False), pipeline_root=str(root), raise_on_error=True)
    return root


@dsl.pipeline(name="branching")
def branching(pipeline: str, policy: str, before: str, training: str, after: str, explained: str) -> None:
    """A gate whose answer decides what happens."""
    judged = kubeflow.gate(
        pipeline=pipeline,
        policy=policy,
        pretraining_bias=dsl.importer(artifact_uri=before, artifact_class=dsl.Artifact).output,
        training=dsl.importer(artifact_uri=training, artifact_class=dsl.Artifact).output,
        posttraining_bias=dsl.importer(artifact_uri=after, artifact_class=dsl.Artifact).output,
        explanations=dsl.importer(artifact_uri=explained, artifact_class=dsl.Artifact).output,
        no_fail=True,
    )
    with dsl.If(judged.outputs["Output"] == "FAIL"):
        kubeflow.require_pass(judged=judged.outputs["gate"])


def test_a_pipeline_branches_on_the_gate(finished: Path, runner: Path, capfd: pytest.CaptureFixture[str]) -> None:
    inputs = dict(zip(("before", "training", "after", "explained"), map(str, folders(finished)), strict=True))
    pipeline = self_contained(finished / "pipeline.yaml")
    branching(pipeline=pipeline, policy="", **inputs)
    assert not list(runner.rglob("require-pass"))
    with pytest.raises(RuntimeError, match="FAILURE"):
        branching(pipeline=pipeline, policy=yaml.safe_dump(STRICT), **inputs)
    assert "error: The gate says FAIL: " in capfd.readouterr().out
    outcomes = [json.loads(file.read_text(encoding="utf-8"))["outcome"] for file in runner.glob("*/gate/verdict")]
    assert sorted(outcomes) == ["FAIL", "PASS"]


@dsl.pipeline(name="registering")
def registering(  # noqa: PLR0917 - kfp calls the function of a pipeline by position
    pipeline: str, policy: str, registry_uri: str, before: str, training: str, after: str, explained: str
) -> None:
    """A registration that nothing follows."""
    kubeflow.register(
        pipeline=pipeline,
        policy=policy,
        registry_uri=registry_uri,
        pretraining_bias=dsl.importer(artifact_uri=before, artifact_class=dsl.Artifact).output,
        training=dsl.importer(artifact_uri=training, artifact_class=dsl.Artifact).output,
        posttraining_bias=dsl.importer(artifact_uri=after, artifact_class=dsl.Artifact).output,
        explanations=dsl.importer(artifact_uri=explained, artifact_class=dsl.Artifact).output,
    )


def test_a_refused_registration_fails_its_task_after_the_report_is_written(
    finished: Path, tmp_path: Path, runner: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(RuntimeError, match=r"FAILURE.*register"):
        registering(
            pipeline=self_contained(finished / "pipeline.yaml"),
            policy=yaml.safe_dump(STRICT),
            registry_uri=f"sqlite:///{tmp_path}/registry/mlflow.db",
            **dict(zip(("before", "training", "after", "explained"), map(str, folders(finished)), strict=True)),
        )
    (task,) = runner.glob("*/register")
    assert "FAIL" in (task / "report").read_text(encoding="utf-8")
    assert "FAIL" in (task / "card").read_text(encoding="utf-8")
    said = capfd.readouterr().out
    assert "error: The gate says FAIL: " in said
    assert "Nothing was registered." in said
    assert "Traceback" not in said


@dsl.pipeline(name="of-an-artifact")
def of_an_artifact(pipeline: str, dataset: str) -> None:
    """The dataset comes from a task before."""
    file = dsl.importer(artifact_uri=dataset, artifact_class=dsl.Dataset)
    kubeflow.pretraining_bias(pipeline=pipeline, dataset=file.output)


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

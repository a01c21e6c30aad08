"""The Kubeflow pipeline: compiled to a document that the backend's own schema takes, and run with the gate open, shut and never reached.

On the mortgage example it runs in `test_the_same_verdict.py`.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
import yaml
from google.protobuf import json_format  # type: ignore[import-untyped]
from kfp import compiler, local
from kfp.pipeline_spec import pipeline_spec_pb2
from mlflow import MlflowClient

from clarify_ops.components.documents import self_contained
from clarify_ops.components.kubeflow.settings import RETRIES
from clarify_ops.pipelines.kubeflow_gated_training import gated_training
from tests.project import people, write_documents

pytestmark = [
    # kfp cannot know that the environment of the tests is that of the image.
    pytest.mark.filterwarnings("ignore:You may be attemping to run a task:RuntimeWarning:kfp"),
    # Limits are for a cluster.
    pytest.mark.filterwarnings("ignore:.*have no effect in the current local runner:UserWarning:kfp"),
]

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
    assert {name for name, one in inputs.items() if not one.is_optional} == {"pipeline", "reports"}
    assert all(one.description for one in inputs.values())


def tasks_of(compiled: dict[str, Any], group: str) -> dict[str, Any]:
    found = compiled["components"][f"comp-{group}"]["dag"]["tasks"]
    assert isinstance(found, dict)
    return found


def test_the_tasks_wait_for_what_they_need(compiled: dict[str, Any]) -> None:
    assert set(compiled["root"]["dag"]["tasks"]) == {"exit-handler-1", "publish-at-exit"}
    inside = tasks_of(compiled, "exit-handler-1")
    needs = {name: set(task.get("dependentTasks", ())) for name, task in inside.items()}
    measured = FIVE - {"register"}
    assert needs == {
        "pretraining-bias": set(),
        "train": set(),
        "posttraining-bias": {"train"},
        "explain": {"train"},
        "gate": measured,
        "publish": {"gate"},
        "condition-branches-2": {*measured, "gate"},
    }
    branches = tasks_of(compiled, "condition-branches-2")
    conditions = [branch["triggerPolicy"]["condition"] for branch in branches.values()]
    assert conditions == [
        "inputs.parameter_values['pipelinechannel--gate-may_register'] == true",
        "!(inputs.parameter_values['pipelinechannel--gate-may_register'] == true)",
    ]
    assert [set(tasks_of(compiled, branch)) for branch in branches] == [{"register"}, {"require-pass"}]


def test_a_verdict_is_never_taken_from_a_cache(compiled: dict[str, Any]) -> None:
    groups = [one["dag"]["tasks"] for one in compiled["components"].values() if "dag" in one]
    tasks = {name: task for group in (*groups, compiled["root"]["dag"]["tasks"]) for name, task in group.items()}
    cached = {name for name, task in tasks.items() if task.get("cachingOptions", {}).get("enableCache")}
    assert cached == FIVE - {"register"}


# Of one person each: a column that no model may see, and a number as no other row has it.
NAME, NUMBER = "Planted Person-7731", 50.0607731
STRICT = {
    "version": "1",
    "name": "strict",
    "rules": [{"id": "ranks", "stage": "quality", "metric": "auc", "min": 0.999, "why": "Nothing is that good."}],
}


@pytest.fixture
def small(tmp_path: Path) -> dict[str, str]:
    """Arguments of a run on a small project."""
    local.init(local.SubprocessRunner(use_venv=False), pipeline_root=str(tmp_path / "outputs"), raise_on_error=True)
    write_documents(tmp_path)
    document = yaml.safe_load(self_contained(tmp_path / "pipeline.yaml"))
    document["data"]["exclude"] = {"who": "a name"}
    rows = people().assign(who="somebody")
    rows.loc[200, ["who", "income"]] = NAME, NUMBER
    rows.to_csv(tmp_path / "people.csv", index=False)
    return {
        "pipeline": yaml.safe_dump(document),
        "data": str(tmp_path / "people.csv"),
        "registry_uri": f"sqlite:///{tmp_path}/registry/mlflow.db",
        "reports": str(tmp_path / "reports"),
    }


def published(folder: Path) -> tuple[dict[str, Any], str]:
    """What the only run of a test published: its summary, and its page."""
    (place,) = folder.glob("reports/*")
    summary = json.loads((place / "run.json").read_text(encoding="utf-8"))
    assert isinstance(summary, dict)
    return summary, (place / "index.html").read_text(encoding="utf-8")


def versions(uri: str) -> list[Any]:
    return list(MlflowClient(uri, uri).search_model_versions())


def test_an_open_gate_registers_the_model_once(
    small: dict[str, str], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    gated_training(**small)
    (version,) = versions(small["registry_uri"])
    assert version.tags["clarify_ops.verdict"] == "PASS"
    client = MlflowClient(small["registry_uri"], small["registry_uri"])
    assert client.get_model_version_by_alias("small-model", "challenger").version == version.version
    (run,) = tmp_path.glob("outputs/*")
    registered = json.loads((run / "register" / "executor_output.json").read_text(encoding="utf-8"))
    assert registered["parameterValues"] == {"outcome": "PASS", "version": str(version.version)}
    for task, folder in (("gate", "gate"), ("register", "release")):
        assert (run / task / "report").read_text("utf-8") == (run / task / folder / "report.html").read_text("utf-8")
        assert (run / task / "card").read_text("utf-8") == (run / task / folder / "model_card.md").read_text("utf-8")
    assert (run / "train" / "candidate" / "MLmodel").is_file()

    summary, page = published(tmp_path)
    assert (summary["outcome"], summary["state"]) == ("PASS", "SUCCEEDED")
    assert page == (run / "gate" / "report").read_text(encoding="utf-8")
    assert page == (run / "publish-at-exit" / "page").read_text(encoding="utf-8")

    said = capfd.readouterr()
    texts = {"the log": (said.out + said.err).encode()}
    texts |= {
        str(file): file.read_bytes()
        for folder in (run, tmp_path / "reports")
        for file in folder.rglob("*")
        if file.is_file()
    }
    assert len(texts) > 50
    # The path of the data is looked for as well, so that the search is known to find what is there.
    assert [name for name, text in texts.items() if small["data"].encode() in text]
    for planted in (NAME, str(NUMBER)):
        assert [name for name, text in texts.items() if planted.encode() in text] == []


def test_a_shut_gate_fails_the_run_and_leaves_the_report(
    small: dict[str, str], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(RuntimeError, match=r"FAILURE.*require-pass"):
        gated_training(**small, policy=yaml.safe_dump(STRICT))
    assert "error: The gate says FAIL: " in capfd.readouterr().out
    assert not list(tmp_path.glob("outputs/*/register"))
    assert versions(small["registry_uri"]) == []
    summary, page = published(tmp_path)
    assert (summary["outcome"], summary["may_register"], summary["state"]) == ("FAIL", False, "FAILED")
    assert summary["reason"] in page


KILLED = """
import os, signal
from sklearn.linear_model import LogisticRegression

class Killed(LogisticRegression):
    def fit(self, *_, **__):
        with open(os.environ["TRIES"], "a") as tries:
            tries.write("tried\\n")
        os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_killed_task_ends_the_run_and_a_page_says_how_far_it_came(
    small: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "memory.py").write_text(KILLED, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")]))
    monkeypatch.setenv("TRIES", str(tmp_path / "tries"))
    document = {**yaml.safe_load(small["pipeline"]), "train": {"estimator": "memory.Killed"}}
    with pytest.raises(RuntimeError, match=r"FAILURE.*train"):
        gated_training(**{**small, "pipeline": yaml.safe_dump(document)})
    # As often as it may be: a container that was killed for memory may find more room elsewhere.
    assert len((tmp_path / "tries").read_text(encoding="utf-8").split()) == 1 + RETRIES
    assert {task.name for task in tmp_path.glob("outputs/*/*")} >= {"publish-at-exit"}
    assert not list(tmp_path.glob("outputs/*/register"))
    assert versions(small["registry_uri"]) == []
    summary, page = published(tmp_path)
    assert (summary["outcome"], summary["state"]) == (None, "FAILED")
    assert "ended before anything was judged" in page

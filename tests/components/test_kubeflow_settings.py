"""What a pipeline's author is told when it is compiled, and what `settled` writes into it.

Without postponed annotations: kfp reads the real types of a pipeline's parameters.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from kfp import compiler, dsl
from kfp.dsl.types.type_utils import InconsistentTypeException

from clarify_ops.components import kubeflow
from clarify_ops.errors import BadInput
from clarify_ops.steps.table import BY_NAME


def given(path: str = "/made/before") -> Any:
    return dsl.importer(artifact_uri=path, artifact_class=dsl.Artifact).output


def parts() -> dict[str, Any]:
    return {name: given() for name in ("pretraining_bias", "training", "posttraining_bias", "explanations")}


def executed(document: dict[str, Any], task: str) -> dict[str, Any]:
    found = document["deploymentSpec"]["executors"][f"exec-{task}"]["container"]
    assert isinstance(found, dict)
    return found


def compile_it(body: Callable[..., Any], folder: Path) -> dict[str, Any]:
    file = folder / "pipeline.yaml"
    compiler.Compiler().compile(dsl.pipeline(name="tried")(body), str(file))
    (document,) = yaml.safe_load_all(file.read_text(encoding="utf-8"))
    assert isinstance(document, dict)
    return document


def every_step(pipeline: str) -> None:
    same = {"pipeline": pipeline}
    calls: dict[str, Callable[[], Any]] = {
        "pretraining-bias": lambda: kubeflow.pretraining_bias(**same),
        "train": lambda: kubeflow.train(**same),
        "posttraining-bias": lambda: kubeflow.posttraining_bias(training=given(), **same),
        "explain": lambda: kubeflow.explain(training=given(), **same),
        "gate": lambda: kubeflow.gate(no_fail=True, **parts(), **same),
        "register": lambda: kubeflow.register(**parts(), **same),
        "publish": lambda: kubeflow.publish(to="reports"),
        "audit": lambda: kubeflow.audit(**same),
        "require-pass": lambda: kubeflow.require_pass(judged=given()),
    }
    assert set(calls) == {*BY_NAME, "require-pass"}
    at_the_end = kubeflow.settled(kubeflow.publish_at_exit(to="reports"))
    with dsl.ExitHandler(at_the_end):
        for call in calls.values():
            kubeflow.settled(call())


def test_what_is_pure_is_cached_and_what_is_safe_is_tried_again(tmp_path: Path) -> None:
    document = compile_it(every_step, tmp_path)
    tasks = document["components"]["comp-exit-handler-1"]["dag"]["tasks"] | document["root"]["dag"]["tasks"]
    ours = {name: task for name, task in tasks.items() if f"exec-{name}" in document["deploymentSpec"]["executors"]}
    ours = {name: task for name, task in ours.items() if not name.startswith("importer")}
    assert set(ours) == {*BY_NAME, "require-pass", "publish-at-exit"}
    cached = {name for name, task in ours.items() if task["cachingOptions"].get("enableCache", False)}
    assert cached == {name for name, step in BY_NAME.items() if step.pure}
    assert {name for name, task in ours.items() if "retryPolicy" not in task} == {"audit", "require-pass"}
    assert {task["retryPolicy"]["maxRetryCount"] for task in ours.values() if "retryPolicy" in task} == {2}
    # A registry that is away is not back at once.
    waiting = {name for name, task in ours.items() if task.get("retryPolicy", {}).get("backoffDuration", "0s") != "0s"}
    assert waiting == {"register", "publish", "publish-at-exit"}


def settings_of_ones_own(pipeline: str) -> None:
    kubeflow.settled(kubeflow.train(pipeline=pipeline), cpu="2", memory="4Gi", retries=0)
    kubeflow.settled(kubeflow.audit(pipeline=pipeline), retries=5)
    # It fails where it refuses, which another try would only repeat.
    kubeflow.settled(kubeflow.gate(pipeline=pipeline, **parts()))


def test_settings_are_the_authors(tmp_path: Path) -> None:
    document = compile_it(settings_of_ones_own, tmp_path)
    tasks = document["root"]["dag"]["tasks"]
    assert "retryPolicy" not in tasks["train"]
    assert "retryPolicy" not in tasks["gate"]
    assert tasks["audit"]["retryPolicy"]["maxRetryCount"] == 5
    assert executed(document, "train")["resources"]["resourceCpuLimit"] == "2"
    assert executed(document, "train")["resources"]["resourceMemoryLimit"] == "4Gi"
    assert "resources" not in executed(document, "gate")


def number_for_text(pipeline: int) -> None:
    kubeflow.train(pipeline=pipeline)


def text_for_a_switch(pipeline: str) -> None:
    kubeflow.audit(pipeline=pipeline, demote="yes")


def text_for_a_folder(pipeline: str) -> None:
    kubeflow.explain(pipeline=pipeline, training=pipeline)


def metrics_for_a_model(pipeline: str) -> None:
    kubeflow.train(pipeline=pipeline, model=kubeflow.pretraining_bias(pipeline=pipeline).outputs["metrics"])


def verdict_as_text(pipeline: str) -> None:
    judged = kubeflow.gate(pipeline=pipeline, **parts())
    kubeflow.register(pipeline=pipeline, verdict=judged.outputs["outcome"], **parts())


@pytest.mark.parametrize(
    ("body", "named"),
    [
        (number_for_text, "'pipeline' of component 'train'"),
        (text_for_a_switch, "'demote' of component 'audit'"),
        (text_for_a_folder, "'training' of component 'explain'"),
        (metrics_for_a_model, "'model' of component 'train'"),
        (verdict_as_text, "'verdict' of component 'register'"),
    ],
)
def test_a_wrong_type_is_named_when_the_pipeline_is_compiled(body: Any, named: str, tmp_path: Path) -> None:
    with pytest.raises(InconsistentTypeException, match=named):
        compile_it(body, tmp_path)


def training_forgotten(pipeline: str) -> None:
    kubeflow.explain(pipeline=pipeline)


def misspelt(pipeline: str) -> None:
    kubeflow.train(pipeline=pipeline, polcy="")


@pytest.mark.parametrize(("body", "named"), [(training_forgotten, "training"), (misspelt, "polcy")])
def test_a_wrong_name_is_named_when_the_pipeline_is_compiled(body: Any, named: str, tmp_path: Path) -> None:
    with pytest.raises(TypeError, match=named):
        compile_it(body, tmp_path)


def password_in_the_pipeline(pipeline: str) -> None:
    kubeflow.settled(
        kubeflow.register(pipeline=pipeline, registry_uri="https://bot:planted-7731@mlflow.example", **parts())
    )


def test_a_password_does_not_get_into_a_pipeline(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="The parameter registry_uri holds an address with a password") as refused:
        compile_it(password_in_the_pipeline, tmp_path)
    assert "planted" not in str(refused.value)
    assert not list(tmp_path.iterdir())

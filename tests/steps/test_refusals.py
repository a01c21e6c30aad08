"""The way into the registry cannot be walked around: what does not belong together is refused, and so is what is not shown."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml

from clarify_ops.card import CARDS, Attached, cards
from clarify_ops.gate.evidence import Evidence
from clarify_ops.gate.release import Release
from clarify_ops.steps import train
from clarify_ops.steps.folder import file_digests, metrics_digest
from tests.project import STEPS, Project, registered


def rewrite(folder: Path, change: Callable[[dict[str, Any]], object] = lambda _: None, **claims: object) -> None:
    """Forges a step as somebody who knows the format would: its metrics, with fitting digests of everything."""
    metrics = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))
    change(metrics)
    (folder / "metrics.json").write_text(json.dumps(metrics), encoding="utf-8")
    step = json.loads((folder / "step.json").read_text(encoding="utf-8"))
    step["claims"].update(metrics=metrics_digest(metrics), **claims)
    step["envelope"]["files"] = file_digests(folder)
    forged = Evidence(step["claims"], step["envelope"])
    (folder / "step.json").write_text(json.dumps(forged.to_json()), encoding="utf-8")


def test_what_belongs_together_is_registered(ready: Project) -> None:
    status, out, err = ready.step("register")
    assert status == 0, err
    assert "Verdict: PASS" in out
    assert registered(ready) == ["small-model"]


def refused(project: Project, *words: str, status: int = 3, arguments: tuple[str, ...] = ()) -> None:
    """Asserts that registration is refused in words, and that nothing is registered."""
    found, out, err = project.step("register", *arguments)
    assert found == status, err + out
    for word in words:
        assert word in err + out
    assert "Traceback" not in err
    assert registered(project) == []


def test_another_model(ready: Project, tmp_path_factory: pytest.TempPathFactory) -> None:
    """A model that was trained otherwise is not the one whose bias was measured."""
    other = tmp_path_factory.mktemp("other")
    shutil.copytree(ready.folder, other, dirs_exist_ok=True)
    ready.edit(lambda d: d["train"]["parameters"].update(C=0.001))
    status, _, err = ready.cli("train", "--pipeline", "pipeline.yaml", "--output", "elsewhere")
    assert status == 0, err
    ready.edit(lambda d: d["train"]["parameters"].pop("C"))
    shutil.rmtree(ready.folder / "run" / "training" / "model")
    shutil.copytree(ready.folder / "elsewhere" / "model", ready.folder / "run" / "training" / "model")
    refused(ready, "another model", "train")


def test_a_whole_training_of_another_configuration(ready: Project) -> None:
    ready.edit(lambda d: d["train"]["parameters"].update(C=0.001))
    assert ready.cli("train", "--pipeline", "pipeline.yaml", "--output", "run/training")[0] == 0
    ready.edit(lambda d: d["train"]["parameters"].pop("C"))
    refused(ready, "another configuration", "train")


def test_another_dataset(ready: Project) -> None:
    ready.edit_data(lambda d: d.assign(income=d["income"] + 1))
    refused(ready, "another dataset")


@pytest.mark.parametrize("step", STEPS)
def test_evidence_of_another_dataset(ready: Project, step: str) -> None:
    """One step that looked at other data is enough."""
    original = (ready.folder / "data.csv").read_bytes()
    ready.edit_data(lambda d: d.iloc[::-1])
    names = {
        "pretraining_bias": "pretraining-bias",
        "posttraining_bias": "posttraining-bias",
        "explanations": "explain",
    }
    for one in ("training", step) if step in {"posttraining_bias", "explanations"} else (step,):
        keep = ready.folder / "run" / one
        if one != step:
            shutil.copytree(keep, ready.folder / "kept")
        assert ready.step(names.get(one, "train"))[0] == 0
    if (ready.folder / "kept").exists():
        shutil.rmtree(ready.folder / "run" / "training")
        (ready.folder / "kept").rename(ready.folder / "run" / "training")
    (ready.folder / "data.csv").write_bytes(original)
    refused(ready, "another dataset")


def test_evidence_of_another_policy(ready: Project) -> None:
    """A verdict and evidence that were made under an easier policy are not taken."""
    assert ready.step("gate")[0] == 0
    ready.edit(lambda d: d["rules"][0].update(min=0.61), "policy.yaml")
    refused(ready, "about another policy", arguments=("--evidence", "run/gate/evidence.json"))
    refused(ready, "is not the one", arguments=("--verdict", "run/gate/verdict.json"))


def test_a_verdict_is_compared_and_never_trusted(ready: Project) -> None:
    ready.edit(lambda d: d["rules"][0].update(min=0.999), "policy.yaml")
    status, _, _ = ready.step("gate")
    assert status == 3
    verdict = ready.folder / "run" / "gate" / "verdict.json"
    document = json.loads(verdict.read_text(encoding="utf-8"))
    document.update(outcome="PASS", may_register=True)
    verdict.write_text(json.dumps(document), encoding="utf-8")
    refused(ready, "is not the one", "(PASS)", "(FAIL)", arguments=("--verdict", "run/gate/verdict.json"))


def test_the_same_verdict_and_evidence_are_taken(ready: Project) -> None:
    assert ready.step("gate")[0] == 0
    arguments = ("--verdict", "run/gate/verdict.json", "--evidence", "run/gate/evidence.json")
    status, _, err = ready.step("register", *arguments)
    assert status == 0, err


def test_an_empty_policy(ready: Project) -> None:
    ready.edit(lambda d: d.update(rules=[]), "policy.yaml")
    refused(ready, "no rules")


def test_a_metric_that_was_not_measured(ready: Project) -> None:
    ready.edit(
        lambda d: d["rules"].append(
            {"id": "x", "stage": "post_training", "metric": "XY", "facet": "g", "max": 1, "why": "w"}
        ),
        "policy.yaml",
    )
    refused(ready, "The metric 'XY' is not known in stage post_training", status=2)


def test_a_metric_that_the_analysis_left_out(project: Project) -> None:
    project.edit(lambda d: d["analysis"]["methods"].update(post_training_bias={"methods": ["DI"]}))
    status, out, _ = project.run()
    assert status == 3
    assert "No RD was measured" in out
    assert registered(project) == []


def test_a_facet_value_that_the_data_lack(ready: Project) -> None:
    ready.edit(lambda d: d["rules"][1].update(values=["1", "2"]), "policy.yaml")
    refused(ready, "g = 2", "it has: 1")


def test_an_undefined_value(project: Project) -> None:
    """Nobody of the group has a positive label: its recall does not exist, and that is not parity."""
    project.edit_data(lambda d: d.assign(good=d["good"].where(d["g"] == 0, 0)))
    status, out, _ = project.run()
    assert status == 3
    assert "Undefined: There are no disadvantaged rows with a positive label." in out
    assert registered(project) == []


def test_metrics_that_were_edited(ready: Project) -> None:
    file = ready.folder / "run" / "posttraining_bias" / "metrics.json"
    file.write_text(file.read_text(encoding="utf-8").replace("0.", "0.0", 1), encoding="utf-8")
    refused(ready, "was changed after the step posttraining-bias wrote it")


def test_claims_that_were_edited(ready: Project) -> None:
    file = ready.folder / "run" / "posttraining_bias" / "step.json"
    document = json.loads(file.read_text(encoding="utf-8"))
    document["claims"]["model"] = "sha256:0"
    file.write_text(json.dumps(document), encoding="utf-8")
    refused(ready, "They were changed after they were made")


@pytest.mark.parametrize("step", ["pretraining_bias", "posttraining_bias"])
def test_metrics_that_were_forged_with_care(ready: Project, step: str) -> None:
    """Even with fitting digests: the numbers are computed again from the rows."""

    def flatter(metrics: dict[str, Any]) -> None:
        for measure in metrics["measures"]:
            if measure["metric"] in {"RD", "DPL"}:
                measure["value"] = 0.0

    rewrite(ready.folder / "run" / step, flatter)
    refused(ready, "than its rows give")


def test_predictions_that_were_edited(ready: Project) -> None:
    import pandas as pd

    file = ready.folder / "run" / "training" / "predictions.parquet"
    frame = pd.read_parquet(file)
    frame.assign(predicted_label=True).to_parquet(file, index=False)
    refused(ready, "predictions.parquet", "was changed after")
    rewrite(file.parent)
    refused(ready, "another set of predictions")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda f: f.assign(score=f["label"] * 0.9, predicted_label=f["label"])[f["label"]], "other rows"),
        (lambda f: f.assign(label=f["predicted_label"]), "other labels"),
        (lambda f: f.assign(predicted_label=f["label"]), "other predicted labels"),
        (lambda f: f.assign(score=f["score"] * 2), "other scores"),
        (lambda f: f.assign(fold=f["fold"] * 0), "other folds"),
    ],
)
def test_predictions_that_were_forged_with_care(
    ready: Project, change: Callable[[pd.DataFrame], pd.DataFrame], words: str
) -> None:
    """Rows, folds and labels follow from data and pipeline, so that nobody can choose those that flatter."""
    folder = ready.folder / "run" / "training"
    file = folder / train.PREDICTIONS
    change(pd.read_parquet(file)).to_parquet(file, index=False)
    rewrite(folder, predictions=train.Predicted.read(file).digest)
    refused(ready, words)


def test_explanations_speak_of_explanations_alone(ready: Project) -> None:
    """A measure of another stage among them would answer a rule that nothing else answers."""

    def add(metrics: dict[str, Any]) -> None:
        metrics["measures"].append({**metrics["measures"][0], "stage": "quality", "metric": "precision"})

    rewrite(ready.folder / "run" / "explanations", add)
    rule = {"id": "x", "stage": "quality", "metric": "precision", "min": 0, "why": "w"}
    ready.edit(lambda d: d["rules"].append(rule), "policy.yaml")
    refused(ready, "claims another precision")


@pytest.mark.parametrize(
    "name",
    [
        "posttraining_bias/analysis.json",
        "explanations/analysis.json",
        "explanations/explanations_shap/out.csv",
        "training/model/requirements.txt",
        "training/model/conda.yaml",
    ],
)
def test_no_file_of_a_step_is_exchanged(ready: Project, name: str) -> None:
    """Not even those that no claim is about: they go to the registry with the model."""
    (ready.folder / "run" / name).write_text("{}", encoding="utf-8")
    refused(ready, Path(name).name, "was changed after")


def test_nothing_is_added_to_a_step(ready: Project) -> None:
    added = ready.folder / "run" / "training" / "model" / "conda.yaml"
    (added.parent / "code").mkdir()
    shutil.copy(added, added.parent / "code" / "conda.yaml")
    refused(ready, "another model")
    shutil.rmtree(added.parent / "code")
    (ready.folder / "run" / "explanations" / "secret.json").write_text("{}", encoding="utf-8")
    refused(ready, "secret.json was added after")


def test_links_are_refused(ready: Project, tmp_path_factory: pytest.TempPathFactory) -> None:
    """What a link leads to could be exchanged, or be a file that is nobody else's business."""
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (elsewhere / "secret.json").write_text("{}", encoding="utf-8")
    link = ready.folder / "run" / "training" / "secret.json"
    link.symlink_to(elsewhere / "secret.json")
    refused(ready, "secret.json is a link")
    link.unlink()
    (ready.folder / "run" / "training" / "model" / "code").symlink_to(elsewhere)
    refused(ready, "code is a link")


def test_a_model_that_is_described_otherwise(ready: Project) -> None:
    """The description names the file that a registry's users load."""
    folder = ready.folder / "run" / "training" / "model"
    (folder / "requirements.txt").write_bytes((folder / "model.skops").read_bytes())
    description = folder / "MLmodel"
    text = description.read_text(encoding="utf-8").replace("model.skops", "requirements.txt")
    description.write_text(text, encoding="utf-8")
    rewrite(folder.parent)
    refused(ready, "another model")


def test_a_model_that_is_exchanged_while_it_is_judged(ready: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between the look at a model and its registration there is time to put another in its place."""
    model = ready.folder / "run" / "training" / "model" / "model.skops"

    def exchange(release: Release, attached: Attached) -> dict[str, str]:
        model.write_bytes(b"another")
        return cards(release, attached)

    monkeypatch.setattr("clarify_ops.steps.papers.cards", exchange)
    refused(ready, "was changed while it was being judged")


@pytest.mark.parametrize(
    "content", ["[]", '{"claims": [], "digest": "x", "envelope": {}}', '{"claims": {}, "digest": 5}']
)
def test_a_step_file_that_is_none(ready: Project, content: str) -> None:
    (ready.folder / "run" / "explanations" / "step.json").write_text(content, encoding="utf-8")
    refused(ready, "is not evidence of a step", status=2)


def test_metrics_that_are_none(ready: Project) -> None:
    rewrite(ready.folder / "run" / "explanations", lambda metrics: metrics["measures"].append({"value": 1}))
    refused(ready, "does not hold the measures of a step", status=2)


def test_explanations_that_were_edited(ready: Project) -> None:
    file = ready.folder / "run" / "explanations" / "explanations.json"
    document = json.loads(file.read_text(encoding="utf-8"))
    document["shap"]["warnings"] = ["edited"]
    file.write_text(json.dumps(document), encoding="utf-8")
    refused(ready, "another set of explanations")


def test_a_refused_candidate_leaves_report_card_and_run_but_no_model(ready: Project) -> None:
    ready.edit(lambda d: d["rules"][0].update(min=0.9999), "policy.yaml")
    refused(ready, "FAIL ranks: auc for all rows", "bound at least 0.9999", "rows 400", "Registered  nothing")
    release = ready.folder / "run" / "release"
    for name in (
        "verdict.json",
        "evidence.json",
        "report.html",
        *CARDS,
        "metrics.json",
        "analysis.json",
    ):
        assert (release / name).stat().st_size > 100, name
    assert not (release / "registration.json").exists()
    assert json.loads((release / "verdict.json").read_text(encoding="utf-8"))["outcome"] == "FAIL"


def test_a_registry_that_fails_does_not_change_a_refusal(ready: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    nowhere = ("--registry-uri", "http://127.0.0.1:9")
    assert ready.step("register", *nowhere)[0] == 5
    assert not (ready.folder / "run" / "release").exists()
    ready.edit(lambda d: d["rules"][0].update(min=0.9999), "policy.yaml")
    status, out, _ = ready.step("register", *nowhere)
    assert status == 3
    assert "not kept: The MLflow registry http://127.0.0.1:9 failed" in out
    assert (ready.folder / "run" / "release" / "report.html").is_file()


def test_inconclusive_blocks_unless_the_policy_warns(ready: Project) -> None:
    auc = next(
        one
        for one in json.loads((ready.folder / "run/posttraining_bias/metrics.json").read_text(encoding="utf-8"))[
            "measures"
        ]
        if one["metric"] == "auc" and one["facet"] is None
    )
    ready.edit(lambda d: d["rules"][0].update(min=auc["value"]), "policy.yaml")
    refused(ready, "INCONCLUSIVE ranks", status=4)
    ready.edit(lambda d: d.update(inconclusive="approval"), "policy.yaml")
    refused(ready, "INCONCLUSIVE ranks", status=4)
    assert ready.step("gate", "--no-fail")[0] == 0
    ready.edit(lambda d: d.update(inconclusive="warn"), "policy.yaml")
    assert ready.step("register")[0] == 0
    assert registered(ready) == ["small-model"]


@pytest.mark.parametrize(
    ("granted", "expires", "up_to", "status", "words"),
    [
        ("2020-01-01", "2099-12-31", 0.5, 0, "counts until 2099-12-31"),
        ("2020-01-01", "2020-12-31", 0.5, 3, "expired on 2020-12-31"),
        ("2098-01-01", "2099-12-31", 0.5, 3, "does not count before 2098-01-01"),
        ("2020-01-01", "2099-12-31", 0.9998, 3, "the value is beyond 0.9998"),
    ],
)
def test_waivers(ready: Project, granted: str, expires: str, up_to: float, status: int, words: str) -> None:
    waiver = {"rule": "ranks", "up_to": up_to, "reason": "A challenger.", "author": "Ann", "approver": "Bo"}

    def change(policy: dict[str, Any]) -> None:
        policy["rules"][0].update(min=0.9999)
        policy["waivers"] = [{**waiver, "granted": granted, "expires": expires}]

    ready.edit(change, "policy.yaml")
    found, out, _ = ready.step("register")
    assert found == status
    assert words in out
    assert "A challenger." in out
    assert registered(ready) == (["small-model"] if status == 0 else [])
    for name in ("report.html", "model_card.md"):
        assert "A challenger." in (ready.folder / "run" / "release" / name).read_text(encoding="utf-8")


def test_the_policy_of_the_command_line_is_the_one_that_judges(ready: Project) -> None:
    strict = yaml.safe_load((ready.folder / "policy.yaml").read_text(encoding="utf-8"))
    strict["rules"][0]["min"] = 0.9999
    (ready.folder / "strict.yaml").write_text(yaml.safe_dump(strict), encoding="utf-8")
    refused(ready, "FAIL ranks", arguments=("--policy", "strict.yaml"))

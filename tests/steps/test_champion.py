"""A candidate is compared with the champion on the same rows, and the first release has none."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml
from jsonschema import Draft202012Validator

from clarify_ops.cli.schemas import written_schema
from clarify_ops.errors import BadDocument
from clarify_ops.steps.replay import replay
from clarify_ops.steps.train import Predicted
from clarify_ops.steps.verifying import verify
from tests.project import Project

RULES = [
    {"id": "as-accurate", "stage": "champion", "metric": "accuracy", "min": -0.1, "why": "No worse by ten points."},
    {
        "id": "as-fair",
        "stage": "champion",
        "metric": "DPPL",
        "facet": "g",
        "max": 0.2,
        "why": "No farther from parity.",
    },
]


@pytest.fixture
def ready(project: Project, finished: Path) -> Project:
    """A project whose steps have run, up to the gate, and whose policy compares with the champion."""
    project.take_over(finished)
    shutil.rmtree(project.folder / "registry", ignore_errors=True)
    project.edit(lambda policy: policy["rules"].extend(RULES), "policy.yaml")
    return project


def verdict(project: Project, folder: str = "run/gate") -> dict[str, dict[str, Any]]:
    document = json.loads((project.folder / folder / "verdict.json").read_text(encoding="utf-8"))
    return {one["rule"]: one for one in document["judgements"]}


def gate(project: Project, *arguments: str) -> tuple[int, str, str]:
    return project.step("gate", *arguments)


def test_without_a_champion_the_rules_fail_unless_the_policy_lets_the_first_release_pass(ready: Project) -> None:
    status, _, err = gate(ready)
    assert status == 3, err
    for name in ("as-accurate", "as-fair"):
        assert verdict(ready)[name]["outcome"] == "FAIL"
        assert verdict(ready)[name]["reason"] == (
            "small-model has no champion in the registry yet. A policy with no_champion: pass lets a first release pass."
        )
    ready.edit(lambda policy: policy.update(no_champion="pass"), "policy.yaml")
    status, _, err = gate(ready)
    assert status == 0, err
    assert "(no_champion: pass)" in verdict(ready)["as-accurate"]["reason"]


def test_a_comparison_is_replayed_with_the_answers_that_were_kept(ready: Project) -> None:
    """Who is champion by then says nothing of what the candidate was compared with; a first release had none."""
    place = ready.folder / "run" / "training" / "predictions.parquet"
    assert ready.step("register", "--champion", str(place))[0] == 0
    schema = Draft202012Validator(written_schema("statement"))
    schema.validate(json.loads((ready.folder / "run" / "release" / "statement.json").read_bytes()))
    assert verify(ready.folder / "run").exit_status == 0
    assert replay(ready.folder / "run", keep_model=True).differences == ()
    shutil.rmtree(ready.folder / "run" / "release" / "champion")
    with pytest.raises(BadDocument, match="The answers of the champion were not kept"):
        replay(ready.folder / "run", keep_model=True)
    ready.edit(lambda policy: policy.update(no_champion="pass"), "policy.yaml")
    empty = {"alias": "champion", "uri": "sqlite:///empty/mlflow.db"}
    ready.edit(lambda pipeline: pipeline["registry"].update(empty))
    assert ready.step("register")[0] == 0
    assert replay(ready.folder / "run", keep_model=True).differences == ()


def test_the_predictions_of_another_training_are_compared_row_by_row(ready: Project) -> None:
    """Of itself a candidate is no worse, and what was compared is bound into the evidence."""
    place = ready.folder / "run" / "training" / "predictions.parquet"
    status, _, err = gate(ready, "--champion", str(place))
    assert status == 0, err
    found = verdict(ready)
    assert (found["as-accurate"]["value"], found["as-fair"]["value"]) == (0, 0)
    folder = ready.folder / "run" / "gate"
    evidence = json.loads((folder / "evidence.json").read_text(encoding="utf-8"))
    assert evidence["claims"]["champion"] == {"model": None, "predictions": Predicted.read(place).digest}
    facts = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))["champion"]
    assert facts["mcnemar"] == {"candidate_alone": 0, "champion_alone": 0, "p_value": 1.0}
    # The folder that the gate keeps repeats the comparison without the place it came from.
    kept = ready.folder / "kept"
    shutil.copytree(folder / "champion", kept)
    status, _, err = gate(ready, "--champion", str(kept))
    assert status == 0, err
    assert json.loads((folder / "evidence.json").read_text(encoding="utf-8"))["claims"] == evidence["claims"]


def test_a_better_champion_is_not_passed_by(ready: Project) -> None:
    place = ready.folder / "oracle.parquet"
    frame = pd.read_parquet(ready.folder / "run" / "training" / "predictions.parquet")
    frame["score"] = frame["label"].astype(float)
    frame.sample(frac=1, random_state=0).to_parquet(place, index=False)
    status, _, err = gate(ready, "--champion", str(place))
    assert status == 3, err
    judged = verdict(ready)["as-accurate"]
    assert judged["outcome"] == "FAIL"
    assert judged["value"] < -0.1
    assert judged["interval"]["high"] < -0.1


def test_the_champion_of_the_registry_is_asked_about_the_same_rows(ready: Project) -> None:
    ready.edit(lambda policy: policy.update(no_champion="pass"), "policy.yaml")
    ready.edit(lambda pipeline: pipeline["registry"].update(alias="champion"))
    status, _, err = ready.step("register")
    assert status == 0, err
    status, _, err = gate(ready)
    assert status == 0, err
    facts = json.loads((ready.folder / "run" / "gate" / "metrics.json").read_text(encoding="utf-8"))["champion"]
    training = json.loads((ready.folder / "run" / "training" / "step.json").read_text(encoding="utf-8"))
    assert facts["name"] == "models:/small-model/1"
    assert facts["model"] == training["claims"]["model"]
    assert facts["trained_on"] == training["claims"]["data"]
    assert facts["warnings"] == ["The champion was trained on the rows that it is compared on, which flatters it."]
    by_name = gate(ready, "--champion", "models:/small-model@champion")
    assert by_name[0] == 0, by_name[2]
    as_folder = gate(ready, "--champion", str(ready.folder / "run" / "training" / "model"))
    assert as_folder[0] == 0, as_folder[2]
    absent = gate(ready, "--champion", "models:/small-model@nobody")
    assert absent[0] == 2
    assert "models:/small-model@nobody" in absent[2]


def test_the_champion_is_looked_for_in_the_registry_that_is_named(ready: Project) -> None:
    ready.edit(lambda policy: policy.update(no_champion="pass"), "policy.yaml")
    ready.edit(lambda pipeline: pipeline["registry"].update(alias="champion"))
    elsewhere = ("--registry-uri", f"sqlite:///{ready.folder}/elsewhere/mlflow.db")
    assert ready.step("register", *elsewhere)[0] == 0
    status, _, err = gate(ready, *elsewhere)
    assert status == 0, err
    facts = json.loads((ready.folder / "run" / "gate" / "metrics.json").read_text(encoding="utf-8"))["champion"]
    assert facts["name"] == "models:/small-model/1"
    # What the gate says is what registration says, which looks into the same registry.
    status, _, err = ready.step("register", *elsewhere, "--verdict", "run/gate/verdict.json")
    assert status == 0, err


@pytest.mark.parametrize("what", ["absent", "other rows", "other labels", "no predictions", "no probabilities"])
def test_what_cannot_be_compared_is_one_sentence(ready: Project, what: str) -> None:
    place = ready.folder / "champion.parquet"
    frame = pd.read_parquet(ready.folder / "run" / "training" / "predictions.parquet")
    if what == "other rows":
        frame = frame.iloc[1:]
    if what == "other labels":
        frame["label"] = ~frame["label"]
    if what == "no predictions":
        frame = frame[["row"]]
    if what == "no probabilities":
        frame["score"] = frame["score"] + 1
    if what != "absent":
        frame.to_parquet(place, index=False)
    status, out, err = gate(ready, "--champion", str(place))
    assert status == (3 if "other" in what else 2), err + out
    assert "champion" in err
    assert "Traceback" not in err


def test_without_a_rule_nobody_looks_for_a_champion(project: Project, finished: Path) -> None:
    project.take_over(finished)
    status, _, err = project.step("gate", "--champion", "nowhere")
    assert status == 0, err
    assert "champion" not in yaml.safe_load((project.folder / "run" / "gate" / "metrics.json").read_text("utf-8"))

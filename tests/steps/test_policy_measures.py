"""What a policy can bound beyond bias: references, worst groups, calibration, facts about rows, any number of any step."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.project import Project

STEPS = ("pretraining_bias", "posttraining_bias", "explanations")


def judged(project: Project, rules: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    project.edit(lambda policy: policy.update(rules=rules), "policy.yaml")
    _, _, err = project.step("gate", "--no-fail")
    file = project.folder / "run" / "gate" / "verdict.json"
    assert file.is_file(), err
    return {one["rule"]: one for one in json.loads(file.read_text(encoding="utf-8"))["judgements"]}


def test_any_number_that_a_step_wrote_can_be_bounded(ready: Project) -> None:
    """Every measure of every step without a facet, by stage and name alone, on the right side of it and on the wrong one."""
    measures = [
        one
        for step in STEPS
        for one in json.loads((ready.folder / "run" / step / "metrics.json").read_text(encoding="utf-8"))["measures"]
        if one["facet"] is None and isinstance(one["value"], int | float)
    ]
    assert {one["stage"] for one in measures} == {"data", "quality", "explanations"}
    for bound, shift, outcome in (("max", 0.0, "PASS"), ("min", 1e-3, "FAIL")):
        rules = [
            {
                "id": f"rule-{place}",
                "stage": one["stage"],
                "metric": one["metric"],
                "mode": "point",
                "sides": "one",
                "why": "Any.",
                bound: one["value"] + shift,
            }
            for place, one in enumerate(measures)
        ]
        found = judged(ready, rules)
        for place, one in enumerate(measures):
            judgement = found[f"rule-{place}"]
            assert (one["metric"], judgement["outcome"]) == (one["metric"], outcome)
            assert judgement["value"] == pytest.approx(one["value"])


def test_rows_worst_groups_calibration_and_references(ready: Project) -> None:
    why = {"why": "Agreed."}
    rules = [
        {"id": "missing", "stage": "data", "metric": "missing_share:income", "max": 0, **why},
        {"id": "seen", "stage": "data", "metric": "seen_share", "max": 0, **why},
        {"id": "contradicted", "stage": "data", "metric": "contradicted_share", "max": 0, **why},
        {"id": "worst", "stage": "quality", "metric": "worst_accuracy", "facet": "g", "min": 0.5, **why},
        {"id": "calibrated", "stage": "quality", "metric": "calibration_gap", "facet": "g", "within": 0.3, **why},
        {"id": "nobody", "stage": "post_training", "metric": "RD", "facet": "g", "reference": 7, "within": 0.3, **why},
    ]
    found = judged(ready, rules)
    assert {name for name, one in found.items() if one["outcome"] == "PASS"} == {
        "missing",
        "seen",
        "contradicted",
        "worst",
        "calibrated",
    }
    assert "RD was measured against g = 7" in found["nobody"]["reason"]


def test_the_policy_names_the_reference_group(project: Project) -> None:
    def ask(document: dict[str, Any]) -> None:
        document["analysis"]["facet"] = [{"name_or_index": "town"}]
        document["analysis"]["methods"] = {
            name: document["analysis"]["methods"][name] for name in ("pre_training_bias", "post_training_bias")
        }

    project.edit(ask)
    rule = {"stage": "pre_training", "metric": "DPL", "facet": "town", "reference": "north", "within": 0.9}
    project.edit(lambda policy: policy.update(rules=[{"id": "against", **rule, "why": "Agreed."}]), "policy.yaml")
    status, _, err = project.run()
    assert status == 0, err
    metrics = json.loads((project.folder / "run" / "release" / "metrics.json").read_text(encoding="utf-8"))
    compared = [one for one in metrics["measures"] if one["reference"] is not None]
    assert {(one["stage"], one["facet_value"], one["reference"]) for one in compared} == {
        ("pre_training", "south", "north"),
        ("pre_training", "east", "north"),
    }
    rows = {one["facet_value"]: one["groups"]["d"] for one in metrics["measures"] if one["metric"] == "DPL"}
    for one in compared:
        assert one["groups"]["d"] == rows[one["facet_value"]]

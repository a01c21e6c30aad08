"""The quality of an explanation is measured by the explain step, and bounded by the gate."""

from __future__ import annotations

import json
import shutil
from typing import Any

import pytest

from tests.project import Project, registered


@pytest.mark.parametrize("metric", ["facet_attribution_share", "proxy_attribution_share", "relative_additivity_gap"])
def test_the_quality_of_explanations_is_bounded(project: Project, metric: str) -> None:
    """Another policy needs other evidence, so that the steps run again under it."""
    rule = {"id": "x", "stage": "explanations", "metric": metric, "max": 0.5, "why": "w"}
    project.edit(lambda d: d["rules"].append(rule), "policy.yaml")
    status, out, err = project.run()
    assert status == 0, err
    shutil.rmtree(project.folder / "registry")
    project.edit(lambda d: d["rules"][-1].update(max=-0.5), "policy.yaml")
    status, out, _ = project.run()
    assert status == 3
    assert "FAIL x" in out
    assert registered(project) == []


OWN = {"surrogate": {"max_depth": 2}, "stability": {"seeds": 2, "baselines": 3, "rows": 10}}
TRUST = ("surrogate_r2", "surrogate_accuracy", "seed_rank_stability", "baseline_rank_stability")


@pytest.fixture
def trusting(project: Project) -> Project:
    project.edit(lambda d: d["analysis"].update(clarify_ops=OWN))
    return project


def rules(*bounds: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"id": f"x{i}", "stage": "explanations", "why": "w", **one} for i, one in enumerate(bounds)]


def test_fidelity_and_stability_are_bounded(trusting: Project) -> None:
    trusting.edit(lambda d: d["rules"].extend(rules(*({"metric": one, "min": 0.2} for one in TRUST))), "policy.yaml")
    trusting.edit(lambda d: d.update(confidence=0.9), "policy.yaml")
    status, out, err = trusting.run()
    assert status == 0, out + err
    document = json.loads((trusting.folder / "run" / "explanations" / "explanations.json").read_text(encoding="utf-8"))
    told = {one["metric"]: one["value"] for one in document["trust"]["measures"]}
    assert set(TRUST) <= set(told)
    assert told["surrogate_r2"] == pytest.approx(document["trust"]["surrogate"]["fidelity"]["r2"], abs=1e-12)
    # Of two seeds there is one pair; three baselines make three.
    assert document["trust"]["stability"]["seed"]["explanations"] == 2
    assert document["trust"]["stability"]["baseline"]["explanations"] == 3


def test_a_surrogate_that_does_not_repeat_the_model_fails(trusting: Project) -> None:
    bounds = {"metric": "surrogate_r2", "min": 0.9999}
    trusting.edit(lambda d: d["rules"].extend(rules(bounds)), "policy.yaml")
    status, out, _ = trusting.run()
    assert status == 3
    assert "FAIL x0" in out
    assert registered(trusting) == []


def test_stability_repeats_something(project: Project) -> None:
    project.edit(lambda d: d["analysis"].update(clarify_ops=OWN))
    project.edit(lambda d: d["analysis"]["methods"].pop("shap"))
    project.edit(lambda d: d["analysis"]["methods"]["pdp"].update(features=["income"]))
    status, _, err = project.run()
    assert status == 2
    assert "there are none" in err

"""The stricter rule: from parity, and more than chance."""

from __future__ import annotations

from typing import Any

import pytest

from clarify_ops.bias.table import METRICS
from clarify_ops.measures import Interval, Measure, Stage
from clarify_ops.monitor.drift import Drift, drift
from clarify_ops.monitor.strict import distance, strict_drift
from tests.monitor.test_drift import analysis

BY_NAME = {one.name: one for one in METRICS}


def measure(metric: str, value: float | None, ends: tuple[float, float] | None = None, **more: Any) -> Measure:
    stage: Stage = BY_NAME[metric].stage
    interval = None if ends is None else Interval(*ends, level=0.95, method="made up")
    return Measure(stage, metric, value, facet="sex", facet_value="0", interval=interval, **more)


def judged(before: dict[str, Any], *measures: Measure) -> Drift:
    now = {one.metric: 0.0 if one.value is None else one.value for one in measures}
    return strict_drift(analysis(before), analysis(now), measures)


def names(found: Drift) -> list[str]:
    return [one["metric_name"] for one in found.violations]


def test_what_the_interval_does_not_exclude_is_no_violation() -> None:
    assert names(judged({"RD": 0.1}, measure("RD", 0.17, (0.02, 0.32)))) == []
    (found,) = judged({"RD": 0.1}, measure("RD", -0.17, (-0.22, -0.12))).violations
    assert found["metric_name"] == "RD"
    assert found["description"].endswith("95% interval -0.22 to -0.12, is farther from parity 0 than the baseline 0.1")


def test_an_interval_around_parity_is_no_violation_of_perfect_parity() -> None:
    assert names(judged({"RD": 0.0}, measure("RD", 0.17, (-0.01, 0.32)))) == []


def test_a_ratio_is_measured_from_1() -> None:
    # Clarify's rule passes a DI that falls, and flags one that rises to parity.
    before, worse, better = analysis({"DI": 0.9}), analysis({"DI": 0.5}), analysis({"DI": 1.0})
    assert not drift(before, worse).violations
    assert drift(before, better).violations
    assert names(judged({"DI": 0.9}, measure("DI", 0.5, (0.4, 0.6)))) == ["DI"]
    assert names(judged({"DI": 0.9}, measure("DI", 1.0, (0.8, 1.2)))) == []


@pytest.mark.parametrize("value", [0.0, float("inf")])
def test_a_ratio_without_one_of_its_sides_is_infinitely_far(value: float) -> None:
    assert distance(BY_NAME["DI"], value) == float("inf")
    assert names(judged({"DI": 0.9}, measure("DI", value))) == ["DI"]


def test_without_an_interval_the_point_decides() -> None:
    assert names(judged({"FT": 0.1, "GE": 0.2}, measure("FT", -0.11), measure("GE", 0.2))) == ["FT"]


def test_a_metric_that_lost_its_value_violates() -> None:
    (found,) = judged({"RD": 0.1}, measure("RD", None, reason="no observed positives")).violations
    assert found["description"] == "The metric had the value 0.1 and has none any more: no observed positives"
    (found,) = judged({"RD": 0.1, "DI": 0.9}, measure("RD", 0.1)).violations
    assert found["description"] == "The metric had the value 0.9 and is not measured any more"


def test_what_has_no_value_before_or_is_of_another_stage_is_not_judged() -> None:
    before = {**analysis({"RD": None}), **analysis({"CI": 0.1}, "pre_training_bias_metrics")}
    assert strict_drift(before, analysis({"RD": 0.9}), [measure("RD", 0.9)]).violations == ()

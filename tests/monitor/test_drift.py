"""Drift by Clarify's rules, against what its monitor reported."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clarify_ops.errors import BadDocument
from clarify_ops.monitor.drift import LEAST_NDCG, Key, attribution_drift, bias_drift, drift, has_drifted, ndcg
from tests.bias.cases import Case, cases, same

FILE = "smclarify_cases.json"


def analysis(metrics: dict[str, Any], section: str = "post_training_bias_metrics") -> dict[str, Any]:
    listed = [{"name": name, "description": "", "value": value} for name, value in metrics.items()]
    return {section: {"facets": {"sex": [{"value_or_threshold": "0", "metrics": listed}]}}}


def explained(values: dict[str, float]) -> dict[str, Any]:
    return {"explanations": {"kernel_shap": {"label0": {"global_shap_values": values, "expected_value": 0.1}}}}


@pytest.mark.parametrize("case", cases(FILE, "bias_drift"))
def test_bias_drift_is_clarifys(shared: Path, case: Case) -> None:
    before, now = case["input"]["baseline"], case["input"]["current"]
    found = bias_drift(analysis(before), analysis(now))
    assert found["version"] == "1.0"
    assert {one["metric_name"] for one in found["violations"]} == set(case["expected_violations"])
    assert not {name for name in case["not_violated"] if has_drifted(before[name], now[name])}
    assert list(found["violations"][0]) == [
        "facet",
        "facet_value",
        "metric_name",
        "constraint_check_type",
        "description",
    ]


@pytest.mark.parametrize("case", cases(FILE, "ndcg"))
def test_ndcg_is_clarifys(shared: Path, case: Case) -> None:
    before, now = case["input"]["baseline"], case["input"]["live"]
    assert same(ndcg(before, now), case["expected"])
    found = attribution_drift(explained(before), explained(now), case.get("threshold", LEAST_NDCG))
    assert bool(found["violations"]) == case["violated"]
    if case["violated"]:
        assert list(found["violations"][0]) == ["label", "metric_name", "constraint_check_type", "description"]
        assert found["violations"][0]["label"] == "label0"


def test_infinities_are_farthest_and_metrics_without_a_value_are_not_judged() -> None:
    before = analysis({"TE": 2.9, "DI": "Infinity", "DCA": None, "RD": 0.1, "SD": 0.2})
    now = analysis({"TE": "-Infinity", "DI": "-Infinity", "DCA": 0.4, "RD": None, "AD": 0.9, "SD": -0.2})
    assert [one["metric_name"] for one in bias_drift(before, now)["violations"]] == ["TE"]


def test_the_stages_are_compared_apart() -> None:
    before = analysis({"CI": 0.1}, "pre_training_bias_metrics")
    assert bias_drift(before, analysis({"CI": 0.5}))["violations"] == []
    assert len(bias_drift(before, analysis({"CI": -0.5}, "pre_training_bias_metrics"))["violations"]) == 1


@pytest.mark.parametrize("value", ["high", float("nan"), True, [1]])
def test_a_value_that_is_no_number_is_refused(value: object) -> None:
    with pytest.raises(BadDocument, match="the value"):
        bias_drift(analysis({"CI": 0.1}), analysis({"CI": value}))


values = st.dictionaries(st.sampled_from("abcdefg"), st.floats(0.01, 1), min_size=1)


@given(values, values)
def test_ndcg_is_1_for_the_same_order_and_never_more(before: dict[str, float], now: dict[str, float]) -> None:
    assert ndcg(before, {name: 3 * value for name, value in before.items()}) == pytest.approx(1)
    assert 0 <= ndcg(before, now) <= 1 + 1e-12


def test_features_that_only_one_side_has_are_ranked_all_the_same() -> None:
    assert ndcg({"a": 1.0, "b": 0.5}, {"b": 0.5}) < 1
    assert ndcg({"a": 1.0}, {"new": 2.0, "a": 1.0}) == pytest.approx(1 / 1.5849625007)
    assert ndcg({"a": 0.0}, {"a": 1.0}) == 1


def test_a_threshold_group_is_the_same_in_other_data() -> None:
    def facet(value: str, ci: float) -> dict[str, Any]:
        listed = [{"name": "CI", "description": "", "value": ci}]
        return {"pre_training_bias_metrics": {"facets": {"age": [{"value_or_threshold": value, "metrics": listed}]}}}

    found = drift(facet("(40, 75]", 0.1), facet("(40.0, 91.5]", 0.2))
    assert (found.compared, found.left_out) == ({"pre_training_bias_metrics": 1}, 0)
    assert found.violations[0]["facet_value"] == "(40.0, 91.5]"
    assert drift(facet("(40, 75]", 0.1), facet("(50, 75]", 0.2)).compared == {"pre_training_bias_metrics": 0}
    assert Key.of("s", "f", "(a, b]", "CI").group == "(a, b]"


def test_what_was_not_compared_is_counted() -> None:
    before = {**analysis({"RD": 0.1, "DI": 0.9, "AD": None}), **explained({"a": 1.0})}
    found = drift(before, {**analysis({"RD": 0.0, "DI": None}), "explanations": {"pdp": []}})
    assert found.compared == {"post_training_bias_metrics": 1, "explanations": 0}
    assert found.left_out == 2
    assert found.to_json() == {"version": "1.0", "violations": []}


def test_both_kinds_of_drift_stand_in_one_document() -> None:
    before = {**analysis({"RD": 0.1}), **explained({"a": 1.0, "b": 0.1})}
    now = {**analysis({"RD": 0.2}), **explained({"a": 0.1, "b": 1.0})}
    kinds = [one["constraint_check_type"] for one in drift(before, now).to_json()["violations"]]
    assert kinds == ["bias_drift_check", "feature_attribution_drift_check"]


@pytest.mark.parametrize(
    "document",
    [
        {"pre_training_bias_metrics": []},
        {"pre_training_bias_metrics": {"facets": {"sex": [{"metrics": []}]}}},
        {"pre_training_bias_metrics": {"facets": {"sex": ["0"]}}},
        {"explanations": {"kernel_shap": {"label0": {}}}},
        {"explanations": {"kernel_shap": {"label0": {"global_shap_values": {"a": "much"}}}}},
        {"explanations": {"kernel_shap": {"label0": {"global_shap_values": {"a": "Infinity"}}}}},
        {"explanations": {"kernel_shap": {"label0": {"global_shap_values": {"a": None}}}}},
    ],
)
def test_a_document_of_another_kind_is_refused(document: dict[str, Any]) -> None:
    with pytest.raises(BadDocument):
        drift(document, document)

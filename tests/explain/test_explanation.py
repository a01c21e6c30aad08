"""The forms in which attributions leave."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from clarify_ops.explain.explanation import Explanation
from clarify_ops.explain.kernel import kernel_shap

from .models import loan, loans


@pytest.fixture
def explanation() -> Explanation:
    """Two rows, two features, two outputs; one row sampled."""
    values = np.array([[[1.0, -1.0], [2.0, -2.0]], [[-3.0, 3.0], [0.5, -0.5]]])
    base = np.full((2, 2), 0.25)
    return Explanation(
        features=("Age", "Country"),
        outputs=("label0", "label1"),
        values=values,
        standard_errors=np.array([[[0.0, 0.0], [0.0, 0.0]], [[0.1, 0.2], [np.nan, np.nan]]]),
        expected_value=np.array([0.25, 0.25]),
        base_values=base,
        predictions=base + values.sum(axis=1),
        exact=np.array([True, False]),
        coalitions=10,
        prediction_rows=23,
        prediction_calls=3,
        warnings=("a word",),
    )


def test_aggregations(explanation: Explanation) -> None:
    assert explanation.global_values().tolist() == [[2.0, 2.0], [1.25, 1.25]]
    assert explanation.global_values("mean_sq").tolist() == [[5.0, 5.0], [2.125, 2.125]]
    # The median keeps the signs.
    assert explanation.global_values("median").tolist() == [[-1.0, 1.0], [1.25, -1.25]]
    with pytest.raises(ValueError, match="mean_abs, mean_sq, median"):
        explanation.global_values("mean")  # type: ignore[arg-type]


def test_additivity_gap_is_the_largest_miss(explanation: Explanation) -> None:
    assert explanation.additivity_gap() == 0
    explanation.values[1, 0, 1] += 0.125
    assert explanation.additivity_gap() == 0.125


def test_the_table_of_out_csv(explanation: Explanation) -> None:
    frame = explanation.to_frame()
    assert list(frame.columns) == ["Age_label0", "Age_label1", "Country_label0", "Country_label1"]
    assert frame.to_numpy().tolist() == [[1.0, -1.0, 2.0, -2.0], [-3.0, 3.0, 0.5, -0.5]]


def test_the_object_of_analysis_json(explanation: Explanation) -> None:
    assert json.dumps(explanation.to_clarify("median")) == json.dumps(
        {
            "label0": {"global_shap_values": {"Age": -1.0, "Country": 1.25}, "expected_value": 0.25},
            "label1": {"global_shap_values": {"Age": 1.0, "Country": -1.25}, "expected_value": 0.25},
        }
    )


def test_facts_hold_no_rows(explanation: Explanation) -> None:
    assert explanation.facts() == {
        "features": ["Age", "Country"],
        "outputs": ["label0", "label1"],
        "log_odds": False,
        "explainer": "kernel_shap",
        "unit": "as the model gives them",
        "background": "",
        "reason": "",
        "rows": 2,
        "exact_rows": 1,
        "largest_standard_error": 0.2,
        "values_without_standard_error": 2,
        "additivity_gap": 0.0,
        "coalitions": 10,
        "prediction_rows": 23,
        "prediction_calls": 3,
        "warnings": ["a word"],
    }


def test_json_there_and_back(explanation: Explanation) -> None:
    text = json.dumps(explanation.to_json(), allow_nan=False)
    back = Explanation.from_json(json.loads(text))
    assert json.dumps(back.to_json()) == text
    np.testing.assert_array_equal(back.standard_errors, explanation.standard_errors)
    assert back.exact.dtype == np.bool_


def test_how_the_values_were_made_goes_there_and_back(explanation: Explanation) -> None:
    named = replace(explanation, explainer="exact", unit="log-odds", background="2 baseline rows", reason="asked for")
    back = Explanation.from_json(json.loads(json.dumps(named.to_json())))
    assert (back.explainer, back.unit, back.background, back.reason) == (
        "exact",
        "log-odds",
        "2 baseline rows",
        "asked for",
    )
    old = {name: value for name, value in named.to_json().items() if name not in {"explainer", "unit", "background"}}
    assert Explanation.from_json(old).explainer == "kernel_shap"


@pytest.mark.parametrize("use_logit", [False, True])
def test_kernel_shap_says_its_unit_and_its_background(use_logit: bool) -> None:  # noqa: FBT001
    facts = kernel_shap(loan, loans(3, 1), loans(2, 2), seed=0, use_logit=use_logit).facts()
    assert facts["explainer"] == "kernel_shap"
    assert facts["unit"] == ("log-odds" if use_logit else "as the model gives them")
    assert facts["background"] == "2 baseline rows, interventional"


def test_json_of_no_rows_there_and_back() -> None:
    nothing = kernel_shap(loan, loans(3, 1).iloc[:0], loans(2, 2), seed=0, labels=["yes", "no"])
    back = Explanation.from_json(json.loads(json.dumps(nothing.to_json())))
    assert back.values.shape == (0, 5, 2)
    assert back.to_frame().shape == (0, 10)
    assert back.facts()["outputs"] == ["yes", "no"]

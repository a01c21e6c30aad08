"""A measure says its number or why there is none, and survives JSON."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clarify_ops.measures import STAGES, Interval, Measure, json_number

numbers = st.floats(allow_nan=False)
counts = st.dictionaries(st.text(min_size=1, max_size=5), st.integers(0, 10**9), max_size=3)
intervals = st.builds(
    Interval,
    low=numbers,
    high=numbers,
    level=st.floats(0.01, 0.99),
    method=st.text(min_size=1, max_size=9),
    reliable=st.booleans(),
)
measures = st.builds(
    Measure,
    stage=st.sampled_from(STAGES),
    metric=st.text(min_size=1, max_size=5),
    value=st.one_of(st.none(), numbers),
    reason=st.just("There are no rows."),
    facet=st.one_of(st.none(), st.text(max_size=5)),
    facet_value=st.one_of(st.none(), st.text(max_size=5)),
    groups=counts,
    denominators=counts,
    interval=st.one_of(st.none(), intervals),
    exact=st.booleans(),
)


@settings(deadline=None)
@given(measures)
def test_json_brings_back_the_same_measure(one: Measure) -> None:
    text = json.dumps(one.to_json(), allow_nan=False)
    assert Measure.from_json(json.loads(text)) == one


def test_infinities_are_words_in_json() -> None:
    assert [json_number(value) for value in (math.inf, -math.inf, 1, 0.5)] == ["Infinity", "-Infinity", 1.0, 0.5]
    ends = Interval(-math.inf, math.inf, 0.95, "x").to_json()
    assert (ends["low"], ends["high"]) == ("-Infinity", "Infinity")


def test_the_document_of_a_measure_has_every_key() -> None:
    one = Measure("pre_training", "DPL", 0.25, facet="black", facet_value="1", groups={"a": 3, "d": 2})
    assert one.to_json() == {
        "stage": "pre_training",
        "metric": "DPL",
        "facet": "black",
        "facet_value": "1",
        "value": 0.25,
        "reason": "",
        "groups": {"a": 3, "d": 2},
        "denominators": {},
        "interval": None,
        "exact": False,
        "reference": None,
    }


def test_a_measure_has_a_value_or_a_reason() -> None:
    with pytest.raises(ValueError, match="DPL has neither a value nor a reason why not"):
        Measure("pre_training", "DPL", None)
    with pytest.raises(ValueError, match="DPL is NaN"):
        Measure("pre_training", "DPL", math.nan)
    assert Measure("pre_training", "DPL", None, reason="There are no rows.").value is None


def test_the_subject_in_words() -> None:
    assert Measure("quality", "auc", 0.5).subject == "all rows"
    assert Measure("quality", "auc", 0.5, facet="age", facet_value="(40, 75]").subject == "age = (40, 75]"

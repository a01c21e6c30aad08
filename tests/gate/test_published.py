"""What is masked, and that it cannot be worked out from what is shown beside it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clarify_ops.gate.published import Mask, number
from clarify_ops.measures import Measure
from tests.factories import judgement, release


def masked(values: dict[str, int]) -> Mask:
    whole = release(measures=())
    return Mask.of(replace(whole, data=replace(whole.data, facets={"f": values})))


def test_a_lone_small_group_takes_the_next_smallest_with_it() -> None:
    values = {"A": 5, "B": 100, "C": 200, "missing": 0}
    assert masked(values).facet_rows("f", values) == {
        "A": "fewer than 10",
        "B": "10 or more",
        "C": "200",
        "missing": "0",
    }


def test_two_small_groups_hide_each_other() -> None:
    values = {"A": 5, "B": 3, "C": 200}
    assert masked(values).facet_rows("f", values) == {"A": "fewer than 10", "B": "fewer than 10", "C": "200"}


def test_rows_without_a_value_are_no_group() -> None:
    values = {"A": 50, "rest": 60, "missing": 3}
    assert not masked(values).masks_anything


def test_a_count_dressed_as_a_metric_is_masked_beside_a_small_group() -> None:
    mask = masked({"A": 5, "B": 100, "C": 200})
    about_b = Measure("pre_training", "CI", 0.34, facet="f", facet_value="B", groups={"a": 205, "d": 100})
    assert mask.hides(about_b)
    assert not mask.hides(replace(about_b, metric="DPL"))
    assert mask.groups(about_b) == {"disadvantaged": "10 or more", "advantaged": "10 or more"}


def test_a_reason_that_tells_a_masked_count_is_withheld() -> None:
    mask = masked({"A": 5, "B": 100, "C": 200})
    one = Measure("pre_training", "DPL", 0.3, facet="f", facet_value="B", groups={"a": 205, "d": 100})
    assert "100" not in mask.reason(judgement(one, "r", "FAIL", "Of 100 rows too few were approved.", max=0.1))
    assert mask.reason(judgement(one, "r", "FAIL", "The interval lies above.", max=0.1)) == "The interval lies above."


def test_features_and_pairs_of_explanations_are_no_persons() -> None:
    mask = masked({"A": 50, "B": 100})
    overlap = Measure(
        "explanations",
        "seed_top_overlap",
        0.9,
        groups={"all": 200},
        denominators={"rows": 200, "pairs of explanations": 3, "features": 5},
    )
    assert mask.denominators(overlap) == {"rows": "200", "pairs of explanations": "3", "features": "5"}
    few = replace(overlap, denominators={"rows held out": 4, "features": 5})
    assert mask.denominators(few) == {"rows held out": "fewer than 10", "features": "5"}
    assert mask.denominators(replace(overlap, groups={"all": 4})) == {}
    bias = replace(overlap, stage="post_training", denominators={"rows": 4, "observed positives": 5})
    assert mask.denominators(bias) == {"rows": "fewer than 10", "observed positives": "fewer than 10"}


@given(st.dictionaries(st.sampled_from("ABCDEF"), st.integers(0, 40), min_size=1))
def test_no_masked_count_follows_from_the_total(values: dict[str, int]) -> None:
    shown = masked(values).facet_rows("f", values)
    hidden = [value for value, words in shown.items() if words in {"fewer than 10", "10 or more"}]
    others = [value for value, rows in values.items() if rows > 0 and value not in hidden]
    assert all(shown[value] == "fewer than 10" for value, rows in values.items() if 0 < rows < 10)
    assert len(hidden) != 1 or not others


@pytest.mark.parametrize(
    ("value", "words"),
    [(0.0, "0"), (-0.25, "-0.250"), (3.2e-9, "3.2e-09"), (float("inf"), "infinite"), (12345.6, "12,345.600")],
)
def test_numbers_in_words(value: float, words: str) -> None:
    assert number(value) == words


@given(st.floats(-10, 10), st.sampled_from([0.8, -0.1, 0.05, 1.0]))
def test_a_number_never_looks_equal_to_a_bound_that_it_is_not(value: float, bound: float) -> None:
    if abs(value - bound) > 1e-11 and abs(value) > 1e-3:
        assert float(number(value, [bound])) != bound

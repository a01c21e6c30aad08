"""Policies that are wrong by themselves are refused in one sentence, before anything is measured."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from clarify_ops.analysis.policy_check import check_policy
from clarify_ops.config.policy import Policy
from clarify_ops.errors import BadDocument

EXAMPLES = Path(__file__).parents[2] / "examples"
FACETS = ("sex", "age", "sex & age")


def policy(*rules: dict[str, Any]) -> Policy:
    given = {"stage": "post_training", "metric": "DPPL", "facet": "sex", "why": "agreed"}
    named = [{"id": f"r{place}", **given, **one} for place, one in enumerate(rules)]
    return Policy.parse({"name": "p", "rules": named}, "The policy")


QUALITY = {"stage": "quality", "metric": "auc", "facet": None}


@pytest.mark.parametrize(
    ("rules", "words"),
    [
        ([{"metric": "DPL", "max": 0.1}], ("'DPL'", "not known in stage post_training", "in stage pre_training")),
        ([{"metric": "DPPPL", "max": 0.1}], ("'DPPPL'", 'Did you mean "DPPL"?')),
        ([{"facet": "sexx", "max": 0.1}], ("'sexx'", "is not analysed", 'Did you mean "sex"?')),
        ([{"facet": None, "max": 0.1}], ("'r0'", "no facet is named", "age")),
        ([{"stage": "champion", "facet": None, "max": 0.1}], ("no facet is named",)),
        ([{**QUALITY, "metric": "acuracy", "min": 0.7}], ("'acuracy'", 'Did you mean "accuracy"?')),
        ([{**QUALITY, "within": 0.7}], ("no sign and is no ratio", "min or max")),
        ([{"metric": "GE", "within": 0.1}], ("no sign",)),
        ([{**QUALITY, "min": 1.2}], ("can never pass: auc is 0 to 1",)),
        ([{**QUALITY, "min": 1}], ("can never pass", "never a single value")),
        ([{**QUALITY, "max": -0.1}], ("can never pass",)),
        ([{"min": 1.5, "sides": "one"}], ("can never pass: DPPL is -1 to 1",)),
        ([{"max": 0}], ("can never pass", "sides: one")),
        ([{"max": -0.1}], ("0.1 to -0.1 can never pass", "sides: one")),
        ([{"metric": "DI", "min": 1.2}], ("can never pass", "sides: one")),
        ([{"metric": "DI", "min": 1}], ("can never pass",)),
        ([{"stage": "pre_training", "metric": "JS", "max": 0}], ("can never pass",)),
        ([{"max": 0.1}, {"min": 0.2, "max": 0.5}], ("'r0'", "'r1'", "contradicts")),
        ([{"max": 0.1, "sides": "one"}, {"min": 0.1, "sides": "one"}], ("contradicts",)),
        ([{"max": 0.1, "values": ["a", "b"]}, {"min": 0.2, "max": 0.5, "values": ["b"]}], ("contradicts",)),
        ([{"max": 0.1}, {"min": 0.2, "max": 0.5, "values": ["b"]}], ("contradicts",)),
        ([{"max": 0.1, "values": ["a"], "except_values": {"a": "few"}}], ("sex = a", "among its exceptions")),
        ([{"max": 0.1, "values": ["a"], "reference": "a"}], ("compared with itself",)),
        ([{**QUALITY, "facet": "sex", "min": 0.7, "reference": "a"}], ("not compared with a reference",)),
    ],
)
def test_what_is_refused(rules: list[dict[str, Any]], words: tuple[str, ...]) -> None:
    with pytest.raises(BadDocument) as caught:
        check_policy(policy(*rules), FACETS)
    for word in words:
        assert word in str(caught.value)
    assert caught.value.message.count(". ") == 0
    assert caught.value.exit_status == 2


@pytest.mark.parametrize(
    "rules",
    [
        [],
        [{"max": 0.1}],
        [{"facet": "sex & age", "within": 0.1}],
        [{"max": 0, "sides": "one"}],
        [{"max": 0, "mode": "point"}],
        [{"stage": "champion", "max": 0.02}],
        [{"stage": "champion", "metric": "auc", "facet": None, "min": -0.02}],
        [{"stage": "data", "metric": "label_leaks", "facet": None, "max": 0}],
        [{"max": 0.1, "values": ["a"]}, {"min": 0.2, "max": 0.5, "values": ["b"]}],
        [{"max": 0.1, "except_values": {"b": "few"}}, {"min": 0.2, "max": 0.5, "values": ["b"]}],
        [{"max": 0.1}, {"min": 0.2, "max": 0.5, "reference": "a"}],
        [{"max": 0.1}, {"min": 0.2, "max": 0.5, "facet": "age"}],
        [{"metric": "DI", "within": 0.8}, {"metric": "DI", "min": 0.9, "values": ["a"]}],
    ],
)
def test_what_is_not(rules: list[dict[str, Any]]) -> None:
    check_policy(policy(*rules), FACETS)


def test_facets_that_are_not_known_are_not_held_against_a_policy() -> None:
    check_policy(policy({"facet": "anything", "max": 0.1}))


def test_the_examples_are_right() -> None:
    for file in EXAMPLES.rglob("*policy.yaml"):
        check_policy(Policy.load(file, "policy"), ("black", "hispan"))

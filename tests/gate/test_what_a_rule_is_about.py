"""Groups that are named, left out, forgotten or lost; references; values alone; and the age of what is shown."""

from __future__ import annotations

import datetime
from dataclasses import replace
from typing import Any

import pytest

from clarify_ops.config.policy import Rule
from clarify_ops.gate.judge import judge
from clarify_ops.gate.verdict import Judgement
from clarify_ops.measures import Interval, Measure
from tests.gate.test_judge import TODAY, measure, policy, rule

TWO = (measure(), measure(facet_value="2"))
DAY = datetime.timedelta(days=1)


def judged(*rules: Rule, measures: tuple[Measure, ...] = TWO, **changes: Any) -> tuple[Judgement, ...]:
    return judge(measures, policy(*rules, inconclusive="warn", **changes), TODAY).judgements


def told(judgements: tuple[Judgement, ...]) -> list[tuple[str | None, str]]:
    return [(one.facet_value, one.outcome) for one in judgements]


def test_a_forgotten_group_fails_once_whatever_the_rules_are() -> None:
    assert told(judged(rule(values=("1",)))) == [("1", "PASS"), ("2", "FAIL")]
    three = (*TWO, measure(facet_value="3"))
    apart = (rule(values=("1",)), rule(id="other", values=("2",)))
    assert told(judged(*apart, measures=three)) == [("1", "PASS"), ("3", "FAIL"), ("2", "PASS")]


@pytest.mark.parametrize(
    "others",
    [
        (rule(values=("1",), except_values={"2": "few"}),),
        (rule(values=("1",)), rule(id="other", values=("2",))),
        (rule(values=("1",)), rule(id="other")),
        (rule(values=("1",)), rule(id="other", values=("1",), except_values={"2": "few"})),
    ],
)
def test_a_group_that_some_rule_speaks_of_is_not_forgotten(others: tuple[Rule, ...]) -> None:
    assert {one.outcome for one in judged(*others)} == {"PASS"}


@pytest.mark.parametrize(
    "changes", [{"metric": "CI"}, {"facet": "sex"}, {"stage": "post_training"}, {"reference": "1"}]
)
def test_a_rule_about_something_else_remembers_nothing(changes: dict[str, Any]) -> None:
    found = judged(rule(values=("1",)), rule(id="other", **changes))
    assert ("2", "FAIL") in told(found)


def test_exceptions_are_left_out_and_must_exist() -> None:
    assert told(judged(rule(except_values={"2": "few"}))) == [("1", "PASS")]
    found = judged(rule(except_values={"2": "few", "9": "gone"}))
    assert told(found) == [("1", "PASS"), ("9", "FAIL")]
    assert found[1].reason == "The policy leaves out black = 9, which the data lack; they have: 1, 2."


def test_the_rows_without_a_group_are_no_group_to_name() -> None:
    """Quality is measured for the rest as well, which nobody forgets by naming the group."""
    rest = (measure(), measure(facet_value="not 1"))
    assert told(judged(rule(values=("1",)), measures=rest)) == [("1", "PASS")]
    assert told(judged(rule(), measures=rest)) == [("1", "PASS"), ("not 1", "PASS")]


def test_a_group_with_rows_and_without_a_measure_was_lost() -> None:
    counted = replace(measure(9.0, exact=True, interval=None), stage="data", metric="rows", facet_value="3")
    found = judged(rule(), measures=(*TWO, counted))
    assert told(found) == [("1", "PASS"), ("2", "PASS"), ("3", "FAIL")]
    assert "no DPL was measured for it" in found[2].reason


def test_a_reference_is_compared_with_and_is_not_among_the_groups() -> None:
    against = tuple(replace(one, reference="1") for one in (measure(facet_value="2"), measure(facet_value="3")))
    counted = tuple(
        replace(measure(9.0, exact=True, interval=None), stage="data", metric="rows", facet_value=value)
        for value in "123"
    )
    found = judged(rule(reference="1"), measures=(*TWO, *against, *counted))
    assert told(found) == [("2", "PASS"), ("3", "PASS")]
    assert {one.reference for one in found} == {"1"}
    assert found[0].subject == "black = 2 against 1"


def test_a_reference_that_the_data_lack() -> None:
    (found,) = judged(rule(reference="7"))
    assert found.outcome == "FAIL"
    assert found.reason == "No DPL was measured against black = 7; the data have: 1, 2."


@pytest.mark.parametrize(("value", "outcome"), [(0.09, "PASS"), (0.11, "FAIL"), (-0.11, "FAIL")])
def test_point_mode_compares_the_value_alone_and_says_so(value: float, outcome: str) -> None:
    shaky = Interval(-1.0, 1.0, 0.8, "x", reliable=False)
    for interval in (None, shaky):
        (found,) = judged(rule(mode="point"), measures=(measure(value, interval=interval),))
        assert (found.outcome, found.mode, found.p_value) == (outcome, "point", None)
        assert "mode: point" in found.reason


def test_point_mode_has_no_mercy_with_the_undefined() -> None:
    assert judged(rule(mode="point"), measures=(measure(None),))[0].outcome == "FAIL"


@pytest.mark.parametrize(
    ("age", "words"),
    [
        (DAY * 7, None),
        (DAY * -0.01, None),
        (DAY * 7.2, "7.2 days old, and the policy allows 7."),
        (None, "Nobody says how old"),
        (DAY * -1, "dated later than now"),
    ],
)
def test_evidence_older_than_the_policy_allows(age: datetime.timedelta | None, words: str | None) -> None:
    found = judge(TWO, policy(rule(), max_age_days=7, inconclusive="warn"), TODAY, age=age)
    assert (found.outcome, found.may_register) == (("PASS", True) if words is None else ("FAIL", False))
    assert len(found.judgements) == (2 if words is None else 3)
    if words is not None:
        assert words in found.judgements[-1].reason
        assert "age in days" in found.reason


def test_without_a_limit_nobody_asks_how_old_it_is() -> None:
    assert judge(TWO, policy(rule()), TODAY, age=DAY * 9999).outcome == "PASS"

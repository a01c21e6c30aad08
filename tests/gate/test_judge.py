"""The judge at its boundaries: what is not shown to be good enough does not pass."""

from __future__ import annotations

import datetime
import math
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Literal

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from clarify_ops.config.policy import Policy, Rule, Waiver
from clarify_ops.gate.judge import judge
from clarify_ops.gate.verdict import Judgement, Outcome, Verdict
from clarify_ops.intervals import normal_quantile
from clarify_ops.measures import Ends, Interval, Measure

TODAY = datetime.date(2026, 6, 15)
WORST: tuple[Outcome, ...] = ("PASS", "INCONCLUSIVE", "FAIL")


def measure(value: float | None = 0.0, low: float = -0.05, high: float = 0.05, **changes: Any) -> Measure:
    made = Measure(
        stage="pre_training",
        metric="DPL",
        value=value,
        reason="" if value is not None else "There are no disadvantaged rows.",
        facet="black",
        facet_value="1",
        groups={"a": 100, "d": 50},
        denominators={"advantaged rows": 100, "disadvantaged rows": 50},
        interval=None if value is None else Interval(low, high, 0.95, "Newcombe score"),
    )
    return replace(made, **changes)


def rule(low: float | None = -0.1, high: float | None = 0.1, **changes: Any) -> Rule:
    settings_ = {"id": "gap", "stage": "pre_training", "metric": "DPL", "facet": "black", "why": "agreed"}
    return Rule.model_validate({**settings_, "min": low, "max": high, **changes})


def policy(*rules: Rule, **changes: Any) -> Policy:
    return Policy(name="test", rules=rules, **changes)


def normal_ends(value: float, low: float, high: float) -> Ends:
    """The interval of a normal estimate whose 95 % interval is the given one, and which more rows make shorter."""

    def ends(level: float, scale: Mapping[str, float] | None = None) -> tuple[float, float]:
        rows = min((scale or {}).get("d", 1.0), 1e9)
        z = normal_quantile(level) / normal_quantile(0.95) / rows**0.5
        return value - z * (value - low), value + z * (high - value)

    return ends


def outcome(one: Measure, of: Rule | None = None, **changes: Any) -> tuple[Outcome, str]:
    verdict = judge([one], policy(of or rule(), **changes), TODAY)
    assert len(verdict.judgements) == 1
    assert verdict.outcome == verdict.judgements[0].outcome
    return verdict.outcome, verdict.judgements[0].reason


def test_what_is_forgotten_or_absent_is_said_for_each_group() -> None:
    verdict = judge([measure()], policy(rule(values=("2",))), TODAY)
    assert [(one.facet_value, one.outcome) for one in verdict.judgements] == [("2", "FAIL"), ("1", "FAIL")]
    assert verdict.judgements[0].reason == "The analysis has no black = 2; it has: 1."
    assert "which the policy forgets" in verdict.judgements[1].reason


above, below = math.nextafter(0.1, 1), math.nextafter(-0.1, -1)


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (-0.1, 0.1, "PASS"),
        (-0.05, 0.1, "PASS"),
        (-0.05, above, "INCONCLUSIVE"),
        (below, 0.05, "INCONCLUSIVE"),
        (-0.5, 0.5, "INCONCLUSIVE"),
        # An interval that touches the bound leaves it possible that the bound is kept.
        (0.1, 0.3, "INCONCLUSIVE"),
        (above, 0.3, "FAIL"),
        (-0.3, -0.1, "INCONCLUSIVE"),
        (-0.3, below, "FAIL"),
        (0.2, math.inf, "FAIL"),
        (0.05, math.inf, "INCONCLUSIVE"),
    ],
)
def test_the_interval_against_a_bound_with_two_sides(low: float, high: float, expected: Outcome) -> None:
    middle = low if math.isinf(high) else (low + high) / 2
    assert outcome(measure(middle, low, high))[0] == expected


@pytest.mark.parametrize(
    ("minimum", "maximum", "low", "high", "expected"),
    [
        (0.8, None, 0.8, math.inf, "PASS"),
        (0.8, None, 0.79, 1.2, "INCONCLUSIVE"),
        (0.8, None, 0.1, 0.79, "FAIL"),
        (None, 0.1, -1.0, 0.1, "PASS"),
        (None, 0.1, 0.0, 0.2, "INCONCLUSIVE"),
        (None, 0.1, 0.11, 0.2, "FAIL"),
    ],
)
def test_the_interval_against_a_bound_with_one_side(
    minimum: float | None, maximum: float | None, low: float, high: float, expected: Outcome
) -> None:
    assert outcome(measure(low, low, high), rule(minimum, maximum, sides="one"))[0] == expected


def test_a_bound_with_two_sides_catches_the_gap_in_the_other_direction() -> None:
    assert outcome(measure(-0.9, -0.95, -0.8))[0] == "FAIL"
    assert outcome(measure(-0.9, -0.95, -0.8), rule(None, 0.1))[0] == "FAIL"
    assert outcome(measure(-0.9, -0.95, -0.8), rule(None, 0.1, sides="one"))[0] == "PASS"


def test_a_fact_is_judged_as_it_stands() -> None:
    for value, expected in ((0.1, "PASS"), (above, "FAIL"), (-0.1, "PASS"), (below, "FAIL"), (math.inf, "FAIL")):
        assert outcome(measure(value, interval=None, exact=True))[0] == expected


@pytest.mark.parametrize(
    ("one", "expected", "words"),
    [
        (measure(None), "FAIL", "Undefined: There are no disadvantaged rows."),
        (measure(None, exact=True), "FAIL", "Undefined"),
        (measure(interval=None), "FAIL", "no interval"),
        (measure(interval=Interval(-0.01, 0.01, 0.9, "x")), "FAIL", "level 0.9, but the policy asks for 0.95"),
        (measure(interval=Interval(-0.01, 0.01, 0.99, "x")), "FAIL", "level 0.99"),
        (measure(interval=Interval(-0.01, 0.01, 0.95, "boot", reliable=False)), "INCONCLUSIVE", "boot.*not reliable"),
        (measure(interval=Interval(0.5, 0.6, 0.95, "boot", reliable=False)), "INCONCLUSIVE", "not reliable"),
        (measure(interval=Interval(math.nan, math.nan, 0.95, "x")), "FAIL", "no ends"),
        (measure(math.inf, interval=None), "FAIL", "no interval"),
    ],
)
def test_what_shows_nothing_does_not_pass(one: Measure, expected: Outcome, words: str) -> None:
    found, reason = outcome(one)
    assert found == expected
    assert re.search(words, reason)


def test_nan_cannot_be_measured() -> None:
    with pytest.raises(ValueError, match="DPL is NaN: say why it is undefined"):
        measure(math.nan)
    with pytest.raises(ValueError, match="neither a value nor a reason"):
        measure(None, reason="")


def test_a_policy_without_rules_fails() -> None:
    verdict = judge([measure()], policy(inconclusive="warn"), TODAY)
    assert (verdict.outcome, verdict.may_register, verdict.exit_status) == ("FAIL", False, 3)
    assert "nothing was asked" in verdict.reason


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (rule(metric="DPPL"), "No DPPL was measured in stage pre_training for the facet black; measured there: DPL"),
        (rule(facet="sex"), "No DPL was measured in stage pre_training for the facet sex; measured there: DPL"),
        (rule(facet=None), "No DPL was measured in stage pre_training for all rows; nothing was measured there"),
        (rule(stage="post_training"), "No DPL was measured in stage post_training"),
    ],
)
def test_what_was_not_measured_fails(asked: Rule, words: str) -> None:
    found, reason = outcome(measure(), asked)
    assert found == "FAIL"
    assert reason.startswith(words)


def test_nothing_at_all_was_measured() -> None:
    assert judge([], policy(rule()), TODAY).outcome == "FAIL"


def test_a_rule_is_about_every_value_or_about_those_it_names() -> None:
    far = measure(0.5, 0.4, 0.6, facet_value="2", ends=normal_ends(0.5, 0.4, 0.6))
    measures = [measure(), far, measure(0.7, 0.6, 0.8, facet="sex")]
    assert judge(measures, policy(rule()), TODAY).outcome == "FAIL"
    assert [one.facet_value for one in judge(measures, policy(rule()), TODAY).judgements] == ["1", "2"]
    excepted = rule(values=("1",), except_values={"2": "too few rows in this year"})
    assert judge(measures, policy(excepted), TODAY).outcome == "PASS"
    verdict = judge(measures, policy(rule(values=("1", "3"), except_values={2: "too few rows"})), TODAY)
    assert [(one.facet_value, one.outcome) for one in verdict.judgements] == [("1", "PASS"), ("3", "FAIL")]
    assert "it has: 1, 2." in verdict.judgements[1].reason


def test_a_rule_about_all_rows() -> None:
    whole = measure(facet=None, facet_value=None, groups={"all": 150})
    verdict = judge([whole, measure(0.5, 0.4, 0.6)], policy(rule(facet=None)), TODAY)
    assert (verdict.outcome, [one.subject for one in verdict.judgements]) == ("PASS", ["all rows"])


def verdict_of(*outcomes: Outcome, **changes: Any) -> Verdict:
    """One facet value for each outcome that is wanted."""
    ends = {"PASS": (-0.05, 0.05), "INCONCLUSIVE": (0.05, 0.2), "FAIL": (0.2, 0.3)}
    measures = [
        measure(middle, *ends[one], facet_value=str(place), ends=normal_ends(middle, *ends[one]))
        for place, one in enumerate(outcomes)
        for middle in (sum(ends[one]) / 2,)
    ]
    return judge(measures, policy(rule(), **changes), TODAY)


@pytest.mark.parametrize("inconclusive", ["block", "approval", "warn"])
@pytest.mark.parametrize(
    ("outcomes", "expected"),
    [
        (("PASS",), "PASS"),
        (("PASS", "INCONCLUSIVE"), "INCONCLUSIVE"),
        (("INCONCLUSIVE", "FAIL", "PASS"), "FAIL"),
        (("FAIL",), "FAIL"),
    ],
)
def test_the_worst_outcome_and_what_the_policy_wants_decide(
    outcomes: tuple[Outcome, ...], expected: Outcome, inconclusive: Literal["block", "approval", "warn"]
) -> None:
    verdict = verdict_of(*outcomes, inconclusive=inconclusive)
    status = {"PASS": 0, "FAIL": 3, "INCONCLUSIVE": 0 if inconclusive == "warn" else 4}[expected]
    assert (verdict.outcome, verdict.exit_status, verdict.may_register) == (expected, status, status == 0)


def test_the_reason_names_who_fails() -> None:
    assert verdict_of("PASS", "PASS").reason == "All 2 checks pass."
    assert verdict_of("PASS", "FAIL").reason == "1 of 2 checks fails: DPL for black = 1."
    assert verdict_of("FAIL", "FAIL").reason == "2 of 2 checks fail: DPL for black = 0, DPL for black = 1."
    assert verdict_of("INCONCLUSIVE").reason == "1 of 1 checks cannot be decided: DPL for black = 0."


def waiver(**changes: Any) -> Waiver:
    terms: dict[str, Any] = {
        "rule": "gap",
        "facet_value": "1",
        "up_to": 0.3,
        "reason": "the new data come in July",
        "author": "Ada",
        "approver": "Grace",
        "granted": "2026-06-01",
        "expires": "2026-06-30",
    }
    return Waiver.model_validate({**terms, **changes})


def waived(one: Measure, *waivers: Waiver, of: Rule | None = None) -> tuple[Verdict, Judgement]:
    verdict = judge([one], policy(of or rule(), waivers=waivers), TODAY)
    return verdict, verdict.judgements[0]


def test_a_waiver_lifts_an_outcome_and_hides_nothing() -> None:
    verdict, found = waived(measure(0.25, 0.2, 0.4), waiver())
    assert (verdict.outcome, verdict.exit_status, verdict.waived) == ("PASS", 0, (found,))
    assert (found.outcome, found.waived) == ("FAIL", True)
    assert found.waiver is not None
    assert found.waiver.note == "counts until 2026-06-30"
    assert verdict.reason == "0 checks pass and 1 stand under a waiver."
    assert waived(measure(0.08, 0.01, 0.2), waiver())[0].outcome == "PASS"
    assert waived(measure(), waiver())[1].waiver is None


@pytest.mark.parametrize(
    ("one", "terms", "note"),
    [
        (measure(0.25, 0.2, 0.4), {"expires": "2026-06-14"}, "expired on 2026-06-14"),
        (measure(0.25, 0.2, 0.4), {"granted": "2026-06-16"}, "before 2026-06-16"),
        (measure(0.31, 0.2, 0.4), {}, "beyond 0.3"),
        (measure(-0.25, -0.4, -0.2), {}, "beyond 0.3"),
        (measure(0.25, 0.2, 0.4), {"up_to": -0.3}, "beyond -0.3"),
        (measure(None), {}, "no value"),
        (measure(0.25, interval=Interval(0.2, 0.4, 0.9, "x")), {}, "of another level"),
    ],
)
def test_a_waiver_that_does_not_count_is_shown_with_the_reason(one: Measure, terms: dict[str, Any], note: str) -> None:
    verdict, found = waived(one, waiver(**terms))
    assert (verdict.outcome, found.waived) == ("FAIL", False)
    assert found.waiver is not None
    assert found.waiver.note.startswith("does not count")
    assert note in found.waiver.note


@pytest.mark.parametrize(("granted", "expires"), [("2026-06-15", "2026-06-15"), ("2026-06-15", "2027-01-01")])
def test_a_waiver_counts_on_its_first_and_last_day(granted: str, expires: str) -> None:
    assert waived(measure(0.3, 0.2, 0.4), waiver(granted=granted, expires=expires))[0].outcome == "PASS"


def test_a_waiver_is_for_one_value_of_one_rule() -> None:
    verdict, found = waived(measure(0.25, 0.2, 0.4), waiver(facet_value="2"))
    assert (verdict.outcome, found.waiver) == ("FAIL", None)
    other = rule(id="other")
    verdict = judge([measure(0.25, 0.2, 0.4)], policy(rule(), other, waivers=(waiver(),)), TODAY)
    assert [one.waived for one in verdict.judgements] == [True, False]
    assert verdict.outcome == "FAIL"


def test_a_waiver_of_the_lower_side_covers_the_lower_side_alone() -> None:
    lower = waiver(up_to=-0.3)
    assert waived(measure(-0.3, -0.4, -0.2), lower)[0].outcome == "PASS"
    assert waived(measure(-0.31, -0.4, -0.2), lower)[0].outcome == "FAIL"
    assert waived(measure(0.2, 0.15, 0.4), lower)[0].outcome == "FAIL"


def test_a_missing_measure_is_not_waived() -> None:
    verdict = judge([], policy(rule(values=("1",)), waivers=(waiver(),)), TODAY)
    assert (verdict.outcome, verdict.waived) == ("FAIL", ())


def test_the_waiver_that_counts_is_the_one_shown() -> None:
    verdict, found = waived(measure(0.25, 0.2, 0.4), waiver(expires="2026-06-02"), waiver())
    assert verdict.outcome == "PASS"
    assert found.waiver is not None
    assert found.waiver.counts


number = st.floats(-1, 1)
any_measure = st.builds(
    lambda ends, value, name, subject, exact, reliable, level: measure(
        value,
        facet_value=subject,
        metric=name,
        exact=exact,
        interval=None if ends is None or value is None else Interval(min(ends), max(ends), level, "x", reliable),
    ),
    st.one_of(st.none(), st.tuples(number, number)),
    st.one_of(st.none(), number),
    st.sampled_from(["DPL", "CI"]),
    st.sampled_from(["1", "2"]),
    st.booleans(),
    st.booleans(),
    st.sampled_from([0.95, 0.95, 0.9]),
)
any_rule = st.builds(
    lambda ends, name, values: rule(min(ends), max(ends), metric=name, values=values),
    st.tuples(number, number),
    st.sampled_from(["DPL", "CI", "JS"]),
    st.sampled_from([None, ("1",), ("2", "3")]),
)
any_waiver = st.builds(
    lambda place, up_to, subject, expires: waiver(
        rule=f"rule{place}", up_to=up_to, facet_value=subject, expires=expires
    ),
    st.integers(0, 2),
    number,
    st.sampled_from(["1", "2", "3"]),
    st.sampled_from(["2026-06-14", "2026-06-30"]),
)


def numbered(rules: list[Rule]) -> tuple[Rule, ...]:
    return tuple(one.model_copy(update={"id": f"rule{place}"}) for place, one in enumerate(rules))


@settings(deadline=None)
@given(st.lists(any_measure, max_size=4), st.lists(any_rule, min_size=2, max_size=5), st.lists(any_waiver, max_size=2))
def test_another_rule_never_makes_a_verdict_better(
    measures: list[Measure], rules: list[Rule], waivers: list[Waiver]
) -> None:
    asked = numbered(rules)
    covered = [one for one in waivers if one.rule in {one.id for one in asked[:-1]}]
    fewer = judge(measures, policy(*asked[:-1], waivers=tuple(covered)), TODAY)
    # Another rule may well remember a group that the others forgot.
    assume(not any("the policy forgets" in one.reason for one in fewer.judgements))
    more = judge(measures, policy(*asked, waivers=tuple(covered)), TODAY)
    assert WORST.index(more.outcome) >= WORST.index(fewer.outcome)
    assert more.judgements[: len(fewer.judgements)] == fewer.judgements


@settings(deadline=None)
@given(st.lists(any_measure, max_size=4), st.lists(any_rule, min_size=1, max_size=4), st.lists(any_waiver, max_size=3))
def test_a_pass_means_that_every_judgement_passes_or_is_waived(
    measures: list[Measure], rules: list[Rule], waivers: list[Waiver]
) -> None:
    asked = numbered(rules)
    covered = tuple(one for one in waivers if one.rule in {one.id for one in asked})
    verdict = judge(measures, policy(*asked, waivers=covered), TODAY)
    standing = [one.outcome for one in verdict.judgements if not one.waived]
    assert verdict.outcome == max(standing, key=WORST.index, default="PASS")
    assert {one.rule for one in verdict.judgements} == {one.id for one in asked}
    bare = judge(measures, policy(*asked), TODAY)
    assert WORST.index(bare.outcome) >= WORST.index(verdict.outcome)
    for one in verdict.judgements:
        if one.outcome == "PASS":
            assert one.value is not None
            assert one.min is not None
            assert one.max is not None
            ends = (one.interval.low, one.interval.high) if one.interval is not None else (one.value, one.value)
            exact = [two.exact for two in measures if two.value == one.value and two.metric == one.metric]
            assert any(exact) or (one.min <= ends[0] and ends[1] <= one.max)
        if one.waived:
            assert one.value is not None

"""p-values from intervals: the end of the interval at that level touches the bound."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from clarify_ops.bias.ends import CountEnds
from clarify_ops.bias.forms import PLAIN
from clarify_ops.bias.table import BY_NAME, METRICS
from clarify_ops.bias.uncertainty import interval_of
from clarify_ops.data.counts import Counts
from clarify_ops.gate.bounds import Bound
from clarify_ops.gate.inversion import level_of, p_value
from clarify_ops.gate.judge import judge
from clarify_ops.measures import Interval, Measure
from tests.gate.calibration import form_of
from tests.gate.test_judge import TODAY, measure, normal_ends, policy, rule

A, D = (60, 30, 20, 90), (20, 15, 14, 51)


def measured(name: str, a: tuple[int, int, int, int] = A, d: tuple[int, int, int, int] = D) -> Measure:
    metric, counts = BY_NAME[name], Counts.of(a, d)
    interval = interval_of(metric, counts, 0.95)
    assert interval is not None
    return Measure(
        stage=metric.stage,
        metric=name,
        value=float(form_of(name, counts).value(PLAIN)),
        facet="black",
        facet_value="1",
        groups={"a": sum(a), "d": sum(d)},
        interval=interval,
        ends=CountEnds(metric, counts, interval),
    )


@pytest.mark.parametrize(("value", "z"), [(0.15, 1.0), (0.05, -1.0), (0.2, 2.0), (-0.15, 1.0), (0.1, 0.0), (0.36, 5.2)])
def test_of_a_normal_estimate_it_is_the_normal_tail(value: float, z: float) -> None:
    half = 0.05 * stats.norm.ppf(0.975)
    one = measure(value, value - half, value + half, ends=normal_ends(value, value - half, value + half))
    assert p_value(one, Bound(-0.1, 0.1)) == pytest.approx(stats.norm.sf(z), abs=2e-9)


@pytest.mark.parametrize(("share", "rows"), [(0.3, 50), (0.05, 200), (0.9, 40)])
def test_of_a_share_it_is_the_score_tests(share: float, rows: int) -> None:
    """Wilson's interval is the inversion of the score test, so that inverting it again gives its p-value."""
    from clarify_ops.quality.ends import ShareEnds

    hits = round(share * rows)
    ends = ShareEnds(hits, rows)
    one = measure(hits / rows, *ends(0.95), metric="recall", stage="quality", ends=ends)
    bound = hits / rows + 0.04
    z = (bound - hits / rows) / math.sqrt(bound * (1 - bound) / rows)
    assert p_value(one, Bound(low=bound)) == pytest.approx(stats.norm.sf(z), abs=1e-8)


@pytest.mark.parametrize("name", [metric.name for metric in METRICS if metric.name not in {"FT", "CDDL", "CDDPL"}])
def test_the_end_touches_the_bound_at_twice_the_p_value(name: str) -> None:
    one = measured(name)
    assert one.interval is not None
    assert one.ends is not None
    assert one.value is not None
    end = (one.interval.high + one.value) / 2
    p = p_value(one, Bound(high=end))
    assert p is not None
    assert p > 0.5
    assert one.ends(1 - 2 * (1 - p))[1] == pytest.approx(end, abs=1e-6)


@pytest.mark.parametrize("name", ["DPPL", "DI", "RD", "AD"])
def test_a_p_value_is_below_the_tail_exactly_where_the_interval_is_beyond(name: str) -> None:
    one = measured(name)
    assert one.ends is not None
    for level in (0.5, 0.8, 0.9, 0.95, 0.99):
        low, _ = one.ends(level)
        for shift in (-1e-4, 1e-4):
            bound = Bound(high=low + shift)
            p = p_value(one, bound)
            assert p is not None
            assert (p < (1 - level) / 2) == (low > bound.high)


def test_without_the_interval_at_other_levels_all_that_is_known_is_its_tail() -> None:
    assert p_value(measure(0.3, 0.2, 0.4), Bound(-0.1, 0.1)) == pytest.approx(0.025)
    assert p_value(measure(0.15, 0.05, 0.25), Bound(-0.1, 0.1)) is None
    assert p_value(measure(0.0), Bound(-0.1, 0.1)) is None
    assert p_value(measure(0.0, 0.2, 0.4), Bound(-0.1, 0.1)) is None
    assert p_value(measure(interval=None), Bound(-0.1, 0.1)) is None
    assert p_value(measure(interval=Interval(math.nan, math.nan, 0.95, "x")), Bound(-0.1, 0.1)) is None


def test_where_the_interval_has_no_ends_nothing_is_known() -> None:
    def nothing(level: float, scale: Mapping[str, float] | None = None) -> tuple[float, float]:
        return math.nan, math.nan

    assert p_value(measure(0.3, 0.2, 0.4, ends=nothing), Bound(-0.1, 0.1)) is None


def test_nothing_is_surer_than_six_standard_errors() -> None:
    certain = measure(0.9, 0.89, 0.91, ends=normal_ends(0.9, 0.89, 0.91))
    assert p_value(certain, Bound(-0.1, 0.1)) == pytest.approx(1e-9)
    assert level_of(6.0) < 1


def crooked(centre: float, reach: float, odd: float) -> Any:
    """An interval that is not nested: at some levels it lies elsewhere."""

    def ends(level: float, scale: Mapping[str, float] | None = None) -> tuple[float, float]:
        z = float(stats.norm.ppf(0.5 + level / 2)) * reach + (odd if 0.4 < level < 0.9 else 0.0)
        return centre - z, centre + z - odd

    return ends


@settings(deadline=None, max_examples=60)
@given(
    st.floats(-0.4, 0.4),
    st.floats(0.001, 0.3),
    st.floats(-0.5, 0.5),
    st.floats(0.0, 0.3),
    st.sampled_from([0.6, 0.95, 0.99]),
    st.sampled_from([0.01, 0.05, 0.3]),
)
def test_no_measure_passes_and_fails(
    value: float, reach: float, odd: float, bound: float, confidence: float, alpha: float
) -> None:
    """Whatever the interval does at other levels: PASS wants the value within the bound and FAIL wants it beyond."""
    ends = crooked(value, reach, odd)
    low, high = sorted(ends(confidence))
    one = measure(value, ends=ends, interval=Interval(low, high, confidence, "x"))
    found = judge([one], policy(rule(-bound, bound), confidence=confidence, alpha=alpha), TODAY).judgements[0]
    inside = -bound <= value <= bound
    assert found.outcome != ("FAIL" if inside else "PASS")
    assert found.plain == found.outcome
    if found.outcome == "FAIL":
        assert found.p_value is not None
        assert found.p_value < alpha
    if found.outcome == "PASS":
        assert max(-low, high) <= bound


def test_an_interval_that_touches_the_bound_still_fails_by_its_p_value() -> None:
    """Alpha is one-sided 5 %, the interval leaves 2.5 % on either side."""
    value = 0.1 + 0.05 * 1.8
    one = measure(value, value - 0.098, value + 0.098, ends=normal_ends(value, value - 0.098, value + 0.098))
    assert one.interval is not None
    assert one.interval.low < 0.1
    assert judge([one], policy(rule()), TODAY).outcome == "FAIL"
    assert judge([one], policy(rule(), alpha=0.025), TODAY).outcome == "INCONCLUSIVE"


def test_an_unreliable_interval_decides_nothing() -> None:
    for value in (0.0, 0.9):
        ends = normal_ends(value, value - 0.01, value + 0.01)
        shaky = Interval(value - 0.01, value + 0.01, 0.95, "x", reliable=False)
        found = judge([measure(value, interval=shaky, ends=ends)], policy(rule()), TODAY).judgements[0]
        assert (found.outcome, found.p_value, found.adjusted_p) == ("INCONCLUSIVE", None, None)
        assert found.needs is not None
        assert found.needs.rows is None

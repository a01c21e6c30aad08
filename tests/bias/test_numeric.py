"""Numeric labels: differences in means and quantiles, the distance of distributions, and how often intervals cover."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from clarify_ops.bias.numeric import (
    Numbers,
    kolmogorov_smirnov,
    mean_difference,
    numeric_report,
    order_statistic_interval,
    quantile_difference,
)

LEVEL = 0.95
some = st.lists(st.integers(-5, 5).map(float), min_size=1, max_size=30).map(lambda values: np.sort(np.array(values)))


@given(some, some)
def test_ks_is_the_largest_gap_over_all_values(a: Numbers, d: Numbers) -> None:
    gaps = [abs(float((a <= value).mean()) - float((d <= value).mean())) for value in (*a, *d)]
    assert kolmogorov_smirnov(a, d).value == pytest.approx(max(gaps))


def test_the_interval_of_the_mean_is_welchs() -> None:
    rng = np.random.default_rng(0)
    a, d = rng.normal(3, 2, 40), rng.normal(2, 1, 25)
    found = mean_difference(a, d, LEVEL)
    expected: Any = stats.ttest_ind(a, d, equal_var=False).confidence_interval(LEVEL)
    assert found.interval is not None
    assert (found.interval.low, found.interval.high) == pytest.approx((expected.low, expected.high))
    assert found.value == pytest.approx(a.mean() - d.mean())


@pytest.mark.parametrize("rows", [12, 60, 400])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_the_interval_of_a_quantile_is_scipys(rows: int, share: float) -> None:
    values = np.sort(np.random.default_rng(rows).normal(size=rows))
    expected: Any = stats.quantile_test(values, p=share).confidence_interval(LEVEL)
    found = order_statistic_interval(values, share, LEVEL)
    if np.isnan([expected.low, expected.high]).any():
        assert found is None
    else:
        assert found == (expected.low, expected.high)


@pytest.mark.parametrize("draw", [lambda rng, n: rng.normal(size=n), lambda rng, n: rng.exponential(size=n)])
@pytest.mark.parametrize(("share", "sizes"), [(0.5, (40, 25)), (0.9, (200, 120))])
def test_the_interval_of_a_difference_of_quantiles_covers(
    draw: Callable[[np.random.Generator, int], Numbers], share: float, sizes: tuple[int, int]
) -> None:
    rng = np.random.default_rng(7)
    runs = 600
    inside = 0
    for _ in range(runs):
        a, d = (np.sort(draw(rng, n)) for n in sizes)
        interval = quantile_difference(a + 1, d, share, LEVEL).interval
        assert interval is not None
        inside += interval.low <= 1 <= interval.high
    # Four standard errors of the simulation below the level.
    assert inside / runs > LEVEL - 4 * (LEVEL * (1 - LEVEL) / runs) ** 0.5


def test_missing_values_are_counted_and_an_empty_side_has_a_reason() -> None:
    values = np.array([1.0, 2.0, np.nan, 4.0])
    report = numeric_report(
        values, np.array([True, False, False, False]), of="pay", facet="sex", facet_value="f", level=LEVEL
    )
    assert (report.groups, report.missing) == ({"a": 2, "d": 1}, 1)
    assert [one.value for one in report.differences if one.statistic == "mean"] == [2.0]
    assert all(one.interval is None for one in report.differences)
    assert report.to_json() == json.loads(json.dumps(report.to_json(), allow_nan=False))
    nobody = numeric_report(values, np.zeros(4, dtype=bool), of="pay", facet="sex", facet_value="f", level=LEVEL)
    assert {one.reason for one in nobody.differences} == {"There are no disadvantaged rows with a value."}

"""The interval that each form gets: the method, its promises, and what each is made of against slow and obvious ways."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from scipy import stats

from clarify_ops.bias.closed_forms import SMALLEST_CELL, closed_form
from clarify_ops.bias.flip_test import FlipCounts
from clarify_ops.bias.measure import plain_value
from clarify_ops.bias.table import BY_NAME, METRICS, Metric
from clarify_ops.bias.uncertainty import flip_score_interval, interval_of
from clarify_ops.data.counts import Counts
from clarify_ops.intervals import (
    modified_wilson_ends,
    newcombe,
    odds_ends,
    paired_ratio_ends,
    score_ratio,
    square_and_add,
    tango,
    wilson,
    wilson_ends,
)
from clarify_ops.measures import Interval

Floats = NDArray[np.float64]
METHODS = {
    "CI": "Wilson score",
    "DI": "Koopman score",
    "KL": "score region",
    "JS": "score region",
    "GE": "score region",
    "TE": "odds score",
    "DCA": "paired ratio score",
    "DCR": "paired ratio score",
    "CDDL": "stratified score",
    "CDDPL": "stratified score",
}


def example() -> Counts:
    """Two known subgroups, and rows of none: 100 advantaged, 60 disadvantaged."""
    known = np.asarray(
        [[[[20, 8], [9, 18]], [[14, 4], [7, 6]]], [[[9, 5], [6, 10]], [[8, 5], [5, 6]]]],
        dtype=float,
    )
    rest = np.asarray([[[5, 2], [2, 6]], [[2, 1], [1, 1]]], dtype=float)
    return Counts(known.sum(axis=0) + rest, known)


def interval(name: str, counts: Counts, level: float = 0.95) -> Interval:
    found = interval_of(BY_NAME[name], counts, level)
    assert found is not None
    return found


def ends(found: Interval) -> tuple[float, float]:
    return found.low, found.high


def test_every_metric_has_its_method() -> None:
    for metric in METRICS:
        if metric.form:
            assert interval(metric.name, example()).method == METHODS.get(metric.name, "Newcombe score")


def test_score_intervals_are_of_the_shares_that_the_metric_compares() -> None:
    counts = Counts.of(a=(45, 10, 15, 30), d=(10, 5, 5, 30))
    expected = {
        "DPL": newcombe((60, 100), (15, 50), 0.9),
        "DPPL": newcombe((55, 100), (15, 50), 0.9),
        "RD": newcombe((45, 60), (10, 15), 0.9),
        "SD": newcombe((30, 35), (30, 40), 0.9),
        "DAR": newcombe((45, 55), (10, 15), 0.9),
        "DRR": newcombe((30, 35), (30, 45), 0.9),
        "AD": newcombe((75, 100), (40, 50), 0.9),
        "DI": score_ratio((15, 50), (55, 100), 0.9),
    }
    for name, pair in expected.items():
        assert ends(interval(name, counts, 0.9)) == pytest.approx(pair, abs=1e-12), name
    low, high = wilson(100, 150, 0.9)
    assert ends(interval("CI", counts, 0.9)) == pytest.approx((2 * low - 1, 2 * high - 1))


def test_ratios_of_counts_are_differences_of_two_intervals_each() -> None:
    counts = Counts.of(a=(45, 10, 15, 30), d=(10, 5, 6, 30))
    of_odds = square_and_add((6 / 5, odds_ends(6, 5, 0.9)), (15 / 10, odds_ends(15, 10, 0.9)))
    assert ends(interval("TE", counts, 0.9)) == pytest.approx(of_odds)
    ratios = (60 / 55, paired_ratio_ends(60, 55, 45, 0.9)), (16 / 15, paired_ratio_ends(16, 15, 10, 0.9))
    assert ends(interval("DCA", counts, 0.9)) == pytest.approx(square_and_add(*ratios))
    ratios = (35 / 36, paired_ratio_ends(35, 36, 30, 0.9)), (40 / 45, paired_ratio_ends(40, 45, 30, 0.9))
    assert ends(interval("DCR", counts, 0.9)) == pytest.approx(square_and_add(*ratios))


def test_a_conditional_disparity_in_one_subgroup_is_a_difference_of_two_shares() -> None:
    """With one subgroup there are no weights to be unsure of, and as many rows give a share its variance as it has.

    The variance is smoothed by two rows, so that the agreement grows with the rows.
    """
    for rows, tolerance in ((1, 2e-3), (100, 2e-6)):
        group = rows * np.asarray([[[[300, 0], [200, 0]], [[100, 0], [150, 0]]]], dtype=float)
        expected = newcombe((100 * rows, 400 * rows), (150 * rows, 350 * rows), 0.95)
        assert ends(interval("CDDL", Counts(group[0], group))) == pytest.approx(expected, abs=tolerance)


def test_distances_follow_the_interval_of_the_gap() -> None:
    apart = Counts.of(a=(60, 0, 0, 40), d=(15, 0, 0, 35))
    low, high = newcombe((60, 100), (15, 50), 0.95)
    assert ends(interval("TVD", apart)) == pytest.approx((low, high))
    assert ends(interval("KS", apart)) == pytest.approx((low, high))
    assert ends(interval("LP", apart)) == pytest.approx((math.sqrt(2) * low, math.sqrt(2) * high))
    swapped = Counts(apart.total[::-1])
    assert ends(interval("TVD", swapped)) == pytest.approx((low, high))
    near = Counts.of(a=(50, 0, 0, 50), d=(26, 0, 0, 24))
    low, high = newcombe((50, 100), (26, 50), 0.95)
    assert ends(interval("TVD", near)) == pytest.approx((0, max(-low, high)))


def score_statistic(hits: float, rows: float, share: Floats) -> Floats:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(hits == rows * share, 0.0, (hits / rows - share) ** 2 * rows / (share * (1 - share)))


def region(first: tuple[int, int], second: tuple[int, int]) -> tuple[Floats, Floats]:
    """A fine grid of all pairs of shares that the joint score test keeps at 95 %."""
    grids = [np.linspace(*wilson(*pair, 0.95), 801) for pair in (first, second)]
    p, q = (one.reshape(-1) for one in np.meshgrid(*grids))
    kept = score_statistic(*first, p) + score_statistic(*second, q) <= stats.chi2.ppf(0.95, 1) + 1e-9
    return p[kept], q[kept]


@pytest.mark.parametrize("name", ["KL", "JS"])
@pytest.mark.parametrize(("a", "d"), [(60, 15), (90, 10), (50, 26), (100, 20), (1, 5)])
def test_divergences_are_least_and_largest_over_the_region_of_both_shares(name: str, a: int, d: int) -> None:
    p, q = region((a, 100), (d, 50))

    def relative(one: Floats, other: Floats) -> Floats:
        return np.asarray(stats.entropy([one, 1 - one], [other, 1 - other]))

    distance = relative(p, q) if name == "KL" else (relative(p, (p + q) / 2) + relative(q, (p + q) / 2)) / 2
    found = interval(name, Counts.of(a=(a, 0, 0, 100 - a), d=(d, 0, 0, 50 - d)))
    # The grid lies inside the region, and its points are 1/800 of the intervals apart.
    assert found.low - 1e-12 <= distance.min() <= found.low + 2e-3
    assert distance.max() <= found.high + 1e-12
    assert distance.max() == pytest.approx(found.high, rel=4e-3)


def test_the_entropy_is_least_and_largest_over_the_region_of_errors_and_their_kind() -> None:
    counts = Counts.of(a=(45, 10, 15, 30), d=(10, 5, 5, 30))
    errors, wronged = region((35, 150), (20, 35))
    benefit = 1 + errors * (1 - 2 * wronged)
    entropy = ((1 + errors * (3 - 4 * wronged)) / benefit**2 - 1) / 2
    found = interval("GE", counts)
    assert found.low - 1e-12 <= entropy.min() == pytest.approx(found.low, rel=4e-3)
    assert entropy.max() <= found.high + 1e-12
    assert entropy.max() == pytest.approx(found.high, rel=4e-3)


def test_an_infinite_divergence_has_an_interval_that_can_break_a_bound() -> None:
    counts = Counts.of(a=(90, 0, 0, 10), d=(0, 0, 0, 50))
    assert plain_value(BY_NAME["KL"], counts)[0] == math.inf
    found = interval("KL", counts)
    assert found.high == math.inf
    assert found.low > 1


def test_the_flip_test_is_a_paired_difference() -> None:
    found = flip_score_interval(FlipCounts(favoured=3, wronged=9, rows=60), 0.9)
    assert found is not None
    assert (found.interval.method, ends(found.interval)) == ("Tango score", tango(3, 9, 60, 0.9))
    assert flip_score_interval(None, 0.9) is None
    assert flip_score_interval(FlipCounts(reason="Facet set is empty"), 0.9) is None
    assert interval_of(BY_NAME["FT"], example(), 0.9) is None


tables = arrays(np.int64, (3, 2, 2, 2), elements=st.one_of(st.integers(0, 3), st.integers(0, 300)))


@pytest.mark.parametrize("metric", [one for one in METRICS if one.form], ids=lambda metric: metric.name)
@settings(deadline=None, max_examples=25)
@given(table=tables)
def test_what_has_a_value_has_an_interval_around_it_and_nothing_else_has(
    metric: Metric, table: np.ndarray[tuple[int, ...], np.dtype[np.int64]]
) -> None:
    counts = Counts(table.sum(axis=0).astype(float), table[:-1].astype(float))
    value, *_ = plain_value(metric, counts)
    if value is None:
        return
    found = interval_of(metric, counts, 0.9)
    assert found is not None
    assert metric.low - 1e-12 <= found.low <= found.high <= metric.high + 1e-12
    assert found.low - 1e-9 <= value <= found.high + 1e-9 * max(1.0, abs(value))
    assert not (found.reliable and found.low == found.high)


@pytest.mark.parametrize("metric", [one for one in METRICS if one.form], ids=lambda metric: metric.name)
def test_many_tables_at_once_are_each_by_itself(metric: Metric) -> None:
    assert metric.form is not None
    drawn = np.random.default_rng(0).integers(0, 40, (20, 3, 2, 2, 2)).astype(float)
    form = metric.form(Counts(drawn.sum(axis=1), drawn))
    assert form is not None
    found = closed_form(form, 0.95)
    assert found is not None
    for i, one in enumerate(drawn):
        alone = interval_of(metric, Counts(one.sum(axis=0), one), 0.95)
        assert alone is not None
        assert ends(alone) == pytest.approx((found.low[i], found.high[i]), rel=1e-12, abs=1e-14)
        assert alone.reliable == found.reliable[i]


@pytest.mark.parametrize("rows", [SMALLEST_CELL - 1, SMALLEST_CELL])
def test_few_rows_are_called_unreliable(rows: int) -> None:
    reliable = rows >= SMALLEST_CELL

    def called(counts: Counts, *names: str) -> None:
        for name in names:
            assert interval(name, counts).reliable == reliable, name

    called(Counts.of(a=(60, 0, 0, 40), d=(2, 0, 0, rows - 2)), "DPL", "DPPL", "AD", "DI", "TVD", "KS", "LP", "KL", "JS")
    called(Counts.of(a=(50, 40, 20, 50), d=(50, rows, 30, 50)), "TE")
    called(Counts.of(a=(90, rows, 0, 90), d=(90, 0, 0, 90)), "GE")
    called(Counts.of(a=(30, 10, 9, 50), d=(1, rows - 2, 1, 30)), "DCA")
    called(Counts.of(a=(50, 10, 9, 30), d=(rows - 1, 30, 1, 30)), "RD")
    called(Counts.of(a=(50, 10, 9, 30), d=(30, 30, 1, rows - 1)), "DRR")
    group = np.asarray([[[[40, 0], [30, 0]], [[rows - 1, 0], [1, 0]]]], dtype=float)
    called(Counts(group[0], group), "CDDL")


def test_the_rarity_of_an_outcome_alone_makes_nothing_unreliable() -> None:
    """Keeping a rare outcome's samples only where it happens to be common would keep those that miss the truth."""
    for hits in (0, 1, 20):
        for name in ("DPL", "DI", "TVD", "KL", "JS"):
            assert interval(name, Counts.of(a=(60, 0, 0, 40), d=(hits, 0, 0, 20 - hits))).reliable


def test_one_hit_in_few_rows_moves_the_end_beside_zero() -> None:
    """Brown, Cai and DasGupta's change of Wilson's interval: P(no hit) = 0.95 for a Poisson mean of 0.0513."""
    low, high = modified_wilson_ends([0, 1, 2, 3, 19, 20], 20, 0.95)
    plain_low, plain_high = wilson_ends([0, 1, 2, 3, 19, 20], 20, 0.95)
    assert low[1] == pytest.approx(-math.log(0.95) / 20)
    assert stats.poisson.cdf(1, 20 * low[2]) == pytest.approx(0.95)
    assert high[4] == pytest.approx(1 + math.log(0.95) / 20)
    assert (low[[0, 3, 4, 5]] == plain_low[[0, 3, 4, 5]]).all()
    assert (high[[0, 1, 2, 3, 5]] == plain_high[[0, 1, 2, 3, 5]]).all()


def test_a_share_and_its_interval_are_the_same_as_arrays() -> None:
    low, high = wilson_ends([3, 0], [10, 10], 0.95)
    assert [(low[i], high[i]) for i in (0, 1)] == [wilson(3, 10, 0.95), wilson(0, 10, 0.95)]

"""Score intervals against other people's, against brute force, and against the coverage that they promise."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import optimize, stats

from clarify_ops.intervals import newcombe, normal_quantile, score_ratio, tango, wilson

Ends = tuple[float, float]
levels = st.sampled_from([0.501, 0.8, 0.9, 0.95, 0.99, 0.999999])


@st.composite
def hits_of_rows(draw: st.DrawFn, most: int = 1_000_000, least_hits: int = 0) -> tuple[int, int]:
    rows = draw(st.one_of(st.integers(1, 12), st.integers(1, most)))
    hits = draw(st.one_of(st.sampled_from([least_hits, rows]), st.integers(least_hits, rows)))
    return hits, rows


def test_the_quantile_is_the_normal_one() -> None:
    assert normal_quantile(0.95) == pytest.approx(1.959963984540054, abs=1e-15)


@pytest.mark.parametrize("rows", [1, 2, 7, 30, 1000])
@pytest.mark.parametrize("level", [0.5, 0.9, 0.95, 0.999])
def test_wilson_is_scipys(rows: int, level: float) -> None:
    for hits in {0, 1, rows // 3, rows - 1, rows}:
        other = stats.binomtest(hits, rows).proportion_ci(level, method="wilson")
        assert wilson(hits, rows, level) == pytest.approx((other.low, other.high), abs=1e-12)


def wilson_by_its_equation(hits: int, rows: int, z: float) -> Ends:
    """The two shares that lie z standard errors from the observed one, as the roots of their quadratic equation."""
    share = hits / rows
    low, high = sorted(np.roots([1 + z**2 / rows, -2 * share - z**2 / rows, share**2]).real)
    return float(low), float(high)


@pytest.mark.parametrize(
    ("first", "second", "printed"),
    [
        ((56, 70), (48, 80), (0.0524, 0.3339)),
        ((9, 10), (3, 10), (0.1705, 0.8090)),
        ((6, 7), (2, 7), (0.0582, 0.8062)),
        ((5, 56), (0, 29), (-0.0381, 0.1926)),
        ((0, 10), (0, 20), (-0.1611, 0.2775)),
        ((0, 10), (0, 10), (-0.2775, 0.2775)),
        ((10, 10), (0, 20), (0.6791, 1.0)),
        ((10, 10), (0, 10), (0.6075, 1.0)),
    ],
)
def test_newcombe_gives_the_table_of_his_paper(first: tuple[int, int], second: tuple[int, int], printed: Ends) -> None:
    """Method 10 in Table II of Newcombe, 1998; the second computation needs no formula of ours."""
    found = newcombe(first, second, 0.95)
    assert tuple(round(end, 4) for end in found) == printed
    z = float(stats.norm.isf(0.025))
    (p_low, p_high), (q_low, q_high) = wilson_by_its_equation(*first, z), wilson_by_its_equation(*second, z)
    p, q = first[0] / first[1], second[0] / second[1]
    below, above = (p - p_low) ** 2 + (q_high - q) ** 2, (p_high - p) ** 2 + (q - q_low) ** 2
    assert found == pytest.approx((p - q - math.sqrt(below), p - q + math.sqrt(above)), abs=1e-9)


def most_likely(log_likelihood: Callable[[float], float], low: float, high: float) -> float:
    """Argument of the largest likelihood within bounds, by search."""
    found = optimize.minimize_scalar(
        lambda at: -log_likelihood(at), bounds=(low, high), method="bounded", options={"xatol": 1e-13, "maxiter": 500}
    )
    return float(found.x)


def times_log(count: float, share: float) -> float:
    return 0.0 if count == 0 else count * math.log(max(share, 1e-300))


def ratio_score(x: int, m: int, y: int, n: int, ratio: float) -> float:
    """The constrained score statistic of a ratio: its maximum likelihood estimate is searched for."""

    def log_likelihood(q: float) -> float:
        p = ratio * q
        return times_log(x, p) + times_log(m - x, 1 - p) + times_log(y, q) + times_log(n - y, 1 - q)

    q = most_likely(log_likelihood, 0.0, min(1.0, 1 / ratio))
    p = ratio * q
    return (x / m - ratio * y / n) / math.sqrt(p * (1 - p) / m + ratio**2 * q * (1 - q) / n)


@pytest.mark.parametrize(
    ("x", "m", "y", "n"), [(36, 40, 16, 80), (1, 40, 16, 80), (5, 10, 10, 20), (39, 40, 1, 30), (3, 12, 19, 20)]
)
@pytest.mark.parametrize("level", [0.8, 0.95])
def test_the_ends_of_the_ratio_are_z_standard_errors_off(x: int, m: int, y: int, n: int, level: float) -> None:
    z = float(stats.norm.isf((1 - level) / 2))
    low, high = score_ratio((x, m), (y, n), level)
    assert ratio_score(x, m, y, n, low) == pytest.approx(z, abs=1e-4)
    assert ratio_score(x, m, y, n, high) == pytest.approx(-z, abs=1e-4)
    # Beyond the ends the test rejects, within them it does not.
    assert ratio_score(x, m, y, n, low * 0.97) > z > ratio_score(x, m, y, n, low * 1.03)
    assert ratio_score(x, m, y, n, high * 1.03) < -z < ratio_score(x, m, y, n, high * 0.97)


def test_the_ratio_without_hits_ends_where_the_test_rejects() -> None:
    low, high = score_ratio((0, 30), (10, 40), 0.95)
    assert low == 0
    assert ratio_score(0, 30, 10, 40, high) == pytest.approx(-normal_quantile(0.95), abs=1e-4)


def paired_score(more: int, fewer: int, rows: int, delta: float) -> float:
    """The constrained score statistic of a difference of paired shares, by search."""

    def log_likelihood(q: float) -> float:
        return times_log(more, q + delta) + times_log(fewer, q) + times_log(rows - more - fewer, 1 - 2 * q - delta)

    q = most_likely(log_likelihood, max(0.0, -delta), (1 - delta) / 2)
    return (more - fewer - rows * delta) / math.sqrt(rows * (2 * q + delta * (1 - delta)))


@pytest.mark.parametrize(("more", "fewer", "rows"), [(1, 0, 44), (7, 3, 20), (0, 0, 30), (12, 2, 14), (9, 9, 50)])
@pytest.mark.parametrize("level", [0.8, 0.95])
def test_the_ends_of_the_paired_difference_are_z_standard_errors_off(
    more: int, fewer: int, rows: int, level: float
) -> None:
    z = float(stats.norm.isf((1 - level) / 2))
    low, high = tango(more, fewer, rows, level)
    assert paired_score(more, fewer, rows, low) == pytest.approx(z, abs=1e-4)
    assert paired_score(more, fewer, rows, high) == pytest.approx(-z, abs=1e-4)


@settings(deadline=None)
@given(hits_of_rows(), hits_of_rows(), levels)
def test_intervals_hold_the_estimate_and_stay_in_range(
    first: tuple[int, int], second: tuple[int, int], level: float
) -> None:
    low, high = wilson(*first, level)
    assert 0 <= low <= first[0] / first[1] <= high <= 1
    assert (low == 0) == (first[0] == 0)
    assert (high == 1) == (first[0] == first[1])
    low, high = newcombe(first, second, level)
    assert -1 <= low <= first[0] / first[1] - second[0] / second[1] <= high <= 1
    swapped = newcombe(second, first, level)
    assert (-swapped[1], -swapped[0]) == pytest.approx((low, high), abs=1e-12)


@settings(deadline=None, max_examples=300)
@given(hits_of_rows(), hits_of_rows(least_hits=1), levels)
def test_a_ratio_has_an_interval_wherever_it_has_a_value(
    first: tuple[int, int], second: tuple[int, int], level: float
) -> None:
    low, high = score_ratio(first, second, level)
    ratio = first[0] / first[1] / (second[0] / second[1])
    assert 0 <= low <= ratio * (1 + 1e-12)
    assert ratio * (1 - 1e-12) <= high < math.inf
    assert (low == 0) == (first[0] == 0)
    if first[0] > 0:
        inverse = score_ratio(second, first, level)
        assert (1 / inverse[1], 1 / inverse[0]) == pytest.approx((low, high), rel=1e-6)


@settings(deadline=None, max_examples=200)
@given(hits_of_rows(100_000), st.floats(0, 1), levels)
def test_a_paired_difference_has_an_interval(pair: tuple[int, int], part: float, level: float) -> None:
    discordant, rows = pair
    more = round(part * discordant)
    fewer = discordant - more
    low, high = tango(more, fewer, rows, level)
    assert -1 <= low <= (more - fewer) / rows <= high <= 1
    swapped = tango(fewer, more, rows, level)
    assert (-swapped[1], -swapped[0]) == pytest.approx((low, high), abs=1e-9)


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 1.0])
def test_more_rows_make_them_narrower(share: float) -> None:
    sizes = (10, 40, 160, 640, 2560)
    hits = [round(share * rows) for rows in sizes]
    others = [(round(0.3 * rows), rows) for rows in sizes]
    pairs = list(zip(hits, sizes, strict=True))
    widths = {
        "wilson": [wilson(*pair, 0.95) for pair in pairs],
        "newcombe": [newcombe(pair, other, 0.95) for pair, other in zip(pairs, others, strict=True)],
        "ratio": [score_ratio(pair, other, 0.95) for pair, other in zip(pairs, others, strict=True)],
        "tango": [tango(pair[0], 0, pair[1], 0.95) for pair in pairs],
    }
    for name, ends in widths.items():
        found = [high - low for low, high in ends]
        assert all(later < earlier for earlier, later in itertools.pairwise(found)), name


@pytest.mark.parametrize("first", [(0, 1), (1, 1), (0, 50), (50, 50)])
@pytest.mark.parametrize("second", [(0, 1), (1, 1), (0, 50), (50, 50)])
def test_a_surer_interval_holds_the_less_sure_one(first: tuple[int, int], second: tuple[int, int]) -> None:
    makers: list[Callable[[float], Ends]] = [
        lambda level: wilson(*first, level),
        lambda level: newcombe(first, second, level),
        lambda level: tango(first[0], 0, first[1], level),
    ]
    if second[0]:
        makers.append(lambda level: score_ratio(first, second, level))
    for make in makers:
        (low, high), (lower, higher) = make(0.8), make(0.99)
        assert lower <= low + 1e-12
        assert high - 1e-12 <= higher


@pytest.mark.parametrize("rows", [5, 50, 400, 5000, 10**6])
def test_hits_alone_leave_the_ratio_as_unsure_as_their_number(rows: int) -> None:
    """With n of n on both sides the score statistic is solved by hand: 1 + z^2 / n is z standard errors off."""
    low, high = score_ratio((rows, rows), (rows, rows), 0.95)
    bound = 1 + normal_quantile(0.95) ** 2 / rows
    assert (low, high) == pytest.approx((1 / bound, bound), rel=1e-9)
    # The same holds beside a side of another size, for the end that its own rows decide.
    assert score_ratio((1, 1), (rows, rows), 0.95)[1] == pytest.approx(bound, rel=1e-9)


SHARES = np.arange(1, 50) / 50
Table = NDArray[np.float64]


def chance(rows: int, shares: Table) -> Table:
    """(shares, hits) probabilities of every number of hits."""
    return np.asarray(stats.binom.pmf(np.arange(rows + 1)[None, :], rows, shares[:, None]))


def coverage_of_two(ends: Table, m: int, n: int, truth: Callable[[Table, Table], Table]) -> Table:
    """(shares, shares): the exact chance that the interval of (x of m, y of n) holds the truth: a sum over all x and y.

    Args:
        ends: (m + 1, n + 1, 2).
        m, n: Rows.
        truth: From both shares to the true value.
    """
    first, second = chance(m, SHARES), chance(n, SHARES)
    found = np.empty((len(SHARES), len(SHARES)))
    for i, j in np.ndindex(*found.shape):
        value = truth(SHARES[i], SHARES[j])
        held = (ends[..., 0] <= value + 1e-12) & (value - 1e-12 <= ends[..., 1])
        found[i, j] = first[i] @ held @ second[j]
    return found


def test_wilson_covers_what_it_promises() -> None:
    """Brown, Cai and DasGupta, 2001: on average at the level, with dips to 0.83 near 0 and 1 at 95 %."""
    for rows in (30, 50):
        ends = np.asarray([wilson(hits, rows, 0.95) for hits in range(rows + 1)])
        held = (ends[None, :, 0] <= SHARES[:, None]) & (SHARES[:, None] <= ends[None, :, 1])
        coverage = (chance(rows, SHARES) * held).sum(axis=1)
        assert 0.945 <= coverage.mean() <= 0.965
        assert coverage.min() >= 0.83


@pytest.mark.parametrize(("m", "n"), [(30, 30), (30, 50)])
def test_newcombe_covers_what_it_promises(m: int, n: int) -> None:
    """Newcombe, 1998, found a mean of 0.960 and a minimum of 0.867 over sizes of 5 to 50 at 95 %."""
    ends = np.asarray([[newcombe((x, m), (y, n), 0.95) for y in range(n + 1)] for x in range(m + 1)])
    coverage = coverage_of_two(ends, m, n, lambda p, q: p - q)
    assert 0.945 <= coverage.mean() <= 0.965
    assert coverage.min() >= 0.867


def test_the_ratio_covers_what_it_promises() -> None:
    m, n = 30, 50
    ends = np.asarray(
        [[score_ratio((x, m), (y, n), 0.95) if y else (0, math.inf) for y in range(n + 1)] for x in range(m + 1)]
    )
    coverage = coverage_of_two(ends, m, n, lambda p, q: p / q)
    assert 0.945 <= coverage.mean() <= 0.965
    assert coverage.min() >= 0.92


def test_tango_covers_what_it_promises() -> None:
    """Over all trinomial outcomes of 30 rows."""
    rows = 30
    outcomes = [(more, fewer) for more in range(rows + 1) for fewer in range(rows + 1 - more)]
    ends = np.asarray([tango(*outcome, rows, 0.95) for outcome in outcomes])
    counts = np.asarray([(more, fewer, rows - more - fewer) for more, fewer in outcomes])
    coverage = []
    for p, q in itertools.product(np.arange(0.05, 0.5, 0.05), repeat=2):
        chances = stats.multinomial.pmf(counts, rows, [p, q, 1 - p - q])
        held = (ends[:, 0] <= p - q + 1e-12) & (p - q - 1e-12 <= ends[:, 1])
        coverage.append(chances[held].sum())
    assert 0.945 <= np.mean(coverage) <= 0.965
    assert np.min(coverage) >= 0.93

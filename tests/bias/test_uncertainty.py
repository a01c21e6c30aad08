"""The interval that each form gets: the method, its promises, and the bootstrap over cells against one over rows."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from scipy import stats

from clarify_ops.bias.flip_test import FlipCounts
from clarify_ops.bias.forms import PLAIN
from clarify_ops.bias.measure import plain_value
from clarify_ops.bias.table import BY_NAME, METRICS, Metric
from clarify_ops.bias.uncertainty import REPLICATES, cell_bootstrap, interval_of, resample
from clarify_ops.data.counts import Counts
from clarify_ops.intervals import newcombe, score_ratio, tango, wilson
from clarify_ops.measures import Interval

Floats = NDArray[np.float64]
BOOTSTRAPPED = ("CDDL", "CDDPL", "DCA", "DCR", "GE", "TE")
SCORED = sorted({metric.name for metric in METRICS} - {*BOOTSTRAPPED, "FT"})


def example() -> Counts:
    """Two known subgroups, and rows of none: 100 advantaged, 60 disadvantaged."""
    known = np.asarray(
        [[[[20, 8], [9, 18]], [[14, 4], [7, 6]]], [[[9, 5], [6, 10]], [[8, 5], [5, 6]]]],
        dtype=float,
    )
    rest = np.asarray([[[5, 2], [2, 6]], [[2, 1], [1, 1]]], dtype=float)
    return Counts(known.sum(axis=0) + rest, known)


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def interval(name: str, counts: Counts, level: float = 0.95, seed: int = 0) -> Interval:
    found = interval_of(BY_NAME[name], counts, level, rng(seed))
    assert found is not None
    return found


def ends(found: Interval) -> tuple[float, float]:
    return found.low, found.high


def test_every_metric_has_its_method() -> None:
    methods = {metric.name: interval(metric.name, example()).method for metric in METRICS if metric.form}
    assert {name: methods.pop(name) for name in BOOTSTRAPPED} == dict.fromkeys(BOOTSTRAPPED, "cell bootstrap")
    assert {name: methods.pop(name) for name in ("CI", "DI", "KL", "JS")} == {
        "CI": "Wilson score",
        "DI": "Koopman score",
        "KL": "Wilson box",
        "JS": "Wilson box",
    }
    assert set(methods.values()) == {"Newcombe score"}


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


@pytest.mark.parametrize("name", ["KL", "JS"])
@pytest.mark.parametrize(("a", "d"), [(60, 15), (90, 10), (50, 26), (100, 20), (0, 5)])
def test_divergences_are_least_and_largest_over_both_shares(name: str, a: int, d: int) -> None:
    counts = Counts.of(a=(a, 0, 0, 100 - a), d=(d, 0, 0, 50 - d))
    each = math.sqrt(0.95)
    p = np.linspace(*wilson(a, 100, each), 201)[:, None]
    q = np.linspace(*wilson(d, 50, each), 201)[None, :]

    def relative(one: Floats, other: Floats) -> Floats:
        return np.asarray(stats.entropy([one, 1 - one], [other, 1 - other]))

    p, q = np.broadcast_arrays(p, q)
    distance = relative(p, q) if name == "KL" else (relative(p, (p + q) / 2) + relative(q, (p + q) / 2)) / 2
    found = interval(name, counts)
    assert found.high == pytest.approx(distance.max())
    assert found.low == pytest.approx(distance.min(), abs=2e-4)
    assert found.low <= distance.min() + 1e-15


def test_an_infinite_divergence_has_an_interval_that_can_break_a_bound() -> None:
    counts = Counts.of(a=(90, 0, 0, 10), d=(0, 0, 0, 50))
    assert plain_value(BY_NAME["KL"], counts)[0] == math.inf
    found = interval("KL", counts)
    assert found.high == math.inf
    assert found.low > 1


def test_the_flip_test_is_a_paired_difference() -> None:
    flip = FlipCounts(favoured=3, wronged=9, rows=60)
    found = interval_of(BY_NAME["FT"], example(), 0.9, rng(), flip)
    assert found is not None
    assert (found.method, ends(found)) == ("Tango score", tango(3, 9, 60, 0.9))
    assert interval_of(BY_NAME["FT"], example(), 0.9, rng()) is None
    assert interval_of(BY_NAME["FT"], example(), 0.9, rng(), FlipCounts(reason="Facet set is empty")) is None


@pytest.mark.parametrize("metric", [one for one in METRICS if one.form], ids=lambda metric: metric.name)
@settings(deadline=None, max_examples=25)
@given(table=arrays(np.int64, (3, 2, 2, 2), elements=st.one_of(st.integers(0, 3), st.integers(0, 300))))
def test_what_has_a_value_has_an_interval_and_nothing_else_has(
    metric: Metric, table: np.ndarray[tuple[int, ...], np.dtype[np.int64]]
) -> None:
    counts = Counts(table.sum(axis=0).astype(float), table[:-1].astype(float))
    value, *_ = plain_value(metric, counts)
    if value is None:
        return
    found = interval_of(metric, counts, 0.9, rng())
    assert found is not None
    assert metric.low - 1e-12 <= found.low <= found.high <= metric.high + 1e-12
    if metric.name in SCORED:
        assert found.reliable
        assert found.low - 1e-9 <= value <= found.high + 1e-9


@pytest.mark.parametrize("name", BOOTSTRAPPED)
def test_the_bootstrap_repeats_by_its_seed(name: str) -> None:
    assert interval(name, example(), seed=5) == interval(name, example(), seed=5)
    assert interval(name, example(), seed=5) != interval(name, example(), seed=6)


def by_rows(metric: Metric, counts: Counts, replicates: int, seed: int) -> list[float]:
    """The obvious bootstrap: rows are drawn with replacement, and counted."""
    assert counts.by_group is not None
    assert metric.form is not None
    cells = np.concatenate([counts.by_group, (counts.total - counts.by_group.sum(axis=0))[None]])
    rows = np.repeat(np.argwhere(cells >= 0), cells.reshape(-1).astype(int), axis=0)
    generator = rng(seed)
    found = []
    for _ in range(replicates):
        table = np.zeros(cells.shape)
        np.add.at(table, tuple(rows[generator.integers(len(rows), size=len(rows))].T), 1)
        form = metric.form(Counts(table.sum(axis=0), table[:-1]))
        assert form is not None
        found.append(float(form.value(PLAIN)))
    return found


@pytest.mark.parametrize("name", BOOTSTRAPPED)
def test_the_bootstrap_of_cells_is_the_bootstrap_of_rows(name: str) -> None:
    metric, counts = BY_NAME[name], example()
    assert metric.form is not None
    form = metric.form(resample(counts, 4000, rng(1)))
    assert form is not None
    values, rows = form.value(PLAIN), by_rows(metric, counts, 1500, seed=2)
    # Two samples of one distribution: the seeds are fixed, so that this passes or fails for good.
    assert stats.ks_2samp(values, rows, nan_policy="omit").pvalue > 0.01
    found = interval(name, counts)
    for end, share in ((found.low, 0.025), (found.high, 0.975)):
        below = np.mean(np.asarray(rows) < end)
        error = math.sqrt(share * (1 - share) * (1 / len(rows) + 1 / REPLICATES))
        # Four standard errors, and the steps of a distribution of few values.
        assert abs(below - share) < 4 * error + 0.004


def test_replicates_keep_every_row() -> None:
    counts = example()
    drawn = resample(counts, 50, rng())
    assert drawn.by_group is not None
    assert counts.by_group is not None
    assert drawn.total.shape == (50, 2, 2, 2)
    assert drawn.by_group.shape == (50, 2, 2, 2, 2)
    assert (drawn.total.sum(axis=(1, 2, 3)) == counts.total.sum()).all()
    assert (drawn.by_group.sum(axis=1) <= drawn.total).all()
    assert resample(Counts(counts.total), 3, rng()).by_group is None


@pytest.mark.parametrize("cell", [4, 5])
def test_small_cells_are_called_unreliable(cell: int) -> None:
    reliable = cell >= 5
    assert interval("TE", Counts.of(a=(50, 40, cell, 50), d=(50, 40, 30, 50))).reliable == reliable
    assert interval("GE", Counts.of(a=(90, cell, 0, 90), d=(90, 0, 0, 90))).reliable == reliable
    group = np.asarray([[[[40, 0], [30, 0]], [[20, 0], [cell, 0]]]], dtype=float)
    assert interval("CDDL", Counts(group[0], group)).reliable == reliable
    assert interval("DCA", Counts.of(a=(30, 10, 9, 50), d=(cell, 0, 20, 30))).reliable == reliable


def test_the_bootstrap_is_for_functions_of_counts() -> None:
    form = BY_NAME["GE"].form
    assert form is not None
    made = form(example())
    assert made is not None
    with pytest.raises(ValueError, match="FT is not a function of counts"):
        cell_bootstrap(BY_NAME["FT"], example(), made, 0.95, rng())


@pytest.mark.parametrize(("name", "least"), [("DCA", 0.90), ("TE", 0.90), ("GE", 0.91), ("CDDL", 0.91)])
def test_the_bootstrap_covers_nearly_what_it_promises(name: str, least: float) -> None:
    """300 samples of 460 rows: the standard error of a coverage of 0.95 is 0.013."""
    metric, cells = BY_NAME[name], np.asarray([[[[90, 30], [45, 135]], [[60, 24], [36, 40]]]], dtype=float)
    assert metric.form is not None
    population = Counts(cells[0], cells)
    truth, generator, held = plain_value(metric, population)[0], rng(7), 0
    assert truth is not None
    for _ in range(300):
        drawn = generator.multinomial(460, cells.reshape(-1) / cells.sum()).reshape(cells.shape).astype(float)
        found = interval_of(metric, Counts(drawn[0], drawn), 0.95, generator)
        assert found is not None
        held += found.low <= truth <= found.high
    assert least <= held / 300 <= 0.99

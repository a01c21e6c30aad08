"""The bootstrap over cells against one over rows, the jackknife over cells against one over rows, and the seed's promise."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import stats

from clarify_ops.bias.bootstrap import (
    REPLICATES,
    Bootstrap,
    Replicates,
    TableReplicates,
    acceleration,
    bca_tails,
    bootstrap_interval,
    order_statistic,
)
from clarify_ops.bias.forms import LIMITS, PLAIN
from clarify_ops.bias.table import BY_NAME, METRICS, Metric
from clarify_ops.bias.uncertainty import intervals_of
from clarify_ops.config.analysis import Facet
from clarify_ops.data.counts import Counts, CountTable, count
from clarify_ops.measures import Interval

from .coverage import table_of

Floats = NDArray[np.float64]
RESAMPLED = ("CDDL", "CDDPL", "DCA", "DCR", "GE", "TE")
METHODS: tuple[Bootstrap, ...] = ("percentile", "BCa")


def people(rows: int = 400, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    sizes = {"sex": 2, "race": 4, "school": 3, "label": 2, "prediction": 2}
    frame = pd.DataFrame({name: rng.integers(0, size, rows) for name, size in sizes.items()})
    frame["race"] = frame["race"].map({0: "green", 1: "blue", 2: "red", 3: "white"})
    return frame


def counted(frame: pd.DataFrame, facets: tuple[str, ...] = ("sex", "race"), group: str | None = "school") -> CountTable:
    return count(
        frame,
        facets=[Facet(name_or_index=name) for name in facets],
        label=frame["label"].to_numpy() == 1,
        predicted=frame["prediction"].to_numpy() == 1,
        group=group,
    )


def value(metric: Metric, counts: Counts) -> Floats:
    assert metric.form is not None
    form = metric.form(counts)
    assert form is not None
    return form.value(LIMITS)


def by_rows(metric: Metric, counts: Counts, replicates: int, seed: int) -> list[float]:
    """The obvious bootstrap: rows are drawn with replacement, and counted."""
    assert counts.by_group is not None
    cells = counts.by_group
    rows = np.repeat(np.argwhere(cells >= 0), cells.reshape(-1).astype(int), axis=0)
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(replicates):
        table = np.zeros(cells.shape)
        np.add.at(table, tuple(rows[rng.integers(len(rows), size=len(rows))].T), 1)
        found.append(float(value(metric, Counts(table.sum(axis=0), table))))
    return found


@pytest.mark.parametrize("name", RESAMPLED)
def test_the_bootstrap_of_cells_is_the_bootstrap_of_rows(name: str) -> None:
    metric, table = BY_NAME[name], counted(people())
    counts = table.split(table.entries[2])
    drawn = TableReplicates(table, 1, replicates=4000).of(table.entries[2]).drawn
    rows = by_rows(metric, counts, 1500, seed=2)
    # Two samples of one distribution: the seeds are fixed, so that this passes or fails for good.
    assert stats.ks_2samp(value(metric, drawn), rows, nan_policy="omit").pvalue > 0.01
    found = bootstrap_interval(metric, counts, TableReplicates(table, 1).of(table.entries[2]), 0.95, "percentile")
    for end, share in ((found.low, 0.025), (found.high, 0.975)):
        below = np.mean(np.asarray(rows) < end)
        error = math.sqrt(share * (1 - share) * (1 / len(rows) + 1 / REPLICATES))
        # Four standard errors, and the steps of a distribution of few values.
        assert abs(below - share) < 4 * error + 0.004


@pytest.mark.parametrize("name", RESAMPLED)
def test_the_jackknife_of_cells_is_the_jackknife_of_rows(name: str) -> None:
    metric, table = BY_NAME[name], counted(people(120))
    counts = table.split(table.entries[0])
    replicates = TableReplicates(table, 0).of(table.entries[0])
    assert counts.by_group is not None
    cells = counts.by_group
    deleted = []
    for row in np.repeat(np.argwhere(cells >= 0), cells.reshape(-1).astype(int), axis=0):
        left = cells.copy()
        left[tuple(row)] -= 1
        deleted.append(float(value(metric, Counts(left.sum(axis=0), left))))
    gap = np.mean(deleted) - np.asarray(deleted)
    expected = (gap**3).sum() / (6 * (gap**2).sum() ** 1.5)
    assert acceleration(value(metric, replicates.without_one), replicates.weights) == pytest.approx(expected, abs=1e-10)
    assert replicates.weights.sum() == len(deleted)


def test_bca_is_scipys() -> None:
    """Of a mean, whose rows are its cells; scipy draws by itself, so that the ends agree to Monte Carlo error."""
    rng = np.random.default_rng(3)
    sample = rng.exponential(size=60)
    values = sample[rng.integers(60, size=(20_000, 60))].mean(axis=1)
    deleted = (sample.sum() - sample) / 59
    tails = bca_tails(values, float(sample.mean()), acceleration(deleted, np.ones(60)), 1.959964)
    found = [order_statistic(values, tails[0], -1), order_statistic(values, tails[1], 1)]
    other = stats.bootstrap((sample,), np.mean, n_resamples=20_000, method="BCa", rng=4).confidence_interval
    assert found == pytest.approx([other.low, other.high], rel=0.01)
    plain = np.quantile(values, [0.025, 0.975])
    # The correction is seen: it is larger than that error.
    assert abs(found[1] - plain[1]) > 0.02 * plain[1]


def test_without_bias_and_skewness_bca_is_the_percentile() -> None:
    assert bca_tails(np.arange(1001.0), 500.0, 0.0, 1.959964) == pytest.approx((0.025, 0.975), abs=1e-6)
    assert acceleration(np.asarray([1.0, 1.0]), np.asarray([3.0, 4.0])) == 0.0


@given(st.lists(st.floats(-5, 5), min_size=39, max_size=39), st.integers(0, 3))
def test_replicates_without_a_value_open_both_ends(values: list[float], undefined: int) -> None:
    found = np.asarray([*values, *[math.nan] * undefined])
    low, high = order_statistic(found, 0.05, -1), order_statistic(found, 0.95, 1)
    ordered = sorted(values)
    # 40 replicates and one more give the 2nd of each side to an end of 5 %.
    assert low == (-math.inf if undefined >= 2 else ordered[1 - undefined])
    assert high == (math.inf if undefined >= 2 else ordered[undefined - 2])


def test_infinite_replicates_open_the_end_on_their_side() -> None:
    """Two false positives of d: a seventh of the replicates has none, and errors per none are without bound."""
    counts = Counts.of(a=(50, 40, 30, 50), d=(50, 2, 20, 50))
    table = table_of(counts)
    for method in METHODS:
        found = bootstrap_interval(BY_NAME["TE"], counts, TableReplicates(table, 0).of(table.entries[0]), 0.95, method)
        assert found.high == math.inf
        assert -math.inf < found.low < 10
        assert not found.reliable


def test_an_open_end_of_a_bounded_metric_is_the_end_of_its_range() -> None:
    group = np.asarray([[[[4, 0], [1, 0]], [[3, 0], [1, 0]]]], dtype=float)
    counts = Counts(group[0], group)
    table = table_of(counts)
    found = bootstrap_interval(
        BY_NAME["CDDL"], counts, TableReplicates(table, 0).of(table.entries[0]), 0.95, "percentile"
    )
    assert (found.low, found.high, found.reliable) == (-1.0, 1.0, False)


def test_no_width_is_unreliable() -> None:
    counts = Counts.of(a=(50, 0, 0, 50), d=(20, 0, 0, 20))
    table = table_of(counts)
    for method in METHODS:
        found = bootstrap_interval(BY_NAME["GE"], counts, TableReplicates(table, 0).of(table.entries[0]), 0.95, method)
        assert (found.low, found.high, found.reliable) == (0.0, 0.0, False)


def drawn_of(table: CountTable, facet: str, value: str, seed: int = 3) -> Floats:
    entry = next(one for one in table.entries if (one.facet, one.value) == (facet, value))
    return TableReplicates(table, seed, replicates=20).of(entry).drawn.total


def test_replicates_keep_every_row_and_are_of_the_entry() -> None:
    table = counted(people(5000))
    for entry in table.entries:
        replicates, counts = TableReplicates(table, 0).of(entry), table.split(entry)
        drawn = replicates.drawn
        assert drawn.by_group is not None
        assert counts.by_group is not None
        assert drawn.total.shape == (REPLICATES, 2, 2, 2)
        assert (drawn.total.sum(axis=(1, 2, 3)) == 5000).all()
        assert drawn.by_group.sum(axis=1) == pytest.approx(drawn.total)
        error = np.sqrt(counts.by_group / REPLICATES)
        assert (np.abs(drawn.by_group.mean(axis=0) - counts.by_group) < 5 * error).all()


def test_rows_of_no_known_subgroup_count_for_the_total_alone() -> None:
    frame = people(2000).astype({"school": float})
    frame.loc[frame.index[:700], "school"] = math.nan
    table = counted(frame)
    drawn = TableReplicates(table, 0).of(table.entries[0]).drawn
    assert drawn.by_group is not None
    assert (drawn.total.sum(axis=(1, 2, 3)) == 2000).all()
    assert abs(drawn.by_group.sum(axis=(1, 2, 3, 4)).mean() - 1300) < 5
    without = counted(people(500), group=None)
    assert TableReplicates(without, 0).of(without.entries[0]).drawn.by_group is None


def test_all_facets_share_one_draw() -> None:
    """What does not depend on the facet is the same number for each of its values, in every replicate."""
    table = counted(people())
    replicates = TableReplicates(table, 5)
    entropies = [value(BY_NAME["GE"], replicates.of(entry).drawn) for entry in table.entries]
    assert len(entropies) == 6
    assert all((one == entropies[0]).all() for one in entropies)


def test_the_draw_depends_on_the_table_and_the_seed_alone() -> None:
    frame = people()
    table = counted(frame)
    first = drawn_of(table, "race", "blue")
    shuffled = counted(frame.sample(frac=1, random_state=1).reset_index(drop=True))
    assert (shuffled.codes[:5] != table.codes[:5]).any() or shuffled.entries != table.entries
    assert (drawn_of(shuffled, "race", "blue") == first).all()
    assert (drawn_of(replace(table, entries=table.entries[::-1]), "race", "blue") == first).all()
    padded = replace(table, codes=np.vstack([table.codes, table.codes[:1]]), rows=np.append(table.rows, 0))
    assert (drawn_of(padded, "race", "blue") == first).all()
    assert (drawn_of(table, "race", "blue", seed=4) != first).any()


def test_no_facet_changes_the_draws_of_another() -> None:
    frame = people()
    first = drawn_of(counted(frame), "race", "blue")
    frame["sex"] = frame["sex"].iloc[0]
    assert (drawn_of(counted(frame), "race", "blue") == first).all()


@pytest.mark.parametrize("method", METHODS)
def test_intervals_do_not_depend_on_which_metrics_are_asked_for(method: Bootstrap) -> None:
    table = counted(people())
    everything = intervals_of(table, METRICS, level=0.95, seed=1, bootstrap=method)
    few = intervals_of(table, [BY_NAME["TE"], BY_NAME["CDDL"]], level=0.95, seed=1, bootstrap=method)
    assert few == {key: one for key, one in everything.items() if key[1] in {"TE", "CDDL"}}
    assert {one.interval.method for (_, name), one in everything.items() if name in RESAMPLED} == {
        f"{method} bootstrap"
    }
    score = intervals_of(table, METRICS, level=0.95, seed=1)
    for key, one in everything.items():
        assert (one == score[key]) == (key[1] not in RESAMPLED), key
    other = intervals_of(table, METRICS, level=0.95, seed=2, bootstrap=method)
    assert other != everything


@settings(deadline=None, max_examples=30)
@given(st.lists(st.integers(0, 30), min_size=8, max_size=8), st.sampled_from(METHODS))
def test_degenerate_tables_have_an_interval_wherever_there_is_a_value(cells: list[int], method: Bootstrap) -> None:
    group = np.asarray(cells, dtype=float).reshape(1, 2, 2, 2)
    if group.sum() == 0:
        return
    table = table_of(Counts(group[0], group))
    found = intervals_of(table, METRICS, level=0.9, seed=0, bootstrap=method)
    for metric in METRICS:
        form = metric.form(table.split(table.entries[0])) if metric.form else None
        has_value = form is not None and not np.isnan(form.value(PLAIN))
        assert ((0, metric.name) in found) == has_value
        if has_value:
            one: Interval = found[0, metric.name].interval
            assert metric.low - 1e-12 <= one.low <= one.high <= metric.high + 1e-12


def test_the_bootstrap_is_for_functions_of_counts() -> None:
    counts = Counts.of(a=(5, 4, 3, 5), d=(5, 2, 2, 5))
    empty = Replicates(counts, counts, np.ones(8))
    with pytest.raises(ValueError, match="FT is not a function of these counts"):
        bootstrap_interval(BY_NAME["FT"], counts, empty, 0.95, "BCa")

"""Laws that hold for every row of the metric table."""

from __future__ import annotations

import math
import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from clarify_ops.bias.clarify import value_or_error
from clarify_ops.bias.flip_test import FlipCounts
from clarify_ops.bias.forms import CLARIFY, PLAIN, Form
from clarify_ops.bias.measure import plain_value
from clarify_ops.bias.table import BY_NAME, METRICS, Metric
from clarify_ops.config.analysis import Facet
from clarify_ops.data.counts import Counts, count

from .oracle import close

# Groups, sides, labels, predictions: the last group stands for the rows whose group is not known.
tables = arrays(np.int64, (3, 2, 2, 2), elements=st.integers(0, 9))
every_metric = pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)
counted = pytest.mark.parametrize("metric", [one for one in METRICS if one.form], ids=lambda metric: metric.name)
laws = settings(deadline=None, max_examples=50)
Table = np.ndarray[tuple[int, ...], np.dtype[np.int64]]


def counts_of(table: Table) -> Counts:
    cells = table.astype(float)
    return Counts(cells.sum(axis=0), cells[:-1])


def form_of(metric: Metric, counts: Counts) -> Form:
    assert metric.form is not None
    form = metric.form(counts)
    assert form is not None
    return form


def plain(metric: Metric, counts: Counts) -> float | None:
    return plain_value(metric, counts)[0]


RANGES = {
    "[-1, 1]": (-1, 1),
    "[0, 1]": (0, 1),
    "[0, ln 2]": (0, math.log(2)),
    "[0, sqrt 2]": (0, math.sqrt(2)),
    "[0, infinity)": (0, math.inf),
    "(-infinity, infinity)": (-math.inf, math.inf),
}


@every_metric
def test_it_is_documented(metric: Metric) -> None:
    text = (metric.form.__doc__ if metric.form else FlipCounts.value.__doc__) or ""
    for mark in (".. math::", "Range:", "Source:", ">>>"):
        assert text.count(mark) == 1, mark
    written = re.search(r"Range: ([\[(].*?[\])]);", " ".join(text.split()))
    assert written is not None
    assert RANGES[written[1]] == (metric.low, metric.high)
    assert metric.description.endswith(f" ({metric.name})")
    assert metric.reading.endswith(".")
    assert metric.source.startswith("Amazon SageMaker Clarify")
    assert metric.low <= metric.parity <= metric.high
    assert BY_NAME[metric.name] is metric


@counted
@laws
@given(table=tables)
def test_it_stays_in_its_range(metric: Metric, table: Table) -> None:
    value = plain(metric, counts_of(table))
    assert value is None or metric.low - 1e-12 <= value <= metric.high + 1e-12


@counted
@laws
@given(table=tables)
def test_it_is_at_parity_where_both_sides_are_alike(metric: Metric, table: Table) -> None:
    alike = np.stack([table[:, 0], table[:, 0]], axis=1)
    if metric.name == "GE":
        # It compares individuals: parity is that nobody is wronged or favoured.
        alike[..., 0, 1] = alike[..., 1, 0] = 0
    value = plain(metric, counts_of(alike))
    assert value is None or value == pytest.approx(metric.parity, abs=1e-12)


@counted
@laws
@given(table=tables)
def test_swapping_the_sides_does_what_the_table_says(metric: Metric, table: Table) -> None:
    value, swapped = plain(metric, counts_of(table)), plain(metric, counts_of(table[:, ::-1]))
    if metric.swap == "other":
        return
    if metric.swap == "invert":
        # d without hits has the ratio 0; its inverse is undefined.
        assert not value or not swapped or value * swapped == pytest.approx(1)
    elif value is None:
        assert swapped is None
    else:
        assert swapped == pytest.approx(value if metric.swap == "same" else -value, abs=1e-12)


def test_what_swaps_otherwise_is_named() -> None:
    assert [metric.name for metric in METRICS if metric.swap == "other"] == ["KL", "FT"]


@counted
@laws
@given(table=tables, times=st.integers(2, 1000))
def test_more_of_the_same_rows_change_nothing(metric: Metric, table: Table, times: int) -> None:
    once, often = counts_of(table), counts_of(table * times)
    assert close(plain(metric, often), plain(metric, once))
    (value, error), (other, other_error) = value_or_error(metric, once), value_or_error(metric, often)
    assert close(other, value)
    assert other_error == error


@settings(deadline=None, max_examples=25)
@given(table=tables.filter(lambda table: bool(table.any())), seed=st.integers(0, 99))
def test_the_order_of_rows_changes_nothing(table: Table, seed: int) -> None:
    cells = np.repeat(np.argwhere(table >= 0), table.reshape(-1), axis=0)
    shuffled = np.random.default_rng(seed).permutation(cells)

    def tables_of(rows: Table) -> list[Counts]:
        groups = np.asarray(["x", "y", None], dtype=object)
        frame = pd.DataFrame({"facet": np.where(rows[:, 1] == 1, "d", "a"), "group": groups[rows[:, 0]]})
        found = count(
            frame,
            facets=[Facet(name_or_index="facet", value_or_threshold=("d",))],
            label=rows[:, 2] == 1,
            predicted=rows[:, 3] == 1,
            group="group",
        )
        return [found.split(entry) for entry in found.entries]

    for one, other in zip(tables_of(cells), tables_of(shuffled), strict=True):
        np.testing.assert_array_equal(one.total, other.total)
        np.testing.assert_array_equal(one.total, table.sum(axis=0))
        if one.by_group is None or other.by_group is None:
            assert one.by_group is other.by_group
        else:
            np.testing.assert_array_equal(one.by_group, other.by_group)


@counted
@laws
@given(batch=arrays(np.int64, (4, 3, 2, 2, 2), elements=st.integers(0, 9)))
def test_many_tables_at_once_give_what_each_gives_alone(metric: Metric, batch: Table) -> None:
    cells = batch.astype(float)
    together = form_of(metric, Counts(cells.sum(axis=1), cells[:, :-1]))
    for dialect in (PLAIN, CLARIFY):
        alone = [float(form_of(metric, counts_of(table)).value(dialect)) for table in batch]
        np.testing.assert_allclose(together.value(dialect), alone, rtol=1e-12, atol=1e-12)


@counted
@laws
@given(table=tables)
def test_what_is_undefined_says_why_and_shows_what_is_missing(metric: Metric, table: Table) -> None:
    value, reason, denominators = plain_value(metric, counts_of(table))
    assert (value is None) == bool(reason)
    if value is None:
        missing = [name for name, rows in denominators.items() if rows == 0]
        assert reason == f"There are no {missing[0]}."
    else:
        assert not math.isnan(value)
        assert all(rows > 0 for rows in denominators.values())


@counted
def test_without_a_group_variable_only_conditional_metrics_are_undefined(metric: Metric) -> None:
    counts = Counts.of((45, 10, 15, 30), (10, 5, 5, 30))
    conditional = metric.name in {"CDDL", "CDDPL"}
    assert (plain_value(metric, counts)[0] is None) == conditional
    assert (value_or_error(metric, counts)[0] is None) == conditional


def test_the_flip_test_swaps_nothing_and_needs_its_rows() -> None:
    counts = Counts.of((1, 1, 1, 1), (1, 1, 1, 1))
    metric = BY_NAME["FT"]
    assert plain_value(metric, counts) == (None, "The flip test was not run.", {})
    assert value_or_error(metric, counts) == (None, "FlipTest needs the rows")
    assert plain_value(metric, counts, FlipCounts(2, 5, 10)) == (-0.3, "", {"disadvantaged rows": 10})
    assert plain_value(metric, counts, FlipCounts(reason="Facet set is empty"))[:2] == (
        None,
        "The flip test has no answer: Facet set is empty.",
    )


def test_an_empty_side_is_parity_for_nobody() -> None:
    empty = counts_of(np.stack([np.zeros((2, 2, 2), dtype=np.int64), np.asarray([np.zeros((2, 2)), [[3, 2], [1, 4]]], dtype=np.int64), np.zeros((2, 2, 2), dtype=np.int64)]))  # fmt: skip
    for counts in (empty, replace(empty, total=empty.total[::-1], by_group=np.asarray(empty.by_group)[:, ::-1])):
        undefined = {metric.name for metric in METRICS if plain_value(metric, counts, None)[0] is None}
        assert undefined == {metric.name for metric in METRICS} - {"GE"}

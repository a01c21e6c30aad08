"""How often intervals hold the truth: tables drawn from populations whose metrics are known."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

from clarify_ops.bias.bootstrap import Bootstrap, TableReplicates, bootstrap_interval
from clarify_ops.bias.closed_forms import closed_form
from clarify_ops.bias.forms import PLAIN
from clarify_ops.bias.table import METRICS, Metric
from clarify_ops.data.counts import Counts, CountTable, FacetEntry

Floats = NDArray[np.float64]
SIZES = {"1000/1000": (1000, 1000), "2000/200": (2000, 200), "1000/20": (1000, 20)}
RATES = (0.05, 0.1, 0.3, 0.5, 0.8, 0.97)
PAIRS = (*((rate, rate) for rate in RATES), (0.1, 0.05), (0.3, 0.1), (0.5, 0.3), (0.5, 0.8), (0.8, 0.5), (0.97, 0.8))
# Shares of negatives and of positives that are predicted wrong, for a and for d.
ERRORS = {
    "few": ((0.05, 0.1), (0.05, 0.1)),
    "many": ((0.2, 0.3), (0.2, 0.3)),
    "uneven": ((0.1, 0.1), (0.3, 0.2)),
}
# Four subgroups: their shares of the rows, and how their log-odds of a positive label differ.
SUBGROUPS = np.asarray([0.4, 0.3, 0.2, 0.1])
SHIFTS = np.asarray([-0.6, 0.0, 0.4, 0.8])
COUNTED = tuple(metric for metric in METRICS if metric.form is not None)


@dataclass(frozen=True)
class Population:
    """One cell of the grid.

    Attributes:
        size: Expected rows of a and d, as text.
        rates: Shares of positive labels of a and d; where they are equal, so are the subgroups' shares and rates.
        errors: How often predictions are wrong.
    """

    size: str
    rates: tuple[float, float]
    errors: str

    def __str__(self) -> str:
        return f"{self.size} rows, rates {self.rates[0]:g}/{self.rates[1]:g}, {self.errors} errors"

    @property
    def rows(self) -> int:
        return sum(SIZES[self.size])

    @property
    def shares(self) -> Floats:
        """(subgroups, 2, 2, 2) probabilities of all cells."""
        shares = SUBGROUPS if self.rates[0] == self.rates[1] else SUBGROUPS[::-1]
        a, d = (
            side(rate, errors, parts)
            for rate, errors, parts in zip(self.rates, ERRORS[self.errors], (SUBGROUPS, shares), strict=True)
        )
        n_a, n_d = SIZES[self.size]
        return np.stack([n_a * a, n_d * d], axis=1) / self.rows

    def draw(self, tables: int, rng: np.random.Generator) -> Counts:
        """Counts with one leading axis; the sides' sizes vary, as those of sampled rows do."""
        cells = rng.multinomial(self.rows, self.shares.reshape(-1), size=tables).reshape(tables, -1, 2, 2, 2)
        return Counts(cells.sum(axis=1).astype(float), cells.astype(float))

    def truth(self, metric: Metric) -> float:
        return float(_form(metric, Counts(self.shares.sum(axis=0), self.shares)).value(PLAIN))


def side(rate: float, errors: tuple[float, float], parts: Floats) -> Floats:
    """(subgroups, 2, 2) probabilities of label and prediction on one side."""
    low, high = -20.0, 20.0
    for _ in range(100):
        middle = (low + high) / 2
        above = (parts * special.expit(middle + SHIFTS)).sum() > rate
        low, high = (low, middle) if above else (middle, high)
    positive = special.expit(low + SHIFTS)
    negatives = (1 - positive)[:, None] * [1 - errors[0], errors[0]]
    positives = positive[:, None] * [errors[1], 1 - errors[1]]
    return parts[:, None, None] * np.stack([negatives, positives], axis=1)


def grid() -> Iterator[Population]:
    for size in SIZES:
        for rates in PAIRS:
            for errors in ERRORS:
                yield Population(size, rates, errors)


@dataclass(frozen=True)
class Coverage:
    """What became of one metric's intervals in one population.

    Attributes:
        metric, population: Whose.
        method: Of the intervals.
        tables: How many were drawn.
        defined: Tables in which the metric has a value.
        held: Of those, whose interval holds the truth.
        reliable: Of those, whose interval is called reliable.
        misled: Whose interval is called reliable and does not hold the truth.
    """

    metric: str
    population: Population
    method: str
    tables: int
    defined: int
    held: int
    reliable: int
    misled: int

    @property
    def covered(self) -> float:
        return self.held / self.defined if self.defined else 1.0

    @property
    def misleads(self) -> float:
        return self.misled / self.tables


def closed_coverage(
    population: Population, tables: int, rng: np.random.Generator, level: float = 0.95
) -> Iterator[Coverage]:
    """The score intervals of every metric of counts, all tables at once."""
    counts = population.draw(tables, rng)
    for metric in COUNTED:
        form = _form(metric, counts)
        found = closed_form(form, level)
        assert found is not None
        defined = ~np.isnan(form.value(PLAIN))
        yield _tallied(metric, population, found.method, defined, (found.low, found.high), found.reliable)


def bootstrap_coverage(
    population: Population, metrics: Iterable[Metric], tables: int, rng: np.random.Generator, level: float = 0.95
) -> Iterator[Coverage]:
    """Both bootstraps of some metrics, table by table."""
    counts = population.draw(tables, rng)
    assert counts.by_group is not None
    methods: tuple[Bootstrap, ...] = ("percentile", "BCa")
    found = {(metric.name, method): np.full((4, tables), np.nan) for metric in metrics for method in methods}
    for i in range(tables):
        one = Counts(counts.total[i], counts.by_group[i])
        table = table_of(one)
        replicates = TableReplicates(table, i).of(table.entries[0])
        for metric in metrics:
            if np.isnan(_form(metric, one).value(PLAIN)):
                continue
            for method in methods:
                made = bootstrap_interval(metric, one, replicates, level, method)
                found[metric.name, method][:, i] = (1, made.low, made.high, made.reliable)
    for metric in metrics:
        for method in methods:
            defined, low, high, reliable = found[metric.name, method]
            yield _tallied(metric, population, f"{method} bootstrap", defined == 1, (low, high), reliable == 1)


def table_of(counts: Counts) -> CountTable:
    """A count table with one facet value that has these counts; all rows have a subgroup, or none has."""
    cells = counts.total[None] if counts.by_group is None else counts.by_group
    places = np.argwhere(cells > 0)
    groups = () if counts.by_group is None else tuple(f"{i:03}" for i in range(len(cells)))
    codes = places[:, [1, 0, 2, 3]]
    if counts.by_group is None:
        codes[:, 1] = -1
    entry = FacetEntry("side", "d", frozenset({1}))
    rows = cells[tuple(places.T)].astype(np.int64)
    return CountTable((entry,), ("side",), groups, codes, rows, counts.predicted, {"side": 0})


def _form(metric: Metric, counts: Counts) -> Any:
    assert metric.form is not None
    form = metric.form(counts)
    assert form is not None
    return form


def _tallied(
    metric: Metric,
    population: Population,
    method: str,
    defined: NDArray[np.bool_],
    ends: tuple[Floats, Floats],
    reliable: NDArray[np.bool_],
) -> Coverage:
    truth, (low, high) = population.truth(metric), ends
    # A distance of equal shares is 0 to the last digit or so, in the truth as in the ends.
    held = defined & (low <= truth + 1e-12) & (truth - 1e-12 <= high)
    return Coverage(
        metric.name,
        population,
        method,
        len(defined),
        int(defined.sum()),
        int(held.sum()),
        int((defined & reliable).sum()),
        int((defined & reliable & ~held).sum()),
    )

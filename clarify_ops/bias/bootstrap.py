"""The bootstrap over cells: one multinomial draw of the count table serves every facet value and every metric.

Drawing rows with replacement and counting them gives a multinomial table; drawing the table gives the same in the time of a
few hundred cells, whatever the number of rows. The jackknife that BCa needs is one over cells as well: rows of one cell are
alike, so that leaving out any of them is one evaluation, which counts as often as the cell has rows.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import special

from clarify_ops.bias.closed_forms import SMALLEST_CELL
from clarify_ops.bias.forms import LIMITS, Form
from clarify_ops.bias.table import Metric
from clarify_ops.data.counts import Array, Counts, CountTable, FacetEntry
from clarify_ops.intervals import normal_quantile
from clarify_ops.measures import Interval

Bootstrap = Literal["percentile", "BCa"]
REPLICATES = 1000


@dataclass(frozen=True)
class Replicates:
    """What a bootstrap of one facet value works with; every table is `Counts` with one leading axis.

    Attributes:
        drawn: (replicates, ...) multinomial tables.
        without_one: (cells, ...) the table without one row of each cell that has any.
        weights: (cells,) rows of those cells.
    """

    drawn: Counts
    without_one: Counts
    weights: Array


@dataclass(frozen=True)
class ReplicateEnds:
    """The bootstrap interval of one metric for one facet value.

    Attributes:
        values: (replicates,); infinite ones take their place in the order, and NaN stands beyond both ends.
        value: The metric's.
        acceleration: For BCa; None for a percentile bootstrap.
        limits: The metric's range: an open end of what has one ends there.
        firm: Whether the counts are large enough for it.
    """

    values: Array
    value: float
    acceleration: float | None
    limits: tuple[float, float]
    firm: bool

    def __call__(self, level: float, scale: Mapping[str, float] | None = None) -> tuple[float, float]:
        """Both ends, which are replicates, rounded outwards.

        Raises:
            KeyError: Rows are to be multiplied: these replicates are of the rows that there are.
        """
        if scale:
            raise KeyError(min(scale))
        low, high = self._between(level)
        return max(low, self.limits[0]), min(high, self.limits[1])

    def interval(self, level: float) -> Interval:
        """Unreliable where it has no width, or the counts are too small."""
        low, high = self._between(level)
        method = "percentile" if self.acceleration is None else "BCa"
        return Interval(*self(level), level, f"{method} bootstrap", low < high and self.firm)

    def _between(self, level: float) -> tuple[float, float]:
        z = normal_quantile(level)
        tails = float(special.ndtr(-z)), float(special.ndtr(z))
        if self.acceleration is not None:
            tails = bca_tails(self.values, self.value, self.acceleration, z)
        return order_statistic(self.values, tails[0], -1), order_statistic(self.values, tails[1], 1)


def bootstrap_interval(
    metric: Metric, counts: Counts, replicates: Replicates, level: float, method: Bootstrap
) -> Interval:
    """Interval of a metric for one facet value.

    Args:
        metric: A row of the metric table that is a function of counts.
        counts: The counts of the facet value, for which the metric is defined.
        replicates: Of these counts.
        level: Confidence level.
        method: "percentile", or "BCa", which corrects it for bias and skewness.

    Returns:
        Ends that are replicates themselves, rounded outwards. Infinite replicates take their place in the order, and those
        without a value stand beyond both ends, so that an end is open when more than its share of them is. Unreliable
        where it has no width, where the metric rests on a cell of fewer than 5 rows, or where it has no value without
        one of the rows.

    Source: Efron, 1987, doi:10.1080/01621459.1987.10478410.
    """
    return replicate_ends(metric, counts, replicates, method).interval(level)


def replicate_ends(metric: Metric, counts: Counts, replicates: Replicates, method: Bootstrap) -> ReplicateEnds:
    """What `bootstrap_interval` takes its ends from, for any level."""
    form = form_of(metric, counts)
    values = np.asarray(form_of(metric, replicates.drawn).value(LIMITS))
    deleted = np.asarray(form_of(metric, replicates.without_one).value(LIMITS))
    steady = bool(np.isfinite(deleted).all())
    skewness = acceleration(deleted, replicates.weights) if steady and method == "BCa" else 0.0
    return ReplicateEnds(
        values,
        float(form.value(LIMITS)),
        None if method == "percentile" else skewness,
        (metric.low, metric.high),
        bool(form.smallest_cell >= SMALLEST_CELL) and steady,
    )


def form_of(metric: Metric, counts: Counts) -> Form:
    """What a metric is made of, of counts that it is a function of."""
    form = None if metric.form is None else metric.form(counts)
    if form is None:
        raise ValueError(f"{metric.name} is not a function of these counts")
    return form


def order_statistic(values: Array, share: float, outwards: int) -> float:
    """The quantile of replicates, as one of them.

    Args:
        values: (replicates,); NaN stands below all others for a lower end and above them for an upper one.
        share: In (0, 1).
        outwards: -1 for a lower end, 1 for an upper end.
    """
    ordered = np.sort(np.where(np.isnan(values), outwards * np.inf, values))
    place = share * (len(ordered) + 1)
    place = np.floor(place + 1e-9) if outwards < 0 else np.ceil(place - 1e-9)
    return float(ordered[int(np.clip(place, 1, len(ordered))) - 1])


def acceleration(deleted: Array, weights: Array) -> float:
    """The skewness that BCa corrects for, of jackknife values that stand for `weights` rows each."""
    gap = np.average(deleted, weights=weights) - deleted
    spread = float((weights * gap**2).sum())
    return 0.0 if spread == 0 else float((weights * gap**3).sum()) / (6 * spread**1.5)


def bca_tails(values: Array, value: float, acceleration: float, z: float) -> tuple[float, float]:
    """The shares of the replicates at which BCa has its ends."""
    known = values[~np.isnan(values)]
    below = ((known < value).sum() + 0.5 * (known == value).sum()) / max(len(known), 1)
    edge = 1 / (len(values) + 1)
    bias = special.ndtri(np.clip(below, edge, 1 - edge))
    low, high = (bias + (bias + end) / max(1 - acceleration * (bias + end), 1e-9) for end in (-z, z))
    return float(special.ndtr(low)), float(special.ndtr(high))


@dataclass
class _Draw:
    """Cells in canonical order, each by its place among the table's, their rows, and their replicates; sums of all when asked."""

    places: NDArray[np.int64]
    rows: Array
    drawn: NDArray[np.int64]
    total: Array | None = None


class TableReplicates:
    """Replicates of a count table, for all its facet values.

    Subgroups, labels and predictions are drawn once for all facets, and each facet's values within them: that has fewer cells
    than a table of all facets together. The streams depend on the seed, on a facet's name and on the counts alone: not on
    other facets, nor on which metrics and values are asked about, nor on the order of the rows, of the facets, of their values
    or of the questions.
    """

    def __init__(self, table: CountTable, seed: int, replicates: int = REPLICATES) -> None:
        self._seed, self._replicates = seed, replicates
        kept = table.rows > 0
        self._codes = canonical(table)[kept]
        self._given = table.codes[kept]
        self._rows = table.rows[kept]
        self._groups = len(table.groups)
        self._predicted = table.predicted
        self._names = table.facets
        self._outcomes = self._drawn_outcomes()
        self._draws: dict[int, _Draw] = {}

    def of(self, entry: FacetEntry) -> Replicates:
        """Replicates of one entry of the table."""
        draw = self._drawn(entry.column)
        cells = self._codes_of(draw, entry.column)
        member = np.isin(cells[:, 0], list(entry.members))
        shape = (self._groups + 1, 2, 2, 2)
        key = np.ravel_multi_index((cells[:, 1] + 1, member.astype(np.int64), cells[:, 2], cells[:, 3]), shape)
        rows = np.bincount(key, weights=draw.rows, minlength=math.prod(shape)).astype(float)
        filled = np.flatnonzero(rows)
        without = np.repeat(rows[None, :], len(filled), axis=0)
        without[np.arange(len(filled)), filled] -= 1
        outcomes = cells[:, 1:] + np.asarray([1, 0, 0])
        disadvantaged = self._summed(draw.drawn[:, member], outcomes[member])
        if draw.total is None:
            draw.total = self._summed(draw.drawn, outcomes)
        tables = np.stack([draw.total - disadvantaged, disadvantaged], axis=2)
        return Replicates(self._counts(tables), self._counts(without.reshape(-1, *shape)), rows[filled])

    def _summed(self, drawn: NDArray[np.int64], outcomes: NDArray[np.int64]) -> Array:
        """(replicates, groups + 1, 2, 2): replicates by subgroup, label and prediction."""
        shape = (self._groups + 1, 2, 2)
        found = np.zeros((len(drawn), math.prod(shape)))
        if drawn.shape[1] > 0:
            key = np.ravel_multi_index(tuple(outcomes.T), shape)
            order = np.argsort(key, kind="stable")
            present, starts = np.unique(key[order], return_index=True)
            found[:, present] = np.add.reduceat(drawn[:, order], starts, axis=1)
        return found.reshape(-1, *shape)

    def _counts(self, tables: Array) -> Counts:
        # Rows of no known subgroup stand first: they count for the total alone.
        return Counts(tables.sum(axis=1), tables[:, 1:] if self._groups else None, self._predicted)

    def _codes_of(self, draw: _Draw, column: int) -> NDArray[np.int64]:
        """(cells, 4): facet code, group code, label and prediction."""
        return self._given[draw.places][:, [column, -3, -2, -1]]

    def _drawn_outcomes(self) -> NDArray[np.int64]:
        """(replicates, outcomes): rows of each subgroup, label and prediction that occur together, in canonical order."""
        _, cell = np.unique(self._codes[:, -3:], axis=0, return_inverse=True)
        rows = np.bincount(cell.reshape(-1), weights=self._rows)
        stream = np.random.default_rng(self._seed)
        return stream.multinomial(int(rows.sum()), rows / rows.sum(), size=self._replicates)

    def _drawn(self, column: int) -> _Draw:
        if column not in self._draws:
            # Cells of one outcome lie side by side.
            own = self._codes[:, [-3, -2, -1, column]]
            cells, places, cell = np.unique(own, axis=0, return_index=True, return_inverse=True)
            rows = np.bincount(cell.reshape(-1), weights=self._rows).astype(float)
            starts = np.flatnonzero((np.diff(cells[:, :-1], axis=0, prepend=-2) != 0).any(axis=1))
            stream = np.random.default_rng([self._seed, *self._names[column].encode()])
            drawn = [
                stream.multinomial(total, one / one.sum())
                for total, one in zip(self._outcomes.T, np.split(rows, starts[1:]), strict=True)
            ]
            self._draws[column] = _Draw(places, rows, np.concatenate(drawn, axis=1))
        return self._draws[column]


def canonical(table: CountTable) -> NDArray[np.int64]:
    """The codes of a table with those of the facets in the order of their values' texts.

    Codes are given in the order in which the values occur in the data: shuffled rows are to draw the same table.
    """
    codes = table.codes.copy()
    texts: dict[int, dict[int, str]] = {}
    for entry in table.entries:
        for code in entry.members:
            texts.setdefault(entry.column, {}).setdefault(code, entry.value)
    for column, names in texts.items():
        found = np.unique(codes[:, column])
        ranked = sorted(found.tolist(), key=lambda code: (names.get(code, ""), code))
        rank = np.empty(len(found), dtype=np.int64)
        rank[np.searchsorted(found, ranked)] = np.arange(len(ranked))
        codes[:, column] = rank[np.searchsorted(found, codes[:, column])]
    return codes

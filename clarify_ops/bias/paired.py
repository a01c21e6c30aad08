"""Is the candidate farther from parity than the champion? Bias metrics of two models compared on the same rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from clarify_ops.bias.bootstrap import ReplicateEnds, acceleration, form_of
from clarify_ops.bias.closed_forms import SMALLEST_CELL
from clarify_ops.bias.forms import LIMITS
from clarify_ops.bias.measure import plain_value
from clarify_ops.bias.table import Metric
from clarify_ops.data.counts import Array, Counts, FacetEntry, joint_table
from clarify_ops.data.tally import CodedRows
from clarify_ops.measures import Interval, Measure

REPLICATES = 4000
METHOD = "paired BCa bootstrap"


@dataclass(frozen=True)
class FartherEnds:
    """The interval of |c| - |h| from those of c - h and of c + h, which have no kink that a bootstrap would stumble over.

    |c| - |h| is the largest over both signs s of c, and the smallest over both signs t of h, of s c - t h. The largest of
    upper ends is an upper end, for one of them is that of the true sign; the smallest of two is one at Bonferroni's level.

    Attributes:
        difference: Of c - h.
        total: Of c + h.
        candidate, champion: Signs that c and h may have: both, unless every replicate has the same.
    """

    difference: ReplicateEnds
    total: ReplicateEnds
    candidate: tuple[int, ...] = (1, -1)
    champion: tuple[int, ...] = (1, -1)

    def __call__(self, level: float, scale: Mapping[str, float] | None = None) -> tuple[float, float]:
        """Both ends.

        Raises:
            KeyError: Rows are to be multiplied.
        """
        lows = self._sums(1 - (1 - level) / len(self.candidate), scale)
        highs = self._sums(1 - (1 - level) / len(self.champion), scale)
        low = min(max(lows[s, t][0] for s in self.candidate) for t in self.champion)
        high = max(min(highs[s, t][1] for t in self.champion) for s in self.candidate)
        return low, high

    def _sums(self, level: float, scale: Mapping[str, float] | None) -> dict[tuple[int, int], tuple[float, float]]:
        """The interval of s c - t h by (s, t)."""
        (low, high), (least, most) = self.difference(level, scale), self.total(level, scale)
        return {(1, 1): (low, high), (1, -1): (least, most), (-1, 1): (-most, -least), (-1, -1): (-high, -low)}


def compare_bias(
    rows: CodedRows, champion: NDArray[np.bool_], metrics: Iterable[Metric], *, level: float, seed: int
) -> tuple[Measure, ...]:
    """The candidate's distance from parity minus the champion's, for every facet value: above 0 the candidate is worse.

    The distance is the metric's absolute value, of a ratio that of its logarithm. The interval is a bootstrap over the joint
    cells of subgroup, side, label and both predictions: rows of which both models say the same stay together.

    Args:
        rows: The rows with the candidate's predictions.
        champion: (rows,) the champion's predicted positives.
        metrics: Rows of the metric table; those that are no function of counts, and those before training, are left out.
        level: Of the intervals.
        seed: Of the bootstrap; each facet value has a stream of its own.

    Source: Efron, 1987, doi:10.1080/01621459.1987.10478410.
    """
    chosen = [metric for metric in metrics if metric.form is not None and metric.stage == "post_training"]
    found: list[Measure] = []
    for entry in rows.entries:
        cells = JointCells.of(rows, entry, champion)
        rng = np.random.default_rng([seed, crc32(f"{entry.facet}\n{entry.value}".encode())])
        drawn = cells.drawn(rng)
        found.extend(_compared(metric, entry, cells, drawn, level) for metric in chosen)
    return tuple(found)


@dataclass(frozen=True)
class JointCells:
    """Rows by subgroup, side, label and both predictions, for one facet value.

    Attributes:
        table: (subgroups + 1, 2 sides, 2 labels, 2 predictions of the candidate, 2 of the champion); rows of no known
            subgroup come first.
        grouped: Whether there is a group variable.
    """

    table: Array
    grouped: bool

    @classmethod
    def of(cls, rows: CodedRows, entry: FacetEntry, champion: NDArray[np.bool_]) -> JointCells:
        """Counts them."""
        candidate = rows.outcomes.predicted
        if candidate is None:
            raise ValueError("the rows have no predictions to compare")
        columns = [rows.group + 1, rows.members(entry), rows.outcomes.observed, candidate, champion]
        codes, counted = joint_table(columns, rows.weights)
        table = np.zeros((len(rows.groups) + 1, 2, 2, 2, 2))
        table[tuple(codes.T)] = counted
        return cls(table, bool(rows.groups))

    def drawn(self, rng: np.random.Generator, replicates: int = REPLICATES) -> Array:
        """(replicates, ...) multinomial tables."""
        flat = self.table.ravel()
        found = np.zeros((replicates, flat.size))
        filled = flat > 0
        found[:, filled] = rng.multinomial(int(flat.sum()), flat[filled] / flat.sum(), size=replicates)
        return found.reshape(replicates, *self.table.shape)

    @property
    def without_one(self) -> tuple[Array, Array]:
        """(cells, ...) the table without one row of each cell that has any, and (cells,) their rows."""
        flat = self.table.ravel()
        filled = np.flatnonzero(flat)
        tables = np.repeat(flat[None, :], len(filled), axis=0)
        tables[np.arange(len(filled)), filled] -= 1
        return tables.reshape(-1, *self.table.shape), flat[filled]

    @property
    def alike(self) -> bool:
        """Whether both models predict the same for every row."""
        return float(self.table[..., 0, 1].sum() + self.table[..., 1, 0].sum()) == 0

    def sides(self, tables: Array) -> tuple[Counts, Counts]:
        """The counts of the candidate and of the champion, of (..., subgroups + 1, 2, 2, 2, 2) tables."""
        own = (tables.sum(axis=-1), tables.sum(axis=-2))
        candidate, champion = (Counts(one.sum(axis=-4), one[..., 1:, :, :, :] if self.grouped else None) for one in own)
        return candidate, champion


def _compared(metric: Metric, entry: FacetEntry, cells: JointCells, drawn: Array, level: float) -> Measure:
    candidate, champion = cells.sides(cells.table)
    value, reason, denominators = plain_value(metric, candidate)
    other, other_reason, _ = plain_value(metric, champion)
    groups = {side: int(candidate.n(place)) for place, side in enumerate(("a", "d"))}
    found = Measure("champion", metric.name, None, "?", entry.facet, entry.value, groups, denominators)
    if value is None or other is None:
        whose = "candidate" if value is None else "champion"
        return replace(found, reason=f"Of the {whose}: {reason or other_reason}")
    one, base = (float(_from_parity(metric, np.asarray(each))) for each in (value, other))
    if np.isinf(one) and np.isinf(base):
        return replace(found, reason="Both models are infinitely far from parity.")
    ends, firm = _ends(metric, cells, drawn, one, base)
    low, high = ends(level)
    interval = Interval(low, high, level, METHOD, firm and (low < high or cells.alike))
    return replace(found, value=abs(one) - abs(base), reason="", interval=interval, ends=ends)


def _ends(metric: Metric, cells: JointCells, drawn: Array, one: float, base: float) -> tuple[FartherEnds, bool]:
    """The interval, and whether the counts are large enough for it."""
    tables, weights = cells.without_one
    of_drawn, of_deleted = _both(metric, cells, drawn), _both(metric, cells, tables)
    smallest = min(float(form_of(metric, counts).smallest_cell) for counts in cells.sides(cells.table))
    steady = all(bool(np.isfinite(each).all()) for each in of_deleted)
    firm = smallest >= SMALLEST_CELL and steady
    made = []
    signs = [_signs(values) for values in of_drawn]
    for sign in (-1.0, 1.0):
        with np.errstate(invalid="ignore"):
            values, deleted = (pair[0] + sign * pair[1] for pair in (of_drawn, of_deleted))
        skewness = acceleration(deleted, weights) if steady else 0.0
        made.append(ReplicateEnds(values, one + sign * base, skewness, (-np.inf, np.inf), firm))
    return FartherEnds(made[0], made[1], *signs), firm


def _signs(values: Array) -> tuple[int, ...]:
    return (1,) if bool((values > 0).all()) else (-1,) if bool((values < 0).all()) else (1, -1)


def _both(metric: Metric, cells: JointCells, tables: Array) -> tuple[Array, Array]:
    candidate, champion = (
        _from_parity(metric, np.asarray(form_of(metric, counts).value(LIMITS))) for counts in cells.sides(tables)
    )
    return candidate, champion


def _from_parity(metric: Metric, values: Array) -> Array:
    """Signed: of a ratio, its logarithm."""
    if metric.parity == 0:
        return values
    with np.errstate(divide="ignore"):
        return np.asarray(np.log(values))

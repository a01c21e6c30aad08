"""How often the gate is wrong, and how often it decides: tables drawn from populations whose metrics are known.

A family fails as soon as its smallest p-value is below alpha over the number of its members, and passes when every member
does: three evaluations of the intervals answer for ten thousand tables what the judge answers for one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from clarify_ops.bias.closed_forms import Intervals, closed_form
from clarify_ops.bias.forms import PLAIN, Form
from clarify_ops.bias.table import BY_NAME
from clarify_ops.data.counts import Counts
from clarify_ops.gate.bounds import Bound

Floats = NDArray[np.float64]
Truth = Literal["parity", "one at the bound", "all at the bound", "twice the bound"]
WITHIN: tuple[Truth, ...] = ("parity", "one at the bound", "all at the bound")
CONFIDENCE, ALPHA = 0.95, 0.05
BOUNDS = {"DPPL": Bound(-0.1, 0.1), "RD": Bound(-0.1, 0.1), "DI": Bound(0.8, 1.25)}


@dataclass(frozen=True)
class Population:
    """One cell of the grid.

    Attributes:
        metric: DPPL, DI or RD.
        groups: Groups of equal expected size, each compared with all others; 1 is two groups of which one is reported.
        rows: All of them.
        rate: Share of positive predictions, or the recall, of all groups but those that differ.
        truth: How the groups differ.
        base: Share of positive labels: what is left of the rows for a recall.
    """

    metric: str
    groups: int
    rows: int
    rate: float
    truth: Truth = "parity"
    base: float = 1.0

    @property
    def bound(self) -> Bound:
        return BOUNDS[self.metric]

    @property
    def shares(self) -> Floats:
        """(groups,) true shares."""
        groups = max(self.groups, 2)
        shares = np.full(groups, self.rate)
        if self.truth == "all at the bound":
            return self._halves(groups)
        if self.truth != "parity":
            shares[0] = self._worse(1.0 if self.truth == "one at the bound" else 2.0)
        return shares

    def _worse(self, times: float) -> float:
        return self.rate * 0.8**times if self.metric == "DI" else self.rate - 0.1 * times

    def _halves(self, groups: int) -> Floats:
        """Half of the groups above and half below the rate, as far as keeps all of them within the bound."""
        low, high = 0.0, min(self.rate, 1 - self.rate)
        sign = np.where(np.arange(groups) % 2 == 0, -1.0, 1.0)
        for _ in range(60):
            middle = (low + high) / 2
            found = self.rate + sign * middle
            rest = (found.sum() - found) / (groups - 1)
            values = found / rest if self.metric == "DI" else rest - found
            fits = bool(np.all((values >= self.bound.low) & (values <= self.bound.high)))
            low, high = (middle, high) if fits else (low, middle)
        return np.asarray(self.rate + sign * low)

    def draw(self, tables: int, rng: np.random.Generator) -> Counts:
        """(tables, members) counts of every group against all others."""
        groups = max(self.groups, 2)
        rows = rng.multinomial(self.rows, np.full(groups, 1 / groups), size=tables)
        asked = rng.binomial(rows, self.base)
        hits = rng.binomial(asked, self.shares)
        total = np.zeros((tables, groups, 2, 2, 2))
        label = 1 if self.metric == "RD" else 0
        total[..., 1, label, 1], total[..., 1, label, 0] = hits, asked - hits
        total[..., 0, :, :] = total[..., 1, :, :].sum(axis=1, keepdims=True) - total[..., 1, :, :]
        return Counts(total[:, : self.groups])

    def __str__(self) -> str:
        base = f", base rate {self.base:g}" if self.base < 1 else ""
        return f"{self.metric}, {self.groups} groups, {self.rows:,} rows, rate {self.rate:g}{base}, {self.truth}"


@dataclass(frozen=True)
class Outcomes:
    """(tables,) what the gate says.

    Attributes:
        passes: Every member passes.
        fails: One at least is beyond the bound by more than chance.
        undefined: One at least has no value, which fails whatever the others show.
    """

    passes: NDArray[np.bool_]
    fails: NDArray[np.bool_]
    undefined: NDArray[np.bool_]


def form_of(metric: str, counts: Counts) -> Form:
    made = BY_NAME[metric].form
    assert made is not None
    form = made(counts)
    assert form is not None
    return form


def outcomes(population: Population, counts: Counts) -> Outcomes:
    """The verdicts of a policy with the population's one rule."""
    form, bound, members = form_of(population.metric, counts), population.bound, population.groups
    value = form.value(PLAIN)

    def at(level: float) -> Intervals:
        found = closed_form(form, level)
        assert found is not None
        return found

    asked, strict, twice = at(CONFIDENCE), at(1 - 2 * ALPHA / members), at(1 - ALPHA / members)
    undefined = np.isnan(value)
    half = np.where(value > bound.high, value - asked.low, asked.high - value)
    narrow = bound.high - bound.low < half
    beyond = np.where(narrow, _beyond(twice, bound), _beyond(strict, bound)) & asked.reliable
    inside = (asked.low >= bound.low) & (asked.high <= bound.high) & asked.reliable & ~undefined
    return Outcomes(*(np.asarray(one) for one in (inside.all(axis=-1), beyond.any(axis=-1), undefined.any(axis=-1))))


def _beyond(found: Intervals, bound: Bound) -> NDArray[np.bool_]:
    return (found.low > bound.high) | (found.high < bound.low)


def upper_limit(hits: int, draws: int, level: float = 0.99) -> float:
    """The exact one-sided limit of a share (Clopper and Pearson, 1934, doi:10.1093/biomet/26.4.404)."""
    return 1.0 if hits == draws else float(stats.beta.ppf(level, hits + 1, draws - hits))

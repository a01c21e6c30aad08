"""Which groups drive a metric: the facet values farthest from parity, the strata behind a difference, and reversals.

A stratum is the rows of one value of the group variable. All are functions of the count table.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from clarify_ops.bias.forms import PLAIN, ConditionalDisparity, Difference
from clarify_ops.bias.measure import plain_value
from clarify_ops.bias.table import Metric
from clarify_ops.data.counts import ADVANTAGED, DISADVANTAGED, Array, Counts, CountTable, FacetEntry
from clarify_ops.intervals import newcombe
from clarify_ops.measures import Interval, json_number


@dataclass(frozen=True)
class Apart:
    """A facet value, or an intersection of several, and how far it is from parity.

    Attributes:
        metric, facet, facet_value: What was measured.
        value: The metric's value.
        groups: Rows per side, {"a": advantaged, "d": disadvantaged}.
    """

    metric: str
    facet: str
    facet_value: str
    value: float
    groups: Mapping[str, int]

    def to_json(self) -> dict[str, Any]:
        """JSON types; an infinite value is the string "Infinity" or "-Infinity"."""
        return {**asdict(self), "groups": dict(self.groups), "value": json_number(self.value)}


@dataclass(frozen=True)
class Part:
    """What one stratum adds to a difference of two rates.

    Attributes:
        group: Value of the group variable; None for the rows without one.
        first, second: (hits, rows) of both rates in this stratum.
        within: Part due to different rates in the stratum.
        composition: Part due to different shares of the stratum in both sides.
    """

    group: str | None
    first: tuple[int, int]
    second: tuple[int, int]
    within: float
    composition: float

    @property
    def contribution(self) -> float:
        """Both parts."""
        return self.within + self.composition

    @property
    def rows(self) -> int:
        """Rows of both rates."""
        return self.first[1] + self.second[1]

    @property
    def difference(self) -> float | None:
        """First rate minus second, in the stratum alone; None where a side has no rows there."""
        if not self.first[1] or not self.second[1]:
            return None
        return self.first[0] / self.first[1] - self.second[0] / self.second[1]

    def to_json(self) -> dict[str, Any]:
        """JSON types."""
        return {
            "composition": self.composition,
            "contribution": self.contribution,
            "difference": self.difference,
            "first": {"hits": self.first[0], "rows": self.first[1]},
            "group": self.group,
            "second": {"hits": self.second[0], "rows": self.second[1]},
            "within": self.within,
        }


@dataclass(frozen=True)
class Decomposition:
    """A difference of two rates, by strata.

    Attributes:
        metric, facet, facet_value: Which difference.
        gap: The metric's value; the sum of all contributions.
        parts: By falling size of their contribution.
    """

    metric: str
    facet: str
    facet_value: str
    gap: float
    parts: tuple[Part, ...]

    @property
    def within(self) -> float:
        """Part due to different rates within strata: the gap if both sides were spread over the strata alike."""
        return math.fsum(part.within for part in self.parts)

    @property
    def composition(self) -> float:
        """Part due to different spreads over the strata: the gap if the rates within each were alike."""
        return math.fsum(part.composition for part in self.parts)

    def to_json(self) -> dict[str, Any]:
        """JSON types."""
        return {
            "composition": self.composition,
            "facet": self.facet,
            "facet_value": self.facet_value,
            "gap": self.gap,
            "metric": self.metric,
            "parts": [part.to_json() for part in self.parts],
            "within": self.within,
        }


@dataclass(frozen=True)
class Term:
    """What one stratum adds to a conditional disparity.

    Attributes:
        metric, facet, facet_value: Which disparity.
        group: Value of the group variable.
        rows: Rows of the stratum.
        disparity: Of the stratum alone.
        contribution: Its share of the metric's value: disparity times rows, over the rows of all strata that have one.
    """

    metric: str
    facet: str
    facet_value: str
    group: str
    rows: int
    disparity: float
    contribution: float

    def to_json(self) -> dict[str, Any]:
        """JSON types."""
        return asdict(self)


@dataclass(frozen=True)
class Reversal:
    """A difference whose sign in the whole is opposite to that in most of the rows, taken stratum by stratum.

    Attributes:
        metric, facet, facet_value: Which difference.
        gap: Of the whole.
        interval: Of the gap.
        opposite: Strata of the opposite sign, by falling number of rows, each with the interval of its difference.
        compared: Rows of the strata in which both sides have rows.
        everywhere: Whether all of these strata are opposite.
        supported: Whether the interval of the whole, or of every opposite stratum, excludes 0; else it is only apparent.
    """

    metric: str
    facet: str
    facet_value: str
    gap: float
    interval: Interval
    opposite: tuple[tuple[Part, Interval], ...]
    compared: int
    everywhere: bool
    supported: bool

    def to_json(self) -> dict[str, Any]:
        """JSON types."""
        return {
            "compared": self.compared,
            "everywhere": self.everywhere,
            "evidence": "supported" if self.supported else "apparent",
            "facet": self.facet,
            "facet_value": self.facet_value,
            "gap": self.gap,
            "interval": self.interval.to_json(),
            "metric": self.metric,
            "opposite": [{**part.to_json(), "interval": interval.to_json()} for part, interval in self.opposite],
        }


@dataclass(frozen=True)
class Drivers:
    """All that was found.

    Attributes:
        apart: Per metric, the facet values farthest from parity, farthest first.
        decompositions: One for each difference of two rates and facet value.
        terms: Strata of conditional disparities; per metric and facet value by falling size of their contribution.
        reversals: Those found, supported ones first.
    """

    apart: tuple[Apart, ...]
    decompositions: tuple[Decomposition, ...]
    terms: tuple[Term, ...]
    reversals: tuple[Reversal, ...]

    def to_json(self) -> dict[str, Any]:
        """JSON types."""
        return {
            "apart": [one.to_json() for one in self.apart],
            "decompositions": [one.to_json() for one in self.decompositions],
            "reversals": [one.to_json() for one in self.reversals],
            "terms": [one.to_json() for one in self.terms],
        }


def drivers(
    table: CountTable, metrics: Iterable[Metric], *, level: float, top: int = 5, majority: float = 0.5
) -> Drivers:
    """Finds the groups behind each metric.

    Args:
        table: The counts. Without a group variable there are no strata, and only `apart` is filled.
        metrics: Which rows of the metric table.
        level: Of the intervals.
        top: How many facet values are kept per metric.
        majority: A reversal needs opposite strata with more than this share of the rows that can be compared.
    """
    chosen = tuple(metrics)
    found: list[Decomposition] = []
    terms: list[Term] = []
    reversals: list[Reversal] = []
    for metric in chosen:
        for entry in table.entries:
            counts = table.split(entry)
            if (decomposition := decompose(metric, entry, counts, table.groups)) is not None:
                found.append(decomposition)
                if (reversal := reversed_in_strata(decomposition, level, majority)) is not None:
                    reversals.append(reversal)
            terms.extend(conditional_terms(metric, entry, counts, table.groups))
    reversals.sort(key=lambda one: not one.supported)
    return Drivers(farthest(table, chosen, top), tuple(found), tuple(terms), tuple(reversals))


def farthest(table: CountTable, metrics: Iterable[Metric], top: int) -> tuple[Apart, ...]:
    """Per metric, the facet values farthest from parity; of a ratio, by its logarithm, so that 1/2 is as far as 2."""
    found: list[Apart] = []
    for metric in metrics:
        those: list[Apart] = []
        for entry in table.entries:
            counts = table.split(entry)
            value, _, _ = plain_value(metric, counts)
            if value is not None:
                groups = {"a": int(counts.n(ADVANTAGED)), "d": int(counts.n(DISADVANTAGED))}
                those.append(Apart(metric.name, entry.facet, entry.value, value, groups))
        found.extend(sorted(those, key=lambda one: -_distance(metric, one.value))[:top])
    return tuple(found)


def _distance(metric: Metric, value: float) -> float:
    if metric.swap == "invert":
        return abs(math.log(value)) if 0 < value < math.inf else math.inf
    return abs(value - metric.parity)


def decompose(metric: Metric, entry: FacetEntry, counts: Counts, groups: tuple[str, ...]) -> Decomposition | None:
    r"""A difference of two rates as a sum over strata, exactly.

    .. math:: p_1 - p_2 = \sum_g \frac{w_{1g} + w_{2g}}{2} (p_{1g} - p_{2g})
        + \sum_g (w_{1g} - w_{2g}) \left( \frac{p_{1g} + p_{2g}}{2} - \bar p \right)

    where :math:`w` is the share of a stratum in the rows of its rate. The first sum is due to different rates within
    strata, the second to different shares. Subtracting :math:`\bar p = (p_1 + p_2) / 2` leaves the sum as it is and lets a
    stratum of ordinary rates add nothing. Where a side has no rows in a stratum, its rate there is taken to be that of
    the other side, so that all of the stratum counts as composition. Rows without a group are a stratum of their own.

    Returns:
        None where the metric is no difference of two proportions, there is no group variable, or a side has no rows.

    Source: Kitagawa, 1955, doi:10.1080/01621459.1955.10501299; the same two parts as the twofold decomposition with
    averaged weights of Oaxaca, 1973, doi:10.2307/2525981, and Blinder, 1973, doi:10.2307/144855.
    """
    if metric.form is None or counts.by_group is None:
        return None
    unknown = counts.total - counts.by_group.sum(axis=-4)
    form = metric.form(Counts(np.concatenate([counts.by_group, unknown[None]]), predicted=counts.predicted))
    if not isinstance(form, Difference) or not (form.first.proportion and form.second.proportion):
        return None
    hits = np.stack([form.first.numerator, form.second.numerator])
    rows = np.stack([form.first.denominator, form.second.denominator])
    if not rows.sum(axis=1).all():
        return None
    overall = hits.sum(axis=1) / rows.sum(axis=1)
    within, composition = _two_parts(hits, rows)
    parts = [
        Part(group, (int(hits[0, g]), int(rows[0, g])), (int(hits[1, g]), int(rows[1, g])), *both)
        for g, (group, both) in enumerate(
            zip((*groups, None), zip(within.tolist(), composition.tolist(), strict=True), strict=True)
        )
        if rows[:, g].any()
    ]
    parts.sort(key=lambda part: -abs(part.contribution))
    return Decomposition(metric.name, entry.facet, entry.value, float(overall[0] - overall[1]), tuple(parts))


def _two_parts(hits: Array, rows: Array) -> tuple[Array, Array]:
    """(strata,) within and composition, from (2, strata) hits and rows."""
    share = rows / rows.sum(axis=1, keepdims=True)
    rate = hits / np.maximum(rows, 1)
    rate = np.where(rows > 0, rate, rate[::-1])
    centre = float((hits.sum(axis=1) / rows.sum(axis=1)).mean())
    return share.mean(axis=0) * (rate[0] - rate[1]), (share[0] - share[1]) * (rate.mean(axis=0) - centre)


def conditional_terms(metric: Metric, entry: FacetEntry, counts: Counts, groups: tuple[str, ...]) -> tuple[Term, ...]:
    """The strata of a conditional disparity; those without rejections or without acceptances have none and are left out."""
    if metric.form is None or counts.by_group is None:
        return ()
    # Each stratum as a table of one group.
    form = metric.form(Counts(counts.by_group, counts.by_group[:, None], counts.predicted))
    if not isinstance(form, ConditionalDisparity):
        return ()
    disparities, sizes = form.value(PLAIN), counts.by_group.sum(axis=(-1, -2, -3))
    found = [
        (group, int(rows), float(disparity))
        for group, rows, disparity in zip(groups, sizes, disparities, strict=True)
        if not np.isnan(disparity)
    ]
    every = sum(rows for _, rows, _ in found)
    terms = [
        Term(metric.name, entry.facet, entry.value, group, rows, disparity, rows * disparity / every)
        for group, rows, disparity in found
    ]
    return tuple(sorted(terms, key=lambda term: -abs(term.contribution)))


def reversed_in_strata(decomposition: Decomposition, level: float, majority: float = 0.5) -> Reversal | None:
    """Whether the sign of a difference turns around within strata.

    Strata in which a side has no rows say nothing, nor do rows without a group. Among the others, those of the opposite
    sign have to hold more than `majority` of the rows.

    Source: Simpson, 1951, doi:10.1111/j.2517-6161.1951.tb00088.x.
    """
    compared = [part for part in decomposition.parts if part.group is not None and part.difference is not None]
    rows = sum(part.rows for part in compared)
    opposite = [part for part in compared if (part.difference or 0.0) * decomposition.gap < 0]
    if not opposite or sum(part.rows for part in opposite) <= majority * rows:
        return None
    whole = _interval(
        tuple(np.sum([part.first for part in decomposition.parts], axis=0).tolist()),
        tuple(np.sum([part.second for part in decomposition.parts], axis=0).tolist()),
        level,
    )
    opposite.sort(key=lambda part: -part.rows)
    theirs = tuple((part, _interval(part.first, part.second, level)) for part in opposite)
    return Reversal(
        metric=decomposition.metric,
        facet=decomposition.facet,
        facet_value=decomposition.facet_value,
        gap=decomposition.gap,
        interval=whole,
        opposite=theirs,
        compared=rows,
        everywhere=len(opposite) == len(compared),
        supported=_excludes_zero(whole) or all(_excludes_zero(interval) for _, interval in theirs),
    )


def _interval(first: tuple[int, int], second: tuple[int, int], level: float) -> Interval:
    return Interval(*newcombe(first, second, level), level, "Newcombe score")


def _excludes_zero(interval: Interval) -> bool:
    return interval.low > 0 or interval.high < 0

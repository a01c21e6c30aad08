"""Slow, obvious bias metrics: row by row, from their definitions, in both dialects."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """One person; `facet` and `group` may be unknown."""

    facet: str | None
    group: str | None
    label: bool
    predicted: bool

    @property
    def wronged(self) -> bool:
        return self.label and not self.predicted

    @property
    def favoured(self) -> bool:
        return self.predicted and not self.label

    @property
    def right(self) -> bool:
        return self.label == self.predicted


class Undefined(Exception):
    """There is no such number."""


Rows = Sequence[Row]
Test = Callable[[Row], bool]
Divide = Callable[[float, float], float]


def plain(numerator: float, denominator: float) -> float:
    if denominator == 0:
        raise Undefined
    return numerator / denominator


def clarify(numerator: float, denominator: float) -> float:
    if denominator == 0:
        return 0.0 if numerator == 0 else math.inf
    return numerator / denominator


def how_many(rows: Rows, test: Test) -> int:
    return sum(1 for row in rows if test(row))


def among(rows: Rows, test: Test) -> Rows:
    return [row for row in rows if test(row)]


def label(row: Row) -> bool:
    return row.label


def no_label(row: Row) -> bool:
    return not row.label


def predicted(row: Row) -> bool:
    return row.predicted


def rejected(row: Row) -> bool:
    return not row.predicted


def right(row: Row) -> bool:
    return row.right


def wronged(row: Row) -> bool:
    return row.wronged


def favoured(row: Row) -> bool:
    return row.favoured


def everybody(row: Row) -> bool:
    return True


@dataclass(frozen=True)
class Oracle:
    """All metrics of some rows whose side d is those with facet "d"."""

    rows: Rows
    divide: Divide

    def __post_init__(self) -> None:
        if self.divide not in {plain, clarify}:
            raise ValueError("there are two dialects")

    @property
    def a(self) -> Rows:
        return [row for row in self.rows if row.facet != "d"]

    @property
    def d(self) -> Rows:
        return [row for row in self.rows if row.facet == "d"]

    def both(self) -> None:
        if not self.a or not self.d:
            raise Undefined

    def rate(self, rows: Rows, hit: Test, of: Test) -> float:
        """Rows that are hits, per row that is `of`."""
        return self.divide(how_many(rows, hit), how_many(rows, of))

    def gap(self, first: float, second: float) -> float:
        return 0.0 if first == second else first - second

    def a_minus_d(self, hit: Test, of: Test) -> float:
        self.both()
        return self.gap(self.rate(self.a, hit, of), self.rate(self.d, hit, of))

    def d_minus_a(self, hit: Test, of: Test) -> float:
        self.both()
        return self.gap(self.rate(self.d, hit, of), self.rate(self.a, hit, of))

    def CI(self) -> float:  # noqa: N802 - the metric's own name, as the ones below
        self.both()
        return (len(self.a) - len(self.d)) / len(self.rows)

    def DPL(self) -> float:  # noqa: N802
        return self.a_minus_d(label, everybody)

    def distributions(self) -> list[tuple[float, float]]:
        """(share in a, share in d) of both outcomes; for Clarify only of those that both sides have."""
        self.both()
        pairs = [(self.rate(self.a, one, everybody), self.rate(self.d, one, everybody)) for one in (no_label, label)]
        if self.divide is plain:
            return pairs
        common = [(p, q) for p, q in pairs if p > 0 and q > 0]
        if not common:
            raise Undefined
        return common

    def KL(self) -> float:  # noqa: N802
        total = 0.0
        for p, q in self.distributions():
            if p > 0:
                total += p * math.log(p / q) if q > 0 else math.inf
        return total

    def JS(self) -> float:  # noqa: N802
        total = 0.0
        for p, q in self.distributions():
            for one in (p, q):
                if one > 0:
                    total += 0.5 * one * math.log(one / ((p + q) / 2))
        return total

    def LP(self) -> float:  # noqa: N802
        return math.sqrt(sum((p - q) ** 2 for p, q in self.distributions()))

    def TVD(self) -> float:  # noqa: N802
        return sum(abs(p - q) for p, q in self.distributions()) / 2

    def KS(self) -> float:  # noqa: N802
        return max(abs(p - q) for p, q in self.distributions())

    def disparity(self, accepted: Test) -> float:
        """Over subgroups, weighted by their rows: d's share of the rejections less its share of the acceptances."""
        if self.divide is clarify and len({accepted(row) for row in self.rows}) < 2:
            raise Undefined
        total, weights, compared = 0.0, 0, False
        for group in {row.group for row in self.rows if row.group is not None}:
            members = among(self.rows, lambda row, group=group: row.group == group)  # type: ignore[misc]
            yes = [row for row in members if accepted(row)]
            no = [row for row in members if not accepted(row)]
            if self.divide is plain and (not yes or not no):
                continue
            compared |= len({row.facet == "d" for row in members}) == 2
            shares = [self.divide(how_many(part, lambda row: row.facet == "d"), len(part)) for part in (no, yes)]
            total += len(members) * (shares[0] - shares[1])
            weights += len(members)
        if self.divide is plain and not compared:
            raise Undefined
        return self.divide(total, weights) if total else 0.0

    def CDDL(self) -> float:  # noqa: N802
        return self.disparity(label)

    def CDDPL(self) -> float:  # noqa: N802
        return self.disparity(predicted)

    def DPPL(self) -> float:  # noqa: N802
        return self.a_minus_d(predicted, everybody)

    def DI(self) -> float:  # noqa: N802
        self.both()
        return self.divide(self.rate(self.d, predicted, everybody), self.rate(self.a, predicted, everybody))

    def DCA(self) -> float:  # noqa: N802
        return self.a_minus_d(label, predicted)

    def DCR(self) -> float:  # noqa: N802
        return self.d_minus_a(no_label, rejected)

    def RD(self) -> float:  # noqa: N802
        return self.a_minus_d(lambda row: row.label and row.predicted, label)

    def SD(self) -> float:  # noqa: N802
        return self.d_minus_a(lambda row: not row.label and not row.predicted, no_label)

    def DAR(self) -> float:  # noqa: N802
        return self.a_minus_d(lambda row: row.label and row.predicted, predicted)

    def DRR(self) -> float:  # noqa: N802
        return self.d_minus_a(lambda row: not row.label and not row.predicted, rejected)

    def AD(self) -> float:  # noqa: N802
        return self.a_minus_d(right, everybody)

    def TE(self) -> float:  # noqa: N802
        return self.d_minus_a(wronged, favoured)

    def GE(self) -> float:  # noqa: N802
        benefits = [int(row.predicted) - int(row.label) + 1 for row in self.rows]
        mean = sum(benefits) / len(benefits)
        if mean == 0:
            raise Undefined
        return sum((benefit / mean) ** 2 - 1 for benefit in benefits) / (2 * len(benefits))

    def value(self, metric: str) -> float | None:
        """The metric, or None where it is undefined."""
        try:
            return float(getattr(self, metric)())
        except Undefined:
            return None


def flip_test(a: Sequence[tuple[Sequence[float], bool]], d: Sequence[tuple[Sequence[float], bool]]) -> float:
    """Each row of d, (features, predicted), against the vote of its nearest rows of a; distances without ties."""
    k = 5 if len(a) > 9 else 1
    flips = 0
    for features, own in d:
        nearest = sorted(a, key=lambda one: math.dist(one[0], features))[:k]
        vote = 2 * sum(outcome for _, outcome in nearest) > k
        flips += int(own and not vote) - int(vote and not own)
    return flips / len(d)

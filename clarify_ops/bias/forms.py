"""What a metric is made of: quotients of counts, and the few ways to put them together.

A metric says *what* is divided by what; a `Dialect` says what a division by zero means. So one formula serves both faces
of a metric: ours, where an undefined share has no value, and Clarify's, where 0/0 is 0. An interval is chosen by the form
as well: a difference of two proportions has a score interval, whichever metric it belongs to.

All forms work on arrays with leading axes, so that a thousand replicates of a bootstrap are one evaluation.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from clarify_ops.data.counts import ADVANTAGED, DISADVANTAGED, NEGATIVE, POSITIVE, Array, Counts


@dataclass(frozen=True)
class Dialect:
    """What arithmetic means where counts are zero.

    Attributes:
        zero_over_zero: Value of 0/0: NaN (undefined) or, for Clarify, 0.
        over_zero: Value of p/0 for p > 0: NaN or, for Clarify, infinity.
        common_support: Clarify's rule for divergences: only outcomes that occur on both sides count, not renormalized.
        skip_empty_groups: Whether a subgroup without rejections or without acceptances is left out of a conditional
            disparity (it has none), or counts as zero, as Clarify has it.
        infinities_cancel: Whether two equal infinities differ by 0, as Clarify has it, or by nothing that is known.
    """

    zero_over_zero: float
    over_zero: float
    common_support: bool
    skip_empty_groups: bool
    infinities_cancel: bool = True

    def divide(self, numerator: Array, denominator: Array) -> Array:
        """Elementwise; counts are not negative."""
        numerator, denominator = np.broadcast_arrays(numerator, denominator)
        at_zero = np.where(np.asarray(numerator) == 0, self.zero_over_zero, self.over_zero)
        safe = np.where(denominator == 0, 1.0, denominator)
        return np.where(denominator == 0, at_zero, numerator / safe)

    def divide_signed(self, numerator: Array, denominator: Array) -> Array:
        """Elementwise, for a numerator that may be negative."""
        return np.sign(numerator) * self.divide(np.abs(numerator), denominator)

    def subtract(self, first: Array, second: Array) -> Array:
        """Elementwise."""
        with np.errstate(invalid="ignore"):
            gap = np.subtract(first, second)
            return np.where(first == second, 0.0, gap) if self.infinities_cancel else gap


PLAIN = Dialect(zero_over_zero=np.nan, over_zero=np.nan, common_support=False, skip_empty_groups=True)
CLARIFY = Dialect(zero_over_zero=0.0, over_zero=np.inf, common_support=True, skip_empty_groups=False)
# For replicates of a bootstrap: what grows beyond all bounds is at that end, and only what has no limit is undefined.
LIMITS = Dialect(
    zero_over_zero=np.nan, over_zero=np.inf, common_support=False, skip_empty_groups=True, infinities_cancel=False
)


@dataclass(frozen=True)
class Quotient:
    """A count over a count.

    Attributes:
        numerator, denominator: Counts, of one shape.
        of: Which rows the denominator counts, in words.
        proportion: Whether the numerator's rows are among the denominator's.
        shared: Where they are not: the rows that both count, or None where no row is in both, as in odds.
    """

    numerator: Array
    denominator: Array
    of: str
    proportion: bool = True
    shared: Array | None = None

    def value(self, dialect: Dialect) -> Array:
        """Elementwise quotient."""
        return dialect.divide(self.numerator, self.denominator)

    @property
    def quotients(self) -> tuple[Quotient, ...]:
        """Itself."""
        return (self,)

    @property
    def smallest_cell(self) -> Array:
        """The smaller of hits and misses (or of both counts, where they are not a part and its whole)."""
        other = self.denominator - self.numerator if self.proportion else self.denominator
        return np.minimum(self.numerator, other)


class Form(Protocol):
    """Something that has a value in a dialect, and counts behind it."""

    def value(self, dialect: Dialect) -> Array:
        """(...) values; NaN where undefined in this dialect."""
        ...

    @property
    def quotients(self) -> tuple[Quotient, ...]:
        """The divisions it consists of: their denominators are published, and a zero among them is the reason of a gap."""
        ...

    @property
    def smallest_cell(self) -> Array:
        """(...) the smallest count that the value rests on: what makes an approximate interval unreliable."""
        ...


@dataclass(frozen=True)
class Difference:
    """first - second."""

    first: Quotient
    second: Quotient

    def value(self, dialect: Dialect) -> Array:
        """The difference of both quotients."""
        return dialect.subtract(self.first.value(dialect), self.second.value(dialect))

    @property
    def quotients(self) -> tuple[Quotient, ...]:
        """Both."""
        return (self.first, self.second)

    @property
    def smallest_cell(self) -> Array:
        """Of both."""
        return np.minimum(self.first.smallest_cell, self.second.smallest_cell)


@dataclass(frozen=True)
class Ratio:
    """first / second, of two proportions."""

    first: Quotient
    second: Quotient

    def value(self, dialect: Dialect) -> Array:
        """The ratio of both quotients."""
        return dialect.divide(self.first.value(dialect), self.second.value(dialect))

    @property
    def quotients(self) -> tuple[Quotient, ...]:
        """Both, and the division of one by the other: it has no value where the second has no hits."""
        hits = Quotient(self.second.numerator, self.second.numerator, f"hits among {self.second.of}")
        return (self.first, self.second, hits)

    @property
    def smallest_cell(self) -> Array:
        """Of both."""
        return np.minimum(self.first.smallest_cell, self.second.smallest_cell)


@dataclass(frozen=True)
class Imbalance:
    """(n_a - n_d) / (n_a + n_d)."""

    counts: Counts

    def value(self, dialect: Dialect) -> Array:
        """In [-1, 1]."""
        advantaged, disadvantaged = self.counts.n(ADVANTAGED), self.counts.n(DISADVANTAGED)
        return dialect.divide_signed(advantaged - disadvantaged, advantaged + disadvantaged)

    @property
    def quotients(self) -> tuple[Quotient, ...]:
        """The share of the advantaged among all rows; an empty side leaves nothing to compare."""
        advantaged, disadvantaged = self.counts.n(ADVANTAGED), self.counts.n(DISADVANTAGED)
        return (
            Quotient(advantaged, advantaged + disadvantaged, "rows"),
            Quotient(advantaged, advantaged, "advantaged rows"),
            Quotient(disadvantaged, disadvantaged, "disadvantaged rows"),
        )

    @property
    def smallest_cell(self) -> Array:
        """The smaller side."""
        return self.quotients[0].smallest_cell


DistanceFunction = Callable[[Array, Array], Array]


@dataclass(frozen=True)
class Divergence:
    """A distance between two distributions over negative and positive.

    Attributes:
        first, second: Share of positives on both sides.
        distance: From two arrays (..., 2) of probabilities to (...). A term of an outcome that does not occur is 0 where
            its limit is.
        of_gap: The distance as a function of the difference of both shares, where it is one.
    """

    first: Quotient
    second: Quotient
    distance: DistanceFunction
    of_gap: Callable[[Array], Array] | None = None

    def value(self, dialect: Dialect) -> Array:
        """NaN where a side is empty (or, for Clarify, where no outcome is common to both)."""
        p, q = self.first.value(PLAIN), self.second.value(PLAIN)
        one, other = np.stack([1 - p, p], axis=-1), np.stack([1 - q, q], axis=-1)
        if not dialect.common_support:
            return self.distance(one, other)
        common = (one > 0) & (other > 0)
        # An outcome with equal probability on both sides adds nothing to any of the distances.
        kept = self.distance(np.where(common, one, 1.0), np.where(common, other, 1.0))
        return np.where(common.any(axis=-1), kept, np.nan)

    @property
    def quotients(self) -> tuple[Quotient, ...]:
        """Both."""
        return (self.first, self.second)

    @property
    def smallest_cell(self) -> Array:
        """Of both."""
        return np.minimum(self.first.smallest_cell, self.second.smallest_cell)


@dataclass(frozen=True)
class ConditionalDisparity:
    """The share of d among rejections minus its share among acceptances, averaged over subgroups by their rows.

    Attributes:
        rows: (..., groups, 2 sides, 2 outcomes).
    """

    rows: Array

    def value(self, dialect: Dialect) -> Array:
        """In [-1, 1]."""
        outcomes = self.rows.sum(axis=-2)
        shares = dialect.divide(self.rows[..., DISADVANTAGED, :], outcomes)
        disparity = shares[..., NEGATIVE] - shares[..., POSITIVE]
        weights = outcomes.sum(axis=-1)
        if dialect.skip_empty_groups:
            weights = np.where(np.isnan(disparity), 0.0, weights)
            disparity = np.nan_to_num(disparity)
        return dialect.divide_signed((weights * disparity).sum(axis=-1), weights.sum(axis=-1))

    @property
    def quotients(self) -> tuple[Quotient, ...]:
        """The rows of the subgroups that have both outcomes, and of those where there are two sides to compare."""
        outcomes, sides = self.rows.sum(axis=-2), self.rows.sum(axis=-1)
        both = (outcomes > 0).all(axis=-1)
        usable = (outcomes.sum(axis=-1) * both).sum(axis=-1)
        compared = (outcomes.sum(axis=-1) * (both & (sides > 0).all(axis=-1))).sum(axis=-1)
        return (
            Quotient(usable, usable, "rows in subgroups with both outcomes"),
            Quotient(compared, compared, "rows in subgroups with both outcomes and both sides"),
        )

    @property
    def smallest_cell(self) -> Array:
        """The rarest combination of side and outcome, over all subgroups."""
        return np.asarray(self.rows.sum(axis=-3).min(axis=(-1, -2)))


@dataclass(frozen=True)
class Entropy:
    """Generalized entropy of the benefits b = prediction - label + 1, with alpha 2: half their squared variation.

    Attributes:
        wronged, treated_right, favoured: Rows with benefit 0, 1 and 2.
    """

    wronged: Array
    treated_right: Array
    favoured: Array

    def value(self, dialect: Dialect) -> Array:
        """At least 0."""
        rows = self.wronged + self.treated_right + self.favoured
        mean = dialect.divide(self.treated_right + 2 * self.favoured, rows)
        squares = dialect.divide(self.treated_right + 4 * self.favoured, mean**2)
        return dialect.divide_signed(squares - rows, 2 * rows)

    @property
    def quotients(self) -> tuple[Quotient, ...]:
        """The rows that are not false negatives: without one, the mean benefit is 0."""
        benefiting = self.treated_right + self.favoured
        return (Quotient(benefiting, benefiting, "rows that are not false negatives"),)

    @property
    def smallest_cell(self) -> Array:
        """The errors, or the right answers."""
        return np.minimum(self.wronged + self.favoured, self.treated_right)

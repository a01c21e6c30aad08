"""The score interval of every form: a difference of two proportions has one, whichever metric it belongs to.

All of them take leading axes, so that the facet values of a report are one evaluation, and the ten thousand tables of a
simulation another one of the same code.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import singledispatch

import numpy as np
from numpy.typing import NDArray

from clarify_ops.bias.forms import (
    LIMITS,
    PLAIN,
    ConditionalDisparity,
    Difference,
    Divergence,
    Entropy,
    Form,
    Imbalance,
    Quotient,
    Ratio,
)
from clarify_ops.bias.regions import over_region, two_outcome_distance
from clarify_ops.data.counts import DISADVANTAGED, NEGATIVE, POSITIVE, Array
from clarify_ops.intervals import (
    Ends,
    modified_wilson_ends,
    newcombe_ends,
    normal_quantile,
    odds_ends,
    paired_ratio_ends,
    score_ratio_ends,
    share_at,
    square_and_add,
    wilson_ends,
)

# A bootstrap that rests on fewer rows than this is known to cover too little; no other interval is relied on either.
SMALLEST_CELL = 5


@dataclass(frozen=True)
class Intervals:
    """Intervals of one metric for many tables at once.

    Attributes:
        low, high: (...) ends; NaN where the metric is undefined.
        method: How they were made.
        reliable: (...) whether the method holds for the counts.
    """

    low: Array
    high: Array
    method: str
    reliable: NDArray[np.bool_]


def closed_form(form: Form, level: float) -> Intervals | None:
    """The intervals of a form, or None where it has no closed one."""
    # Among many tables, those in which the metric is undefined divide by zero.
    with np.errstate(divide="ignore", invalid="ignore"):
        return _by_form(form, level)


@singledispatch
def _by_form(form: Form, level: float) -> Intervals | None:  # noqa: ARG001 - the branches use it
    return None


@_by_form.register
def _(form: Difference, level: float) -> Intervals:
    first, second = form.first, form.second
    if first.proportion and second.proportion:
        low, high = newcombe_ends(_pair(first), _pair(second), level, modified_wilson_ends)
        return Intervals(low, high, "Newcombe score", _enough(first) & _enough(second))
    low, high = square_and_add(
        (first.value(PLAIN), _ratio_ends(first, level)), (second.value(PLAIN), _ratio_ends(second, level))
    )
    method = "odds score" if first.shared is None else "paired ratio score"
    return Intervals(low, high, method, _enough(first) & _enough(second))


def _ratio_ends(quotient: Quotient, level: float) -> Ends:
    if quotient.shared is None:
        return odds_ends(quotient.numerator, quotient.denominator, level)
    return paired_ratio_ends(quotient.numerator, quotient.denominator, quotient.shared, level)


@_by_form.register
def _(form: Ratio, level: float) -> Intervals:
    low, high = score_ratio_ends(_pair(form.first), _pair(form.second), level)
    return Intervals(low, high, "Koopman score", _enough(form.first) & _enough(form.second))


@_by_form.register
def _(form: Imbalance, level: float) -> Intervals:
    share = form.quotients[0]
    low, high = wilson_ends(*_pair(share), level)
    return Intervals(2 * low - 1, 2 * high - 1, "Wilson score", share.denominator >= SMALLEST_CELL)


@_by_form.register
def _(form: Divergence, level: float) -> Intervals:
    first, second = _pair(form.first), _pair(form.second)
    reliable = _enough(form.first) & _enough(form.second)
    if form.of_gap is None:
        low, high = two_outcome_distance(first, second, form.distance, level)
        return Intervals(low, high, "score region", reliable)
    gap_low, gap_high = newcombe_ends(first, second, level, modified_wilson_ends)
    ends = np.sort(np.stack([form.of_gap(gap_low), form.of_gap(gap_high)]), axis=0)
    low = np.where((gap_low <= 0) & (gap_high >= 0), 0.0, ends[0])
    return Intervals(low, ends[1], "Newcombe score", reliable)


@_by_form.register
def _(form: Entropy, level: float) -> Intervals:
    """Over the region of the share of errors and the share of wrong rejections among them, which are independent."""
    errors = form.wronged + form.favoured
    rows = errors + form.treated_right

    def entropy(errors: Array, wronged: Array) -> Array:
        # Without a single error, nothing is known of their kind.
        wronged = np.where(np.isnan(wronged), np.linspace(0, 1, wronged.shape[-1]), wronged)
        return Entropy(errors * wronged, 1 - errors, errors * (1 - wronged)).value(LIMITS)

    low, high = over_region((errors, rows), (form.wronged, errors), entropy, level)
    return Intervals(np.maximum(low, 0.0), high, "score region", form.smallest_cell >= SMALLEST_CELL)


@_by_form.register
def _(form: ConditionalDisparity, level: float) -> Intervals:
    """Stratified score interval: each outcome's share of d, averaged over subgroups, is one proportion of as many rows as
    give it its variance; their difference is Newcombe's, widened by the variance of the subgroups' weights.

    Source: after Yan and Su, 2010, doi:10.1198/sbr.2009.0049.
    """
    outcomes = form.rows.sum(axis=-2)
    hits = form.rows[..., DISADVANTAGED, :]
    shares = PLAIN.divide(hits, outcomes)
    usable = (outcomes > 0).all(axis=-1)
    rows = np.where(usable, outcomes.sum(axis=-1), 0.0)
    total = rows.sum(axis=-1)
    weights = PLAIN.divide(rows, total[..., None])[..., None]
    # A subgroup without a hit has a variance all the same: two rows of the subgroup's average are added to each outcome.
    average = PLAIN.divide(hits.sum(axis=-1), outcomes.sum(axis=-1))[..., None]
    smoothed = (hits + 2 * average) / (outcomes + 2)
    kept = usable[..., None]
    variance = _sum(weights**2 * PLAIN.divide(smoothed * (1 - smoothed), outcomes), kept)
    mean = _sum(weights * smoothed, kept)
    rows_alike = PLAIN.divide(mean * (1 - mean), variance)
    share = _sum(weights * shares, kept)
    z = normal_quantile(level)
    low, high = (share_at(share * rows_alike, rows_alike, sign * z) for sign in (-1, 1))
    disparity = shares[..., NEGATIVE] - shares[..., POSITIVE]
    value = _sum(weights[..., 0] * disparity, usable, axis=-1)
    spread = np.maximum(_sum(weights[..., 0] * disparity**2, usable, axis=-1) - value**2, 0.0)
    of_weights = z**2 * PLAIN.divide(spread, total)
    ends = square_and_add(
        (share[..., NEGATIVE], (low[..., NEGATIVE], high[..., NEGATIVE])),
        (share[..., POSITIVE], (low[..., POSITIVE], high[..., POSITIVE])),
    )
    below, above = (np.sqrt((end - value) ** 2 + of_weights) for end in ends)
    margins = [form.rows.sum(axis=(-3, axis)).min(axis=-1) for axis in (-2, -1)]
    reliable = np.minimum(*margins) >= SMALLEST_CELL
    return Intervals(np.maximum(value - below, -1.0), np.minimum(value + above, 1.0), "stratified score", reliable)


def _sum(terms: Array, kept: NDArray[np.bool_], axis: int = -2) -> Array:
    return np.asarray(np.where(kept, terms, 0.0).sum(axis=axis))


def _pair(quotient: Quotient) -> tuple[Array, Array]:
    return quotient.numerator, quotient.denominator


def _enough(quotient: Quotient) -> NDArray[np.bool_]:
    """Whether there are rows enough to know anything by; how many hits are among them does not matter.

    A rule that looked at the hits would keep just those samples of a rare outcome in which it happens to be common, and
    their intervals hold the truth less often.
    """
    rows = quotient.denominator
    if quotient.shared is not None:
        rows = rows + quotient.numerator - quotient.shared
    return np.asarray(rows >= SMALLEST_CELL)

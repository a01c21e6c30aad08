"""The flip test: would the disadvantaged have been treated otherwise, had they been the advantaged most like them?"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clarify_ops.bias.neighbours import Electorate, search

NEIGHBOURS = 5
# Coordinates compared before a sample of d has to do: less than a minute on one core of 2026.
BUDGET = 70_000_000_000
# No sample is smaller: it would say nothing.
_LEAST = 256


@dataclass(frozen=True)
class FlipCounts:
    """How predictions for d compare with the vote of their nearest neighbours in a.

    Attributes:
        favoured: Rows of d predicted positive whose neighbours are predicted negative, among the rows asked.
        wronged: Rows of d predicted negative whose neighbours are predicted positive, among the rows asked.
        rows: Rows of d.
        reason: Why there are no counts; empty where there are.
        unasked: Rows of d left out of a sample; 0 where the counts are exact.
    """

    favoured: int = 0
    wronged: int = 0
    rows: int = 0
    reason: str = ""
    unasked: int = 0

    @property
    def sampled(self) -> int:
        """Rows of d whose neighbours were asked: `rows` where the counts are exact."""
        return self.rows - self.unasked

    @property
    def value(self) -> float | None:
        r"""Flip Test, with the sign of Clarify's code (its documentation has the opposite one).

        .. math:: FT = \frac{F^{+} - F^{-}}{n_d}

        where :math:`F^{+}` counts `favoured` and :math:`F^{-}` counts `wronged` rows; of a sample, :math:`n_d` counts
        the rows in it, and the value is an unbiased estimate.

        Range: [-1, 1]; 0 means as many flips in both directions, below 0 that d is hurt.

        Source: Amazon SageMaker Clarify, "Counterfactual Fliptest (FT)"; Black, Yeom and Fredrikson, 2020,
        doi:10.1145/3351095.3372845.

        >>> FlipCounts(favoured=2, wronged=5, rows=10).value
        -0.3
        """
        return None if self.reason else (self.favoured - self.wronged) / self.sampled

    @property
    def standard_error(self) -> float | None:
        """Standard error of the value as an estimate of that of all rows of d; None where it is exact.

        Of a simple random sample without replacement, with the correction for a finite population (Cochran, Sampling
        Techniques, 1977, theorem 2.2 with the unbiased variance of 2.4).

        >>> round(FlipCounts(favoured=2, wronged=5, rows=100, unasked=90).standard_error, 4)
        0.247
        """
        if self.reason or not self.unasked or self.sampled < 2:
            return None
        mean = (self.favoured - self.wronged) / self.sampled
        variance = ((self.favoured + self.wronged) / self.sampled - mean**2) * self.sampled / (self.sampled - 1)
        return math.sqrt(variance / self.sampled * self.unasked / self.rows)

    @property
    def note(self) -> str:
        """What a reader of the value has to know: that it is an estimate, from how many rows and how good.

        >>> FlipCounts(favoured=2, wronged=5, rows=100, unasked=90).note
        'Approximate: estimated from 10 of 100 rows drawn at random, standard error 0.25.'
        """
        if self.reason or not self.unasked:
            return ""
        error = "unknown" if self.standard_error is None else f"{self.standard_error:.2g}"
        return f"Approximate: estimated from {self.sampled:,} of {self.rows:,} rows drawn at random, standard error {error}."


def flip_counts(
    features: pd.DataFrame,
    disadvantaged: NDArray[np.bool_],
    predicted: NDArray[np.bool_],
    *,
    budget: int | None = None,
    rng: np.random.Generator | None = None,
) -> FlipCounts:
    """Compares each row of d with the majority of its 5 nearest neighbours in a.

    Args:
        features: (rows, features) numbers or truth values; distances are Euclidean, on the columns as they are.
        disadvantaged: (rows,) bool.
        predicted: (rows,) bool, predicted positives.
        budget: How many coordinates may be compared; `BUDGET` if None. What all rows of d would take is measured on a few
            of them, in coordinates and not in seconds; where it is more, a random sample of d is asked (see `note`).
        rng: Draws the sample; the same generator gives the same rows. Seeded with 0 if None.

    Ties among equally distant neighbours are broken as scikit-learn's KNeighborsClassifier breaks them on one thread,
    because Clarify's are; with 9 advantaged rows or fewer, one neighbour decides.
    """
    if disadvantaged.all():
        return FlipCounts(reason="Negated Facet set is empty")
    if not disadvantaged.any():
        return FlipCounts(reason="Facet set is empty")
    text = [str(name) for name, kind in features.dtypes.items() if not pd.api.types.is_numeric_dtype(kind)]
    if text:
        return FlipCounts(reason="FlipTest does not support non-numeric columns")
    if features.shape[1] == 0:
        return FlipCounts(reason="There are no columns to find neighbours by")
    matrix = np.ascontiguousarray(features.to_numpy(dtype=float, na_value=np.nan))
    if np.isnan(matrix).any():
        return FlipCounts(reason="Input X contains NaN.")
    if np.isinf(matrix).any():
        return FlipCounts(reason="Input X contains infinity.")
    known, asked = np.flatnonzero(~disadvantaged), np.flatnonzero(disadvantaged)
    neighbours = NEIGHBOURS if len(known) > 9 else 1
    electorate = Electorate(features, matrix, known, predicted[known], asked, neighbours)
    return _counts(electorate, predicted[asked], BUDGET if budget is None else max(0, budget), rng)


def _counts(electorate: Electorate, own: NDArray[np.bool_], budget: int, rng: np.random.Generator | None) -> FlipCounts:
    drawn = np.arange(len(own))
    first, place = _distinct(electorate)
    way = search(electorate, first)
    sample = way.cost * len(first) > budget
    if sample:
        size = min(len(own), max(_LEAST, int(budget / way.cost)))
        drawn = np.sort((rng or np.random.default_rng(0)).choice(len(own), size, replace=False))
        sample = size < len(own)
    wanted, back = np.unique(place[drawn], return_inverse=True)
    votes = way.votes(first[wanted], sample=sample)[back]
    own = own[drawn]
    return FlipCounts(
        favoured=int((own & ~votes).sum()),
        wronged=int((~own & votes).sum()),
        rows=len(electorate.asked),
        unasked=len(electorate.asked) - len(drawn),
    )


def _distinct(electorate: Electorate) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """First position of each distinct row asked, rising, and (asked,) which of them each row equals."""
    everyone = np.arange(len(electorate.asked))
    if electorate.matrix.shape[1] > 15 and not electorate.exact:
        # There a row's distances are rounded by its place, so equal rows need not be answered alike.
        return everyone, everyone
    code = np.zeros(len(everyone), dtype=np.int64)
    for column in electorate.matrix[electorate.asked].T:
        values, levels = pd.factorize(column)
        code, kinds = pd.factorize(code * len(levels) + values)
        if len(kinds) == len(everyone):
            return everyone, everyone
    # Codes count up in the order in which rows first appear.
    _, first = np.unique(code, return_index=True)
    return first, code

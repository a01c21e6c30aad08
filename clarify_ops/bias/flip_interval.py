"""The interval of the flip test, of which the neighbours are as much a sample as the rows that they vote on.

A bootstrap would draw rows twice, and nobody is a nearer neighbour than one's own copy. So the advantaged are subsampled
without replacement, and the spread over subsamples is scaled from their size to that of all.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clarify_ops.bias.ends import FlipEnds, Uncertainty
from clarify_ops.bias.flip_test import NEIGHBOURS, FlipCounts, flip_counts
from clarify_ops.measures import Interval

SUBSAMPLES = 100
# Neighbours in a subsample, and rows that they vote on: what bounds the time, however many rows there are.
MOST_ROWS = 1000
# Fewer rows of d say nothing; of fewer of a, a half would have too few neighbours for a vote.
_LEAST_ASKED, _LEAST_KNOWN = 5, 4 * NEIGHBOURS


def flip_interval(
    features: pd.DataFrame,
    disadvantaged: NDArray[np.bool_],
    predicted: NDArray[np.bool_],
    flip: FlipCounts,
    *,
    level: float,
    rng: np.random.Generator,
    subsamples: int = SUBSAMPLES,
    progress: Callable[[str], None] = lambda _: None,
) -> Uncertainty | None:
    """The interval of the flip test for one facet value, with both sides as samples.

    With the neighbours given, the rows of d are a sample of a difference of two kinds: Tango's score interval holds. What
    the neighbours add is the standard deviation of the test over subsamples of m of the n rows of a, drawn without
    replacement, times sqrt(m / (n - m)): with m = n / 2 it is that of the subsamples itself, and m is 1,000 at most, so that
    the time has a bound. Both are independent, and are put together as square roots of sums of squares.

    Args:
        features: (rows, features) as for `flip_counts`.
        disadvantaged: (rows,) bool.
        predicted: (rows,) bool, predicted positives.
        flip: What `flip_counts` found for these rows.
        level: Confidence level.
        rng: Draws the subsamples.
        subsamples: How many.
        progress: Told before each tenth of the subsamples.

    Returns:
        None where the flip test has no value. Unreliable where there are fewer than 5 rows of d, or 20 of a.

    Source: Politis and Romano, 1994, doi:10.1214/aos/1176325770, with the correction for a finite population of Politis,
    Romano and Wolf, Subsampling, 1999, section 10.3; Tango, 1998, doi:10.1002/(SICI)1097-0258(19980430)17:8<891::AID-SIM780>3.0.CO;2-B.
    """
    if flip.value is None:
        return None
    spread = neighbour_spread(features, disadvantaged, predicted, rng, subsamples, progress)
    ends = FlipEnds(flip, spread, subsamples)
    reliable = flip.rows >= _LEAST_ASKED and int((~disadvantaged).sum()) >= _LEAST_KNOWN
    return Uncertainty(Interval(*ends(level), level, "subsampled neighbours, Tango score", reliable), ends)


def neighbour_spread(
    features: pd.DataFrame,
    disadvantaged: NDArray[np.bool_],
    predicted: NDArray[np.bool_],
    rng: np.random.Generator,
    subsamples: int = SUBSAMPLES,
    progress: Callable[[str], None] = lambda _: None,
) -> float:
    """Standard error of the flip test that comes of the advantaged being a sample; 0 where there are fewer than two.

    Args:
        features: (rows, features) as for `flip_counts`.
        disadvantaged: (rows,) bool.
        predicted: (rows,) bool, predicted positives.
        rng: Draws the subsamples.
        subsamples: How many.
        progress: Told before each tenth of the subsamples.
    """
    known, asked = np.flatnonzero(~disadvantaged), np.flatnonzero(disadvantaged)
    size = min(len(known) // 2, MOST_ROWS)
    if size == 0:
        return 0.0
    if len(asked) > MOST_ROWS:
        asked = np.sort(rng.choice(asked, MOST_ROWS, replace=False))
    values = np.empty(subsamples)
    for i in range(subsamples):
        if i % max(1, subsamples // 10) == 0:
            progress(f"flip test, subsample {i + 1} of {subsamples}")
        drawn = np.concatenate([np.sort(rng.choice(known, size, replace=False)), asked])
        found = flip_counts(features.iloc[drawn], disadvantaged[drawn], predicted[drawn])
        values[i] = math.nan if found.value is None else found.value
    return float(values.std(ddof=1)) * math.sqrt(size / (len(known) - size))

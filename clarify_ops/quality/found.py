"""What quality metrics take and give."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from clarify_ops.measures import Ends, Interval


@dataclass(frozen=True)
class Predictions:
    """Rows with a prediction.

    Attributes:
        positive: (rows,) observed.
        predicted: (rows,) predicted.
        score: (rows,) probability of a positive label.
    """

    positive: NDArray[np.bool_]
    predicted: NDArray[np.bool_]
    score: NDArray[np.float64]

    def where(self, rows: NDArray[np.bool_]) -> Predictions:
        """Some of them."""
        return Predictions(self.positive[rows], self.predicted[rows], self.score[rows])


@dataclass(frozen=True)
class Found:
    """A value, or the reason why there is none."""

    value: float | None
    denominators: Mapping[str, int]
    interval: Interval | None = None
    reason: str = ""
    ends: Ends | None = field(default=None, compare=False, repr=False)


def placements(rows: Predictions) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Share of the negatives that each positive row beats, and of the positives that each negative row is beaten by."""
    positives, negatives = rows.score[rows.positive], rows.score[~rows.positive]
    m, n = len(positives), len(negatives)
    ranks = stats.rankdata(np.concatenate([positives, negatives]))
    return (ranks[:m] - stats.rankdata(positives)) / n, 1 - (ranks[m:] - stats.rankdata(negatives)) / m

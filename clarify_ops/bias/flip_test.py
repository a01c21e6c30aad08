"""The flip test: would the disadvantaged have been treated otherwise, had they been the advantaged most like them?"""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

NEIGHBOURS = 5


@dataclass(frozen=True)
class FlipCounts:
    """How predictions for d compare with the vote of their nearest neighbours in a.

    Attributes:
        favoured: Rows of d predicted positive whose neighbours are predicted negative.
        wronged: Rows of d predicted negative whose neighbours are predicted positive.
        rows: Rows of d.
        reason: Why there are no counts; empty where there are.
    """

    favoured: int = 0
    wronged: int = 0
    rows: int = 0
    reason: str = ""

    @property
    def value(self) -> float | None:
        r"""Flip Test, with the sign of Clarify's code (its documentation has the opposite one).

        .. math:: FT = \frac{F^{+} - F^{-}}{n_d}

        where :math:`F^{+}` counts `favoured` and :math:`F^{-}` counts `wronged` rows.

        Range: [-1, 1]; 0 means as many flips in both directions, below 0 that d is hurt.

        Source: Amazon SageMaker Clarify, "Counterfactual Fliptest (FT)"; Black, Yeom and Fredrikson, 2020,
        doi:10.1145/3351095.3372845.

        >>> FlipCounts(favoured=2, wronged=5, rows=10).value
        -0.3
        """
        return None if self.reason else (self.favoured - self.wronged) / self.rows


def flip_counts(features: pd.DataFrame, disadvantaged: NDArray[np.bool_], predicted: NDArray[np.bool_]) -> FlipCounts:
    """Compares each row of d with the majority of its 5 nearest neighbours in a.

    Args:
        features: (rows, features) numbers or truth values; distances are Euclidean, on the columns as they are.
        disadvantaged: (rows,) bool.
        predicted: (rows,) bool, predicted positives.

    Ties among equally distant neighbours are broken as scikit-learn's KNeighborsClassifier breaks them, because
    Clarify's are; with 9 advantaged rows or fewer, one neighbour decides.
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
    matrix = features.to_numpy(dtype=float, na_value=np.nan)
    if np.isnan(matrix).any():
        return FlipCounts(reason="Input X contains NaN.")
    if np.isinf(matrix).any():
        return FlipCounts(reason="Input X contains infinity.")
    votes = _votes(matrix[~disadvantaged], predicted[~disadvantaged], matrix[disadvantaged])
    own = predicted[disadvantaged]
    return FlipCounts(
        favoured=int((own & ~votes).sum()), wronged=int((~own & votes).sum()), rows=int(disadvantaged.sum())
    )


def _votes(known: NDArray[np.float64], outcome: NDArray[np.bool_], asked: NDArray[np.float64]) -> NDArray[np.bool_]:
    from sklearn.neighbors import KNeighborsClassifier

    classifier = KNeighborsClassifier(n_neighbors=NEIGHBOURS if len(known) > 9 else 1)
    with warnings.catch_warnings():
        # One outcome alone on the advantaged side is no fault here: everybody's neighbours agree.
        warnings.simplefilter("ignore", UserWarning)
        classifier.fit(known, outcome)
        return np.asarray(classifier.predict(asked), dtype=bool)

"""Columns that give the answer away: copies of the label, and stand-ins for a facet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

# Above this a single column ranks the outcome almost perfectly: honest columns of real data stay below 0.9.
LEAKING = 0.99


@dataclass(frozen=True)
class Leak:
    """A feature that tells an outcome by itself.

    Attributes:
        feature: Its column.
        outcome: What it tells: "the label", or "the facet black".
        auc: How well, from 0.5 (not at all) to 1 (exactly).
    """

    feature: str
    outcome: str
    auc: float


def find_leaks(
    features: pd.DataFrame, outcomes: Mapping[str, NDArray[np.bool_]], threshold: float = LEAKING
) -> tuple[Leak, ...]:
    """Asks of every feature whether it alone tells an outcome.

    Args:
        features: (rows, features).
        outcomes: (rows,) outcomes by name.
        threshold: AUC from which a feature counts as a leak.

    Returns:
        Strongest first within each outcome.
    """
    found = [
        Leak(str(name), outcome, single_feature_auc(features[name], truth))
        for outcome, truth in outcomes.items()
        for name in features.columns
    ]
    return tuple(sorted((leak for leak in found if leak.auc >= threshold), key=lambda leak: (leak.outcome, -leak.auc)))


def single_feature_auc(feature: pd.Series, truth: NDArray[np.bool_]) -> float:
    """AUC of the best ranking by one column alone, in [0.5, 1].

    Numbers rank in either direction; with few distinct values, and for text, each value ranks by the share of positive
    rows that have it, so that a column of codes (1, 2: approved; 3: refused) is caught as well. 0.5 where the outcome is
    constant.
    """
    if truth.all() or not truth.any():
        return 0.5
    scores = []
    if pd.api.types.is_numeric_dtype(feature.dtype):
        numbers = feature.to_numpy(dtype=float, na_value=np.nan)
        filled = np.where(np.isnan(numbers), np.nanmin(numbers) - 1 if np.isfinite(numbers).any() else 0.0, numbers)
        scores.append(_auc(filled, truth))
    if feature.nunique() <= max(2, int(np.sqrt(len(feature)))):
        codes = pd.factorize(feature, use_na_sentinel=False)[0]
        share = np.bincount(codes, weights=truth) / np.bincount(codes)
        scores.append(_auc(share[codes], truth))
    return max((max(one, 1 - one) for one in scores), default=0.5)


def _auc(score: NDArray[np.float64], truth: NDArray[np.bool_]) -> float:
    ranks = stats.rankdata(score)
    m, n = int(truth.sum()), int((~truth).sum())
    return float((ranks[truth].sum() - m * (m + 1) / 2) / (m * n))

"""Shapley values by full enumeration, or none."""

from __future__ import annotations

from dataclasses import replace
from typing import Unpack

import numpy as np
import pandas as pd

from clarify_ops.errors import NotSupported
from clarify_ops.explain.coalitions import coalition_budget
from clarify_ops.explain.explanation import Explanation
from clarify_ops.explain.game import Predict
from clarify_ops.explain.hybrids import Hybrids
from clarify_ops.explain.kernel import kernel_shap
from clarify_ops.explain.playing import Playing, explained_features

MOST_COALITIONS = 2**16
"""Most coalitions of a row that are enumerated: 16 features that differ from the baseline."""


def exact_shap(
    predict: Predict,
    rows: pd.DataFrame,
    background: pd.DataFrame,
    *,
    most_coalitions: int = MOST_COALITIONS,
    **playing: Unpack[Playing],
) -> Explanation:
    """Explains rows by Shapley values of which none is estimated.

    Only features in which a row differs from some background row take part; the others get exactly 0.

    Args:
        predict: The model: feature rows -> (rows, outputs) or (rows,).
        rows: (rows, features) to explain, of any dtypes.
        background: (baseline rows, features), same columns.
        most_coalitions: Of a row, the empty and the full one included.
        **playing: As for `Play`.

    Raises:
        NotSupported: A row has more coalitions.
        BadData: The columns of rows and background differ, or a feature to explain is unknown.
        BadModel: The outputs are not finite numbers of one shape, or no probabilities where `use_logit` needs them.

    Source: Shapley (1953), doi:10.1515/9781400881970-018; Lundberg and Lee (2017), arXiv:1705.07874, for the game.
    """
    explained = explained_features(rows, playing.get("features_to_explain"))
    refuse_too_many(most_differing(Hybrids(rows, background), explained), most_coalitions)
    budget = max(1, coalition_budget(len(explained), most_coalitions))
    # Nothing is drawn, whatever the seed.
    explanation = kernel_shap(predict, rows, background, num_samples=budget, seed=0, **playing)
    return replace(explanation, explainer="exact")


def most_differing(hybrids: Hybrids, explained: np.ndarray[tuple[int], np.dtype[np.intp]]) -> int:
    """In how many of the features that play a row differs from the background, at most."""
    return int(hybrids.differing()[:, explained].sum(axis=1).max(initial=0))


def refuse_too_many(features: int, most_coalitions: int) -> None:
    """Raises NotSupported where so many features have more coalitions than that."""
    if 2**features > most_coalitions:
        raise NotSupported(
            f"A row differs from the baseline in {features} features, which have {2**features:,} coalitions; exact "
            f"enumeration takes {most_coalitions:,} at most.",
            "Use kernel_shap or permutation_shap, or name fewer features_to_explain.",
        )

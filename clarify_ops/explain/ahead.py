"""What asking a model will cost, before it is asked."""

from __future__ import annotations

import numpy as np

from clarify_ops.explain.hybrids import Hybrids
from clarify_ops.explain.playing import explained_features
from clarify_ops.explain.question import Question
from clarify_ops.explain.stages import Effort

MANY = 100_000_000
"""Predictions that take a model of trees minutes, and an endpoint days."""

SAMPLING = ("kernel_shap", "permutation_shap")


def said_ahead(question: Question, explainer: str, rows: int, *, many: int = MANY) -> str:
    """A sentence about a very large number of predictions to come; empty where they are few, or none are sampled.

    Args:
        question: About some of the rows, which stand for all of them.
        explainer: Which answers it.
        rows: To explain altogether.
        many: Predictions from which it is worth a sentence.
    """
    if explainer not in SAMPLING or question.background is None or not len(question.rows):
        return ""
    explained = explained_features(question.rows, question.features_to_explain)
    differing = Hybrids(question.rows, question.background).differing()[:, explained].sum(axis=1)
    budget = Effort(question.num_samples, question.max_standard_error).budgets(len(explained))[0]
    # Of few features all coalitions are asked about; the power of many would overflow.
    each = np.minimum(budget, np.exp2(np.minimum(differing, 62)) - 2).clip(0).mean()
    behind = len(question.background)
    predictions = round(rows * each * behind)
    if predictions < many:
        return ""
    bound = "" if question.max_standard_error is None else "at least "
    return (
        f"{explainer} is about to ask the model about {bound}{predictions:,} rows: {rows:,} rows, {each:,.0f} coalitions "
        f"of each, {behind:,} baseline row{'s' if behind != 1 else ''}; fewer of any, or of the features, cost less."
    )

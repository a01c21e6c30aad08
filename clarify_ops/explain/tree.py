"""Shapley values of tree ensembles, exact, from the trees themselves."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clarify_ops.errors import BadModel
from clarify_ops.explain.encoding import Untraced, encoding
from clarify_ops.explain.explanation import Explanation, baseline_note, output_names
from clarify_ops.explain.hybrids import Hybrids
from clarify_ops.explain.playing import explained_features
from clarify_ops.explain.trees.reading import read_trees
from clarify_ops.explain.trees.tree_model import NotReadable, TreeModel

Floats = NDArray[np.float64]

TRAINING_NOTE = "the training rows, as the covers of the trees remember them, path-dependent"
BATCH_ROWS = 16_384
# Largest |base + values - sum of the trees|, beside the size of the sums: what thousands of additions leave.
_ROUNDING = 1e-8


def read_tree_model(estimator: object, features: Sequence[str]) -> TreeModel | NotReadable | Untraced:
    """The trees of a fitted model or of the last step of a fitted pipeline, or why they are not seen.

    Args:
        estimator: Fitted.
        features: Names of what it is given, raw; they are the players.
    """
    found = encoding(estimator, len(features))
    if isinstance(found, Untraced):
        return found
    last = read_trees(found.estimator)
    if isinstance(last, NotReadable):
        return last
    return replace(
        last,
        encode=lambda rows: last.encode(found.transform(rows)),
        players=np.where(last.players >= 0, found.sources[last.players], -1),
        features=tuple(features),
    )


def tree_shap(
    model: TreeModel,
    rows: pd.DataFrame,
    background: pd.DataFrame | None = None,
    *,
    features_to_explain: Sequence[str] | None = None,
    labels: Sequence[str] | None = None,
    batch_rows: int = BATCH_ROWS,
    threads: int = 1,
    on_rows: Callable[[int], None] | None = None,
) -> Explanation:
    r"""Explains rows by all coalitions, which trees allow to be counted leaf by leaf.

    .. math:: v_x(S) = \frac{1}{B} \sum_{b=1}^{B} f(x_S, z^{(b)}_{\bar S})

    over background rows. Without them the game is the path-dependent one: a split of an absent feature goes both ways,
    each weighted by the training rows that went it. What is explained is the sum of the trees, in its own unit.

    Rows are encoded and explained a batch at a time: beside the result, memory does not grow with them.

    Args:
        model: The trees.
        rows: (rows, features) to explain.
        background: (baseline rows, features), same columns; None for the path-dependent game.
        features_to_explain: Names of the features that play; the others always keep the row's value. None for all.
        labels: Names of the outputs; None for label0, label1, ...
        batch_rows: Rows encoded at once.
        threads: Among which a batch is shared; the values do not depend on it.
        on_rows: Told how many rows are done, after each batch.

    Raises:
        BadData: The columns of rows and background differ, a feature to explain is unknown, or a value cannot be encoded.
        BadDocument: There are not as many labels as outputs.
        BadModel: The values do not add up to the sum of the trees, as when a leaf holds no finite number.

    Source: Lundberg et al. (2020), arXiv:1905.04610; Janzing et al. (2020), arXiv:1910.13413.
    """
    # Numba is imported only where there are trees to explain.
    from clarify_ops.explain.trees.kernels import TreeKernel

    explained = explained_features(rows, features_to_explain)
    if background is not None:
        hybrids = Hybrids(rows, background)
        rows, background = hybrids.rows(0, len(rows)), hybrids.background(0, len(background))
    whole = len(explained) == rows.shape[1]
    kernel = TreeKernel.of(model.ensemble, _players(model.players, explained), count=len(explained))
    behind = None if background is None else model.encode(background)
    expected = kernel.expected() if behind is None else kernel.predict(behind).mean(axis=0)
    values = np.empty((len(rows), len(explained), model.ensemble.outputs))
    predictions = np.empty((len(rows), model.ensemble.outputs))
    for start in range(0, len(rows), batch_rows):
        part = slice(start, min(start + batch_rows, len(rows)))
        encoded = model.encode(rows.iloc[part])
        predictions[part] = kernel.predict(encoded)
        if behind is None:
            values[part] = kernel.path_dependent(encoded, threads=threads)
        else:
            values[part] = kernel.interventional(encoded, behind, threads=threads)
        if on_rows is not None:
            on_rows(part.stop)
    totals = values.sum(axis=1)
    bases = np.tile(expected, (len(rows), 1)) if whole else predictions - totals
    _check_sums(model.estimator, bases + totals, predictions)
    return Explanation(
        features=tuple(str(rows.columns[position]) for position in explained),
        outputs=output_names(model.ensemble.outputs, None if labels is None else tuple(labels)),
        values=values,
        standard_errors=np.zeros_like(values),
        expected_value=expected,
        base_values=bases,
        predictions=predictions,
        exact=np.ones(len(rows), dtype=np.bool_),
        coalitions=0,
        prediction_rows=0,
        prediction_calls=0,
        log_odds=model.ensemble.unit == "log-odds",
        explainer="tree_shap",
        unit=model.ensemble.unit,
        background=TRAINING_NOTE if background is None else baseline_note(len(background)),
    )


def _players(features: NDArray[np.integer], explained: NDArray[np.intp]) -> NDArray[np.int64]:
    """(columns,): from the feature of each column to its position among those that play, or -1."""
    place = np.full(int(max(features.max(initial=-1), explained.max(initial=-1))) + 1, -1, dtype=np.int64)
    place[explained] = np.arange(len(explained))
    return np.where(features >= 0, place[features], -1) if len(place) else np.full(len(features), -1)


def _check_sums(estimator: str, sums: Floats, predictions: Floats) -> None:
    gap = np.abs(sums - predictions)
    # A gap that is NaN is too large as well.
    if not (gap <= _ROUNDING * np.maximum(1.0, np.abs(predictions))).all():
        raise BadModel(
            f"The Shapley values of the {estimator} do not add up to what its trees say, by {gap.max():.2g}.",
            "Its leaves must hold finite numbers of moderate size.",
        )

"""Trees of a model or of the last step of a pipeline, as sums over raw features."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clarify_ops.explain.encoding import CONSTANT, Untraced, encoding, other_columns
from clarify_ops.explain.explanation import Explanation, baseline_note, output_names
from clarify_ops.explain.hybrids import Hybrids
from clarify_ops.explain.playing import explained_features
from clarify_ops.explain.trees.reading import read_trees
from clarify_ops.explain.trees.tree_model import NotReadable, TreeModel

Floats = NDArray[np.float64]


PATH_DEPENDENT = "training rows by path, path-dependent"
"""`Explanation.background` where the trees' own counts take the place of baseline rows."""


@dataclass(frozen=True, eq=False)
class TreeSums:
    """Trees that add up to outputs.

    Attributes:
        model: The trees; its `encode` takes raw rows, and its `players` are positions of raw features, -1 for a column that is
            made of none.
    """

    model: TreeModel

    @property
    def estimator(self) -> str:
        """Name of the class that was read."""
        return self.model.estimator

    @property
    def unit(self) -> str:
        """Of the sums."""
        return self.model.ensemble.unit

    def outputs(self, rows: pd.DataFrame) -> Floats:
        """(rows, sums)."""
        from clarify_ops.explain.trees.kernels import predict

        return predict(self.model.ensemble, self.model.encode(rows))


def read_tree_sums(estimator: Any, features: int) -> TreeSums | Untraced:
    """The trees of a fitted model, a search or a pipeline, or why they are not seen.

    All columns that a pipeline makes of one feature are one player: they come and go together, as the feature does.

    Args:
        estimator: Fitted.
        features: How many raw ones it is given.
    """
    found = encoding(estimator, features)
    if isinstance(found, Untraced):
        return found
    model = read_trees(found.estimator)
    if isinstance(model, NotReadable):
        return Untraced(model.what, f"cannot be read as trees: {model.reason}")
    if len(model.features) != len(found.sources):
        return other_columns(model.estimator, len(model.features), len(found.sources))

    def encode(rows: pd.DataFrame) -> Floats:
        return model.encode(found.transform(rows))

    players = np.where(model.players == CONSTANT, CONSTANT, found.sources[model.players])
    return TreeSums(replace(model, encode=encode, players=players.astype(np.int64)))


def tree_sums_shap(
    sums: TreeSums,
    rows: pd.DataFrame,
    background: pd.DataFrame | None,
    *,
    features_to_explain: Sequence[str] | None = None,
) -> Explanation:
    """Explains what trees add up to, exactly.

    Args:
        sums: From `read_tree_sums`.
        rows: (rows, features) to explain.
        background: (baseline rows, features), same columns: absent features take their values from them. None for the
            training rows as the trees counted them, path by path; that game is another one.
        features_to_explain: Names of the features that play; the others always keep the row's value. None for all.

    Raises:
        BadData: The columns of rows and background differ, or a feature to explain is unknown.

    Source: Lundberg et al. (2020), arXiv:1905.04610; Janzing et al. (2020), arXiv:1910.13413, for baseline rows.
    """
    from clarify_ops.explain.trees.kernels import TreeKernel

    explained = explained_features(rows, features_to_explain)
    hybrids = Hybrids(rows, rows.iloc[:1] if background is None else background)
    columns = sums.model.encode(hybrids.rows(0, len(rows)))
    place = np.full(rows.shape[1] + 1, CONSTANT, dtype=np.int64)
    place[explained] = np.arange(len(explained))
    # The last place is that of columns of no feature, whose number is -1.
    kernel = TreeKernel.of(sums.model.ensemble, place[sums.model.players])
    predictions = kernel.predict(columns)
    values = np.zeros((len(rows), len(explained), predictions.shape[1]))
    if background is None:
        found = kernel.path_dependent(columns)
        expected = TreeKernel.of(sums.model.ensemble).expected()
    else:
        behind = sums.model.encode(hybrids.background(0, len(background)))
        found = kernel.interventional(columns, behind)
        expected = kernel.predict(behind).mean(axis=0)
    values[:, : found.shape[1]] = found
    whole = len(explained) == rows.shape[1]
    return Explanation(
        features=tuple(str(rows.columns[position]) for position in explained),
        outputs=output_names(predictions.shape[1], None),
        values=values,
        standard_errors=np.zeros_like(values),
        expected_value=expected,
        base_values=np.tile(expected, (len(rows), 1)) if whole else predictions - values.sum(axis=1),
        predictions=predictions,
        exact=np.ones(len(rows), dtype=np.bool_),
        coalitions=0,
        prediction_rows=0,
        prediction_calls=0,
        log_odds=sums.unit == "log-odds",
        explainer="tree_shap",
        unit=sums.unit,
        background=PATH_DEPENDENT if background is None else baseline_note(len(background)),
    )

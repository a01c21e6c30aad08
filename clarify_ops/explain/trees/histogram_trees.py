"""scikit-learn's histogram gradient boosting."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clarify_ops.explain.trees.assembling import MISSING_NAN, Tree, assembled, in_output
from clarify_ops.explain.trees.cells import as_frame, category_codes, numbers
from clarify_ops.explain.trees.tree_model import Link, NotReadable, TreeModel, feature_names, library_name

Floats = NDArray[np.float64]

LINKS: dict[str, Link] = {
    "IdentityLink": "identity",
    "LogLink": "exp",
    "LogitLink": "logistic",
    "MultinomialLogit": "softmax",
}
"""scikit-learn's name of a link, which leads from the answer to the sum."""
UNITS: dict[Link, str] = {"identity": "value", "exp": "logarithm of the value", "logistic": "log-odds"}


def read_histogram(estimator: Any) -> TreeModel | NotReadable:
    """A HistGradientBoostingClassifier or HistGradientBoostingRegressor."""
    stages = estimator._predictors  # noqa: SLF001 - the trees have no public name
    columns = int(estimator.n_features_in_)
    order = _order(estimator, columns)
    outputs = len(stages[0]) if stages else estimator.n_trees_per_iteration_
    link = LINKS.get(type(estimator._loss.link).__name__, "unknown")  # noqa: SLF001 - a loss may also be an object
    ensemble = assembled(
        [_tree(one, order, output, outputs) for stage in stages for output, one in enumerate(stage)],
        columns=columns,
        base=np.asarray(estimator._baseline_prediction, dtype=np.float64).reshape(-1),  # noqa: SLF001 - likewise
        rounding="double",
        unit=UNITS.get(link, "score"),
        library=library_name("sklearn"),
    )
    return TreeModel(
        ensemble=ensemble,
        link=link,
        two_columns=link == "logistic",
        encode=HistogramColumns(columns, _categories(estimator, order)),
        players=np.arange(columns),
        features=feature_names(estimator, columns),
        estimator=type(estimator).__name__,
    )


@dataclass(frozen=True)
class HistogramColumns:
    """Columns as the estimator takes them from a DataFrame.

    Attributes:
        columns: How many there are.
        categories: Of the categorical ones, by position; a category's code is its position, and one that is not among
            them is a missing value to the trees.
    """

    columns: int
    categories: Mapping[int, pd.Index]

    def __call__(self, given: Any) -> Floats:
        """(rows, columns)."""
        frame = as_frame(given, self.columns)
        return numbers(frame, self._codes if self.categories else None)

    def _codes(self, position: int, column: pd.Series) -> Floats | None:
        known = self.categories.get(position)
        return None if known is None else category_codes(column, known)


def _order(estimator: Any, columns: int) -> NDArray[np.int64]:
    """(columns,) position, among the user's columns, of each column that the trees number: categorical ones come first."""
    categorical = estimator.is_categorical_
    if categorical is None:
        return np.arange(columns)
    return np.concatenate([np.flatnonzero(categorical), np.flatnonzero(~categorical)])


def _categories(estimator: Any, order: NDArray[np.int64]) -> dict[int, pd.Index]:
    if estimator.is_categorical_ is None:
        return {}
    encoder = estimator._preprocessor.named_transformers_["encoder"]  # noqa: SLF001 - its codes have no public name
    # Missing is the last category of the encoder, and none of the trees'.
    return {int(order[number]): pd.Index(names).dropna() for number, names in enumerate(encoder.categories_)}


def _tree(predictor: Any, order: NDArray[np.int64], output: int, outputs: int) -> Tree:
    nodes = predictor.nodes
    leaf = nodes["is_leaf"].astype(np.bool_)
    categorical = np.flatnonzero(nodes["is_categorical"].astype(np.bool_) & ~leaf)
    words = predictor.raw_left_cat_bitsets
    return Tree(
        left=np.where(leaf, -1, nodes["left"].astype(np.int64)),
        right=np.where(leaf, -1, nodes["right"].astype(np.int64)),
        column=np.where(leaf, -1, order[np.where(leaf, 0, nodes["feature_idx"])]),
        threshold=nodes["num_threshold"].astype(np.float64),
        missing_left=nodes["missing_go_to_left"].astype(np.bool_),
        missing=MISSING_NAN,
        cover=nodes["count"].astype(np.float64),
        values=in_output(nodes["value"].astype(np.float64), output, outputs),
        sets={int(node): words[nodes["bitset_idx"][node]] for node in categorical},
    )

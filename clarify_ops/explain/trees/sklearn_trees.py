"""scikit-learn's trees, forests and gradient boosting of its tree module."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clarify_ops.explain.trees.assembling import MISSING_NAN, Tree, assembled, in_output
from clarify_ops.explain.trees.cells import NumericColumns
from clarify_ops.explain.trees.ensemble import Ensemble
from clarify_ops.explain.trees.tree_model import Link, NotReadable, TreeModel, feature_names, library_name

Floats = NDArray[np.float64]


def read_tree(estimator: Any) -> TreeModel | NotReadable:
    """A DecisionTree or ExtraTree, classifier or regressor."""
    return _averaged(estimator, [estimator])


def read_forest(estimator: Any) -> TreeModel | NotReadable:
    """A RandomForest or ExtraTrees, classifier or regressor: its answer is the mean of its trees' answers."""
    return _averaged(estimator, estimator.estimators_)


def read_boosting(estimator: Any) -> TreeModel | NotReadable:
    """A GradientBoostingClassifier or GradientBoostingRegressor whose start is a constant."""
    what = type(estimator).__name__
    start = estimator.init_
    # Unless it is a constant, it looks at the columns as well, and not through trees.
    if not isinstance(start, str) and type(start).__name__ not in {"DummyClassifier", "DummyRegressor"}:
        return NotReadable(what, f"it starts from a {type(start).__name__}, which is no tree")
    if not isinstance(start, str) and start.strategy in {"stratified", "uniform"}:
        return NotReadable(what, f"it starts from a guess ({start.strategy})")
    classifies = hasattr(estimator, "predict_proba")
    outputs = estimator.estimators_.shape[1]
    # The exponential loss takes half of the log-odds for its score.
    scale = 2.0 if estimator.loss == "exponential" else 1.0
    rate = estimator.learning_rate
    trees = [
        _tree(one.tree_, in_output(one.tree_.value[:, 0, 0] * rate * scale, output, outputs))
        for stage in estimator.estimators_
        for output, one in enumerate(stage)
    ]
    link: Link = "identity" if not classifies else "logistic" if outputs == 1 else "softmax"
    columns = int(estimator.n_features_in_)
    # A constant, which any row shows; less what the trees add it would lose digits.
    start_sum = estimator._raw_predict_init(np.zeros((1, columns), dtype=np.float32))  # noqa: SLF001 - not said publicly
    base = np.asarray(start_sum, dtype=np.float64).reshape(-1) * scale
    unit = {"identity": "value", "logistic": "log-odds"}.get(link, "score")
    return _model(estimator, _ensemble(trees, columns, base, unit), link, two_columns=link == "logistic")


def _averaged(estimator: Any, members: Sequence[Any]) -> TreeModel | NotReadable:
    """Trees whose answers are averaged: probabilities of the classes, or values of the outputs."""
    classifies = hasattr(estimator, "predict_proba")
    if classifies and estimator.n_outputs_ > 1:
        return NotReadable(type(estimator).__name__, "it classifies by several labels at once")
    trees = []
    for member in members:
        values = member.tree_.value[:, 0, :] if classifies else member.tree_.value[:, :, 0]
        trees.append(_tree(member.tree_, values / len(members)))
    outputs = trees[0].values.shape[1]
    unit = "probability" if classifies else "value"
    ensemble = _ensemble(trees, int(estimator.n_features_in_), np.zeros(outputs), unit)
    return _model(estimator, ensemble, "identity", two_columns=False)


def _tree(tree: Any, values: Floats) -> Tree:
    return Tree(
        left=tree.children_left,
        right=tree.children_right,
        column=tree.feature,
        threshold=tree.threshold,
        missing_left=tree.missing_go_to_left.astype(np.bool_),
        missing=MISSING_NAN,
        cover=tree.weighted_n_node_samples,
        values=values,
    )


def _ensemble(trees: Sequence[Tree], columns: int, base: Floats, unit: str) -> Ensemble:
    return assembled(trees, columns=columns, base=base, rounding="float32", unit=unit, library=library_name("sklearn"))


def _model(estimator: Any, ensemble: Ensemble, link: Link, *, two_columns: bool) -> TreeModel:
    return TreeModel(
        ensemble=ensemble,
        link=link,
        two_columns=two_columns,
        encode=NumericColumns(ensemble.columns),
        players=np.arange(ensemble.columns),
        features=feature_names(estimator, ensemble.columns),
        estimator=type(estimator).__name__,
    )

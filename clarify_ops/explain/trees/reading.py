"""Which reader reads which estimator."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from clarify_ops.explain.trees.catboost_trees import read_catboost
from clarify_ops.explain.trees.ensemble import Ensemble
from clarify_ops.explain.trees.histogram_trees import read_histogram
from clarify_ops.explain.trees.lightgbm_trees import read_lightgbm
from clarify_ops.explain.trees.sklearn_trees import read_boosting, read_forest, read_tree
from clarify_ops.explain.trees.tree_model import NotReadable, TreeModel
from clarify_ops.explain.trees.xgboost_trees import read_xgboost

Reader = Callable[[Any], TreeModel | NotReadable]

READERS: dict[tuple[str, str], Reader] = {
    ("catboost", "CatBoost"): read_catboost,
    ("catboost", "CatBoostClassifier"): read_catboost,
    ("catboost", "CatBoostRanker"): read_catboost,
    ("catboost", "CatBoostRegressor"): read_catboost,
    ("lightgbm", "Booster"): read_lightgbm,
    ("lightgbm", "LGBMClassifier"): read_lightgbm,
    ("lightgbm", "LGBMRegressor"): read_lightgbm,
    ("lightgbm", "LGBMRanker"): read_lightgbm,
    ("sklearn", "DecisionTreeClassifier"): read_tree,
    ("sklearn", "DecisionTreeRegressor"): read_tree,
    ("sklearn", "ExtraTreeClassifier"): read_tree,
    ("sklearn", "ExtraTreeRegressor"): read_tree,
    ("sklearn", "RandomForestClassifier"): read_forest,
    ("sklearn", "RandomForestRegressor"): read_forest,
    ("sklearn", "ExtraTreesClassifier"): read_forest,
    ("sklearn", "ExtraTreesRegressor"): read_forest,
    ("sklearn", "GradientBoostingClassifier"): read_boosting,
    ("sklearn", "GradientBoostingRegressor"): read_boosting,
    ("sklearn", "HistGradientBoostingClassifier"): read_histogram,
    ("sklearn", "HistGradientBoostingRegressor"): read_histogram,
    ("xgboost", "Booster"): read_xgboost,
    ("xgboost", "XGBClassifier"): read_xgboost,
    ("xgboost", "XGBRegressor"): read_xgboost,
    ("xgboost", "XGBRanker"): read_xgboost,
    ("xgboost", "XGBRFClassifier"): read_xgboost,
    ("xgboost", "XGBRFRegressor"): read_xgboost,
}
"""By library and class, so that no library is imported to look."""


def read_trees(estimator: object) -> TreeModel | NotReadable:
    """The trees of a fitted estimator, or why they are not seen.

    A subclass is not taken for its parent, because it may answer otherwise.
    """
    kind = type(estimator)
    reader = READERS.get((kind.__module__.partition(".")[0], kind.__name__))
    if reader is None:
        return NotReadable(kind.__name__, "no reader knows this class")
    return reader(estimator) if _fitted(estimator) else NotReadable(kind.__name__, "it is not fitted")


def _fitted(estimator: Any) -> bool:
    if type(estimator).__name__ == "Booster":
        return True
    # Libraries raise an AttributeError for what fitting brings; CatBoost has a method.
    return bool(estimator.is_fitted()) if hasattr(estimator, "is_fitted") else hasattr(estimator, "n_features_in_")


def read_ensemble(estimator: object) -> Ensemble | NotReadable:
    """The trees alone; see `read_trees`."""
    found = read_trees(estimator)
    return found if isinstance(found, NotReadable) else found.ensemble

"""Shapley values of trees that cannot be read here, as the library that grew them computes them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clarify_ops.errors import BadData, BadModel, NotSupported
from clarify_ops.explain.encoding import CONSTANT, Sources, Untraced, encoding
from clarify_ops.explain.explanation import Explanation, output_names
from clarify_ops.explain.playing import explained_features
from clarify_ops.explain.trees.catboost_trees import catboost_unit
from clarify_ops.models.libraries import library

Floats = NDArray[np.float64]

LIBRARY_NOTE = "the library's own, path-dependent"
"""`Explanation.background`: training rows, as the library counted them on the way."""

LARGEST_GAP = 1e-4
"""Beside the size of the predictions: more than float32 leaves, and the values are not what they are called."""


@dataclass(frozen=True, eq=False)
class LibraryValues:
    """What a library says of its own model.

    Attributes:
        estimator: Name of the class.
        unit: Of what the trees add up to.
        prepare: Raw rows to what the model is given.
        sources: (columns,) position of the raw feature of each column.
        ask: What the model is given to (rows, outputs, columns + 1) values with the base last, and (rows, outputs) sums.
    """

    estimator: str
    unit: str
    prepare: Callable[[pd.DataFrame], Any]
    sources: Sources
    ask: Callable[[Any], tuple[Floats, Floats]]

    def values(self, rows: pd.DataFrame) -> tuple[Floats, Floats, Floats]:
        """(rows, columns, outputs) values, (rows, outputs) bases and (rows, outputs) sums.

        Raises:
            BadData: The library does not take these rows.
        """
        try:
            found, sums = self.ask(self.prepare(rows))
        except Exception as error:  # The library's own errors, and those of anybody's encoders before it.
            said = (str(error).strip().splitlines() or [""])[0].rstrip(". ")
            raise BadData(f"{self.estimator} does not explain these rows: {type(error).__name__}: {said}.") from error
        if found.shape != (*sums.shape, len(self.sources) + 1):
            raise BadModel(
                f"{self.estimator} gives values of shape {found.shape}, and has {sums.shape[1]} outputs and "
                f"{len(self.sources)} columns."
            )
        return found[..., :-1].swapaxes(1, 2), found[..., -1], sums

    def outputs(self, rows: pd.DataFrame) -> Floats:
        """(rows, sums)."""
        return self.values(rows)[2]

    def flaw(self, rows: pd.DataFrame) -> str:
        """Why the values are not to be had for these rows, as a clause; empty where they add up to the predictions."""
        try:
            values, bases, sums = self.values(rows)
        except (BadData, BadModel) as refused:
            return refused.message.rstrip(".")
        gap = _gap(values, bases, sums)
        return f"the library's own values miss the prediction of {self.estimator} by up to {gap:.2g}" if gap else ""


def read_library_values(estimator: Any, features: int) -> LibraryValues | Untraced:
    """How the library of a fitted model, or of the last step of a pipeline, is asked for its values.

    Args:
        estimator: Fitted.
        features: How many raw ones it is given.
    """
    found = encoding(estimator, features)
    if isinstance(found, Untraced):
        return found
    model = found.estimator
    kind = type(model)
    asking = LIBRARIES.get((kind.__module__.partition(".")[0], kind.__name__))
    if asking is None:
        return Untraced(kind.__name__, "has no library that explains its trees")
    known = found.sources[found.sources != CONSTANT]
    if len(np.unique(known)) < len(known):
        return Untraced(kind.__name__, "is given several columns of one feature, which its library explains apart")
    unit, ask = asking(model)
    return LibraryValues(kind.__name__, unit, found.transform, found.sources, ask)


def library_shap(
    library_values: LibraryValues,
    rows: pd.DataFrame,
    *,
    features_to_explain: Sequence[str] | None = None,
) -> Explanation:
    """Explains rows by what the library says of its own trees.

    The game is that in which the training rows of a path stand for what is absent; how exactly it is played is the library's
    business. Only the sum of the values is checked.

    Args:
        library_values: From `read_library_values`.
        rows: (rows, features) to explain.
        features_to_explain: Names of the features whose values are wanted; the others' are part of the base. None for all.

    Raises:
        BadData: The library does not take these rows, or a feature to explain is unknown.
        NotSupported: The values do not add up to the predictions.

    Source: Lundberg et al. (2020), arXiv:1905.04610, algorithm 1, as the libraries cite it.
    """
    explained = explained_features(rows, features_to_explain)
    given, bases, sums = library_values.values(rows)
    gap = _gap(given, bases, sums)
    if gap:
        raise NotSupported(
            f"The values that the library gives for its {library_values.estimator} miss the prediction by up to {gap:.2g}.",
            "Give baseline rows, and use kernel_shap or permutation_shap.",
        )
    everything = np.zeros((len(rows), rows.shape[1], sums.shape[1]))
    of_feature = library_values.sources != CONSTANT
    everything[:, library_values.sources[of_feature]] = given[:, of_feature]
    values = everything[:, explained]
    return Explanation(
        features=tuple(str(rows.columns[position]) for position in explained),
        outputs=output_names(sums.shape[1], None),
        values=values,
        standard_errors=np.full_like(values, np.nan),
        expected_value=bases.mean(axis=0) if len(rows) else np.zeros(sums.shape[1]),
        base_values=sums - values.sum(axis=1),
        predictions=sums,
        exact=np.zeros(len(rows), dtype=np.bool_),
        coalitions=0,
        prediction_rows=len(rows),
        prediction_calls=1,
        log_odds=library_values.unit == "log-odds",
        warnings=(f"The values are those of the library of {library_values.estimator}; only their sum was checked.",),
        explainer="library_shap",
        unit=library_values.unit,
        background=LIBRARY_NOTE,
    )


def _gap(values: Floats, bases: Floats, sums: Floats) -> float:
    """How far the values miss the sums; 0 where that is rounding."""
    gaps = np.abs(bases + values.sum(axis=1) - sums)
    # A gap that is NaN is too large as well.
    fine = (gaps <= LARGEST_GAP * np.maximum(1.0, np.abs(sums))).all()
    return 0.0 if fine else float(np.nan_to_num(gaps, nan=np.inf).max())


Asking = Callable[[Any], tuple[str, Callable[[Any], tuple[Floats, Floats]]]]


def _catboost(model: Any) -> tuple[str, Callable[[Any], tuple[Floats, Floats]]]:
    kinds = {
        "cat_features": model.get_cat_feature_indices(),
        "text_features": model.get_text_feature_indices(),
        "embedding_features": model.get_embedding_feature_indices(),
    }

    def ask(given: Any) -> tuple[Floats, Floats]:
        pool = library("catboost").Pool(given, **{name: columns for name, columns in kinds.items() if columns})
        sums = np.asarray(model.predict(pool, prediction_type="RawFormulaVal", thread_count=1), dtype=np.float64)
        found = np.asarray(model.get_feature_importance(pool, type="ShapValues", thread_count=1))
        return found.reshape(len(found), -1, found.shape[-1]), sums.reshape(len(sums), -1)

    return catboost_unit(model, str(model.get_all_params().get("loss_function", ""))), ask


def _xgboost(model: Any) -> tuple[str, Callable[[Any], tuple[Floats, Floats]]]:
    wrapped = hasattr(model, "get_booster")
    booster = model.get_booster() if wrapped else model
    # A Booster answers with all of its trees, the others up to the best iteration.
    last = int(getattr(model, "best_iteration", -1)) + 1 if wrapped and booster.attr("best_iteration") else 0
    missing = model.missing if wrapped else np.nan

    def ask(given: Any) -> tuple[Floats, Floats]:
        matrix = library("xgboost").DMatrix(given, missing=missing, enable_categorical=True)
        found = booster.predict(matrix, pred_contribs=True, iteration_range=(0, last))
        sums = booster.predict(matrix, output_margin=True, iteration_range=(0, last))
        found = np.asarray(found, dtype=np.float64)
        return found.reshape(len(found), -1, found.shape[-1]), np.asarray(sums, np.float64).reshape(len(sums), -1)

    return "score", ask


LIBRARIES: dict[tuple[str, str], Asking] = {
    **{("catboost", f"CatBoost{kind}"): _catboost for kind in ("", "Classifier", "Ranker", "Regressor")},
    **{("xgboost", name): _xgboost for name in ("Booster", "XGBClassifier", "XGBRanker", "XGBRegressor")},
}
"""By library and class. LightGBM explains whatever trees are read here, and no others."""

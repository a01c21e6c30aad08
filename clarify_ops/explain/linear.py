"""Shapley values of models that add up what each feature gives, from their coefficients."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clarify_ops.explain.encoding import CONSTANT, Sources, Untraced, encoding, other_columns
from clarify_ops.explain.explanation import Explanation, baseline_note, output_names
from clarify_ops.explain.hybrids import Hybrids
from clarify_ops.explain.playing import explained_features

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class LinearModel:
    """A model whose outputs are sums over columns, each made of one feature.

    Attributes:
        transform: (rows, features) to (rows, columns), an array, a sparse matrix or a DataFrame.
        sources: (columns,) position of the feature that a column is made of; -1 where it is of none.
        coefficients: (outputs, columns).
        intercepts: (outputs,).
        features: How many there are.
        unit: Of the outputs.
        estimator: Name of the class.
    """

    transform: Callable[[pd.DataFrame], Any]
    sources: Sources
    coefficients: Floats
    intercepts: Floats
    features: int
    unit: str
    estimator: str

    def columns(self, rows: pd.DataFrame) -> Any:
        """(rows, columns) doubles, or a sparse matrix of them."""
        made = self.transform(rows)
        if isinstance(made, pd.DataFrame):
            return made.to_numpy(dtype=np.float64, na_value=np.nan)
        return made if hasattr(made, "tocsr") else np.asarray(made, dtype=np.float64)

    def parts(self, rows: pd.DataFrame) -> Floats:
        """(rows, features, outputs): what each feature gives to the sum; the intercept is nobody's."""
        made = self.columns(rows)
        of_one = np.flatnonzero(self.sources != CONSTANT)
        shape = (len(self.sources), self.features)
        parts = np.empty((len(rows), self.features, len(self.intercepts)))
        for output, weights in enumerate(self.coefficients):
            parts[:, :, output] = _times(made, (weights[of_one], (of_one, self.sources[of_one])), shape)
        return parts

    def outputs(self, rows: pd.DataFrame) -> Floats:
        """(rows, outputs): the sums."""
        return (
            _times(self.columns(rows), self.coefficients.T, (len(self.sources), len(self.intercepts))) + self.intercepts
        )


def _times(rows: Any, matrix: Any, shape: tuple[int, int]) -> Floats:
    """A product whose rows do not depend on how many there are, as those of dense matrices do in their last digits."""
    from scipy import sparse

    made: Any = rows @ sparse.csr_matrix(matrix, shape=shape)
    return np.asarray(made if isinstance(made, np.ndarray) else made.toarray(), dtype=np.float64)


def read_linear(estimator: Any, features: int) -> LinearModel | Untraced:
    """The coefficients of a fitted scikit-learn model or pipeline, or why they do not say it all.

    Args:
        estimator: Fitted.
        features: How many raw ones it is given.
    """
    found = encoding(estimator, features)
    if isinstance(found, Untraced):
        return found
    last = found.estimator
    name = type(last).__name__
    unit = UNITS.get(name) if type(last).__module__.partition(".")[0] == "sklearn" else None
    if unit is None:
        return Untraced(name, "is not known to have coefficients that add up to its output")
    coefficients = last.coef_.toarray() if hasattr(last.coef_, "toarray") else np.asarray(last.coef_, dtype=np.float64)
    coefficients = np.atleast_2d(coefficients).astype(np.float64)
    if coefficients.shape[1] != len(found.sources):
        return other_columns(name, coefficients.shape[1], len(found.sources))
    return LinearModel(
        transform=found.transform,
        sources=found.sources,
        coefficients=coefficients,
        intercepts=np.broadcast_to(np.asarray(last.intercept_, dtype=np.float64), len(coefficients)).copy(),
        features=features,
        unit=unit if isinstance(unit, str) else unit(last, len(coefficients)),
        estimator=name,
    )


def linear_shap(
    model: LinearModel,
    rows: pd.DataFrame,
    background: pd.DataFrame,
    *,
    features_to_explain: Sequence[str] | None = None,
    labels: Sequence[str] | None = None,
) -> Explanation:
    r"""Explains rows by what their features give to the sum, less what the background's give on average.

    .. math:: \phi_j(x) = \sum_{k \text{ of } j} w_k \Bigl(c_k(x) - \tfrac{1}{B} \sum_b c_k(z^{(b)})\Bigr)

    These are the Shapley values of the game over the baseline rows, exactly: a model that is a sum over features has no
    interactions, so that a feature adds the same in every coalition. Columns of one feature, such as those of its
    categories, are summed.

    Args:
        model: From `read_linear`.
        rows: (rows, features) to explain.
        background: (baseline rows, features), same columns.
        features_to_explain: Names of the features that play; the others always keep the row's value. None for all.
        labels: Names of the outputs; None for label0, label1, ...

    Raises:
        BadData: The columns of rows and background differ, or a feature to explain is unknown.
        BadDocument: There are not as many labels as outputs.

    Source: Lundberg and Lee (2017), arXiv:1705.07874, Corollary 1.
    """
    explained = explained_features(rows, features_to_explain)
    hybrids = Hybrids(rows, background)
    given, behind = hybrids.rows(0, len(rows)), hybrids.background(0, len(background))
    values = (model.parts(given) - model.parts(behind).mean(axis=0))[:, explained]
    predictions = model.outputs(given)
    return Explanation(
        features=tuple(str(rows.columns[position]) for position in explained),
        outputs=output_names(len(model.intercepts), None if labels is None else tuple(labels)),
        values=values,
        standard_errors=np.zeros_like(values),
        expected_value=model.outputs(behind).mean(axis=0),
        base_values=_bases(model, predictions, values, behind, whole=len(explained) == model.features),
        predictions=predictions,
        exact=np.ones(len(rows), dtype=np.bool_),
        coalitions=0,
        prediction_rows=0,
        prediction_calls=0,
        log_odds=model.unit == "log-odds",
        explainer="linear_shap",
        unit=model.unit,
        background=baseline_note(len(background)),
    )


def _bases(model: LinearModel, predictions: Floats, values: Floats, behind: pd.DataFrame, *, whole: bool) -> Floats:
    """(rows, outputs): from the background itself where all features play, so that the additivity gap tells something."""
    if whole:
        return np.tile(model.outputs(behind).mean(axis=0), (len(values), 1))
    return np.asarray(predictions - values.sum(axis=1), dtype=np.float64)


def _margin(_: Any, outputs: int) -> str:
    # Of several classes the probabilities are shares, and no score alone is a log-odds.
    return "log-odds" if outputs == 1 else "score"


def _stochastic(estimator: Any, outputs: int) -> str:
    return _margin(estimator, outputs) if estimator.loss == "log_loss" else "score"


def _tweedie(estimator: Any, _: int) -> str:
    identity = estimator.link == "identity" or (estimator.link == "auto" and estimator.power <= 0)
    return "value" if identity else LOG_VALUE


LOG_VALUE = "log of the value"

UNITS: dict[str, str | Callable[[Any, int], str]] = {
    **dict.fromkeys(
        (
            "ARDRegression",
            "BayesianRidge",
            "ElasticNet",
            "ElasticNetCV",
            "HuberRegressor",
            "Lars",
            "LarsCV",
            "Lasso",
            "LassoCV",
            "LassoLars",
            "LassoLarsCV",
            "LassoLarsIC",
            "LinearRegression",
            "LinearSVR",
            "MultiTaskElasticNet",
            "MultiTaskElasticNetCV",
            "MultiTaskLasso",
            "MultiTaskLassoCV",
            "OrthogonalMatchingPursuit",
            "OrthogonalMatchingPursuitCV",
            "PassiveAggressiveRegressor",
            "QuantileRegressor",
            "Ridge",
            "RidgeCV",
            "SGDRegressor",
            "TheilSenRegressor",
        ),
        "value",
    ),
    **dict.fromkeys(
        ("LinearSVC", "PassiveAggressiveClassifier", "Perceptron", "RidgeClassifier", "RidgeClassifierCV"), "score"
    ),
    **dict.fromkeys(("LinearDiscriminantAnalysis", "LogisticRegression", "LogisticRegressionCV"), _margin),
    **dict.fromkeys(("GammaRegressor", "PoissonRegressor"), LOG_VALUE),
    "SGDClassifier": _stochastic,
    "TweedieRegressor": _tweedie,
}
"""Units of the sums of scikit-learn's linear models."""

"""Fitting an estimator that a document names."""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clarify_ops.config.pipeline import TrainSection
from clarify_ops.errors import BadDocument, BadModel, MissingExtra, nearest
from clarify_ops.training.columns import FeatureColumns, preprocessing
from clarify_ops.training.split import Split


@dataclass(frozen=True)
class Fitted:
    """What training made.

    Attributes:
        model: A scikit-learn pipeline from the features, as the user has them, to probabilities.
        scores: (rows,) probability of a positive label by a model that did not see the row; NaN where none was asked.
        warnings: What the estimator warned of, each sentence once.
    """

    model: Any
    scores: NDArray[np.float64]
    warnings: tuple[str, ...]


def fit(
    features: pd.DataFrame,
    positive: NDArray[np.bool_],
    *,
    columns: FeatureColumns,
    section: TrainSection,
    split: Split,
    seed: int,
    progress: Callable[[str], None] = lambda _: None,
) -> Fitted:
    """Fits one model a fold for honest scores, and the released one.

    Args:
        features: (rows, features), from `FeatureColumns.frame`.
        positive: (rows,) label.
        columns: Kinds of the features.
        section: The pipeline's `train` section.
        split: Which rows are predicted by which fold.
        seed: Becomes the estimator's `random_state`, where it has one and none is given.
        progress: Told about each fit.

    Raises:
        BadDocument: The estimator does not exist or refuses its parameters.
        BadModel: It cannot be fitted to these data, or has no probabilities.
    """
    scores = np.full(len(positive), np.nan)
    labels = positive.astype(np.int64)
    heard: list[str] = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for number, (known, asked) in enumerate(split.rounds(), start=1):
            progress(f"fitting fold {number} of {split.folds}")
            model = _fit_one(features[known], labels[known], columns, section, seed)
            scores[asked] = probabilities(model, features[asked])
        progress("fitting the model to release")
        released = split.released
        model = _fit_one(features[released], labels[released], columns, section, seed)
        heard.extend(f"{one.category.__name__}: {str(one.message).strip().splitlines()[0]}" for one in caught)
    return Fitted(model, scores, tuple(dict.fromkeys(heard)))


def probabilities(model: Any, features: pd.DataFrame) -> NDArray[np.float64]:
    """(rows,) probability of a positive label."""
    try:
        found = np.asarray(model.predict_proba(features), dtype=np.float64)
    except Exception as error:
        # Whatever an estimator of somebody else raises: it has learnt, and cannot tell.
        raise BadModel(
            f"The estimator cannot predict: {_first_line(error)}", "Check train.parameters and the features."
        ) from error
    if found.ndim != 2 or found.shape[1] != 2 or not np.isfinite(found).all():
        raise BadModel("The estimator's predict_proba does not give two finite probabilities per row.")
    return np.asarray(found[:, 1])


def estimator_class(path: str) -> Any:
    """The class behind an import path.

    Raises:
        BadDocument: There is no such module or class, or it is not a classifier with probabilities.
    """
    module_name, _, name = path.rpartition(".")
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        top = module_name.split(".")[0]
        if error.name == top:
            raise BadDocument(
                f"train.estimator is {path}, but the package {top!r} is not installed.",
                f"Install it: pip install {top}",
            ) from error
        raise BadDocument(f"train.estimator is {path}, but there is no module {error.name!r}.") from error
    except ImportError as error:
        raise MissingExtra(f"train.estimator is {path}, which cannot be imported: {error}.") from error
    found = getattr(module, name, None)
    if not isinstance(found, type):
        classes = [one for one in dir(module) if isinstance(getattr(module, one), type)]
        raise BadDocument(
            f"train.estimator is {path}, but {module_name} has no class {name!r}.", nearest(name, classes)
        )
    if not hasattr(found, "fit") or not hasattr(found, "predict_proba"):
        raise BadDocument(
            f"train.estimator is {path}, which has no fit and predict_proba.",
            "Name a classifier with scikit-learn's interface.",
        )
    return found


def _fit_one(
    features: pd.DataFrame, labels: NDArray[np.int64], columns: FeatureColumns, section: TrainSection, seed: int
) -> Any:
    from sklearn.pipeline import Pipeline
    from sklearn.utils import get_tags

    estimator = _estimator(section, seed)
    accepts_missing = bool(get_tags(estimator).input_tags.allow_nan)
    model = Pipeline(
        [
            ("columns", preprocessing(columns, accepts_missing=accepts_missing, scale=section.scale)),
            ("estimator", estimator),
        ]
    )
    try:
        model.fit(features, labels)
    except Exception as error:
        # Libraries raise exceptions of their own: LightGBM's are no ValueError.
        raise BadModel(
            f"{section.estimator} cannot be fitted: {_first_line(error)}",
            "Check train.parameters and the features.",
        ) from error
    return model


def _estimator(section: TrainSection, seed: int) -> Any:
    cls = estimator_class(section.estimator)
    try:
        known = cls().get_params()
    except TypeError as error:
        raise BadDocument(
            f"train.estimator is {section.estimator}, which cannot be made from plain parameters: {_first_line(error)}",
            "Name a classifier whose arguments all have defaults.",
        ) from error
    unknown = sorted(set(section.parameters) - set(known))
    # LightGBM and XGBoost take any keyword and hand it to their core, so that only scikit-learn's own can be checked.
    if unknown and cls.__module__.startswith("sklearn."):
        raise BadDocument(
            f"train.parameters has {unknown[0]!r}, which {cls.__name__} does not take.", nearest(unknown[0], known)
        )
    parameters = dict(section.parameters)
    if "random_state" in known:
        parameters.setdefault("random_state", seed)
    try:
        return cls(**parameters)
    except TypeError as error:
        raise BadDocument(f"train.parameters: {error}.") from error


def _first_line(error: Exception) -> str:
    return next(iter(str(error).strip().splitlines()), type(error).__name__)

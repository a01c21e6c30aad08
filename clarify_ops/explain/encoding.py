"""Which raw feature each column comes from that a scikit-learn pipeline hands to its last step."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

CONSTANT = -1
"""The source of a column that is the same for every row."""

Sources = NDArray[np.intp]
"""(columns,) position of the raw feature that a column is made of, or CONSTANT."""


@dataclass(frozen=True)
class Untraced:
    """Why a column cannot be traced to one feature.

    Attributes:
        what: The class of the transformer.
        reason: A clause about it.
    """

    what: str
    reason: str

    def __str__(self) -> str:
        return f"{self.what} {self.reason}"


@dataclass(frozen=True, eq=False)
class Encoding:
    """The steps of a pipeline before its last one.

    Attributes:
        estimator: The last step.
        transform: (rows, features) to what the last step is given.
        sources: Of its columns.
    """

    estimator: Any
    transform: Callable[[pd.DataFrame], Any]
    sources: Sources


def encoding(estimator: Any, features: int) -> Encoding | Untraced:
    """Takes a fitted model apart into its encoding and what answers the encoded rows.

    A search is taken for the best estimator that it found. What is no pipeline encodes nothing.

    Args:
        estimator: Fitted.
        features: How many raw ones there are.
    """
    while _sklearn(estimator) in SEARCHES:
        estimator = estimator.best_estimator_
    nothing = np.arange(features)
    if _sklearn(estimator) != "Pipeline":
        return Encoding(estimator, lambda rows: rows, nothing)
    before = estimator[:-1]
    last = encoding(estimator.steps[-1][1], features)
    found = sources(before, nothing) if len(before.steps) else nothing
    if isinstance(last, Untraced):
        return last
    if isinstance(found, Untraced):
        return found
    if _sklearn(estimator.steps[-1][1]) == "Pipeline":
        return Untraced("Pipeline", "has another one as its last step")
    return Encoding(last.estimator, _transform(before) if len(before.steps) else lambda rows: rows, found)


def _transform(before: Any) -> Callable[[pd.DataFrame], Any]:
    # What was fitted without names warns of them.
    plain = not hasattr(before, "feature_names_in_")
    return lambda rows: before.transform(rows.to_numpy() if plain and isinstance(rows, pd.DataFrame) else rows)


def sources(transformer: Any, given: Sources) -> Sources | Untraced:
    """Sources of what a fitted transformer makes of columns with the given sources."""
    name = _sklearn(transformer)
    if isinstance(transformer, str | None):
        return given if transformer in ("passthrough", None) else given[:0]
    if name in ONE_TO_ONE:
        return given
    if name in TRACERS:
        return TRACERS[name](transformer, given)
    if type(transformer).__module__.startswith("sklearn.feature_selection"):
        return np.asarray(given[transformer.get_support()])
    return Untraced(type(transformer).__name__, "is not known to make each column of one feature")


def _sklearn(thing: Any) -> str:
    """The name of a class of scikit-learn; a subclass elsewhere may do anything, and has none here."""
    kind = type(thing)
    return kind.__name__ if kind.__module__.partition(".")[0] == "sklearn" else ""


def _pipeline(transformer: Any, given: Sources) -> Sources | Untraced:
    found: Sources | Untraced = given
    for _, step in transformer.steps:
        if isinstance(found, Untraced):
            break
        found = sources(step, found)
    return found


def _union(transformer: Any, given: Sources) -> Sources | Untraced:
    parts = [sources(part, given) for _, part in transformer.transformer_list]
    return _joined(parts)


def _column_transformer(transformer: Any, given: Sources) -> Sources | Untraced:
    names = list(getattr(transformer, "feature_names_in_", range(len(given))))
    slots: dict[int, Sources | Untraced] = {}
    for name, part, columns in transformer.transformers_:
        where = transformer.output_indices_[name]
        if where.stop > where.start:
            slots[where.start] = sources(part, given[_positions(columns, names)])
    return _joined([slots[start] for start in sorted(slots)])


def _positions(columns: Any, names: Sequence[Any]) -> Any:
    """Positions of columns that are given by name, place, mask or slice."""
    if isinstance(columns, str):
        return [names.index(columns)]
    if isinstance(columns, slice) and isinstance(columns.start or columns.stop, str):
        first = 0 if columns.start is None else names.index(columns.start)
        last = len(names) if columns.stop is None else names.index(columns.stop) + 1
        return slice(first, last)
    if isinstance(columns, slice | int | np.integer):
        return columns if isinstance(columns, slice) else [columns]
    listed = np.asarray(columns)
    if listed.dtype.kind in "OUT":
        return [names.index(column) for column in listed.tolist()]
    return listed if len(listed) else listed.astype(np.intp)


def _joined(parts: Sequence[Sources | Untraced]) -> Sources | Untraced:
    traced = []
    for part in parts:
        if isinstance(part, Untraced):
            return part
        traced.append(part)
    return np.concatenate(traced) if traced else np.empty(0, dtype=np.intp)


def _imputer(transformer: Any, given: Sources) -> Sources:
    # A column without any value has no statistic, and is dropped unless it is to be kept.
    kept = np.ones(len(given), dtype=np.bool_) if transformer.keep_empty_features else ~pd.isna(transformer.statistics_)
    extra = _indicator(transformer.indicator_, given) if transformer.add_indicator else given[:0]
    return np.concatenate([given[kept], extra])


def _indicator(transformer: Any, given: Sources) -> Sources:
    return np.asarray(given[transformer.features_])


def _one_hot(transformer: Any, given: Sources) -> Sources:
    # The names alone do not tell x_1 of the feature "x" from x_1; the counts do, after drop and rare categories.
    return np.repeat(given, transformer._n_features_outs)  # noqa: SLF001


def _bins(transformer: Any, given: Sources) -> Sources:
    return given if transformer.encode == "ordinal" else np.repeat(given, transformer.n_bins_)


def _splines(transformer: Any, given: Sources) -> Sources:
    return np.repeat(given, transformer.n_features_out_ // len(given))


def _polynomial(transformer: Any, given: Sources) -> Sources | Untraced:
    used = transformer.powers_ > 0
    if (used.sum(axis=1) > 1).any():
        return Untraced("PolynomialFeatures", "multiplies features")
    return np.where(used.any(axis=1), given[used.argmax(axis=1)], CONSTANT)


def _function(transformer: Any, given: Sources) -> Sources | Untraced:
    function = transformer.func
    if function is None or (isinstance(function, np.ufunc) and function.nin == 1):
        return given
    return Untraced("FunctionTransformer", "does what cannot be seen")


def _target(transformer: Any, given: Sources) -> Sources | Untraced:
    if transformer.target_type_ == "multiclass":
        return Untraced("TargetEncoder", "has a column for every feature and class")
    return given


SEARCHES = frozenset({"GridSearchCV", "HalvingGridSearchCV", "HalvingRandomSearchCV", "RandomizedSearchCV"})

ONE_TO_ONE = frozenset(
    {
        "Binarizer",
        "MaxAbsScaler",
        "MinMaxScaler",
        "OrdinalEncoder",
        "PowerTransformer",
        "QuantileTransformer",
        "RobustScaler",
        "StandardScaler",
    }
)
"""Each column is made of the one in its place, row by row."""

TRACERS: dict[str, Callable[[Any, Sources], Sources | Untraced]] = {
    "ColumnTransformer": _column_transformer,
    "FeatureUnion": _union,
    "FunctionTransformer": _function,
    "KBinsDiscretizer": _bins,
    "MissingIndicator": _indicator,
    "OneHotEncoder": _one_hot,
    "Pipeline": _pipeline,
    "PolynomialFeatures": _polynomial,
    "SimpleImputer": _imputer,
    "SplineTransformer": _splines,
    "TargetEncoder": _target,
}

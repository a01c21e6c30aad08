"""A tracing that is wrong is found out on data."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import PCA
from sklearn.dummy import DummyRegressor
from sklearn.impute import KNNImputer, SimpleImputer
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import FeatureUnion, Pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    KBinsDiscretizer,
    OneHotEncoder,
    OrdinalEncoder,
    StandardScaler,
    TargetEncoder,
)
from sklearn.tree import DecisionTreeRegressor

from clarify_ops.explain.choosing import choose
from clarify_ops.explain.encoding import Encoding, Untraced, encoding
from clarify_ops.explain.question import Question
from clarify_ops.explain.source_check import CELLS, mixed_sources

from .models import loans

NUMBERS = ["income", "children"]
TEXT = ["town", "grade"]


def impute() -> Any:
    return SimpleImputer(strategy="median", add_indicator=True)


@pytest.fixture
def rows() -> pd.DataFrame:
    frame = loans(120, 3)
    return frame.assign(town=frame["town"].astype(object), grade=frame["grade"].astype(object))


def traced(steps: Any, rows: pd.DataFrame) -> Encoding:
    model = Pipeline([("columns", steps), ("answer", DummyRegressor())]).fit(rows, rows["children"])
    found = encoding(model, rows.shape[1])
    assert isinstance(found, Encoding), found
    return found


TRANSFORMERS = [
    ColumnTransformer([("numbers", Pipeline([("i", impute()), ("s", StandardScaler())]), NUMBERS)]),
    ColumnTransformer(
        [("text", OneHotEncoder(handle_unknown="ignore"), TEXT), ("numbers", impute(), NUMBERS)],
        remainder="passthrough",
    ),
    ColumnTransformer(
        [("text", OneHotEncoder(drop="first", min_frequency=30), TEXT), ("flag", "passthrough", [4])],
        sparse_threshold=1.0,
    ),
    ColumnTransformer(
        [("text", OrdinalEncoder(), TEXT), ("target", TargetEncoder(target_type="continuous"), ["town"])]
    ),
    ColumnTransformer(
        [
            (
                "bins",
                Pipeline([("i", SimpleImputer()), ("b", KBinsDiscretizer(3, quantile_method="averaged_inverted_cdf"))]),
                NUMBERS,
            ),
            (
                "both",
                FeatureUnion([("a", SimpleImputer()), ("b", Pipeline([("i", impute()), ("s", StandardScaler())]))]),
                NUMBERS,
            ),
        ]
    ),
]


@pytest.mark.parametrize("steps", TRANSFORMERS, ids=range(len(TRANSFORMERS)))
def test_what_is_traced_holds_on_data(steps: Any, rows: pd.DataFrame) -> None:
    found = traced(steps, rows)
    assert mixed_sources(found, rows) is None
    # A tracing that swaps two sources, or forgets a column, does not.
    other = found.sources.copy()
    first, last = np.flatnonzero(other == other[0]), np.flatnonzero(other == other[-1])
    if other[0] != other[-1]:
        other[first], other[last] = other[last[0]], other[first[0]]
        assert isinstance(mixed_sources(replace(found, sources=other), rows), Untraced)
    assert isinstance(mixed_sources(replace(found, sources=other[1:]), rows), Untraced)


@pytest.mark.parametrize(
    "mixing",
    [
        PCA(2),
        KNNImputer(),
        FunctionTransformer(lambda cells: cells * cells.sum(axis=1, keepdims=True)),
    ],
    ids=lambda mixing: type(mixing).__name__,
)
def test_columns_of_several_features_are_seen(mixing: Any, rows: pd.DataFrame) -> None:
    frame = rows[NUMBERS].fillna(1.0) if not isinstance(mixing, KNNImputer) else rows[NUMBERS]
    mixing.fit(frame.to_numpy(dtype=np.float64))
    claimed = Encoding(None, lambda cells: mixing.transform(cells.to_numpy(dtype=np.float64)), np.arange(2))
    assert "traced to other features" in str(mixed_sources(claimed, frame))


def test_no_rows_show_nothing(rows: pd.DataFrame) -> None:
    assert mixed_sources(traced(TRANSFORMERS[0], rows), rows[:0]) is None


def test_wide_rows_are_encoded_once_and_not_all_of_them() -> None:
    wide = pd.DataFrame(np.random.default_rng(1).normal(size=(300, 500)))
    encoded: list[int] = []

    def transform(given: Any) -> Any:
        encoded.append(len(given))
        return given

    assert mixed_sources(Encoding(None, transform, np.arange(500)), wide) is None
    assert len(encoded) == 1
    assert encoded[0] < 2 * CELLS
    first = Encoding(None, transform, np.append(1, np.arange(1, 500)))
    assert "makes columns of '0'" in str(mixed_sources(first, wide))


class Mixing(StandardScaler):  # type: ignore[misc]
    """Answers as another class than it is."""

    def transform(self, X: Any, copy: Any = None) -> Any:
        scaled = super().transform(X, copy)
        return scaled + scaled[:, ::-1]


def test_a_pipeline_that_mixes_is_asked_and_not_read(rows: pd.DataFrame) -> None:
    given = rows[NUMBERS].fillna(1.0)
    target = given["income"] - 3 * given["children"]
    # As a patched or a newer library might do.
    Mixing.__module__, Mixing.__name__ = StandardScaler.__module__, StandardScaler.__name__
    for step, explainer in ((StandardScaler(), "linear_shap"), (Mixing(), "exact")):
        for last in (LinearRegression(), DecisionTreeRegressor(max_depth=3)):
            model = Pipeline([("step", step), ("last", last)]).fit(given, target)
            assert isinstance(encoding(model, 2), Encoding)
            found = choose(Question.of(model, given.iloc[:9], given.iloc[20:23]))
            name = "tree_shap" if explainer == "linear_shap" and isinstance(last, DecisionTreeRegressor) else explainer
            assert found.explainer == name
            if explainer == "exact":
                assert "Pipeline makes columns of 'income' that were traced to other features" in found.said()

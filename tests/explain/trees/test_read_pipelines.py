"""Trees at the end of a pipeline, explained by the features that the user has."""

from __future__ import annotations

from typing import Any

import catboost
import lightgbm
import numpy as np
import pandas as pd
import pytest
import skops.io
import xgboost
from numpy.typing import NDArray
from scipy import sparse
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import GradientBoostingClassifier, HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler

from clarify_ops.config.pipeline import TrainSection
from clarify_ops.explain.encoding import Encoding, encoding
from clarify_ops.explain.source_check import mixed_sources
from clarify_ops.explain.trees.reading import read_trees
from clarify_ops.explain.trees.tree_model import TreeModel
from clarify_ops.training.columns import FeatureColumns
from clarify_ops.training.fit import fit
from clarify_ops.training.split import Split
from tests.explain.models import loans
from tests.explain.oracle import shapley_values

from .data import numeric, targets
from .oracle import interventional, sums

Floats = NDArray[np.float64]

KINDS: dict[str, Any] = {
    "town": "categorical",
    "grade": "categorical",
    "income": "numeric",
    "children": "numeric",
    "married": "numeric",
}
LAST = [
    RandomForestClassifier(5, max_depth=4, random_state=0),
    GradientBoostingClassifier(n_estimators=5, random_state=0),
    HistGradientBoostingClassifier(max_iter=5, max_leaf_nodes=7, random_state=0),
    lightgbm.LGBMClassifier(n_estimators=5, num_leaves=7, verbose=-1),
    xgboost.XGBClassifier(n_estimators=5, max_depth=3),
    catboost.CatBoostClassifier(iterations=5, depth=3, verbose=False, allow_writing_files=False),
]


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    frame = loans(300, 3)
    return frame.assign(town=frame["town"].astype(object), grade=frame["grade"].astype(object))


@pytest.fixture(scope="module")
def approved(rows: pd.DataFrame) -> NDArray[np.bool_]:
    score = rows["income"].fillna(40) / 20 - rows["children"] + 2.0 * (rows["town"] == "north") * rows["married"]
    return (score + (rows["grade"] == "a") > 1.5).to_numpy()


def check(pipeline: Any, rows: pd.DataFrame) -> None:
    """Predictions, and the game of raw features by brute force over the pipeline itself."""
    found = encoding(pipeline, rows.shape[1])
    assert isinstance(found, Encoding), found
    assert mixed_sources(found, rows) is None
    model = read_trees(found.estimator)
    assert isinstance(model, TreeModel), model
    single = model.ensemble.library.startswith("xgboost")
    tolerance = 1e-5 if single else 1e-9

    def answer(frame: pd.DataFrame) -> Floats:
        chances = np.asarray(pipeline.predict_proba(frame), dtype=np.float64)
        return chances if model.additive else np.log(chances[:, [1]]) - np.log(chances[:, [0]])

    matrix = model.encode(found.transform(rows))
    np.testing.assert_allclose(sums(model.ensemble, matrix), answer(rows), atol=tolerance)
    values, base = interventional(model.ensemble, matrix[5], matrix[:3], found.sources[model.players])
    np.testing.assert_allclose(values, shapley_values(answer, rows.iloc[[5]], rows.iloc[:3]), atol=tolerance)
    np.testing.assert_allclose(base, answer(rows.iloc[:3]).mean(axis=0), atol=tolerance)


@pytest.mark.parametrize("last", LAST, ids=lambda last: type(last).__name__)
def test_what_the_train_step_makes(last: Any, rows: pd.DataFrame, approved: NDArray[np.bool_]) -> None:
    columns = FeatureColumns(KINDS, {})
    section = TrainSection(
        estimator=f"{type(last).__module__}.{type(last).__name__}",
        parameters={name: value for name, value in last.get_params().items() if pd.notna(value)},
    )
    split = Split(np.arange(len(rows)) % 4 - 3, 1, {})
    fitted = fit(columns.frame(rows), approved, columns=columns, section=section, split=split, seed=0)
    check(fitted.model, columns.frame(rows)[:40])


@pytest.mark.parametrize("last", LAST, ids=lambda last: type(last).__name__)
@pytest.mark.parametrize("ordinal", [True, False])
def test_pipelines_by_hand(last: Any, rows: pd.DataFrame, approved: NDArray[np.bool_], *, ordinal: bool) -> None:
    if ordinal:
        text: Any = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1, encoded_missing_value=-2)
    else:
        text = OneHotEncoder(
            handle_unknown="ignore", sparse_output=not isinstance(last, HistGradientBoostingClassifier)
        )
    number = Pipeline([("fill", SimpleImputer(add_indicator=True)), ("scale", StandardScaler())])
    columns = ColumnTransformer(
        [("number", number, ["children", "income"]), ("text", text, ["grade", "town"])],
        remainder="passthrough",
        # XGBoost takes a cell that a sparse matrix leaves out for missing, and others for zero.
        sparse_threshold=1.0,
    )
    pipeline = Pipeline([("columns", columns), ("same", "passthrough"), ("answer", last)])
    check(pipeline.fit(rows, approved), rows[:40])


@pytest.mark.parametrize(
    "estimator",
    [
        xgboost.XGBRegressor(n_estimators=5, max_depth=3),
        lightgbm.LGBMRegressor(n_estimators=5, num_leaves=7, verbose=-1),
        catboost.CatBoostRegressor(iterations=5, depth=3, verbose=False, allow_writing_files=False),
        RandomForestClassifier(5, random_state=0),
    ],
    ids=lambda estimator: type(estimator).__name__,
)
def test_sparse_rows_mean_what_they_mean_to_the_library(estimator: Any) -> None:
    frame = numeric(gaps=False)
    frame["share"] = frame["share"].where(frame["share"] > 0, 0.0)
    cells = sparse.csr_matrix(frame.to_numpy(dtype=np.float64))
    cells.data[::7] = 0.0
    score = targets(frame)
    estimator.fit(cells, score > 0 if hasattr(estimator, "predict_proba") else score)
    said = estimator.predict_proba if hasattr(estimator, "predict_proba") else estimator.predict
    model = read_trees(estimator)
    assert isinstance(model, TreeModel)
    for rows in (cells, cells.toarray(), cells.tocsc()):
        found = sums(model.ensemble, model.encode(rows))
        np.testing.assert_allclose(found, said(rows).reshape(len(found), -1), atol=1e-5)


def test_a_model_that_was_saved_and_loaded(rows: pd.DataFrame) -> None:
    frame = rows[["income", "children"]].assign(town=rows["town"].astype("category"))
    estimator = HistGradientBoostingClassifier(max_iter=5, random_state=0).fit(frame, rows["married"])
    file = skops.io.dumps(estimator)
    loaded = skops.io.loads(file, trusted=skops.io.get_untrusted_types(data=file))
    first, second = read_trees(estimator), read_trees(loaded)
    assert isinstance(first, TreeModel)
    assert isinstance(second, TreeModel)
    matrix = second.encode(frame[:30])
    np.testing.assert_array_equal(matrix, first.encode(frame[:30]))
    np.testing.assert_allclose(second.answers(sums(second.ensemble, matrix)), estimator.predict_proba(frame[:30]))

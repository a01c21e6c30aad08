"""Which estimators are read, and what the answer follows from the sum of the trees."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import catboost
import lightgbm
import numpy as np
import pandas as pd
import pytest
import sklearn.ensemble
import sklearn.tree
import xgboost

from clarify_ops.errors import BadData
from clarify_ops.explain.trees.cells import as_frame, category_codes, numbers
from clarify_ops.explain.trees.ensemble import Ensemble
from clarify_ops.explain.trees.reading import READERS, read_ensemble, read_trees
from clarify_ops.explain.trees.tree_model import Link, NotReadable, linked_outputs

from .data import classes, numeric

LIBRARIES = {"catboost": catboost, "lightgbm": lightgbm, "xgboost": xgboost}


def classes_read() -> list[Any]:
    places = {**LIBRARIES, "sklearn": sklearn.ensemble}
    named = [(library, name) for library, name in READERS if name != "Booster"]
    return [getattr(sklearn.tree, name, None) or getattr(places[library], name) for library, name in named]


@pytest.mark.parametrize("made", classes_read(), ids=lambda made: made.__name__)
def test_what_is_not_fitted_is_not_readable(made: Any) -> None:
    found = read_trees(made())
    assert isinstance(found, NotReadable)
    assert str(found) == f"{made.__name__} cannot be read as trees: it is not fitted."


def test_a_subclass_is_not_taken_for_its_parent() -> None:
    class Halved(sklearn.tree.DecisionTreeRegressor):  # type: ignore[misc]
        def predict(self, rows: Any) -> Any:
            return super().predict(rows) / 2

    frame = numeric(gaps=False)
    assert isinstance(read_trees(Halved().fit(frame, frame["debt"])), NotReadable)
    for thing in (None, "model", lambda rows: rows):
        assert isinstance(read_trees(thing), NotReadable)


def test_the_trees_alone() -> None:
    frame = numeric(gaps=False)
    found = read_ensemble(sklearn.tree.DecisionTreeClassifier(max_depth=2).fit(frame, classes(frame, 2)))
    assert isinstance(found, Ensemble)
    assert found.library == f"scikit-learn {sklearn.__version__}"
    assert isinstance(read_ensemble(sklearn.tree.DecisionTreeClassifier()), NotReadable)


def test_no_library_is_imported_to_look() -> None:
    program = (
        "import sys; from clarify_ops.explain.trees.reading import read_trees; read_trees(object());"
        "print([name for name in ('sklearn', 'lightgbm', 'xgboost', 'catboost') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("link", "expected"),
    [
        ("identity", [[-1000.0, 0.0], [0.5, 1000.0]]),
        ("logistic", [[0.0, 0.5], [1 / (1 + np.exp(-0.5)), 1.0]]),
        ("softmax", [[0.0, 1.0], [0.0, 1.0]]),
        ("softplus", [[0.0, np.log(2)], [np.log1p(np.exp(0.5)), 1000.0]]),
        ("signed square", [[-1e6, 0.0], [0.25, 1e6]]),
    ],
)
def test_links_do_not_overflow(link: Link, expected: list[list[float]]) -> None:
    np.testing.assert_allclose(linked_outputs(link, np.array([[-1000.0, 0.0], [0.5, 1000.0]])), expected)


def test_an_unknown_link_has_no_answer() -> None:
    with pytest.raises(ValueError, match="cannot be told"):
        linked_outputs("unknown", np.zeros((1, 1)))


def test_cells_of_every_kind() -> None:
    rows = pd.DataFrame({"a": [1, 2], "b": [True, False], "c": np.array([0.5, np.nan], dtype=np.float32)})
    np.testing.assert_array_equal(numbers(rows), [[1, 1, 0.5], [2, 0, np.nan]])
    objects = rows.astype(object)
    np.testing.assert_array_equal(numbers(objects), [[1, 1, 0.5], [2, 0, np.nan]])
    sparse = rows[["a"]].astype(pd.SparseDtype("float64", 0.0))
    np.testing.assert_array_equal(numbers(sparse), [[1], [2]])
    for strange in (pd.to_datetime(["2020-01-01", "2021-01-01"]), ["x", "y"], pd.Categorical(["x", None])):
        with pytest.raises(BadData, match="'a' holds no numbers"):
            numbers(rows.assign(a=strange))
    with pytest.raises(BadData, match="3 columns, and the model was fitted on 4"):
        as_frame(rows.to_numpy(), 4)


@pytest.mark.parametrize("dtype", ["category", "object", "string"])
def test_codes_of_categories(dtype: str) -> None:
    column = pd.Series(["b", None, "c", "a"], dtype=dtype)
    np.testing.assert_array_equal(category_codes(column, ["a", "b"]), [1, np.nan, np.nan, 0])

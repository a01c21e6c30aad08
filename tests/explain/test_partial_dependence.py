"""Partial dependence equals the loop over points and rows, in Clarify's form."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clarify_ops.errors import BadData, BadDocument
from clarify_ops.explain import forced
from clarify_ops.explain.game import MaskedModel, Predict, Task
from clarify_ops.explain.partial_dependence import FeatureKind, PartialDependence, partial_dependence

from .models import hidden_layer, loan, loans, numbers, product, three_outputs
from .oracle import forced_means


@settings(deadline=None, max_examples=15)
@given(st.integers(1, 12), st.integers(1, 6), st.integers(1, 50), st.integers(0, 2**32))
def test_equals_the_loop(row_count: int, resolution: int, batch_rows: int, seed: int) -> None:
    rows = loans(row_count, seed)
    kinds = {
        "income": "numerical",
        "children": "numerical",
        "town": "categorical",
        "grade": "categorical",
        "married": "categorical",
    }
    results = partial_dependence(loan, rows, kinds, grid_resolution=resolution, batch_rows=batch_rows)  # type: ignore[arg-type]
    assert [result.feature for result in results] == list(kinds)
    for result in results:
        if result.error:
            assert result.missing == row_count
            continue
        expected = forced_means(loan, rows, result.feature, result.feature_values)
        np.testing.assert_allclose(result.model_predictions, expected, atol=1e-12)
        assert sum(result.data_distribution) == pytest.approx(1)
        assert result.missing == rows[result.feature].isna().sum()


def numerical(rows: pd.DataFrame) -> dict[str, FeatureKind]:
    return {str(name): "numerical" for name in rows.columns}


def by_masking(model: Predict, rows: pd.DataFrame, feature: str, points: pd.Series[Any]) -> np.ndarray:
    """(outputs, points): the game turned round: the rows are the background of rows that hold the points."""
    holders = rows.iloc[np.zeros(len(points), dtype=np.intp)].reset_index(drop=True)
    holders[feature] = points
    task = Task(np.arange(len(points)), (holders.columns == feature)[None, :])
    pieces = [values[:, 0] for _, _, values in MaskedModel(model, holders, rows).evaluate([task])]
    return np.concatenate(pieces).T


@pytest.mark.parametrize("row_count", [1, 9, 1000])
@pytest.mark.parametrize("resolution", [1, 15])
def test_equals_the_masked_model_to_the_last_digit(row_count: int, resolution: int) -> None:
    mixed, plain = loans(row_count, 3), numbers(row_count, 4, 3)
    kinds: dict[str, FeatureKind] = {"income": "numerical", "children": "numerical", "town": "categorical"}
    results = partial_dependence(loan, mixed, kinds, grid_resolution=resolution, batch_rows=997)
    several = partial_dependence(three_outputs, plain, numerical(plain), grid_resolution=resolution, batch_rows=64)
    one = partial_dependence(hidden_layer, plain, numerical(plain), grid_resolution=resolution)
    for model, rows, found in ((loan, mixed, results), (three_outputs, plain, several), (hidden_layer, plain, one)):
        for result in found:
            if result.error:
                continue
            points = pd.Series(result.feature_values)
            expected = by_masking(model, rows, result.feature, points)
            assert np.array(result.model_predictions).tobytes() == np.ascontiguousarray(expected).tobytes()


def test_equals_scikit_learns_brute_method() -> None:
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.inspection import partial_dependence as theirs

    rows = numbers(300, 3, 1)
    fitted = HistGradientBoostingClassifier(max_iter=20).fit(rows, rows["x0"] * rows["x1"] > 0.1)
    results = partial_dependence(lambda frame: fitted.predict_proba(frame)[:, 1], rows, {"x1": "numerical"})
    (result,) = results
    expected = theirs(
        fitted, rows, ["x1"], kind="average", method="brute", custom_values={"x1": np.array(result.feature_values)}
    )
    np.testing.assert_allclose(result.model_predictions, expected["average"], rtol=1e-12)


def test_memory_is_for_a_few_points_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = numbers(40, 2, 1)
    whole = partial_dependence(three_outputs, rows, numerical(rows))
    monkeypatch.setattr(forced, "HELD_ROWS", 120)
    assert partial_dependence(three_outputs, rows, numerical(rows)) == whole


def test_features_share_calls() -> None:
    calls: list[int] = []

    def model(frame: pd.DataFrame) -> np.ndarray:
        calls.append(len(frame))
        return three_outputs(frame)

    rows = numbers(20, 3, 1)
    partial_dependence(model, rows, numerical(rows), grid_resolution=5)
    assert calls == [300]


def test_buckets_are_equally_wide_over_the_range_and_shown_by_their_centres() -> None:
    rows = pd.DataFrame({"Age": [17, 90, 20, 19, 18], "x": 1.0})
    (result,) = partial_dependence(product, rows, {"Age": "numerical"}, grid_resolution=25)
    # 25 buckets over 17..90: the first centres of a published run.
    assert result.feature_values[:2] == pytest.approx((18.46, 21.38))
    assert len(result.feature_values) == 25
    assert result.feature_values[-1] == pytest.approx(90 - 1.46)
    assert result.data_distribution[:2] == (0.6, 0.2)
    # The largest value belongs to the last bucket.
    assert result.data_distribution[-1] == 0.2


def test_categories_fall_by_frequency_and_ties_keep_the_order_of_appearance() -> None:
    rows = pd.DataFrame({"Sex": [0, 1, 3, 1, 2, 2], "x": 1.0})
    (result,) = partial_dependence(product, rows, {"Sex": "categorical"})
    assert result.feature_values == (1, 2, 0, 3)
    assert result.data_distribution == (2 / 6, 2 / 6, 1 / 6, 1 / 6)
    assert result.model_predictions == ((1.0, 2.0, 0.0, 3.0),)


def test_categories_of_a_category_column_are_those_that_occur() -> None:
    grade = pd.Series(["c", "a", "c", None], dtype=pd.CategoricalDtype(["a", "b", "c"]))
    rows = loans(4, 1).assign(grade=grade)
    (result,) = partial_dependence(loan, rows, {"grade": "categorical"})
    assert result.feature_values == ("c", "a")
    assert result.data_distribution == (2 / 3, 1 / 3)
    assert result.missing == 1


def test_clarifys_entry_and_its_order_of_keys() -> None:
    rows = pd.DataFrame({"Sex": [1, 0, 1], "note": ["a", "b", "c"]})
    model = lambda frame: np.column_stack([frame["Sex"], 1 - frame["Sex"]])  # noqa: E731
    sex, note = partial_dependence(model, rows, {"Sex": "categorical", "note": "free_text"}, labels=["yes", "no"])
    assert json.dumps(sex.to_clarify()) == json.dumps(
        {
            "feature_name": "Sex",
            "data_type": "categorical",
            "feature_values": [1, 0],
            "data_distribution": [2 / 3, 1 / 3],
            "model_predictions": [[1.0, 0.0], [0.0, 1.0]],
            "label_headers": ["yes", "no"],
        }
    )
    assert json.dumps(note.to_clarify()) == json.dumps(
        {
            "feature_name": "note",
            "data_type": "free_text",
            "error": "Detected data type is not supported for PDP. "
            "PDP can only be computed for numerical or categorical columns",
        }
    )
    for result in (sex, note):
        assert PartialDependence.from_json(json.loads(json.dumps(result.to_json()))) == result


def test_a_feature_without_a_value_has_an_error_and_the_others_go_on() -> None:
    rows = pd.DataFrame({"gone": [np.nan, np.nan], "x": [1.0, 3.0]})
    gone, x = partial_dependence(
        lambda frame: frame["x"].to_numpy(), rows, {"gone": "numerical", "x": "numerical"}, grid_resolution=2
    )
    assert gone.to_clarify()["error"] == "The feature has no value in any row"
    assert gone.missing == 2
    assert x.feature_values == (1.5, 2.5)


def test_a_constant_is_one_point_of_its_own_dtype() -> None:
    rows = pd.DataFrame({"x": [3, 3], "y": [1, 2]})
    (result,) = partial_dependence(product, rows, {"x": "numerical"})
    assert result.feature_values == (3,)
    assert isinstance(result.feature_values[0], int)
    assert result.data_distribution == (1.0,)


def test_only_fractions_make_integers_floats_and_only_in_the_forced_column() -> None:
    rows = pd.DataFrame({"x": [0, 8], "y": [1, 2], "z": np.array([0, 1], dtype=np.float32)})
    seen: list[list[str]] = []

    def model(frame: pd.DataFrame) -> np.ndarray:
        seen.append([str(dtype) for dtype in frame.dtypes])
        return frame["x"].to_numpy(np.float64)

    partial_dependence(model, rows, {"x": "numerical"}, grid_resolution=4)
    partial_dependence(model, rows, {"x": "numerical"}, grid_resolution=8)
    partial_dependence(model, rows, {"z": "numerical"}, grid_resolution=3)
    assert seen == [["int64", "int64", "float32"], ["float64", "int64", "float32"], ["int64", "int64", "float32"]]


def test_one_call_serves_many_points() -> None:
    calls: list[int] = []

    def model(frame: pd.DataFrame) -> np.ndarray:
        calls.append(len(frame))
        return three_outputs(frame)

    rows = numbers(20, 3, 1)
    whole = partial_dependence(model, rows, {"x0": "numerical"}, grid_resolution=10)
    assert calls == [200]
    assert partial_dependence(model, rows, {"x0": "numerical"}, grid_resolution=10, batch_rows=7) == whole


def test_dates_are_points_and_text_in_the_entry() -> None:
    rows = pd.DataFrame({"day": pd.to_datetime(["2024-05-01", "2024-05-02", "2024-05-02"])})
    (result,) = partial_dependence(lambda frame: frame["day"].dt.day.to_numpy(float), rows, {"day": "categorical"})
    assert result.feature_values == ("2024-05-02 00:00:00", "2024-05-01 00:00:00")
    assert result.model_predictions == ((2.0, 1.0),)


def test_progress_counts_features() -> None:
    seen: list[tuple[int, int]] = []
    partial_dependence(
        product,
        numbers(3, 2, 1),
        {"x0": "numerical", "x1": "numerical"},
        progress=lambda done, total: seen.append((done, total)),
    )
    assert seen == [(1, 2), (2, 2)]


def test_what_is_refused() -> None:
    rows = pd.DataFrame({"Age": [1.0, np.inf], "town": ["a", "b"]})
    with pytest.raises(BadData, match=r"Partial dependence names the column 'Agee'.* Did you mean .Age."):
        partial_dependence(product, rows, {"Agee": "numerical"})
    with pytest.raises(BadData, match="'Age' holds infinite values"):
        partial_dependence(product, rows, {"Age": "numerical"})
    with pytest.raises(BadData, match="'town' is said to be numerical"):
        partial_dependence(product, rows, {"town": "numerical"})
    with pytest.raises(BadDocument, match="grid_resolution is 0"):
        partial_dependence(product, rows, {"Age": "numerical"}, grid_resolution=0)

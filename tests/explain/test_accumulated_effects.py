"""Accumulated effects equal the definition computed row by row, and the known effects of additive models."""

from __future__ import annotations

import itertools
import json
from typing import Any

import numpy as np
import pandas as pd
import pytest

from clarify_ops.errors import BadData, BadDocument, BadModel
from clarify_ops.explain.accumulated_effects import AccumulatedEffects, accumulated_effects
from clarify_ops.explain.level_order import ordered_levels

from .models import Floats, loan, loans, numbers, product


def by_definition(model: Any, rows: pd.DataFrame, result: AccumulatedEffects) -> tuple[Floats, list[int], Floats]:
    """Local effects (outputs, intervals), rows of each, and effects at the points (outputs, points), row by row."""
    name, points = result.feature, result.feature_values
    local, counts, weights = [], [], np.zeros(len(points))
    for low, high in itertools.pairwise(points):
        differences = []
        for row in range(len(rows)):
            value = rows[name].iloc[row]
            if pd.isna(value):
                continue
            if result.data_type == "numerical":
                inside = low < value <= high or (low == points[0] and value == low)
            else:
                inside = value in (low, high)
            if inside:
                one = rows.iloc[[row]]
                ends = [np.atleast_1d(model(one.assign(**{name: [end]}))[0]) for end in (low, high)]
                differences.append(ends[1] - ends[0])
        local.append(np.mean(differences, axis=0))
        counts.append(len(differences))
    effects = np.vstack([np.zeros(len(result.outputs)), np.cumsum(local, axis=0)]).T
    if result.data_type == "numerical":
        weights[:-1] += np.array(counts) / 2
        weights[1:] += np.array(counts) / 2
    else:
        weights += [int((rows[name] == point).sum()) for point in points]
    centre = effects @ weights / weights.sum()
    return np.array(local).T, counts, effects - centre[:, None]


@pytest.mark.parametrize("batch_rows", [7, 100_000])
@pytest.mark.parametrize("intervals", [1, 3, 50])
def test_equals_the_definition(intervals: int, batch_rows: int) -> None:
    rows = loans(40, 2)
    results = accumulated_effects(
        loan,
        rows,
        {"income": "numerical", "children": "numerical", "town": "categorical", "grade": "categorical"},
        intervals=intervals,
        batch_rows=batch_rows,
    )
    for result in results:
        local, counts, effects = by_definition(loan, rows, result)
        np.testing.assert_allclose(result.local_effects, local, atol=1e-12)
        np.testing.assert_allclose(result.effects, effects, atol=1e-12)
        assert list(result.interval_rows) == counts
        assert result.missing == rows[result.feature].isna().sum()
        if result.data_type == "numerical":
            assert sum(result.interval_rows) == 40 - result.missing
            assert len(result.interval_rows) <= intervals
    assert all(isinstance(value, int) for value in results[1].feature_values)


def test_an_additive_model_gives_its_terms_back_even_where_features_go_together() -> None:
    rng = np.random.default_rng(0)
    first = rng.normal(size=500)
    rows = pd.DataFrame({"a": first, "b": first + rng.normal(size=500) / 20})
    rows["town"] = pd.Series(np.where(rows["a"] > 0, "north", "south"))
    model = lambda x: (x["a"] ** 2 - 3 * x["b"] + 2 * (x["town"] == "north")).to_numpy(float)  # noqa: E731
    a, b, town = accumulated_effects(model, rows, {"a": "numerical", "b": "numerical", "town": "categorical"})
    squares, slope = np.array(a.feature_values) ** 2, -3 * np.array(b.feature_values)
    for result, expected in ((a, squares), (b, slope)):
        np.testing.assert_allclose(result.effects[0] - result.effects[0, 0], expected - expected[0], atol=1e-9)
    assert np.ptp(town.effects[0]) == pytest.approx(2)
    # Every row of an interval moves by the same amount, so nothing is uncertain.
    np.testing.assert_allclose(b.standard_errors, 0, atol=1e-12)
    counts = (rows["town"] == town.feature_values[0]).sum(), (rows["town"] == town.feature_values[1]).sum()
    assert town.effects[0] @ np.array(counts) == pytest.approx(0, abs=1e-9)


def test_standard_errors_are_those_of_the_mean_within_an_interval() -> None:
    rows = numbers(60, 2, 3)
    (result,) = accumulated_effects(product, rows, {"x0": "numerical"}, intervals=4)
    points = np.array(result.feature_values)
    for interval in range(4):
        inside = (rows["x0"] <= points[interval + 1]) & ((rows["x0"] > points[interval]) | (interval == 0))
        differences = (points[interval + 1] - points[interval]) * rows["x1"][inside]
        assert result.standard_errors[0, interval] == pytest.approx(differences.std(ddof=1) / np.sqrt(inside.sum()))
    (alone,) = accumulated_effects(product, rows.iloc[:3], {"x0": "numerical"}, intervals=3)
    assert alone.interval_rows == (2, 1)
    assert np.isnan(alone.standard_errors).tolist() == [[False, True]]


def test_levels_are_ordered_by_likeness_or_as_said() -> None:
    rng = np.random.default_rng(1)
    level = rng.permutation(np.repeat(["cold", "mild", "warm", "hot"], 100))
    rows = pd.DataFrame({"level": level})
    rows["degrees"] = rows["level"].map({"cold": 0.0, "mild": 10.0, "warm": 20.0, "hot": 30.0}) + 8 * rng.random(400)
    rows["rain"] = np.where(rng.random(400) < rows["degrees"] / 40, "dry", "wet")
    first, codes = ordered_levels(rows, "level")
    line = rows["level"].iloc[first].tolist()
    assert line in (["cold", "mild", "warm", "hot"], ["hot", "warm", "mild", "cold"])
    assert [line[code] for code in codes] == rows["level"].tolist()
    said = ["warm", "cold", "hot", "mild"]
    assert rows["level"].iloc[ordered_levels(rows, "level", said)[0]].tolist() == said
    category = rows.assign(level=rows["level"].astype(pd.CategoricalDtype(said, ordered=True)))
    assert category["level"].iloc[ordered_levels(category, "level")[0]].tolist() == said
    with pytest.raises(BadData, match=r"order of the levels of 'level' lacks '(hot|mild)'"):
        ordered_levels(rows, "level", said[:2])
    with pytest.raises(BadData, match="repeats one"):
        ordered_levels(rows, "level", [*said, "hot"])


def test_constants_single_rows_and_features_without_values() -> None:
    rows = numbers(5, 1, 1).assign(same=2, gone=np.nan, one="a")
    results = accumulated_effects(
        lambda frame: np.column_stack([frame["x0"], frame["same"]]),
        rows,
        {"same": "numerical", "gone": "numerical", "one": "categorical", "x0": "free_text"},
    )
    same, gone, one, text = results
    assert same.effects.tolist() == one.effects.tolist() == [[0.0], [0.0]]
    assert same.interval_rows == ()
    assert gone.error == "The feature has no value in any row"
    assert text.error == "Accumulated effects are of numerical or categorical features"
    for result in results:
        json.dumps(result.to_json(), allow_nan=False)
    (single,) = accumulated_effects(product, rows[["x0"]].iloc[:1], {"x0": "numerical"})
    assert single.effects.tolist() == [[0.0]]


def test_progress_and_what_is_refused() -> None:
    rows = numbers(5, 2, 1).assign(town="a", far=np.inf)
    seen: list[tuple[int, int]] = []
    accumulated_effects(
        lambda frame: frame["x0"].to_numpy(),
        rows,
        {"x0": "numerical", "town": "categorical"},
        progress=lambda done, total: seen.append((done, total)),
    )
    assert seen == [(1, 2), (2, 2)]
    with pytest.raises(BadData, match="names the column 'x9'"):
        accumulated_effects(product, rows, {"x9": "numerical"})
    with pytest.raises(BadData, match="'town' is said to be numerical"):
        accumulated_effects(product, rows, {"town": "numerical"})
    with pytest.raises(BadData, match="'far' holds infinite values"):
        accumulated_effects(product, rows, {"far": "numerical"})
    with pytest.raises(BadDocument, match="intervals is 0"):
        accumulated_effects(product, rows, {"x0": "numerical"}, intervals=0)
    with pytest.raises(BadModel, match="missing or infinite"):
        accumulated_effects(lambda frame: np.full(len(frame), np.nan), rows, {"x0": "numerical"})

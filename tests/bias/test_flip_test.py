"""The flip test against KNeighborsClassifier row by row, and samples against the whole."""

from __future__ import annotations

import math
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import numba
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.neighbors import KNeighborsClassifier
from threadpoolctl import threadpool_limits

from clarify_ops.bias import neighbours
from clarify_ops.bias.flip_test import FlipCounts, flip_counts
from clarify_ops.bias.neighbours import Electorate, search
from clarify_ops.compiled import compiled

Bools = NDArray[np.bool_]
KINDS = ("float64", "int64", "float32", "uint8", "bool", "bool and int64", "bool and float64", "tenths", "Int64")


def table(rng: np.random.Generator, rows: int, columns: int, levels: int, kind: str) -> pd.DataFrame:
    """Few levels, so that many rows are equal and many more equally far; the last column is sometimes constant."""
    grid = rng.integers(0, levels, (rows, columns))
    grid[:, -1] *= int(rng.integers(0, 2))
    frame = pd.DataFrame(grid, columns=[f"column {one}" for one in range(columns)])
    if kind == "tenths":
        return frame * 0.1 + 0.7
    if " and " not in kind:
        return frame.astype(pd.Int64Dtype() if kind == "Int64" else np.dtype(kind))
    first, rest = kind.split(" and ")
    return frame.astype({name: np.dtype(first if place == 0 else rest) for place, name in enumerate(frame.columns)})


def classifier_votes(features: pd.DataFrame, disadvantaged: Bools, predicted: Bools) -> Bools:
    """The classifier as it comes, on the columns as they came; on one thread, for its ties depend on their number."""
    known = int((~disadvantaged).sum())
    classifier = KNeighborsClassifier(n_neighbors=5 if known > 9 else 1)
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        classifier.fit(features[~disadvantaged], predicted[~disadvantaged])
        return np.asarray(classifier.predict(features[disadvantaged]), dtype=bool)


def our_votes(features: pd.DataFrame, disadvantaged: Bools, predicted: Bools) -> Bools:
    known, asked = np.flatnonzero(~disadvantaged), np.flatnonzero(disadvantaged)
    matrix = np.ascontiguousarray(features.to_numpy(dtype=float))
    electorate = Electorate(features, matrix, known, predicted[known], asked, 5 if len(known) > 9 else 1)
    rows = np.arange(len(asked))
    return search(electorate, rows).votes(rows, sample=False)


def check(features: pd.DataFrame, disadvantaged: Bools, predicted: Bools) -> None:
    expected = classifier_votes(features, disadvantaged, predicted)
    assert (our_votes(features, disadvantaged, predicted) == expected).all()
    own = predicted[disadvantaged]
    found = flip_counts(features, disadvantaged, predicted)
    assert found == FlipCounts(int((own & ~expected).sum()), int((~own & expected).sum()), len(own))


@settings(deadline=None, max_examples=150)
@given(
    known=st.integers(1, 60),
    asked=st.integers(1, 40),
    columns=st.one_of(st.integers(1, 4), st.integers(14, 18)),
    levels=st.integers(2, 5),
    kind=st.sampled_from(KINDS),
    share=st.sampled_from((0.0, 0.1, 0.5, 1.0)),
    searched=st.booleans(),
    seed=st.integers(0, 2**32 - 1),
)
def test_every_row_is_voted_on_as_by_the_classifier(
    known: int, asked: int, columns: int, levels: int, kind: str, share: float, *, searched: bool, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    features = table(rng, known + asked, columns, levels, kind)
    predicted = rng.random(known + asked) < share
    disadvantaged = rng.permutation(np.arange(known + asked) < asked)
    with pytest.MonkeyPatch.context() as patch:
        if searched:
            # As if there were much to ask and the classifier's own search were slow.
            patch.setattr(neighbours, "_LITTLE", -1)
            patch.setattr(neighbours, "_TREE_PRICE", 1e3)
        check(features, disadvantaged, predicted)


@pytest.mark.parametrize("columns", [3, 15, 16])
@pytest.mark.parametrize("known", [9, 10, 11, 12, 3000])
@pytest.mark.parametrize("kind", ["grid", "normal"])
def test_the_sizes_at_which_the_classifier_changes_its_search(columns: int, known: int, kind: str) -> None:
    rng = np.random.default_rng(1)
    rows = known + 1200
    values = rng.integers(0, 2, (rows, columns)).astype(float) if kind == "grid" else rng.normal(size=(rows, columns))
    disadvantaged = np.arange(rows) >= known
    check(pd.DataFrame(values).add_prefix("x"), disadvantaged, values[:, 0] + rng.normal(size=rows) > 0.5)


@pytest.mark.parametrize("searched", [False, True])
@pytest.mark.parametrize(("columns", "scale"), [(4, 1.0), (17, 1.0), (4, 1e-170), (17, 1e6), (4, 1e160)])
def test_floats_of_any_size(columns: int, scale: float, monkeypatch: pytest.MonkeyPatch, *, searched: bool) -> None:
    if searched:
        monkeypatch.setattr(neighbours, "_LITTLE", -1)
        monkeypatch.setattr(neighbours, "_TREE_PRICE", 1e3)
    rng = np.random.default_rng(2)
    values = rng.normal(size=(900, columns)) + 3
    values[::7] = values[3]
    predicted = values @ rng.normal(size=columns) + rng.normal(size=900) > 0
    with np.errstate(over="ignore"):
        check(pd.DataFrame(values * scale).add_prefix("x"), rng.random(900) < 0.4, predicted)


def hard(rows: int = 3000) -> tuple[pd.DataFrame, Bools, Bools]:
    """Predictions that have little to do with the columns, so that there are many flips."""
    rng = np.random.default_rng(3)
    features = pd.DataFrame(rng.normal(size=(rows, 6))).add_prefix("x")
    return features, rng.random(rows) < 0.4, features["x0"].to_numpy() + 2 * rng.normal(size=rows) > 0.8


def test_a_sample_is_unbiased_and_its_error_is_what_it_says() -> None:
    features, disadvantaged, predicted = hard()
    exact = flip_counts(features, disadvantaged, predicted)
    assert (exact.unasked, exact.standard_error, exact.note) == (0, None, "")
    found = [
        flip_counts(features, disadvantaged, predicted, budget=1, rng=np.random.default_rng(seed)) for seed in range(60)
    ]
    values = np.asarray([one.value for one in found])
    errors = np.asarray([one.standard_error for one in found])
    assert {one.sampled for one in found} == {256}
    assert exact.value is not None
    # Four standard errors of the mean of 60; of a standard deviation of 60, one is a tenth.
    assert abs(values.mean() - exact.value) < 4 * errors.mean() / math.sqrt(len(found))
    assert values.std(ddof=1) == pytest.approx(errors.mean(), rel=0.4)
    assert found[0].note.startswith(f"Approximate: estimated from 256 of {exact.rows:,} rows drawn at random, ")


def test_the_same_generator_and_budget_ask_the_same_rows() -> None:
    case = hard()
    once = flip_counts(*case, budget=1)
    assert once == flip_counts(*case, budget=1)
    assert once == flip_counts(*case, budget=1, rng=np.random.default_rng(0))
    other = flip_counts(*case, budget=1, rng=np.random.default_rng(1))
    assert (once.favoured, once.wronged) != (other.favoured, other.wronged)


@pytest.mark.parametrize("searched", [False, True])
def test_a_larger_budget_asks_more_rows_until_all_are(monkeypatch: pytest.MonkeyPatch, *, searched: bool) -> None:
    if searched:
        monkeypatch.setattr(neighbours, "_LITTLE", -1)
    case = hard()
    asked = [flip_counts(*case, budget=10**6 * step).sampled for step in range(1, 80, 4)]
    assert asked == sorted(asked)
    assert asked[0] == 256
    assert asked[-1] == int(case[1].sum())
    assert len(set(asked)) > 2


def test_few_rows_are_never_sampled() -> None:
    features, disadvantaged, predicted = hard(300)
    assert flip_counts(features, disadvantaged, predicted, budget=1) == flip_counts(features, disadvantaged, predicted)


def test_rows_that_are_equal_cost_once() -> None:
    features, disadvantaged, predicted = hard()
    same = features * 0 + 1.0
    assert flip_counts(same, disadvantaged, predicted, budget=10**6).unasked == 0
    assert flip_counts(features, disadvantaged, predicted, budget=10**6).unasked > 0


def test_votes_do_not_depend_on_the_order_or_company_of_those_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(neighbours, "_LITTLE", -1)
    features, disadvantaged, predicted = hard()
    known, asked = np.flatnonzero(~disadvantaged), np.flatnonzero(disadvantaged)
    electorate = Electorate(features, features.to_numpy(copy=True), known, predicted[known], asked, 5)
    way = search(electorate, np.arange(len(asked)))
    every = way.votes(np.arange(len(asked)), sample=False)
    some = np.arange(0, len(asked), 7)
    assert (way.votes(some, sample=False) == every[some]).all()


@pytest.mark.parametrize(
    ("column", "reason"),
    [
        (pd.Series([1, 2, 3], dtype="Int64"), ""),
        (pd.Series([True, False, True], dtype="boolean"), ""),
        (pd.Series([0.5, 1.5, 2.5], dtype="Float64"), ""),
        (pd.Series([1, 2, 3], dtype=object), "FlipTest does not support non-numeric columns"),
        (pd.Series([1, 2, 3], dtype="category"), "FlipTest does not support non-numeric columns"),
        (pd.Series([1, None, 3], dtype="Int64"), "Input X contains NaN."),
        (pd.Series([1, -math.inf, 3]), "Input X contains infinity."),
    ],
)
@pytest.mark.parametrize("copies", [1, 16])
def test_which_columns_can_be_compared(column: pd.Series, reason: str, copies: int) -> None:
    features = pd.DataFrame({f"x{one}": column for one in range(copies)})
    found = flip_counts(features, np.asarray([False, True, True]), np.asarray([True, False, True]))
    assert found == (FlipCounts(reason=reason) if reason else FlipCounts(favoured=0, wronged=1, rows=2))
    assert (found.value, found.standard_error) == (None if reason else -0.5, None)


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_the_classifier_says_the_same_of_bad_numbers(bad: float) -> None:
    features = pd.DataFrame({"x": [1.0, bad]})
    with pytest.raises(ValueError, match="Input X contains") as caught:
        KNeighborsClassifier(n_neighbors=1).fit(features, [True, False])
    found = flip_counts(features, np.asarray([False, True]), np.asarray([True, False]))
    # Of infinity the classifier adds that the number may be too large.
    assert str(caught.value).splitlines()[0].startswith(found.reason.rstrip("."))


def test_the_search_runs_where_nothing_can_be_kept() -> None:
    # numba finds no folder for what it compiles from a function without a file.
    names: dict[str, Any] = {}
    exec("def twice(x):\n    return 2 * x", names)  # noqa: S102
    with pytest.raises(RuntimeError, match="cannot cache"):
        numba.njit(cache=True)(names["twice"])
    assert compiled(names["twice"])(21) == 42


def test_the_benchmark_runs_and_compares(root: Path) -> None:
    command = [sys.executable, "-m", "benchmarks.flip_test", "--rows", "1500", "--repeats", "1"]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True)
    lines = done.stdout.splitlines()[2:]
    assert len(lines) == 5
    assert all(line.endswith("exact") for line in lines)

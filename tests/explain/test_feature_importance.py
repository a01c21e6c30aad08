"""Permutation importance equals the slow loop under the same permutations, and scikit-learn's within its own errors."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as theirs
from sklearn.inspection import permutation_importance as their_importance
from sklearn.linear_model import LogisticRegression

from clarify_ops.errors import BadData, BadDocument, BadModel
from clarify_ops.explain import forced
from clarify_ops.explain.feature_importance import permutation, permutation_importance
from clarify_ops.explain.scores import SCORES, area_under_curve

from .models import Floats, loan, loans, numbers


def likely(frame: pd.DataFrame) -> Floats:
    """A probability that does not use the last feature."""
    x = frame.to_numpy(dtype=np.float64)
    return np.asarray(1 / (1 + np.exp(-(2 * x[:, 0] + x[:, 1] * x[:, 0]))))


def drawn(rows: pd.DataFrame, seed: int = 0) -> np.ndarray:
    return (np.random.default_rng(seed).random(len(rows)) < likely(rows)).astype(int)


def slow_loss(
    model: Any, rows: pd.DataFrame, places: list[int], repeat: int, seed: int, value: Any, *, larger: bool
) -> float:
    """A row and a feature at a time."""
    dealt = permutation(seed, places, repeat, len(rows))
    changed = rows.copy()
    for place in places:
        changed[rows.columns[place]] = rows.iloc[:, place].take(dealt).array
    one_by_one = np.concatenate([np.atleast_1d(model(changed.iloc[[row]])) for row in range(len(rows))])
    before = np.concatenate([np.atleast_1d(model(rows.iloc[[row]])) for row in range(len(rows))])
    return float(value(before) - value(one_by_one)) * (1 if larger else -1)


@pytest.mark.parametrize(
    ("metric", "value"),
    [
        ("auc", theirs.roc_auc_score),
        ("log_loss", theirs.log_loss),
        ("accuracy", lambda y, s, sample_weight: theirs.accuracy_score(y, s >= 0.5, sample_weight=sample_weight)),
        ("r2", theirs.r2_score),
        ("mse", theirs.mean_squared_error),
        ("mae", theirs.mean_absolute_error),
    ],
)
@pytest.mark.parametrize("weighted", [False, True])
def test_equals_the_loop_under_the_same_permutations(metric: str, value: Any, weighted: bool) -> None:  # noqa: FBT001
    rows = numbers(40, 3, 1)
    labels = drawn(rows)
    weights = np.random.default_rng(2).random(40) if weighted else None
    found = permutation_importance(likely, rows, labels, metric=metric, weights=weights, repeats=3, seed=7)
    for place in range(3):
        for repeat in range(3):
            expected = slow_loss(
                likely,
                rows,
                [place],
                repeat,
                7,
                lambda scores: value(labels, scores, sample_weight=weights),
                larger=SCORES[metric].larger_is_better,
            )
            assert found.losses[place, repeat] == pytest.approx(expected, abs=1e-12)
    assert found.importances[2] == 0
    assert found.ranked()[0] == "x0"


def test_mixed_columns_with_gaps_and_groups_equal_the_loop() -> None:
    rows = loans(30, 4)
    labels = loan(rows)[:, 0] > 0.6
    model = lambda frame: loan(frame)[:, 0]  # noqa: E731
    groups = {"place": ["town", "grade"], "income": ["income"]}
    found = permutation_importance(model, rows, labels, metric="mse", groups=groups, repeats=2, seed=3)
    value = lambda scores: theirs.mean_squared_error(labels, scores)  # noqa: E731
    for name, places in (("place", [0, 1]), ("income", [2])):
        for repeat in range(2):
            expected = slow_loss(model, rows, places, repeat, 3, value, larger=False)
            assert found.losses[found.features.index(name), repeat] == pytest.approx(expected, abs=1e-12)
    alone = permutation_importance(model, rows, labels, metric="mse", features=["income"], repeats=2, seed=3)
    assert alone.losses.tolist() == found.losses[1:].tolist()


def test_batches_and_memory_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = loans(50, 5)
    labels = loan(rows)[:, 0] > 0.5
    asked = {"metric": "log_loss", "repeats": 3, "seed": 1}
    whole = permutation_importance(loan, rows, ~labels, **asked)  # type: ignore[arg-type]
    assert permutation_importance(loan, rows, ~labels, batch_rows=7, **asked).losses.tolist() == whole.losses.tolist()  # type: ignore[arg-type]
    monkeypatch.setattr(forced, "HELD_ROWS", 100)
    assert permutation_importance(loan, rows, ~labels, **asked).losses.tolist() == whole.losses.tolist()  # type: ignore[arg-type]


def test_agrees_with_scikit_learn_within_the_standard_errors() -> None:
    rows = numbers(600, 3, 2)
    labels = drawn(rows)
    fitted = LogisticRegression().fit(rows, labels)
    found = permutation_importance(
        lambda frame: fitted.predict_proba(frame)[:, 1], rows, labels, metric="auc", repeats=30, seed=0
    )
    other = their_importance(fitted, rows, labels, scoring="roc_auc", n_repeats=30, random_state=0)
    error = np.sqrt(found.standard_errors**2 + other["importances"].var(axis=1, ddof=1) / 30)
    assert (np.abs(found.importances - other["importances_mean"]) < 5 * error).all()
    interval = found.interval("x0")
    assert interval is not None
    assert interval.low < found.importances[0] < interval.high


def test_rows_dealt_their_own_value_are_not_asked_about_again() -> None:
    rows = numbers(100, 2, 1).assign(flag=np.arange(100) % 2 == 0, same=3.0)
    asked: list[int] = []

    def model(frame: pd.DataFrame) -> Floats:
        asked.append(len(frame))
        return likely(frame)

    found = permutation_importance(model, rows, drawn(rows), repeats=4, seed=2)
    dealt = [permutation(2, [place], repeat, 100) for place in range(4) for repeat in range(4)]
    moved = sum(
        int((rows.iloc[:, number // 4].to_numpy() != rows.iloc[one, number // 4].to_numpy()).sum())
        for number, one in enumerate(dealt)
    )
    assert sum(asked) == 100 + moved == found.prediction_rows
    assert found.prediction_calls == len(asked) == 2
    assert found.losses[found.features.index("same")].tolist() == [0.0] * 4


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(st.integers(0, 4), st.booleans(), st.integers(0, 3)), min_size=1, max_size=30))
def test_auc_is_the_share_of_pairs_in_the_right_order(rows: list[tuple[int, bool, int]]) -> None:
    score = np.array([[float(one)] for one, _, _ in rows])
    truth = np.array([int(positive) for _, positive, _ in rows])
    weights = np.array([float(weight) for _, _, weight in rows])
    for given_weights, used in ((None, np.ones(len(rows))), (weights, weights)):
        won = total = 0.0
        for i in np.flatnonzero(truth == 1):
            for j in np.flatnonzero(truth == 0):
                total += used[i] * used[j]
                won += used[i] * used[j] * (1.0 if score[i] > score[j] else 0.5 if score[i] == score[j] else 0.0)
        expected = won / total if total else None
        assert area_under_curve(truth, score, given_weights) == (None if expected is None else pytest.approx(expected))


def shares(frame: pd.DataFrame) -> Floats:
    odds = np.exp(frame.to_numpy() @ np.array([[1, 0, -1], [0, 2, 0]]))
    return np.asarray(odds / odds.sum(axis=1, keepdims=True))


def test_several_classes_by_name_and_functions_of_the_user() -> None:
    rows = numbers(60, 2, 3)
    names = np.array(["red", "green", "blue"])
    labels = names[shares(rows).argmax(axis=1)]
    for metric in ("accuracy", "log_loss"):
        found = permutation_importance(shares, rows, labels, metric=metric, classes=names.tolist(), seed=0)
        assert (found.importances > 0).all()
        if metric == "accuracy":
            assert found.baseline == 1
    custom = permutation_importance(
        shares,
        rows,
        labels,
        metric=lambda truth, scores, weights: float((names[scores.argmax(axis=1)] == truth).mean()),  # noqa: ARG005
        seed=0,
    )
    by_name = permutation_importance(shares, rows, labels, metric="accuracy", classes=names.tolist(), seed=0)
    np.testing.assert_allclose(custom.losses, by_name.losses, atol=1e-12)


def test_cohorts_cost_no_prediction_and_equal_the_metric_on_their_rows() -> None:
    rows = numbers(80, 3, 6)
    labels = drawn(rows)
    high = rows["x2"].to_numpy() > 0
    whole = permutation_importance(likely, rows, labels, seed=1)
    found = permutation_importance(likely, rows, labels, seed=1, cohorts={"high": high, "none": np.zeros(80, bool)})
    assert found.prediction_rows == whole.prediction_rows
    assert found.losses.tolist() == whole.losses.tolist()
    cohort = found.cohorts["high"]
    assert cohort.rows == high.sum()
    assert cohort.baseline == pytest.approx(theirs.roc_auc_score(labels[high], likely(rows)[high]))
    shuffled = rows.assign(x0=rows["x0"].to_numpy()[permutation(1, [0], 0, 80)])
    expected = cohort.baseline - theirs.roc_auc_score(labels[high], likely(shuffled)[high])
    assert cohort.losses[0, 0] == pytest.approx(expected)
    assert found.cohorts["none"].baseline is None
    assert found.cohorts["none"].reason == "The cohort has no rows."


def test_an_undefined_metric_has_a_reason_and_no_number() -> None:
    rows = numbers(10, 2, 1)
    found = permutation_importance(likely, rows, np.ones(10), seed=0)
    assert found.baseline is None
    assert found.reason == "Only one of the two classes has rows."
    assert found.interval("x0") is None
    document = json.loads(json.dumps(found.to_json(), allow_nan=False))
    assert document["importances"] == [None, None]
    assert permutation_importance(likely, rows, np.ones(10), metric="r2", seed=0).reason == "All labels are equal."
    assert permutation_importance(lambda x: x["x0"], rows, drawn(rows), metric="log_loss", seed=0).baseline is None  # type: ignore[arg-type, return-value]


def test_one_row_loses_nothing_and_one_repeat_has_no_error() -> None:
    found = permutation_importance(likely, numbers(1, 2, 1), [1], metric="log_loss", repeats=1, seed=0)
    assert found.losses.tolist() == [[0.0], [0.0]]
    assert np.isnan(found.standard_errors).all()
    assert math.isfinite(found.baseline or math.nan)


def test_what_is_refused() -> None:
    rows = numbers(6, 2, 1)
    labels = [0, 1, 0, 1, 0, 1]
    with pytest.raises(BadData, match=r"labels are of shape \(5,\), and there are 6 rows"):
        permutation_importance(likely, rows, labels[:5], seed=0)
    with pytest.raises(BadData, match="label 'no' is none of the classes 0, 1"):
        permutation_importance(likely, rows, ["no", "yes"] * 3, seed=0)
    with pytest.raises(BadData, match="2 labels are missing or infinite"):
        permutation_importance(likely, rows, [0, 1, np.nan, np.inf, 1, 1], metric="mse", seed=0)
    with pytest.raises(BadDocument, match=r"no metric 'acurracy'.*accuracy"):
        permutation_importance(likely, rows, labels, metric="acurracy", seed=0)
    with pytest.raises(BadDocument, match="repeats is 0"):
        permutation_importance(likely, rows, labels, repeats=0, seed=0)
    with pytest.raises(BadData, match="names the column 'x9'"):
        permutation_importance(likely, rows, labels, features=["x9"], seed=0)
    with pytest.raises(BadDocument, match="smaller is better"):
        permutation_importance(likely, rows, labels, metric="mse", larger_is_better=True, seed=0)
    with pytest.raises(BadModel, match="missing or infinite for 6 of 6 rows"):
        permutation_importance(lambda x: np.full(len(x), np.nan), rows, labels, seed=0)
    with pytest.raises(BadModel, match="3 outputs, and auc is of two classes"):
        permutation_importance(lambda x: np.ones((len(x), 3)), rows, labels, seed=0)
    with pytest.raises(BadData, match="There are no rows"):
        permutation_importance(likely, rows.iloc[:0], [], seed=0)
    with pytest.raises(BadData, match="weights must be finite"):
        permutation_importance(likely, rows, labels, weights=[-1, 1, 1, 1, 1, 1], seed=0)
    with pytest.raises(BadData, match="'high' does not say True or False"):
        permutation_importance(likely, rows, labels, cohorts={"high": labels}, seed=0)

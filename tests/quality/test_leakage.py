"""Columns that give an outcome away are found; honest ones are not."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from clarify_ops.quality.leakage import LEAKING, Leak, find_leaks, single_feature_auc

ROWS = 600
Bools = NDArray[np.bool_]


@pytest.fixture
def approve() -> Bools:
    return np.random.default_rng(0).random(ROWS) < 0.8


def aucs(frame: pd.DataFrame, truth: Bools) -> dict[str, float]:
    return {str(name): single_feature_auc(frame[name], truth) for name in frame.columns}


def test_copies_in_every_disguise_are_found(approve: Bools) -> None:
    rng = np.random.default_rng(1)
    frame = pd.DataFrame(
        {
            "copy": approve.astype(int),
            "inverted": 1 - approve.astype(int),
            "truth": approve,
            "text": np.where(approve, "yes", "no"),
            # The trap of the mortgage data: 1 and 2 are approved, 3 is refused.
            "action": np.where(approve, rng.choice([1, 2], ROWS), 3),
            "middle": np.where(approve, rng.choice([1, 3], ROWS), 2),
            "scaled": 7.5 - 3 * approve + rng.uniform(0, 1, ROWS),
            "missing where refused": np.where(approve, 1.0, np.nan),
            "text missing where approved": pd.Series(["reason"] * ROWS).mask(approve),
        }
    )
    assert aucs(frame, approve) == dict.fromkeys(frame.columns, 1.0)
    assert find_leaks(frame, {"the label": approve}) == tuple(Leak(name, "the label", 1.0) for name in frame.columns)


def test_nearly_a_copy_is_found_and_its_strength_told(approve: Bools) -> None:
    spoilt = approve.copy()
    spoilt[:2] = ~spoilt[:2]
    frame = pd.DataFrame({"nearly": spoilt.astype(int), "exactly": approve.astype(int)})
    found = find_leaks(frame, {"the label": approve})
    assert [leak.feature for leak in found] == ["exactly", "nearly"]
    assert found[1].auc == pytest.approx(roc_auc_score(approve, spoilt))
    assert LEAKING <= found[1].auc < 1


def test_honest_columns_are_left_alone(approve: Bools) -> None:
    rng = np.random.default_rng(2)
    frame = pd.DataFrame(
        {
            "noise": rng.normal(size=ROWS),
            "strong": approve + rng.normal(size=ROWS),
            "codes": rng.integers(0, 20, ROWS),
            "name": [f"person {i}" for i in range(ROWS)],
            "number": np.arange(ROWS),
            "constant": 1,
            "same word": "x",
            "nothing": np.full(ROWS, np.nan),
            "sometimes": np.where(rng.random(ROWS) < 0.3, np.nan, rng.normal(size=ROWS)),
        }
    )
    assert find_leaks(frame, {"the label": approve}) == ()
    found = aucs(frame, approve)
    assert found["constant"] == found["same word"] == found["nothing"] == found["name"] == 0.5
    assert 0.7 < found["strong"] < 0.95
    assert max(found[name] for name in ("noise", "codes", "number", "sometimes")) < 0.7


def test_a_stand_in_for_a_facet_is_found() -> None:
    race = np.random.default_rng(3).choice(["white", "black", "hispan"], ROWS, p=[0.8, 0.15, 0.05])
    frame = pd.DataFrame({"white": (race == "white").astype(int), "income": np.random.default_rng(4).normal(size=ROWS)})
    outcomes = {"the facet nonwhite": race != "white", "the facet black": race == "black"}
    # That somebody is not white says that he is black or Hispanic, and leaves open which.
    assert find_leaks(frame, outcomes) == (Leak("white", "the facet nonwhite", 1.0),)
    assert [leak.outcome for leak in find_leaks(frame, outcomes, threshold=0.9)] == [
        "the facet black",
        "the facet nonwhite",
    ]


@pytest.mark.parametrize("truth", [np.ones(5, dtype=bool), np.zeros(5, dtype=bool)])
def test_a_constant_outcome_cannot_leak(truth: Bools) -> None:
    assert single_feature_auc(pd.Series([1, 0, 1, 0, 1]), truth) == 0.5


@settings(deadline=None)
@given(st.lists(st.tuples(st.floats(-5, 5), st.booleans()), min_size=2, max_size=30))
def test_the_auc_is_scikit_learns_in_its_better_direction(rows: list[tuple[float, bool]]) -> None:
    numbers, truth = np.asarray([row[0] for row in rows]), np.asarray([row[1] for row in rows])
    found = single_feature_auc(pd.Series(numbers), truth)
    assert 0.5 <= found <= 1
    if truth.any() and not truth.all() and len(set(numbers)) > max(2, int(np.sqrt(len(rows)))):
        ranked = roc_auc_score(truth, numbers)
        assert found == pytest.approx(max(ranked, 1 - ranked), abs=1e-12)

"""Missing, repeated and contradictory rows, against slow and obvious ways to find them."""

from __future__ import annotations

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from clarify_ops.quality.rows import contradicted, equal_rows, row_checks, seen_in_training

VALUES = st.tuples(
    st.sampled_from([0.0, 1.5, None]), st.sampled_from(["x", "y", None]), st.booleans(), st.integers(-1, 2)
)


def rounds(fold: NDArray[np.int64]) -> list[tuple[NDArray[np.bool_], NDArray[np.bool_]]]:
    return [(fold != number, fold == number) for number in range(3)]


@settings(deadline=None, max_examples=60)
@given(st.lists(VALUES, min_size=1, max_size=30))
def test_they_are_what_looking_at_every_pair_finds(rows: list[tuple[float | None, str | None, bool, int]]) -> None:
    frame = pd.DataFrame([row[:2] for row in rows], columns=["number", "text"])
    positive = np.asarray([row[2] for row in rows])
    fold = np.asarray([row[3] for row in rows])
    kind = equal_rows(frame)
    seen, against = seen_in_training(kind, positive, rounds(fold)), contradicted(kind, positive)
    for i, (*one, label, own) in enumerate(rows):
        alike = [j for j, (*other, _, _) in enumerate(rows) if one == other]
        assert [j for j in range(len(rows)) if kind[j] == kind[i]] == alike
        assert against[i] == any(rows[j][2] != label for j in alike)
        assert seen[i] == (own >= 0 and any(rows[j][2] == label and rows[j][3] != own for j in alike))


def test_every_check_is_a_plain_fact_of_its_rows() -> None:
    frame = pd.DataFrame({"a": [1.0, 1.0, None, 2.0], "b": ["x", "x", "y", "z"]})
    positive = np.asarray([True, False, True, True])
    fold = np.asarray([0, -1, 0, -1])
    label = pd.Series([1, 0, 1, None])
    found = {one.metric: one for one in row_checks(frame, label, positive, [(fold != 0, fold == 0)])}
    assert all(one.exact and one.stage == "data" for one in found.values())
    assert {name: one.value for name, one in found.items()} == {
        "missing_share:a": 0.25,
        "missing_share:b": 0.0,
        "worst_missing_share": 0.25,
        "missing_labels": 1.0,
        "seen_share": 0.0,
        "contradicted_share": 0.5,
    }
    assert found["seen_share"].groups == {"all": 2}
    found = {one.metric: one for one in row_checks(frame, label, ~(fold == 9), [(fold != 0, fold == 0)])}
    assert found["seen_share"].value == 0.5


def test_many_columns_of_many_values_do_not_overflow() -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.random((2000, 30)))
    twice = pd.concat([frame, frame], ignore_index=True)
    assert equal_rows(twice).tolist() == [*range(2000), *range(2000)]
    assert equal_rows(pd.DataFrame(index=range(3))).tolist() == [0, 0, 0]


def test_without_rows_there_is_no_share() -> None:
    frame = pd.DataFrame({"a": np.zeros(0)})
    found = row_checks(frame, pd.Series(np.ones(0)), np.ones(0, dtype=bool), [])
    assert {one.metric: one.reason for one in found} == dict.fromkeys(
        ("missing_share:a", "worst_missing_share", "seen_share", "contradicted_share"), "There are no rows."
    ) | {"missing_labels": ""}

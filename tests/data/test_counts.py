"""One pass over the rows: the joint table is pandas' own, and nothing vanishes from it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from clarify_ops.config.analysis import Facet
from clarify_ops.data.counts import ADVANTAGED, DISADVANTAGED, Counts, count
from clarify_ops.errors import BadData

facet = Facet(name_or_index="sex", value_or_threshold=("f",))
by_value = Facet(name_or_index="region")


def people(rows: int, seed: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "sex": rng.choice(np.asarray(["f", "m", None], dtype=object), rows),
            "region": rng.choice(np.asarray(["north", "south", "west", None], dtype=object), rows),
            "group": rng.choice(np.asarray([3.0, 1.0, np.nan]), rows),
            "label": rng.random(rows) < 0.6,
            "predicted": rng.random(rows) < 0.5,
        }
    )


@settings(deadline=None, max_examples=50)
@given(rows=st.integers(1, 60), seed=st.integers(0, 2**32 - 1))
def test_the_table_is_a_groupby(rows: int, seed: int) -> None:
    frame = people(rows, seed)
    table = count(
        frame,
        facets=[facet, by_value],
        label=frame["label"].to_numpy(),
        predicted=frame["predicted"].to_numpy(),
        group="group",
        kinds={"sex": "categorical", "region": "categorical"},
    )
    assert table.rows.sum() == rows
    assert len(np.unique(table.codes, axis=0)) == len(table.codes)
    assert table.groups == tuple(str(one) for one in sorted(frame["group"].dropna().unique()))
    for entry in table.entries:
        member = frame["region"].isna() if entry.missing else frame[entry.facet] == entry.value
        counts = table.split(entry)
        tally = frame.groupby([member.rename("d"), "label", "predicted"]).size()
        expected = np.zeros((2, 2, 2))
        for *place, number in tally.reset_index().astype(int).itertuples(index=False):
            expected[tuple(place)] = number
        np.testing.assert_array_equal(counts.total, expected)
        if counts.by_group is None:
            assert frame["group"].isna().all()
            continue
        for group, cells in zip(table.groups, counts.by_group, strict=True):
            inside = frame["group"] == float(group)
            assert cells.sum() == inside.sum()
            assert cells[DISADVANTAGED, 1].sum() == (inside & member & frame["label"]).sum()


def test_missing_values_are_counted_and_belong_to_nobody() -> None:
    frame = pd.DataFrame({"sex": ["f", None, "m", "f"], "group": ["x", "y", None, None]})
    table = count(frame, facets=[facet], label=np.asarray([True, True, False, False]), group="group")
    assert table.missing == {"sex": 1}
    counts = table.split(table.entries[0])
    assert counts.n(ADVANTAGED) == counts.n(DISADVANTAGED) == 2
    assert counts.by_group is not None
    # Rows without a group are in the total, and in no group.
    assert (counts.total.sum(), counts.by_group.sum()) == (4, 2)


def test_each_value_is_an_entry_in_order_of_appearance() -> None:
    frame = pd.DataFrame({"region": ["west", None, "east", "west"]})
    table = count(frame, facets=[by_value], label=np.ones(4, dtype=bool), kinds={"region": "categorical"})
    assert [(one.value, one.missing) for one in table.entries] == [("west", False), ("nan", True), ("east", False)]
    assert [table.split(one).n(DISADVANTAGED) for one in table.entries] == [2, 1, 1]
    assert not table.predicted
    assert table.split(table.entries[0]).predictions(DISADVANTAGED, 1) == 0


def test_facets_may_be_named_by_index() -> None:
    frame = pd.DataFrame({"age": [20.0, 50.0], "sex": ["f", "m"]})
    table = count(frame, facets=[Facet(name_or_index=1, value_or_threshold=("f",))], label=np.ones(2, dtype=bool))
    assert (table.facets, table.entries[0].facet, table.entries[0].value) == (("sex",), "sex", "f")
    for index in (2, -1):
        with pytest.raises(BadData, match=f"names column {index}, but the data have 2 columns, numbered from 0"):
            count(frame, facets=[Facet(name_or_index=index)], label=np.ones(2, dtype=bool))
    with pytest.raises(BadData, match=r'analysis.facet names the column \'sexx\'.*Did you mean "sex"'):
        count(frame, facets=[Facet(name_or_index="sexx")], label=np.ones(2, dtype=bool))


def test_a_continuous_facet_needs_a_threshold_or_another_kind() -> None:
    frame = pd.DataFrame({"age": [20.0, 50.0]})
    facets = [Facet(name_or_index="age")]
    with pytest.raises(
        BadData, match=r"Threshold values must be .* 'age' .* set clarify_ops.kinds: \{\"age\": \"categorical\"\}"
    ):
        count(frame, facets=facets, label=np.ones(2, dtype=bool))
    table = count(frame, facets=facets, label=np.ones(2, dtype=bool), kinds={"age": "categorical"})
    assert [entry.value for entry in table.entries] == ["20.0", "50.0"]


def test_one_facet_may_be_asked_about_twice() -> None:
    frame = pd.DataFrame({"age": [10.0, 20.0, 30.0, 40.0, 50.0]})
    facets = [Facet(name_or_index="age", value_or_threshold=(bound,)) for bound in (15, 35)]
    table = count(frame, facets=facets, label=np.ones(5, dtype=bool))
    assert [(one.value, int(table.split(one).n(DISADVANTAGED))) for one in table.entries] == [
        ("(15.0, 50.0]", 4),
        ("(35.0, 50.0]", 2),
    ]


def test_more_combinations_than_a_number_can_hold() -> None:
    """Fourteen facets of 50 values each: 50^14 is beyond 2^63."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({f"f{i}": rng.permutation(50).astype(str) for i in range(14)}) + "x"
    table = count(frame, facets=[Facet(name_or_index=name) for name in frame.columns], label=np.arange(50) < 20)
    assert table.rows.sum() == 50
    assert len(table.entries) == 14 * 50
    assert {int(table.split(entry).n(DISADVANTAGED)) for entry in table.entries} == {1}


@settings(deadline=None)
@given(arrays(np.int64, (2, 2, 2), elements=st.integers(0, 50)))
def test_counts_answer_by_side_label_and_prediction(cells: np.ndarray[tuple[int, ...], np.dtype[np.int64]]) -> None:
    sides = [tuple(int(cells[side][place]) for place in ((1, 1), (0, 1), (1, 0), (0, 0))) for side in (0, 1)]
    counts = Counts.of(*((tp, fp, fn, tn) for tp, fp, fn, tn in sides))
    np.testing.assert_array_equal(counts.total, cells)
    for side, (tp, fp, fn, tn) in enumerate(sides):
        assert counts.n(side) == tp + fp + fn + tn
        assert [int(counts.labels(side, one)) for one in (0, 1)] == [fp + tn, tp + fn]
        assert [int(counts.predictions(side, one)) for one in (0, 1)] == [fn + tn, tp + fp]
        assert counts.cell(side, 0, 1) == fp

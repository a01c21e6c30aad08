"""A dataset counted by Clarify's rules: the same as going through its rows one by one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clarify_ops.config.analysis import AnalysisConfig
from clarify_ops.data.tally import Tally, tally_frame
from clarify_ops.errors import BadData

from . import tally_oracle as oracle
from .tally_oracle import Entry


def config(**given: Any) -> AnalysisConfig:
    return AnalysisConfig.model_validate(
        {"dataset_type": "text/csv", "label_values_or_threshold": [1], "methods": {}, **given}
    )


def tally(frame: pd.DataFrame, analysis: AnalysisConfig, **given: Any) -> Tally:
    named = {"label": "label", "group": None, "predicted_label": None, **given}
    facets = [str(one.name_or_index) for one in analysis.facet or ()]
    segments = [str(one.name_or_index) for one in analysis.segment_config or ()]
    combined = [tuple(map(str, one)) for one in analysis.clarify_ops.intersections]
    return tally_frame(frame, config=analysis, facets=facets, segments=segments, intersections=combined, **named)


# Type, possible values, and what a configuration may ask about them.
COLUMNS: dict[str, tuple[str, list[Any], list[list[Any] | None]]] = {
    "text": ("str", ["a", "b", "c", None], [None, ["a"], ["a", "c"], ["x"], [1]]),
    "objects": ("object", ["a", 1, 2.5, True, None], [None, ["a"], [1], ["1", "a"]]),
    "category": ("category", ["a", "b", None], [None, ["b"], ["a", "b"]]),
    "digits": ("str", ["1", "2", "10"], [None, [1], [2, 10], ["2"], [50]]),
    "gaps": ("str", ["1", "2", None], [None, ["1"], [2]]),
    "whole": ("int64", [0, 1, 2, -3], [None, [1], ["1"], ["1.0"], [0, 2], [2], [3], [0.5], ["x", "y"]]),
    "known": ("Int64", [0, 1, 2, None], [None, [1], [0, 2]]),
    "float": ("float64", [0.0, 1.0, 2.5, None], [None, [1], [0.5], [1.0, 2.5], ["1"], [2.5], [7]]),
    "bool": ("bool", [True, False], [None, [1], [0], [2], ["True"], ["no"], [0, 1]]),
    "boolean": ("boolean", [True, False, None], [None, [1], ["False"]]),
}
# Labels, whose prediction is of one type with them.
LABELS = ("text", "digits", "whole", "known", "float", "bool", "category")


@st.composite
def datasets(draw: st.DrawFn) -> tuple[pd.DataFrame, AnalysisConfig]:
    # Up to 90 rows, so that the border of uniqueness is crossed in both directions.
    rows = draw(st.integers(1, 90))
    seed = draw(st.integers(0, 2**32 - 1))
    rng = np.random.default_rng(seed)
    label = draw(st.sampled_from(LABELS))
    columns = {name: series(name, rng.integers(len(values), size=rows)) for name, (_, values, _) in COLUMNS.items()}
    columns["label"] = series(label, rng.integers(len(COLUMNS[label][1]), size=rows)).rename("label")
    columns["predicted"] = series(label, rng.integers(len(COLUMNS[label][1]), size=rows)).rename("predicted")
    facets = draw(st.lists(st.sampled_from(sorted(COLUMNS)), max_size=4))
    drawn = [(one, draw(st.sampled_from(COLUMNS[one][2]))) for one in facets]
    asked = [
        {"name_or_index": one} if values is None else {"name_or_index": one, "value_or_threshold": values}
        for one, values in drawn
    ]
    positive = draw(st.sampled_from([one for one in COLUMNS[label][2] if one]))
    frame = pd.DataFrame(columns)
    frame.index = rng.permutation(rows)
    return frame, config(label="label", label_values_or_threshold=positive, facet=asked)


def series(name: str, places: np.ndarray[Any, Any]) -> pd.Series:
    dtype, values, _ = COLUMNS[name]
    return pd.Series([values[place] for place in places], dtype=dtype, name=name)


@settings(deadline=None, max_examples=300)
@given(datasets(), st.sampled_from([None, "text", "float"]))
def test_counts_are_those_of_going_through_the_rows(
    dataset: tuple[pd.DataFrame, AnalysisConfig], group: str | None
) -> None:
    frame, analysis = dataset
    expected = oracle.expected(frame, analysis)
    if isinstance(expected, str):
        with pytest.raises(BadData) as caught:
            tally(frame, analysis, group=group, predicted_label="predicted")
        assert (caught.value.message, bool(caught.value.hint)) == (expected, True)
        return
    found = tally(frame, analysis, group=group, predicted_label="predicted")
    assert (found.positive, found.shared_positive) == (expected.positive, expected.shared)
    assert (found.rows, found.columns) == frame.shape
    compare(found, frame, expected.entries, expected.label, expected.predicted, group)
    looked_at = {"label", "predicted", *found.table.facets, *([group] if group else [])}
    assert found.missing == {name: int(frame[name].isna().sum()) for name in looked_at if frame[name].isna().any()}
    for name, note in found.kinds.items():
        rows = [value for value in oracle.rows_of(frame[name]) if value is not None]
        assert (note.type, note.present, note.by_hand) == (str(frame[name].dtype), len(rows), False)
        assert note.distinct == sum(value not in rows[:i] for i, value in enumerate(rows))
    asked = {one.name_or_index: one.value_or_threshold for one in reversed(analysis.facet or ())}
    for name in found.table.facets:
        assert found.kinds[name].kind == oracle.kind_of(frame[name], asked[name])


def compare(
    found: Tally,
    frame: pd.DataFrame,
    entries: Sequence[Entry],
    label: Sequence[bool],
    predicted: Sequence[bool],
    group: str | None,
) -> None:
    assert [(one.facet, one.value) for one in found.table.entries] == [(one.facet, one.value) for one in entries]
    groups = [] if group is None else oracle.rows_of(frame[group])
    known = sorted({value for value in groups if value is not None})
    assert found.table.groups == tuple(map(str, known))
    for one, expected in zip(found.table.entries, entries, strict=True):
        counts = found.table.split(one)
        np.testing.assert_array_equal(counts.total, oracle.cells(expected.members, label, predicted))
        if counts.by_group is None:
            assert known == []
            continue
        for value, part in zip(known, counts.by_group, strict=True):
            inside = [other == value for other in groups]
            np.testing.assert_array_equal(part, oracle.cells(expected.members, label, predicted, inside))


BOUNDS = ("[0, 1]", "(1, 2.5)", "(4, inf)")
BETWEEN = (lambda x: 0 <= x <= 1, lambda x: 1 < x < 2.5, lambda x: x > 4)


@st.composite
def people(draw: st.DrawFn) -> pd.DataFrame:
    # Three labels are categorical in more than 60 rows alone.
    rows = draw(st.integers(61, 90))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))

    def choice(*values: Any) -> pd.Series:
        return pd.Series([values[i] for i in rng.integers(len(values), size=rows)])

    return pd.DataFrame(
        {
            "sex": choice("f", "m", None),
            "race": choice("a", "b", "c", "d"),
            "age": choice(17.0, 40.0, 75.0, 30.0, np.nan),
            "score": choice(0.0, 1.0, 2.0, 2.5, 5.0, None),
            "label": choice(0, 1, 2),
            "predicted": choice(0, 1, 2),
        }
    )


@settings(deadline=None, max_examples=60)
@given(people())
def test_intersections_and_segments_are_those_of_going_through_the_rows(frame: pd.DataFrame) -> None:
    analysis = config(
        facet=[{"name_or_index": "age", "value_or_threshold": [40]}],
        segment_config=[
            {"name_or_index": "race", "segments": [["a"], ["c", "x"]], "display_aliases": ["A", "others"]},
            {"name_or_index": "score", "segments": [[BOUNDS[0]], [BOUNDS[1], BOUNDS[2]]], "config_name": "bands"},
        ],
        clarify_ops={"intersections": [["sex", "race"], ["age", "sex"]]},
    )
    found = tally(frame, analysis, predicted_label="predicted", group="race")
    ages = [None if pd.isna(age) else "(40.0, 75.0]" if age > 40 else "[17.0, 40.0]" for age in frame["age"]]
    texts = {"sex": oracle.rows_of(frame["sex"]), "race": list(frame["race"]), "age": ages}
    label, predicted = (list(frame[name] == 1) for name in ("label", "predicted"))
    entries = oracle.facet_entries(frame["age"], [40])
    for one, other in (("sex", "race"), ("age", "sex")):
        combined, missing, empty = oracle.combinations([texts[one], texts[other]])
        name = f"{one} & {other}"
        entries.extend(Entry(name, entry.value, entry.members) for entry in combined)
        assert (found.table.missing[name], found.table.empty_combinations[name]) == (missing, empty)
    assert found.table.intersections == ("sex & race", "age & sex")
    compare(found, frame, entries, label, predicted, "race")
    places = {
        "label": (("0", "1", "2"), list(frame["label"])),
        "predicted_label": (("0", "1", "2"), list(frame["predicted"])),
        "segment:race": (
            ("A", "others", "__default__"),
            oracle.segment(texts["race"], [lambda x: x == "a", lambda x: x in {"c", "x"}]),
        ),
        "segment:bands": (
            (BOUNDS[0], f"{BOUNDS[1]},{BOUNDS[2]}", "__default__"),
            oracle.segment(oracle.rows_of(frame["score"]), [BETWEEN[0], lambda x: BETWEEN[1](x) or BETWEEN[2](x)]),
        ),
    }
    assert [axis.name for axis in found.table.axes] == list(places)
    for axis in found.table.axes:
        values, codes = places[axis.name]
        assert axis.values == values
        for code in (-1, *range(len(values))):
            inside = [other == code for other in codes]
            table = found.table.where(axis, code)
            assert table.rows.sum() == sum(inside)
            for entry, expected in zip(table.entries, entries, strict=True):
                np.testing.assert_array_equal(
                    table.split(entry).total, oracle.cells(expected.members, label, predicted, inside)
                )


def scores(rows: int = 100) -> pd.DataFrame:
    rng = np.random.default_rng(1)
    return pd.DataFrame(
        {"sex": rng.choice(["f", "m"], rows), "label": rng.integers(0, 2, rows), "score": rng.random(rows).round(2)}
    )


SEX = [{"name_or_index": "sex", "value_or_threshold": ["f"]}]


def test_scores_become_labels_by_a_threshold_that_is_given() -> None:
    frame = scores()
    frame.loc[0, "score"] = 0.8
    frame.loc[1, "score"] = np.nan
    found = tally(frame, config(facet=SEX, probability_threshold=0.8), predicted_label="score")
    assert (found.thresholded, found.kinds["score"].kind, found.kinds["score"].type) == (True, "categorical", "int64")
    assert found.missing == {"score": 1}
    counts = found.table.split(found.table.entries[0])
    assert counts.predictions(0, 1) + counts.predictions(1, 1) == (frame["score"] > 0.8).sum() < len(frame)
    with pytest.raises(BadData, match=r"series datatype is not the same .* are scores, set probability_threshold"):
        tally(frame, config(facet=SEX), predicted_label="score")
    # Classes are not scores, whatever the threshold.
    classes = tally(
        frame.assign(score=frame["label"]), config(facet=SEX, probability_threshold=5.0), predicted_label="score"
    )
    assert not classes.thresholded
    assert classes.table.split(classes.table.entries[0]).total[:, 1, 0].sum() == 0


def test_a_kind_by_hand_for_the_label_holds_for_its_prediction() -> None:
    """Labels 0 and 1, predictions 0.0 and 1.0: the commonest way to get no report."""
    frame = scores()
    frame["predicted"] = 1.0 - frame["label"]
    with pytest.raises(BadData, match=r'if they are classes, set clarify_ops.kinds: \{"label": "categorical"\}, which'):
        tally(frame, config(facet=SEX), predicted_label="predicted")
    analysis = config(facet=SEX, clarify_ops={"kinds": {"label": "categorical"}})
    found = tally(frame, analysis, predicted_label="predicted")
    assert {name: (note.kind, note.by_hand) for name, note in found.kinds.items() if name != "sex"} == {
        "label": ("categorical", True),
        "predicted": ("categorical", True),
    }
    total = found.table.split(found.table.entries[0]).total
    assert (total[:, 0, 0].sum(), total[:, 1, 1].sum()) == (0, 0)


@pytest.mark.parametrize(
    ("labels", "predictions", "classes"),
    [
        ([2, 0, 10, 2] * 20, None, ("0", "2", "10")),
        ([2, 0, 2, 2] * 20, [10, 0, 0, 2] * 20, ("0", "2", "10")),
        # A prediction is spelt as the label is, and one that no label has is a class of its own.
        ([2, 0, 1, 2] * 20, ["2", "0", "x", "1"] * 20, ("0", "1", "2", "x")),
        (["b", "a", None, "c"] * 20, ["b", "a", "a", None] * 20, ("a", "b", "c")),
        ([1, 0] * 40, [0, 1] * 40, ("0", "1")),
        (list(range(51)) * 25, None, ()),
        ([2.5, 0, 10, 2] * 20, None, ()),
    ],
)
def test_classes_are_an_axis_where_there_are_not_too_many(
    labels: list[Any], predictions: list[Any] | None, classes: tuple[str, ...]
) -> None:
    frame = pd.DataFrame({"label": labels})
    if predictions is not None:
        frame["predicted"] = predictions
    name = None if predictions is None else "predicted"
    positive = ["a"] if "a" in labels else [2]
    table = tally(frame, config(label_values_or_threshold=positive), predicted_label=name).table
    names = ["label", *(["predicted_label"] if name else [])]
    assert [(one.name, one.values) for one in table.axes] == [(one, classes) for one in names if classes]
    for axis, values in zip(table.axes, (labels, predictions), strict=False):
        assert values is not None
        for code, text in enumerate(axis.values):
            assert table.where(axis, code).rows.sum() == sum(str(value) == text for value in values)
        assert table.where(axis, -1).rows.sum() == values.count(None)


def test_a_column_of_lists_is_refused() -> None:
    frame = pd.DataFrame({"sex": [["f"], ["m"]], "label": [0, 1]})
    with pytest.raises(BadData, match="'sex' holds lists or objects"):
        tally(frame, config(facet=SEX))


@pytest.mark.parametrize(
    ("dtype", "values", "asked"),
    [
        ("string[pyarrow]", ["a", "b", None], [1]),
        ("int64[pyarrow]", [1, 2, None], ["1"]),
        ("double[pyarrow]", [1.0, 2.5, None], [2]),
        ("bool[pyarrow]", [True, False, None], ["True"]),
    ],
)
def test_arrows_types_are_read_like_pandas_own(dtype: str, values: list[Any], asked: list[Any]) -> None:
    plain = pd.DataFrame({"x": pd.Series(values * 30, dtype=object).infer_objects(), "label": [0, 1, 1] * 30})
    if dtype.startswith("int"):
        plain["x"] = plain["x"].astype("Int64")
    arrow_type = pd.ArrowDtype(pa.string()) if dtype.startswith("string") else dtype
    arrow = plain.astype({"x": arrow_type})
    for facet in ({"name_or_index": "x", "value_or_threshold": asked}, {"name_or_index": "x"}):
        analysis = config(facet=[facet], clarify_ops={"kinds": {"x": "categorical"}})
        first, second = (tally(frame, analysis).table for frame in (plain, arrow))
        assert first.entries == second.entries
        np.testing.assert_array_equal(first.codes, second.codes)
        np.testing.assert_array_equal(first.rows, second.rows)


def test_nothing_to_count_is_counted() -> None:
    frame = pd.DataFrame({"sex": pd.Series([], dtype="str"), "label": pd.Series([], dtype="int64")})
    found = tally(frame, config(facet=[{"name_or_index": "sex"}]), group="sex")
    assert (found.rows, found.table.entries, found.table.groups, len(found.table.rows)) == (0, (), (), 0)


def test_a_group_variable_of_several_types_is_sorted_as_text() -> None:
    frame = pd.DataFrame({"group": [2, "b", "a", 10], "label": [0, 1, 0, 1]})
    assert tally(frame, config(), group="group").table.groups == ("10", "2", "a", "b")

"""Segments and intersections of columns that cannot be made, and those at the edge."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from clarify_ops.data.counts import CountTable
from clarify_ops.errors import BadData

from .test_tally import config, tally


@pytest.mark.parametrize(
    ("segment", "words"),
    [
        ({"name_or_index": "age", "segments": [["[1, 4]"], ["[4, 5]"]]}, "overlap: .* have numbers in common"),
        ({"name_or_index": "age", "segments": [["(2, 8]"], ["[3, 4]"]]}, "overlap"),
        ({"name_or_index": "age", "segments": [["[1; 4]"]]}, r"'\[1; 4\]' of 'age' is not an interval. Write it like"),
        ({"name_or_index": "age", "segments": [["18-30"]]}, "'18-30' of 'age' is not an interval"),
        ({"name_or_index": "age", "segments": [["(4, 1]"]]}, "is not an interval"),
        ({"name_or_index": "age", "segments": [["(1, 1]"]]}, "is not an interval"),
        ({"name_or_index": "age", "segments": [["[1, 4]", 5]]}, "segment 5 of 'age' is not an interval"),
        ({"name_or_index": "sex", "segments": [["f"], ["m", "f"]]}, "overlap: the value f is in segments 1 and 2"),
        ({"name_or_index": "sex", "segments": [["f"], []]}, "lists no values"),
        ({"name_or_index": "age", "segments": [[1], ["1"]]}, "overlap: the value 1.0 is in segments 1 and 2"),
        (
            {"name_or_index": "sex", "segments": [["f"]], "display_aliases": ["a", "b", "c"]},
            "'sex' has 1 segments and 3 display_aliases",
        ),
        ({"name_or_index": "sex", "segments": [["f"]], "display_aliases": []}, "0 display_aliases"),
    ],
)
def test_segments_that_tell_rows_apart_badly_are_refused(segment: dict[str, Any], words: str) -> None:
    frame = pd.DataFrame({"sex": ["f", "m"] * 30, "age": [1.0, 2.0] * 30, "label": [0, 1] * 30})
    with pytest.raises(BadData, match=words):
        tally(frame, config(segment_config=[segment]))


def test_segments_have_one_name_each_and_may_touch() -> None:
    frame = pd.DataFrame({"sex": ["f", "m"] * 30, "age": [1, 2, 4, 9] * 15, "label": [0, 1] * 30})
    touching = {"name_or_index": "age", "segments": [["[1, 2)"], ["[2, 2]", "(2, 4]"], ["(4, inf)"]]}
    named = {"name_or_index": "sex", "segments": [["m"]], "config_name": "men", "display_aliases": ["men", "women"]}
    table = tally(frame, config(segment_config=[touching, named])).table
    axes = [one for one in table.axes if one.name.startswith("segment:")]
    rows = {one.name: [int(table.where(one, i).rows.sum()) for i in range(len(one.values))] for one in axes}
    assert rows == {"segment:age": [15, 30, 15, 0], "segment:men": [30, 30]}
    with pytest.raises(BadData, match="Two segment configurations are called 'age'"):
        tally(frame, config(segment_config=[touching, touching]))


def test_intersections_that_cannot_be_made_are_refused() -> None:
    frame = pd.DataFrame({"sex": ["f", "m"] * 60, "age": np.arange(120.0), "id": [f"i{i}" for i in range(120)]})
    frame["other"], frame["label"] = frame["id"] + "x", [0, 1] * 60

    def combine(*names: str, **given: Any) -> CountTable:
        return tally(frame, config(clarify_ops={"intersections": [list(names)], **given})).table

    with pytest.raises(BadData, match=r"needs values of 'age', which is continuous\. Make it a facet with a threshold"):
        combine("sex", "age")
    assert len(combine("sex", "age", kinds={"age": "categorical"}).entries) == 120
    with pytest.raises(BadData, match="'id & other' has 14,400 combinations of values; 10,000 are the most"):
        combine("id", "other")
    with pytest.raises(BadData, match="names a column twice: sex, sex"):
        combine("sex", "sex")
    named = frame.rename(columns={"other": "sex & id"})
    asked = config(facet=[{"name_or_index": "sex & id"}], clarify_ops={"intersections": [["sex", "id"]]})
    with pytest.raises(BadData, match="Two facets have the name 'sex & id'"):
        tally(named, asked)
    with pytest.raises(BadData, match="Two facets have the name 'sex & id'"):
        tally(frame, config(clarify_ops={"intersections": [["sex", "id"], ["sex", "id"]]}))


def test_an_intersection_is_cut_at_every_threshold_of_a_facet() -> None:
    frame = pd.DataFrame({"sex": ["f", "m"] * 50, "age": np.arange(100), "label": [0, 1] * 50})
    facets = [{"name_or_index": "age", "value_or_threshold": [bound]} for bound in (60, 30, 99, -5, 0)]
    table = tally(frame, config(facet=facets, clarify_ops={"intersections": [["age", "sex"]]})).table
    rows = {one.value: int(table.split(one).n(1)) for one in table.entries if one.facet == "age & sex"}
    assert rows == {
        f"{ages} & {sex}": number
        for ages, numbers in (("[0, 0]", (1, 0)), ("(0, 30]", (15, 15)), ("(30, 60]", (15, 15)), ("(60, 99]", (19, 20)))
        for sex, number in zip("fm", numbers, strict=True)
        if number
    }

"""Comparisons with one facet value: from the table, as if only the rows of the two values had been counted."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from clarify_ops.bias.measure import measure
from clarify_ops.bias.references import against_reference
from clarify_ops.bias.table import METRICS
from clarify_ops.config.analysis import Facet
from clarify_ops.data.counts import count

from .test_bootstrap import counted, people

COUNTED = [metric.name for metric in METRICS if metric.form is not None]


def test_it_is_what_counting_the_rows_of_both_values_alone_gives() -> None:
    frame = people()
    found = against_reference(counted(frame), METRICS, "race", "white", level=0.9, seed=0)
    assert {one.facet_value for one in found} == {"green", "blue", "red"}
    for value in ("green", "blue", "red"):
        ours = [one for one in found if one.facet_value == value]
        both = frame[frame["race"].isin([value, "white"])].reset_index(drop=True)
        table = counted(both)
        alone = [
            replace(one, reference="white")
            for one in measure(table, METRICS, level=0.9, seed=0)
            if (one.facet, one.facet_value) == ("race", value) and one.metric != "FT"
        ]
        assert [one.metric for one in ours] == COUNTED
        for one, other in zip(ours, alone, strict=True):
            assert (one.value, one.groups, one.denominators) == (other.value, other.groups, other.denominators)
            assert one.interval is not None
            assert other.interval is not None
            assert (one.interval.low, one.interval.high) == pytest.approx((other.interval.low, other.interval.high))
            assert one.ends is not None
            assert one.ends(0.9) == (one.interval.low, one.interval.high)
        assert ours[0].groups == {"a": int((frame["race"] == "white").sum()), "d": int((frame["race"] == value).sum())}


def test_the_reference_is_on_the_advantaged_side() -> None:
    frame = pd.DataFrame({"race": ["w"] * 10 + ["b"] * 10 + ["x"] * 80})
    positive = np.asarray([True] * 8 + [False] * 2 + [True] * 3 + [False] * 7 + [False] * 80)
    table = count(frame, facets=[Facet(name_or_index="race")], label=positive)
    found = {
        (one.facet_value, one.metric): one.value
        for one in against_reference(table, METRICS, "race", "w", level=0.9, seed=0)
    }
    assert found["b", "DPL"] == pytest.approx(0.8 - 0.3)
    assert found["x", "DPL"] == pytest.approx(0.8)


def test_values_that_were_asked_for_one_by_one_have_references_too() -> None:
    frame = people()
    facets = [Facet(name_or_index="race", value_or_threshold=[one]) for one in ("green", "blue")]
    table = count(frame, facets=facets, label=frame["label"].to_numpy() == 1)
    (found,) = [
        one for one in against_reference(table, METRICS, "race", "blue", level=0.9, seed=0) if one.metric == "DPL"
    ]
    shares = frame["label"].groupby(frame["race"]).mean()
    assert found.value == pytest.approx(shares["blue"] - shares["green"])


def test_overlapping_values_are_not_compared() -> None:
    frame = pd.DataFrame({"age": np.arange(40)})
    facets = [Facet(name_or_index="age", value_or_threshold=[limit]) for limit in (10, 20)]
    table = count(frame, facets=facets, label=np.arange(40) % 2 == 0)
    values = [entry.value for entry in table.entries]
    assert len(values) == 2
    assert against_reference(table, METRICS, "age", values[0], level=0.9, seed=0) == ()


def test_a_reference_that_the_data_lack_gives_nothing() -> None:
    table = counted(people())
    assert against_reference(table, METRICS, "race", "purple", level=0.9, seed=0) == ()
    assert against_reference(table, METRICS, "planet", "white", level=0.9, seed=0) == ()

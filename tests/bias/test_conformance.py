"""Clarify's own results, case by case, through our counts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from clarify_ops.bias.clarify import value_or_error
from clarify_ops.bias.flip_test import flip_counts
from clarify_ops.bias.forms import Divergence
from clarify_ops.bias.report import bias_report, flips_of
from clarify_ops.bias.table import BY_NAME, METRICS, metrics_of
from clarify_ops.config.analysis import AnalysisConfig, Facet
from clarify_ops.data.counts import Counts, count
from clarify_ops.data.kinds import infer_kind, match
from clarify_ops.data.outcomes import read_outcomes
from clarify_ops.data.tally import code_rows
from clarify_ops.errors import BadInput
from clarify_ops.measures import json_number

from .cases import Case, cases, same

FILE = "smclarify_cases.json"
Bools = NDArray[np.bool_]


def bools(values: list[Any]) -> Bools:
    return np.asarray(values, dtype=bool)


def one_facet(facet: Bools, label: Bools, predicted: Bools | None, group: list[Any] | None) -> Counts:
    frame = pd.DataFrame({"facet": np.where(facet, "d", "a")})
    if group is not None:
        frame["group"] = group
    table = count(
        frame,
        facets=[Facet(name_or_index="facet", value_or_threshold=("d",))],
        label=label,
        predicted=predicted,
        group=None if group is None else "group",
    )
    return table.split(table.entries[0])


@pytest.mark.parametrize("case", cases(FILE, "metric"))
def test_metric(shared: Path, case: Case) -> None:
    given, metric = case["input"], BY_NAME[case["metric"]]
    if "label_raw" in given:
        outcomes_beyond_two(case)
        return
    rows = len(next(iter(given.values())))
    predicted = bools(given["pred"]) if "pred" in given else None
    # A case leaves out what its metric does not look at.
    facet = bools(given.get("facet", [True, *[False] * (rows - 1)]))
    label = bools(given.get("label", [True] * rows))
    counts = one_facet(facet, label, predicted, given.get("group"))
    flip = None
    if "matrix" in given and predicted is not None:
        flip = flip_counts(pd.DataFrame(given["matrix"]), facet, predicted)
    value, error = value_or_error(metric, counts, flip)
    assert error == case.get("expected_error", {}).get("message", "")
    assert same(None if value is None else json_number(value), case.get("expected"))


def outcomes_beyond_two(case: Case) -> None:
    """A bias report has two outcomes; the distances themselves take any number, and the case is one of them."""
    form = BY_NAME[case["metric"]].form
    assert form is not None
    distance = form(Counts.of((1, 0, 0, 1), (1, 0, 0, 1)))
    assert isinstance(distance, Divergence)
    facet, label = bools(case["input"]["facet"]), np.asarray(case["input"]["label_raw"])
    p, q = (np.asarray([(label[side] == one).mean() for one in np.unique(label)]) for side in (~facet, facet))
    common = (p > 0) & (q > 0)
    assert same(float(distance.distance(p[common], q[common])), case["expected"])


@pytest.mark.parametrize("case", cases(FILE, "counts_to_metrics"))
def test_counts_to_metrics(shared: Path, case: Case) -> None:
    def cells(side: dict[str, int]) -> tuple[int, int, int, int]:
        return side["TP"], side["FP"], side["FN"], side["TN"]

    counts = Counts.of(cells(case["input"]["a"]), cells(case["input"]["d"]))
    found = {}
    for name in case["expected"]:
        value, error = value_or_error(BY_NAME[name], counts)
        assert value is not None, error
        found[name] = json_number(value)
    assert [name for name, value in case["expected"].items() if not same(found[name], value)] == []


def series_of(given: dict[str, Any]) -> pd.Series:
    series = pd.Series(given["series"])
    return series.astype(given["dtype"]) if given.get("dtype") else series


@pytest.mark.parametrize("case", cases(FILE, "series_data_type"))
def test_kind_of_a_column(shared: Path, case: Case) -> None:
    assert infer_kind(series_of(case["input"]), case["input"]["values"]).upper() == case["expected"]


@pytest.mark.parametrize("case", cases(FILE, "label_value_or_threshold"))
def test_text_of_positive_values(shared: Path, case: Case) -> None:
    assert match(series_of(case["input"]), case["input"]["values"]).text == case["expected"]


@pytest.mark.parametrize("case", cases(FILE, "convert_positive_label_values"))
def test_values_spelt_in_another_type_match_the_rows_they_mean(shared: Path, case: Case) -> None:
    series = series_of(case["input"])
    found = match(series, case["input"]["values"], "categorical").matches
    assert found.tolist() == series.isin(case["expected"]).tolist()


def frame_of(case: Case) -> pd.DataFrame:
    return pd.DataFrame(case["rows"], columns=case["columns"]).astype(case["dtypes"])


def report(case: Case) -> dict[str, Any]:
    frame = frame_of(case)
    # A case writes null where a configuration leaves the key out.
    facet = {"name_or_index": case["facet"]}
    if case["facet_values"] is not None:
        facet["value_or_threshold"] = case["facet_values"]
    methods = "all" if case["metrics"] == ["all"] else case["metrics"]
    config = AnalysisConfig.model_validate(
        {
            "dataset_type": "text/csv",
            "label": case["label"],
            "label_values_or_threshold": case["label_values"],
            "facet": [facet],
            "methods": {f"{case['stage']}_bias": {"methods": methods}},
        }
    )
    outcomes = read_outcomes(frame, config, case["label"], case["predicted_label"])
    rows = code_rows(frame, config=config, facets=[case["facet"]], group=case["group"], outcomes=outcomes)
    flips = flips_of(rows, frame.drop(columns=[case["label"], case["predicted_label"]], errors="ignore"))
    return bias_report(rows.tally(), case["stage"], config, level=0.95, seed=0, flips=flips).clarify


@pytest.mark.parametrize("case", cases(FILE, "report", fails=False))
def test_report(shared: Path, case: Case) -> None:
    found = report(case)
    assert list(found) == ["label", "facets", "label_value_or_threshold"]
    assert (found["label"], list(found["facets"])) == (case["label"], [case["facet"]])
    entries = found["facets"][case["facet"]]
    assert [one["value_or_threshold"] for one in entries] == [one["value_or_threshold"] for one in case["expected"]]
    for entry, expected in zip(entries, case["expected"], strict=True):
        assert list(entry) == ["value_or_threshold", "metrics"]
        assert [one["name"] for one in entry["metrics"]] == case["order"]
        assert {one["name"]: one["error"] for one in entry["metrics"] if "error" in one} == expected["errors"]
        for one in entry["metrics"]:
            assert list(one) == ["name", "description", "value", *(["error"] if one["value"] is None else [])]
        values = {one["name"]: one["value"] for one in entry["metrics"]}
        assert values.keys() == expected["metrics"].keys()
        assert [name for name, value in expected["metrics"].items() if not same(values[name], value)] == []


@pytest.mark.parametrize("case", cases(FILE, "report", fails=True))
def test_report_that_cannot_be_made(shared: Path, case: Case) -> None:
    with pytest.raises(BadInput) as caught:
        report(case)
    assert caught.value.message == case["expected_error"]["message"]
    assert (caught.value.exit_status, bool(caught.value.hint)) == (2, True)


@pytest.mark.parametrize("stage", ["pre_training", "post_training"])
def test_metrics_stand_in_the_order_of_their_names(stage: str) -> None:
    names = [one.name for one in METRICS if one.stage == stage]
    assert names == sorted(names)
    assert len(metrics_of("pre_training")) == 8
    assert len(metrics_of("post_training")) == 13

"""The numbers beside the bias metrics: Clarify's own, case by case."""

from __future__ import annotations

from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clarify_ops.bias.performance import (
    PERFORMANCE,
    bias_basic_stats,
    confusion_matrix,
    confusion_of_classes,
    confusion_shares,
    everybody,
    model_performance_report,
    observed_label_distribution,
    proportion,
)
from clarify_ops.config.analysis import AnalysisConfig, Facet
from clarify_ops.data.counts import DISADVANTAGED, Counts, count
from clarify_ops.data.outcomes import read_outcomes
from clarify_ops.data.tally import tally_frame

from .cases import Case, cases, same

FILE = "smclarify_cases.json"
SHORT = dict(
    zip(
        (
            "accuracy",
            "PPL",
            "PNL",
            "recall",
            "specificity",
            "precision",
            "rejection_rate",
            "conditional_acceptance",
            "conditional_rejection",
            "f1_score",
        ),
        (share for _, _, share in PERFORMANCE),
        strict=True,
    )
)
FACET = [Facet(name_or_index="facet", value_or_threshold=("d",))]


def counted(case: Case) -> Counts:
    frame = pd.DataFrame({"facet": np.where(case["facet"], "d", "a")})
    label = np.asarray(case.get("label", case["facet"]), dtype=bool)
    predicted = np.asarray(case["pred"], dtype=bool) if "pred" in case else None
    table = count(frame, facets=FACET, label=label, predicted=predicted)
    return table.split(table.entries[0])


@pytest.mark.parametrize("case", cases(FILE, "performance"))
def test_a_performance_metric_is_clarifys(shared: Path, case: Case) -> None:
    given_ = case["input"]
    counts = Counts.of((given_["TP"], given_["FP"], given_["FN"], given_["TN"]), (0, 0, 0, 0))
    assert same(SHORT[given_["name"]](counts), case["expected"])


@pytest.mark.parametrize("case", cases(FILE, "model_performance_report"))
def test_the_performance_report_is_clarifys(shared: Path, case: Case) -> None:
    frame = pd.DataFrame({"label": case["input"]["label"], "pred": case["input"]["pred"]})
    config = AnalysisConfig.parse(
        {
            "dataset_type": "text/csv",
            "label_values_or_threshold": case["input"]["label_values"],
            "methods": {"post_training_bias": {"methods": "all"}},
        },
        "the configuration",
    )
    outcomes = read_outcomes(frame, config, "label", "pred")
    assert outcomes.predicted is not None
    table = count(frame, facets=[], label=outcomes.observed, predicted=outcomes.predicted)
    categorical = outcomes.kinds["label"].kind == "categorical"
    matrix = confusion_matrix(frame["label"], frame["pred"]) if categorical else None
    report = model_performance_report(everybody(table), "label", matrix)
    expected = case["expected"]
    assert [one["name"] for one in report["model_performance_metrics"]] == list(expected["metrics"])
    assert all(same(one["value"], expected["metrics"][one["name"]]) for one in report["model_performance_metrics"])
    assert all(map(same, report["binary_confusion_matrix"], expected["binary_confusion_matrix_TP_FP_FN_TN"]))
    assert report["confusion_matrix"] == expected["confusion_matrix"]
    assert list(report) == ["label", "model_performance_metrics", "binary_confusion_matrix", "confusion_matrix"]


@pytest.mark.parametrize("case", cases(FILE, "multicategory_confusion_matrix"))
def test_the_confusion_matrix_is_clarifys(shared: Path, case: Case) -> None:
    found = confusion_matrix(pd.Series(case["input"]["label"]), pd.Series(case["input"]["pred"]))
    assert found == case["expected"]
    assert list(found) == list(case["expected"])


STATS: dict[str, Any] = {
    "proportion": proportion,
    "facet_confusion_matrix_TP_FP_FN_TN": lambda counts: confusion_shares(counts, DISADVANTAGED),
    "observed_label_distribution_pos_neg": observed_label_distribution,
}


@pytest.mark.parametrize("case", cases(FILE, *STATS))
def test_a_basic_statistic_is_clarifys(shared: Path, case: Case) -> None:
    found = np.atleast_1d(STATS[case["kind"]](counted(case["input"])))
    assert all(map(same, found.tolist(), np.atleast_1d(case["expected"]).tolist()))


def test_nobody_at_all_gives_zeros_as_clarify_does() -> None:
    nobody = Counts(np.zeros((2, 2, 2)))
    report = model_performance_report(nobody, "y")
    assert {one["value"] for one in report["model_performance_metrics"]} == {0.0}
    assert proportion(nobody) == 0
    assert model_performance_report(Counts.of((0, 0, 3, 2), (0, 0, 0, 0)), "y")["model_performance_metrics"][7][
        "value"
    ] == ("Infinity")


rows = st.lists(st.tuples(st.sampled_from("pqrs"), st.sampled_from("pqrs"), st.booleans()), min_size=30, max_size=60)


@given(rows)
def test_counts_and_rows_give_the_same_confusion_matrix(drawn: list[tuple[str, str, bool]]) -> None:
    frame = pd.DataFrame(drawn, columns=["label", "predicted", "facet"])
    config = AnalysisConfig.parse(
        {
            "dataset_type": "text/csv",
            "label_values_or_threshold": ["p"],
            "facet": [{"name_or_index": "facet"}],
            "methods": {"post_training_bias": {"methods": "all"}},
        },
        "the configuration",
    )
    table = tally_frame(
        frame, config=config, label="label", facets=["facet"], group=None, predicted_label="predicted"
    ).table
    found = confusion_of_classes(table)
    slow = {
        one: {other: float(((frame["label"] == one) & (frame["predicted"] == other)).sum()) for other in names}
        for names in [sorted(set(frame["label"]))]
        for one in names
    }
    assert confusion_matrix(frame["label"], frame["predicted"]) == slow
    assert found is None or found == slow
    for entry in table.entries:
        stats = bias_basic_stats(table, entry)
        inside = frame["facet"].astype(str) == entry.value
        assert stats["proportion"] == pytest.approx(inside.mean())
        assert stats["observed_label_distribution"][0] == pytest.approx((frame["label"][inside] == "p").mean())
        signs = product((True, False), repeat=2)
        part = frame[inside]
        shares = {
            (truth, answer): (((part["label"] == "p") == truth) & ((part["predicted"] == "p") == answer)).mean()
            for truth, answer in signs
        }
        order = [shares[True, True], shares[False, True], shares[True, False], shares[False, False]]
        assert stats["confusion_matrix"] == pytest.approx(order)
        assert "confusion_matrix" not in bias_basic_stats(table.unpredicted(), entry)

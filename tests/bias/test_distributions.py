"""Many classes: distances between full distributions, and each class against the rest."""

from __future__ import annotations

import json
import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from scipy.spatial.distance import jensenshannon

from clarify_ops.bias.distributions import DISTANCES, class_distances, class_reports
from clarify_ops.bias.measure import measure
from clarify_ops.bias.table import METRICS
from clarify_ops.config.analysis import AnalysisConfig
from clarify_ops.data.counts import CountTable
from clarify_ops.data.tally import tally_frame

LEVEL = 0.95


def config(positive: str, *, many: bool = True) -> AnalysisConfig:
    return AnalysisConfig.parse(
        {
            "dataset_type": "text/csv",
            "label_values_or_threshold": [positive],
            "facet": [{"name_or_index": "sex", **({} if many else {"value_or_threshold": ["f"]})}],
            "group_variable": "city",
            "methods": {"post_training_bias": {"methods": "all"}},
        },
        "the configuration",
    )


@pytest.fixture(scope="module")
def people() -> pd.DataFrame:
    rng = np.random.default_rng(3)
    frame = pd.DataFrame({"sex": rng.choice(["f", "m"], 300), "city": rng.choice(["x", "y"], 300)})
    frame["grade"] = np.where(
        frame["sex"] == "f", rng.choice(list("abc"), 300, p=[0.2, 0.3, 0.5]), rng.choice(list("abc"), 300)
    )
    frame["guess"] = np.where(rng.random(300) < 0.7, frame["grade"], rng.choice(list("abc"), 300))
    return frame


def test_every_class_as_the_positive_one_is_what_asking_for_it_gives(people: pd.DataFrame) -> None:
    def counted(positive: str) -> CountTable:
        return tally_frame(
            people, config=config(positive), label="grade", facets=["sex"], group="city", predicted_label="guess"
        ).table

    reports = class_reports(counted("a"), level=LEVEL, seed=1)
    assert {(one.of, one.facet_value) for one in reports} == {
        (of, value) for of in ("label", "predicted_label") for value in ("f", "m")
    }
    for name in "abc":
        table = counted(name)
        wanted = measure(table, [metric for metric in METRICS if metric.form is not None], level=LEVEL, seed=1)
        expected = {(one.facet_value, one.metric): one.value for one in wanted}
        found = {
            (report.facet_value, one.metric): one.value for report in reports for one in report.one_versus_rest[name]
        }
        assert found == expected


def test_distances_are_those_of_the_full_distributions(people: pd.DataFrame) -> None:
    table = tally_frame(
        people, config=config("a", many=False), label="grade", facets=["sex"], group=None, predicted_label=None
    ).table
    (report,) = class_reports(table, level=LEVEL, seed=1)
    a = people["grade"][people["sex"] != "f"].value_counts(normalize=True).sort_index().to_numpy()
    d = people["grade"][people["sex"] == "f"].value_counts(normalize=True).sort_index().to_numpy()
    expected = {
        "KL": stats.entropy(a, d),
        "JS": jensenshannon(a, d) ** 2,
        "LP": math.dist(a, d),
        "TVD": np.abs(a - d).sum() / 2,
        "KS": np.abs(a - d).max(),
    }
    found = {one.metric: one.value for one in report.distances}
    assert found == pytest.approx(expected)
    assert all(
        one.interval is not None and one.value is not None and one.interval.low <= one.value <= one.interval.high
        for one in report.distances
    )
    assert sum(report.advantaged) + sum(report.disadvantaged) == len(people)
    json.dumps(report.to_json(), allow_nan=False)


def test_a_class_that_only_a_has_makes_kl_infinite_and_an_empty_side_leaves_nothing() -> None:
    found = {one.metric: one for one in class_distances(np.array([5.0, 5, 5]), np.array([5.0, 5, 0]), LEVEL)}
    assert found["KL"].value == math.inf
    assert found["KL"].to_json()["value"] == "Infinity"
    empty = class_distances(np.array([5.0, 5, 5]), np.zeros(3), LEVEL)
    assert {(one.value, one.reason) for one in empty} == {(None, "There are no disadvantaged rows.")}
    assert len(empty) == len(DISTANCES)


def test_a_table_without_classes_has_no_report(people: pd.DataFrame) -> None:
    two = people[people["grade"] != "c"].assign(guess="a")
    table = tally_frame(
        two, config=config("a"), label="grade", facets=["sex"], group=None, predicted_label="guess"
    ).table
    assert class_reports(table, level=LEVEL, seed=1) == ()

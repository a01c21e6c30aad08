"""A stage of bias analysis as the steps run it, up to the document that SageMaker Clarify wrote for the same rows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from clarify_ops.analysis.documents import merged_analysis
from clarify_ops.bias.report import BiasReport, analyse_bias, requested_metrics, sides
from clarify_ops.config.analysis import AnalysisConfig
from clarify_ops.data.kinds import match
from clarify_ops.data.source import read_dataset
from clarify_ops.errors import BadData, BadDocument

from .cases import same


def config(**settings: Any) -> AnalysisConfig:
    everything = {"pre_training_bias": {"methods": "all"}, "post_training_bias": {"methods": "all"}}
    return AnalysisConfig.model_validate({"dataset_type": "text/csv", "methods": everything, **settings})


def structure(document: Any) -> Any:
    """Keys in their order and texts, without the numbers."""
    if isinstance(document, dict):
        return [(key, structure(value)) for key, value in document.items()]
    if isinstance(document, list):
        return [structure(value) for value in document]
    return "number" if isinstance(document, float) else document


def numbers(document: Any) -> list[float]:
    if isinstance(document, dict):
        return [one for value in document.values() for one in numbers(value)]
    if isinstance(document, list):
        return [one for value in document for one in numbers(value)]
    return [document] if isinstance(document, float) else []


def test_the_whole_document_is_the_one_that_clarify_wrote(shared: Path) -> None:
    folder = shared / "data/clarify_linear_learner_adult"
    frame = read_dataset(str(folder / "validation_with_predictions.csv")).frame
    analysis = config(
        label="Target",
        label_values_or_threshold=[1],
        facet=[{"name_or_index": "Sex", "value_or_threshold": [0]}],
        group_variable="Age",
    )
    positives = match(frame["Target"], (1,))
    features = frame.drop(columns=["Target", "predicted_label"])
    predicted = (frame["predicted_label"] == 1).to_numpy()
    before = analyse_bias(frame, analysis, positives, level=0.95, seed=0)
    after = analyse_bias(frame, analysis, positives, level=0.95, seed=0, predicted=predicted, features=features)
    document = merged_analysis(
        [
            {"version": "1.0", "pre_training_bias_metrics": before.clarify},
            {"version": "1.0", "post_training_bias_metrics": after.clarify},
        ]
    )
    expected = json.loads((folder / "analysis_bias.json").read_text())
    found = json.loads(json.dumps(document, allow_nan=False))
    assert structure(found) == structure(expected)
    assert len(numbers(expected)) == 21
    assert all(same(one, other) for one, other in zip(numbers(found), numbers(expected), strict=True))
    assert {one.metric: one.value for one in (*before.measures, *after.measures)}.keys() == {
        metric["name"]
        for section in ("pre_training_bias_metrics", "post_training_bias_metrics")
        for metric in expected[section]["facets"]["Sex"][0]["metrics"]
    }


def loans(rows: int = 200) -> pd.DataFrame:
    rng = np.random.default_rng(3)
    frame = pd.DataFrame(
        {
            "sex": rng.choice(["f", "m"], rows),
            "region": rng.choice(["east", "west"], rows),
            "age": rng.integers(18, 80, rows).astype(float),
            "income": rng.normal(size=rows),
        }
    )
    noise = rng.normal(size=rows)
    return frame.assign(approve=(frame["income"] + noise + (frame["sex"] == "m") > 0).astype(int))


FACETS = [{"name_or_index": "sex"}, {"name_or_index": "age", "value_or_threshold": [40]}]


def run(frame: pd.DataFrame, analysis: AnalysisConfig, *, seed: int = 0) -> BiasReport:
    predicted = (frame["income"] > 0).to_numpy()
    features = frame[["age", "income"]]
    positives = match(frame["approve"], (1,))
    return analyse_bias(frame, analysis, positives, level=0.9, seed=seed, predicted=predicted, features=features)


def test_every_facet_value_has_every_metric_with_its_rows() -> None:
    frame = loans()
    report = run(frame, config(label="approve", facet=FACETS, group_variable="region"))
    assert (report.stage, len(report.measures)) == ("post_training", 39)
    subjects = dict.fromkeys(one.subject for one in report.measures)
    assert list(subjects) == [
        f"sex = {frame['sex'][0]}",
        f"sex = {'fm'.replace(frame['sex'][0], '')}",
        "age = (40.0, 79.0]",
    ]
    for one in report.measures:
        # The model of the test refuses no woman wrongly: only for TE nothing is to be divided by.
        assert (one.value is None) == (one.metric == "TE" and one.facet == "sex")
        assert one.interval.level == 0.9 if one.interval else one.value is None
        assert sum(one.groups.values()) == len(frame)
    women = next(one for one in report.measures if one.subject == "sex = f")
    assert women.groups["d"] == (frame["sex"] == "f").sum()


def test_the_flip_test_leaves_the_facet_out() -> None:
    frame = loans()
    report = run(frame, config(label="approve", facet=[{"name_or_index": "age", "value_or_threshold": [40]}]))
    with_facet = next(one for one in report.measures if one.metric == "FT")
    same_incomes = run(frame.assign(age=np.where(frame["age"] > 40, 79.0, 20.0)),
                       config(label="approve", facet=[{"name_or_index": "age", "value_or_threshold": [40]}]))  # fmt: skip
    assert with_facet.value == next(one for one in same_incomes.measures if one.metric == "FT").value


def test_numbers_do_not_depend_on_the_order_of_rows_or_metrics_nor_on_the_seed() -> None:
    frame = loans()
    analysis = config(label="approve", facet=[FACETS[1]], group_variable="region")
    first = {one.metric: one for one in run(frame, analysis).measures}
    again = run(frame.sample(frac=1, random_state=1).reset_index(drop=True), analysis)
    assert {one.metric: one for one in again.measures} == first
    methods = {"post_training_bias": {"methods": ["TE", "GE"]}}
    few = config(label="approve", facet=[FACETS[1]], group_variable="region", methods=methods)
    assert {one.metric: one for one in run(frame, few).measures} == {"GE": first["GE"], "TE": first["TE"]}
    # Nothing is drawn at random where every metric has a score interval.
    assert {one.metric: one for one in run(frame, analysis, seed=1).measures} == first


def test_asked_metrics_come_in_clarifys_order() -> None:
    def names(methods: Any) -> list[str]:
        return [one.name for one in requested_metrics(config(methods={"pre_training_bias": {"methods": methods}}), "pre_training")]  # fmt: skip

    assert names(["KS", "CI"]) == ["CI", "KS"]
    assert names("DPL") == ["DPL"]
    assert len(names("all")) == 8
    assert requested_metrics(config(methods={}), "post_training") == ()
    with pytest.raises(BadDocument, match=r'names the metric \'CDL\'.*Did you mean "CDDL"'):
        names(["CDL"])
    with pytest.raises(BadDocument, match="names the metric 'DI'"):
        names(["DI"])


def test_columns_may_be_named_by_index() -> None:
    frame = loans()
    by_name = config(
        label="approve", facet=[{"name_or_index": "sex", "value_or_threshold": ["f"]}], group_variable="region"
    )
    by_index = config(label=4, facet=[{"name_or_index": 0, "value_or_threshold": ["f"]}], group_variable=1)
    assert run(frame, by_index).clarify == run(frame, by_name).clarify
    with pytest.raises(BadData, match="column 9, but the data have 5 columns"):
        run(frame, config(label="approve", facet=[{"name_or_index": 9}]))
    with pytest.raises(BadData, match="group_variable names the column '7'"):
        run(frame, config(label="approve", facet=FACETS, group_variable=7))


@pytest.mark.parametrize(
    ("facet", "words"),
    [
        ({"name_or_index": "gender"}, "names the column 'gender'"),
        ({"name_or_index": "sex", "value_or_threshold": ["x"]}, "No row has sex = x"),
        ({"name_or_index": "sex", "value_or_threshold": ["f", "m"]}, "Every row has sex = f,m"),
        ({"name_or_index": "age", "value_or_threshold": [99]}, "nobody to compare"),
        ({"name_or_index": "age"}, "'age' is continuous and has no threshold"),
    ],
)
def test_a_facet_that_compares_nobody_is_refused(facet: dict[str, Any], words: str) -> None:
    with pytest.raises(BadData, match=words):
        run(loans(), config(label="approve", facet=[facet]))


def test_two_thresholds_of_one_facet_are_two_entries() -> None:
    frame = loans()
    analysis = config(
        label="approve", facet=[{"name_or_index": "age", "value_or_threshold": [bound]} for bound in (30, 60)]
    )
    report = run(frame, analysis)
    rows = {one.facet_value: one.groups["d"] for one in report.measures}
    assert rows == {"(30.0, 79.0]": (frame["age"] > 30).sum(), "(60.0, 79.0]": (frame["age"] > 60).sum()}
    for (_, value), members in sides(frame, analysis, report.table):
        assert members.sum() == rows[value]
    assert [one["value_or_threshold"] for one in report.clarify["facets"]["age"]] == list(rows)


def test_missing_facet_values_are_an_entry_of_ours_and_nobody_in_clarifys() -> None:
    frame = loans()
    frame.loc[:24, "sex"] = None
    report = run(frame, config(label="approve", facet=[FACETS[0]], group_variable="region"))
    assert report.table.missing == {"sex": 25}
    ours = [one for one in report.measures if one.facet_value == "nan"]
    assert {one.groups["d"] for one in ours} == {25}
    entry = next(one for one in report.clarify["facets"]["sex"] if one["value_or_threshold"] == "nan")
    errors = {one["name"]: one.get("error") for one in entry["metrics"]}
    assert {name for name, error in errors.items() if error is None} == {"CDDPL", "GE"}
    assert errors["FT"] == "Facet set is empty"

"""A stage of bias analysis as the steps run it, up to the document that SageMaker Clarify wrote for the same rows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from clarify_ops.analysis.documents import merged_analysis
from clarify_ops.bias.flip_test import flip_counts
from clarify_ops.bias.report import BiasReport, bias_report, flips_of, refuse_empty_sides, requested_metrics
from clarify_ops.config.analysis import AnalysisConfig
from clarify_ops.data.counts import column_name
from clarify_ops.data.outcomes import read_outcomes
from clarify_ops.data.source import read_dataset
from clarify_ops.data.tally import CodedRows, code_rows
from clarify_ops.errors import BadData, BadDocument, BadInput

from .cases import same

NO_PREDICTED_POSITIVE = "No Label values are present in the predicted Label Column,Positive Predicted Index Series contains all False values"


def config(**settings: Any) -> AnalysisConfig:
    everything = {"pre_training_bias": {"methods": "all"}, "post_training_bias": {"methods": "all"}}
    given = {"dataset_type": "text/csv", "methods": everything, "label_values_or_threshold": [1], **settings}
    return AnalysisConfig.model_validate(given)


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
    rows = coded(frame, analysis, "Target", "predicted_label")
    flips = flips_of(rows, frame.drop(columns=["Target", "predicted_label"]))
    before = bias_report(rows.tally(), "pre_training", analysis, level=0.95, seed=0)
    after = bias_report(rows.tally(), "post_training", analysis, level=0.95, seed=0, flips=flips)
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


def coded(frame: pd.DataFrame, analysis: AnalysisConfig, label: str, predicted: str | None) -> CodedRows:
    group = analysis.group_variable
    return code_rows(
        frame,
        config=analysis,
        facets=[column_name(frame, one.name_or_index, "analysis.facet") for one in analysis.facet or ()],
        group=None if group is None else column_name(frame, group, "analysis.group_variable"),
        outcomes=read_outcomes(frame, analysis, label, predicted),
    )


def run(frame: pd.DataFrame, analysis: AnalysisConfig, *, seed: int = 0) -> BiasReport:
    frame = frame.assign(predicted=(frame["income"] > 0).astype(int))
    rows = coded(frame, analysis, "approve", "predicted")
    flips = flips_of(rows, frame[["age", "income"]])
    return bias_report(rows.tally(), "post_training", analysis, level=0.9, seed=seed, flips=flips)


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


def test_before_training_nobody_looks_at_predictions() -> None:
    frame = loans().assign(predicted=lambda rows: (rows["income"] > 0).astype(int))
    analysis = config(label="approve", facet=FACETS, group_variable="region")

    def before(frame: pd.DataFrame, predicted: str | None) -> BiasReport:
        tally = coded(frame, analysis, "approve", predicted).tally()
        return bias_report(tally, "pre_training", analysis, level=0.9, seed=0)

    alone = before(frame, None)
    for predictions in (frame, frame.assign(predicted=0)):
        report = before(predictions, "predicted")
        assert (report.measures, report.clarify) == (alone.measures, alone.clarify)


def test_predictions_that_accept_nobody_stop_clarifys_report_and_not_a_gate() -> None:
    frame = loans().assign(predicted=0)
    analysis = config(label="approve", facet=FACETS)
    with_predictions, without = (coded(frame, analysis, "approve", one).tally() for one in ("predicted", None))
    with pytest.raises(BadData, match="Predicted Index Series contains all False values"):
        bias_report(with_predictions, "post_training", analysis, level=0.9, seed=0)
    with pytest.raises(BadData, match="There are no predicted labels to compare"):
        bias_report(without, "post_training", analysis, level=0.9, seed=0)
    report = bias_report(with_predictions, "post_training", analysis, level=0.9, seed=0, strict=False)
    assert {one.value for one in report.measures if one.metric == "DPPL"} == {0.0}


def test_an_interval_of_labels_ends_where_labels_or_predictions_end() -> None:
    frame = loans()
    frame = frame.assign(loss=frame["income"], predicted=frame["income"] + 1)
    analysis = config(label="loss", label_values_or_threshold=[0.5], facet=[FACETS[1]])
    tally = coded(frame, analysis, "loss", "predicted").tally()
    before, after = (
        bias_report(tally, stage, analysis, level=0.9, seed=0) for stage in ("pre_training", "post_training")
    )
    assert before.clarify["label_value_or_threshold"] == f"(0.5, {frame['loss'].max()}]"
    assert after.clarify["label_value_or_threshold"] == f"(0.5, {frame['predicted'].max()}]"


def test_an_intersection_is_measured_by_us_alone() -> None:
    frame = loans().assign(predicted=lambda rows: (rows["income"] > 0).astype(int))
    analysis = config(label="approve", facet=[FACETS[1]], clarify_ops={"intersections": [["sex", "age"]]})
    outcomes = read_outcomes(frame, analysis, "approve", "predicted")
    rows = code_rows(
        frame, config=analysis, facets=["age"], group=None, outcomes=outcomes, intersections=[("sex", "age")]
    )
    features = frame[["age", "income"]].assign(sex=frame["sex"] == "f")
    flips = flips_of(rows, features)
    report = bias_report(rows.tally(), "post_training", analysis, level=0.9, seed=0, flips=flips)
    assert list(report.clarify["facets"]) == ["age"]
    assert len(report.clarify["facets"]["age"]) == 1
    own = [one for one in report.measures if one.facet == "sex & age"]
    assert {one.facet_value for one in own} == {
        f"{sex} & {age}" for sex in "fm" for age in ("[18.0, 40.0]", "(40.0, 79.0]")
    }
    # Both columns are left out while their intersection is asked about, and none but the age while the age is.
    positive = (frame["predicted"] == 1).to_numpy()
    for entry in rows.entries:
        others = features.drop(columns=["age"] if entry.facet == "age" else ["age", "sex"])
        assert flips[entry.facet, entry.value] == flip_counts(others, rows.members(entry), positive)


def test_asked_metrics_come_in_clarifys_order() -> None:
    def names(methods: Any) -> list[str]:
        return [one.name for one in requested_metrics(config(methods={"pre_training_bias": {"methods": methods}}), "pre_training")]  # fmt: skip

    assert names(["KS", "CI"]) == ["CI", "KS"]
    assert names("DPL") == ["DPL"]
    assert len(names("all")) == 8
    assert requested_metrics(config(methods={}), "post_training") == ()
    with pytest.raises(BadDocument, match=r'^Invalid metric_name: .* names \'CDL\'. Did you mean "CDDL"'):
        names(["CDL"])
    with pytest.raises(BadDocument, match="names 'DI'"):
        names(["DI"])


def test_columns_may_be_named_by_index() -> None:
    frame = loans()
    by_name = config(
        label="approve", facet=[{"name_or_index": "sex", "value_or_threshold": ["f"]}], group_variable="region"
    )
    by_index = config(label=4, facet=[{"name_or_index": 0, "value_or_threshold": ["f"]}], group_variable=1)
    assert run(frame, by_index).clarify == run(frame, by_name).clarify
    with pytest.raises(BadData, match="column 9, but the data have 6 columns"):
        run(frame, config(label="approve", facet=[{"name_or_index": 9}]))
    with pytest.raises(BadData, match="group_variable names column 7"):
        run(frame, config(label="approve", facet=FACETS, group_variable=7))


@pytest.mark.parametrize(
    ("facet", "words", "error"),
    [
        ({"name_or_index": "sex", "value_or_threshold": ["x"]}, "No row has sex = x", "Facet set is empty"),
        ({"name_or_index": "sex", "value_or_threshold": ["f", "m"]}, "Every row has sex = f,m", "Negated Facet set is"),
        ({"name_or_index": "age", "value_or_threshold": [99]}, "nobody to compare", "Facet set is empty"),
    ],
)
def test_a_facet_that_compares_nobody_stops_a_gate_but_not_a_report(
    facet: dict[str, Any], words: str, error: str
) -> None:
    report = run(loans(), config(label="approve", facet=[facet]))
    with pytest.raises(BadData, match=words):
        refuse_empty_sides(report.table)
    metrics = {one["name"]: one for one in report.clarify["facets"][facet["name_or_index"]][0]["metrics"]}
    assert all(metrics[name]["error"].startswith(error) for name in ("AD", "FT", "TE"))
    assert metrics["GE"]["value"] is not None
    assert {one.metric for one in report.measures if one.value is not None} <= {"GE", "CDDPL"}


@pytest.mark.parametrize(
    ("settings", "message", "hint"),
    [
        ({"facet": [{"name_or_index": "age"}]}, "Threshold values must be provided for continuous features", "'age'"),
        (
            {"facet": [{"name_or_index": "age", "value_or_threshold": ["old"]}]},
            "Facet/label value provided must be a single numeric threshold for continuous data",
            "'age'",
        ),
        (
            {"label_values_or_threshold": []},
            "Positive label values or thresholds are empty for Label column",
            "label_values_or_threshold",
        ),
        (
            {"label_values_or_threshold": [7]},
            NO_PREDICTED_POSITIVE,
            "No prediction is positive by label_values_or_threshold 7: approve is categorical (int64, 2 distinct values",
        ),
        (
            {"clarify_ops": {"kinds": {"predicted": "continuous"}}},
            "Predicted Label Column series datatype is not the same as Label Column series",
            "The label 'approve' is categorical (int64, 2 distinct values in 200 rows), the predicted label 'predicted' is",
        ),
    ],
)
def test_what_stops_clarifys_report_stops_ours_in_its_words(settings: dict[str, Any], message: str, hint: str) -> None:
    with pytest.raises(BadInput) as caught:
        run(loans(), config(**{"label": "approve", "facet": [FACETS[0]], **settings}))
    assert caught.value.message == message
    assert hint in caught.value.hint
    assert caught.value.exit_status == 2


def test_two_thresholds_of_one_facet_are_two_entries() -> None:
    frame = loans()
    analysis = config(
        label="approve", facet=[{"name_or_index": "age", "value_or_threshold": [bound]} for bound in (30, 60)]
    )
    report = run(frame, analysis)
    rows = {one.facet_value: one.groups["d"] for one in report.measures}
    assert rows == {"(30.0, 79.0]": (frame["age"] > 30).sum(), "(60.0, 79.0]": (frame["age"] > 60).sum()}
    again = coded(frame, analysis, "approve", None)
    assert {one.value: again.members(one).sum() for one in again.entries} == rows
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

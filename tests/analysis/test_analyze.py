"""analysis_config.json and data in, Clarify's files and ours out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import clarify_ops
from clarify_ops.analysis import counting
from clarify_ops.analysis.analyze import analyze
from clarify_ops.cli import main
from clarify_ops.errors import BadDocument, BadInput, BadModel, NotSupported

from .jobs import METHODS, configuration, equal, people, score

ADULT = {
    "dataset_type": "text/csv",
    "label": "Target",
    "predicted_label": "predicted_label",
    "label_values_or_threshold": [1],
    "facet": [{"name_or_index": "Sex", "value_or_threshold": [0]}],
    "group_variable": "Age",
    "methods": METHODS,
}


def test_the_file_that_clarify_wrote(shared: Path, tmp_path: Path) -> None:
    folder = shared / "data" / "clarify_linear_learner_adult"
    analysis = analyze(ADULT, folder / "validation_with_predictions.csv", output=tmp_path / "out")
    expected = json.loads((folder / "analysis_bias.json").read_text())
    assert equal(json.loads((tmp_path / "out" / "analysis.json").read_text()), expected)
    assert equal(analysis.to_clarify(), expected)


def test_the_output_folder(tmp_path: Path) -> None:
    document = configuration()
    analysis = analyze(document, people(), output=tmp_path / "out")
    assert analysis.folder == tmp_path / "out"
    assert json.loads((tmp_path / "out" / "analysis_config.json").read_text()) == document
    metrics = json.loads((tmp_path / "out" / "metrics.json").read_text())
    assert metrics == json.loads(json.dumps(analysis.metrics))
    assert {one["metric"] for one in metrics["measures"]} >= {"DPL", "DI", "FT"}
    assert metrics["kinds"]["paid"]["kind"] == "categorical"
    assert not [one.name for one in (tmp_path / "out").iterdir() if one.name.startswith(".")]


def test_a_second_analysis_replaces_the_first_and_leaves_the_rest(tmp_path: Path) -> None:
    explaining = configuration(methods={**METHODS, "shap": {"num_samples": 10}})
    analyze(explaining, people(60), model=score_or_fail, output=tmp_path)
    (tmp_path / "notes.txt").write_text("mine")
    assert (tmp_path / "explanations_shap" / "out.csv").is_file()
    analyze(configuration(), people(60), output=tmp_path)
    assert not (tmp_path / "explanations_shap").exists()
    assert (tmp_path / "notes.txt").read_text() == "mine"


def score_or_fail(features: pd.DataFrame) -> np.ndarray[Any, np.dtype[np.float64]]:
    return score(features)


def test_the_package_itself_offers_it() -> None:
    assert clarify_ops.analyze is analyze
    found = clarify_ops.analyze(configuration(), people())
    assert isinstance(found, clarify_ops.Analysis)
    with pytest.raises(AttributeError, match="analyse"):
        _ = clarify_ops.analyse


def test_the_same_input_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("one", "other"):
        analyze(configuration(), people(), output=tmp_path / name)
    files = sorted(one.name for one in (tmp_path / "one").iterdir())
    assert files == sorted(one.name for one in (tmp_path / "other").iterdir())
    for name in files:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "other" / name).read_bytes(), name


def test_predictions_come_from_the_model_where_the_data_hold_none() -> None:
    frame = people()
    labels = (score(frame) > 0.7).astype(int)
    asked = analyze(
        configuration(predicted_label=None, probability_threshold=0.7), frame.drop(columns="predicted"), model=score
    )
    # The flip test looks at every column, so that both datasets must have the same ones.
    given = analyze(configuration(), frame.assign(predicted=labels))
    assert asked.to_clarify() == given.to_clarify()


def test_explanations_of_a_model() -> None:
    frame = people(40).drop(columns="predicted")
    frame.insert(0, "id", [f"r{i}" for i in range(40)])
    document = configuration(
        predicted_label=None,
        joinsource_name_or_index="id",
        excluded_columns=["sex", "city"],
        methods={
            "shap": {"baseline": [[0, 50.0, 4]], "num_samples": 50, "seed": 3},
            "pdp": {"grid_resolution": 4, "top_k_features": 2},
        },
    )
    found = analyze(document, frame, model=score)
    kernel = found.to_clarify()["explanations"]["kernel_shap"]["label0"]
    assert set(kernel["global_shap_values"]) == {"school", "income", "debt"}
    local = found.local_values()
    assert list(local.columns) == ["id", "school_label0", "income_label0", "debt_label0"]
    total = local.drop(columns="id").sum(axis=1) + kernel["expected_value"]
    assert np.allclose(total, score(frame))
    assert [one["feature_name"] for one in found.to_clarify()["explanations"]["pdp"]] == ["income", "debt"]


def test_predictions_and_facets_in_files_of_their_own(tmp_path: Path) -> None:
    frame = people()
    scores = pd.DataFrame({"p": score(frame)})
    scores.to_csv(tmp_path / "p.csv", index=False, header=False)
    frame[["sex"]].to_csv(tmp_path / "f.csv", index=False, header=False)
    data = frame.drop(columns=["sex", "predicted"])
    data.to_csv(tmp_path / "x.csv", index=False, header=False)
    document = configuration(
        headers=list(data.columns),
        facet_dataset_uri=str(tmp_path / "f.csv"),
        facet_headers=["sex"],
        predicted_label_dataset_uri=str(tmp_path / "p.csv"),
        predicted_label_headers=["p"],
        predicted_label="p",
        probability_threshold=0.8,
    )
    apart = analyze(document, tmp_path / "x.csv").to_clarify()
    labels = (score(frame) > 0.8).astype(int)
    together = analyze(configuration(predicted_label="p"), data.assign(sex=frame["sex"], p=labels)).to_clarify()
    assert apart == together


NEEDS: list[tuple[dict[str, Any], type[Exception], str]] = [
    ({"methods": {}}, BadDocument, "asks for nothing"),
    ({"version": "2.0"}, BadDocument, "version '2.0'"),
    ({"label": None}, BadDocument, "needs the key label"),
    ({"facet": None}, BadDocument, "needs the key facet"),
    ({"facet": []}, BadDocument, "needs the key facet"),
    ({"label_values_or_threshold": None}, BadDocument, "needs the key label_values_or_threshold"),
    ({"label_values_or_threshold": []}, BadDocument, "Positive label values or thresholds are empty"),
    ({"predicted_label": None}, BadDocument, "needs predictions"),
    ({"methods": {"shap": {}}}, BadDocument, "needs a model"),
    ({"methods": {"pdp": {"grid_resolution": 3}}}, BadDocument, "needs a model"),
    ({"methods": {**METHODS, "pre_training_bias": {"methods": ["DLP"]}}}, BadDocument, "Invalid metric_name"),
    ({"methods": {**METHODS, "report": {"name": "a/b"}}}, BadDocument, "no file name"),
    ({"lable": "paid"}, BadDocument, "unknown key lable"),
    (
        {"predictor": {"model_name": "m"}, "methods": {"shap": {"baseline": [[1]], "num_clusters": 3}}},
        BadDocument,
        "both baseline and num_clusters",
    ),
    ({"predictor": {"model_name": "m", "content_type": "image/png"}}, NotSupported, "image/png"),
    ({"predictor": {"model_name": "m"}, "methods": {"shap": {}}}, BadDocument, "instance_type"),
    (
        {"methods": {"shap": {"text_config": {"granularity": "token", "language": "english"}}}},
        NotSupported,
        "methods.shap.text_config",
    ),
    ({"dataset_type": "application/x-image"}, NotSupported, "application/x-image"),
]


@pytest.mark.parametrize(("changes", "kind", "words"), NEEDS, ids=[words for _, _, words in NEEDS])
def test_what_cannot_be_done_stops_before_anything_is_written(
    changes: dict[str, Any], kind: type[Exception], words: str, tmp_path: Path
) -> None:
    people(20).to_csv(tmp_path / "x.csv", index=False)
    with pytest.raises(kind, match=words):
        analyze(configuration(**changes), tmp_path / "x.csv", output=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_keys_about_a_model_that_nobody_asks_are_told() -> None:
    found = analyze(configuration(predictor={"content_type": "text/csv", "label": 0}), people(60))
    assert "No model is named, so that these keys had nothing to say: predictor.content_type." in found.metrics["notes"]


def test_pdp_alone_needs_features() -> None:
    with pytest.raises(BadDocument, match="names no features"):
        analyze(configuration(methods={"pdp": {"grid_resolution": 3}}), people(20), model=score)


@pytest.mark.parametrize(
    ("methods", "key"),
    [
        ({"shap": {"num_samples": 0}}, "methods.shap.num_samples"),
        ({"pdp": {"grid_resolution": 0, "features": ["debt"]}}, "methods.pdp.grid_resolution"),
        ({"pdp": {"grid_resolution": 2, "top_k_features": -1, "features": ["debt"]}}, "methods.pdp.top_k_features"),
    ],
)
def test_numbers_that_the_schema_leaves_open(methods: dict[str, Any], key: str) -> None:
    with pytest.raises(BadDocument, match=key):
        analyze(configuration(methods=methods), people(20), model=score)


def test_all_negative_predictions_stop_the_job_in_clarifys_words() -> None:
    with pytest.raises(BadInput, match="No Label values are present in the predicted Label Column"):
        analyze(configuration(), people().assign(predicted=0))
    before = analyze(configuration(methods={"pre_training_bias": {"methods": "all"}}), people().assign(predicted=0))
    assert list(before.to_clarify()) == ["version", "pre_training_bias_metrics"]


def answers(kind: str) -> Any:
    def broken(features: pd.DataFrame) -> Any:
        if kind == "raises":
            raise RuntimeError("out of order")
        if kind == "short":
            return score(features)[:-1]
        if kind == "cube":
            return np.zeros((len(features), 2, 2))
        return np.column_stack([score(features), 1 - score(features)])

    return broken


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("raises", "out of order"),
        ("short", "answers 19 rows for 20"),
        ("cube", "3 dimensions"),
        ("two", "2 scores a row"),
    ],
)
def test_a_model_that_cannot_be_used(kind: str, words: str) -> None:
    with pytest.raises((BadModel, BadDocument), match=words):
        analyze(configuration(predicted_label=None), people(20), model=answers(kind))


def test_the_highest_score_names_the_label() -> None:
    frame = people().assign(paid=lambda one: one["paid"].map({0: "no", 1: "yes"})).drop(columns="predicted")
    found = analyze(
        configuration(
            predicted_label=None, label_values_or_threshold=["yes"], predictor={"label_headers": ["yes", "no"]}
        ),
        frame,
        model=answers("two"),
    )
    expected = analyze(
        configuration(label_values_or_threshold=["yes"]),
        frame.assign(predicted=np.where(score(frame) >= 0.5, "yes", "no")),
    )
    assert found.to_clarify() == expected.to_clarify()


def test_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    people().to_csv(tmp_path / "x.csv", index=False)
    (tmp_path / "c.json").write_text(json.dumps(configuration(dataset_uri=str(tmp_path / "x.csv"))))
    arguments = ["clarify-ops", "analyze", "--config", str(tmp_path / "c.json"), "--output", str(tmp_path / "out")]
    monkeypatch.setattr("sys.argv", arguments)
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code in {0, None}
    told = capsys.readouterr()
    assert "sex = female" in told.out
    assert str(tmp_path / "out" / "analysis.json") in told.out
    assert "counting 200 rows" in told.err


def test_without_options_there_must_be_a_container(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.argv", ["clarify-ops", "analyze"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    assert "/opt/ml/processing/input/config/analysis_config.json" in capsys.readouterr().err


def test_what_stands_beside_the_measures() -> None:
    found = analyze(
        configuration(
            segment_config=[{"name_or_index": "city", "segments": [["a"], ["b"]], "config_name": "town"}],
            clarify_ops={"intersections": [["sex", "city"]]},
        ),
        people(),
    )
    metrics = found.metrics
    towns = people()["city"].value_counts()
    assert {one["segment"]: one["rows"] for one in metrics["segments"]} == {
        "a": towns["a"],
        "b": towns["b"],
        "__default__": towns["c"],
    }
    alone = analyze(
        configuration(clarify_ops={"intersections": [["sex", "city"]]}), people().query("city == 'a'").reset_index()
    )
    dpl = [one for one in metrics["segments"][0]["measures"] if one["metric"] == "DPL" and one["facet"] == "sex"]
    assert dpl[0]["value"] == next(one.value for one in alone.measures if one.metric == "DPL" and one.facet == "sex")
    assert metrics["intersections"] == {"sex & city": {"empty_combinations": 0}}
    values = {one["facet_value"] for one in metrics["measures"] if one["facet"] == "sex & city"}
    assert len(values) == 6
    assert "sex & city" not in found.to_clarify()["pre_training_bias_metrics"]["facets"]
    assert {one["metric"] for one in metrics["drivers"]["decompositions"]} >= {"DPL", "DPPL"}
    assert metrics["performance"]["model_performance_metrics"][0]["name"] == "Accuracy"
    assert metrics["stats"]["pre_training"]["sex"]["female"]["proportion"] == (people()["sex"] == "female").mean()


def test_classes_and_numbers() -> None:
    frame = people().assign(
        paid=lambda one: one["paid"] + (one["income"] > 60), predicted=lambda one: one["predicted"] + (one["debt"] > 6)
    )
    classes = analyze(configuration(), frame).metrics["classes"]
    assert {one["of"] for one in classes} == {"label", "predicted_label"}
    regression = configuration(
        label="income", predicted_label="guess", label_values_or_threshold=[50.0], group_variable=None
    )
    numeric = analyze(regression, people().assign(guess=lambda one: one["income"] + 1.0)).metrics["numeric"]
    income = people()["income"]
    sides = [income[people()["sex"] == one].mean() for one in ("male", "female")]
    mean = next(one for one in numeric[0]["differences"] if one["statistic"] == "mean")
    assert mean["value"] == pytest.approx(sides[0] - sides[1])


@pytest.mark.parametrize(
    "changes", [{}, {"label": "income", "predicted_label": "guess", "label_values_or_threshold": [50.0]}]
)
def test_rows_that_nobody_needs_are_counted_in_blocks_to_the_same_numbers(
    changes: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    metrics = ["AD", "DAR", "DCA", "DPPL", "RD", "TE"]
    methods = {"pre_training_bias": {"methods": "all"}, "post_training_bias": {"methods": metrics}}
    document = configuration(
        methods=methods,
        clarify_ops={"intersections": [["sex", "city"]]},
        segment_config=[{"name_or_index": "city", "segments": [["a"], ["b"]], "config_name": "town"}],
        **changes,
    )
    frame = people().assign(gaps=np.nan, guess=lambda one: one["income"] + 1.0)
    one_by_one = analyze(document, frame)
    monkeypatch.setattr(counting, "MANY_ROWS", 1)
    in_blocks = analyze(document, frame)
    assert in_blocks.metrics == one_by_one.metrics
    assert in_blocks.to_clarify() == one_by_one.to_clarify()

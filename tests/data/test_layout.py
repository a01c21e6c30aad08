"""From a configuration to one table: every format, names and indices, files side by side."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from clarify_ops.config.analysis import AnalysisConfig
from clarify_ops.data.layout import AnalysisData, read_analysis_data
from clarify_ops.errors import BadData, BadDocument, BadInput, NotSupported

ROWS = [[30, "f", 1.5, 1], [41, "m", 2.0, 0], [25, "f", 0.5, 1]]
NAMES = ["age", "sex", "score", "approve"]
FRAME = pd.DataFrame(ROWS, columns=NAMES)


def config(**keys: Any) -> AnalysisConfig:
    return AnalysisConfig.parse({"dataset_type": "text/csv", "methods": {}, **keys}, "The configuration")


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str, str | bytes], str]:
    def to(name: str, content: str | bytes) -> str:
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content.encode() if isinstance(content, str) else content)
        return str(file)

    return to


Write = Callable[[str, str | bytes], str]


def csv(frame: pd.DataFrame, *, header: bool = True) -> str:
    return str(frame.to_csv(index=False, header=header))


def refused(words: str, data: str | pd.DataFrame | None, error: type[BadInput] = BadData, **keys: Any) -> BadInput:
    with pytest.raises(error, match=words) as caught:
        read_analysis_data(config(**keys), data)
    assert caught.value.exit_status == 2
    assert "\n" not in str(caught.value)
    return caught.value


def the_same(found: AnalysisData, **also: Any) -> None:
    pd.testing.assert_frame_equal(found.frame, FRAME)
    assert found.label == "approve"
    assert found.features == ("age", "sex", "score")
    for key, value in also.items():
        assert getattr(found, key) == value


# ------------------------------------------------------------------ one table, in every format


@pytest.mark.parametrize("header", [True, False])
def test_headers_are_given_for_files_with_a_header_and_without(write: Write, header: bool) -> None:  # noqa: FBT001
    path = write("a.csv", csv(FRAME, header=header))
    the_same(read_analysis_data(config(headers=NAMES, label="approve"), path))
    the_same(read_analysis_data(config(headers=NAMES, label=3, dataset_uri=path), None))


def test_csv_without_headers_has_the_names_of_its_header(write: Write) -> None:
    the_same(read_analysis_data(config(label="approve"), write("a.csv", csv(FRAME))))


def test_csv_without_any_header_has_numbered_columns(write: Write) -> None:
    path = write("a.csv", csv(FRAME, header=False))
    found = read_analysis_data(config(label=3, facet=[{"name_or_index": 1}], excluded_columns=[0]), path)
    assert list(found.frame.columns) == ["column_0", "column_1", "column_2", "column_3"]
    assert len(found.frame) == 3
    assert (found.label, found.facets, found.features) == ("column_3", ("column_1",), ("column_1", "column_2"))
    assert any("holds values, so it is no header" in note for note in found.notes)


def test_a_header_with_numbers_for_names_is_known_by_the_names_that_are_asked_for(write: Write) -> None:
    found = read_analysis_data(config(label="town"), write("a.csv", "town,2019,2020\nA,1,2\n"))
    assert list(found.frame.columns) == ["town", "2019", "2020"]


def test_json_lines(write: Write) -> None:
    lines = "".join(json.dumps({"features": row[:3], "label": row[3]}) + "\n" for row in ROWS)
    path = write("a.jsonl", lines)
    keys = {"dataset_type": "application/jsonlines", "features": "features", "label": "label"}
    the_same(read_analysis_data(config(**keys, headers=NAMES), path))
    found = read_analysis_data(config(**keys), path)
    assert list(found.frame.columns) == ["column_0", "column_1", "column_2", "column_3"]
    assert found.label == "column_3"


def test_json_lines_of_named_values_and_a_prediction(write: Write) -> None:
    lines = "\n".join(
        json.dumps({"in": {"age": row[0], "marital status": row[1]}, "y": row[3], "p": row[2]}) for row in ROWS
    )
    found = read_analysis_data(
        config(
            dataset_type="application/jsonlines",
            features='in.[age, "marital status"]',
            label="y",
            predicted_label="p",
            headers=["age", "marital status", "label", "prediction"],
            facet=[{"name_or_index": "marital status"}],
            group_variable=0,
        ),
        write("a.jsonl", lines),
    )
    assert found.frame["marital status"].tolist() == ["f", "m", "f"]
    assert (found.label, found.predicted_label, found.group) == ("label", "prediction", "age")
    assert found.facets == ("marital status",)
    assert found.features == ("age", "marital status")


def test_a_json_document(write: Write) -> None:
    document = {"instances": [{"features": row[:3], "label": row[3]} for row in ROWS]}
    keys = {"dataset_type": "application/json", "features": "instances[*].features", "label": "instances[*].label"}
    the_same(read_analysis_data(config(**keys, headers=NAMES), write("a.json", json.dumps(document, indent=1))))


def test_parquet_has_names_and_types_of_its_own(tmp_path: Path) -> None:
    FRAME.astype({"sex": "category"}).to_parquet(tmp_path / "a.parquet")
    found = read_analysis_data(
        config(dataset_type="application/x-parquet", label="approve"), str(tmp_path / "a.parquet")
    )
    the_same(AnalysisData(**{**vars(found), "frame": found.frame.astype({"sex": FRAME["sex"].dtype})}))
    assert found.frame["sex"].dtype == "category"


def test_a_data_frame_is_taken_as_it_is() -> None:
    frame = FRAME.astype({"sex": "category", "age": "Int64"}).set_index(pd.Index([7, 8, 9]))
    found = read_analysis_data(config(label="approve", dataset_uri="/nowhere.csv"), frame)
    pd.testing.assert_frame_equal(found.frame, frame.reset_index(drop=True))
    assert found.files[0].rows == 3
    assert found.digest != read_analysis_data(config(label="approve"), frame.assign(age=1)).digest
    assert list(frame.index) == [7, 8, 9]


def test_a_data_frame_without_names_takes_the_headers() -> None:
    frame = pd.DataFrame(FRAME.to_numpy())
    assert list(read_analysis_data(config(headers=NAMES, label=3), frame).frame.columns) == NAMES
    assert read_analysis_data(config(label=3), frame).label == "column_3"


def test_a_data_frame_for_a_configuration_of_json() -> None:
    keys = {"dataset_type": "application/jsonlines", "features": "features"}
    assert read_analysis_data(config(**keys, label="age"), FRAME).label == "age"
    keys = {"dataset_type": "application/json", "features": "[].x", "label": "[].y"}
    the_same(read_analysis_data(config(**keys, headers=NAMES), FRAME))


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"dataset_type": "application/x-image"}, "application/x-image is not supported"),
        ({"dataset_type": "application/sagemakercapturejson"}, "sagemakercapturejson is not supported"),
        (
            {
                "dataset_type": "application/json",
                "time_series_data_config": {"target_time_series": "a", "item_id": "b", "timestamp": "c"},
            },
            "time_series_data_config is not supported",
        ),
    ],
)
def test_what_is_not_read_is_refused_by_name(keys: dict[str, Any], words: str) -> None:
    refused(words, None, NotSupported, **keys)


# ------------------------------------------------------------------ names and indices


def test_names_and_indices_mean_the_same(write: Write) -> None:
    path = write("a.csv", csv(FRAME))
    by_name = config(
        label="age",
        predicted_label="approve",
        facet=[{"name_or_index": "sex"}, {"name_or_index": "score"}],
        group_variable="sex",
        excluded_columns=["score"],
        joinsource_name_or_index="age",
        segment_config=[{"name_or_index": "sex", "segments": [["f"]]}],
        clarify_ops={"intersections": [["sex", "score"]]},
    )
    by_index = config(
        label=0,
        predicted_label=3,
        facet=[{"name_or_index": 1}, {"name_or_index": 2}],
        group_variable=1,
        excluded_columns=[2],
        joinsource_name_or_index=0,
        segment_config=[{"name_or_index": 1, "segments": [["f"]]}],
        clarify_ops={"intersections": [[1, 2]]},
    )
    one, other = read_analysis_data(by_name, path), read_analysis_data(by_index, path)
    assert {**vars(one), "frame": None} == {**vars(other), "frame": None}
    assert one.features == ("sex",)
    assert (one.label, one.join, one.segments, one.intersections) == ("age", "age", ("sex",), (("sex", "score"),))


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"label": "aprove"}, r"label names the column 'aprove'.*Did you mean \"approve\""),
        ({"label": 4}, "label is 4, and .* has 4 columns, 0 to 3"),
        ({"label": -1}, "label is -1, and"),
        ({"facet": [{"name_or_index": "sex"}, {"name_or_index": 9}]}, r"facet\[1\].name_or_index is 9"),
        ({"group_variable": "region"}, "group_variable names the column 'region'"),
        ({"excluded_columns": ["sex", "id"]}, r"excluded_columns\[1\] names the column 'id'"),
        ({"joinsource_name_or_index": "id"}, "joinsource_name_or_index names the column 'id'"),
        ({"segment_config": [{"name_or_index": "x", "segments": [["f"]]}]}, r"segment_config\[0\].name_or_index names"),
        ({"clarify_ops": {"intersections": [["sex", 7]]}}, r"clarify_ops.intersections\[0\] is 7"),
    ],
)
def test_a_column_that_is_not_there(write: Write, keys: dict[str, Any], words: str) -> None:
    refused(words, write("a.csv", csv(FRAME)), **keys)


# ------------------------------------------------------------------ facets and predictions in files of their own


def test_facets_and_predictions_are_joined_by_position(write: Write) -> None:
    found = read_analysis_data(
        config(
            headers=["approve", "age"],
            label="approve",
            facet_dataset_uri=write("facets.csv", "4,0\n2,1\n4,1\n"),
            facet_headers=["Ethnic group", "Sex"],
            facet=[{"name_or_index": 1, "value_or_threshold": [0]}],
            group_variable="Ethnic group",
            predicted_label_dataset_uri=write("predictions.csv", "0.2\n0.9\n0.4\n"),
            predicted_label_headers=["Predicted_label"],
            predicted_label="Predicted_label",
        ),
        write("a.csv", "1,30\n0,41\n1,25\n"),
    )
    assert found.frame.to_dict("list") == {
        "approve": [1, 0, 1],
        "age": [30, 41, 25],
        "Ethnic group": [4, 2, 4],
        "Sex": [0, 1, 1],
        "Predicted_label": [0.2, 0.9, 0.4],
    }
    assert (found.facets, found.group, found.predicted_label) == (("Sex",), "Ethnic group", "Predicted_label")
    assert found.features == ("age",)
    assert [(file.role, file.rows) for file in found.files] == [("data", 3), ("facets", 3), ("predictions", 3)]


@pytest.mark.parametrize("content", ["0.2\n0.9\n0.4\n", "predicted_label\n0.2\n0.9\n0.4\n"])
def test_predictions_without_a_name_are_called_predicted_label(write: Write, content: str) -> None:
    keys = {"label": "approve", "predicted_label_dataset_uri": write("p.csv", content)}
    found = read_analysis_data(config(**keys), write("a.csv", csv(FRAME)))
    assert found.predicted_label == "predicted_label"
    assert found.frame["predicted_label"].tolist() == [0.2, 0.9, 0.4]
    assert "predicted_label" not in found.features


def test_a_key_joins_what_stands_in_all_files(write: Write) -> None:
    found = read_analysis_data(
        config(
            label="y",
            joinsource_name_or_index=0,
            facet_dataset_uri=write("facets.csv", "sex,id\nf,3\nm,1\nf,2\nm,9\n"),
            facet=[{"name_or_index": 0}],
            predicted_label_dataset_uri=write("p.csv", "id,score\n1,0.1\n3,0.3\n4,0.4\n"),
        ),
        write("a.csv", "id,y,x\n4,0,d\n3,1,c\n2,0,b\n1,1,a\n"),
    )
    assert found.frame.to_dict("list") == {
        "id": [3, 1],
        "y": [1, 1],
        "x": ["c", "a"],
        "sex": ["f", "m"],
        "score": [0.3, 0.1],
    }
    assert (found.join, found.features, found.predicted_label) == ("id", ("x",), "score")
    notes = " ".join(found.notes)
    assert "1 of 4 rows of " in notes
    assert "The join leaves 2 of 4 rows." in notes


def test_data_in_many_files_need_a_key(write: Write, tmp_path: Path) -> None:
    write("data/1.csv", "id,y\n1,0\n")
    write("data/2.csv", "id,y\n2,1\n")
    facets = write("facets.csv", "id,sex\n2,f\n1,m\n")
    keys: dict[str, Any] = {"label": "y", "facet_dataset_uri": facets, "facet": [{"name_or_index": "sex"}]}
    refused("The data are in 2 files.*Set joinsource_name_or_index", str(tmp_path / "data"), **keys)
    found = read_analysis_data(config(**keys, joinsource_name_or_index="id"), str(tmp_path / "data"))
    assert found.frame["sex"].tolist() == ["m", "f"]


@pytest.mark.parametrize(
    ("facets", "keys", "words"),
    [
        ("sex\nf\n", {}, r"a.csv has 2 rows and .*facets.csv has 1, and they are joined by position"),
        (
            "id,sex\n1,f\n1,m\n",
            {"joinsource_name_or_index": "id"},
            r"'id' has the value 1 twice: in line 2 of .*facets",
        ),
        ("sex\nf\nm\n", {"joinsource_name_or_index": "id"}, r"joinsource_name_or_index, for .*facets.csv, names"),
        ("id,sex\n8,f\n9,m\n", {"joinsource_name_or_index": "id"}, "No 'id' stands in all of"),
        ("id,sex\na,f\nb,m\n", {"joinsource_name_or_index": "id"}, "'id' holds numbers in .* and text in"),
        ("y,sex\n1,f\n1,m\n", {}, "The column 'y' stands in .* and in .* with other values"),
    ],
)
def test_files_that_do_not_fit(write: Write, facets: str, keys: dict[str, Any], words: str) -> None:
    also: dict[str, Any] = {
        "label": "y",
        "facet_dataset_uri": write("facets.csv", facets),
        "facet": [{"name_or_index": "sex"}],
    }
    refused(words, write("a.csv", "id,y\n1,0\n2,1\n"), **also, **keys)


def test_a_column_that_two_files_share_stands_once(write: Write) -> None:
    keys = {"label": "y", "facet_dataset_uri": write("f.csv", "x,sex\na,f\n,m\n"), "facet": [{"name_or_index": 1}]}
    found = read_analysis_data(config(**keys), write("a.csv", "y,x\n1,a\n0,\n"))
    assert list(found.frame.columns) == ["y", "x", "sex"]
    assert found.features == ("x",)


def test_a_prediction_named_like_the_label_gets_a_name_of_its_own(write: Write) -> None:
    keys = {"label": "y", "predicted_label_dataset_uri": write("p.csv", "y\n0.5\n0.2\n"), "predicted_label": "y"}
    found = read_analysis_data(config(**keys), write("a.csv", "y,x\n1,a\n0,b\n"))
    assert found.frame.to_dict("list") == {"y": [1, 0], "x": ["a", "b"], "predicted_label": [0.5, 0.2]}
    assert (found.label, found.predicted_label, found.features) == ("y", "predicted_label", ("x",))
    assert any("is called 'predicted_label'" in note for note in found.notes)


def test_three_files_without_any_name(write: Write) -> None:
    found = read_analysis_data(
        config(
            label=0,
            excluded_columns=[1],
            facet_dataset_uri=write("f.csv", "4,0\n2,1\n"),
            facet=[{"name_or_index": 1}],
            predicted_label_dataset_uri=write("p.csv", "0,0.5\n1,0.2\n"),
            predicted_label=1,
        ),
        write("a.csv", "1,7,8\n0,9,6\n"),
    )
    assert found.frame.to_dict("list") == {
        "column_0": [1, 0],
        "column_1": [7, 9],
        "column_2": [8, 6],
        "facet_column_1": [0, 1],
        "predicted_label": [0.5, 0.2],
    }
    assert (found.label, found.facets, found.predicted_label) == ("column_0", ("facet_column_1",), "predicted_label")
    assert found.features == ("column_2",)


def test_a_facet_may_stand_in_the_data_all_the_same(write: Write) -> None:
    facets = [{"name_or_index": "x"}, {"name_or_index": "sex"}]
    keys = {"label": "y", "facet_dataset_uri": write("f.csv", "sex\nf\nm\n"), "facet": facets}
    found = read_analysis_data(config(**keys), write("a.csv", "y,x\n1,a\n0,b\n"))
    assert found.facets == ("x", "sex")


def test_separate_files_are_csv_beside_csv(write: Write) -> None:
    keys = {"dataset_type": "application/x-parquet", "facet_dataset_uri": "f.csv"}
    refused("facet_dataset_uri goes with the dataset_type text/csv alone", None, BadDocument, **keys)
    refused("predicted_label_headers stands without", None, BadDocument, predicted_label_headers=["x"])


def test_no_data_at_all() -> None:
    refused("The configuration names no data. Set dataset_uri", None, BadDocument)


# ------------------------------------------------------------------ columns of numbers and text


def test_a_column_of_numbers_with_some_text_is_text_and_noted(write: Write) -> None:
    path = write("a.csv", "id,age,y\n1,30,1\n2,,0\n3,unknown,1\n4,41,0\n5,29,1\n")
    found = read_analysis_data(config(label="y"), path)
    assert found.frame["age"].dropna().tolist() == ["30", "unknown", "41", "29"]
    assert any("'age' is text: 'unknown' in line 4 of" in note for note in found.notes)
    words = "The column 'age' is split at a threshold, and 'unknown' in line 4 of .* is no number"
    refused(words, path, label="y", facet=[{"name_or_index": "age", "value_or_threshold": [30.5]}])
    refused(words, path, label="y", clarify_ops={"kinds": {"age": "continuous"}})


def test_a_long_text_among_numbers_is_cut_short(write: Write) -> None:
    found = read_analysis_data(config(label=1), write("a.csv", f"a,y\n1,1\n2,1\n{'long ' * 99},0\n"))
    assert len(found.notes) == 1
    assert "...' in line 4 of" in found.notes[0]
    assert "long " * 9 not in found.notes[0]


def test_categories_with_a_few_numerals_need_no_note(write: Write) -> None:
    found = read_analysis_data(config(label="y"), write("a.csv", "grade,y\nA,1\n10,0\nB,1\nC,1\n"))
    assert found.notes == ()

"""From a configuration to one table: every format, names and indices, files side by side."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from clarify_ops.data.layout import AnalysisData, read_analysis_data
from clarify_ops.errors import NotSupported

from .reading import FRAME, NAMES, ROWS, Write, config, csv, refused


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


@pytest.mark.parametrize(
    ("headers", "words"),
    [
        (NAMES[:2], "headers names 2 columns, and .*a.parquet has 4"),
        (["sex", "age", "score", "approve"], "column 0 is 'age' there and 'sex' in headers. Leave headers out"),
    ],
)
def test_headers_beside_parquet_say_what_it_says(tmp_path: Path, headers: list[str], words: str) -> None:
    file = tmp_path / "a.parquet"
    FRAME.to_parquet(file)
    refused(words, str(file), dataset_type="application/x-parquet", headers=headers)
    the_same(read_analysis_data(config(dataset_type="application/x-parquet", headers=NAMES, label=3), file))


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


# ------------------------------------------------------------------ columns of numbers and text


def test_a_column_of_numbers_with_some_text_is_text_and_noted(write: Write) -> None:
    path = write("a.csv", "id,age,y\n1,30,1\n2,,0\n3,unknown,1\n4,41,0\n5,29,1\n")
    found = read_analysis_data(config(label="y"), path)
    assert found.frame["age"].dropna().tolist() == ["30", "unknown", "41", "29"]
    assert any("'age' is text: 'unknown' in line 4 of" in note for note in found.notes)
    words = "The column 'age' is split at a threshold, and 'unknown' in line 4 of .* is no number"
    refused(words, path, label="y", facet=[{"name_or_index": "age", "value_or_threshold": [30.5]}])
    refused(words, path, label="y", clarify_ops={"kinds": {"age": "continuous"}})


def test_numbers_of_hundreds_of_digits(write: Write) -> None:
    assert read_analysis_data(config(), write("a.csv", f"x,y\n{'9' * 400},1\n1,1\n")).notes == ()
    found = read_analysis_data(config(), write("b.csv", f"x,y\n{'9' * 400},1\n1,1\n?,1\n"))
    assert found.notes[-1].endswith("'?' in line 4 of " + found.files[0].address + " is no number, as 2 of 3 are.")


def test_a_long_text_among_numbers_is_cut_short(write: Write) -> None:
    found = read_analysis_data(config(label=1), write("a.csv", f"a,y\n1,1\n2,1\n{'long ' * 99},0\n"))
    assert len(found.notes) == 1
    assert "...' in line 4 of" in found.notes[0]
    assert "long " * 9 not in found.notes[0]


def test_categories_with_a_few_numerals_need_no_note(write: Write) -> None:
    found = read_analysis_data(config(label="y"), write("a.csv", "grade,y\nA,1\n10,0\nB,1\nC,1\n"))
    assert found.notes == ()

"""Facets and predictions in files of their own: side by side with the data, by position or by a key."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from clarify_ops.data.layout import read_analysis_data
from clarify_ops.errors import BadDocument

from .reading import FRAME, Write, config, csv, refused


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


def test_an_index_is_the_key_of_each_file_where_names_differ(write: Write) -> None:
    keys = {"joinsource_name_or_index": 0, "facet": [{"name_or_index": "sex"}]}
    facets = write("f.csv", "customer,sex\n2,f\n1,m\n")
    found = read_analysis_data(config(facet_dataset_uri=facets, **keys), write("a.csv", "id,age\n1,7\n2,8\n"))
    assert found.frame.to_dict("list") == {"id": [1, 2], "age": [7, 8], "sex": ["m", "f"]}
    assert (found.join, found.features) == ("id", ("age",))


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

"""Baseline rows in files: the same rows in every format, and one sentence about whatever is wrong."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import fsspec
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clarify_ops.errors import BadData, BadDocument, BadInput, NotSupported
from clarify_ops.explain.baseline import baseline_rows
from clarify_ops.explain.baseline_file import baseline_from_file

from .models import loans

ROWS: list[list[Any]] = [
    [30, 1.5, "west", True, "0213"],
    [41, None, "far, north", False, "0940"],
]


@pytest.fixture
def data() -> pd.DataFrame:
    """Features of each kind; the text of one begins with digits, so that a few of its values look like numbers."""
    return pd.DataFrame(
        {
            "age": [30, 20, 50],
            "income": [1.5, float("nan"), 2.5],
            "home town": ["west", "north", None],
            "married": [True, False, False],
            "code": ["0213", "1A", "77"],
        }
    )


def refused(words: str, place: Path, data: pd.DataFrame, **given_: Any) -> BadInput:
    with pytest.raises(BadInput, match=words) as caught:
        baseline_from_file(str(place), data, **given_)
    assert caught.value.exit_status == 2
    assert "\n" not in str(caught.value)
    return caught.value


def written(folder: Path, name: str, content: str | bytes) -> Path:
    file = folder / name
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return file


def in_csv(data: pd.DataFrame, *, header: bool) -> str:
    frame = pd.DataFrame(ROWS, columns=data.columns)
    return frame.to_csv(index=False, header=header)


def test_every_format_holds_the_same_rows(tmp_path: Path, data: pd.DataFrame) -> None:
    expected = baseline_rows(ROWS, data)
    frame = pd.DataFrame(ROWS, columns=data.columns)
    lines = "\n".join(json.dumps({"features": row}) for row in ROWS)
    whole = json.dumps({"instances": [{"features": row} for row in ROWS]})
    parquet = tmp_path / "base.parquet"
    frame[[*reversed(data.columns)]].to_parquet(parquet)
    places: list[tuple[Path, dict[str, Any]]] = [
        (written(tmp_path, "bare.csv", in_csv(data, header=False)), {}),
        (written(tmp_path, "headed.csv", in_csv(data, header=True)), {}),
        (written(tmp_path, "base.jsonl", lines), {"dataset_type": "application/jsonlines", "features": "features"}),
        (
            written(tmp_path, "base.json", whole),
            {"dataset_type": "application/json", "features": "instances[*].features"},
        ),
        (parquet, {"dataset_type": "application/x-parquet"}),
        # The name says what it is.
        (parquet, {"dataset_type": "text/csv"}),
        (tmp_path / "headed.csv", {"dataset_type": "application/x-parquet"}),
    ]
    for place, keys in places:
        found = baseline_from_file(str(place), data, **keys)
        pd.testing.assert_frame_equal(found.rows, expected)
        assert found.digest == f"sha256:{hashlib.sha256(place.read_bytes()).hexdigest()}"
        assert found.address == str(place)
    assert expected["code"].tolist() == ["0213", "0940"]


def test_a_uri_and_a_folder_are_read(tmp_path: Path, data: pd.DataFrame) -> None:
    content = in_csv(data, header=True)
    with fsspec.open("memory://baselines/base.csv", "w") as stream:
        stream.write(content)
    found = baseline_from_file("memory://baselines/base.csv", data)
    pd.testing.assert_frame_equal(found.rows, baseline_rows(ROWS, data))
    folder = tmp_path / "parts"
    folder.mkdir()
    written(folder, "a.csv", content)
    written(folder, "b.csv", in_csv(data, header=False))
    written(folder, "_SUCCESS", "")
    both = baseline_from_file(str(folder), data)
    pd.testing.assert_frame_equal(both.rows, baseline_rows(ROWS * 2, data))
    assert both.notes != ()
    assert both.digest != found.digest


@settings(deadline=None, max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(2, 40), st.integers(0, 2**32))
def test_rows_of_the_data_come_back_as_they_were(tmp_path: Path, rows: int, seed: int) -> None:
    data = loans(rows, seed).astype({"grade": "str"})
    file = tmp_path / "own.csv"
    data.to_csv(file, index=False)
    found = baseline_from_file(str(file), data).rows
    # A column without any value may come back as one of floats.
    pd.testing.assert_frame_equal(found, data, check_dtype=not data.isna().all().any())


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "is empty"),
        ("\n\n", "is empty"),
        ("age,income,home town,married,code\n", "has no rows"),
        ("30,1.5,west,True\n", "There are 4 values in line 1 of .*base.csv, and the data have 5 features"),
        ("30,1.5,west,True,1A,0,1\n", "There are 7 values in line 1 of"),
        ("30\n", "There is 1 value in line 1 of"),
        ("30,1.5,west,True,1A\n\n41,2.5\n", "Expected 5 fields in line 3, saw 2"),
        ("age,income,town,married,code\n30,1.5,west,True,1A\n", "column 2 is 'town' there and 'home town'"),
        (
            "30,1.5,west,True,1A\n41,much,west,True,1A\n",
            "Line 2 of .*base.csv has 'much' for the feature 'income', which holds numbers",
        ),
        ("30,1.5,west,maybe,1A\n", "Line 1 of .* has 'maybe' for the feature 'married', which holds true and false"),
        ("30,1.5,west,True,1A\n41,inf,west,True,1A\n", "Line 2 of .* has inf for the feature 'income'"),
        (b"30,1.5,w\xffst,True,1A\n", "is not UTF-8"),
    ],
)
def test_what_is_wrong_in_csv_is_said(tmp_path: Path, data: pd.DataFrame, content: str | bytes, said: str) -> None:
    error = refused(said, written(tmp_path, "base.csv", content), data)
    assert isinstance(error, BadData)
    assert error.message.startswith("methods.shap.baseline: ")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ('{"features": [30, 1.5]}', "There are 2 values in line 1 of .*, and the data have 5 features"),
        ('{"other": []}', "finds nothing in line 1"),
        ('{"features": [30, 1.5, 5, true, "1A"]}', "Line 1 of .* has 5 for the feature 'home town', which holds text"),
        ('{"features": [30, "a", "b", true, "c"]}', "Line 1 of .* has 'a' for the feature 'income', which holds num"),
        ('{"features": [30, 1, "b", true, "c"]}\n[', "Line 2 of .* is not valid JSON"),
        ("", "is empty"),
    ],
)
def test_what_is_wrong_in_json_lines_is_said(tmp_path: Path, data: pd.DataFrame, content: str, said: str) -> None:
    place = written(tmp_path, "base.jsonl", content)
    refused(said, place, data, dataset_type="application/jsonlines", features="features")


def test_parquet_has_the_features_and_no_others(tmp_path: Path, data: pd.DataFrame) -> None:
    place = tmp_path / "base.parquet"
    data.assign(label=1).to_parquet(place)
    refused("base.parquet has the column 'label', which is no feature", place, data)
    data.rename(columns={"age": "agee"}).to_parquet(place)
    refused("lacks the feature 'age'. Did you mean \"agee\"", place, data)
    data.iloc[:0].to_parquet(place)
    refused("has no rows", place, data)
    data.assign(age=["a", "b", "c"]).to_parquet(place)
    refused("Row 1 of .* has 'a' for the feature 'age', which holds numbers", place, data)
    place.write_bytes(b"text")
    refused("is not a readable parquet file", place, data)


def test_missing_files_settings_and_layouts_are_said(tmp_path: Path, data: pd.DataFrame) -> None:
    refused("does not exist", tmp_path / "none.csv", data)
    place = written(tmp_path, "rows", in_csv(data, header=False))
    with pytest.raises(NotSupported, match="application/x-image"):
        baseline_from_file(str(place), data, dataset_type="application/x-image")
    with pytest.raises(BadDocument, match="lacks the key features"):
        baseline_from_file(str(place), data, dataset_type="application/json")


@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.one_of(st.binary(max_size=60), st.text("0123456789,.\"'\nabTrue \t\r", max_size=80).map(str.encode)),
    st.sampled_from(["text/csv", "application/json", "application/jsonlines", "application/x-parquet"]),
)
def test_any_bytes_give_rows_or_one_sentence(tmp_path: Path, data: pd.DataFrame, content: bytes, kind: Any) -> None:
    place = written(tmp_path, "rows", content)
    try:
        found = baseline_from_file(str(place), data, dataset_type=kind, features="@")
    except BadInput as error:
        said = str(error)
    else:
        said = ""
        assert list(found.rows.columns) == list(data.columns)
    assert "\n" not in said


def test_rows_of_adult_may_be_its_baseline(tmp_path: Path, shared: Path) -> None:
    adult = pd.read_csv(shared / "data" / "adult" / "adult.data", header=None).rename(columns="column_{}".format)
    features = adult.drop(columns="column_14")
    place = tmp_path / "base.csv"
    features.iloc[100:140].to_csv(place, index=False, header=False)
    found = baseline_from_file(str(place), features).rows
    pd.testing.assert_frame_equal(found, features.iloc[100:140].reset_index(drop=True))

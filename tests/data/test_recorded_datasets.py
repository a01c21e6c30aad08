"""Datasets of the shapes that public notebooks give to Clarify, read by the configurations that they make; and real data."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from clarify_ops.config.analysis import AnalysisConfig
from clarify_ops.data.layout import read_analysis_data
from clarify_ops.errors import NotSupported

JSON = {"application/json", "application/jsonlines"}


def column(described: dict[str, Any], rows: int, random: np.random.Generator) -> list[Any]:
    match described:
        case {"type": "int", "min": low, "max": high}:
            return [int(value) for value in random.integers(int(low), int(high) + 1, rows)]
        case {"type": "float", "min": low, "max": high}:
            return [float(value) for value in random.uniform(low, high, rows).round(3)]
        case {"role": "free text"}:
            return [f'I like it, "really"\nvery much {value}' for value in random.integers(0, 9, rows)]
        case _:
            raise AssertionError(described)


def table(columns: list[dict[str, Any]], rows: int, random: np.random.Generator) -> pd.DataFrame:
    return pd.DataFrame({one["name"]: column(one, rows, random) for one in columns})


def test_every_recorded_configuration_reads_a_dataset_of_its_shape(shared: Path, tmp_path: Path) -> None:
    shapes = {one["id"]: one["dataset"] for one in json.loads((shared / "conformance/notebook_calls.json").read_text())}
    random = np.random.default_rng(0)
    read = 0
    for case in json.loads((shared / "conformance/notebook_configs.json").read_text()):
        if "dataset_type" not in case["config"]:
            continue
        document, shape = dict(case["config"]), shapes[case["id"]]
        if shape["format"].startswith("image") or "time_series_data_config" in document:
            with pytest.raises(NotSupported):
                read_analysis_data(AnalysisConfig.parse(document, case["id"]), tmp_path)
            continue
        frame = table(shape["columns"], 120, random)
        folder = tmp_path / f"{case['id']}-{case['call']}"
        folder.mkdir()
        for key, described in shape.get("extra_files", {}).items():
            extra = table(described["columns"], 120, random)
            name = "facet_dataset_uri" if key == "<facets>" else "predicted_label_dataset_uri"
            document[name] = str(folder / f"{name}.csv")
            extra.to_csv(document[name], index=False, header=described["header_row_in_file"])
            frame = frame.drop(columns=extra.columns, errors="ignore")
        file = write(frame, folder / "data", document, shape)
        config = AnalysisConfig.parse(document, case["id"])
        check(frame, config, file)
        read += 1
    assert read >= 15


def write(frame: pd.DataFrame, file: Path, document: dict[str, Any], shape: dict[str, Any]) -> Path:
    kind = document["dataset_type"]
    if kind not in JSON:
        frame.to_csv(file, index=False, header=shape["header_row_in_file"])
        return file
    label = next(one["name"] for one in shape["columns"] if one["role"] == "label")
    features = [list(row) for row in frame.drop(columns=label).astype(object).itertuples(index=False)]
    records = [{"features": row, "label": value} for row, value in zip(features, frame[label].tolist(), strict=True)]
    if kind == "application/json":
        file.write_text(json.dumps({"instances": records}))
    else:
        file.write_text("".join(json.dumps(one) + "\n" for one in records))
    return file


def check(frame: pd.DataFrame, config: AnalysisConfig, file: Path) -> None:
    found = read_analysis_data(config, file)
    kept = [name for name in frame.columns if name in found.frame]
    assert len(kept) >= len(frame.columns) - 1
    pd.testing.assert_frame_equal(found.frame[kept], frame[kept])
    assert config.headers is not None
    assert set(config.headers) <= set(found.frame.columns)
    assert (found.label is None) == (config.label is None)
    if config.label is not None:
        assert found.label == (config.headers[-1] if config.dataset_type in JSON else config.label)
    assert found.facets == tuple(one.name_or_index for one in config.facet or ())
    assert found.group == config.group_variable
    assert set(found.features) == set(config.headers) - {found.label}


def test_data_that_clarify_itself_analysed(shared: Path) -> None:
    config = AnalysisConfig.load(shared / "data/clarify_samples/bias_analysis_config.json", "configuration")
    path = shared / "data/clarify_linear_learner_adult/validation_with_predictions.csv"
    columns = tuple(pd.read_csv(path, nrows=0).columns)
    config = config.model_copy(update={"headers": columns, "predicted_label": "predicted_label"})
    found = read_analysis_data(config, path)
    pd.testing.assert_frame_equal(found.frame, pd.read_csv(path))
    assert (found.label, found.predicted_label, found.group, found.facets) == (
        "Target",
        "predicted_label",
        "Age",
        ("Sex",),
    )


def test_census_data_without_a_header_by_index(shared: Path) -> None:
    document = {
        "dataset_type": "text/csv",
        "label": 14,
        "label_values_or_threshold": [" >50K"],
        "facet": [{"name_or_index": 9, "value_or_threshold": [" Female"]}],
        "group_variable": 8,
        "excluded_columns": [2],
        "methods": {"pre_training_bias": {"methods": "all"}},
    }
    found = read_analysis_data(AnalysisConfig.parse(document, "c"), shared / "data/adult/adult.data")
    expected = pd.read_csv(shared / "data/adult/adult.data", header=None)
    pd.testing.assert_frame_equal(found.frame.set_axis(range(15), axis=1), expected, check_column_type=False)
    assert (found.label, found.facets, found.group) == ("column_14", ("column_9",), "column_8")
    assert len(found.features) == 13


def test_a_folder_with_a_published_file(shared: Path) -> None:
    config = AnalysisConfig.parse({"dataset_type": "text/csv", "label": "fraud", "methods": {}}, "c")
    found = read_analysis_data(config, shared / "data/fraud_detection")
    pd.testing.assert_frame_equal(found.frame, pd.read_csv(shared / "data/fraud_detection/train.csv", low_memory=False))
    assert found.notes == ()

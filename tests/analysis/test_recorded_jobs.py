"""The jobs of public notebooks, run here on data of their shape, with a function or a server in place of their endpoints."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from clarify_ops.analysis.analyze import analyze
from clarify_ops.errors import NotSupported
from tests.data.test_recorded_datasets import table, write
from tests.models.faulty import serving

from .containers import close, container

ROWS = 60


def probability(features: pd.DataFrame) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Something between 0 and 1 that depends on the first features."""
    numbers = features.iloc[:, :5].to_numpy(dtype=np.float64)
    spread = ((numbers * 7.3) % 97 / 97 - 0.5).sum(axis=1)
    return np.asarray(1 / (1 + np.exp(-4 * spread)))


def test_every_recorded_job_of_tables(shared: Path, tmp_path: Path) -> None:
    calls = json.loads((shared / "conformance/notebook_calls.json").read_text())
    shapes = {one["id"]: one["dataset"] for one in calls}
    random = np.random.default_rng(3)
    ran, refused, explained = [], [], []
    for case in json.loads((shared / "conformance/notebook_configs.json").read_text()):
        if "analysis_config via" not in case["what"]:
            continue
        name, document, shape = f"{case['id']}-{case['call']}", dict(case["config"]), shapes[case["id"]]
        folder = tmp_path / name
        folder.mkdir()
        if shape["format"].startswith("image") or "time_series_data_config" in document:
            with pytest.raises(NotSupported):
                analyze(document, folder, model=probability)
            refused.append(name)
            continue
        frame = table(shape["columns"], ROWS, random)
        for key, described in shape.get("extra_files", {}).items():
            extra = table(described["columns"], ROWS, random)
            uri = "facet_dataset_uri" if key == "<facets>" else "predicted_label_dataset_uri"
            document[uri] = str(folder / f"{uri}.csv")
            extra.to_csv(document[uri], index=False, header=described["header_row_in_file"])
            frame = frame.drop(columns=extra.columns, errors="ignore")
        data = write(frame, folder / "data", document, shape)
        if "text_config" in document["methods"].get("shap", {}):
            with pytest.raises(NotSupported, match="text_config"):
                analyze(document, data, model=probability)
            refused.append(name)
            continue
        # Without a model there is one job, whose predictions lie in a file.
        found = analyze(document, data, model=probability if "predictor" in document else None, output=folder / "out")
        check(found.to_clarify(), document)
        assert (folder / "out" / "report.pdf").is_file()
        ran.append(name)
        if "predictor" in document:
            check_endpoint(document, data, found.to_clarify())
            explained += [name] if document["methods"].keys() & {"shap", "pdp"} else []
    assert len(explained) >= 7, explained
    assert len(ran) >= 12, ran
    assert len(refused) >= 3, refused


def check_endpoint(document: dict[str, Any], data: Path, expected: dict[str, Any]) -> None:
    """A server that speaks the content types and templates of the configuration leads to the same results."""
    kinds = {document["predictor"].get(key, "text/csv") for key in ("content_type", "accept_type")}
    with serving(container(probability)) as server:
        found = analyze(document, data, model=server.url)
        assert {one.headers[key] for one in server.got for key in ("content-type", "accept")} == kinds
    assert close(found.to_clarify(), expected)


def check(clarify: dict[str, Any], document: dict[str, Any]) -> None:
    methods = document["methods"]
    for stage in ("pre_training_bias", "post_training_bias"):
        if stage in methods:
            facet = document["facet"][0]["name_or_index"]
            assert clarify[f"{stage}_metrics"]["facets"][facet][0]["metrics"]
    if "shap" in methods:
        values = clarify["explanations"]["kernel_shap"]["label0"]["global_shap_values"]
        assert max(values.values()) > 0
    if "pdp" in methods:
        assert clarify["explanations"]["pdp"]

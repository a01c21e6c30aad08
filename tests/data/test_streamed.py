"""Large files are counted as small ones are, and what needs the rows is not streamed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from clarify_ops.analysis.analyze import analyze
from clarify_ops.config.analysis import AnalysisConfig
from clarify_ops.data import streamed
from clarify_ops.data.streamed import stream_analysis_data
from tests.analysis.jobs import configuration, equal, people

WITHOUT_FLIPS: dict[str, Any] = {
    "pre_training_bias": {"methods": "all"},
    "post_training_bias": {"methods": ["AD", "DI", "DPPL", "CDDPL"]},
}
DETAILS: dict[str, Any] = {
    "methods": WITHOUT_FLIPS,
    "facet": [{"name_or_index": "sex"}, {"name_or_index": "income", "value_or_threshold": [50.5]}],
    "segment_config": [{"name_or_index": "city", "segments": [["a"], ["b"]]}],
    "clarify_ops": {"intersections": [["sex", "city"]]},
}


def written(folder: Path, layout: str) -> tuple[Path, dict[str, Any]]:
    """The dataset in a layout, and what a configuration has to say of it."""
    frame = people(500)
    if layout == "parquet":
        frame.to_parquet(folder / "x.parquet")
        return folder / "x.parquet", {"dataset_type": "application/x-parquet"}
    if layout == "folder":
        (folder / "parts").mkdir()
        frame[:200].to_csv(folder / "parts" / "a.csv", index=False)
        frame[200:].to_csv(folder / "parts" / "b.csv", index=False)
        return folder / "parts", {}
    frame.to_csv(folder / "x.csv", index=False, header=layout == "csv")
    return folder / "x.csv", {} if layout == "csv" else {"headers": list(frame.columns)}


@pytest.mark.parametrize("layout", ["csv", "no header", "folder", "parquet"])
def test_the_same_numbers(layout: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data, changes = written(tmp_path, layout)
    document = configuration(**DETAILS, **changes)
    small = analyze(document, data, output=tmp_path / "small")
    monkeypatch.setattr(streamed.stream_analysis_data, "__kwdefaults__", {"large": 0})
    told: list[str] = []
    large = analyze(document, data, output=tmp_path / "large", progress=told.append)
    assert any(words.startswith("counting ") and "rows" not in words for words in told), told
    assert equal(large.to_clarify(), small.to_clarify())
    one, other = large.metrics, small.metrics
    assert one["data"].pop("warnings") == other["data"].pop("warnings")
    # Of rows that were not kept only the counted columns are known, and here none has a missing value.
    assert one == other


NEEDS_ROWS: list[dict[str, Any]] = [
    {"label": "income", "predicted_label": "income", "label_values_or_threshold": [50.5]},
    {"facet_dataset_uri": "f.csv"},
    {"joinsource_name_or_index": "city"},
    {"dataset_type": "application/jsonlines", "features": "x"},
    {"facet": [{"name_or_index": "sex", "value_or_threshold": [0.5]}]},
]


@pytest.mark.parametrize("changes", NEEDS_ROWS)
def test_what_needs_the_rows(changes: dict[str, Any], tmp_path: Path) -> None:
    data, _ = written(tmp_path, "csv")
    config = AnalysisConfig.parse(configuration(**{"methods": WITHOUT_FLIPS, **changes}), "It")
    assert stream_analysis_data(config, data, predictions=True, progress=lambda _: None, large=0) is None


def test_small_files_are_read_whole(tmp_path: Path) -> None:
    data, _ = written(tmp_path, "csv")
    config = AnalysisConfig.parse(configuration(methods=WITHOUT_FLIPS), "It")
    assert stream_analysis_data(config, data, predictions=True, progress=lambda _: None) is None
    assert stream_analysis_data(config, data, predictions=True, progress=lambda _: None, large=0) is not None

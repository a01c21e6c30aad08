"""The join of datasets against the obvious one: a dictionary a file, and a look into it for every row."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clarify_ops.config.analysis import AnalysisConfig
from clarify_ops.data.layout import read_analysis_data
from clarify_ops.errors import BadData

keys = st.lists(st.one_of(st.integers(0, 6), st.none()), min_size=1, max_size=7)


def config(folder: Path, **more: Any) -> AnalysisConfig:
    document = {
        "dataset_type": "text/csv",
        "headers": ["id", "x"],
        "joinsource_name_or_index": "id",
        "facet_dataset_uri": str(folder / "facets.csv"),
        "facet_headers": ["sex", "id"],
        "facet": [{"name_or_index": "sex"}],
        "predicted_label_dataset_uri": str(folder / "predictions.csv"),
        "predicted_label_headers": ["id", "score"],
        "predicted_label": "score",
        "methods": {},
        **more,
    }
    return AnalysisConfig.parse(document, "The configuration")


def table(ids: list[int | None], name: str, start: int) -> pd.DataFrame:
    return pd.DataFrame({"id": pd.array(ids, dtype="Int64"), name: range(start, start + len(ids))})


def repeated(ids: list[int | None]) -> bool:
    given_ids = [one for one in ids if one is not None]
    return len(set(given_ids)) < len(given_ids)


@given(data=keys, facets=keys, predictions=keys)
def test_rows_find_their_partners(
    tmp_path_factory: pytest.TempPathFactory,
    data: list[int | None],
    facets: list[int | None],
    predictions: list[int | None],
) -> None:
    folder = tmp_path_factory.mktemp("join")
    # A column without any number would be no key to either.
    for ids in (data, facets, predictions):
        ids.append(99)
    table(data, "x", 0).to_csv(folder / "data.csv", index=False, header=False)
    table(facets, "sex", 100)[["sex", "id"]].to_csv(folder / "facets.csv", index=False, header=False)
    table(predictions, "score", 200).to_csv(folder / "predictions.csv", index=False, header=False)
    if any(map(repeated, (data, facets, predictions))):
        with pytest.raises(BadData, match=r"The join key 'id' has the value .* twice"):
            read_analysis_data(config(folder), folder / "data.csv")
        return
    found = read_analysis_data(config(folder), folder / "data.csv")
    sex = {one: 100 + row for row, one in enumerate(facets) if one is not None}
    score = {one: 200 + row for row, one in enumerate(predictions) if one is not None}
    expected = [(one, row, sex[one], score[one]) for row, one in enumerate(data) if one in sex and one in score]
    assert list(found.frame.itertuples(index=False, name=None)) == expected
    assert list(found.frame.index) == list(range(len(expected)))
    assert not any(math.isnan(one) for one in found.frame["id"])
    lost = f"The join leaves {len(expected)} of {len(data)} rows."
    assert (lost in found.notes) == (len(expected) < len(data))


def test_digest_is_of_content_and_role(tmp_path: Path) -> None:
    for name, content in {
        "data.csv": "1,5\n2,6\n",
        "facets.csv": "3,1\n4,2\n",
        "predictions.csv": "1,7\n2,8\n",
    }.items():
        (tmp_path / name).write_text(content)
    one = read_analysis_data(config(tmp_path), tmp_path / "data.csv")
    again = read_analysis_data(config(tmp_path, dataset_uri=str(tmp_path / "data.csv")), None)
    assert one.digest == again.digest
    (tmp_path / "predictions.csv").write_text("1,7\n2,9\n")
    assert read_analysis_data(config(tmp_path), tmp_path / "data.csv").digest != one.digest
    (tmp_path / "predictions.csv").write_text("3,1\n4,2\n")
    (tmp_path / "facets.csv").write_text("7,1\n8,2\n")
    with pytest.raises(BadData, match="No 'id' stands in all of"):
        read_analysis_data(config(tmp_path), tmp_path / "data.csv")

"""The suite that measures explanations of trees works, and compares what is the same."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks import trees


@pytest.mark.parametrize("name", ["lightgbm-nan-categories", "histogram-200"])
def test_a_contestant_says_what_the_model_says(name: str, tmp_path: Path) -> None:
    model, rows_of = trees.fit(name, tmp_path, small=True)
    rows = tmp_path / "rows.npy"
    np.save(rows, rows_of(30))
    (ours,) = trees.compete(model, rows, "-", 1, 60, peers=False)
    assert ours.versions["numba"]
    assert ours.rate > 0
    values = np.load(ours.found)
    assert values.shape == (30, 12)
    assert np.abs(values).max() > 0


def test_the_table_of_small_models(capsys: pytest.CaptureFixture[str]) -> None:
    trees.main(["--small", "--only", "lightgbm-31"])
    told = capsys.readouterr().out.splitlines()
    assert sum(line.startswith("lightgbm-31, 60 rows") for line in told) == 2
    assert told[-1].startswith("ours: python")

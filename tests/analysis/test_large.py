"""Explanations of many rows: streamed from file to file, and resumed, to the same bytes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from clarify_ops.analysis.analyze import analyze
from clarify_ops.data import row_batches, streamed
from clarify_ops.errors import Outside
from clarify_ops.explain import streaming

from .jobs import METHODS, configuration, people, score

SHAP: dict[str, Any] = {
    "baseline": [["female", "a", 1, 50.0, 3], ["male", "b", 2, 40.0, 1]],
    "num_samples": 20,
    "seed": 3,
}
BIAS: dict[str, Any] = {**METHODS, "post_training_bias": {"methods": ["DPPL", "DI", "AD"]}}
OURS: dict[str, Any] = {
    "cohorts": [{"name": "women", "where": "sex == 'female'"}, {"name": "missed", "error": "false_negatives"}],
    "feature_importance": {"metric": "auc", "repeats": 2},
}
FILES = ("explanations_shap/out.csv", "explanations_shap/baseline.csv", "explanations_shap/about.json", "analysis.json")


@pytest.fixture(autouse=True)
def _small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streaming, "BATCH_ROWS", 40)
    monkeypatch.setattr(row_batches, "_TOGETHER", 33)


def streams(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every file is a large one."""
    for function in (streamed.stream_analysis_data, row_batches.stream_rows):
        monkeypatch.setattr(function, "__kwdefaults__", {**(function.__kwdefaults__ or {}), "large": 0})


def asked(methods: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
    return configuration(methods={**(methods or {}), "shap": SHAP}, **changes)


@pytest.mark.parametrize("layout", ["csv", "parquet"])
@pytest.mark.parametrize("aggregation", ["mean_abs", "median"])
def test_streamed_files_are_explained_to_the_same_bytes(
    layout: str, aggregation: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    frame = people(250)
    data = tmp_path / f"x.{layout}"
    frame.to_csv(data, index=False) if layout == "csv" else frame.to_parquet(data, row_group_size=70)
    kind = {"csv": "text/csv", "parquet": "application/x-parquet"}[layout]
    shap = {**SHAP, "agg_method": aggregation}
    methods = {**BIAS, "shap": shap, "pdp": {"grid_resolution": 4, "features": ["income"]}}
    document = configuration(dataset_type=kind, methods=methods, clarify_ops=OURS)
    whole = analyze(document, data, model=score, output=tmp_path / "whole")
    streams(monkeypatch)
    told: list[str] = []
    found = analyze(document, data, model=score, output=tmp_path / "streamed", progress=told.append)
    assert any(words.startswith("looking through ") for words in told)
    assert any(words.startswith("explained 250 of 250 rows, ") and "a second" in words for words in told)
    assert any(words.endswith(" left") for words in told)
    for name in FILES:
        assert (tmp_path / "streamed" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes(), name
    assert not (tmp_path / "streamed" / ".partial").exists()
    assert found.metrics["cohorts"] == whole.metrics["cohorts"]
    assert found.metrics["feature_importance"] == whole.metrics["feature_importance"]
    assert found.measures == whole.measures


def test_what_is_made_from_the_data_is_made_from_all_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    people(250).to_csv(tmp_path / "x.csv", index=False)
    document = configuration(methods={"shap": {"num_samples": 20, "seed": 3, "num_clusters": 3}})
    analyze(document, tmp_path / "x.csv", model=score, output=tmp_path / "whole")
    streams(monkeypatch)
    analyze(document, tmp_path / "x.csv", model=score, output=tmp_path / "streamed")
    for name in FILES:
        assert (tmp_path / "streamed" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes(), name


CHILD = """
import sys, time, json
sys.path.insert(0, sys.argv[1])
from pathlib import Path
from clarify_ops.analysis.analyze import analyze
from clarify_ops.explain import streaming
from tests.analysis.jobs import score
streaming.BATCH_ROWS = 40
def slow(features):
    time.sleep(0.05)
    return score(features)
slow.__qualname__ = "score"
analyze(json.loads(Path(sys.argv[2]).read_text()), sys.argv[3], model=slow, output=sys.argv[4])
"""


def test_a_killed_run_goes_on_where_it_stopped(tmp_path: Path) -> None:
    people(400).to_csv(tmp_path / "x.csv", index=False)
    document = asked()
    (tmp_path / "config.json").write_text(json.dumps(document))
    out, parts = tmp_path / "out", tmp_path / "out" / ".partial" / "parts"
    root = str(Path(__file__).parents[2])
    command = [sys.executable, "-c", CHILD, root, str(tmp_path / "config.json"), str(tmp_path / "x.csv"), str(out)]
    with subprocess.Popen(command) as child:
        while len(list(parts.glob("*.npz"))) < 3 and child.poll() is None:
            time.sleep(0.01)
        os.kill(child.pid, signal.SIGKILL)
        child.wait()
    assert len(list(parts.glob("*.npz"))) in range(3, 10)
    assert not (out / "analysis.json").exists()
    told: list[str] = []
    analyze(document, tmp_path / "x.csv", model=score, output=out, progress=told.append)
    assert [words for words in told if words.endswith("batches of rows were explained by an earlier run")]
    analyze(document, tmp_path / "x.csv", model=score, output=tmp_path / "at once")
    for name in FILES:
        assert (out / name).read_bytes() == (tmp_path / "at once" / name).read_bytes(), name
    assert not (out / ".partial").exists()


class _Dies:
    """A model that cannot be reached any more after some questions."""

    def __init__(self, after: int) -> None:
        self.left = after

    def __call__(self, features: pd.DataFrame) -> np.ndarray[Any, np.dtype[np.float64]]:
        self.left -= 1
        if self.left < 0:
            raise Outside("The endpoint is gone.", "Try again.")
        return score(features)


def test_what_was_finished_before_a_failure_is_kept(tmp_path: Path) -> None:
    out = tmp_path / "out"
    with pytest.raises(Outside):
        analyze(asked(), people(200), model=_Dies(12), output=out)
    kept = list((out / ".partial" / "parts").glob("*.npz"))
    assert 0 < len(kept) < 5
    assert [path.name for path in out.iterdir()] == [".partial"]
    assert [path.name for path in (out / ".partial").iterdir()] == ["parts"]
    again = _Dies(10**6)
    again.__class__.__name__ = "_Dies"
    analyze(asked(), people(200), model=again, output=out)
    fresh = analyze(asked(), people(200), model=_Dies(10**6), output=tmp_path / "fresh")
    assert fresh.folder is not None
    assert (out / FILES[0]).read_bytes() == (fresh.folder / FILES[0]).read_bytes()


def _stopped(document: dict[str, Any], model: Any, out: Path) -> int:
    """A run that ends after three batches; how many are kept."""

    def stop(words: str) -> None:
        if words.startswith("explained 120 "):
            raise Outside("Somebody pulled the plug.", "Try again.")

    with pytest.raises(Outside):
        analyze(document, people(200), model=model, output=out, progress=stop)
    return len(list((out / ".partial" / "parts").glob("*.npz")))


def _reused(document: dict[str, Any], model: Any, out: Path) -> list[str]:
    told: list[str] = []
    analyze(document, people(200), model=model, output=out, progress=told.append)
    return [words for words in told if words.endswith("by an earlier run")]


def test_what_is_read_off_trees_of_float32_is_gone_on_with(tmp_path: Path) -> None:
    import xgboost

    columns = ["school", "income", "debt"]
    frame = people(200)
    model = xgboost.XGBClassifier(n_estimators=30, max_depth=4, n_jobs=1).fit(frame[columns], frame["paid"])
    document = asked(
        {"shap": SHAP},
        facet=None,
        group_variable=None,
        predicted_label=None,
        excluded_columns=["sex", "city", "predicted"],
    )
    document["methods"]["shap"] = {**SHAP, "baseline": [[1, 50.0, 3]], "use_logit": True}
    assert _stopped(document, model, tmp_path) == 3
    assert _reused(document, model, tmp_path) == ["3 batches of rows were explained by an earlier run"]
    assert json.loads((tmp_path / FILES[2]).read_text())["explainer"] == "tree_shap"


def test_other_questions_do_not_take_what_is_there(tmp_path: Path) -> None:
    def other(features: pd.DataFrame) -> np.ndarray[Any, np.dtype[np.float64]]:
        return score(features) * 0.99

    other.__qualname__ = other.__name__ = "score"
    other.__module__ = score.__module__
    changed = asked()
    changed["methods"]["shap"] = {**SHAP, "seed": 4}
    cases = {
        "same": (asked(), score, 1),
        "model": (asked(), other, 0),
        "seed": (changed, score, 0),
        "explainer": (asked(clarify_ops={"explainer": "exact"}), score, 0),
        "other sums": (asked({"shap": {**SHAP}}, clarify_ops={"cohorts": OURS["cohorts"]}), score, 1),
    }
    for name, (document, model, expected) in cases.items():
        assert _stopped(asked(), score, tmp_path / name) == 3
        assert len(_reused(document, model, tmp_path / name)) == expected, name


def test_failing_at_once_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(Outside):
        analyze(asked(), people(200), model=_Dies(0), output=tmp_path / "out")
    assert not (tmp_path / "out").exists()

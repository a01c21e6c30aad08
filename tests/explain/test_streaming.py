"""Explanations in batches: the same as at once, in files that a second run goes on from."""

from __future__ import annotations

import math
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clarify_ops.explain import streaming
from clarify_ops.explain.explanation import Aggregation, Explanation
from clarify_ops.explain.kernel import kernel_shap
from clarify_ops.explain.streaming import Parts, merged

from .models import hidden_layer

ROWS = pd.DataFrame(np.random.default_rng(0).normal(size=(101, 9)).round(1), columns=list("abcdefghi"))
BACKGROUND = ROWS.iloc[[3]]


def explain(frame: pd.DataFrame) -> Explanation:
    return kernel_shap(hidden_layer, frame.reset_index(drop=True), BACKGROUND, num_samples=60, seed=4)


def predict(frame: pd.DataFrame) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    return hidden_layer(frame)[:, None]


def batches(size: int) -> Iterator[pd.DataFrame]:
    for start in range(0, len(ROWS), size):
        yield ROWS.iloc[start : start + size]


def parts_of(
    folder: Path, size: int, by: Callable[[pd.DataFrame], Explanation] = explain, key: str = "k"
) -> tuple[Parts, list[str]]:
    told: list[str] = []
    parts = Parts(folder, key)
    parts.explain(batches(size), by, predict, len(ROWS), told.append)
    return parts, told


@pytest.mark.parametrize("size", [1, 10, 101, 500])
@pytest.mark.parametrize("agg", ["mean_abs", "mean_sq", "median"])
def test_all_rows_together_are_as_if_explained_at_once(size: int, agg: Aggregation, tmp_path: Path) -> None:
    at_once = explain(ROWS)
    parts, told = parts_of(tmp_path, size)
    overall = parts.overall(agg)
    assert overall.to_clarify().keys() == at_once.to_clarify(agg).keys()
    np.testing.assert_allclose(overall.global_values, at_once.global_values(agg), rtol=1e-12)
    np.testing.assert_array_equal(overall.expected_value, at_once.expected_value)
    facts = at_once.facts()
    for name in ("rows", "exact_rows", "largest_standard_error", "coalitions", "unit", "explainer"):
        assert overall.facts[name] == facts[name], name
    whole = merged(parts)
    np.testing.assert_array_equal(whole.values, at_once.values)
    np.testing.assert_array_equal(whole.predictions, at_once.predictions)
    assert told[-1].startswith("explained 101 of 101 rows, ")
    assert size >= 101 or " left" in told[0]


@settings(deadline=None)
@given(
    st.lists(
        st.lists(st.floats(-1e300, 1e300), min_size=1, max_size=9),
        min_size=1,
        max_size=5,
    ),
    st.sampled_from([1 << 22, 1 << 9, 1 << 5, 1]),
)
def test_the_median_is_exact(parts: list[list[float]], counters: int) -> None:
    arrays = [np.array(one)[:, None] * np.array([1.0, -0.5]) for one in parts]
    every = np.concatenate(arrays)
    expected = (np.sort(every, axis=0)[(len(every) - 1) // 2] + np.sort(every, axis=0)[len(every) // 2]) / 2
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(streaming, "_COUNTERS", counters)
        found = streaming._median(lambda: iter(arrays), len(every), (2,))
    np.testing.assert_array_equal(found, expected + 0.0)


def test_what_is_there_is_not_explained_again(tmp_path: Path) -> None:
    first, _ = parts_of(tmp_path, 20)
    asked: list[int] = []

    def counted(frame: pd.DataFrame) -> Explanation:
        asked.append(len(frame))
        return explain(frame)

    second, _ = parts_of(tmp_path, 20, counted)
    assert (asked, second.reused) == ([], 6)
    np.testing.assert_array_equal(merged(second).values, merged(first).values)
    parts_of(tmp_path, 20, counted, key="another configuration")
    assert asked == [20, 20, 20, 20, 20, 1]


def test_another_model_and_another_row_are_seen(tmp_path: Path) -> None:
    parts_of(tmp_path, 50)
    other = Parts(tmp_path, "k")
    other.explain(batches(50), explain, lambda frame: predict(frame) * (1 + 1e-4), len(ROWS), lambda _: None)
    assert other.reused == 0
    changed = ROWS.copy()
    changed["a"] += (changed.index == 60).astype(float)
    again = Parts(tmp_path, "k")
    again.explain([changed.iloc[:50], changed.iloc[50:100], changed.iloc[100:]], explain, predict, 101, lambda _: None)
    assert again.reused == 2


def test_answers_of_less_precision_are_the_same_model(tmp_path: Path) -> None:
    """What is read off a model is a float64, whatever it answers by itself."""
    parts_of(tmp_path, 50)
    other = Parts(tmp_path, "k")
    other.explain(batches(50), explain, lambda frame: predict(frame).astype(np.float32), len(ROWS), lambda _: None)
    assert other.reused == 3


def test_a_part_that_is_cut_short_is_made_again(tmp_path: Path) -> None:
    first, _ = parts_of(tmp_path, 50)
    path = sorted(tmp_path.glob("*.npz"))[1]
    path.write_bytes(path.read_bytes()[:-100])
    second, _ = parts_of(tmp_path, 50)
    assert second.reused == 2
    np.testing.assert_array_equal(merged(second).values, merged(first).values)


CHILD = """
import sys, time
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from tests.explain import test_streaming as test
def slowly(frame):
    time.sleep(0.2)
    return test.explain(frame)
test.parts_of(Path(sys.argv[1]), 10, slowly)
"""


def test_a_killed_run_goes_on_where_it_was(tmp_path: Path) -> None:
    killed, whole = tmp_path / "killed", tmp_path / "whole"
    root = str(Path(__file__).parents[2])
    with subprocess.Popen([sys.executable, "-c", CHILD, str(killed), root]) as child:
        while len(list(killed.glob("*.npz"))) < 3 and child.poll() is None:
            time.sleep(0.02)
        os.kill(child.pid, signal.SIGKILL)
        child.wait()
    resumed, _ = parts_of(killed, 10)
    assert 3 <= resumed.reused < 11
    expected, _ = parts_of(whole, 10)
    np.testing.assert_array_equal(merged(resumed).values, merged(expected).values)
    assert [path.name for path in sorted(killed.glob("*.npz"))] == [path.name for path in sorted(whole.glob("*.npz"))]


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells the peak of a process by itself")
def test_memory_does_not_grow_with_the_rows(tmp_path: Path) -> None:
    peaks = dict.fromkeys((20_000, 200_000), math.inf)
    # The lesser of two: what is compiled, and how an allocator spreads, moves a single peak by some megabytes.
    for rows in (*peaks, *peaks):
        command = [sys.executable, "-m", "tests.explain.streams", str(tmp_path / str(rows)), str(rows)]
        ran = subprocess.run(command, cwd=Path(__file__).parents[2], capture_output=True, text=True, check=True)
        said, peak = map(int, ran.stdout.split())
        assert said == rows
        peaks[rows] = min(peaks[rows], peak)
        shutil.rmtree(tmp_path / str(rows))
    # The values alone of 180,000 rows are 17 MB, their standard errors as much again, and so are the rows.
    assert peaks[200_000] - peaks[20_000] < 10e6


def test_sums_do_not_depend_on_the_batches(tmp_path: Path) -> None:
    for agg in ("mean_abs", "mean_sq"):
        found = [parts_of(tmp_path / str(size), size)[0].overall(agg).global_values for size in (1, 10, 101)]
        for one in found[1:]:
            np.testing.assert_array_equal(one, found[0])


def test_warnings_that_begin_with_a_count_are_one(tmp_path: Path) -> None:
    parts, _ = parts_of(
        tmp_path, 40, lambda frame: replace(explain(frame), warnings=(f"{len(frame)} rows odd.", "New."))
    )
    assert parts.overall("mean_abs").facts["warnings"] == ["101 rows odd.", "New."]

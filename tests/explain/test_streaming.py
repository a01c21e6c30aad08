"""Explanations of many batches: as of all rows at once, whatever happened in between, in the memory of one batch."""

from __future__ import annotations

import math
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from clarify_ops.errors import BadData, BadModel
from clarify_ops.explain.explanation import Explanation
from clarify_ops.explain.kernel import kernel_shap
from clarify_ops.explain.streaming import Pace, Parts, explain_in_parts, frame_digest, work_key

from .models import hidden_layer, loan, loans, numbers

Floats = NDArray[np.float64]
ROOT = Path(__file__).parents[2]


def child(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    """A run in a process of its own."""
    folder.mkdir(exist_ok=True)
    command = [sys.executable, "-m", "tests.explain.streams", str(folder), *arguments]
    return subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def finished(process: subprocess.Popen[str]) -> str:
    """What a run says that comes to its end."""
    said, _ = process.communicate()
    assert process.returncode == 0
    return said


class Counting:
    """Explains by a kernel and counts the batches."""

    def __init__(self, model: Callable[[pd.DataFrame], Floats], background: pd.DataFrame) -> None:
        self.model, self.background = model, background
        self.batches = 0

    def __call__(self, rows: pd.DataFrame) -> Explanation:
        self.batches += 1
        return kernel_shap(self.model, rows, self.background, seed=1, num_samples=40)


def in_batches(rows: pd.DataFrame, size: int) -> list[pd.DataFrame]:
    return [rows.iloc[start : start + size] for start in range(0, len(rows), size)]


@pytest.mark.parametrize("size", [1, 7, 30])
def test_parts_say_what_one_explanation_says(size: int, tmp_path: Path) -> None:
    rows, background = loans(30, 1), loans(2, 2)
    explain = Counting(loan, background)
    whole = explain(rows)
    parts = explain_in_parts(explain, in_batches(rows, size), tmp_path, key="k")
    assert parts.rows == 30
    assert (parts.features, parts.outputs) == (whole.features, whole.outputs)
    parts.write_csv(tmp_path / "out.csv")
    assert (tmp_path / "out.csv").read_text() == whole.to_frame().to_csv(index=False)
    np.testing.assert_array_equal(parts.global_values("median"), whole.global_values("median"))
    for agg in ("mean_abs", "mean_sq"):
        np.testing.assert_allclose(parts.global_values(agg), whole.global_values(agg), rtol=1e-14)
        sized = np.abs(whole.values) if agg == "mean_abs" else whole.values**2
        once = [[math.fsum(sized[:, feature, output]) / 30 for output in range(2)] for feature in range(5)]
        assert parts.global_values(agg).tolist() == once
    assert parts.to_clarify("median") == whole.to_clarify("median")
    calls = {"prediction_rows", "prediction_calls"}
    mine, theirs = parts.facts(), whole.facts()
    assert {name: fact for name, fact in mine.items() if name not in calls} == {
        name: fact for name, fact in theirs.items() if name not in calls
    }
    # The background is asked about with every batch.
    assert mine["prediction_rows"] == theirs["prediction_rows"] + 2 * (len(parts.paths) - 1)


def test_an_explanation_comes_back_from_its_part_as_it_was(tmp_path: Path) -> None:
    rows, background = numbers(4, 9, 1), numbers(1, 9, 2)
    explanation = replace(
        kernel_shap(hidden_layer, rows, background, seed=0, num_samples=6), reason="because", warnings=("one", "two")
    )
    (back,) = explain_in_parts(lambda _: explanation, [rows], tmp_path, key="k").explanations()
    for field in fields(Explanation):
        np.testing.assert_array_equal(getattr(back, field.name), getattr(explanation, field.name))


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signal")
@pytest.mark.parametrize("stop", [1, 4, 7])
def test_a_killed_run_goes_on_and_gives_the_same_bytes(stop: int, tmp_path: Path) -> None:
    calm = finished(child(tmp_path / "calm", "explain", "0"))
    with child(tmp_path / "killed", "explain", str(stop)) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "waiting\n"
        process.send_signal(signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL
    assert not (tmp_path / "killed" / "out.csv").exists()
    assert len(list((tmp_path / "killed" / "parts").glob("part-*.npz"))) == stop - 1
    again = finished(child(tmp_path / "killed", "explain", "0"))
    assert (tmp_path / "killed" / "out.csv").read_bytes() == (tmp_path / "calm" / "out.csv").read_bytes()
    # Of the seven only those that were not finished are explained again; all else that is said is the same.
    assert calm.split(" ", 1) == ["7", again.split(" ", 1)[1]]
    assert again.split(" ", 1)[0] == str(7 - (stop - 1))


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells the peak of a process by itself")
def test_memory_does_not_grow_with_the_rows(tmp_path: Path) -> None:
    peaks = {}
    for rows in (20_000, 200_000):
        said, peak = finished(child(tmp_path / str(rows), "measure", str(rows))).split()
        assert int(said) == rows
        peaks[rows] = int(peak)
    # The values alone of 180,000 rows are 17 MB, their standard errors as much again, and so are the rows.
    assert peaks[200_000] - peaks[20_000] < 10e6


def test_what_is_there_is_used_only_if_it_is_the_same_work(tmp_path: Path) -> None:
    rows, background = numbers(20, 4, 1), numbers(1, 4, 2)

    def explained(size: int = 5, key: str = "k", some: pd.DataFrame = rows) -> int:
        explain = Counting(hidden_layer, background)
        parts = explain_in_parts(explain, in_batches(some, size), tmp_path, key=key)
        values = np.concatenate([one.values for one in parts.explanations()])
        np.testing.assert_array_equal(values, Counting(hidden_layer, background)(some).values)
        return explain.batches

    assert explained() == 4
    assert explained() == 0
    changed = rows.assign(x2=rows["x2"] + np.where(np.arange(20) == 7, 1e-9, 0))
    assert explained(some=changed) == 1
    assert explained(size=4) == 5
    assert explained() == 4
    assert explained(key="other") == 4
    assert len(list(tmp_path.glob("part-*.npz"))) == 4


def test_a_damaged_part_is_made_again(tmp_path: Path) -> None:
    rows, background = numbers(20, 4, 1), numbers(1, 4, 2)
    first = explain_in_parts(Counting(hidden_layer, background), in_batches(rows, 5), tmp_path, key="k")
    whole = first.paths[1].read_bytes()
    for damaged in (whole[: len(whole) // 2], b"", whole.replace(whole[700:704], b"\0\1\2\3", 1)):
        first.paths[1].write_bytes(damaged)
        (tmp_path / ".part-000002.npz.abc").write_bytes(b"half")
        explain = Counting(hidden_layer, background)
        explain_in_parts(explain, in_batches(rows, 5), tmp_path, key="k")
        assert explain.batches == 1
        assert first.paths[1].read_bytes()[:4] == whole[:4]
        assert not list(tmp_path.glob(".part-*"))
    (tmp_path / "manifest.json").write_text("{")
    explain = Counting(hidden_layer, background)
    explain_in_parts(explain, in_batches(rows, 5), tmp_path, key="k")
    assert explain.batches == 4


def test_what_was_finished_before_a_model_failed_is_kept(tmp_path: Path) -> None:
    rows, background = numbers(20, 4, 1), numbers(1, 4, 2)

    def fails(frame: pd.DataFrame) -> Floats:
        out = hidden_layer(frame)
        return out * np.nan if (frame["x0"] == rows["x0"].iloc[12]).any() else out

    with pytest.raises(BadModel, match="missing or infinite"):
        explain_in_parts(Counting(fails, background), in_batches(rows, 5), tmp_path, key="k")
    repaired = Counting(hidden_layer, background)
    assert explain_in_parts(repaired, in_batches(rows, 5), tmp_path, key="k").rows == 20
    assert repaired.batches == 2


def test_progress_tells_the_pace_of_this_run_alone(tmp_path: Path) -> None:
    rows, background = numbers(20, 3, 1), numbers(1, 3, 2)
    seconds = iter(range(0, 1000, 2))
    told: list[Pace] = []

    def run(some: pd.DataFrame, total: int | None) -> list[Pace]:
        told.clear()
        explain_in_parts(
            Counting(hidden_layer, background),
            in_batches(some, 5),
            tmp_path,
            key="k",
            total_rows=total,
            progress=told.append,
            clock=lambda: float(next(seconds)),
        )
        return told

    assert run(rows.iloc[:10], 20) == [Pace(5, 20, 2.5, 6.0), Pace(10, 20, 2.5, 4.0)]
    assert run(rows, 20) == [
        Pace(5, 20, None, None),
        Pace(10, 20, None, None),
        Pace(15, 20, 5 / 6, 6.0),
        Pace(20, 20, 10 / 8, 0.0),
    ]
    assert run(rows, None)[-1] == Pace(20, None, None, None)


@pytest.mark.parametrize(
    ("pace", "said"),
    [
        (Pace(5, None, None, None), "5 rows explained"),
        (Pace(5, None, 0.125, None), "5 rows explained, 0.12 rows a second"),
        (Pace(5000, 10000, 1234.4, 3725.0), "5,000 of 10,000 rows explained, 1,234 rows a second, 1:02:05 left"),
    ],
)
def test_a_pace_in_words(pace: Pace, said: str) -> None:
    assert str(pace) == said


def test_the_csv_takes_the_keys_of_the_rows(tmp_path: Path) -> None:
    rows, background = numbers(6, 2, 1), numbers(1, 2, 2)
    parts = explain_in_parts(Counting(hidden_layer, background), in_batches(rows, 4), tmp_path, key="k")
    keys = pd.Series(list("abcdef"), name="id")
    parts.write_csv(tmp_path / "out.csv", iter([keys[:4], keys[4:]]))
    table = pd.read_csv(tmp_path / "out.csv")
    assert list(table.columns) == ["id", "x0_label0", "x1_label0"]
    assert table["id"].tolist() == list("abcdef")
    with pytest.raises(StopIteration):
        parts.write_csv(tmp_path / "out.csv", iter([keys[:4]]))
    assert sorted(path.name for path in tmp_path.glob("*out.csv*")) == ["out.csv"]


def test_warnings_with_a_count_are_one(tmp_path: Path) -> None:
    rows, background = numbers(10, 12, 1), numbers(1, 12, 2)
    parts: Parts = explain_in_parts(
        lambda some: kernel_shap(hidden_layer, some, background, seed=0, num_samples=15),
        in_batches(rows, 4),
        tmp_path,
        key="k",
    )
    (warning,) = parts.facts()["warnings"]
    assert warning == (
        "10 rows differ from the baseline in 12 features, and 14 coalitions do not determine that many attributions: "
        "those nearest to equal shares are given; num_samples of 48 or more would do."
    )


def test_batches_that_do_not_belong_together(tmp_path: Path) -> None:
    with pytest.raises(BadData, match="no rows to explain"):
        explain_in_parts(Counting(hidden_layer, numbers(1, 3, 1)), [], tmp_path, key="k")
    with pytest.raises(BadModel, match="Batch 2 was explained by other features or outputs than the first"):
        explain_in_parts(
            lambda some: kernel_shap(hidden_layer, some, some, seed=0),
            [numbers(2, 3, 1), numbers(2, 4, 1)],
            tmp_path,
            key="k",
        )


def test_no_rows_are_no_values(tmp_path: Path) -> None:
    rows = numbers(3, 2, 1)
    parts = explain_in_parts(Counting(hidden_layer, rows), [rows.iloc[:0]], tmp_path, key="k")
    parts.write_csv(tmp_path / "out.csv")
    assert (tmp_path / "out.csv").read_text() == "x0_label0,x1_label0\n"
    assert np.isnan(parts.global_values()).all()


def test_digests_tell_frames_apart() -> None:
    frame = loans(6, 1)
    seen = {frame_digest(frame)}
    assert frame_digest(frame.set_index(np.arange(6) + 3)) in seen
    for other in (
        frame.iloc[::-1],
        frame.rename(columns={"town": "city"}),
        frame.astype({"children": "int8"}),
        frame[frame.columns[::-1]],
        frame.iloc[:5],
        frame.assign(married=~frame["married"]),
    ):
        assert frame_digest(other) not in seen
        seen.add(frame_digest(other))
    sparse = numbers(3, 2, 1).astype(pd.SparseDtype("float64", 0.0))
    assert frame_digest(sparse) == frame_digest(sparse.copy())
    keys = {work_key({"seed": seed}, rows) for seed in (1, 2) for rows in (None, frame, frame.iloc[:2])}
    assert len(keys) == 6

"""Rows a batch at a time: together they are the frame that reading the files whole gives."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clarify_ops.data import row_batches
from clarify_ops.data.layout import read_analysis_data
from clarify_ops.data.row_batches import batches_of, stream_rows

from .reading import config

each_example = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

CELLS: dict[str, list[str]] = {
    "whole": ["1", "-7", "12345678901"],
    "whole with gaps": ["1", "2", "", "NA"],
    "fractions": ["0.5", "1e-3", "2", "-0.1"],
    "late fractions": ["3"],
    "text": ["a", "b c", "NA", "x,y", 'say "hi"'],
    "truth": ["True", "False"],
    "nothing": [""],
    "mixed": ["1", "two", "3.0"],
    "huge": ["1", "99999999999999999999999"],
}


@pytest.fixture(autouse=True)
def _small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(row_batches, "_TOGETHER", 5)


def quoted(cell: str) -> str:
    return '"' + cell.replace('"', '""') + '"' if set(cell) & set(',"') else cell


@st.composite
def csv_files(draw: st.DrawFn) -> tuple[list[list[list[str]]], bool]:
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    kinds = [draw(st.sampled_from(sorted(CELLS))) for _ in range(3)]
    files = []
    for number in range(draw(st.integers(1, 3))):
        columns = []
        rows = draw(st.integers(1, 25))
        for kind in kinds:
            values = [*CELLS[kind], "0.25"] if kind == "late fractions" and number else CELLS[kind]
            columns.append([values[place] for place in rng.integers(0, len(values), rows)])
        # The last column is whole, so that a short record can be told from one with gaps.
        columns.append([str(place) for place in range(rows)])
        files.append([list(row) for row in zip(*columns, strict=True)])
    return files, draw(st.booleans())


def same_rows(place: Path, size: int, **keys: Any) -> bool:
    """Whether the files are streamed; if so, to the same frame."""
    given_config = config(**keys)
    found = stream_rows(given_config, place, progress=lambda _: None, large=0)
    if found is None:
        return False
    whole = read_analysis_data(given_config, place)
    pieces: list[pd.DataFrame] = []
    for again in (size, 3):
        pieces = list(found.read(again))
        assert max(map(len, pieces)) <= again
        pd.testing.assert_frame_equal(pd.concat(pieces), whole.frame, check_exact=True)
    assert {tuple(piece.dtypes) for piece in pieces} == {tuple(whole.frame.dtypes)}
    assert found.rows == len(whole.frame)
    assert not found.whole
    assert found.data.features == whole.features
    assert found.data.digest == whole.digest
    return True


@each_example
@given(csv_files(), st.integers(1, 30))
def test_csv_files(tmp_path: Path, made: tuple[list[list[list[str]]], bool], size: int) -> None:
    files, headed = made
    names = ["a", "b", "c", "end"]
    folder = tmp_path / "parts"
    folder.mkdir(exist_ok=True)
    for old in folder.iterdir():
        old.unlink()
    for number, rows in enumerate(files):
        lines = [",".join(map(quoted, row)) for row in ([names] if headed else []) + rows]
        (folder / f"{number}.csv").write_text("\n".join(lines) + "\n")
    same_rows(folder, size, **({} if headed else {"headers": names}))


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_plain_csv_files_are_streamed(size: int, tmp_path: Path) -> None:
    frame = pd.DataFrame({"a": range(40), "b": [*(["x"] * 39), None], "c": [None, *range(39)], "end": 1.5})
    frame.to_csv(tmp_path / "x.csv", index=False)
    assert same_rows(tmp_path / "x.csv", size)


@pytest.mark.parametrize(
    "text",
    [
        "a,b\n1,2\n3\n",
        "a,b\n1,2\n3,4,5\n",
        "a,b\n1,\n3,4\n",
        "a,b\n" + "1,2\n" * 9 + "True,2\n",
        "a,b\n" + "1,2\n" * 9 + "x,2\n",
        'a,b\n1,2\nx"y",2\n',
    ],
)
def test_what_may_be_read_otherwise_is_read_whole(text: str, tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text(text)
    assert stream_rows(config(), tmp_path / "x.csv", progress=lambda _: None, large=0) is None


ARROW: dict[str, tuple[pa.DataType, list[Any]]] = {
    "whole": (pa.int64(), [3, -1, 7]),
    "small": (pa.int8(), [3, -1, None]),
    "float": (pa.float64(), [0.5, None, float("nan")]),
    "single": (pa.float32(), [0.5, 1.0]),
    "text": (pa.string(), ["a", "b", None]),
    "truth": (pa.bool_(), [True, False]),
    "truth with gaps": (pa.bool_(), [True, None]),
    "category": (pa.dictionary(pa.int8(), pa.string()), ["a", "b"]),
}


@each_example
@given(
    kinds=st.lists(st.sampled_from(sorted(ARROW)), min_size=1, max_size=4),
    rows=st.lists(st.integers(1, 30), min_size=1, max_size=3),
    size=st.integers(1, 40),
    seed=st.integers(0, 2**32 - 1),
    by_pandas=st.booleans(),
)
def test_parquet_files(
    tmp_path: Path, kinds: list[str], rows: list[int], size: int, seed: int, *, by_pandas: bool
) -> None:
    rng = np.random.default_rng(seed)
    folder = tmp_path / "parts"
    folder.mkdir(exist_ok=True)
    for old in folder.iterdir():
        old.unlink()
    for number, count in enumerate(rows):
        columns = {
            f"c{place}": pa.array(
                [ARROW[kind][1][one] for one in rng.integers(0, len(ARROW[kind][1]), count)], ARROW[kind][0]
            )
            for place, kind in enumerate(kinds)
        }
        table = pa.table(columns)
        if by_pandas:
            # An index that was cut is stored beside the columns.
            table.to_pandas().iloc[seed % 2 :].to_parquet(folder / f"{number}.parquet")
        else:
            pq.write_table(table, folder / f"{number}.parquet", row_group_size=7)
    streamed = same_rows(folder, size, dataset_type="application/x-parquet")
    if not by_pandas and not {"truth with gaps", "category"} & set(kinds):
        assert streamed


def test_a_frame_in_batches() -> None:
    frame = pd.DataFrame({"a": range(5), "b": list("vwxyz")})
    found = batches_of(read_analysis_data(config(), frame))
    assert found.whole
    pd.testing.assert_frame_equal(pd.concat(found.read(2)), frame)


MEASURE = """
import sys
from pathlib import Path
from clarify_ops.config.analysis import AnalysisConfig
from clarify_ops.data.row_batches import stream_rows
kind = {".csv": "text/csv", ".parquet": "application/x-parquet"}[Path(sys.argv[1]).suffix]
config = AnalysisConfig.parse({"dataset_type": kind, "methods": {}}, "it")
found = stream_rows(config, sys.argv[1], progress=lambda _: None, large=0)
assert sum(len(batch) for batch in found.read(20_000)) == found.rows
print(next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM")))
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs Linux's /proc")
@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_memory_does_not_grow_with_the_rows(suffix: str, tmp_path: Path) -> None:
    kilobytes = []
    for rows in (200_000, 2_000_000):
        frame = pd.DataFrame({f"c{one}": np.arange(rows) % (one + 7) for one in range(6)})
        path = tmp_path / f"{rows}.{suffix}"
        frame.to_csv(path, index=False) if suffix == "csv" else frame.to_parquet(path, row_group_size=100_000)
        found = subprocess.run([sys.executable, "-c", MEASURE, str(path)], capture_output=True, text=True, check=True)
        kilobytes.append(int(found.stdout))
    # All rows are 96 MB in memory.
    assert kilobytes[1] - kilobytes[0] < 50_000, kilobytes

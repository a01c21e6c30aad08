"""CPU time of all bias metrics of three facets beside peers, on the same files, and the peak memory of ours.

    python -m benchmarks bias --rows 10000000

Every contestant is a process in an environment of its own (`make bench-peers` makes those of the peers) that runs in turn
with the others, so that a busy machine slows all. The figure is the ratio of the medians of CPU seconds, imports left out;
results are compared. A peer without an environment is left out.

The engines count cells, from which the metrics still have to be made; smclarify computes the same metrics as we do;
aequitas fewer.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pc
import pyarrow.parquet as pq

HERE = Path(__file__).parent / "peers"
ENVIRONMENTS = Path(os.environ.get("CLARIFY_OPS_PEERS", HERE.parent.parent / ".venv-peers"))
TOGETHER = 1_000_000
NAMES = {
    "sex": ["Male", "Female"],
    "race": ["White", "Black", "Asian-Pac-Islander", "Amer-Indian-Eskimo", "Other"],
    "education": [
        "HS-grad",
        "Some-college",
        "Bachelors",
        "Masters",
        "Assoc-voc",
        "11th",
        "Assoc-acdm",
        "10th",
        "7th-8th",
        "Prof-school",
        "9th",
        "12th",
        "Doctorate",
        "5th-6th",
        "1st-4th",
        "Preschool",
    ],
    "workclass": ["Private", "Self-emp-not-inc", "Local-gov", "State-gov", "Federal-gov"],
}


@dataclass
class Runs:
    """What a contestant said.

    Attributes:
        versions: Of what it runs on.
        cpu: Seconds of each run.
        peak: Bytes.
        result: Of the last run.
    """

    versions: dict[str, str]
    cpu: list[float] = field(default_factory=list)
    peak: int = 0
    result: dict[str, list[float]] = field(default_factory=dict)

    @property
    def median(self) -> float:
        """CPU seconds of the run in the middle."""
        return statistics.median(self.cpu)


def people(start: int, rows: int) -> pa.Table:
    """Made-up rows: nine columns, the same for the same place."""
    rng = np.random.default_rng([0, start])
    score = rng.random(rows)
    columns: dict[str, Any] = {"age": np.clip(17 + rng.gamma(2.6, 8.5, rows), 17, 90).astype(np.int64)}
    for name, values in NAMES.items():
        weights = 0.6 ** np.arange(len(values))
        codes = rng.choice(len(values), rows, p=weights / weights.sum()).astype(np.int8)
        columns[name] = pa.DictionaryArray.from_arrays(pa.array(codes), pa.array(values)).cast(pa.string())
    columns["hours"] = np.clip(rng.normal(40, 12, rows), 1, 99).astype(np.int64)
    columns["score"] = np.round(score, 9)
    columns["label"] = (rng.random(rows) < score).astype(np.int64)
    columns["prediction"] = (score > 0.5).astype(np.int64)
    return pa.table(columns)


def write(folder: Path, rows: int, *, text: bool) -> Path:
    """A Parquet file of people, and a CSV file beside it."""
    path = folder / f"people{rows}.parquet"
    schema = people(0, 1).schema
    with ExitStack() as stack:
        writers: list[Any] = [stack.enter_context(pq.ParquetWriter(path, schema))]
        if text:
            options = pc.WriteOptions(quoting_style="none")
            writers.append(stack.enter_context(pc.CSVWriter(path.with_suffix(".csv"), schema, write_options=options)))
        for start in range(0, rows, TOGETHER):
            table = people(start, min(TOGETHER, rows - start))
            for writer in writers:
                writer.write_table(table)
    return path


def write_text(folder: Path, rows: int) -> Path:
    """A Parquet file of people to be read into memory, whose facets are all text."""
    table = people(0, rows)
    old = np.where(table["age"].to_numpy() > 40, "over 40", "to 40")
    path = folder / f"text{rows}.parquet"
    pq.write_table(table.append_column("old", pa.array(old)), path)
    return path


@contextmanager
def contestant(name: str, arguments: list[str]) -> Iterator[subprocess.Popen[str]]:
    """A process that waits for its runs."""
    environment = {"duckdb": "engines", "polars": "engines"}.get(name, name)
    python = sys.executable if name == "ours" else str(ENVIRONMENTS / environment / "bin" / "python")
    settings = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    if name == "ours":
        settings["PYTHONPATH"] = os.pathsep.join(
            [str(HERE.parent.parent), *filter(None, [os.environ.get("PYTHONPATH")])]
        )
    else:
        settings.pop("PYTHONPATH", None)
    command = [python, str(HERE / f"run_{name}.py"), *arguments]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=settings) as process:
        yield process
        assert process.stdin is not None
        process.stdin.close()


def compete(names: list[str], arguments: list[str], repeats: int, *, once: tuple[str, ...] = ()) -> dict[str, Runs]:
    """Runs contestants in turn; those of `once` a single time."""
    present = [name for name in names if name == "ours" or _there(name)]
    with ExitStack() as stack:
        processes = {name: stack.enter_context(contestant(name, arguments)) for name in present}
        found = {name: Runs(_answer(process)) for name, process in processes.items()}
        for turn in range(repeats):
            for name, process in processes.items():
                if turn and name in once:
                    continue
                assert process.stdin is not None
                process.stdin.write("\n")
                process.stdin.flush()
                told = _answer(process)
                found[name].cpu.append(told["cpu"])
                found[name].peak, found[name].result = told["peak"], told["result"]
    ours = found["ours"].result
    for name, runs in found.items():
        assert runs.result.keys() == ours.keys(), name
        for key, values in runs.result.items():
            # All metrics are a count of them; the others' are counts of rows.
            expected = ours[key][-1:] if len(values) == 1 else ours[key][: len(values)]
            assert values == expected, (name, key, values, expected)
    return found


def _there(name: str) -> bool:
    environment = {"duckdb": "engines", "polars": "engines"}.get(name, name)
    return (ENVIRONMENTS / environment / "bin" / "python").exists()


def _answer(process: subprocess.Popen[str]) -> Any:
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line, f"{process.args} ended"
    return json.loads(line)


def show(what: str, found: dict[str, Runs]) -> None:
    """A line for each contestant."""
    ours = found["ours"].median
    for name, runs in found.items():
        ratio = f"{runs.median / ours:>9.2f}" if name != "ours" else " " * 9
        versions = ", ".join(f"{key} {value}" for key, value in runs.versions.items())
        print(f"{what:<22}{name:<11}{runs.median:>9.3f}{ratio}{runs.peak / 1e6:>9.0f}  {versions}", flush=True)


def main(arguments: list[str] | None = None) -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000, help="of the files")
    parser.add_argument("--repeats", type=int, default=5, help="alternating runs of each")
    parser.add_argument("--small", action="store_true", help="few rows and two runs: does it work at all?")
    given = parser.parse_args(arguments)
    rows, repeats = (20_000, 2) if given.small else (given.rows, given.repeats)
    print(f"All bias metrics of three facets: CPU seconds, median of {repeats} runs in turn; peak memory in MB")
    print(f"{'':<22}{'':<11}{'seconds':>9}{'ratio':>9}{'peak':>9}  versions")
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        path = write(folder, rows, text=True)
        show(f"{rows:,} Parquet", compete(["ours", "duckdb", "polars"], [str(path)], repeats))
        csv = path.with_suffix(".csv")
        show(f"{rows:,} CSV", compete(["ours", "polars", "duckdb"], [str(csv)], repeats))
        csv.unlink()
        path.unlink()
        for size in sorted({rows // 10, rows // 3}):
            show(f"{size:,} Parquet", compete(["ours"], [str(write(folder, size, text=False))], repeats))
        in_memory = min(rows, TOGETHER)
        frame = ["frame", str(write_text(folder, in_memory))]
        show(f"{in_memory:,} in memory", compete(["ours", "aequitas"], frame, repeats))
        few = ["frame", str(write_text(folder, min(rows, 50_000)))]
        show(f"{min(rows, 50_000):,} in memory", compete(["ours", "smclarify"], few, repeats, once=("smclarify",)))


if __name__ == "__main__":
    main()

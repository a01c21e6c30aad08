"""CPU time and error of `kernel_shap` beside shap and shapiq, on the same model and rows in one run.

    python -m benchmarks explain --repeats 5

Every contestant is a process that runs in turn with the others, so that a busy machine slows all; making the explainer and
imports are outside the timing. The peers have an environment of their own (`make bench-peers`); without it they are left
out. Times are CPU milliseconds a row, the median of the runs; slow peers explain fewer rows of the same ones. Errors are
relative to the exact values, the median over rows, and then over runs with other seeds.

"Predictions alone" is the model on all the rows that ours asks about, as arrays that are there already. An endpoint's time
is the CPU time of the explainer and a millisecond for each call and a microsecond for each row: it is computed, not slept.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.bias import ENVIRONMENTS, HERE

Floats = NDArray[np.float64]

KERNELS = ("shap Kernel", "shap Kernel, l1 off")
ALL = (*KERNELS, "shap Exact", "shap Permutation", "shapiq")
# How many times fewer rows a slow peer explains.
SLOW = {"shapiq": 6}
ANY_PAYLOAD = 10**9


@dataclass(frozen=True)
class Case:
    """What one comparison is about.

    Attributes:
        name: Of the line.
        model: "score" or "trees".
        background: Which baseline rows: "apart" differs in every feature, "typical" in about half of them, "hundred".
        num_samples: Coalitions a row; None for the default.
        rows: Explained.
        peers: Who takes part.
        payload: Rows in a call at most.
    """

    name: str
    model: str
    background: str
    num_samples: int | None
    rows: int
    peers: Sequence[str]
    payload: int = ANY_PAYLOAD


@dataclass
class Runs:
    """What a contestant said: CPU seconds and (rows, features) values of each run, and calls and rows of the last."""

    versions: dict[str, str]
    rows: int
    cpu: list[float] = field(default_factory=list)
    values: list[Floats] = field(default_factory=list)
    calls: int = 0
    asked: int = 0

    def milliseconds(self) -> float:
        """CPU time a row."""
        return 1e3 * float(np.median(self.cpu)) / self.rows

    def at_an_endpoint(self) -> float:
        """Milliseconds a row with those that its calls would wait."""
        return self.milliseconds() + (self.calls + self.asked * 1e-3) / self.rows

    def errors(self, exact: Floats) -> Floats:
        """(runs,) the median over rows of the relative error."""
        truth = exact[: self.rows]
        misses = [np.linalg.norm(one - truth, axis=1) / np.linalg.norm(truth, axis=1) for one in self.values]
        return np.median(misses, axis=1)


def write(folder: Path, cases: Sequence[Case], *, trees: bool = True) -> None:
    """The files of the cases: twelve features, a third of them counts, as tables have them; and the trees."""
    rng = np.random.default_rng(0)
    data = rng.normal(size=(4000, 12))
    data[:, 8:] = rng.poisson(0.3, (4000, 4))
    backgrounds = {
        "apart": data[[1500]] + 0.01,
        "typical": np.concatenate([data[:, :8].mean(axis=0), np.zeros(4)])[None],
        "hundred": data[1000:1100],
    }
    for case in cases:
        told = {"model": case.model, "num_samples": case.num_samples, "payload": case.payload}
        (folder / f"{case.name}.json").write_text(json.dumps(told), encoding="utf-8")
        np.savez(folder / f"{case.name}.npz", rows=data[: case.rows], background=backgrounds[case.background])
    if trees:
        import lightgbm

        target = (data[:, 0] * data[:, 1] + np.sin(data[:, 2]) + data[:, 8] + rng.normal(size=4000)) > 0
        settings = {"objective": "binary", "num_leaves": 31, "verbose": -1, "num_threads": 1, "seed": 0}
        lightgbm.train(settings, lightgbm.Dataset(data, target), 100).save_model(folder / "trees.txt")


@contextmanager
def contestant(folder: Path, case: str, name: str, rows: int) -> Iterator[subprocess.Popen[str]]:
    """A process that waits for its runs."""
    settings = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    if name in ALL:
        python, script = str(_peers()), "run_explain.py"
        settings.pop("PYTHONPATH", None)
    else:
        python, script = sys.executable, "run_explain_ours.py"
        paths = [str(HERE.parent.parent), *filter(None, [os.environ.get("PYTHONPATH")])]
        settings["PYTHONPATH"] = os.pathsep.join(paths)
    command = [python, str(HERE / script), str(folder), case, name, str(rows)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=settings) as process:
        yield process
        assert process.stdin is not None
        process.stdin.close()


def compete(folder: Path, case: Case, repeats: int, *, paired: bool = False) -> dict[str, Runs]:
    """Runs the contestants of a case in turn, with seeds 1, 2, ...; paired, all explain the same rows."""
    names = ["ours", *(() if paired else ("predictions alone",)), *(case.peers if _peers().exists() else ())]
    rows = {name: case.rows if paired else max(1, case.rows // SLOW.get(name, 1)) for name in names}
    with ExitStack() as stack:
        processes = {name: stack.enter_context(contestant(folder, case.name, name, rows[name])) for name in names}
        found = {name: Runs(_answer(process), rows[name]) for name, process in processes.items()}
        # What is compiled at the first run is not measured.
        for turn in range(repeats + 1):
            for name, process in processes.items():
                assert process.stdin is not None
                process.stdin.write("\n")
                process.stdin.flush()
                told = _answer(process)
                if turn == 0:
                    continue
                runs = found[name]
                runs.cpu.append(told["cpu"])
                runs.values.append(np.array(told["result"]["values"]))
                runs.calls, runs.asked = told["result"]["calls"], told["result"]["rows"]
    return found


def exact_values(folder: Path, case: Case) -> Floats:
    """(rows, features) by ours, with every coalition; a test holds it against the definition."""
    every = Case(f"{case.name} exactly", case.model, case.background, 2**12, case.rows, ())
    write(folder, [every], trees=False)
    with contestant(folder, every.name, "ours", every.rows) as process:
        _answer(process)
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
        return np.array(_answer(process)["result"]["values"])


def ratio_with_interval(ours: Floats, theirs: Floats) -> tuple[float, float, float]:
    """Ratio of medians of paired runs, and its 95 % interval by the bootstrap over pairs."""
    rng = np.random.default_rng(0)
    drawn = rng.integers(0, len(ours), (4000, len(ours)))
    ratios = np.median(ours[drawn], axis=1) / np.median(theirs[drawn], axis=1)
    low, high = np.quantile(ratios, [0.025, 0.975])
    return float(np.median(ours) / np.median(theirs)), float(low), float(high)


def show_times(case: Case, found: dict[str, Runs], exact: Floats) -> None:
    """A line for each contestant."""
    limited = case.payload != ANY_PAYLOAD
    times = {name: runs.at_an_endpoint() if limited else runs.milliseconds() for name, runs in found.items()}
    for name, runs in found.items():
        alone = name == "predictions alone"
        error = "" if alone else f"{np.median(runs.errors(exact)):.1e}"
        line = f"{case.name:<24}{name:<21}{runs.rows:>5}{times[name]:>10.3f}{times[name] / times['ours']:>8.2f}"
        print(f"{line}{error:>10}{runs.calls:>8,}{runs.asked:>12,}", flush=True)


def show_errors(case: Case, found: dict[str, Runs], exact: Floats) -> None:
    """A line for each peer: how large our errors are beside its own, seed by seed."""
    for name in case.peers:
        if name in found:
            ours, theirs = found["ours"].errors(exact), found[name].errors(exact)
            ratio, low, high = ratio_with_interval(ours, theirs)
            medians = f"{np.median(ours):>10.2e}{np.median(theirs):>10.2e}"
            print(
                f"{case.name:<24}{name:<21}{case.rows:>5}{medians}{ratio:>8.3f}   {low:.3f} to {high:.3f}", flush=True
            )


def _peers() -> Path:
    return ENVIRONMENTS / "explain" / "bin" / "python"


def _answer(process: subprocess.Popen[str]) -> Any:
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line, f"{process.args} ended"
    return json.loads(line)


def main(arguments: list[str] | None = None) -> None:
    """Prints the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=60, help="rows to explain; a sixth of them against 100 rows")
    parser.add_argument("--repeats", type=int, default=5, help="alternating runs of each")
    parser.add_argument("--seeds", type=int, default=100, help="paired runs for errors")
    parser.add_argument("--small", action="store_true", help="few rows and runs: does it work at all?")
    given = parser.parse_args(arguments)
    rows, repeats, seeds = (6, 2, 3) if given.small else (given.rows, given.repeats, given.seeds)
    few = max(1, rows // 6)
    times = [
        Case("one row apart", "score", "apart", None, rows, ALL),
        Case("one typical row", "score", "typical", None, rows, (*KERNELS, "shap Exact", "shap Permutation")),
        Case("100 rows, score, 100", "score", "hundred", 100, few, (*KERNELS, "shap Permutation", "shapiq")),
        Case("100 rows, trees, 100", "trees", "hundred", 100, few, (*KERNELS, "shap Permutation")),
        Case("endpoint, one row", "score", "apart", None, rows, KERNELS, payload=6000),
    ]
    errors = [
        Case(
            "100 rows, score, 100", "score", "hundred", 100, max(1, few // 2), (*KERNELS, "shap Permutation", "shapiq")
        ),
        Case("one row apart, 100", "score", "apart", 100, few, (*KERNELS, "shap Permutation", "shapiq")),
        Case("trees, one row, 100", "trees", "apart", 100, few, ("shap Kernel, l1 off", "shapiq")),
    ]
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        write(folder, [*times, *errors])
        print(
            "Kernel SHAP of twelve features: CPU milliseconds a row, beside ours; relative error; calls and rows asked"
        )
        versions: dict[str, str] = {}
        for case in times:
            found = compete(folder, case, repeats)
            versions |= {key: value for runs in reversed(found.values()) for key, value in runs.versions.items()}
            show_times(case, found, exact_values(folder, case))
        print(f"\nErrors with {seeds} paired seeds: ours, theirs, ratio, its 95 % interval")
        for case in errors:
            if _peers().exists():
                show_errors(case, compete(folder, case, seeds, paired=True), exact_values(folder, case))
    print("\n" + ", ".join(f"{key} {value}" for key, value in versions.items()))


if __name__ == "__main__":
    main()

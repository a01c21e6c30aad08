"""A run to be broken off, and one whose memory is measured: programs of their own, for the tests of streaming.

python -m tests.explain.streams FOLDER explain STOP
python -m tests.explain.streams FOLDER measure ROWS
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clarify_ops.explain.explanation import Explanation
from clarify_ops.explain.kernel import KernelShap
from clarify_ops.explain.stages import Effort
from clarify_ops.explain.streaming import explain_in_parts, work_key

Floats = NDArray[np.float64]
BATCH = 5_000


def curve(frame: pd.DataFrame) -> Floats:
    """A model that costs next to nothing."""
    x = frame.to_numpy()
    return np.asarray(np.tanh(x[:, 0]) + x[:, 1] * x[:, 2])


def explain(folder: Path, stop: int) -> None:
    """Explains seven batches; before the one that is numbered `stop` it says so and waits for its end."""
    rng = np.random.default_rng(1)
    batches = [pd.DataFrame(rng.normal(size=(9, 12)), columns=[f"x{one}" for one in range(12)]) for _ in range(7)]
    background = batches[0].iloc[:2]
    kernel = KernelShap(curve, background, effort=Effort(60), seed=3)
    explained = 0

    def one(rows: pd.DataFrame) -> Explanation:
        nonlocal explained
        if stop and rows.equals(batches[stop - 1]):
            print("waiting", flush=True)
            sys.stdin.read()
        explained += 1
        return kernel.explain(rows)

    parts = explain_in_parts(one, batches, folder / "parts", key=work_key({"seed": 3}, background))
    parts.write_csv(folder / "out.csv")
    print(explained, parts.to_clarify("median"), parts.facts())


def measure(folder: Path, rows: int) -> None:
    """Explains many rows and prints the most memory that it took, in bytes."""
    names = [f"x{one}" for one in range(12)]

    def batches() -> Iterator[pd.DataFrame]:
        for start in range(0, rows, BATCH):
            made = np.zeros((BATCH, 12))
            made[:, :3] = np.random.default_rng(start).normal(size=(BATCH, 3))
            yield pd.DataFrame(made, columns=names)

    background = pd.DataFrame(np.zeros((1, 12)), columns=names)
    kernel = KernelShap(curve, background, effort=Effort(), seed=0)
    parts = explain_in_parts(kernel.explain, batches(), folder / "parts", key=work_key({"rows": rows}, background))
    parts.write_csv(folder / "out.csv")
    for agg in ("mean_abs", "mean_sq", "median"):
        parts.global_values(agg)
    told = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    print(parts.rows, next(int(line.split()[1]) << 10 for line in told if line.startswith("VmHWM")))


if __name__ == "__main__":
    {"explain": explain, "measure": measure}[sys.argv[2]](Path(sys.argv[1]), int(sys.argv[3]))

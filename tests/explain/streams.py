"""A run whose memory is measured: a program of its own, for the tests of streaming.

python -m tests.explain.streams FOLDER ROWS
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clarify_ops.explain.explanation import Aggregation
from clarify_ops.explain.kernel import KernelShap
from clarify_ops.explain.stages import Effort
from clarify_ops.explain.streaming import Parts

Floats = NDArray[np.float64]
BATCH = 5_000


def curve(frame: pd.DataFrame) -> Floats:
    """A model that costs next to nothing."""
    x = frame.to_numpy()
    return np.asarray(np.tanh(x[:, 0]) + x[:, 1] * x[:, 2])


def main() -> None:
    """Explains many rows and prints the most memory that it took, in bytes."""
    folder, rows = Path(sys.argv[1]), int(sys.argv[2])
    names = [f"x{one}" for one in range(12)]

    def batches() -> Iterator[pd.DataFrame]:
        for start in range(0, rows, BATCH):
            made = np.zeros((BATCH, 12))
            made[:, :3] = np.random.default_rng(start).normal(size=(BATCH, 3))
            yield pd.DataFrame(made, columns=names)

    background = pd.DataFrame(np.zeros((1, 12)), columns=names)
    parts = Parts(folder, "measured")
    parts.explain(
        batches(), KernelShap(curve, background, effort=Effort(), seed=0).explain, curve, rows, lambda _: None
    )
    for agg in get_args(Aggregation):
        parts.overall(agg)
    told = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    print(parts.rows, next(int(line.split()[1]) << 10 for line in told if line.startswith("VmHWM")))


if __name__ == "__main__":
    main()

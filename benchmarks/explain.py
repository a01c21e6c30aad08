"""CPU time and error of `kernel_shap` beside shap.KernelExplainer, on the same model and rows in one run.

    python benchmarks/explain.py --rows 60 --repeats 3

Both explain the same rows of the same function; their runs alternate, so that a busy machine slows both. The figure is
the ratio of the medians of CPU seconds; errors are relative to the exact values, the median over rows. shap is run as it
comes and with `l1_reg=False`, which is what it needs for unbiased values on more than ten features. Making the explainer
is outside the timing.
"""

from __future__ import annotations

import argparse
import os

# Before numpy starts its threads: CPU time is compared, and idle threads of a BLAS would count.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
import shap
from numpy.typing import NDArray

from clarify_ops.explain.baseline import typical_row
from clarify_ops.explain.kernel import kernel_shap

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Case:
    """Rows, background and budget of one comparison."""

    name: str
    rows: pd.DataFrame
    background: pd.DataFrame
    num_samples: int | None


def model(x: Floats) -> Floats:
    """A score with interactions, in plain numpy: it costs next to nothing, so the explainer's own work shows."""
    score = x[:, 0] * x[:, 1] + np.sin(x[:, 2]) * x[:, 3] + x[:, 4:].sum(axis=1) / 4 + x[:, 5] * x[:, 6] * x[:, 7]
    return np.asarray(1 / (1 + np.exp(-score)))


def ours(case: Case, seed: int) -> Floats:
    """(rows, features) by kernel_shap."""
    explanation = kernel_shap(
        lambda frame: model(frame.to_numpy()), case.rows, case.background, num_samples=case.num_samples, seed=seed
    )
    return explanation.values[:, :, 0]


def theirs(case: Case, l1_reg: str | bool) -> Callable[[int], Floats]:  # noqa: FBT001 - shap's own type
    """A run of shap.KernelExplainer by seed; the explainer is made here, once."""
    explainer = shap.KernelExplainer(model, case.background.to_numpy(), silent=True)
    rows = case.rows.to_numpy()
    samples: int | str = "auto" if case.num_samples is None else case.num_samples

    def run(seed: int) -> Floats:
        np.random.seed(seed)  # noqa: NPY002 - the only seed that shap listens to
        return np.asarray(explainer.shap_values(rows, nsamples=samples, l1_reg=l1_reg, silent=True))

    return run


def cases(row_count: int) -> list[Case]:
    """Twelve features, a third of them counts, as tables have them."""
    rng = np.random.default_rng(0)
    data = pd.DataFrame(rng.normal(size=(2000, 12)), columns=[f"x{feature}" for feature in range(12)])
    for name in data.columns[8:]:
        data[name] = rng.poisson(0.3, len(data)).astype(np.float64)
    rows, far = data.iloc[:row_count], data.iloc[[1500]] + 0.01
    hundred = data.iloc[1000:1100]
    few = rows.iloc[: max(1, row_count // 6)]
    return [
        Case("median row, auto", rows, typical_row(data), None),
        Case("row apart, auto", rows, far, None),
        Case("row apart, 100", rows, far, 100),
        Case("100 rows, 100", few, hundred, 100),
        Case("100 rows, auto", few, hundred, None),
    ]


def compare(case: Case, repeats: int) -> str:
    """One line of the table."""
    runs: dict[str, Callable[[int], Floats]] = {
        "ours": lambda seed: ours(case, seed),
        "shap": theirs(case, "num_features(10)"),
        "shap l1 off": theirs(case, l1_reg=False),
    }
    exact = ours(Case(case.name, case.rows, case.background, 2**12), 0)
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    errors: dict[str, list[float]] = {name: [] for name in runs}
    for seed in range(repeats):
        for name, run in runs.items():
            start = time.process_time()
            values = run(seed)
            seconds[name].append(time.process_time() - start)
            miss = np.linalg.norm(values - exact, axis=1) / np.linalg.norm(exact, axis=1)
            errors[name].append(float(np.median(miss)))
    cpu = {name: statistics.median(taken) for name, taken in seconds.items()}
    error = {name: statistics.median(missed) for name, missed in errors.items()}
    return (
        f"{case.name:<18}{len(case.rows):>5}"
        f"{cpu['ours']:>9.4f}{cpu['shap']:>9.3f}{cpu['shap l1 off']:>9.3f}"
        f"{cpu['shap'] / cpu['ours']:>8.1f}{cpu['shap l1 off'] / cpu['ours']:>8.1f}"
        f"{error['ours']:>10.1e}{error['shap']:>10.1e}{error['shap l1 off']:>10.1e}"
    )


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=60, help="rows to explain; a sixth of them against 100 rows")
    parser.add_argument("--repeats", type=int, default=3, help="alternating runs of each")
    arguments = parser.parse_args()
    print(f"clarify_ops beside shap {shap.__version__}, numpy {np.__version__}, pandas {pd.__version__}; CPU seconds")
    print(f"{'case':<18}{'rows':>5}{'ours':>9}{'shap':>9}{'l1 off':>9}{'ratio':>8}{'ratio':>8}", end="")
    print(f"{'err ours':>10}{'err shap':>10}{'l1 off':>10}")
    for case in cases(arguments.rows):
        print(compare(case, arguments.repeats), flush=True)


if __name__ == "__main__":
    main()

"""The benchmark of Kernel SHAP runs, without the peers' environment."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np

from benchmarks.explain import ratio_with_interval

ROOT = Path(__file__).parents[2]


def test_the_small_run_measures_ours_and_the_predictions_alone(tmp_path: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "benchmarks", "explain", "--small"],
        cwd=ROOT,
        env={**os.environ, "CLARIFY_OPS_PEERS": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    measured = re.findall(r"^(.+?)  +(ours|predictions alone) +(\d+) +(\d+\.\d+) ", ran.stdout, re.MULTILINE)
    assert len({case for case, *_ in measured}) == 5
    assert len(measured) == 10
    assert all(float(milliseconds) > 0 for *_, milliseconds in measured)
    # A call for the background and one for the rows besides those that a payload makes necessary.
    (calls, asked) = re.findall(r"^endpoint, one row +ours .* ([\d,]+) +([\d,]+)$", ran.stdout, re.MULTILINE)[0]
    assert int(calls) <= -(-int(asked.replace(",", "")) // 6000) + 2


def test_the_interval_of_a_ratio_holds_it() -> None:
    rng = np.random.default_rng(0)
    theirs = rng.lognormal(size=200)
    ratio, low, high = ratio_with_interval(0.5 * theirs * rng.lognormal(sigma=0.1, size=200), theirs)
    assert low < 0.5 < high
    assert low <= ratio <= high
    assert high - low < 0.2

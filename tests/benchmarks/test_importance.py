"""The benchmark of permutation importance and partial dependence runs, and its values equal scikit-learn's."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_small_run_compares_both_works_of_three_models() -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "benchmarks", "importance", "--small"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    lines = re.findall(
        r"^(importance|partial dependence), .+ (\d+\.\d+) +(\d+\.\d+) +\d+\.\d$", ran.stdout, re.MULTILINE
    )
    assert len(lines) == 9
    assert all(float(ours) > 0 and float(sklearn) > 0 for _, ours, sklearn in lines)

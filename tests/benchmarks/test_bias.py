"""The benchmark of bias metrics runs, without the peers' environments."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_small_run_measures_files_and_memory(tmp_path: Path) -> None:
    environment = {**os.environ, "CLARIFY_OPS_PEERS": str(tmp_path)}
    ran = subprocess.run(
        [sys.executable, "-m", "benchmarks", "bias", "--small"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    measured = re.findall(r"^([\d,]+) (Parquet|CSV|in memory) +ours +(\d+\.\d+) +(\d+) ", ran.stdout, re.MULTILINE)
    assert {what for _, what, _, _ in measured} == {"Parquet", "CSV", "in memory"}
    assert all(float(seconds) > 0 and int(peak) > 0 for _, _, seconds, peak in measured)


def test_an_unknown_suite_is_said() -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "benchmarks", "speed"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 1
    assert "There is no suite 'speed'" in ran.stderr

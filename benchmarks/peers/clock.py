"""The side of a measured process: it does its work as often as it is asked, and says what that cost.

    python run_duckdb.py PATH

One line of standard input is one run, answered by one line of JSON: CPU seconds, peak memory in bytes, result. The first
line of standard output tells the versions; imports and loading are over by then.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any


def serve(work: Callable[[], Any], versions: dict[str, str]) -> None:
    """Runs work, once for each line that comes."""
    python = ".".join(map(str, sys.version_info[:3]))
    print(json.dumps({"python": python, **versions}), flush=True)
    for _ in sys.stdin:
        start = time.process_time()
        result = work()
        spent = time.process_time() - start
        print(json.dumps({"cpu": spent, "peak": peak(), "result": result}), flush=True)


def peak() -> int:
    """The most memory that this process had, in bytes."""
    told = Path("/proc/self/status")
    if told.exists():
        # What getrusage says of a new process begins with the memory of the one that started it.
        return next(int(line.split()[1]) << 10 for line in told.read_text().splitlines() if line.startswith("VmHWM"))
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

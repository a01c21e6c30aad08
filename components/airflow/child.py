"""What a worker starts: this module and `STEP ...` is `clarify-ops STEP ...`, for as long as its worker lives.

A worker that is killed cannot end what it started. Its pipe to this process closes, and this process ends: otherwise a
task that is tried again would meet the first try still at work, in the same folder and the same registry. There is no
Airflow here, for a step may run in another environment.
"""

from __future__ import annotations

import os
import runpy
import signal
import sys
import threading

from clarify_ops.components.airflow.places import VARIABLE


def main() -> None:
    """Runs the command line, with the registry that the environment names."""
    threading.Thread(target=_end_with_the_worker, daemon=True).start()
    registry = os.environ.pop(VARIABLE, "")
    if registry:
        # Among this process's arguments everybody on the machine could read it.
        sys.argv += ["--registry-uri", registry]
    runpy.run_module("clarify_ops", run_name="__main__", alter_sys=True)


def _end_with_the_worker() -> None:
    # Reading ends when nobody is left to write.
    while os.read(sys.stdin.fileno(), 1024):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    main()

"""Real servers for the tests, on free ports of the loopback address: MLflow's, and PostgreSQL from Debian's packages."""

from __future__ import annotations

import importlib.util
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.project import untraced_environment

SECONDS_TO_START = 120
_CLUSTERS = Path("/usr/lib/postgresql")
# initdb refuses to work as root.
_UNPRIVILEGED = ("postgres", "nobody")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def mlflow_server(folder: Path, database: str) -> Iterator[str]:
    """`mlflow server` that serves artifacts from the folder; its address."""
    artifacts = ("--artifacts-destination", str(folder / "artifacts"))
    with mlflow_pages(folder, "server", "--backend-store-uri", database, *artifacts) as address:
        yield address


@contextmanager
def mlflow_pages(folder: Path, *command: str) -> Iterator[str]:
    """MLflow's `server` or `ui`, as the command says, on a free port of the loopback address until the block ends."""
    port = free_port()
    mlflow = str(Path(sys.executable).with_name("mlflow"))
    log = folder / "server.log"
    with log.open("w", encoding="utf-8") as stream:
        process = subprocess.Popen(
            [mlflow, *command, "--host", "127.0.0.1", "--port", str(port), "--workers", "1"],
            cwd=folder,
            stdout=stream,
            stderr=stream,
            env={
                **untraced_environment(),
                "MLFLOW_DISABLE_TELEMETRY": "true",
                "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
            },
            start_new_session=True,
        )
        try:
            _wait(port, process, log)
            yield f"http://127.0.0.1:{port}"
        finally:
            _stop(process)


@contextmanager
def postgresql() -> Iterator[str]:
    """A cluster of its own; the URI of its database. Skips by name where PostgreSQL is not installed."""
    found = sorted(_CLUSTERS.glob("*/bin"), key=lambda one: int(one.parent.name))
    if not found or importlib.util.find_spec("psycopg2") is None:
        pytest.skip("needs PostgreSQL")
    programs, port, account = found[-1], free_port(), _account()
    # Not among pytest's folders, which are for one account alone.
    with tempfile.TemporaryDirectory() as place:
        if account is not None:
            shutil.chown(place, account)

        def ask(*command: str) -> None:
            done = subprocess.run(
                command, user=account, cwd=place, capture_output=True, text=True, check=False, env=_clean()
            )
            assert done.returncode == 0, done.stdout + done.stderr

        ask(f"{programs}/initdb", "-D", f"{place}/data", "-U", "mlflow", "-A", "trust", "-E", "UTF8", "--no-sync")
        options = f"-c listen_addresses=127.0.0.1 -c port={port} -c unix_socket_directories='' -c fsync=off"
        server = (f"{programs}/pg_ctl", "-D", f"{place}/data", "-l", f"{place}/log", "-w")
        ask(*server, "-o", options, "start")
        try:
            yield f"postgresql+psycopg2://mlflow@127.0.0.1:{port}/postgres"
        finally:
            ask(*server, "-m", "immediate", "stop")


def _account() -> str | None:
    """Who runs the cluster where this process may not: somebody unprivileged."""
    if os.getuid() != 0:
        return None
    known = {one.pw_name for one in pwd.getpwall()}
    return next(one for one in _UNPRIVILEGED if one in known)


def _clean() -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "LANG": "C.UTF-8"}


def _stop(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is not None:
        return
    # The server has workers; they are one process group with it.
    os.killpg(process.pid, signal.SIGTERM)
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(20)


def _wait(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + SECONDS_TO_START
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=2):
                return
        except OSError:
            time.sleep(0.2)
    raise AssertionError(log.read_text(encoding="utf-8"))

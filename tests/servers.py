"""Servers on this machine that stand for what is elsewhere."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def moto_server(folder: Path, host: str = "127.0.0.1") -> Iterator[str]:
    """The address of an AWS in a process of its own, as long as the block runs; it writes its log into the folder."""
    with socket.socket() as free:
        free.bind((host, 0))
        port = free.getsockname()[1]
    log = folder / "log"
    with log.open("wb") as stream:
        server = subprocess.Popen(
            [sys.executable, "-c", "from moto.server import main; main()", "-H", host, "-p", str(port)],
            stdout=stream,
            stderr=stream,
        )
    try:
        until = time.monotonic() + 60
        while time.monotonic() < until:
            if server.poll() is not None:
                pytest.fail(log.read_text())
            with socket.socket() as visitor:
                if visitor.connect_ex((host, port)) == 0:
                    break
            time.sleep(0.1)
        yield f"http://{host}:{port}"
    finally:
        server.terminate()
        server.wait(30)

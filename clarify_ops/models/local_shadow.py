"""A shadow of a model on this machine: `mlflow models serve` on a free port of the loopback, for as long as it is asked."""

from __future__ import annotations

import atexit
import contextlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from clarify_ops.errors import BadModel, NotSupported, Outside
from clarify_ops.models.answer import Reading
from clarify_ops.models.endpoint import TIMEOUT, HttpEndpoint
from clarify_ops.models.payload import JSON, Encoding
from clarify_ops.models.remote import Limits
from clarify_ops.models.wire import Backoff

_SERVED_HOST = "127.0.0.1"
_TAIL_LINES = 8
_POLL = 0.1
_GRACE = 5.0

# Starts the server in a session of its own, and ends it when the other end of this pipe is gone: that happens however its
# owner ends, SIGKILL included.
_KEEPER = """
import os, signal, subprocess, sys, threading, time
child = subprocess.Popen(sys.argv[2:], stdin=subprocess.DEVNULL, start_new_session=True)
def end(sign):
    try:
        os.killpg(child.pid, sign)
    except ProcessLookupError:
        return False
    return True
def watch():
    while os.read(0, 1):
        pass
    end(signal.SIGTERM)
    try:
        child.wait(float(sys.argv[1]))
    except subprocess.TimeoutExpired:
        pass
    end(signal.SIGKILL)
for one in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
    signal.signal(one, signal.SIG_IGN)
threading.Thread(target=watch, daemon=True).start()
status = child.wait()
until = time.monotonic() + 2
while end(signal.SIGKILL) and time.monotonic() < until:
    time.sleep(0.01)
os._exit(status if status >= 0 else 1)
"""


class LocalShadow(HttpEndpoint):
    """A served MLflow model; implements `clarify_ops.models.model.Model`.

    It runs with the packages that are installed here. Serving runs whatever is in the model: MLflow opens pickles, imports
    code that comes along, and trusts the types that a model says are to be trusted.

    Args:
        model: A folder or any URI that MLflow reads.
        trust: Whoever made it is trusted.
        reading: Where label and scores stand in an answer; `mlflow models serve` answers `{"predictions": [...]}`, whose rows
            are found without.
        limits: Sizes, and requests at a time.
        backoff: Between attempts.
        timeout: Seconds for one answer.
        start_timeout: Seconds until it serves.

    Attributes:
        address: Where it is served.

    Raises:
        BadModel: It is not trusted, or cannot be served; with the end of what MLflow said.
        Outside: It does not serve in time.
        NotSupported: The system is not one with POSIX's processes.
    """

    def __init__(
        self,
        model: str | Path,
        reading: Reading | None = None,
        limits: Limits | None = None,
        backoff: Backoff | None = None,
        *,
        trust: bool = False,
        timeout: float = TIMEOUT,
        start_timeout: float = 120.0,
    ) -> None:
        if os.name != "posix":
            raise NotSupported("A model is not served on this system.", "Give it as an MLflow model, in process.")
        if not trust:
            raise BadModel(
                f"The model {model} is to be served by MLflow, which runs whatever is in it.",
                "If you trust whoever made it, say so: trust=True, --trust-model, or CLARIFY_OPS_TRUST_MODEL=1.",
            )
        port = _free_port()
        super().__init__(
            f"http://{_SERVED_HOST}:{port}",
            Encoding(JSON, flavour="mlflow"),
            reading or Reading(content_type=JSON),
            limits,
            backoff,
            timeout=timeout,
            # A proxy of the environment knows nothing of this machine's loopback.
            proxies=False,
        )
        self.name = self._http.name = f"the model {model}, served here"
        self.address = f"http://{_SERVED_HOST}:{port}"
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - close() closes it
        self._server: subprocess.Popen[bytes] | None = None
        try:
            self._server = _serve(model, port, self._log.fileno())
            # Leaving the program in any way that runs Python ends the server at once; the keeper sees to the others.
            atexit.register(self.close)
            self._until_ready(model, start_timeout)
        except BaseException:
            self.close()
            raise

    @property
    def pid(self) -> int | None:
        """The process that keeps the server, None when it is closed."""
        return None if self._server is None else self._server.pid

    def close(self) -> None:
        """Ends the server and all that it started."""
        super().close()
        atexit.unregister(self.close)
        server, self._server = self._server, None
        if server is not None:
            _end(server)
        self._log.close()

    def _until_ready(self, model: str | Path, seconds: float) -> None:
        until = time.monotonic() + seconds
        # The port is free when it is chosen; only what the server itself says shows that nobody else took it since.
        while self.address not in self._said() or not self.alive():
            if self._server is None or self._server.poll() is not None:
                raise BadModel(f"The model {model} cannot be served: {self._tail()}", "Try: mlflow models serve.")
            if time.monotonic() > until:
                raise Outside(f"The model {model} is not served after {seconds:g} s: {self._tail()}", "Give it longer.")
            time.sleep(_POLL)

    def _said(self) -> str:
        # Not read(), which would move the place that the server writes to.
        log = self._log.fileno()
        return os.pread(log, os.fstat(log).st_size, 0).decode("utf-8", "replace")

    def _tail(self) -> str:
        lines = [line for line in self._said().splitlines() if line.strip()]
        # The frames of a traceback are indented; what was raised stands after them.
        frames = [at for at, line in enumerate(lines[:-1]) if line.startswith(" ")]
        after = lines[frames[-1] + 1 :] if frames else lines
        return " / ".join(line.strip() for line in after[-_TAIL_LINES:]) or "MLflow said nothing."


def _serve(model: str | Path, port: int, log: int) -> subprocess.Popen[bytes]:
    """Starts the keeper, which starts the server."""
    command = [sys.executable, "-m", "mlflow", "models", "serve", "--model-uri", str(model), "--env-manager", "local"]
    # Uvicorn is looked for on the PATH, where a virtual environment that is not activated has nothing.
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
    return subprocess.Popen(
        [
            sys.executable,
            "-c",
            _KEEPER,
            str(_GRACE),
            *command,
            "--host",
            _SERVED_HOST,
            "--port",
            str(port),
            "--workers",
            "1",
        ],
        stdin=subprocess.PIPE,
        stdout=log,
        stderr=log,
        env={**os.environ, "PATH": path, "UVICORN_LOG_LEVEL": "info"},
        # Ctrl-C in a terminal goes to all of a session: the server must live until its owner has said what it has to.
        start_new_session=True,
    )


def _end(server: subprocess.Popen[bytes]) -> None:
    if server.stdin is not None:
        server.stdin.close()
    try:
        server.wait(2 * _GRACE)
    except subprocess.TimeoutExpired:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(server.pid, signal.SIGKILL)
        server.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((_SERVED_HOST, 0))
        port: int = probe.getsockname()[1]
        return port

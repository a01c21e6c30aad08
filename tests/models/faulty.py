"""A container by hand: a real HTTP server that answers sums of features, and misbehaves as a test says."""

from __future__ import annotations

import csv
import io
import json
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Rows = list[list[float]]


@dataclass
class Request:
    """What the server got."""

    body: bytes
    headers: dict[str, str]
    path: str = "/invocations"

    @property
    def rows(self) -> Rows:
        kind = self.headers["content-type"]
        text = self.body.decode()
        if kind == "text/csv":
            return [[float(one) for one in row] for row in csv.reader(io.StringIO(text))]
        if kind == "application/jsonlines":
            return [json.loads(line)["features"] for line in text.splitlines()]
        found: Rows = json.loads(text)["instances"]
        return found


@dataclass
class Answer:
    """What the server says; the defaults are right."""

    body: bytes
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    length: int | None = None
    seconds: float = 0.0
    trickle: float = 0.0
    reset: bool = False
    framed: bool = True


Behaviour = Callable[[int, Request], Answer | None]


def sums(request: Request) -> bytes:
    """One sum a row, in the type that is accepted."""
    values = [sum(row) for row in request.rows]
    kind = request.headers["accept"]
    if kind == "text/csv":
        return "".join(f"{value!r}\n" for value in values).encode()
    if kind == "application/jsonlines":
        return "".join(json.dumps({"score": value}) + "\n" for value in values).encode()
    return json.dumps({"predictions": values}).encode()


class Server(ThreadingHTTPServer):
    """Counts and keeps what it got."""

    daemon_threads = True

    def __init__(self, behave: Behaviour) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.behave = behave
        self.got: list[Request] = []
        self.most_at_once = self._at_once = 0
        self.lock = threading.Lock()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    @contextmanager
    def counted(self, request: Request) -> Iterator[int]:
        with self.lock:
            self.got.append(request)
            number = len(self.got)
            self._at_once += 1
            self.most_at_once = max(self.most_at_once, self._at_once)
        try:
            yield number
        finally:
            with self.lock:
                self._at_once -= 1

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that has gone is what some tests are about."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server

    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/ping" else 404)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        request = Request(body, {key.lower(): value for key, value in self.headers.items()}, self.path)
        # The second is how SageMaker's runtime is asked.
        if self.path.partition("?")[0] != "/invocations" and not self.path.startswith("/endpoints/"):
            self._say(Answer(b"no such page", 404))
            return
        with self.server.counted(request) as number:
            answer = self.server.behave(number, request)
            self._say(answer or Answer(sums(request)))

    def _say(self, answer: Answer) -> None:
        time.sleep(answer.seconds)
        if answer.reset:
            # Without lingering, closing sends a reset.
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()
            self.close_connection = True
            return
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        if answer.framed:
            self.send_header("Content-Length", str(len(answer.body) if answer.length is None else answer.length))
        self.send_header("Connection", "close")
        self.end_headers()
        if answer.trickle:
            for at in range(len(answer.body)):
                self.wfile.write(answer.body[at : at + 1])
                time.sleep(answer.trickle)
        else:
            self.wfile.write(answer.body)
        self.close_connection = True

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name that the base class gives it
        """Nothing on standard error."""


@contextmanager
def serving(behave: Behaviour = lambda _number, _request: None) -> Iterator[Server]:
    """A server on a free port of this machine."""
    server = Server(behave)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()

"""A proxy between a client and a server that loses requests and answers, on the loopback address."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Literal
from urllib.parse import urlsplit

Action = Literal["pass", "lose the request", "lose the answer"] | int
"""Let it through; close the connection before or after the server has it; answer with a status in its place."""

_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length", "host"}


@dataclass
class Proxy:
    """What happens to a request.

    Attributes:
        address: Where clients go.
        rule: Asked with method and path for each, by several threads.
        seen: Method and path of every request, in order.
    """

    address: str
    rule: Callable[[str, str], Action] = lambda _method, _path: "pass"
    seen: list[tuple[str, str]] = field(default_factory=list)

    def decide(self, method: str, path: str) -> Action:
        self.seen.append((method, path))
        return self.rule(method, path)


@contextmanager
def proxy_to(server: str, *, authorization: str | None = None) -> Iterator[Proxy]:
    """A proxy in front of a server; with `authorization`, for those who send this header."""
    place = urlsplit(server)
    upstream = (str(place.hostname), int(place.port or 80))

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _handle(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            known = authorization is None or self.headers.get("Authorization") == authorization
            action = proxy.decide(self.command, self.path) if known else 401
            if action == "lose the request":
                self._hang_up()
            elif isinstance(action, int):
                self._answer(action, [("Content-Type", "text/plain")], b"made up by the tests")
            else:
                status, headers, content = self._forward(body)
                if action == "lose the answer":
                    self._hang_up()
                else:
                    self._answer(status, headers, content)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _handle  # noqa: N815 - named by the base class

        def _forward(self, body: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
            connection = http.client.HTTPConnection(*upstream, timeout=60)
            headers = {name: value for name, value in self.headers.items() if name.lower() not in _HOP}
            connection.request(self.command, self.path, body, headers)
            answer = connection.getresponse()
            content = answer.read()
            connection.close()
            return answer.status, [(name, value) for name, value in answer.getheaders()], content

        def _answer(self, status: int, headers: list[tuple[str, str]], content: bytes) -> None:
            self.send_response_only(status)
            for name, value in headers:
                if name.lower() not in _HOP:
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def _hang_up(self) -> None:
            self.close_connection = True
            self.connection.close()

        def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 - named by the base class
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: object, client_address: object) -> None:
            """Whoever was hung up on is written to in vain."""

    listener = Server(("127.0.0.1", 0), Handler)
    proxy = Proxy(f"http://127.0.0.1:{listener.server_port}")
    thread = threading.Thread(target=listener.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield proxy
    finally:
        listener.shutdown()
        listener.server_close()
        thread.join()

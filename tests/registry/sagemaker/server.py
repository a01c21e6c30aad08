"""A local AWS: moto in a thread, behind a door that writes down what is asked, checks it, and can fail on purpose."""

from __future__ import annotations

import io
import json
import socket
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from .shapes import faults

Answer = Callable[["Call"], "tuple[int, dict[str, Any]] | None"]


@dataclass(frozen=True)
class Call:
    """What was asked: `CreateModelPackage` with its arguments, or `PUT` of a path in S3."""

    operation: str
    arguments: dict[str, Any] = field(default_factory=dict)
    path: str = ""


@dataclass
class Aws:
    """The door.

    Attributes:
        url: Where it is.
        calls: What was asked since it was emptied.
        answer: Says what to answer in place of moto, or None.
        lost: Operations that moto does, once each, but whose answers never arrive.
    """

    inner: Any
    url: str = ""
    calls: list[Call] = field(default_factory=list)
    answer: Answer | None = None
    lost: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    def asked(self, operation: str) -> list[dict[str, Any]]:
        """The arguments of every call of an operation."""
        return [one.arguments for one in self.calls if one.operation == operation]

    def again(self) -> None:
        """Forgets what was asked, and fails no more."""
        self.calls, self.answer, self.lost, self.wrong = [], None, [], []

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        call = self._read(environ)
        self.calls.append(call)
        given = self.answer(call) if self.answer is not None else None
        if given is not None:
            status, document = given
            headers = [("Content-Type", "application/x-amz-json-1.1")]
            start_response(f"{status} x", headers)
            return [json.dumps(document).encode()]
        found: Iterable[bytes] = self.inner(environ, start_response)
        if call.operation in self.lost:
            self.lost.remove(call.operation)
            list(found)
            environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
            return []
        return found

    def _read(self, environ: dict[str, Any]) -> Call:
        target = environ.get("HTTP_X_AMZ_TARGET", "")
        if not target.startswith("SageMaker."):
            return Call(environ["REQUEST_METHOD"], path=environ["PATH_INFO"])
        body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"] or 0))
        environ["wsgi.input"] = io.BytesIO(body)
        call = Call(target.removeprefix("SageMaker."), json.loads(body))
        # Whoever wrote the request is far from here: the test's fixture asks for what is wrong.
        self.wrong += faults(call.operation, call.arguments)
        return call


def refusal(operation: str, code: str, message: str, status: int = 400) -> Answer:
    """AWS's way to refuse an operation of SageMaker's."""
    return lambda call: (status, {"__type": code, "message": message}) if call.operation == operation else None


@contextmanager
def local_aws() -> Iterator[Aws]:
    """moto on a free port of the loopback."""
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
    from werkzeug.serving import WSGIRequestHandler, make_server

    class Silent(WSGIRequestHandler):
        def log(self, *_: Any) -> None:
            """Not on the tests' standard error."""

    aws = Aws(DomainDispatcherApplication(create_backend_app))
    server = make_server("127.0.0.1", 0, aws, threaded=True, request_handler=Silent)
    aws.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield aws
    finally:
        server.shutdown()
        server.server_close()
        thread.join()

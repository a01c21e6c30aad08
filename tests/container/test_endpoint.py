"""A container by hand, with SageMaker's contract and nothing of ours in it, is asked over HTTP."""

from __future__ import annotations

import socket
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from clarify_ops.errors import BadModel
from clarify_ops.models.endpoint import HttpEndpoint
from clarify_ops.models.remote import Limits
from tests.container.engine import docker

# As somebody would write one: CSV in, a probability a line out.
SERVER = """
import csv, io, math, sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

class Handler(BaseHTTPRequestHandler):
    def say(self, status, text):
        self.send_response(status)
        self.send_header("Content-Type", "text/csv")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def do_GET(self):
        self.say(200 if self.path == "/ping" else 404, "")

    def do_POST(self):
        text = self.rfile.read(int(self.headers["Content-Length"])).decode()
        try:
            rows = [[float(value) for value in row] for row in csv.reader(io.StringIO(text))]
        except ValueError as error:
            return self.say(400, str(error))
        self.say(200, "".join(f"{1 / (1 + math.exp(-sum(row)))!r}\\n" for row in rows))

ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""


@pytest.fixture(scope="module")
def url(image: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a running container."""
    script = tmp_path_factory.mktemp("container") / "serve.py"
    script.write_text(SERVER)
    # Whoever the image runs as must come in.
    script.parent.chmod(0o755)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    name = f"clarify-ops-{uuid.uuid4().hex[:12]}"
    volume = f"{script.parent}:/opt/program:ro"
    # The engine of the tests has no bridge: its containers stand in this machine's network, or in none.
    docker(
        *("run", "--detach", "--rm", "--network=host", "--memory=256m", "--name", name, "--volume", volume),
        *("--entrypoint", "python3", image, f"/opt/program/{Path(script).name}", str(port)),
    )
    try:
        address = f"http://127.0.0.1:{port}"
        until = time.monotonic() + 60
        while not HttpEndpoint(address, proxies=False).alive():
            assert time.monotonic() < until, docker("logs", name, check=False).stderr
            time.sleep(0.1)
        yield address
    finally:
        docker("rm", "--force", name, check=False)


def test_it_answers_row_for_row(url: str) -> None:
    features = pd.DataFrame(np.random.default_rng(0).normal(size=(1_000, 4)), columns=list("abcd"))
    with HttpEndpoint(url, limits=Limits(payload_bytes=20_000), proxies=False) as model:
        found = model.answer(features)
        assert 1 < model.calls < 10
    sums = np.array([sum(row) for row in features.to_numpy().tolist()])
    np.testing.assert_allclose(found[0], 1 / (1 + np.exp(-sums)), rtol=1e-14)


def test_what_it_says_is_shown(url: str) -> None:
    with HttpEndpoint(url, proxies=False) as model, pytest.raises(BadModel, match="could not convert string to float"):
        model.answer(pd.DataFrame({"a": ["red"]}))

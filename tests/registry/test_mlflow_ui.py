"""What was registered is what MLflow's own pages show, in a real browser."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, sync_playwright

CHROMIUM = Path("/usr/bin/chromium")
SECONDS_TO_START = 90
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM.exists(), reason="needs /usr/bin/chromium"),
]


@pytest.fixture(scope="module")
def server(finished: Path) -> Iterator[str]:
    """`mlflow ui` on the registry of a finished run, on a free port of the loopback address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    mlflow = str(Path(sys.executable).with_name("mlflow"))
    command = [mlflow, "ui", "--backend-store-uri", f"sqlite:///{finished}/registry/mlflow.db", "--host", "127.0.0.1"]
    log = finished / "ui.log"
    with log.open("w", encoding="utf-8") as stream:
        process = subprocess.Popen(
            [*command, "--port", str(port), "--workers", "1"],
            cwd=finished,
            stdout=stream,
            stderr=stream,
            env={**os.environ, "MLFLOW_DISABLE_TELEMETRY": "true"},
            start_new_session=True,
        )
        try:
            url = f"http://127.0.0.1:{port}"
            _wait(port, process, log)
            yield url
        finally:
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
            time.sleep(0.3)
    raise AssertionError(log.read_text(encoding="utf-8"))


@pytest.fixture
def page() -> Iterator[Page]:
    with sync_playwright() as chosen:
        browser = chosen.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser.new_page(viewport={"width": 1400, "height": 1400})
        browser.close()


def test_the_version_shows_its_alias_card_and_tags(server: str, page: Page) -> None:
    page.goto(f"{server}/#/models/small-model/versions/1")
    # The parts of the page come one after the other, each in its own request.
    for words in ("Verdict: PASS", "Judgements", "challenger", "clarify_ops.evidence", "clarify_ops.verdict"):
        page.get_by_text(words).first.wait_for(timeout=120_000)


def test_the_run_shows_the_report(server: str, page: Page, finished: Path) -> None:
    run = json.loads((finished / "run" / "release" / "registration.json").read_text(encoding="utf-8"))["run"]
    page.goto(f"{server}/#/experiments/1/runs/{run}/artifacts/report.html")
    frame = page.frame_locator("iframe").first
    frame.get_by_role("heading", name="Passed").first.wait_for(timeout=120_000)

"""What was registered is what MLflow's own pages show, in a real browser."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, sync_playwright

from tests.registry.servers import mlflow_pages

CHROMIUM = Path("/usr/bin/chromium")
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
    """`mlflow ui` on the registry of a finished run."""
    with mlflow_pages(finished, "ui", "--backend-store-uri", f"sqlite:///{finished}/registry/mlflow.db") as address:
        yield address


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

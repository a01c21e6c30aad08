"""What people see of a run, in a real browser: its graph, and the grid of all runs.

After a change on purpose: CLARIFY_OPS_UPDATE_SCREENSHOTS=1 make test-airflow
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, sync_playwright

from tests.airflow_standalone.scene import ROOT, SECONDS_TO_END, WHOLE, Scene

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking", "--disable-sync"]
MILLISECONDS = 120_000
UPDATE = "CLARIFY_OPS_UPDATE_SCREENSHOTS"

pytestmark = [pytest.mark.browser, pytest.mark.skipif(not CHROMIUM.exists(), reason="needs /usr/bin/chromium")]


@pytest.fixture
def page(stage: Scene) -> Iterator[Page]:
    """The page of the run whose gate was shut."""
    for run in stage.runs:
        run.wait(SECONDS_TO_END)
    with sync_playwright() as chosen:
        browser = chosen.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = browser.new_page(viewport={"width": 1500, "height": 720})
        page.goto(f"{stage.airflow.address}/dags/{stage.shut.dag}/runs/{stage.shut.name}", timeout=MILLISECONDS)
        yield page
        browser.close()


def test_the_graph_shows_every_task_with_its_state(page: Page, tmp_path: Path) -> None:
    page.get_by_label("Show Graph").click(timeout=MILLISECONDS)
    nodes = page.locator(".react-flow__node")
    nodes.get_by_text("gate", exact=True).wait_for(timeout=MILLISECONDS)
    shown = {words[0]: words[-1] for words in (node.inner_text().split() for node in nodes.all())}
    assert {task: shown[task] for task in WHOLE} == {
        **dict.fromkeys(WHOLE, "success"),
        "gate": "failed",
        "register": "upstream_failed",
    }
    keep(page, tmp_path, "airflow-graph.png")


def test_the_grid_shows_all_runs(page: Page, tmp_path: Path) -> None:
    page.get_by_text("Task Instances").first.wait_for(timeout=MILLISECONDS)
    for task in WHOLE:
        page.get_by_text(task, exact=True).first.wait_for(timeout=MILLISECONDS)
    keep(page, tmp_path, "airflow-grid.png")


def keep(page: Page, folder: Path, name: str) -> None:
    """A picture of the page, for the documentation when the variable is set."""
    picture = (ROOT / "docs" if os.environ.get(UPDATE) else folder) / name
    # Boxes slide into their places.
    page.wait_for_timeout(1000)
    page.screenshot(path=picture)
    assert picture.stat().st_size > 20_000

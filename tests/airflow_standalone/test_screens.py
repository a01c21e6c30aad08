"""What people see of a run, in a real browser: its graph, and the grid of all runs.

After a change on purpose: CLARIFY_OPS_UPDATE_SCREENSHOT=1 make test-airflow
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, sync_playwright

from tests.airflow_standalone.scene import ROOT, SECONDS_TO_END, WHOLE, WORKER, Scene, basic
from tests.airflow_standalone.standalone import Run

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking", "--disable-sync"]
MILLISECONDS = 120_000
# For the documentation when the variable is set.
DOCS = ROOT / "docs" if os.environ.get("CLARIFY_OPS_UPDATE_SCREENSHOT") else None

pytestmark = [pytest.mark.browser, pytest.mark.skipif(not CHROMIUM.exists(), reason="needs /usr/bin/chromium")]


@pytest.fixture
def page(stage: Scene) -> Iterator[Page]:
    """A browser, when all runs have ended."""
    for run in stage.runs:
        run.wait(SECONDS_TO_END)
    with sync_playwright() as chosen:
        browser = chosen.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = browser.new_page(viewport={"width": 1400, "height": 640})
        page.set_default_timeout(MILLISECONDS)
        yield page
        browser.close()


def open_run(page: Page, run: Run) -> None:
    page.goto(f"{run.airflow.address}/dags/{run.dag}/runs/{run.name}")


def test_the_graph_shows_every_task_with_its_state(stage: Scene, page: Page, tmp_path: Path) -> None:
    open_run(page, stage.shut)
    page.get_by_label("Show Graph").click()
    nodes = page.locator(".react-flow__node")
    nodes.get_by_text("gate", exact=True).wait_for()
    shown = {words[0]: words[-1] for words in (node.inner_text().split() for node in nodes.all())}
    assert {task: shown[task] for task in WHOLE} == {
        **dict.fromkeys(WHOLE, "success"),
        "gate": "failed",
        "register": "upstream_failed",
    }
    page.get_by_label("Collapse Details Panel").click()
    page.wait_for_timeout(1000)
    page.get_by_label("Fit View").click()
    keep(page, (DOCS or tmp_path) / "airflow-graph.png")


def test_the_grid_shows_all_runs(stage: Scene, page: Page, tmp_path: Path) -> None:
    open_run(page, stage.shut)
    page.get_by_text("Task Instances").first.wait_for()
    for task in WHOLE:
        page.get_by_text(task, exact=True).first.wait_for()
    keep(page, tmp_path / "airflow-grid.png")


def test_a_link_leads_to_the_registered_version(stage: Scene, page: Page) -> None:
    page.set_extra_http_headers({"Authorization": basic(WORKER)})
    page.goto(str(stage.opened.links("register")["Registered version"]))
    for words in ("Verdict: PASS", "champion", "clarify_ops.evidence"):
        page.get_by_text(words).first.wait_for()


def keep(page: Page, picture: Path) -> None:
    # Boxes slide into their places.
    page.wait_for_timeout(1000)
    page.screenshot(path=picture)
    assert picture.stat().st_size > 20_000

"""The report in a real browser: nothing fetched, nothing broken, the verdict in sight, nothing cut off."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from clarify_ops.analysis.notes import metric_notes
from clarify_ops.report import render_report
from clarify_ops.report.findings import Findings
from clarify_ops.report.findings_page import render_findings
from tests.factories import release
from tests.report.found import evil, found
from tests.report.notes import NOTES
from tests.report.verdicts import with_chances

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM.exists(), reason="needs /usr/bin/chromium"),
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        running = driver.chromium.launch(executable_path=str(CHROMIUM), args=list(FLAGS))
        yield running
        running.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 420])
def test_the_report_in_a_real_browser(browser: Any, tmp_path: Path, width: int, scheme: str) -> None:
    file = tmp_path / "report.html"
    file.write_text(render_report(replace(release(), verdict=with_chances()), NOTES), encoding="utf-8")
    page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    complaints: list[str] = []
    requests: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda request: requests.append(request.url))
    page.goto(file.as_uri())

    heading = page.get_by_role("heading", level=1)
    assert heading.inner_text() == "Failed"
    box = heading.bounding_box()
    assert box["y"] + box["height"] < 900
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    seen = "[...document.querySelectorAll('main *:not(.unseen, .unseen *)')]"
    outside = f"{seen}.filter(one => one.getBoundingClientRect().right > innerWidth)"
    assert (
        page.evaluate(
            f"{outside}.filter(one => !one.closest('.scroll, thead, svg')).map(one => one.outerHTML.slice(0, 90))"
        )
        == []
    )
    assert page.evaluate("[...document.images].every(one => one.complete && one.naturalWidth > 0)")
    assert page.get_by_role("table").count() > 5
    strips = page.locator(".strip:not(.ticks)")
    assert strips.count() == sum(one.interval is not None for one in with_chances().judgements)
    assert all(one.bounding_box()["height"] > 10 for one in page.locator(".strip .picture").all())
    # Words of outcomes are never covered by a neighbour.
    boxes = [one.bounding_box() for one in page.locator(".strip .said").all()]
    assert all(above["y"] + above["height"] <= below["y"] + 1 for above, below in pairwise(boxes))
    page.close()
    assert complaints == []
    assert [url for url in requests if not url.startswith(("file:", "data:"))] == []


@pytest.mark.parametrize("of", [found, evil])
@pytest.mark.parametrize("width", [1280, 420])
def test_the_report_of_an_analysis_fits_and_is_silent(
    browser: Any, tmp_path: Path, width: int, of: Callable[[], Findings]
) -> None:
    file = tmp_path / "report.html"
    file.write_text(render_findings(of(), metric_notes()), encoding="utf-8")
    page = browser.new_page(viewport={"width": width, "height": 900})
    complaints: list[str] = []
    requests: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("request", lambda request: requests.append(request.url))
    page.goto(file.as_uri())
    assert page.get_by_role("heading", level=1).is_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate("[...document.images].every(one => one.complete && one.naturalWidth > 0)")
    page.get_by_role("link", name="Configuration", exact=True).click()
    assert page.evaluate("document.location.hash") == "#configuration"
    page.close()
    assert complaints == []
    assert [url for url in requests if not url.startswith(("file:", "data:"))] == []

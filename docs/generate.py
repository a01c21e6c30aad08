"""Writes the tables of README.md and docs/explaining.md from the code, and the README's picture of the report from the example.

Usage: python docs/generate.py            rewrites what stands between the markers of both
       python docs/generate.py --picture  makes docs/report.png of runs/mortgage-approval (needs Chromium)
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from clarify_ops.analysis.notes import FACTS
from clarify_ops.analysis.supported import REFUSALS
from clarify_ops.bias.table import METRICS
from clarify_ops.config.analysis import SUPPORTED_IN_PIPELINES, AnalysisConfig, OwnSettings
from clarify_ops.explain.methods import EXPLAINERS
from clarify_ops.quality.performance import QUALITY
from clarify_ops.steps.table import STEPS

ROOT = Path(__file__).resolve().parents[1]
README = ROOT / "README.md"
EXPLAINING = ROOT / "docs" / "explaining.md"
CHROMIUM = "/usr/bin/chromium"


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    return "\n".join(lines + ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows])


def metrics() -> str:
    """The bias metrics."""
    rows = []
    for one in METRICS:
        interval = (
            "subsampled neighbours, Tango score" if one.form is None else _INTERVALS.get(one.name, "Newcombe score")
        )
        low, high = (f"{end:.3g}".replace("inf", "∞") for end in (one.low, one.high))
        stage = one.stage.replace("_", "-")
        rows.append(
            (f"`{one.name}`", one.description, stage, f"{low} to {high}", f"{one.parity:g}", interval, one.reading)
        )
    return table(("metric", "title", "stage", "range", "parity", "interval", "reading"), rows)


# Where it is not the score interval of a difference of proportions.
_INTERVALS = {
    "CI": "Wilson score",
    "DI": "Koopman score",
    "TE": "odds score",
    **dict.fromkeys(("JS", "KL", "GE"), "score region"),
    **dict.fromkeys(("DCA", "DCR"), "paired ratio score"),
    **dict.fromkeys(("CDDL", "CDDPL"), "stratified score"),
}


def quality() -> str:
    """What a policy can bound besides bias."""
    rows = [(f"`{one.name}`", "quality", one.title, one.reading) for one in QUALITY]
    rows += [(f"`{one.name}`", one.stage, one.note.title, one.note.reading) for one in FACTS]
    return table(("metric", "stage", "title", "reading"), rows)


def steps() -> str:
    """The step table."""
    rows = []
    for step in STEPS:
        inputs = ", ".join(
            f"`{port.option}`" + ("" if port.required else " (optional)") for port in (*step.inputs, *step.parameters)
        )
        outputs = ", ".join(f"`{one.path}`" + ("" if one.always else " (sometimes)") for one in step.outputs)
        rows.append((f"`{step.name}`", step.description, inputs, outputs))
    return table(("step", "what it does", "options", "files in its `--output` folder"), rows)


def explainers() -> str:
    """The explainers."""
    return table(
        ("explainer", "what it says", "exact when", "source"),
        [(f"`{one.name}`", one.what, one.exact_when, one.source) for one in EXPLAINERS],
    )


def unsupported() -> str:
    """Keys of Clarify's schema that a pipeline refuses, by name."""
    top = sorted(AnalysisConfig.model_fields)
    supported = {key.split(".")[0] for key in SUPPORTED_IN_PIPELINES}
    methods = (
        "methods.asymmetric_shapley_value",
        "methods.shap.num_clusters",
        "methods.shap.text_config",
        "methods.shap.image_config",
    )
    followed = {".".join(key.split(".")[:2]) for key in SUPPORTED_IN_PIPELINES}
    own = (key for one in OwnSettings.model_fields if (key := f"clarify_ops.{one}") not in followed)
    return ", ".join(f"`{key}`" for key in (*(one for one in top if one not in supported), *methods, *own))


def refused() -> str:
    """Keys of Clarify's schema that `analyze` refuses, with the reason and what to do."""
    rows = [(f"`{one.key}`", one.why, one.instead) for one in REFUSALS]
    rows.append(("`dataset_type` of images and captured data", "Rows of features are analysed.", ""))
    return table(("key", "why", "instead"), rows)


PARTS: Mapping[str, Callable[[], str]] = {
    "metrics": metrics,
    "quality": quality,
    "steps": steps,
    "refused": refused,
    "unsupported": unsupported,
}
DOCUMENTS: Mapping[Path, Mapping[str, Callable[[], str]]] = {README: PARTS, EXPLAINING: {"explainers": explainers}}


def rendered(text: str, parts: Mapping[str, Callable[[], str]] = PARTS) -> str:
    """A document with its generated parts made anew."""
    for name, make in parts.items():
        start, end = f"<!-- {name} -->\n", f"<!-- end of {name} -->"
        if text.count(start) != 1 or text.count(end) != 1:
            raise SystemExit(f"A document needs exactly one part between {start.strip()} and {end}.")
        before, rest = text.split(start)
        text = f"{before}{start}{make()}\n{end}{rest.split(end)[1]}"
    return text


def picture() -> None:
    """The first screen of the example's report."""
    from playwright.sync_api import sync_playwright

    report = ROOT / "runs" / "mortgage-approval" / "release" / "report.html"
    with sync_playwright() as browser_of:
        browser = browser_of.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        )
        page = browser.new_page(viewport={"width": 1180, "height": 900})
        page.goto(report.as_uri())
        page.screenshot(path=ROOT / "docs" / "report.png")
        browser.close()


if __name__ == "__main__":
    if "--picture" in sys.argv:
        picture()
    for document, parts in DOCUMENTS.items():
        document.write_text(rendered(document.read_text(encoding="utf-8"), parts), encoding="utf-8")

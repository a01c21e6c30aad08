"""The findings of an analysis as a PDF on A4: no clock is asked, so that the same findings give the same bytes."""

from __future__ import annotations

import io
import itertools
from collections.abc import Iterable, Mapping
from typing import Any

from clarify_ops.gate.published import number
from clarify_ops.report import figures, paper
from clarify_ops.report.chapters import TRUST, Chapter
from clarify_ops.report.content import content
from clarify_ops.report.findings import Findings
from clarify_ops.report.notes import MetricNote
from clarify_ops.report.panels import Panel


def findings_pdf(findings: Findings, about: Mapping[str, MetricNote] | None = None) -> bytes:
    """The report on paper: title, numbered pages, tables that break across pages.

    Args:
        findings: What was found.
        about: How each metric is to be read, by the metric's name.
    """
    from reportlab.lib.pagesizes import A4
    from reportlab.platypus import SimpleDocTemplate

    paper.fonts()
    buffer = io.BytesIO()
    document = SimpleDocTemplate(
        buffer,
        pagesize=A4,
        margin=40,
        leftMargin=40,
        rightMargin=40,
        topMargin=45,
        bottomMargin=45,
        title=findings.title,
        author="",
        invariant=1,
    )

    def foot(canvas: Any, _: Any) -> None:
        canvas.setFont(paper.FONT, 8)
        canvas.drawRightString(A4[0] - 40, 25, str(canvas.getPageNumber()))
        canvas.drawString(40, 25, paper.drawable(findings.title)[:90])

    document.build(_story(findings, about or {}), onFirstPage=foot, onLaterPages=foot)
    return buffer.getvalue()


def _story(findings: Findings, about: Mapping[str, MetricNote]) -> list[Any]:
    found = content(findings, about)
    story: list[Any] = [paper.words(findings.title, 20), paper.words(found["data"]["name"], 9)]
    story.append(paper.words(f"{findings.data.rows:,} rows, {findings.data.columns} columns", 9))
    story += [paper.words(note, 9) for note in (*findings.notes, *findings.data.warnings)]
    if found["mask"].masks_anything:
        story.append(paper.words(f"Groups of {found['mask'].fewer} rows are too small to be shown.", 9))
    if found["groups"]:
        story.append(paper.heading("Groups"))
        rows = [
            [
                f"{one['facet']} = {one['value']}",
                ("too small: " if one["small"] else "") + one["rows"],
                paper.share(one["share_of_rows"]),
                one["positive"],
                paper.share(one["positive_share"]),
            ]
            for one in found["groups"]
        ]
        story.append(paper.table(("Group", "Rows", "Size", "Positive labels", ""), rows, (150, 95, 90, 90, 90)))
    if found["kinds"]:
        story.append(paper.heading("How the columns were read"))
        rows = [
            [name, text + (", by hand" if by_hand else ""), warning or "none"]
            for name, text, by_hand, warning in found["kinds"]
        ]
        story.append(paper.table(("Column", "Read as", "Warning"), rows, (120, 190, 205)))
    story += _bias(found)
    story += _performance(found)
    story += _explanations(findings, found)
    for chapter in found["chapters"]:
        story += _chapter(chapter, found["trust"])
    for one in found["further"]:
        story.append(paper.heading(one["title"]))
        for head, rows in one["tables"]:
            story.append(paper.table(head, rows, [paper.WIDE / len(head)] * len(head)))
        if one["left_out"]:
            story.append(paper.words(f"{one['left_out']} more are in metrics.json.", 9))
    story.append(paper.heading("Configuration"))
    story += [paper.words(line, 8) for line in found["configuration"].splitlines()]
    return story


def _bias(found: Mapping[str, Any]) -> list[Any]:
    story: list[Any] = [paper.heading("Bias by group")] if found["bias"] else []
    for entry in found["bias"]:
        story.append(paper.heading(entry["subject"], 11, level=1))
        for title, rows in entry["tables"]:
            story += [paper.words(title, 9), _measures(rows)]
    return story


def _performance(found: Mapping[str, Any]) -> list[Any]:
    story: list[Any] = []
    report = found["performance"]
    if report is not None:
        story.append(paper.heading("Performance"))
        story.append(paper.table(("Metric", "What it says", "Value"), report["metrics"], (180, 255, 80)))
        binary = report["binary"]
        rows = [["Positive", binary[0], binary[2]], ["Negative", binary[1], binary[3]]]
        story.append(paper.table(("Observed", "Predicted positive", "Predicted negative"), rows, (180, 167, 168)))
        if report["matrix"]:
            width = paper.WIDE / (len(report["classes"]) + 1)
            matrix = [[name, *row] for name, row in report["matrix"]]
            story.append(paper.table(("Observed", *report["classes"]), matrix, [width] * (len(report["classes"]) + 1)))
    if found["quality"]:
        story += [paper.heading("Quality over all rows"), _measures(found["quality"])]
    return story


def _explanations(findings: Findings, found: Mapping[str, Any]) -> list[Any]:
    facts = findings.explanations
    if facts is None or found["explained"] is None:
        return []
    story: list[Any] = [paper.heading("Explanations")]
    if found["explained"]["header"] is not None:
        story += _panel(found["explained"]["header"], titled=False)
    else:
        story.append(paper.words(f"{facts.method}. {found['explained']['exactness']}", 9))
        story += [paper.words(sentence, 9) for sentence in facts.warnings]
    for label, values in facts.global_values.items():
        largest = max((abs(value) for value in values.values()), default=0.0) or 1.0
        rows = [
            [name, number(value), paper.share(abs(value) / largest)]
            for name, value in figures.ranked(values, len(values))
        ]
        story += [
            paper.words(f"Global importance for {label}", 9),
            paper.table(("Feature", "Importance", ""), rows, (250, 120, 145)),
        ]
    if found["explained"]["drawn"]:
        picture = paper.picture(figures.partial_dependence_png(facts), height=700)
        story += [paper.words("Partial dependence", 9), picture]
    return story


def _chapter(chapter: Chapter, trust: Mapping[str, Any]) -> list[Any]:
    story: list[Any] = [paper.heading(chapter.title)]
    for panel in chapter.panels:
        story += _panel(panel, titled=panel.title != chapter.title)
    if chapter.id != TRUST:
        return story
    for title, rows in (("Shares and agreement", trust["shares"]), ("Counts and gaps", trust["counts"])):
        story += [paper.heading(title, 11, level=1), _measures(rows)] if rows else []
    for entry in trust["facets"]:
        story.append(paper.heading(f"Attributions to {entry['subject']}", 11, level=1))
        story += [_measures(rows) for _, rows in entry["tables"]]
    return story


def _panel(panel: Panel, *, titled: bool) -> list[Any]:
    from reportlab.platypus import KeepTogether

    story: list[Any] = [paper.heading(panel.title, 11, level=1)] if titled else []
    story += [paper.words(sentence, 9) for sentence in (panel.lead, *panel.warnings) if sentence]
    if panel.facts:
        story.append(paper.table(("", ""), panel.facts, (150, paper.WIDE - 150)))
    for grid in panel.grids:
        if not grid.folded:
            story.append(paper.table(grid.head, grid.rows, [paper.WIDE / len(grid.head)] * len(grid.head)))
    waiting: list[Any] = []
    for picture in panel.pictures:
        width = 0.8 * paper.WIDE if picture.wide else paper.WIDE / 2 - 10
        drawn = [paper.picture(picture.png(), width), paper.words(picture.caption, 8, width=width)]
        if picture.wide:
            story.append(KeepTogether(drawn))
        else:
            waiting.append(drawn)
    for left, right in itertools.zip_longest(waiting[::2], waiting[1::2], fillvalue=""):
        story.append(paper.beside(left, right))
    story += [paper.words("Rules", 8, bold=True)] if panel.text else []
    story += [paper.words(line, 8) for line in panel.text.splitlines()]
    story += [paper.words(sentence, 8) for sentence in panel.notes]
    return story


def _measures(rows: Iterable[Mapping[str, Any]]) -> Any:
    cells = []
    for row in rows:
        one, note = row["one"], row["note"]
        name = f"{one.metric}: {note.title}\n{note.reading}" if note else one.metric
        if one.value is None and not row["hidden"]:
            value = f"undefined: {one.reason}"
        else:
            value = "\n".join(part for part in (row["value"], row["interval"], row["method"]) if part)
        sizes = [f"{size} {side}" for side, size in row["groups"].items()]
        sizes += [f"divided by {what} {size}" for what, size in row["denominators"].items()]
        picture = paper.bar(one, row["start"], row["reach"]) if row["picture"] else ""
        cells.append([name, value, picture, "\n".join(sizes)])
    return paper.table(("Metric", "Value and interval", "Picture", "Rows"), cells, (170, 110, paper.PICTURE + 10, 105))

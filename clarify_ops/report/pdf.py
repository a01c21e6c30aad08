"""The findings of an analysis as a PDF on A4: no clock is asked, so that the same findings give the same bytes."""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from html import escape
from pathlib import Path
from typing import Any

from clarify_ops.gate.published import number
from clarify_ops.measures import Measure
from clarify_ops.report import figures
from clarify_ops.report.content import content
from clarify_ops.report.findings import Findings
from clarify_ops.report.notes import MetricNote
from clarify_ops.report.pictures import Scale

_FONT, _BOLD = "DejaVuSans", "DejaVuSans-Bold"
_WIDE = 515.0
_PICTURE = 120.0
# A cell must fit on a page, and so many lines do, of letters that are nowhere wider than this part of their height.
_LINES = 40
_WIDEST = 0.95
_LONGEST = 600


def findings_pdf(findings: Findings, about: Mapping[str, MetricNote] | None = None) -> bytes:
    """The report on paper: title, numbered pages, tables that break across pages.

    Args:
        findings: What was found.
        about: How each metric is to be read, by the metric's name.
    """
    from reportlab.lib.pagesizes import A4
    from reportlab.platypus import SimpleDocTemplate

    _fonts()
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
        canvas.setFont(_FONT, 8)
        canvas.drawRightString(A4[0] - 40, 25, str(canvas.getPageNumber()))
        canvas.drawString(40, 25, _drawable(findings.title)[:90])

    document.build(_story(findings, about or {}), onFirstPage=foot, onLaterPages=foot)
    return buffer.getvalue()


def _story(findings: Findings, about: Mapping[str, MetricNote]) -> list[Any]:
    found = content(findings, about)
    story: list[Any] = [_words(findings.title, 20), _words(found["data"]["name"], 9)]
    story.append(_words(f"{findings.data.rows:,} rows, {findings.data.columns} columns", 9))
    story += [_words(note, 9) for note in (*findings.notes, *findings.data.warnings)]
    if found["mask"].masks_anything:
        story.append(_words(f"Groups of {found['mask'].fewer} rows are too small to be shown.", 9))
    if found["groups"]:
        story.append(_heading("Groups"))
        rows = [
            [
                f"{one['facet']} = {one['value']}",
                ("too small: " if one["small"] else "") + one["rows"],
                _share(one["share_of_rows"]),
                one["positive"],
                _share(one["positive_share"]),
            ]
            for one in found["groups"]
        ]
        story.append(_table(("Group", "Rows", "Size", "Positive labels", ""), rows, (150, 95, 90, 90, 90)))
    if found["kinds"]:
        story.append(_heading("How the columns were read"))
        rows = [
            [name, text + (", by hand" if by_hand else ""), warning or "none"]
            for name, text, by_hand, warning in found["kinds"]
        ]
        story.append(_table(("Column", "Read as", "Warning"), rows, (120, 190, 205)))
    story += _bias(found)
    story += _performance(found)
    story += _explanations(findings, found)
    for one in found["further"]:
        story.append(_heading(one["title"]))
        for head, rows in one["tables"]:
            story.append(_table(head, rows, [_WIDE / len(head)] * len(head)))
        if one["left_out"]:
            story.append(_words(f"{one['left_out']} more are in metrics.json.", 9))
    story.append(_heading("Configuration"))
    story += [_words(line, 8) for line in found["configuration"].splitlines()]
    return story


def _bias(found: Mapping[str, Any]) -> list[Any]:
    story: list[Any] = [_heading("Bias by group")] if found["bias"] else []
    for entry in found["bias"]:
        story.append(_heading(entry["subject"], 11))
        for title, rows in entry["tables"]:
            story += [_words(title, 9), _measures(rows)]
    return story


def _performance(found: Mapping[str, Any]) -> list[Any]:
    story: list[Any] = []
    report = found["performance"]
    if report is not None:
        story.append(_heading("Performance"))
        story.append(_table(("Metric", "What it says", "Value"), report["metrics"], (180, 255, 80)))
        binary = report["binary"]
        rows = [["Positive", binary[0], binary[2]], ["Negative", binary[1], binary[3]]]
        story.append(_table(("Observed", "Predicted positive", "Predicted negative"), rows, (180, 167, 168)))
        if report["matrix"]:
            width = _WIDE / (len(report["classes"]) + 1)
            matrix = [[name, *row] for name, row in report["matrix"]]
            story.append(_table(("Observed", *report["classes"]), matrix, [width] * (len(report["classes"]) + 1)))
    if found["quality"]:
        story += [_heading("Quality over all rows"), _measures(found["quality"])]
    return story


def _explanations(findings: Findings, found: Mapping[str, Any]) -> list[Any]:
    facts = findings.explanations
    if facts is None or found["explained"] is None:
        return []
    from reportlab.lib.utils import ImageReader
    from reportlab.platypus import Image

    story: list[Any] = [_heading("Explanations"), _words(f"{facts.method}. {found['explained']['exactness']}", 9)]
    story += [_words(sentence, 9) for sentence in facts.warnings]
    for label, values in facts.global_values.items():
        largest = max((abs(value) for value in values.values()), default=0.0) or 1.0
        rows = [
            [name, number(value), _share(abs(value) / largest)] for name, value in figures.ranked(values, len(values))
        ]
        story += [
            _words(f"Global importance for {label}", 9),
            _table(("Feature", "Importance", ""), rows, (250, 120, 145)),
        ]
    if found["explained"]["drawn"]:
        picture = figures.partial_dependence_png(facts)
        width, height = ImageReader(io.BytesIO(picture)).getSize()
        scale = min(_WIDE / width, 700 / height)
        story += [_words("Partial dependence", 9), Image(io.BytesIO(picture), width * scale, height * scale)]
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
        picture = _bar(one, row["start"], row["reach"]) if row["picture"] else ""
        cells.append([name, value, picture, "\n".join(sizes)])
    return _table(("Metric", "Value and interval", "Picture", "Rows"), cells, (170, 110, _PICTURE + 10, 105))


def _bar(one: Measure, start: float, reach: tuple[float, float]) -> Any:
    """The value as a bar from parity, the interval as a line over it."""
    from reportlab.graphics.shapes import Drawing, Line, Rect
    from reportlab.lib.colors import HexColor

    scale = Scale(start + reach[0], start + reach[1], _PICTURE)
    drawing = Drawing(_PICTURE, 14)
    value = start if one.value is None else one.value
    ends = sorted((scale(start), scale(value)))
    drawing.add(Rect(ends[0], 2, ends[1] - ends[0], 9, fillColor=HexColor("#7fa3cc"), strokeColor=None))
    drawing.add(Line(scale(start), 0, scale(start), 13, strokeColor=HexColor("#1b2430"), strokeWidth=0.7))
    if one.interval is not None:
        low, high = scale(one.interval.low), scale(one.interval.high)
        drawing.add(Line(low, 6.5, high, 6.5, strokeColor=HexColor("#5b6b7d"), strokeWidth=2))
    return drawing


def _share(share: float) -> Any:
    from reportlab.graphics.shapes import Drawing, Rect
    from reportlab.lib.colors import HexColor

    drawing = Drawing(80, 9)
    drawing.add(Rect(0, 1, 78 * share, 7, fillColor=HexColor("#7fa3cc"), strokeColor=None))
    return drawing


def _table(head: Iterable[str], rows: Iterable[Sequence[Any]], widths: Sequence[float]) -> Any:
    from reportlab.lib.colors import HexColor
    from reportlab.platypus import LongTable, TableStyle

    cells = [[_words(name, 8, bold=True, width=width) for name, width in zip(head, widths, strict=True)]]
    cells += [
        [
            _words(cell, 8, width=width) if isinstance(cell, str) else cell
            for cell, width in zip(row, widths, strict=True)
        ]
        for row in rows
    ]
    style = TableStyle(
        [
            ("VALIGN", (0, 0), (-1, -1), "TOP"),
            ("LINEBELOW", (0, 0), (-1, -1), 0.4, HexColor("#d9dfe5")),
            ("LEFTPADDING", (0, 0), (-1, -1), 2),
            ("RIGHTPADDING", (0, 0), (-1, -1), 4),
        ]
    )
    return LongTable(cells, colWidths=list(widths), repeatRows=1, style=style, spaceAfter=8)


def _heading(text: str, size: float = 14) -> Any:
    found = _words(text, size, bold=True, before=10)
    found.keepWithNext = True
    return found


def _words(text: str, size: float, *, bold: bool = False, before: float = 0, width: float = _WIDE) -> Any:
    from reportlab.lib.styles import ParagraphStyle
    from reportlab.platypus import Paragraph

    drawable = "\n".join(_drawable(line) for line in text.split("\n"))
    longest = min(_LONGEST, max(1, int(_LINES * width / (size * _WIDEST))))
    cut = drawable if len(drawable) <= longest else f"{drawable[:longest]} ..."
    blanks = len(cut) - len(cut.lstrip(" "))
    lines = cut.lstrip(" ").split("\n")[:_LINES]
    markup = "&nbsp;" * blanks + "<br/>".join(escape(line) for line in lines)
    style = ParagraphStyle(
        "words",
        fontName=_BOLD if bold else _FONT,
        fontSize=size,
        leading=size * 1.3,
        spaceBefore=before,
        spaceAfter=2,
        splitLongWords=1,
    )
    return Paragraph(markup, style)


def _drawable(text: str) -> str:
    """Text in the letters of the font; another one is shown by its number."""
    known = _fonts()
    return "".join(one if ord(one) in known else " " if one.isspace() else f"[U+{ord(one):04X}]" for one in text)


@cache
def _fonts() -> frozenset[int]:
    """Registers the fonts that come with matplotlib, equal on every machine, and tells the letters that they have."""
    from matplotlib import get_data_path
    from reportlab.pdfbase import pdfmetrics
    from reportlab.pdfbase.ttfonts import TTFont

    folder = Path(get_data_path()) / "fonts" / "ttf"
    fonts = [TTFont(name, folder / f"{name}.ttf") for name in (_FONT, _BOLD)]
    for font in fonts:
        pdfmetrics.registerFont(font)
    letters = [set(font.face.charToGlyph) for font in fonts]
    return frozenset(letters[0] & letters[1])

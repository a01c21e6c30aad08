"""What a page of the PDF is made of: words in letters that the fonts have, tables, bars and headings with an outline."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from functools import cache
from html import escape
from pathlib import Path
from typing import Any

from clarify_ops.measures import Measure
from clarify_ops.report.pictures import Scale

FONT, _BOLD = "DejaVuSans", "DejaVuSans-Bold"
WIDE = 515.0
PICTURE = 120.0
# A cell must fit on a page, and so many lines do, of letters that are nowhere wider than this part of their height.
_LINES = 40
_WIDEST = 0.95
_LONGEST = 600


def bar(one: Measure, start: float, reach: tuple[float, float]) -> Any:
    """The value as a bar from parity, the interval as a line over it."""
    from reportlab.graphics.shapes import Drawing, Line, Rect
    from reportlab.lib.colors import HexColor

    scale = Scale(start + reach[0], start + reach[1], PICTURE)
    drawing = Drawing(PICTURE, 14)
    value = start if one.value is None else one.value
    ends = sorted((scale(start), scale(value)))
    drawing.add(Rect(ends[0], 2, ends[1] - ends[0], 9, fillColor=HexColor("#7fa3cc"), strokeColor=None))
    drawing.add(Line(scale(start), 0, scale(start), 13, strokeColor=HexColor("#1b2430"), strokeWidth=0.7))
    if one.interval is not None:
        low, high = scale(one.interval.low), scale(one.interval.high)
        drawing.add(Line(low, 6.5, high, 6.5, strokeColor=HexColor("#5b6b7d"), strokeWidth=2))
    return drawing


def share(part: float) -> Any:
    """A bar from the left."""
    from reportlab.graphics.shapes import Drawing, Rect
    from reportlab.lib.colors import HexColor

    drawing = Drawing(80, 9)
    drawing.add(Rect(0, 1, 78 * part, 7, fillColor=HexColor("#7fa3cc"), strokeColor=None))
    return drawing


def table(head: Iterable[str], rows: Iterable[Sequence[Any]], widths: Sequence[float]) -> Any:
    """Rows that break across pages, below a head that is repeated."""
    from reportlab.lib.colors import HexColor
    from reportlab.platypus import LongTable, TableStyle

    cells = [[words(name, 8, bold=True, width=width) for name, width in zip(head, widths, strict=True)]]
    cells += [
        [
            words(cell, 8, width=width) if isinstance(cell, str) else cell
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


def heading(text: str, size: float = 14, *, level: int = 0) -> Any:
    """A heading that stays with what follows, and that the outline beside the pages leads to.

    Args:
        text: The heading.
        size: Of its letters.
        level: In the outline, 0 for a chapter.
    """
    found = words(text, size, bold=True, before=10, kind=_outlined())
    found.level, found.title = level, drawable(" ".join(text.split()))[:120]
    found.keepWithNext = True
    return found


@cache
def _outlined() -> Any:
    from reportlab.platypus import Paragraph

    class Outlined(Paragraph):  # type: ignore[misc]
        level, title = 0, ""

        def draw(self) -> None:
            # Headings repeat; the place on paper does not.
            left, top = self.canv.absolutePosition(0, self.height)
            key = f"{self.canv.getPageNumber()} {left:.2f} {top:.2f}"
            self.canv.bookmarkHorizontal(key, 0, self.height)
            # An entry cannot be two levels deeper than the one before it.
            self.canv.addOutlineEntry(self.title, key, self.level, closed=True)
            super().draw()

    return Outlined


def picture(content: bytes, width: float = WIDE, height: float = 620) -> Any:
    """A picture as large as fits."""
    from reportlab.lib.utils import ImageReader
    from reportlab.platypus import Image

    size = ImageReader(io.BytesIO(content)).getSize()
    scale = min(width / size[0], height / size[1])
    return Image(io.BytesIO(content), size[0] * scale, size[1] * scale, hAlign="LEFT")


def beside(left: Any, right: Any) -> Any:
    """Two narrow things on a line."""
    from reportlab.platypus import Table

    half = WIDE / 2
    return Table(
        [[left, right]],
        colWidths=[half, half],
        style=[("VALIGN", (0, 0), (-1, -1), "TOP"), ("LEFTPADDING", (0, 0), (-1, -1), 0)],
    )


def words(
    text: str, size: float, *, bold: bool = False, before: float = 0, width: float = WIDE, kind: Any = None
) -> Any:
    """A paragraph, cut where no page could hold it."""
    from reportlab.lib.styles import ParagraphStyle
    from reportlab.platypus import Paragraph

    known = "\n".join(drawable(line) for line in text.split("\n"))
    longest = min(_LONGEST, max(1, int(_LINES * width / (size * _WIDEST))))
    cut = known if len(known) <= longest else f"{known[:longest]} ..."
    blanks = len(cut) - len(cut.lstrip(" "))
    lines = cut.lstrip(" ").split("\n")[:_LINES]
    markup = "&nbsp;" * blanks + "<br/>".join(escape(line) for line in lines)
    style = ParagraphStyle(
        "words",
        fontName=_BOLD if bold else FONT,
        fontSize=size,
        leading=size * 1.3,
        spaceBefore=before,
        spaceAfter=2,
        splitLongWords=1,
    )
    return (kind or Paragraph)(markup, style)


def drawable(text: str) -> str:
    """Text in the letters of the font; another one is shown by its number."""
    known = fonts()
    return "".join(one if ord(one) in known else " " if one.isspace() else f"[U+{ord(one):04X}]" for one in text)


@cache
def fonts() -> frozenset[int]:
    """Registers the fonts that come with matplotlib, equal on every machine, and tells the letters that they have."""
    from matplotlib import get_data_path
    from reportlab.pdfbase import pdfmetrics
    from reportlab.pdfbase.ttfonts import TTFont

    folder = Path(get_data_path()) / "fonts" / "ttf"
    fonts = [TTFont(name, folder / f"{name}.ttf") for name in (FONT, _BOLD)]
    for font in fonts:
        pdfmetrics.registerFont(font)
    letters = [set(font.face.charToGlyph) for font in fonts]
    return frozenset(letters[0] & letters[1])

"""The sheet that figures are drawn on: no global state, no date, no version, and only letters that the font has."""

from __future__ import annotations

import io
import math
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK, BLUE, GREY, RED, GREEN, AMBER = "#1f2933", "#2f5f98", "#8a94a0", "#b42318", "#1a7f4b", "#9a6700"
SHOWN_CATEGORIES = 20
_TICKS = 12
_FINE = 180


def figure(width: float, height: float) -> Figure:
    """An empty figure of so many inches."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    made = Figure(figsize=(width, height), layout="constrained", facecolor="white")
    FigureCanvasAgg(made)
    return made


def panels(number_of: int, height: float, width: float | None = None) -> tuple[Figure, list[Axes]]:
    """A figure with axes side by side."""
    made = figure((8.5 if number_of == 1 else 5.5 * number_of) if width is None else width, height)
    found = list(made.subplots(1, number_of, squeeze=False)[0])
    for axes in found:
        axes.spines[["top", "right"]].set_visible(False)
    return made, found


def empty(title: str, sentence: str) -> Figure:
    """A figure that says why there is nothing to see."""
    made = figure(6, 1.6)
    made.suptitle(title)
    made.text(0.5, 0.4, sentence, ha="center", va="center")
    return made


def png(made: Figure) -> bytes:
    """The figure in dots."""
    return _saved(made, "png", dpi=150, metadata={"Software": None})


def svg(made: Figure) -> bytes:
    """The figure in lines, sharp at every size."""
    return _saved(made, "svg", metadata={"Date": None, "Creator": None})


def small_png(made: Figure) -> bytes:
    """The figure in fine dots of few colours: a quarter of what lines need, where a page holds many."""
    import numpy as np
    from matplotlib import rc_context
    from PIL import Image

    found, sheet = io.BytesIO(), made.canvas
    made.set_dpi(_FINE)
    with rc_context({"text.parse_math": False}):
        sheet.draw()
    dots = np.asarray(sheet.buffer_rgba())[:, :, :3]  # type: ignore[attr-defined]
    picture = Image.fromarray(dots).quantize(64, Image.Quantize.FASTOCTREE)
    picture.save(found, "png", optimize=True, dpi=(_FINE, _FINE))
    return found.getvalue()


def _saved(made: Figure, kind: str, **options: Any) -> bytes:
    from matplotlib import rc_context

    stream = io.BytesIO()
    # Feature names are words, not TeX: a dollar sign must not start a formula.
    with rc_context({"svg.hashsalt": "clarify_ops", "svg.fonttype": "path", "text.parse_math": False}):
        made.savefig(stream, format=kind, **options)
    return stream.getvalue()


def short(text: object, longest: int = 26) -> str:
    """A name as a figure can hold it: one line, so many letters at most, others than the font has by their number."""
    known = _letters()
    words = " ".join(str(text).split())
    drawable = "".join(one if ord(one) in known else f"[U+{ord(one):04X}]" for one in words[: longest + 1])
    return drawable if len(drawable) <= longest else f"{drawable[: longest - 1]}…"


def are_numbers(values: Iterable[object]) -> bool:
    """Whether categories are numbers, and so have an order of their own."""
    return all(isinstance(one, int | float) and not isinstance(one, bool) for one in values)


def shown_categories(values: Sequence[Any]) -> list[int]:
    """Places of the categories that a figure holds: numbers by size, of others the first."""
    if are_numbers(values):
        return sorted(range(len(values)), key=lambda at: values[at])
    return list(range(len(values)))[:SHOWN_CATEGORIES]


def category_ticks(axes: Axes, values: Sequence[Any], places: Sequence[float]) -> None:
    """Names below the axis, as many as can be read: of numbers some, of others all."""
    step = max(1, math.ceil(len(values) / _TICKS)) if are_numbers(values) else 1
    names = [short(one, 14) for one in values[::step]]
    steep = len(names) > 5 or max(map(len, names), default=0) > 8
    axes.set_xticks(places[::step], names, rotation=60 if steep else 0, fontsize=8)
    if steep:
        for label in axes.get_xticklabels():
            label.set_horizontalalignment("right")
            label.set_rotation_mode("anchor")


@cache
def _letters() -> frozenset[int]:
    from matplotlib import get_data_path
    from matplotlib.ft2font import FT2Font

    return frozenset(FT2Font(str(Path(get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf")).get_charmap())

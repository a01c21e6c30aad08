"""What a section of metrics.json shows, whether on a page, on paper or in a notebook: words, figures and tables."""

from __future__ import annotations

import base64
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from clarify_ops.gate.published import number
from clarify_ops.report import canvas

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST_FIGURES = 12
"""Figures of one section; what the others would show stands in metrics.json."""


@dataclass(frozen=True)
class Picture:
    """A figure, made when it is asked for.

    Attributes:
        draw: Makes it.
        alt: What it shows, for those who cannot see it.
        caption: How to read it.
        wide: Whether it needs the whole line.
    """

    draw: Callable[[], Figure]
    alt: str
    caption: str = ""
    wide: bool = True

    def uri(self) -> str:
        """The picture inside a page."""
        return f"data:image/png;base64,{base64.b64encode(self.png()).decode()}"

    def png(self) -> bytes:
        """The picture in dots, drawn once for all reports."""
        return self._png

    @cached_property
    def _png(self) -> bytes:
        return canvas.small_png(self.draw())


@dataclass(frozen=True)
class Grid:
    """A table of words.

    Attributes:
        title: Its name.
        head: (columns,).
        rows: Each (columns,).
        folded: Whether it only repeats a figure in numbers; paper leaves it out.
    """

    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    folded: bool = False


@dataclass(frozen=True)
class Panel:
    """A section.

    Attributes:
        name: Of the section in metrics.json.
        title: For readers.
        lead: What it is.
        warnings: What a reader must know before trusting it.
        facts: Numbers and words by name.
        pictures: In order.
        grids: Tables.
        text: Rules, a line each, to be shown as they are.
        notes: Sentences at the foot.
    """

    name: str
    title: str
    lead: str = ""
    warnings: tuple[str, ...] = ()
    facts: tuple[tuple[str, str], ...] = ()
    pictures: tuple[Picture, ...] = ()
    grids: tuple[Grid, ...] = ()
    text: str = ""
    notes: tuple[str, ...] = ()


def told(value: Any) -> str:
    """A number for a reader; nothing where there is none."""
    return "" if value is None or math.isnan(float(value)) else number(float(value))


def counted(count: int, one: str, many: str = "") -> str:
    """So many of something.

    >>> counted(1, "row"), counted(2000, "row")
    ('1 row', '2,000 rows')
    """
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def explainer_panel(facts: Mapping[str, Any]) -> Panel:
    """Which explainer made the attributions and why, of what unit, against what background, and how exact they are.

    Args:
        facts: Section `explanations` of metrics.json.
    """
    others = dict(facts.get("not_taken") or {})
    reason = str(facts.get("reason") or "")
    # The sentence ends with the others, which are a table here.
    why = reason.partition(" Not taken: ")[0] if others else reason
    shown = {
        "Explainer": str(facts.get("explainer") or ""),
        "Why this one": why,
        "Explained output": _output(facts),
        "Background": _background(facts),
        "Rows explained": _rows(facts),
        "Sampling error": _sampling(facts),
        "Additivity gap": _gap(facts),
        "Model asked": _asked(facts),
    }
    grid = Grid(
        "Explainers that were not taken", ("Explainer", "Why not"), tuple((k, str(v)) for k, v in others.items())
    )
    return Panel(
        "explanations",
        "How the explanations were made",
        warnings=tuple(map(str, facts.get("warnings") or ())),
        facts=tuple((name, words) for name, words in shown.items() if words),
        grids=(grid,) if others else (),
    )


def _output(facts: Mapping[str, Any]) -> str:
    unit, outputs = str(facts.get("unit") or ""), [str(one) for one in facts.get("outputs") or ()]
    names = ", ".join(outputs[:12]) + (f" and {len(outputs) - 12} more" if len(outputs) > 12 else "")
    if not unit:
        return names
    return f"{names}: {unit}" if names else unit


def _background(facts: Mapping[str, Any]) -> str:
    how, rows = str(facts.get("background") or ""), facts.get("baseline_rows")
    count = "" if rows is None else counted(int(rows), "baseline row")
    return f"{count}: {how}" if count and how else count or how


def _rows(facts: Mapping[str, Any]) -> str:
    rows, exact = facts.get("rows"), facts.get("exact_rows")
    if rows is None:
        return ""
    if exact is None:
        return f"{rows:,}"
    return f"{rows:,}, all exactly" if exact == rows else f"{rows:,}: {exact:,} exactly, {rows - exact:,} from a sample"


def _sampling(facts: Mapping[str, Any]) -> str:
    rows, largest = facts.get("rows"), facts.get("largest_standard_error")
    unknown = facts.get("values_without_standard_error") or 0
    if not rows:
        return ""
    if facts.get("exact_rows") == rows and not unknown:
        return "none: nothing was sampled"
    if unknown and not largest:
        return f"no standard error is known of {counted(unknown, 'value')}: the sample is too small to tell"
    known = "no standard error is known" if largest is None else f"standard errors are at most {number(largest)}"
    return f"{known}; {counted(unknown, 'value')} without one" if unknown and largest is not None else known


def _gap(facts: Mapping[str, Any]) -> str:
    gap = facts.get("additivity_gap")
    return "" if gap is None else f"{number(gap)}: the most by which attributions and base value miss a prediction"


def _asked(facts: Mapping[str, Any]) -> str:
    rows, calls = facts.get("prediction_rows"), facts.get("prediction_calls")
    if rows is None:
        return ""
    if not rows:
        return "about no rows: the values are read off the model"
    return f"about {counted(rows, 'row')}" + ("" if calls is None else f" in {counted(calls, 'call')}")

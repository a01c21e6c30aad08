"""Figures of what was found of a model: cohorts side by side, importances, effects, curves and rankings.

Each is narrow enough to be read on a telephone, and is made of plain numbers.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from clarify_ops.gate.published import number
from clarify_ops.report import canvas
from clarify_ops.report.canvas import BLUE, GREY, INK, figure, panels, short

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDE, NARROW = 5.5, 4.2
# Told apart by people who see red and green alike (Okabe and Ito, 2008); all rows are grey.
COHORT_COLOURS = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00")
_BAND, _INNER = "#cfdcea", "#9bb8d6"
_SPREAD = "#d5dce4"


@dataclass(frozen=True)
class Spread:
    """A number and the ends of its interval.

    Attributes:
        name: Of what it is.
        value: The number.
        low, high: The ends; None where no spread is known.
        marked: Whether it stands out.
    """

    name: str
    value: float
    low: float | None = None
    high: float | None = None
    marked: bool = True


def grouped_bars(
    groups: Mapping[str, Mapping[str, float]], features: Sequence[str], axis: str, everyone: str | None = None
) -> Figure:
    """Horizontal bars of the same features for several groups of rows, the bars of a feature beside each other.

    Args:
        groups: By group, the number of each feature.
        features: Those to draw, the first on top.
        axis: What the numbers are.
        everyone: The group to draw in grey.
    """
    thick = 0.8 / max(1, len(groups))
    made = figure(WIDE, 1.5 + 0.2 * math.ceil(len(groups) / 2) + max(0.34, 0.15 * len(groups)) * len(features))
    axes = _axes(made)
    colours = iter(COHORT_COLOURS * (1 + len(groups) // len(COHORT_COLOURS)))
    for place, (name, values) in enumerate(groups.items()):
        at = [row - 0.4 + thick * (place + 0.5) for row in range(len(features))]
        colour = GREY if name == everyone else next(colours)
        axes.barh(at, [values.get(one, 0.0) for one in features], thick * 0.92, color=colour, label=short(name, 34))
    _rows(axes, features)
    _legend(made, len(groups))
    axes.set_xlabel(axis)
    return made


def intervals(columns: Mapping[str, Sequence[Spread]], axis: str) -> Figure:
    """A dot and a line for each number; columns side by side share their names. What does not stand out is hollow."""
    rows = max(len(those) for those in columns.values())
    made, found = panels(len(columns), height=1.35 + 0.3 * rows, width=WIDE)
    for place, (axes, (title, those)) in enumerate(zip(found, columns.items(), strict=True)):
        for row, one in enumerate(those):
            colour = BLUE if one.marked else GREY
            if one.low is not None and one.high is not None:
                axes.plot((one.low, one.high), (row, row), color=colour, linewidth=2.6, alpha=0.55)
            face = colour if one.marked else "white"
            axes.plot(one.value, row, marker="o", markersize=6, color=colour, markerfacecolor=face, linestyle="none")
        axes.axvline(0, color=INK, linewidth=0.8, zorder=0)
        _rows(axes, [one.name for one in those] if place == 0 else [""] * len(those))
        axes.set_title(title, fontsize=9.5)
        axes.grid(axis="y", color="#e8ecf0", linewidth=0.6)
        axes.locator_params(axis="x", nbins=4)
        axes.margins(x=0.1)
    made.supxlabel(axis, fontsize=9.5)
    return made


def bars(those: Sequence[Spread], axis: str) -> Figure:
    """Horizontal bars, the first on top, each with its interval as a line."""
    made = figure(WIDE, 1.0 + 0.3 * len(those))
    axes = _axes(made)
    axes.barh(range(len(those)), [one.value for one in those], 0.66, color="#7fa3cc")
    for row, one in enumerate(those):
        if one.low is not None and one.high is not None:
            axes.plot((one.low, one.high), (row, row), color=INK, linewidth=1.6, alpha=0.75, marker="|", markersize=6)
        reach = max(one.value, 0.0 if one.high is None else one.high)
        axes.annotate(
            number(one.value), (reach, row), xytext=(5, 0), textcoords="offset points", va="center", fontsize=8
        )
    axes.axvline(0, color=INK, linewidth=0.8)
    _rows(axes, [one.name for one in those])
    axes.margins(x=0.12)
    axes.set_xlabel(axis)
    return made


@dataclass(frozen=True)
class Curve:
    """An output over the values of a feature.

    Attributes:
        name: Of the output.
        values: (points,).
        low, high: (points,) of a band around it; None without one.
    """

    name: str
    values: Sequence[float]
    low: Sequence[float] | None = None
    high: Sequence[float] | None = None


def effect(
    feature: str, points: Sequence[Any], curves: Sequence[Curve], rows: Sequence[float], *, numerical: bool, axis: str
) -> Figure:
    """How an output moves with a feature.

    Args:
        feature: Its name.
        points: Its values: numbers of a numerical feature.
        curves: One an output.
        rows: Rows between neighbouring points, or at each point; drawn as bars, relative to the most.
        numerical: Draw lines; else dots.
        axis: What the curves are.
    """
    made = figure(NARROW, 3.1)
    axes = _axes(made)
    places = _places(points, numerical=numerical)
    _row_bars(axes, places, rows)
    for curve in curves:
        colour = BLUE if len(curves) == 1 else None
        style = {"linewidth": 1.8} if numerical else {"marker": "o", "markersize": 4.5, "linestyle": "none"}
        (line,) = axes.plot(places, curve.values, color=colour, label=short(curve.name, 20), **style)
        if curve.low is not None and curve.high is not None:
            axes.fill_between(places, curve.low, curve.high, color=line.get_color(), alpha=0.22, linewidth=0)
    axes.axhline(0, color=INK, linewidth=0.6, zorder=0)
    if len(curves) > 1:
        axes.legend(fontsize=7.5, frameon=False)
    _feature_axis(axes, feature, points, places, numerical=numerical)
    axes.set_ylabel(axis)
    return made


def quantile_bands(
    feature: str,
    points: Sequence[Any],
    mean: Sequence[float],
    bands: Mapping[float, Sequence[float]],
    *,
    numerical: bool,
    axis: str,
) -> Figure:
    """The mean of the curves of single rows, and bands that hold the middle of them.

    Args:
        feature: Its name.
        points: Its values.
        mean: (points,).
        bands: By share of the curves that lie below, (points,).
        numerical: Draw lines; else dots and bars.
        axis: What the curves are.
    """
    made = figure(NARROW, 3.1)
    axes = _axes(made)
    places = _places(points, numerical=numerical)
    shares = sorted(bands)
    for low, high in zip(shares[: len(shares) // 2], shares[::-1], strict=False):
        colour = _BAND if low == shares[0] else _INNER
        label = f"middle {high - low:.0%} of the rows"
        if numerical:
            axes.fill_between(places, bands[low], bands[high], color=colour, linewidth=0, label=label)
        else:
            wide = 5 if low == shares[0] else 9
            axes.vlines(places, bands[low], bands[high], color=colour, linewidth=wide, label=label)
    style = {"linewidth": 2} if numerical else {"marker": "o", "markersize": 4.5, "linestyle": "none"}
    axes.plot(places, mean, color=BLUE, label="mean", **style)
    made.legend(loc="outside upper center", ncols=3, fontsize=7, frameon=False, handlelength=1.2, columnspacing=1)
    _feature_axis(axes, feature, points, places, numerical=numerical)
    axes.set_ylabel(axis)
    return made


def rankings(those: Sequence[Spread]) -> Figure:
    """Numbers up to 1, each with a line down to the lowest."""
    made = figure(WIDE, 1.0 + 0.32 * len(those))
    axes = _axes(made)
    for row, one in enumerate(those):
        if one.low is not None:
            axes.plot((one.low, one.value), (row, row), color=BLUE, linewidth=2.6, alpha=0.45)
            axes.plot(one.low, row, marker="|", markersize=9, color=BLUE)
        axes.plot(one.value, row, marker="o", markersize=7, color=BLUE)
    ends = [end for one in those for end in (one.value, one.low) if end is not None]
    axes.set_xlim(min(0.0, *ends) - 0.04, 1.04)
    _rows(axes, [one.name for one in those], longest=48)
    axes.grid(axis="x", color="#e8ecf0", linewidth=0.6)
    axes.set_xlabel("1: all alike; 0: as alike as by chance")
    return made


def _axes(made: Figure) -> Axes:
    axes = made.subplots()
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(labelsize=9)
    return axes


def _rows(axes: Axes, names: Sequence[str], longest: int = 26) -> None:
    axes.set_yticks(range(len(names)), [short(name, longest) for name in names], fontsize=9)
    axes.set_ylim(len(names) - 0.4, -0.6)


def _legend(made: Figure, groups: int) -> None:
    made.legend(loc="outside upper left", ncols=min(2, groups), fontsize=8.5, frameon=False)


def _places(points: Sequence[Any], *, numerical: bool) -> list[float]:
    return [float(one) for one in points] if numerical else [float(place) for place in range(len(points))]


def _row_bars(axes: Axes, places: Sequence[float], rows: Sequence[float]) -> None:
    """Rows along the foot: between points where there is one less of them."""
    if not rows or not max(rows):
        return
    foot = axes.twinx()
    foot.set_ylim(0, 6 * max(rows))
    foot.set_yticks([])
    foot.spines[["top", "right", "left"]].set_visible(False)
    if len(rows) == len(places) - 1:
        widths = [right - left for left, right in itertools.pairwise(places)]
        # Of intervals with equally many rows the narrow ones are the crowded ones.
        dense = [count / (width or 1.0) for count, width in zip(rows, widths, strict=True)]
        foot.set_ylim(0, 6 * max(dense))
        foot.bar(places[:-1], dense, widths, align="edge", color=_SPREAD, edgecolor="white", linewidth=0.4)
    else:
        foot.bar(places, rows, 0.7, color=_SPREAD)
    axes.set_zorder(foot.get_zorder() + 1)
    axes.patch.set_visible(False)


def _feature_axis(axes: Axes, feature: str, points: Sequence[Any], places: Sequence[float], *, numerical: bool) -> None:
    if not numerical:
        canvas.category_ticks(axes, points, places)
    axes.set_xlabel(short(feature, 40))

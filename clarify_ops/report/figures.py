"""Pictures made with matplotlib: for logging beside a run, and the two of the report that are too dense for plain SVG.

Figures are made with the object interface on the Agg canvas: nothing touches pyplot's global state, and the bytes hold
no date and no version, so that the same release always gives the same bytes.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from clarify_ops.gate.published import Mask, number
from clarify_ops.gate.release import ExplanationFacts, Release
from clarify_ops.measures import Measure
from clarify_ops.report import canvas
from clarify_ops.report.canvas import AMBER, BLUE, GREEN, GREY, INK, RED

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SHOWN_FEATURES = 15
# More dots than this hide each other; every k-th row is drawn and the caption says so.
SHOWN_DOTS = 3000
OUTCOME_COLOURS = {"PASS": GREEN, "FAIL": RED, "INCONCLUSIVE": AMBER}


def plots(release: Release) -> dict[str, bytes]:
    """PNG files by name: global importance, beeswarm, partial dependence, bias and the verdict.

    A picture without content (a release without explanations) says so instead of being left out.
    """
    return {
        "global_importance.png": canvas.png(global_importance(release.explanations)),
        "beeswarm.png": canvas.png(beeswarm(release.explanations, release.model.features)),
        "partial_dependence.png": canvas.png(partial_dependence(release.explanations)),
        "bias.png": canvas.png(bias(release)),
        "verdict.png": canvas.png(verdict(release)),
    }


def beeswarm_png(facts: ExplanationFacts, kinds: Mapping[str, str]) -> bytes:
    """The beeswarm as the report shows it."""
    return canvas.png(beeswarm(facts, kinds, titled=False))


def partial_dependence_svg(facts: ExplanationFacts) -> bytes:
    """The partial dependence panels as the report shows them, sharp at every size."""
    return canvas.svg(partial_dependence(facts, titled=False))


def partial_dependence_png(facts: ExplanationFacts) -> bytes:
    """The same where no vector picture can be shown."""
    return canvas.png(partial_dependence(facts, titled=False))


def ranked(values: Mapping[str, float], limit: int = SHOWN_FEATURES) -> list[tuple[str, float]]:
    """Features by falling absolute importance, ties by name."""
    return sorted(values.items(), key=lambda item: (-abs(item[1]), item[0]))[:limit]


def global_importance(facts: ExplanationFacts) -> Figure:
    """Horizontal bars, one panel a label."""
    if not facts.global_values:
        return canvas.empty("Global importance", "No features were explained.")
    rows = min(SHOWN_FEATURES, max(len(values) for values in facts.global_values.values()))
    figure, panels = canvas.panels(len(facts.global_values), height=1.3 + 0.32 * rows)
    for axes, (label, values) in zip(panels, facts.global_values.items(), strict=True):
        top = ranked(values)[::-1]
        axes.barh(range(len(top)), [value for _, value in top], color=BLUE, height=0.66)
        axes.set_yticks(range(len(top)), [canvas.short(name, 40) for name, _ in top])
        for place, (_, value) in enumerate(top):
            axes.annotate(
                number(value), (value, place), xytext=(4, 0), textcoords="offset points", va="center", fontsize=8
            )
        axes.margins(x=0.14)
        axes.set_xlabel(f"{AGGREGATIONS.get(facts.aggregation, facts.aggregation)} ({canvas.short(label)})")
    figure.suptitle(f"Global importance of {rows} features over {facts.explained_rows:,} rows")
    return figure


AGGREGATIONS = {
    "mean_abs": "mean absolute attribution",
    "mean_sq": "mean squared attribution",
    "median": "median attribution, with its sign",
}


def beeswarm(facts: ExplanationFacts, kinds: Mapping[str, str], *, titled: bool = True) -> Figure:
    """One dot a row and feature: its place is the attribution, its colour the rank of the value, grey without one."""
    if not facts.global_values or not facts.local_values:
        return canvas.empty("Local attributions", "No rows were explained.")
    rows = min(SHOWN_FEATURES, max(len(values) for values in facts.global_values.values()))
    figure, panels = canvas.panels(len(facts.global_values), height=1.5 + 0.42 * rows)
    for axes, (label, values) in zip(panels, facts.global_values.items(), strict=True):
        top = [name for name, _ in ranked(values) if f"{name}_{label}" in facts.local_values][::-1]
        for place, name in enumerate(top):
            _swarm(axes, place, facts.local_values[f"{name}_{label}"], facts.feature_values.get(name), kinds.get(name))
        axes.axvline(0, color=INK, linewidth=0.8, zorder=0)
        axes.set_yticks(range(len(top)), [canvas.short(name, 40) for name in top])
        axes.set_ylim(-0.6, len(top) - 0.4)
        axes.grid(axis="y", color="#e3e7eb", linewidth=0.6)
        axes.set_xlabel(f"attribution to {canvas.short(label)}: below 0 lowers the score, above 0 raises it")
    _value_scale(figure, panels)
    if titled:
        figure.suptitle(f"Local attributions of {facts.explained_rows:,} rows")
    return figure


def partial_dependence(facts: ExplanationFacts, *, titled: bool = True) -> Figure:
    """Small multiples: the mean prediction over each feature's values, with the share of rows behind it."""
    entries = [entry for entry in facts.partial_dependence if entry.get("model_predictions")]
    if not entries:
        return canvas.empty("Partial dependence", "No partial dependence was computed.")
    columns = min(3, len(entries))
    lines = math.ceil(len(entries) / columns)
    figure = canvas.figure(3.1 * columns + 0.4, 2.6 * lines + 0.5)
    # squeeze=False gives a grid of axes also for one panel.
    grid = [axes for row in figure.subplots(lines, columns, squeeze=False) for axes in row]
    curves = [value for entry in entries for curve in entry["model_predictions"] for value in curve]
    air = 0.06 * (max(curves) - min(curves) or 1)
    for axes, entry in zip(grid, entries, strict=False):
        _dependence(axes, entry)
        axes.set_ylim(min(curves) - air, max(curves) + air)
        axes.set_ylabel("mean prediction")
    for axes in grid[len(entries) :]:
        axes.set_visible(False)
    if titled:
        figure.suptitle("Partial dependence (line) and share of rows (bars)")
    return figure


def bias(release: Release) -> Figure:
    """Every published bias metric with its interval, one panel a stage."""
    mask = Mask.of(release)
    stages = {"before training": release.of("pre_training"), "after training": release.of("post_training")}
    shown = {
        name: [one for one in those if one.value is not None and not mask.hides(one)] for name, those in stages.items()
    }
    if not any(shown.values()):
        return canvas.empty("Bias metrics", "No bias metric has a value that may be published.")
    figure, panels = canvas.panels(2, height=1.6 + 0.34 * max(len(those) for those in shown.values()))
    for axes, (name, those) in zip(panels, shown.items(), strict=True):
        _intervals(axes, those[::-1], [BLUE] * len(those), [f"{one.metric}  {one.subject}" for one in those[::-1]])
        axes.axvline(0, color=INK, linewidth=0.8)
        axes.set_title(name, fontsize=10)
        axes.set_xlabel("value with interval")
    figure.suptitle("Bias metrics by group")
    return figure


def verdict(release: Release) -> Figure:
    """Every judgement: the acceptable range as a band, the interval as a line, the value as a dot."""
    mask = Mask.of(release)
    judgements = release.verdict.judgements[::-1]
    if not judgements:
        return canvas.empty(f"Verdict: {release.verdict.outcome}", "The policy asks for nothing.")
    figure = canvas.figure(9, 1.7 + 0.42 * len(judgements))
    axes = figure.subplots()
    shown = [one for one in judgements if one.value is not None and not mask.hides(one)]
    ends = [end for one in shown if one.interval for end in (one.interval.low, one.interval.high)]
    values = [one.value for one in shown if one.value is not None]
    bounds = [bound for one in judgements for bound in (one.min, one.max) if bound is not None]
    low, high = _range([*ends, *values, *bounds])
    for place, one in enumerate(judgements):
        left, right = low if one.min is None else one.min, high if one.max is None else one.max
        axes.barh(place, right - left, left=left, height=0.7, color="#dcefe4", zorder=0)
        if one in shown:
            _point(axes, place, one.value, one.interval, OUTCOME_COLOURS[one.outcome], (low, high))
        else:
            why = "undefined" if one.value is None else "not published"
            axes.text((left + right) / 2, place, why, ha="center", va="center", fontsize=8, color=INK)
        outcome = f"{one.outcome}, waived" if one.waived else one.outcome
        axes.text(
            1.01,
            place,
            outcome,
            transform=axes.get_yaxis_transform(),
            va="center",
            color=OUTCOME_COLOURS[one.outcome],
            fontsize=9,
        )
    axes.set_yticks(range(len(judgements)), [f"{one.rule}: {one.metric}  {one.subject}" for one in judgements])
    axes.set_xlim(low, high)
    axes.set_xlabel(f"value with {release.verdict.confidence:.0%} interval; the band is acceptable")
    figure.suptitle(
        f"{release.verdict.outcome}: {release.pipeline}", color=OUTCOME_COLOURS[release.verdict.outcome], weight="bold"
    )
    return figure


def _swarm(axes: Axes, place: int, local: Sequence[float], values: Sequence[Any] | None, kind: str | None) -> None:
    import numpy as np
    from matplotlib import colormaps

    step = max(1, math.ceil(len(local) / SHOWN_DOTS))
    x = np.asarray(local[::step], dtype=float)
    span = float(np.ptp(x)) or 1.0
    bins = np.round((x - x.min()) / span * 90).astype(int)
    heights = np.zeros(len(x))
    fullest = max(int(np.bincount(bins).max()), 1)
    for one in np.unique(bins):
        members = np.flatnonzero(bins == one)
        steps = np.arange(len(members))
        # 0, 1, -1, 2, -2, ...: the dots of a bin pile up to both sides of the line.
        heights[members] = np.where(steps % 2 == 0, -steps, steps + 1) / 2
    heights *= 0.8 / max(fullest, 8)
    colours: Any = GREY
    if kind == "numeric" and values is not None:
        ranks = _ranks([float("nan") if value is None else float(value) for value in values[::step]])
        colours = colormaps["plasma"].with_extremes(bad=GREY)(np.ma.masked_invalid(ranks / 1.1))
    axes.scatter(x, place + heights, color=colours, s=9, linewidths=0, alpha=0.85, zorder=2)


def _ranks(values: Sequence[float]) -> Any:
    """Ranks as shares from 0 to 1; ties share theirs, missing values have none."""
    import numpy as np
    from scipy.stats import rankdata

    ranks = rankdata(values, method="average", nan_policy="omit")
    return (ranks - 1) / max(float(np.nanmax(ranks, initial=1.0)) - 1, 1)


def _value_scale(figure: Figure, panels: list[Axes]) -> None:
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize

    scale = figure.colorbar(ScalarMappable(Normalize(0, 1.1), "plasma"), ax=panels, aspect=40, pad=0.02, fraction=0.03)
    scale.ax.set_ylim(0, 1)
    scale.set_ticks([0, 1], labels=["low", "high"])
    scale.set_label("feature value (grey: categorical)", labelpad=-10)
    scale.outline.set_visible(False)


def _dependence(axes: Axes, entry: Mapping[str, Any]) -> None:
    numerical = entry["data_type"] == "numerical"
    entry = entry if numerical else _in_order(entry)
    values = entry["feature_values"]
    places = [float(value) for value in values] if numerical else list(range(len(values)))
    shares = axes.twinx()
    gap = min((b - a for a, b in itertools.pairwise(places)), default=1.0)
    shares.bar(places, entry["data_distribution"], width=gap * (0.95 if numerical else 0.6), color="#d5dce4")
    shares.set_ylim(0, 1.6 * max(entry["data_distribution"], default=1) or 1)
    shares.set_yticks([])
    shares.spines[["top", "right", "left"]].set_visible(False)
    # The curve must lie over the bars, which the twin would draw on top.
    axes.set_zorder(shares.get_zorder() + 1)
    axes.patch.set_visible(False)
    headers = entry.get("label_headers") or [f"label{place}" for place in range(len(entry["model_predictions"]))]
    for header, curve in zip(headers, entry["model_predictions"], strict=False):
        style = {"marker": "o", "markersize": 3.0} if numerical else {"marker": "o", "linestyle": "none"}
        axes.plot(
            places,
            curve,
            linewidth=1.8,
            label=canvas.short(header, 20),
            color=BLUE if len(headers) == 1 else None,
            **style,
        )
    if len(headers) > 1:
        axes.legend(fontsize=7, frameon=False)
    if not numerical:
        canvas.category_ticks(axes, values, places)
    axes.set_xlabel(canvas.short(entry["feature_name"], 40))


def _in_order(entry: Mapping[str, Any]) -> Mapping[str, Any]:
    """Numbers that are categories, by size; other categories as they are, the first of very many."""
    kept = canvas.shown_categories(entry["feature_values"])
    return {
        **entry,
        "feature_values": [entry["feature_values"][at] for at in kept],
        "data_distribution": [entry["data_distribution"][at] for at in kept],
        "model_predictions": [[curve[at] for at in kept] for curve in entry["model_predictions"]],
    }


def _intervals(axes: Axes, those: list[Measure], colours: list[str], names: list[str]) -> None:
    ends = [end for one in those if one.interval for end in (one.interval.low, one.interval.high)]
    reach = _range([0.0, *ends, *(one.value for one in those if one.value is not None)])
    for place, (one, colour) in enumerate(zip(those, colours, strict=True)):
        _point(axes, place, one.value, one.interval, colour, reach)
    axes.set_yticks(range(len(those)), names)
    axes.set_ylim(-0.7, len(those) - 0.3)
    axes.set_xlim(*reach)


def _point(axes: Axes, place: int, value: float | None, interval: Any, colour: str, reach: tuple[float, float]) -> None:
    low, high = reach
    if interval is not None:
        ends = max(interval.low, low), min(interval.high, high)
        axes.plot(ends, (place, place), color=colour, linewidth=3, alpha=0.45, solid_capstyle="butt")
        for end, mark in ((interval.low, "<"), (interval.high, ">")):
            if math.isinf(end):
                axes.plot(low if end < 0 else high, place, marker=mark, color=colour, markersize=8, clip_on=False)
    if value is not None:
        axes.plot(min(max(value, low), high), place, marker="o", color=colour, markersize=6)


def _range(values: Sequence[float]) -> tuple[float, float]:
    finite = [value for value in values if math.isfinite(value)] or [0.0, 1.0]
    air = 0.08 * (max(finite) - min(finite) or 1.0)
    return min(finite) - air, max(finite) + air

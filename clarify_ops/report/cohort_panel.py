"""Cohorts of an explanation side by side, and the largest differences between them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from clarify_ops.gate.published import number
from clarify_ops.report import explanation_figures as figures
from clarify_ops.report.canvas import short
from clarify_ops.report.explanation_figures import Spread
from clarify_ops.report.figures import AGGREGATIONS
from clarify_ops.report.panels import MOST_FIGURES, Grid, Panel, Picture, told

SHOWN_FEATURES = 10
SHOWN_DIFFERENCES = 8
SHOWN_COHORTS = 8
_FOLDED_ROWS = 200
_READING = (
    "The dot is the cohort minus what it is compared with, the line its interval. Filled: distinct, the interval leaves out 0"
    " where all intervals hold together. Hollow: it may be chance."
)


def cohort_panel(document: Mapping[str, Any]) -> Panel:
    """The cohorts of `CohortReport.to_json`, those that are masked without any number."""
    everyone = document.get("everyone") or {}
    cohorts = list(document.get("cohorts") or ())
    known = [one for one in (everyone, *cohorts) if one.get("global_values")]
    compared = list(document.get("comparisons") or ())
    bars = [picture for output in _outputs(known) for picture in _bars(known, output, document, everyone.get("name"))]
    differences = [_differences(one, document) for one in compared if one.get("differences")]
    hidden = [f"{one['cohort']} beside {one['against']}: {one['reason']}." for one in compared if one.get("reason")]
    left = max(0, len(bars) + len(differences) - MOST_FIGURES) + max(0, len(cohorts) - SHOWN_COHORTS)
    return Panel(
        "cohorts",
        "Cohorts",
        lead="What moves the output in groups of rows, and where they differ.",
        grids=(_cohorts(everyone, cohorts), *_folded(compared)),
        pictures=tuple([*bars, *differences][:MOST_FIGURES]),
        notes=(
            *(f"Not shown: {sentence}" for sentence in hidden),
            *map(str, document.get("notes") or ()),
            *(["More cohorts and differences are in metrics.json."] if left else []),
        ),
    )


def _outputs(known: Sequence[Mapping[str, Any]]) -> list[str]:
    return list(dict.fromkeys(output for one in known for output in one["global_values"]))


def _bars(
    known: Sequence[Mapping[str, Any]], output: str, document: Mapping[str, Any], everyone: str | None
) -> list[Picture]:
    values = {str(one["name"]): one["global_values"].get(output, {}) for one in known[: SHOWN_COHORTS + 1]}
    largest: dict[str, float] = {}
    for table in values.values():
        for feature, value in table.items():
            largest[feature] = max(largest.get(feature, 0.0), abs(value))
    top = sorted(largest, key=lambda feature: (-largest[feature], feature))[:SHOWN_FEATURES]
    if not top:
        return []
    aggregation = str(document.get("aggregation") or "mean_abs")
    axis = f"{AGGREGATIONS.get(aggregation, aggregation)} ({short(output)})"
    told_first = "; ".join(f"{name}: {top[0]} {number(table.get(top[0], 0.0))}" for name, table in values.items())
    return [
        Picture(
            partial(figures.grouped_bars, values, top, axis, everyone),
            alt=f"Bars of {len(top)} features, the cohorts beside each other. {told_first}.",
            caption=f"Global importance by cohort: the {len(top)} features that matter most in any of them.",
        )
    ]


def _differences(comparison: Mapping[str, Any], document: Mapping[str, Any]) -> Picture:
    found = comparison["differences"]
    shown = found[:SHOWN_DIFFERENCES]
    several = len({one.get("output") for one in found}) > 1
    names = [f"{one['feature']} ({one['output']})" if several else str(one["feature"]) for one in shown]
    columns = {
        title: [_spread(name, one.get(key) or {}) for name, one in zip(names, shown, strict=True)]
        for key, title in (("size", "matters more by"), ("shift", "moves further up by"))
    }
    distinct = [name for name, one in zip(names, shown, strict=True) if _distinct(one)]
    pair = f"{comparison['cohort']} against {comparison['against']}"
    level = document.get("level")
    axis = "difference of mean attributions" + ("" if level is None else f", {level * 100:g} % intervals")
    shared = " Some rows belong to both." if comparison.get("shared") else ""
    return Picture(
        partial(figures.intervals, columns, axis),
        alt=f"The {len(shown)} largest differences of {pair}; distinct: {', '.join(distinct) or 'none'}.",
        caption=f"{pair}: the {len(shown)} largest differences. {_READING}{shared}",
    )


def _spread(name: str, gap: Mapping[str, Any]) -> Spread:
    return Spread(name, float(gap.get("value") or 0.0), gap.get("low"), gap.get("high"), bool(gap.get("distinct")))


def _distinct(difference: Mapping[str, Any]) -> bool:
    return any((difference.get(key) or {}).get("distinct") for key in ("size", "shift"))


def _cohorts(everyone: Mapping[str, Any], cohorts: Sequence[Mapping[str, Any]]) -> Grid:
    rows = []
    for one in (everyone, *cohorts):
        if not one:
            continue
        means = one.get("mean_prediction") or {}
        mean = ", ".join(told(value) if len(means) == 1 else f"{name} {told(value)}" for name, value in means.items())
        count, reason = one.get("rows"), str(one.get("reason") or "")
        unknown = f", {one['unknown']:,} unknown" if one.get("unknown") and not reason else ""
        rows.append(
            (
                str(one.get("name", "")),
                str(one.get("rule") or ""),
                f"not shown: {reason}" if reason else "" if count is None else f"{count:,}{unknown}",
                "" if reason else mean,
            )
        )
    return Grid("Cohorts", ("Cohort", "Rows in it", "Rows", "Mean prediction"), tuple(rows))


def _folded(compared: Sequence[Mapping[str, Any]]) -> tuple[Grid, ...]:
    rows = [
        (
            f"{one['cohort']} against {one['against']}",
            str(difference.get("feature")),
            str(difference.get("output")),
            _words(difference.get("size") or {}),
            _words(difference.get("shift") or {}),
        )
        for one in compared
        for difference in (one.get("differences") or ())[:SHOWN_DIFFERENCES]
    ]
    head = ("Cohort", "Feature", "Output", "Matters more by", "Moves further up by")
    return (Grid("The differences in numbers", head, tuple(rows[:_FOLDED_ROWS]), folded=True),) if rows else ()


def _words(gap: Mapping[str, Any]) -> str:
    ends = "" if gap.get("low") is None else f" ({told(gap['low'])} to {told(gap['high'])})"
    return told(gap.get("value")) + ends + (", distinct" if gap.get("distinct") else "")

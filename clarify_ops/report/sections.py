"""Parts that every report has, turned into what the templates print."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from clarify_ops.data.source import address
from clarify_ops.gate.published import Mask, interval_words, number
from clarify_ops.gate.release import DataFacts, ExplanationFacts
from clarify_ops.gate.verdict import Judgement
from clarify_ops.measures import Measure, Stage, subject
from clarify_ops.report import figures
from clarify_ops.report.notes import MetricNote
from clarify_ops.report.pictures import bar_picture, round_reach, share_picture

if TYPE_CHECKING:
    from jinja2 import Template

_STAGE_TITLES: dict[Stage, str] = {
    "pre_training": "Before training: the labels",
    "post_training": "After training: the predictions",
}


@cache
def template(name: str) -> Template:
    """A template of this room; text is escaped, and a missing value is an error."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("clarify_ops.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(name)


def method(one: Judgement | Measure) -> str:
    """How an interval was made, and whether it holds."""
    if one.interval is None:
        return ""
    weak = "" if one.interval.reliable else ", not reliable for so few rows"
    return f"{one.interval.level * 100:g} % {one.interval.method}{weak}"


def table(
    those: Sequence[Measure], mask: Mask, notes: Mapping[str, MetricNote], *, spread: bool = False, drawn: bool = True
) -> list[dict[str, Any]]:
    """Rows of a table; `spread` draws bars to both sides of parity instead of from 0 to 1, not `drawn` none."""
    shown = [one for one in those if one.value is not None and not mask.hides(one)]
    parities = {one.metric: notes[one.metric].parity if spread and one.metric in notes else 0.0 for one in those}
    far = round_reach(shown, [parities[one.metric] for one in shown]) if spread else 1.0
    reach = (-far if spread else 0.0, far)
    return [
        {
            "one": one,
            "note": notes.get(one.metric),
            "hidden": mask.hides(one),
            "value": mask.hidden if mask.hides(one) else number(one.value) if one.value is not None else "undefined",
            "interval": interval_words(one.interval) if one in shown and one.interval else "",
            "method": method(one) if one in shown else "",
            "picture": bar_picture(one, start=parities[one.metric], reach=reach) if drawn and one in shown else "",
            "start": parities[one.metric],
            "reach": reach,
            "groups": mask.groups(one),
            "denominators": mask.denominators(one),
        }
        for one in those
    ]


def by_facet(
    measures: Sequence[Measure],
    stages: Sequence[Stage],
    mask: Mask,
    notes: Mapping[str, MetricNote],
    *,
    drawn: bool = True,
) -> list[dict[str, Any]]:
    """One entry a facet value, in the order of measurement, with one table a stage; not `drawn` without bars."""
    grouped: dict[tuple[str, str | None, str | None], dict[Stage, list[Measure]]] = {}
    for stage in stages:
        for one in measures:
            if one.stage == stage and one.facet is not None:
                key = (one.facet, one.facet_value, one.reference)
                grouped.setdefault(key, {}).setdefault(stage, []).append(one)
    return [
        {
            "subject": subject(facet, value, reference),
            "facet": facet,
            "value": value,
            "tables": [
                (_STAGE_TITLES.get(stage, ""), table(those, mask, notes, spread=stage in _STAGE_TITLES, drawn=drawn))
                for stage, those in by_stage.items()
            ],
        }
        for (facet, value, reference), by_stage in grouped.items()
    ]


def explanations(facts: ExplanationFacts, kinds: Mapping[str, str]) -> dict[str, Any]:
    """Importance as bars, local attributions and partial dependence as pictures.

    Args:
        facts: What was found.
        kinds: Of the features; the dots of a "numeric" one are coloured by value.
    """
    importance = []
    for label, values in facts.global_values.items():
        largest = max((abs(value) for value in values.values()), default=0.0)
        rows = [
            (name, number(value), share_picture(value, largest, f"{name}: {number(value)}"))
            for name, value in figures.ranked(values, limit=len(values))
        ]
        importance.append((label, number(facts.expected_value[label]) if label in facts.expected_value else "", rows))
    drawn = [str(entry["feature_name"]) for entry in facts.partial_dependence if entry.get("model_predictions")]
    sampled = facts.explained_rows - facts.exact_rows
    return {
        "importance": importance,
        "aggregation": figures.AGGREGATIONS.get(facts.aggregation, facts.aggregation),
        "beeswarm": data_uri(figures.beeswarm_png(facts, kinds), "image/png") if facts.local_values else "",
        "dependence": data_uri(figures.partial_dependence_svg(facts), "image/svg+xml") if drawn else "",
        "drawn": drawn,
        "undrawn": [
            (str(entry["feature_name"]), str(entry.get("error", "")))
            for entry in facts.partial_dependence
            if "error" in entry
        ],
        "exactness": (
            f"All {facts.explained_rows:,} rows were explained exactly."
            if sampled == 0
            else f"{facts.exact_rows:,} of {facts.explained_rows:,} rows were explained exactly, {sampled:,} sampled."
        ),
    }


def data(facts: DataFacts, mask: Mask) -> dict[str, Any]:
    """The dataset's name without secrets, its share of positives, and rows by facet value."""
    return {
        "name": address(facts.name),
        "positive_share": f"{facts.positives / facts.rows:.1%}" if facts.rows else "",
        "facets": [
            (facet, facts.kinds.get(facet, ""), mask.facet_rows(facet, values))
            for facet, values in facts.facets.items()
        ],
    }


def data_uri(content: bytes, kind: str) -> str:
    """A picture inside the page."""
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"

"""The report: a release turned into what the template prints, section by section."""

from __future__ import annotations

import base64
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from clarify_ops.data.source import address
from clarify_ops.gate.published import (
    FEWER,
    HIDDEN,
    SMALLEST_GROUP,
    Mask,
    interval_words,
    number,
    registration,
)
from clarify_ops.gate.release import Release
from clarify_ops.gate.verdict import Judgement
from clarify_ops.measures import Measure, Stage
from clarify_ops.report import figures
from clarify_ops.report.notes import MetricNote
from clarify_ops.report.pictures import bar_picture, judgement_picture, round_reach, share_picture

if TYPE_CHECKING:
    from jinja2 import Template

OUTCOME_WORDS = {"PASS": "Passed", "FAIL": "Failed", "INCONCLUSIVE": "Inconclusive"}
_STAGE_TITLES: dict[Stage, str] = {
    "pre_training": "Before training: the labels",
    "post_training": "After training: the predictions",
}


def render_report(release: Release, about: Mapping[str, MetricNote] | None = None) -> str:
    """The whole report as one HTML file: it fetches nothing, runs nothing, and is the same for the same release.

    Args:
        release: What is known of the candidate.
        about: How each metric is to be read, by the metric's name; a metric without a note is shown by its name alone.
    """
    notes = about or {}
    mask = Mask.of(release)
    return _template().render(
        release=release,
        verdict=_verdict(release, mask, notes),
        bias=_by_facet(release, ("pre_training", "post_training"), mask, notes),
        overall=_table([one for one in release.of("quality") if one.facet is None], mask, notes, spread=False),
        quality=_by_facet(release, ("quality",), mask, notes),
        checks=_table(release.of("data"), mask, notes, drawn=False),
        explained=_explanations(release, mask, notes),
        data=_data(release, mask),
        masked=mask.masks_anything,
        fewer=FEWER,
        smallest=SMALLEST_GROUP,
        address=address,
    )


@cache
def _template() -> Template:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("clarify_ops.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("report.html.j2")


def _verdict(release: Release, mask: Mask, notes: Mapping[str, MetricNote]) -> dict[str, Any]:
    verdict = release.verdict
    tally = Counter(f"{one.outcome}, waived" if one.waived else one.outcome for one in verdict.judgements)
    order = ("FAIL", "INCONCLUSIVE", "FAIL, waived", "INCONCLUSIVE, waived", "PASS")
    return {
        "word": OUTCOME_WORDS[verdict.outcome],
        "registration": registration(verdict),
        "tally": [(name, tally[name]) for name in order if tally[name]],
        "waivers": [(one, number(one.waiver.up_to)) for one in verdict.judgements if one.waiver is not None],
        "judgements": [_judgement(one, mask, notes) for one in verdict.judgements],
    }


def _judgement(one: Judgement, mask: Mask, notes: Mapping[str, MetricNote]) -> dict[str, Any]:
    bounds = (one.min, one.max)
    hidden = mask.hides(one)
    shown = one.interval is not None and not hidden
    return {
        "one": one,
        "note": notes.get(one.metric),
        "stage": one.stage.replace("_", "-"),
        "value": HIDDEN if hidden else "undefined" if one.value is None else number(one.value, bounds),
        "interval": interval_words(one.interval, bounds) if shown and one.interval else "",
        "method": _method(one) if shown else "",
        "picture": "" if hidden else judgement_picture(one),
        "groups": mask.groups(one),
        "denominators": mask.denominators(one),
        "reason": mask.reason(one),
    }


def _method(one: Judgement | Measure) -> str:
    if one.interval is None:
        return ""
    weak = "" if one.interval.reliable else ", not reliable for so few rows"
    return f"{one.interval.level * 100:g} % {one.interval.method}{weak}"


def _table(
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
            "value": HIDDEN if mask.hides(one) else number(one.value) if one.value is not None else "undefined",
            "interval": interval_words(one.interval) if one in shown and one.interval else "",
            "method": _method(one) if one in shown else "",
            "picture": bar_picture(one, start=parities[one.metric], reach=reach) if drawn and one in shown else "",
            "groups": mask.groups(one),
            "denominators": mask.denominators(one),
        }
        for one in those
    ]


def _by_facet(
    release: Release, stages: Sequence[Stage], mask: Mask, notes: Mapping[str, MetricNote]
) -> list[dict[str, Any]]:
    """One entry a facet value, in the order of measurement, with one table a stage."""
    subjects = dict.fromkeys(one.subject for stage in stages for one in release.of(stage) if one.facet is not None)
    entries = []
    for subject in subjects:
        tables = []
        for stage in stages:
            those = [one for one in release.of(stage) if one.facet is not None and one.subject == subject]
            if those:
                tables.append((_STAGE_TITLES.get(stage, ""), _table(those, mask, notes, spread=stage != "quality")))
        entries.append({"subject": subject, "tables": tables})
    return entries


def _explanations(release: Release, mask: Mask, notes: Mapping[str, MetricNote]) -> dict[str, Any]:
    facts = release.explanations
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
        "beeswarm": _data_uri(figures.beeswarm_png(release), "image/png") if facts.local_values else "",
        "dependence": _data_uri(figures.partial_dependence_svg(release), "image/svg+xml") if drawn else "",
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
        "measures": _table(release.of("explanations"), mask, notes, drawn=False),
    }


def _data(release: Release, mask: Mask) -> dict[str, Any]:
    facts = release.data
    return {
        "name": address(facts.name),
        "positive_share": f"{facts.positives / facts.rows:.1%}" if facts.rows else "",
        "facets": [
            (facet, facts.kinds.get(facet, ""), mask.facet_rows(facet, values))
            for facet, values in facts.facets.items()
        ],
    }


def _data_uri(content: bytes, kind: str) -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"

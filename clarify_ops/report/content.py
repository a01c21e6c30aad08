"""The findings of an analysis, turned into what the page and the PDF print."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from clarify_ops.gate.published import Mask, number
from clarify_ops.measures import Interval, Measure
from clarify_ops.report import sections
from clarify_ops.report.chapters import DRAWN, chapters, header
from clarify_ops.report.findings import Findings
from clarify_ops.report.notes import MetricNote
from clarify_ops.report.pictures import share_picture

SHOWN_RECORDS = 100
_TITLES = {
    "classes": "Classes",
    "numeric": "Numbers without a threshold",
    "drivers": "What drives the metrics",
    "segments": "Segments",
    "intersections": "Intersections",
}
_TOO_SMALL = "too small"
# Measures of the explanations that are 1 at most, and so can be drawn side by side.
_SHARES = re.compile("_share$|_rank_stability$|_rank_correlation$|_top_overlap$|^surrogate_")


def content(findings: Findings, about: Mapping[str, MetricNote]) -> dict[str, Any]:
    """Every section, with groups that are too small masked.

    Args:
        findings: What was found.
        about: How each metric is to be read, by the metric's name.
    """
    mask = Mask.among(findings.data.facets, findings.measures, findings.smallest_group)
    facts = findings.explanations
    quality = [one for one in findings.measures if one.stage == "quality" and one.facet is None]
    explained = [one for one in findings.measures if one.stage == "explanations"]
    found = chapters(findings.further, findings.smallest_group, measured=bool(explained))
    return {
        "findings": findings,
        "mask": mask,
        "bias": sections.by_facet(findings.measures, ("pre_training", "post_training"), mask, about),
        "quality": sections.table(quality, mask, about),
        "quality_by_facet": sections.by_facet(findings.measures, ("quality",), mask, about),
        "groups": [
            _group(findings, mask, facet, value)
            for facet in findings.data.facets
            for value in findings.data.facets[facet]
        ],
        "kinds": [(name, note.text, note.by_hand, note.warning) for name, note in findings.kinds.items()],
        "performance": _performance(findings),
        "explained": None
        if facts is None
        else {
            **sections.explanations(facts, _feature_kinds(facts.feature_values)),
            "header": header(findings.further),
            "measures": [],
        },
        "chapters": found,
        "chapter_headings": [(one.id, one.title) for one in found],
        "trust": _trust(explained, mask, about),
        "further": [
            _further(name, value, mask) for name, value in findings.further.items() if value and name not in DRAWN
        ],
        "data": sections.data(findings.data, mask),
        "configuration": json.dumps(findings.configuration, indent=2, ensure_ascii=False, default=str),
    }


def _trust(those: Sequence[Measure], mask: Mask, about: Mapping[str, MetricNote]) -> dict[str, Any]:
    """Measures of the explanations: those that are shares as bars, plain counts without, and those of facets by facet."""
    overall = [one for one in those if one.facet is None]
    shares = [one for one in overall if _SHARES.search(one.metric)]
    counts = [one for one in overall if one not in shares]
    return {
        "shares": sections.table(shares, mask, about),
        "counts": sections.table(counts, mask, about, drawn=False),
        "facets": sections.by_facet(those, ("explanations",), mask, about),
    }


def _group(findings: Findings, mask: Mask, facet: str, value: str) -> dict[str, Any]:
    rows = findings.data.facets[facet]
    shown = mask.facet_rows(facet, rows)[value]
    masked = not shown.replace(",", "").isdigit()
    size = "" if masked else share_picture(rows[value], findings.data.rows, f"{facet} = {value}: {shown} rows")
    share = _positive_share(findings, facet, value)
    small = (facet, value) in mask.small
    hidden = small or share is None
    return {
        "facet": facet,
        "value": value,
        "rows": shown,
        "small": small,
        "share_of_rows": 0.0 if masked else rows[value] / max(1, *rows.values()),
        "size": size,
        "positive": _TOO_SMALL if small else "" if share is None else f"{share:.1%}",
        "positive_share": 0.0 if hidden or share is None else share,
        "labels": ""
        if hidden or share is None
        else share_picture(share, 1.0, f"{facet} = {value}: {share:.1%} positive labels"),
    }


def _positive_share(findings: Findings, facet: str, value: str) -> float | None:
    for stage in findings.stats.values():
        found = stage.get(facet, {}).get(value) if isinstance(stage, Mapping) else None
        if found is not None:
            return float(found["observed_label_distribution"][0])
    return None


def _performance(findings: Findings) -> dict[str, Any] | None:
    report = findings.performance
    if report is None:
        return None
    matrix = report.get("confusion_matrix")
    return {
        "metrics": [
            (one["name"], one["description"], number(float(one["value"])))
            for one in report["model_performance_metrics"]
        ],
        "binary": [f"{share:.1%}" for share in report["binary_confusion_matrix"]],
        "classes": list(matrix) if matrix else [],
        "matrix": [(name, [number(rows) for rows in row.values()]) for name, row in (matrix or {}).items()],
    }


def _feature_kinds(values: Mapping[str, tuple[Any, ...]]) -> dict[str, str]:
    return {
        name: "numeric"
        if all(one is None or (isinstance(one, int | float) and not isinstance(one, bool)) for one in column)
        else "categorical"
        for name, column in values.items()
    }


def _further(name: str, value: Any, mask: Mask) -> dict[str, Any]:
    """A result as tables of its records, one a shape of record; masked where it is about a small group."""
    tables: dict[tuple[str, ...], list[list[str]]] = {}
    left_out = 0
    for record in records(value):
        head = tuple(record)
        rows = tables.setdefault(head, [])
        if len(rows) < SHOWN_RECORDS:
            rows.append(_cells(record, mask))
        else:
            left_out += 1
    return {
        "name": name,
        "title": _TITLES.get(name, name.replace("_", " ").capitalize()),
        "tables": [([one.replace("_", " ") for one in head], rows) for head, rows in tables.items()],
        "left_out": left_out,
    }


def records(value: Any, outer: Mapping[str, Any] | None = None) -> Iterator[dict[str, Any]]:
    """The innermost objects of a JSON result, each with the plain values of the objects around it.

    >>> list(records({"facet": "sex", "parts": [{"share": 0.2}, {"share": 0.8}]}))
    [{'facet': 'sex', 'share': 0.2}, {'facet': 'sex', 'share': 0.8}]
    """
    around = dict(outer or {})
    if isinstance(value, list | tuple):
        for one in value:
            yield from records(one, around)
        return
    if not isinstance(value, Mapping):
        return
    plain = {key: one for key, one in value.items() if not _has_records(one)}
    inner = {key: one for key, one in value.items() if _has_records(one)}
    if not inner:
        yield {**around, **plain}
    for key, one in inner.items():
        # The names of a mapping without plain values are data, such as classes and segments.
        yield from records(one, {**around, **plain, **({} if plain else {"of": key})})


def _has_records(value: Any) -> bool:
    if isinstance(value, Mapping):
        return any(_has_records(one) or isinstance(one, Mapping) for one in value.values()) or "metric" in value
    return isinstance(value, list | tuple) and any(isinstance(one, Mapping) for one in value)


def _cells(record: Mapping[str, Any], mask: Mask) -> list[str]:
    subject = (str(record.get("facet") or ""), str(record.get("facet_value", record.get("value")) or ""))
    counts = record.get("groups")
    sizes = counts.values() if isinstance(counts, Mapping) else ()
    small = subject in mask.small or any(0 < rows < mask.smallest for rows in sizes)
    kept = {"facet", "facet_value", "metric", "name", "of", "segment", "statistic", "stage"}
    return [_TOO_SMALL if small and key not in kept else words(value) for key, value in record.items()]


def words(value: Any) -> str:
    """A JSON value for a reader."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return number(float(value))
    if isinstance(value, Mapping) and {"low", "high", "level"} <= value.keys():
        interval = Interval.from_json(value)
        return f"{number(interval.low)} to {number(interval.high)}"
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {words(one)}" for key, one in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(words(one) for one in value)
    return str(value)

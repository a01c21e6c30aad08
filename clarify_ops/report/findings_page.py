"""The findings of an analysis as one HTML file."""

from __future__ import annotations

from collections.abc import Mapping

from clarify_ops.report import sections
from clarify_ops.report.content import content
from clarify_ops.report.findings import Findings
from clarify_ops.report.notes import MetricNote


def render_findings(findings: Findings, about: Mapping[str, MetricNote] | None = None) -> str:
    """The whole report as one HTML file: it fetches nothing, runs nothing, and is the same for the same findings.

    Args:
        findings: What was found.
        about: How each metric is to be read, by the metric's name; a metric without a note is shown by its name alone.
    """
    return sections.template("findings.html.j2").render(content(findings, about or {}))

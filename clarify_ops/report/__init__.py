"""A release as a risk officer reads it: one HTML file that needs nothing else, and pictures to log beside a run."""

from clarify_ops.report.figures import plots
from clarify_ops.report.notes import MetricNote
from clarify_ops.report.page import render_report

__all__ = ["MetricNote", "plots", "render_report"]

"""clarify_ops: SageMaker Clarify's analyses, a release gate with statistics in it, and components for every orchestrator.

The command line is `clarify-ops --help`; the steps behind it are functions in `clarify_ops.steps`. From Python,
`clarify_ops.analyze` does what a Clarify processing job does, and `clarify_ops.sagemaker` has the SDK's classes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from clarify_ops.analysis.analyze import analyze
    from clarify_ops.analysis.results import Analysis

__all__ = ["Analysis", "analyze"]


def __getattr__(name: str) -> Any:
    # On first use: importing the package stays light.
    if name == "analyze":
        from clarify_ops.analysis.analyze import analyze

        return analyze
    if name == "Analysis":
        from clarify_ops.analysis.results import Analysis

        return Analysis
    raise AttributeError(f"module 'clarify_ops' has no attribute {name!r}")

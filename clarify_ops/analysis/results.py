"""What comes of an analysis, and the documents it is written as."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from clarify_ops.report.findings import Findings

if TYPE_CHECKING:
    import pandas as pd

    from clarify_ops.explain.explanation import Explanation
    from clarify_ops.measures import Measure


@dataclass(frozen=True)
class Analysis:
    """The results of one analysis.

    Attributes:
        findings: All that reports show.
        explanation: Attributions of every row, where they were asked for.
        baseline: The baseline rows behind them.
        folder: Where it was written, if it was.
    """

    findings: Findings
    explanation: Explanation | None = None
    baseline: pd.DataFrame | None = None
    folder: Path | None = None

    def to_clarify(self) -> dict[str, Any]:
        """The document of `analysis.json`, keys and metrics in Clarify's order."""
        return dict(self.findings.clarify)

    @property
    def measures(self) -> tuple[Measure, ...]:
        """Every number: value or reason, denominators, interval."""
        return self.findings.measures

    @property
    def metrics(self) -> dict[str, Any]:
        """The document of `metrics.json`: the measures, and all that was counted around them."""
        return self.findings.to_json()

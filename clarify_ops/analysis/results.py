"""What comes of an analysis, and the documents it is written as."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from clarify_ops.documents import read_document
from clarify_ops.errors import BadDocument
from clarify_ops.measures import Measure
from clarify_ops.report.findings import Findings

if TYPE_CHECKING:
    import pandas as pd

    from clarify_ops.explain.explanation import Explanation


@dataclass(frozen=True)
class Analysis:
    """The results of one analysis.

    Attributes:
        findings: All that reports show.
        explanation: Attributions of every row, where they were asked for.
        baseline: The baseline rows behind them.
        keys: What identifies each explained row, where the configuration names a column for that.
        folder: Where it was written, if it was.
    """

    findings: Findings
    explanation: Explanation | None = None
    baseline: pd.DataFrame | None = None
    keys: pd.Series | None = None
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

    def local_values(self) -> pd.DataFrame:
        """The table of out.csv: a row a row of the dataset, columns `<feature>_<label>`, and the row's key first.

        Raises:
            ValueError: No attributions were asked for.
        """
        if self.explanation is None:
            raise ValueError("the analysis has no attributions: its configuration has no methods.shap")
        table = self.explanation.to_frame()
        if self.keys is not None:
            table.insert(0, str(self.keys.name), self.keys.to_numpy())
        return table


def read_measures(path: str | Path) -> tuple[Measure, ...]:
    """The measures in a `metrics.json`, of an analysis or of a step.

    Raises:
        BadDocument: The file is missing or holds no measures.
    """
    document = read_document(path, "metrics")
    try:
        return tuple(Measure.from_json(one) for one in document["measures"])
    except (KeyError, TypeError, ValueError) as error:
        raise BadDocument(f"The file {path} does not hold the measures of an analysis or a step.") from error

"""What an analysis found: all that its report and `metrics.json` are made from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from clarify_ops.data.tally import KindNote
from clarify_ops.gate.release import DataFacts, ExplanationFacts
from clarify_ops.measures import Measure


@dataclass(frozen=True)
class Findings:
    """The results of an analysis.

    Attributes:
        title: Of the report.
        measures: Every number of every stage.
        data: What was seen of the dataset.
        kinds: How label, predicted label and facets were read, by column.
        clarify: The document of `analysis.json`.
        configuration: The analysis configuration as it was given.
        explanations: What was found of the model.
        performance: Clarify's model performance report.
        stats: Clarify's basic statistics by stage, facet and value.
        further: More sections of `metrics.json`, JSON types only: "classes", "numeric", "drivers", "segments", "intersections".
        smallest_group: Groups with fewer rows are shown as too small.
        notes: Sentences.
    """

    title: str
    measures: tuple[Measure, ...]
    data: DataFacts
    kinds: Mapping[str, KindNote]
    clarify: Mapping[str, Any]
    configuration: Mapping[str, Any]
    explanations: ExplanationFacts | None = None
    performance: Mapping[str, Any] | None = None
    stats: Mapping[str, Any] = field(default_factory=dict)
    further: Mapping[str, Any] = field(default_factory=dict)
    smallest_group: int = 10
    notes: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """The document of `metrics.json`."""
        return {
            "version": "1",
            "measures": [one.to_json() for one in self.measures],
            "data": self.data.to_json(),
            "kinds": {name: asdict(note) for name, note in self.kinds.items()},
            "notes": list(self.notes),
            "small_groups": self.small_groups(),
            "stats": dict(self.stats),
            "performance": None if self.performance is None else dict(self.performance),
            **self.further,
        }

    def small_groups(self) -> list[dict[str, Any]]:
        """Facet values with fewer rows than `smallest_group`, smallest first."""
        found = {
            (one.facet, one.facet_value): one.groups["d"]
            for one in self.measures
            if one.facet is not None and 0 < one.groups.get("d", self.smallest_group) < self.smallest_group
        }
        ordered = sorted(found.items(), key=lambda item: item[1])
        return [{"facet": facet, "value": value, "rows": rows} for (facet, value), rows in ordered]

"""What SageMaker measures drift against later, in the forms that its monitors read."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from clarify_ops.documents import read_document, write_json
from clarify_ops.measures import Measure, json_number
from clarify_ops.registry.protocol import Candidate

CONFIG = "baselines/analysis_config.json"
STATISTICS = "baselines/model_quality_statistics.json"
CONSTRAINTS = "baselines/model_quality_constraints.json"

# Model Monitor's names for the metrics of a binary classifier, by ours.
_NAMES: Mapping[str, tuple[str, ...]] = {
    "accuracy": ("accuracy",),
    "precision": ("precision",),
    "recall": ("recall", "true_positive_rate"),
    "specificity": ("true_negative_rate",),
    "auc": ("auc",),
}


def baselines(candidate: Candidate, folder: Path) -> dict[str, Path]:
    """Writes what can be made of a candidate's documents and measures.

    Bias and explanations have no files here: Clarify's own `analysis.json` is what its checks compare with.

    Args:
        candidate: Its `pipeline.json` holds the analysis configuration.
        folder: Where to; `baselines/` is made in it.

    Returns:
        The files by their names.
    """
    (folder / "baselines").mkdir()
    found: dict[str, Path] = {}
    configuration = _configuration(candidate)
    if configuration:
        found[CONFIG] = write_json(folder / CONFIG, configuration)
    values = _values(candidate.release.measures)
    if values:
        # The deviation over resamples is not known; Model Monitor itself writes NaN where it has too few rows.
        statistics = {name: {"value": value, "standard_deviation": "NaN"} for name, value in values.items()}
        limits = {
            name: {"threshold": value, "comparison_operator": "LessThanThreshold"} for name, value in values.items()
        }
        found[STATISTICS] = write_json(
            folder / STATISTICS, {"version": 0.0, "binary_classification_metrics": statistics}
        )
        found[CONSTRAINTS] = write_json(
            folder / CONSTRAINTS, {"version": 0.0, "binary_classification_constraints": limits}
        )
    return found


def _configuration(candidate: Candidate) -> dict[str, Any]:
    """The analysis configuration as Clarify takes it: without what is ours alone."""
    path = candidate.documents.get("pipeline.json")
    document = {} if path is None else read_document(path, "pipeline")
    return {key: value for key, value in dict(document.get("analysis", {})).items() if key != "clarify_ops"}


def _values(measures: tuple[Measure, ...]) -> dict[str, Any]:
    return {
        name: json_number(one.value)
        for one in measures
        if one.stage == "quality" and one.facet is None and one.value is not None
        for name in _NAMES.get(one.metric, ())
    }

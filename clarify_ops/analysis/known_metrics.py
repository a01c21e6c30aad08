"""The names that a rule can ask for, stage by stage, and the values that they can have."""

from __future__ import annotations

from clarify_ops.analysis.notes import FACTS
from clarify_ops.bias.table import METRICS
from clarify_ops.gate.bounds import Bound
from clarify_ops.measures import STAGES, Stage
from clarify_ops.quality.performance import QUALITY

# The others can be anything, as the slope of a calibration, or have a sign.
_SHARES = frozenset(
    {"auc", "accuracy", "precision", "recall", "specificity", "positive_rate", "brier", "calibration_error"}
)


def table_of(stage: Stage) -> tuple[str, ...]:
    """The metrics of a stage. Differences from the champion have the names of what is compared."""
    if stage == "champion":
        return tuple(dict.fromkeys(name for one in STAGES if one != "champion" for name in table_of(one)))
    bias = [one.name for one in METRICS if one.stage == stage]
    quality = [one.name for one in QUALITY] if stage == "quality" else []
    return tuple(dict.fromkeys((*bias, *quality, *(one.name for one in FACTS if one.stage == stage))))


def stages_of(metric: str) -> tuple[Stage, ...]:
    """The stages that measure it."""
    return tuple(stage for stage in STAGES if metric in table_of(stage))


def range_of(stage: Stage, metric: str) -> Bound | None:
    """What the metric can be; None where no table says."""
    bias = next((one for one in METRICS if one.name == metric), None)
    if stage == "champion":
        return None
    if bias is not None and bias.stage == stage:
        return Bound(bias.low, bias.high)
    known = metric in table_of(stage) and metric.removeprefix("worst_") in _SHARES
    return Bound(0.0, 1.0) if stage == "quality" and known else None

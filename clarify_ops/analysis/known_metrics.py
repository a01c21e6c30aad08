"""The names that a rule can ask for, stage by stage, and the values that they can have."""

from __future__ import annotations

from clarify_ops.analysis.notes import FACTS
from clarify_ops.bias.table import METRICS
from clarify_ops.gate.bounds import Bound
from clarify_ops.measures import STAGES, Stage
from clarify_ops.quality.paired import PAIRED
from clarify_ops.quality.performance import QUALITY


def table_of(stage: Stage) -> tuple[str, ...]:
    """The metrics of a stage. Differences from the champion have the names of what is compared."""
    if stage == "champion":
        compared = [one.name for one in METRICS if one.stage == "post_training" and one.form is not None]
        return (*compared, *PAIRED, *(one.name for one in FACTS if one.stage == stage))
    bias = [one.name for one in METRICS if one.stage == stage]
    quality = [one.name for one in QUALITY] if stage == "quality" else []
    return tuple(dict.fromkeys((*bias, *quality, *(one.name for one in FACTS if one.stage == stage))))


def family_name(metric: str) -> str:
    """The name in the tables: what is measured of every feature is there once.

    >>> family_name("missing_share:income")
    'missing_share'
    """
    return metric.split(":", 1)[0]


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
    if stage == "quality":
        return next((Bound(one.low, one.high) for one in QUALITY if metric in {one.name, f"worst_{one.name}"}), None)
    return None

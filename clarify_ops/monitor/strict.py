"""Our own, stricter rule for bias metrics: drift is measured from parity, and must be more than chance.

Clarify's rule asks whether the number is farther from 0. That flags noise in small groups, and lets a DI fall from 0.9 to
0.5, because its parity is 1.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

from clarify_ops.bias.clarify import SECTIONS
from clarify_ops.bias.table import METRICS, Metric
from clarify_ops.measures import Measure
from clarify_ops.monitor.drift import (
    Drift,
    Key,
    attribution_drift,
    bias_metrics,
    bias_violation,
    drift,
    is_farther,
    number_of,
)

_BY_NAME: Mapping[str, Metric] = {one.name: one for one in METRICS}


def distance(metric: Metric, value: float) -> float:
    """How far a value is from parity; of a ratio by its logarithm, so that half and double are equally far.

    >>> distance(_BY_NAME["DI"], 0.5) == distance(_BY_NAME["DI"], 2.0)
    True
    """
    if metric.swap != "invert":
        return abs(value - metric.parity)
    return abs(math.log(value)) if 0 < value < math.inf else math.inf


def strict_drift(baseline: Mapping[str, Any], current: Mapping[str, Any], measures: Iterable[Measure]) -> Drift:
    """The violations by our rule; attributions are judged as by Clarify's.

    A metric violates where even the end of its interval that is nearest to parity is farther from it than the baseline, and
    where it has lost the value that it had, or is not measured any more.

    Args:
        baseline: An `analysis.json` document.
        current: Another one, of later data.
        measures: What `metrics.json` beside the current one holds.

    Raises:
        BadDocument: One of the documents is none.
    """
    measured = {_key(one): one for one in measures if one.stage in SECTIONS and one.reference is None}
    now = {one.key: one for one in bias_metrics(current)}
    found: list[dict[str, Any]] = []
    for before in bias_metrics(baseline):
        was = number_of(before.value)
        if was is None or before.key.section not in current:
            continue
        here, measure = now.get(before.key), measured.get(before.key)
        if here is None or measure is None:
            found.append(
                bias_violation(before, f"The metric had the value {before.value} and is not measured any more")
            )
        elif (said := _complaint(was, measure)) is not None:
            found.append(bias_violation(here, said))
    plain = drift(baseline, current)
    return Drift((*found, *attribution_drift(baseline, current)["violations"]), plain.compared, plain.left_out)


def _complaint(was: float, measure: Measure) -> str | None:
    if measure.value is None:
        return f"The metric had the value {was:g} and has none any more: {measure.reason}"
    metric, interval = _BY_NAME[measure.metric], measure.interval
    ends = (measure.value, measure.value) if interval is None else (interval.low, interval.high)
    nearest = 0.0 if ends[0] <= metric.parity <= ends[1] else min(distance(metric, end) for end in ends)
    if not is_farther(nearest, distance(metric, was)):
        return None
    sure = "" if interval is None else f", {interval.level:.0%} interval {interval.low:.4g} to {interval.high:.4g},"
    return (
        f"Metric value {measure.value:.6g}{sure} is farther from parity {metric.parity:g} than the baseline {was:.6g}"
    )


def _key(measure: Measure) -> Key:
    section = next(section for stage, section in SECTIONS.items() if stage == measure.stage)
    return Key.of(section, str(measure.facet), str(measure.facet_value), measure.metric)

"""Drift against a baseline by Clarify's rules: bias metrics farther from 0, and attributions in another order.

The document of violations has the shape of Clarify's `constraint_violations.json`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from clarify_ops.errors import BadDocument

LEAST_NDCG = 0.9
_SECTIONS = ("pre_training_bias_metrics", "post_training_bias_metrics")


def number_of(value: object) -> float | None:
    """A metric's value in `analysis.json`: a number, "Infinity", "-Infinity", or None where it has none.

    Raises:
        BadDocument: It is none of these.
    """
    if value is None:
        return None
    if isinstance(value, int | float) and not isinstance(value, bool) and not math.isnan(value):
        return float(value)
    if isinstance(value, str) and value in {"Infinity", "-Infinity"}:
        return math.inf if value == "Infinity" else -math.inf
    raise BadDocument(
        f"A metric of the analysis has the value {value!r}.", "It is a number, Infinity, -Infinity or null."
    )


def has_drifted(baseline: object, current: object) -> bool:
    """Whether a bias metric is farther from 0 than its baseline; one without a value on either side is not judged.

    Clarify measures from 0 for every metric, also for a ratio like DI, whose parity is 1: a DI that falls is no drift.

    >>> has_drifted(2.92, "Infinity"), has_drifted(0.0279, -0.0765), has_drifted(0.178, 0.083)
    (True, True, False)
    """
    before, now = number_of(baseline), number_of(current)
    return before is not None and now is not None and abs(now) > abs(before)


def bias_drift(baseline: Mapping[str, Any], current: Mapping[str, Any]) -> dict[str, Any]:
    """The violations of a bias baseline.

    Args:
        baseline: An `analysis.json` document.
        current: Another one, of later data. Metrics that only one of them has are not compared.

    Returns:
        {"version", "violations"}: facet, facet_value, metric_name, constraint_check_type, description.

    Raises:
        BadDocument: A value is no number.
    """
    known = dict(_metrics(baseline))
    violations = [
        {
            "facet": facet,
            "facet_value": value,
            "metric_name": name,
            "constraint_check_type": "bias_drift_check",
            "description": f"Metric value {now} doesn't meet the baseline constraint requirement {known[key]}",
        }
        for key, now in _metrics(current)
        for _, facet, value, name in [key]
        if key in known and has_drifted(known[key], now)
    ]
    return {"version": "1.0", "violations": violations}


def _metrics(document: Mapping[str, Any]) -> Iterator[tuple[tuple[str, str, str, str], object]]:
    for section in _SECTIONS:
        for facet, entries in document.get(section, {}).get("facets", {}).items():
            for entry in entries:
                for metric in entry["metrics"]:
                    yield (section, facet, entry["value_or_threshold"], metric["name"]), metric["value"]


def ndcg(baseline: Mapping[str, float], live: Mapping[str, float]) -> float:
    r"""Normalized discounted cumulative gain of the live order of features, with the baseline's attributions as gains.

    .. math:: nDCG = \frac{\sum_i a(f'_i) / \log_2(i + 1)}{\sum_i a(f_i) / \log_2(i + 1)}

    Range: [0, 1] for attributions that are not negative; 1 means the same order. 1 as well where no feature mattered in the
    baseline: no order was lost.

    Args:
        baseline: Global attribution by feature.
        live: The same of later data; features that it lacks come last, those that the baseline lacks gain nothing.

    Source: Järvelin and Kekäläinen, 2002, doi:10.1145/582415.582418; Amazon SageMaker Clarify, "Feature Attribution Drift".

    >>> round(ndcg({"SAT": 0.7, "GPA": 0.5, "Class": 0.05}, {"SAT": 0.1, "GPA": 0.2, "Class": 0.7}), 4)
    0.6876
    """
    best = _gain(baseline, baseline)
    return _gain(baseline, {**dict.fromkeys(baseline, -math.inf), **live}) / best if best else 1.0


def _gain(gains: Mapping[str, float], ranking: Mapping[str, float]) -> float:
    order = sorted(ranking, key=lambda name: -ranking[name])
    return sum(gains.get(name, 0.0) / math.log2(place + 2) for place, name in enumerate(order))


def attribution_drift(
    baseline: Mapping[str, Any], current: Mapping[str, Any], threshold: float = LEAST_NDCG
) -> dict[str, Any]:
    """The violations of an explainability baseline, one at most for each label.

    Args:
        baseline: An `analysis.json` document with `explanations.kernel_shap`.
        current: Another one, of later data.
        threshold: An NDCG below it is drift.

    Returns:
        {"version", "violations"}: label, metric_name, constraint_check_type, description.
    """
    before, now = _global_values(baseline), _global_values(current)
    found = {label: ndcg(before[label], values) for label, values in now.items() if label in before}
    return {
        "version": "1.0",
        "violations": [
            {
                "label": label,
                "metric_name": "shap",
                "constraint_check_type": "feature_attribution_drift_check",
                "description": f"Feature attribution drift {value} exceeds threshold {threshold}",
            }
            for label, value in found.items()
            if value < threshold
        ],
    }


def _global_values(document: Mapping[str, Any]) -> dict[str, Mapping[str, float]]:
    shap = document.get("explanations", {}).get("kernel_shap", {})
    return {label: values["global_shap_values"] for label, values in shap.items()}

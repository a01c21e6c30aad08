"""Drift against a baseline by Clarify's rules: bias metrics farther from 0, and attributions in another order.

The document of violations has the shape of Clarify's `constraint_violations.json`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from clarify_ops.errors import BadDocument

LEAST_NDCG = 0.9
_ROUNDING = 1e-12
EXPLANATIONS = "explanations"
BIAS_SECTIONS = ("pre_training_bias_metrics", "post_training_bias_metrics")
_INTERVAL = re.compile(r"(.*\()([^,(]+), [^,\]]+\]")


@dataclass(frozen=True)
class Key:
    """Which metric of an `analysis.json` is meant: keys are equal where the same is measured in other data.

    Attributes:
        section: Of the document.
        facet: Name of the facet.
        group: Its value, without what depends on the data.
        metric: Short name.
    """

    section: str
    facet: str
    group: str
    metric: str

    @classmethod
    def of(cls, section: str, facet: str, value: str, metric: str) -> Key:
        """The key of a metric.

        The group above a threshold is written with the greatest value of the data, which other data do not have.

        >>> Key.of("s", "age", "(40, 75]", "CI") == Key.of("s", "age", "(40.0, 91.5]", "CI")
        True
        """
        found = _INTERVAL.fullmatch(value)
        if found is None:
            return cls(section, facet, value, metric)
        try:
            low = str(float(found[2]))
        except ValueError:
            return cls(section, facet, value, metric)
        return cls(section, facet, f"{found[1]}{low}, ...]", metric)


@dataclass(frozen=True)
class Metric:
    """A metric as it stands in an `analysis.json`: its facet value and value to the letter."""

    key: Key
    facet_value: str
    value: object


@dataclass(frozen=True)
class Drift:
    """What came of a comparison.

    Attributes:
        violations: As they stand in `constraint_violations.json`: those of bias first, then those of attributions.
        compared: By section of the later analysis, number of bias metrics or of labels with attributions that both sides have
            a value of.
        left_out: Number of those that only the baseline has, in these sections.
    """

    violations: tuple[dict[str, Any], ...]
    compared: Mapping[str, int]
    left_out: int = 0

    def to_json(self) -> dict[str, Any]:
        """The document of `constraint_violations.json`."""
        return {"version": "1.0", "violations": [dict(one) for one in self.violations]}


def drift(baseline: Mapping[str, Any], current: Mapping[str, Any]) -> Drift:
    """All that Clarify's rules say of two `analysis.json` documents: bias metrics and attributions.

    Raises:
        BadDocument: One of them is none.
    """
    before, now = _valued(baseline), _valued(current)
    sections = [section for section in (*BIAS_SECTIONS, EXPLANATIONS) if section in current]
    compared = {section: len(before.get(section, set()) & now.get(section, set())) for section in sections}
    known = sum(len(before.get(section, ())) for section in sections)
    found = [*bias_drift(baseline, current)["violations"], *attribution_drift(baseline, current)["violations"]]
    return Drift(tuple(found), compared, known - sum(compared.values()))


def _valued(document: Mapping[str, Any]) -> dict[str, set[object]]:
    """What has a value, by section."""
    found: dict[str, set[object]] = {EXPLANATIONS: set(global_values(document))}
    for one in bias_metrics(document):
        if number_of(one.value) is not None:
            found.setdefault(one.key.section, set()).add(one.key)
    return found


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
    Numbers that differ in their last digits are equal: another program or machine made the one of before.

    >>> has_drifted(2.92, "Infinity"), has_drifted(0.0279, -0.0765), has_drifted(0.178, 0.083), has_drifted(0.3, 0.1 + 0.2)
    (True, True, False, False)
    """
    before, now = number_of(baseline), number_of(current)
    return before is not None and now is not None and is_farther(abs(now), abs(before))


def is_farther(now: float, before: float) -> bool:
    """Whether a distance is greater than one of before, and not by rounding."""
    return now > before and not math.isclose(now, before, rel_tol=_ROUNDING, abs_tol=_ROUNDING)


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
    known = {one.key: one.value for one in bias_metrics(baseline)}
    return {
        "version": "1.0",
        "violations": [
            bias_violation(
                now, f"Metric value {now.value} doesn't meet the baseline constraint requirement {known[now.key]}"
            )
            for now in bias_metrics(current)
            if now.key in known and has_drifted(known[now.key], now.value)
        ],
    }


def bias_violation(metric: Metric, description: str) -> dict[str, Any]:
    """An entry of `constraint_violations.json`."""
    return {
        "facet": metric.key.facet,
        "facet_value": metric.facet_value,
        "metric_name": metric.key.metric,
        "constraint_check_type": "bias_drift_check",
        "description": description,
    }


def bias_metrics(document: Mapping[str, Any]) -> Iterator[Metric]:
    """Every bias metric of an `analysis.json` document, with its value as it stands there.

    Raises:
        BadDocument: It is none.
    """
    try:
        for section in BIAS_SECTIONS:
            for facet, entries in document.get(section, {}).get("facets", {}).items():
                for entry in entries:
                    value = str(entry["value_or_threshold"])
                    for metric in entry["metrics"]:
                        yield Metric(Key.of(section, facet, value, metric["name"]), value, metric["value"])
    except (AttributeError, KeyError, TypeError) as error:
        raise BadDocument(
            "The bias metrics are not laid out as in analysis.json.", "Give the analysis.json of a Clarify job."
        ) from error


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
    before, now = global_values(baseline), global_values(current)
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


def global_values(document: Mapping[str, Any]) -> dict[str, dict[str, float]]:
    """Global attributions of an `analysis.json` document, by label and feature.

    Raises:
        BadDocument: They are not laid out so, or one is no number.
    """
    try:
        shap = document.get(EXPLANATIONS, {}).get("kernel_shap", {})
        found = {label: dict(values["global_shap_values"]) for label, values in shap.items()}
        for values in found.values():
            for name, value in values.items():
                if number_of(value) is None or not math.isfinite(value):
                    raise BadDocument(f"The attribution of {name} is {value!r}.", "It is a number.")
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise BadDocument(
            "The attributions are not laid out as in analysis.json.", "Give the analysis.json of a Clarify job."
        ) from error
    return found

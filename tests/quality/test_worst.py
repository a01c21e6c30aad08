"""The worst group of a facet: its value, and an interval that holds for whichever group it is."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from clarify_ops.measures import Measure
from clarify_ops.quality.ends import ShareEnds
from clarify_ops.quality.found import Predictions
from clarify_ops.quality.performance import QUALITY, measure_quality
from clarify_ops.quality.worst import WorstEnds

from .test_performance import predictions


def by_name(found: tuple[Measure, ...]) -> dict[tuple[str, str | None, str | None], Measure]:
    return {(one.metric, one.facet, one.facet_value): one for one in found}


def grouped(rows: int = 600, groups: int = 3) -> tuple[Predictions, list[tuple[tuple[str, str], NDArray[np.bool_]]]]:
    place = np.random.default_rng(3).integers(0, groups, rows)
    return predictions(rows), [(("race", f"r{one}"), place == one) for one in range(groups)]


def test_it_is_the_least_or_the_largest_of_the_groups() -> None:
    rows, groups = grouped()
    found = by_name(measure_quality(rows, groups, 0.9))
    for metric in QUALITY:
        worst = found.get((f"worst_{metric.name}", "race", None))
        values = [found[metric.name, "race", value].value for (_, value), _ in groups]
        known = [one for one in values if one is not None]
        assert (worst is None) == (metric.better is None)
        if worst is not None:
            assert worst.value == (min(known) if metric.better == "high" else max(known))
            (told,) = worst.denominators
            at = next(value for (_, value), _ in groups if told == f"rows with race = {value}")
            assert found[metric.name, "race", at].value == worst.value
            assert worst.interval is not None
            assert worst.ends is not None
            assert (worst.interval.low, worst.interval.high) == worst.ends(0.9)
            assert worst.interval.low <= worst.value <= worst.interval.high


def test_a_single_value_is_compared_with_the_rest() -> None:
    rows, groups = grouped(groups=2)
    found = by_name(measure_quality(rows, groups[:1], 0.9))
    both = [found["recall", "race", value].value for value in ("r0", "not r0")]
    assert found["worst_recall", "race", None].value == min(one for one in both if one is not None)


def test_a_group_without_an_answer_leaves_none_for_the_worst() -> None:
    rows, _ = grouped()
    nobody = np.arange(600) >= 590
    rows = Predictions(rows.positive & ~nobody, rows.predicted, rows.score)
    found = by_name(measure_quality(rows, [(("race", "x"), nobody)], 0.9))["worst_recall", "race", None]
    assert found.value is None
    assert "race = x" in found.reason
    assert found.interval is None


@pytest.mark.parametrize("shares", [(0.8, 0.8, 0.8, 0.8, 0.8), (0.7, 0.85, 0.9, 0.9, 0.9)])
@pytest.mark.parametrize("better", ["high", "low"])
def test_neither_end_is_passed_too_often(shares: tuple[float, ...], better: str) -> None:
    rng, draws, level = np.random.default_rng(0), 800, 0.9
    truth = min(shares) if better == "high" else max(shares)
    too_high = too_low = 0
    for _ in range(draws):
        hits = rng.binomial(80, shares)
        ends = WorstEnds(tuple(ShareEnds(one, 80) for one in hits), "high" if better == "high" else "low")
        low, high = ends(level)
        too_high += low > truth
        too_low += high < truth
    most = 0.05 + 3 * math.sqrt(0.05 * 0.95 / draws)
    assert too_high / draws < most
    assert too_low / draws < most

"""Every quality interval can be asked for again: at another level, and as if there were more rows."""

from __future__ import annotations

import pickle
from itertools import pairwise

import numpy as np
import pytest

from clarify_ops.measures import Measure
from clarify_ops.quality.found import Predictions
from clarify_ops.quality.performance import QUALITY, measure_quality

from .test_performance import predictions

LEVELS = (0.5, 0.8, 0.9, 0.95, 0.99, 0.999)


def measured(level: float = 0.95) -> list[Measure]:
    rows = predictions(400)
    members = np.random.default_rng(1).random(400) < 0.4
    return list(measure_quality(rows, [(("race", "b"), members)], level))


def test_at_its_own_level_it_is_the_interval_that_was_published() -> None:
    for level in (0.9, 0.99):
        for one in measured(level):
            assert one.interval is not None
            assert one.ends is not None
            assert one.ends(level) == (one.interval.low, one.interval.high)


def test_what_is_asked_for_again_is_what_another_level_would_have_published() -> None:
    for one, other in zip(measured(0.9), measured(0.99), strict=True):
        assert one.ends is not None
        assert other.interval is not None
        assert one.ends(0.99) == (other.interval.low, other.interval.high)


def test_higher_levels_are_longer_and_more_rows_shorten() -> None:
    for one in measured():
        ends = one.ends
        assert ends is not None
        for (low, high), (lower, higher) in pairwise(ends(level) for level in LEVELS):
            assert lower <= low < high <= higher
        low, high = ends(0.9)
        assert ends(0.9, {"all": 1.0}) == (low, high)
        shorter = ends(0.9, {"all": 4.0})
        # The calibration error of a calibrated model has its lower end at 0 whatever the rows.
        assert 0.4 < (shorter[1] - shorter[0]) / (high - low) < (0.75 if "calibration_error" in one.metric else 0.6)
        with pytest.raises(KeyError, match="d"):
            ends(0.9, {"d": 2.0})


def test_a_perfect_ranking_has_no_width_at_any_level() -> None:
    score = np.linspace(0, 1, 40)
    perfect = Predictions(score > 0.5, score > 0.5, score)
    (found,) = [metric.compute(perfect, 0.95) for metric in QUALITY if metric.name == "auc"]
    assert found.ends is not None
    assert found.ends(0.99) == found.ends(0.5) == (1.0, 1.0)


def test_it_is_neither_written_nor_compared() -> None:
    for one in measured():
        assert Measure.from_json(one.to_json()) == one
        assert pickle.loads(pickle.dumps(one)) == one

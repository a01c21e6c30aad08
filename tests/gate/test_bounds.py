"""The bound that a rule means."""

from __future__ import annotations

import math
from typing import Any

import pytest

from clarify_ops.bias.table import METRICS
from clarify_ops.config.policy import Rule
from clarify_ops.gate.bounds import Bound, bound_of, scale_of


def rule(metric: str, stage: str = "post_training", **changes: Any) -> Rule:
    return Rule.model_validate({"id": "x", "why": "w", "facet": "g", "stage": stage, "metric": metric, **changes})


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        (rule("DPPL", max=0.1), (-0.1, 0.1)),
        (rule("DPPL", min=-0.2), (-0.2, 0.2)),
        (rule("DPPL", max=0.1, sides="one"), (-math.inf, 0.1)),
        (rule("DPPL", min=-0.2, max=0.1), (-0.2, 0.1)),
        (rule("DPPL", within=0.1), (-0.1, 0.1)),
        (rule("DI", min=0.8), (0.8, 1.25)),
        (rule("DI", max=1.25), (0.8, 1.25)),
        (rule("DI", min=0.8, sides="one"), (0.8, math.inf)),
        (rule("DI", within=0.8), (0.8, 1.25)),
        (rule("DI", within=1.25), (0.8, 1.25)),
        (rule("DI", min=0), (0.0, math.inf)),
        # Neither a sign nor a ratio: a distance, and the area under a curve.
        (rule("JS", "pre_training", max=0.1), (-math.inf, 0.1)),
        (rule("auc", "quality", min=0.7), (0.7, math.inf)),
        # A candidate may be better than the champion, but a bound on that side alone guards nothing.
        (rule("auc", "champion", min=-0.02), (-0.02, math.inf)),
        (rule("auc", "champion", max=0.02), (-0.02, 0.02)),
        (rule("brier", "champion", max=0.02), (-math.inf, 0.02)),
        (rule("DPPL", "champion", max=0.02), (-math.inf, 0.02)),
        (rule("positive_rate", "champion", max=0.02), (-0.02, 0.02)),
    ],
)
def test_the_bound_that_a_rule_is_judged_by(asked: Rule, expected: tuple[float, float]) -> None:
    found = bound_of(asked)
    assert (found.low, found.high) == pytest.approx(expected)


def test_every_metric_with_a_sign_or_a_ratio_is_mirrored_and_no_other() -> None:
    """Swapping the groups must not let through what was refused: that is what the sign and the ratio mean."""
    for metric in METRICS:
        asked = rule(metric.name, metric.stage, max=metric.parity + 0.5)
        found = bound_of(asked)
        swaps = metric.low < 0 or metric.swap == "invert"
        assert math.isfinite(found.low) == swaps == (scale_of(asked) is not None)
        if metric.swap == "negate":
            assert found.low == -found.high
        if metric.swap == "invert":
            assert found.low == pytest.approx(1 / found.high)


def test_a_bound_in_words_and_in_numbers() -> None:
    assert [str(one) for one in (Bound(-0.1, 0.1), Bound(0.8), Bound(high=2), Bound())] == [
        "-0.1 to 0.1",
        "at least 0.8",
        "at most 2",
        "anything",
    ]
    assert Bound(0.8).ends == (0.8, None)
    assert Bound(0, 1).holds(0, 1)
    assert not Bound(0, 1).holds(0.5, math.nan)
    assert Bound(0, 1).meets(Bound(1, 2))
    assert not Bound(0, 1).meets(Bound(1.1))
    assert Bound(0.8, 1.25).widened(0.7) == Bound(0.7, 1.25)

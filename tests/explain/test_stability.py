"""Stability and shares of attributions equal their definitions, and have a reason where they have no value."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pandas as pd
import pytest

from clarify_ops.errors import BadData, BadDocument
from clarify_ops.explain.explanation import Explanation
from clarify_ops.explain.kernel import kernel_shap
from clarify_ops.explain.stability import (
    attribution_shares,
    rank_stability,
    relative_additivity_gap,
    stability_over_baselines,
    stability_over_seeds,
)

from .models import Floats, hidden_layer, numbers


def weighing(weights: list[float], rows: int = 3) -> Explanation:
    """Attributions of alternating sign with these mean sizes."""
    signs = np.where(np.arange(rows) % 2, -1.0, 1.0)
    values = (signs[:, None] * np.array(weights))[:, :, None]
    total = values.sum(axis=1)
    return Explanation(
        features=tuple("abcdefgh"[: len(weights)]),
        outputs=("label0",),
        values=values,
        standard_errors=np.zeros_like(values),
        expected_value=np.zeros(1),
        base_values=np.zeros((rows, 1)),
        predictions=total,
        exact=np.ones(rows, dtype=np.bool_),
        coalitions=0,
        prediction_rows=0,
        prediction_calls=0,
    )


def tau(one: Floats, other: Floats) -> float:
    """Pairs of features in the same order less those in the other, over all: without ties."""
    pairs = list(combinations(range(len(one)), 2))
    return float(np.mean([np.sign(one[i] - one[j]) * np.sign(other[i] - other[j]) for i, j in pairs]))


def test_equals_the_count_of_pairs() -> None:
    rng = np.random.default_rng(3)
    weights = rng.random((4, 7))
    found = rank_stability([weighing(one.tolist()) for one in weights], top=3)
    taus = [tau(one, other) for one, other in combinations(weights, 2)]
    assert found.kendall == pytest.approx(np.mean(taus))
    assert found.lowest_kendall == pytest.approx(min(taus))
    ranks = weights.argsort(axis=1).argsort(axis=1)
    assert found.spearman == pytest.approx(
        np.mean([np.corrcoef(one, other)[0, 1] for one, other in combinations(ranks, 2)])
    )
    tops = [set(one) for one in np.argsort(-weights, axis=1)[:, :3]]
    assert found.top_overlap == pytest.approx(np.mean([len(one & other) / 3 for one, other in combinations(tops, 2)]))


def test_the_same_ranking_is_1_and_the_reverse_is_minus_1() -> None:
    same = rank_stability([weighing([3, 2, 1]), weighing([9, 8, 0.5])])
    assert (same.kendall, same.spearman, same.top_overlap) == pytest.approx((1, 1, 1))
    # Of three features the five most important would be all: one counts.
    assert same.top == 1
    reverse = rank_stability([weighing([3, 2, 1]), weighing([1, 2, 3])])
    assert (reverse.kendall, reverse.spearman, reverse.top_overlap) == pytest.approx((-1, -1, 0))


def test_more_samples_and_larger_backgrounds_are_more_stable() -> None:
    data = numbers(300, 14, 1)
    rows = data.iloc[:3]
    spent: list[tuple[int, int]] = []

    def explain(samples: int, seed: int, background: pd.DataFrame) -> Explanation:
        spent.append((seed, len(background)))
        return kernel_shap(hidden_layer, rows, background, num_samples=samples, seed=seed)

    few, many = (
        stability_over_seeds(lambda seed, behind: explain(size, seed, behind), data.iloc[:5], seeds=range(4))  # noqa: B023
        for size in (40, 4000)
    )
    assert few.kendall is not None
    assert many.kendall is not None
    assert few.kendall < many.kendall <= 1
    assert spent == [(seed, 5) for seed in range(4)] * 2
    spent.clear()
    drawn = stability_over_baselines(
        lambda seed, behind: explain(400, seed, behind), data, baseline_rows=10, draws=3, seed=7
    )
    assert spent == [(7, 10)] * 3
    again = stability_over_baselines(
        lambda seed, behind: explain(400, seed, behind), data, baseline_rows=10, draws=3, seed=7
    )
    assert drawn == again
    # Against all of the data every draw is the same.
    whole = stability_over_baselines(
        lambda seed, behind: explain(60, seed, behind), data.iloc[:8], baseline_rows=8, draws=2, seed=7
    )
    assert whole.kendall == pytest.approx(1)


def test_measures_have_names_denominators_and_reasons() -> None:
    found = rank_stability([weighing([3, 2, 1]), weighing([2, 3, 1]), weighing([3, 2, 1])]).measures("seed")
    assert [one.metric for one in found] == ["seed_rank_stability", "seed_rank_correlation", "seed_top_overlap"]
    assert found[0].denominators == {"pairs of explanations": 3, "features": 3}
    assert found[0].value == pytest.approx((1 / 3 + 1 + 1 / 3) / 3)
    for explanations, reason in (
        ([weighing([0, 0]), weighing([0, 0])], "All attributions are 0."),
        ([weighing([0, 0]), weighing([0, 1])], "All attributions of one of the explanations are 0."),
        ([weighing([1]), weighing([2])], "A single feature has no ranking."),
        ([weighing([1, 1]), weighing([1, 2])], "All features are equally important in one of the explanations."),
        ([weighing([1, 2], rows=0)] * 2, "All attributions are 0."),
    ):
        undefined = rank_stability(explanations).measures("baseline")
        assert [(one.value, one.reason) for one in undefined] == [(None, reason)] * 3


def test_shares_are_of_all_attributions() -> None:
    measures = attribution_shares(weighing([4, 3, 2, 1]), ["a", "x"], {"a": ["b", "c"], "x": ["b", "a"]})
    shares = {(one.metric.partition("_")[0], one.facet): one.value for one in measures}
    assert shares == {
        ("facet", None): pytest.approx(0.4),
        ("proxy", None): pytest.approx(0.5),
        ("facet", "a"): pytest.approx(0.4),
        ("proxy", "a"): pytest.approx(0.5),
        ("facet", "x"): 0,
        ("proxy", "x"): pytest.approx(0.3),
    }
    nothing = attribution_shares(weighing([0, 0]), ["a"], {})
    assert all(one.value is None and one.reason == "All attributions are 0." for one in nothing)


def test_the_relative_gap_has_no_unit() -> None:
    one = weighing([1.0, 2.0])
    far = Explanation(**{**vars(one), "predictions": one.predictions + np.array([[0.0], [0.0], [0.6]])})
    assert relative_additivity_gap(one).value == 0
    assert relative_additivity_gap(far).value == pytest.approx(0.6 / 6.6)
    assert relative_additivity_gap(weighing([0.0])).reason == "All explained rows have the same prediction."
    assert relative_additivity_gap(weighing([1.0], rows=0)).reason == "There are no explained rows."


def test_what_is_refused() -> None:
    one = weighing([1, 2])
    with pytest.raises(BadData, match="at least two"):
        rank_stability([one])
    with pytest.raises(BadData, match="different features"):
        rank_stability([one, weighing([1, 2, 3])])
    with pytest.raises(BadDocument, match="top is 0"):
        rank_stability([one, one], top=0)
    with pytest.raises(BadData, match="stand-ins for 'a' names the column 'z'"):
        attribution_shares(one, ["a"], {"a": ["z"]})
    with pytest.raises(BadData, match="names the column 'q'"):
        attribution_shares(one, ["a"], {"q": ["a"]})
    data = numbers(3, 2, 1)
    with pytest.raises(BadData, match="background of 4 rows cannot be drawn from 3"):
        stability_over_baselines(lambda _seed, _behind: one, data, baseline_rows=4, seed=0)
    with pytest.raises(BadDocument, match="baseline_rows is 0"):
        stability_over_baselines(lambda _seed, _behind: one, data, baseline_rows=0, seed=0)

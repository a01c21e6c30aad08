"""Quality metrics against scikit-learn's, and the interval of the AUC against its definition."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from scipy import stats
from sklearn import metrics

from clarify_ops.intervals import wilson
from clarify_ops.quality.found import Found, Predictions
from clarify_ops.quality.performance import QUALITY, auc, brier, measure_quality

COMPUTE = {metric.name: metric.compute for metric in QUALITY}
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


def predictions(rows: int = 120, seed: int = 0, *, ties: bool = True) -> Predictions:
    rng = np.random.default_rng(seed)
    positive = rng.random(rows) < 0.4
    score = np.clip(0.5 + 0.2 * (positive - 0.4) + 0.2 * rng.normal(size=rows), 0, 1)
    score = np.round(score, 1) if ties else score
    return Predictions(positive, score > 0.5, score)


@pytest.mark.parametrize("seed", range(5))
def test_values_are_scikit_learns(seed: int) -> None:
    rows = predictions(seed=seed)
    truth, predicted = rows.positive, rows.predicted
    expected = {
        "auc": metrics.roc_auc_score(truth, rows.score),
        "accuracy": metrics.accuracy_score(truth, predicted),
        "precision": metrics.precision_score(truth, predicted),
        "recall": metrics.recall_score(truth, predicted),
        "specificity": metrics.recall_score(~truth, ~predicted),
        "positive_rate": predicted.mean(),
        "brier": metrics.brier_score_loss(truth, rows.score),
    }
    assert {name: COMPUTE[name](rows, 0.95).value for name in expected} == pytest.approx(expected, abs=1e-12)


def test_shares_have_the_score_interval_of_their_rows() -> None:
    rows = predictions()
    cells = {
        "accuracy": (rows.positive == rows.predicted, np.ones_like(rows.positive)),
        "precision": (rows.positive, rows.predicted),
        "recall": (rows.predicted, rows.positive),
        "specificity": (~rows.predicted, ~rows.positive),
        "positive_rate": (rows.predicted, np.ones_like(rows.positive)),
    }
    for name, (hits, among) in cells.items():
        found = COMPUTE[name](rows, 0.9)
        assert list(found.denominators.values()) == [among.sum()]
        assert found.interval is not None
        expected = wilson(int((hits & among).sum()), int(among.sum()), 0.9)
        assert (found.interval.low, found.interval.high) == pytest.approx(expected)


def delong(positives: Floats, negatives: Floats) -> tuple[float, float]:
    """AUC and its variance by their definition: every positive row meets every negative one."""
    wins = [[1.0 if p > n else 0.5 if p == n else 0.0 for n in negatives] for p in positives]
    by_positive = [sum(row) / len(negatives) for row in wins]
    by_negative = [sum(column) / len(positives) for column in zip(*wins, strict=True)]
    mean = sum(by_positive) / len(positives)

    def variance(values: list[float]) -> float:
        return sum((value - mean) ** 2 for value in values) / (len(values) - 1)

    return mean, variance(by_positive) / len(positives) + variance(by_negative) / len(negatives)


@settings(deadline=None)
@given(
    arrays(np.float64, st.integers(2, 12), elements=st.sampled_from([0, 0.25, 0.5, 0.75, 1])),
    arrays(np.float64, st.integers(2, 12), elements=st.sampled_from([0, 0.25, 0.5, 0.75, 1])),
)
def test_the_variance_of_the_auc_is_delongs(positives: Floats, negatives: Floats) -> None:
    score = np.concatenate([positives, negatives])
    truth = np.arange(len(score)) < len(positives)
    found = auc(Predictions(truth, score > 0.5, score), 0.95)
    value, variance = delong(positives, negatives)
    assert found.value == pytest.approx(value, abs=1e-12)
    assert found.interval is not None
    if not 0 < value < 1 or variance == 0:
        assert not found.interval.reliable
        return
    z = stats.norm.isf(0.025)
    centre, half = math.log(value / (1 - value)), z * math.sqrt(variance) / (value * (1 - value))
    expected = tuple(1 / (1 + math.exp(-end)) for end in (centre - half, centre + half))
    assert (found.interval.low, found.interval.high) == pytest.approx(expected, abs=1e-9)
    rows = min(len(positives), len(negatives))
    assert found.value is not None
    assert found.interval.reliable == (rows >= 10 and rows * min(found.value, 1 - found.value) >= 5)


@pytest.mark.parametrize(("positives", "negatives"), [(12, 188), (40, 360), (150, 300)])
def test_a_high_auc_of_few_rows_is_not_passed_too_easily(positives: int, negatives: int) -> None:
    """Scores 2.5 standard deviations apart: of 12 positive rows the lower end is above the truth in 9 % of samples."""
    rng, truth = np.random.default_rng(5), float(stats.norm.cdf(2.5 / math.sqrt(2)))
    positive = np.arange(positives + negatives) < positives
    reliable = wrong = 0
    for _ in range(300):
        score = rng.normal(size=len(positive)) + 2.5 * positive
        found = auc(Predictions(positive, score > 0.5, score), 0.95)
        assert found.interval is not None
        reliable += found.interval.reliable
        wrong += found.interval.reliable and found.interval.low > truth
    # 2.5 % and two standard errors of 300 samples.
    assert wrong / 300 <= 0.025 + 2 * math.sqrt(0.025 * 0.975 / 300)
    assert (reliable > 150) == (positives == 150)


def test_the_interval_of_the_auc_covers_what_it_promises() -> None:
    """500 samples of normal scores one standard deviation apart, whose true AUC is known."""
    rng, truth = np.random.default_rng(11), float(stats.norm.cdf(1 / math.sqrt(2)))
    positive = np.arange(120) < 40
    held = 0
    for _ in range(500):
        score = rng.normal(size=120) + positive
        found = auc(Predictions(positive, score > 0.5, score), 0.95)
        assert found.interval is not None
        held += found.interval.low <= truth <= found.interval.high
    assert 0.92 <= held / 500 <= 0.98


def one_class(rows: int, *, positive: bool) -> Predictions:
    score = np.linspace(0.1, 0.4, rows)
    return Predictions(np.full(rows, positive), np.zeros(rows, dtype=bool), score)


@pytest.mark.parametrize(
    ("name", "rows", "reason"),
    [
        ("auc", one_class(5, positive=False), "There are no rows with a positive label."),
        ("auc", one_class(5, positive=True), "There are no rows with a negative label."),
        ("precision", one_class(5, positive=True), "There are no rows predicted positive."),
        ("recall", one_class(5, positive=False), "There are no rows with a positive label."),
        ("specificity", one_class(5, positive=True), "There are no rows with a negative label."),
        ("accuracy", one_class(0, positive=True), "There are no rows."),
        ("positive_rate", one_class(0, positive=True), "There are no rows."),
        ("brier", one_class(0, positive=True), "There are no rows."),
    ],
)
def test_what_has_no_rows_says_so(name: str, rows: Predictions, reason: str) -> None:
    found = COMPUTE[name](rows, 0.95)
    assert (found.value, found.reason, found.interval) == (None, reason, None)


def ranked(positives: int, negatives: int) -> Predictions:
    score = np.concatenate([np.linspace(0.6, 0.9, positives), np.linspace(0.1, 0.4, negatives)])
    return Predictions(np.arange(len(score)) < positives, score > 0.5, score)


def test_a_perfect_ranking_has_an_interval_that_decides_nothing() -> None:
    found = auc(ranked(50, 50), 0.95)
    assert found.value == 1
    assert found.interval is not None
    assert not found.interval.reliable


def test_one_row_of_a_class_has_no_variance() -> None:
    found = auc(ranked(1, 20), 0.95)
    assert (found.value, found.interval) == (1.0, None)


def test_brier_has_the_interval_of_a_mean() -> None:
    rows = predictions(40)
    found = brier(rows, 0.9)
    squares = (rows.score - rows.positive) ** 2
    low, high = stats.t.interval(0.9, 39, squares.mean(), stats.sem(squares))
    assert found.interval is not None
    assert (found.interval.low, found.interval.high) == pytest.approx((low, high))
    assert found.interval.reliable
    few = brier(predictions(29), 0.9)
    assert few.interval is not None
    assert not few.interval.reliable
    assert brier(one_class(1, positive=True), 0.9) == Found(0.81, {"rows": 1})


def test_every_group_and_its_rest_are_measured() -> None:
    rows = predictions()
    members: Bools = np.arange(120) % 3 == 0
    found = [
        one for one in measure_quality(rows, [(("black", "1"), members)], 0.95) if one.facet_value or not one.facet
    ]
    assert [one.subject for one in found[:: len(QUALITY)]] == ["all rows", "black = 1", "black = not 1"]
    assert [dict(one.groups) for one in found[:: len(QUALITY)]] == [{"all": 120}, {"all": 40}, {"all": 80}]
    assert [one.metric for one in found[: len(QUALITY)]] == [metric.name for metric in QUALITY]
    by_subject = {(one.subject, one.metric): one for one in found}
    black = by_subject["black = 1", "auc"]
    assert black.value == pytest.approx(metrics.roc_auc_score(rows.positive[members], rows.score[members]))
    assert {one.stage for one in found} == {"quality"}


def test_the_table_reads_as_sentences() -> None:
    assert len(COMPUTE) == len(QUALITY)
    for metric in QUALITY:
        assert metric.reading.endswith(".")
        assert metric.title[0].isupper()
        assert metric.compute.__doc__

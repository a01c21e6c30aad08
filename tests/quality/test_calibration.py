"""Calibration on average, in spread and bin by bin: against slow ways, and that the intervals hold the truth."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import optimize, special, stats
from sklearn.linear_model import LogisticRegression

from clarify_ops.quality.calibration import (
    BinEnds,
    bins_of,
    calibration_error,
    calibration_gap,
    calibration_slope,
)
from clarify_ops.quality.found import Predictions

Floats = NDArray[np.float64]
Shares = np.ndarray[tuple[int], np.dtype[np.float64]]


def drawn(rows: int, seed: int, *, shift: float = 0.0, stretch: float = 1.0) -> tuple[Predictions, Floats]:
    """Predictions, and the true chance of every row: the scores' log odds stretched and shifted."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(-0.3, 1.2, rows)
    chance = special.expit(stretch * logits + shift)
    score = special.expit(logits)
    return Predictions(rng.random(rows) < chance, score > 0.5, score), chance


def test_the_gap_is_a_paired_t() -> None:
    rows, _ = drawn(200, 0, shift=0.5)
    found = calibration_gap(rows, 0.9)
    expected = stats.ttest_rel(rows.score, rows.positive.astype(float))
    assert found.value == pytest.approx(rows.score.mean() - rows.positive.mean())
    assert found.interval is not None
    ends = expected.confidence_interval(0.9)
    assert (found.interval.low, found.interval.high) == pytest.approx((ends.low, ends.high))


def test_the_slope_is_that_of_a_logistic_regression() -> None:
    rows, _ = drawn(500, 1, shift=0.4, stretch=0.6)
    logits = special.logit(rows.score)
    expected = LogisticRegression(C=1e12, tol=1e-10, max_iter=1000).fit(logits[:, None], rows.positive).coef_[0, 0]
    found = calibration_slope(rows, 0.95)
    assert found.value == pytest.approx(expected, rel=1e-5)
    assert found.interval is not None
    assert found.interval.low < 0.6 < found.interval.high
    assert found.interval.high < 1


def test_the_error_is_that_of_the_bins_without_what_chance_adds() -> None:
    rows, _ = drawn(300, 2, shift=0.8)
    order = np.argsort(rows.score)
    total = 0.0
    for part in np.split(order, 10):
        share, said = rows.positive[part].mean(), rows.score[part].mean()
        total += 0.1 * ((share - said) ** 2 - share * (1 - share) / 29)
    assert calibration_error(rows, 0.95).value == pytest.approx(math.sqrt(total))


def test_no_calibrated_model_shows_an_error_on_average() -> None:
    squares = []
    for seed in range(300):
        rows, _ = drawn(400, seed)
        place = bins_of(rows.score)
        plain = 0.0
        for number in range(10):
            part = place == number
            plain += part.mean() * (rows.positive[part].mean() - rows.score[part].mean()) ** 2
        squares.append((plain, calibration_error(rows, 0.9).value or 0.0))
    plain_mean, debiased = np.mean([one for one, _ in squares]), np.mean([value**2 for _, value in squares])
    assert debiased < 0.4 * plain_mean


@pytest.mark.parametrize(("shift", "stretch"), [(0.0, 1.0), (0.4, 0.7)])
def test_the_intervals_hold_the_truth(shift: float, stretch: float) -> None:
    held = np.zeros(3)
    draws = 300
    for seed in range(draws):
        rows, chance = drawn(300, seed, shift=shift, stretch=stretch)
        place = bins_of(rows.score)
        size = np.bincount(place)
        gaps = np.bincount(place, weights=rows.score - chance) / size
        truth = ((rows.score - chance).mean(), stretch, math.sqrt(float(size / 300 @ gaps**2)))
        for i, compute in enumerate((calibration_gap, calibration_slope, calibration_error)):
            interval = compute(rows, 0.9).interval
            assert interval is not None
            held[i] += interval.low <= truth[i] <= interval.high
    # Three standard errors of the simulation below the level.
    assert (held / draws > 0.9 - 3 * math.sqrt(0.9 * 0.1 / draws)).all()


def test_the_ends_of_the_error_are_those_of_the_region() -> None:
    """Against a general optimizer over the shares themselves: the ends may lie outside of what it finds, and barely."""
    hits, rows, said = np.asarray([6.0, 20, 31]), np.asarray([40.0, 40, 40]), np.asarray([0.2, 0.42, 0.7])
    found = BinEnds(hits, rows, said, 0.06)(0.9)
    reach = float(stats.chi2.ppf(0.9, 3))

    def inside(shares: Shares) -> Shares:
        return np.atleast_1d(reach - ((hits - rows * shares) ** 2 / (rows * shares * (1 - shares))).sum())

    def error(shares: Shares) -> float:
        return float(((shares - said) ** 2).mean())

    def best(sign: float) -> float:
        def objective(shares: Shares) -> float:
            return sign * error(shares)

        rng = np.random.default_rng(0)
        results = [
            optimize.minimize(
                objective,
                np.clip(hits / rows + rng.normal(0, 0.05, 3), 0.02, 0.98),
                bounds=[(0.001, 0.999)] * 3,
                constraints=optimize.NonlinearConstraint(inside, 0, np.inf),
                method="SLSQP",
            )
            for _ in range(20)
        ]
        return min(float(one.fun) for one in results if one.success and inside(one.x)[0] > -1e-6)

    assert found[1] == pytest.approx(math.sqrt(-best(-1.0)), rel=0.01)
    assert found[0] == pytest.approx(math.sqrt(max(0.0, best(1.0))), abs=1e-3)


def test_ties_share_a_bin_and_few_rows_few_bins() -> None:
    assert bins_of(np.full(500, 0.4)).max() == 0
    assert bins_of(np.linspace(0, 1, 19)).max() == 0
    assert np.bincount(bins_of(np.linspace(0, 1, 100))).tolist() == [20] * 5
    assert len(np.bincount(bins_of(np.linspace(0, 1, 5000)))) == 10


def test_without_rows_labels_or_a_spread_there_is_no_answer() -> None:
    nobody = np.zeros(0, dtype=bool)
    empty = Predictions(nobody, nobody, np.zeros(0))
    for compute in (calibration_gap, calibration_slope, calibration_error):
        assert compute(empty, 0.9).value is None
        assert compute(empty, 0.9).reason
    score = np.linspace(0.1, 0.9, 40)
    apart = Predictions(score > 0.5, score > 0.5, score)
    assert "separate" in calibration_slope(apart, 0.9).reason
    assert "equal" in calibration_slope(Predictions(score > 0.5, score > 0.5, np.full(40, 0.5)), 0.9).reason
    assert "no rows with a positive label" in calibration_slope(Predictions(score > 1, score > 1, score), 0.9).reason


def test_few_rows_of_a_label_are_called_unreliable() -> None:
    rows, _ = drawn(100, 4)
    for positives, reliable in ((9, False), (10, True)):
        label = np.arange(100) < positives
        for compute in (calibration_gap, calibration_slope):
            interval = compute(Predictions(label, rows.predicted, rows.score), 0.9).interval
            assert interval is not None
            assert interval.reliable == reliable

"""Candidate minus champion on the same rows: values, intervals that know it, and false PASS at the margin."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from scipy import special, stats

from clarify_ops.intervals import newcombe, tango_ends
from clarify_ops.quality.found import Predictions
from clarify_ops.quality.paired import PAIRED, McNemar, Pair, compare_quality
from clarify_ops.quality.performance import QUALITY

LEVELS = (0.5, 0.8, 0.9, 0.95, 0.99)


def drawn(rows: int, seed: int, noise: float = 0.6, champion_noise: float = 0.8) -> Pair:
    rng = np.random.default_rng(seed)
    positive = rng.random(rows) < 0.4
    shared = rng.normal(size=rows) + 1.2 * positive
    scores = [special.expit(shared + rng.normal(0, one, rows) - 0.7) for one in (noise, champion_noise)]
    candidate, champion = (Predictions(positive, score > 0.5, score) for score in scores)
    return Pair(candidate, champion)


def test_each_is_the_difference_of_what_both_models_have_alone() -> None:
    pair = drawn(300, 0)
    alone = {metric.name: metric.compute for metric in QUALITY}
    for name, compute in PAIRED.items():
        one, other = (alone[name](rows, 0.9).value for rows in (pair.candidate, pair.champion))
        assert one is not None
        assert other is not None
        assert compute(pair, 0.9).value == pytest.approx(one - other, abs=1e-12), name


def test_the_interval_is_asked_for_again_and_is_shorter_than_of_unrelated_rows() -> None:
    pair = drawn(400, 1)
    alone = {metric.name: metric.compute for metric in QUALITY}
    for name, compute in PAIRED.items():
        found = compute(pair, 0.9)
        assert found.interval is not None
        assert found.ends is not None
        assert found.ends(0.9) == (found.interval.low, found.interval.high)
        for (low, high), (lower, higher) in pairwise(found.ends(level) for level in LEVELS):
            assert lower <= low < high <= higher
        width = found.interval.high - found.interval.low
        longer = found.ends(0.9, {"all": 0.25})
        assert 1.7 < (longer[1] - longer[0]) / width < 2.3
        with pytest.raises(KeyError, match="d"):
            found.ends(0.9, {"d": 2.0})
        apart = [alone[name](rows, 0.9).interval for rows in (pair.candidate, pair.champion)]
        assert width < math.hypot(*(one.high - one.low for one in apart if one is not None)), name


def test_a_model_is_exactly_as_good_as_itself() -> None:
    one = drawn(300, 2).candidate
    for name, compute in PAIRED.items():
        found = compute(Pair(one, one), 0.95)
        assert found.value == 0
        assert found.interval is not None
        assert found.interval.reliable
        assert found.interval.low <= 0 <= found.interval.high
        assert found.interval.high - found.interval.low < 0.07, name


def test_the_difference_of_areas_is_delongs() -> None:
    """Against the definition, pair of rows by pair of rows."""
    pair = drawn(60, 3)
    truth = pair.candidate.positive
    beats = []
    for rows in (pair.candidate, pair.champion):
        gap = rows.score[truth][:, None] - rows.score[~truth][None, :]
        beats.append((gap > 0) + 0.5 * (gap == 0))
    gaps = beats[0] - beats[1]
    m, n = gaps.shape
    error = math.sqrt(gaps.mean(axis=1).var(ddof=1) / m + gaps.mean(axis=0).var(ddof=1) / n)
    found = PAIRED["auc"](pair, 0.9)
    assert found.interval is not None
    assert found.value == pytest.approx(gaps.mean())
    assert found.interval.high - found.interval.low == pytest.approx(2 * stats.norm.ppf(0.95) * error)


def test_precisions_of_unrelated_rows_have_newcombes_interval() -> None:
    positive = np.tile([True, False, True, True], 50)
    first = np.arange(200) < 100
    score = np.linspace(0, 1, 200)
    pair = Pair(Predictions(positive, first, score), Predictions(positive, ~first, score))
    found = PAIRED["precision"](pair, 0.9)
    assert found.interval is not None
    assert (found.interval.low, found.interval.high) == pytest.approx(newcombe((75, 100), (75, 100), 0.9))


@pytest.mark.parametrize("name", ["accuracy", "recall", "precision", "auc", "brier"])
def test_neither_end_is_passed_too_often(name: str) -> None:
    """Non-inferiority by the margin that is true: PASS means that the low end lies above it."""
    truth = PAIRED[name](drawn(200_000, 0), 0.9).value
    assert truth is not None
    above = below = 0
    draws = 500
    for seed in range(draws):
        interval = PAIRED[name](drawn(200, seed + 1), 0.9).interval
        assert interval is not None
        above += interval.low > truth
        below += interval.high < truth
    most = 0.05 + 3 * math.sqrt(0.05 * 0.95 / draws)
    assert above / draws < most
    assert below / draws < most


def test_tango_keeps_false_pass_at_the_margin() -> None:
    """20,000 samples at exactly the margin: the candidate is right in 5 points fewer of the rows."""
    rng, rows, draws = np.random.default_rng(0), 400, 20_000
    more, fewer, _ = rng.multinomial(rows, [0.06, 0.11, 0.83], size=draws).T
    low, _ = tango_ends(more, fewer, rows, 0.9)
    assert (low >= -0.05).mean() < 0.05 + 2.33 * math.sqrt(0.05 * 0.95 / draws)


def test_every_group_and_its_rest_are_compared() -> None:
    members = np.arange(120) % 3 == 0
    found = compare_quality(drawn(120, 4), [(("black", "1"), members)], 0.95)
    assert {one.stage for one in found} == {"champion"}
    firsts = found[:: len(PAIRED)]
    assert [one.subject for one in firsts] == ["all rows", "black = 1", "black = not 1"]
    assert [one.groups["all"] for one in firsts] == [120, 40, 80]


def test_without_rows_there_is_no_difference() -> None:
    nobody = drawn(10, 0).where(np.zeros(10, dtype=bool))
    for compute in PAIRED.values():
        found = compute(nobody, 0.9)
        assert found.value is None
        assert found.reason.startswith("There are no rows")
    pair = drawn(40, 0)
    never = Pair(pair.candidate, Predictions(pair.candidate.positive, np.zeros(40, dtype=bool), pair.champion.score))
    assert PAIRED["precision"](never, 0.9).reason == "There are no rows predicted positive by the champion."


def test_mcnemar_is_exact() -> None:
    pair = drawn(200, 5)
    found = McNemar.of(pair)
    right = [one.predicted == one.positive for one in (pair.candidate, pair.champion)]
    assert found.candidate_alone == (right[0] & ~right[1]).sum()
    assert found.champion_alone == (~right[0] & right[1]).sum()
    rows = found.candidate_alone + found.champion_alone
    tail = stats.binom.cdf(min(found.candidate_alone, found.champion_alone), rows, 0.5)
    assert found.p_value == pytest.approx(min(1.0, 2 * tail))
    assert McNemar.of(Pair(pair.candidate, pair.candidate)).p_value == 1

"""How often the gate is wrong, and how often it decides: the small version of the table in docs/gate.md."""

from __future__ import annotations

import datetime

import numpy as np
import pytest
from scipy import stats

from clarify_ops.bias.ends import CountEnds
from clarify_ops.bias.forms import PLAIN
from clarify_ops.bias.table import BY_NAME
from clarify_ops.bias.uncertainty import interval_of
from clarify_ops.config.policy import Policy, Rule
from clarify_ops.data.counts import Counts
from clarify_ops.gate.bounds import Bound, bound_of
from clarify_ops.gate.judge import judge
from clarify_ops.gate.verdict import Verdict
from clarify_ops.measures import Measure, Stage
from tests.gate.calibration import ALPHA, BOUNDS, CONFIDENCE, WITHIN, Population, Truth, form_of, outcomes, upper_limit

TODAY = datetime.date(2026, 6, 15)
STAGE: Stage = "post_training"
# By the judge's own rule: an equal bound on both sides.
RULES = {
    metric: Rule(
        id="gap", stage=STAGE, metric=metric, facet="group", within=0.8 if metric == "DI" else 0.1, why="agreed"
    )
    for metric in BOUNDS
}


def measures(population: Population, counts: Counts, table: int) -> list[Measure]:
    """One table as the bias step measures it."""
    metric = BY_NAME[population.metric]
    found = []
    for group in range(population.groups):
        one = Counts(counts.total[table, group])
        interval = interval_of(metric, one, CONFIDENCE)
        value = None if interval is None else float(form_of(metric.name, one).value(PLAIN))
        found.append(
            Measure(
                stage=STAGE,
                metric=metric.name,
                value=value,
                reason="" if value is not None else "There are no rows to compare.",
                facet="group",
                facet_value=str(group),
                groups={"a": int(one.n(0)), "d": int(one.n(1))},
                interval=interval,
                ends=None if interval is None else CountEnds(metric, one, interval),
            )
        )
    return found


def judged(population: Population, counts: Counts, table: int) -> Verdict:
    policy = Policy(name="test", rules=(RULES[population.metric],), confidence=CONFIDENCE, alpha=ALPHA)
    return judge(measures(population, counts, table), policy, TODAY)


@pytest.mark.parametrize("metric", list(BOUNDS))
def test_the_bound_of_the_simulation_is_the_rules(metric: str) -> None:
    assert bound_of(RULES[metric]) == BOUNDS[metric]


@pytest.mark.parametrize(
    ("population", "tables"),
    [
        (Population("DPPL", 6, 1000, 0.5, "twice the bound"), 25),
        (Population("DPPL", 6, 4000, 0.5), 8),
        (Population("DPPL", 12, 120, 0.1), 8),
        (Population("DPPL", 1, 500, 0.5, "one at the bound"), 12),
        (Population("RD", 2, 600, 0.8, "twice the bound", 0.3), 12),
        (Population("RD", 6, 200, 0.8, "parity", 0.1), 8),
        (Population("DI", 2, 1000, 0.5, "twice the bound"), 6),
        (Population("DI", 1, 300, 0.3, "all at the bound"), 6),
    ],
    ids=str,
)
def test_the_simulation_answers_as_the_judge_does(population: Population, tables: int) -> None:
    """Three evaluations for all tables are what inverting, correcting and comparing one by one gives."""
    counts = population.draw(tables, np.random.default_rng(11))
    fast = outcomes(population, counts)
    for table in range(tables):
        slow = judged(population, counts, table)
        fails = bool(fast.fails[table] or fast.undefined[table])
        assert (slow.outcome == "PASS", slow.outcome == "FAIL") == (bool(fast.passes[table]), fails)


@pytest.mark.parametrize("truth", WITHIN)
@pytest.mark.parametrize(
    ("metric", "groups", "rows", "rate", "base"),
    [
        ("DPPL", 1, 300, 0.3, 1.0),
        ("DPPL", 2, 1000, 0.5, 1.0),
        ("DPPL", 6, 300, 0.15, 1.0),
        ("DPPL", 12, 300, 0.5, 1.0),
        ("DPPL", 12, 5000, 0.8, 1.0),
        ("RD", 6, 1000, 0.8, 0.1),
        ("RD", 12, 5000, 0.8, 0.3),
        ("DI", 2, 300, 0.3, 1.0),
        ("DI", 6, 1000, 0.5, 1.0),
    ],
)
def test_whoever_keeps_the_bound_rarely_fails_and_whoever_is_at_it_rarely_passes(
    metric: str, groups: int, rows: int, rate: float, base: float, truth: Truth
) -> None:
    """At most 5 %: a rate of 5.5 % or more would have to hide by a chance of one in a hundred."""
    population = Population(metric, groups, rows, rate, truth, base)
    tables = 24_000 if groups == 1 else 4_000
    tables = tables // 4 if metric == "DI" else tables
    found = outcomes(population, population.draw(tables, np.random.default_rng(12)))
    assert upper_limit(int(found.fails.sum()), tables) <= 0.055
    if truth != "parity":
        assert upper_limit(int(found.passes.sum()), tables) <= 0.055


def chances(metric: str, rows: tuple[int, int], shares: tuple[float, float]) -> tuple[float, float]:
    """The exact chances of PASS and FAIL for given true shares of a and d: a sum over all numbers of hits."""
    weights = [stats.binom.pmf(np.arange(size + 1), size, share) for size, share in zip(rows, shares, strict=True)]
    total = np.zeros((rows[0] + 1, rows[1] + 1, 1, 2, 2, 2))
    for side, size in enumerate(rows):
        hits = np.arange(size + 1).reshape((-1, 1, 1) if side == 0 else (1, -1, 1))
        total[..., side, 0, 1], total[..., side, 0, 0] = hits, size - hits
    found = outcomes(Population(metric, 1, sum(rows), 0.5), Counts(total))
    fails = found.fails | found.undefined
    return tuple(float(weights[0] @ one @ weights[1]) for one in (found.passes, fails))  # type: ignore[return-value]


@pytest.mark.parametrize(("a", "d"), [(60, 40), (150, 50)])
@pytest.mark.parametrize("share", [0.3, 0.5, 0.8])
def test_at_the_bound_either_answer_is_wrong_rarely(a: int, d: int, share: float) -> None:
    """One comparison promises 2.5 % of PASS and 5 % of FAIL; score intervals of so few rows keep to it within 0.8 points."""
    for metric, other in (("DPPL", share - 0.1), ("DI", 0.8 * share)):
        passes, fails = chances(metric, (a, d), (share, other))
        assert passes <= 0.033
        assert fails <= 0.058


def test_far_from_the_bound_the_answer_is_the_right_one() -> None:
    """A gap of 0.1 allowed: with 300 rows a side none at all mostly passes, 0.4 fails with 200, and few rows decide little."""
    assert chances("DPPL", (300, 300), (0.85, 0.85))[0] > 0.75
    assert chances("DPPL", (200, 200), (0.8, 0.4))[1] > 0.999
    passes, fails = chances("DPPL", (30, 15), (0.85, 0.85))
    assert passes < 0.25
    assert fails < 0.02


@pytest.mark.parametrize("rate", [0.3, 0.5, 0.8])
def test_it_decides(rate: float) -> None:
    rng = np.random.default_rng(13)

    def simulated(rows: int, truth: Truth) -> tuple[float, float]:
        population = Population("DPPL", 6, rows, rate, truth)
        found = outcomes(population, population.draw(2_000, rng))
        return float(found.passes.mean()), float(found.fails.mean())

    passes, fails = simulated(5000, "parity")
    assert passes >= 0.95
    assert fails <= 0.001
    passes, fails = simulated(5000, "twice the bound")
    assert fails >= 0.95
    assert passes == 0
    passes, fails = simulated(1000, "twice the bound")
    assert fails >= 0.45
    assert passes == 0


def test_both_ends_of_a_narrow_bound_can_raise_an_alarm(monkeypatch: pytest.MonkeyPatch) -> None:
    """Groups of 150 rows, held to one point: by the nearer end alone, a tenth of all fair models would fail."""
    monkeypatch.setitem(BOUNDS, "DPPL", Bound(-0.01, 0.01))
    population = Population("DPPL", 1, 300, 0.5)
    found = outcomes(population, population.draw(20_000, np.random.default_rng(14)))
    assert upper_limit(int(found.fails.sum()), 20_000) <= 0.055
    counts = population.draw(12, np.random.default_rng(15))
    narrow = RULES["DPPL"].model_copy(update={"within": 0.01})
    monkeypatch.setitem(RULES, "DPPL", narrow)
    fast = outcomes(population, counts)
    assert [judged(population, counts, table).outcome == "FAIL" for table in range(12)] == list(fast.fails)


def test_the_limit_of_a_share() -> None:
    """By its definition: at the limit, so few hits have a chance of one in a hundred."""
    assert stats.binom.cdf(5, 100, upper_limit(5, 100)) == pytest.approx(0.01)
    assert upper_limit(0, 100) == pytest.approx(1 - 0.01**0.01)
    assert upper_limit(100, 100) == 1

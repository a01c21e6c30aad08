"""The rows that would decide: as many as are said to, in about 80 % of samples."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest
from scipy import stats

from clarify_ops.data.counts import Counts
from clarify_ops.gate.bounds import Bound
from clarify_ops.gate.judge import judge
from clarify_ops.gate.power import needs
from clarify_ops.gate.verdict import Needs
from clarify_ops.measures import Measure
from tests.gate.calibration import BOUNDS, Population, outcomes
from tests.gate.test_inversion import measured
from tests.gate.test_judge import TODAY, measure, normal_ends, policy, rule

DRAWS = 3_000


def share_decided(rows: tuple[int, int], shares: tuple[float, float], metric: str, *, passes: bool) -> float:
    """How often samples of those sizes decide, if the shares are the true ones."""
    rng = np.random.default_rng(3)
    total = np.zeros((DRAWS, 1, 2, 2, 2))
    for side, (size, share) in enumerate(zip(rows, shares, strict=True)):
        hits = rng.binomial(size, share, size=DRAWS)
        total[:, 0, side, 0, 1], total[:, 0, side, 0, 0] = hits, size - hits
    found = outcomes(Population(metric, 1, sum(rows), 0.5), Counts(total))
    return float((found.passes if passes else found.fails).mean())


@pytest.mark.parametrize(
    ("metric", "hits", "rows", "group", "passes"),
    [
        # (of a, of d) hits and rows; d is small, so that more of d decide.
        ("DPPL", (400, 38), (800, 80), "black = 1", True),
        ("DPPL", (4000, 34), (8000, 80), "black = 1", True),
        ("DPPL", (4000, 30), (8000, 80), "black = 1", False),
        ("DPPL", (1600, 6), (8000, 80), "black = 1", False),
        ("DI", (400, 38), (800, 80), "black = 1", True),
        ("DI", (400, 29), (800, 80), "black = 1", False),
        # Here a is small, and no number of rows of d decides.
        ("DPPL", (38, 400), (80, 800), "all others", True),
        # Near the bound neither side alone does.
        ("DPPL", (46, 40), (100, 105), "both sides together", True),
        ("DPPL", (400, 30), (800, 80), "both sides together", False),
    ],
)
def test_the_rows_that_are_said_to_decide_do_so_in_about_80_percent(
    metric: str,
    hits: tuple[int, int],
    rows: tuple[int, int],
    group: str,
    passes: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    a, d = ((0, hit, 0, size - hit) for hit, size in zip(hits, rows, strict=True))
    one = measured(metric, a, d)
    assert one.value is not None
    bound = BOUNDS[metric]
    assert bound.holds(one.value) == passes
    found = needs(one, bound, 0.95, 0.05)
    assert found.group == group
    assert found.rows is not None
    now = {"black = 1": rows[1], "all others": rows[0]}.get(group, sum(rows))
    assert found.rows > now
    assert f"{found.rows:,} rows of {group}" in found.note
    times = found.rows / now
    grown = (
        round(rows[0] * (times if group != "black = 1" else 1)),
        round(rows[1] * (times if group != "all others" else 1)),
    )
    shares = (hits[0] / rows[0], hits[1] / rows[1])
    assert share_decided(grown, shares, metric, passes=passes) == pytest.approx(0.8, abs=0.06)
    fewer = (round((grown[0] + rows[0]) / 2), round((grown[1] + rows[1]) / 2))
    assert share_decided(fewer, shares, metric, passes=passes) < 0.78


def rows_needed(value: float, bound: Bound, confidence: float, alpha: float) -> Needs:
    one = measure(value, value - 0.1, value + 0.1, ends=normal_ends(value, value - 0.1, value + 0.1))
    return needs(one, bound, confidence, alpha)


@pytest.mark.parametrize("alpha", [0.05, 0.01])
@pytest.mark.parametrize("confidence", [0.9, 0.95])
def test_of_a_normal_estimate_it_is_the_textbooks_number(confidence: float, alpha: float) -> None:
    """n times (z of the decision + z of the power)^2, in squares of distance over standard error."""
    error = 0.1 / stats.norm.ppf(0.975)
    power = stats.norm.ppf(0.8)
    outside = rows_needed(0.13, Bound(high=0.1), confidence, alpha)
    expected = 50 * ((stats.norm.isf(alpha) + power) * error / 0.03) ** 2
    assert outside.rows == pytest.approx(expected, rel=1e-3, abs=1)
    inside = rows_needed(0.07, Bound(high=0.1), confidence, alpha)
    expected = 50 * ((stats.norm.ppf(0.5 + confidence / 2) + power) * error / 0.03) ** 2
    assert inside.rows == pytest.approx(expected, rel=1e-3, abs=1)
    # In the middle between two ends either may be missed.
    middle = rows_needed(0.0, Bound(-0.03, 0.03), confidence, alpha)
    both = 50 * ((stats.norm.ppf(0.5 + confidence / 2) + stats.norm.ppf(0.9)) * error / 0.03) ** 2
    assert middle.rows == pytest.approx(both, rel=1e-3, abs=1)


def test_at_the_bound_no_number_of_rows_decides() -> None:
    found = rows_needed(0.1, Bound(-0.1, 0.1), 0.95, 0.05)
    assert (found.group, found.rows) == ("", None)
    assert found.note.startswith("No number of rows")


def test_where_the_interval_cannot_say_it_is_said() -> None:
    def fixed(level: float, scale: Mapping[str, float] | None = None) -> tuple[float, float]:
        for side in scale or ():
            raise KeyError(side)
        return normal_ends(0.05, -0.05, 0.15)(level)

    for one in (measure(0.05, -0.05, 0.15), measure(0.05, -0.05, 0.15, ends=fixed)):
        found = needs(one, Bound(-0.1, 0.1), 0.95, 0.05)
        assert (found.group, found.rows) == ("", None)
        assert "is not known" in found.note


def test_all_rows_and_a_reference_have_their_names() -> None:
    from clarify_ops.quality.ends import ShareEnds

    ends = ShareEnds(75, 100)
    whole = Measure("quality", "accuracy", 0.75, groups={"all": 100}, interval=measure().interval, ends=ends)
    found = needs(whole, Bound(low=0.7), 0.95, 0.05)
    assert found.group == "all rows"
    assert found.rows is not None
    assert f"With {found.rows:,} rows in all it would pass in 80 % of samples" in found.note
    group = Measure("quality", "accuracy", 0.75, "", "black", "1", {"all": 100}, {}, measure().interval, ends=ends)
    assert needs(group, Bound(low=0.7), 0.95, 0.05).group == "black = 1"


def test_every_open_question_says_what_would_close_it_and_no_other() -> None:
    found = judge(
        [
            measure(one, one - 0.1, one + 0.1, facet_value=str(place), ends=normal_ends(one, one - 0.1, one + 0.1))
            for place, one in enumerate((0.05, 0.5, 0.12))
        ],
        policy(rule()),
        TODAY,
    ).judgements
    assert [one.outcome for one in found] == ["INCONCLUSIVE", "FAIL", "INCONCLUSIVE"]
    assert found[1].needs is None
    assert found[0].needs is not None
    assert found[2].needs is not None
    # One of three has failed, so that the next is corrected for two.
    error = 0.1 / stats.norm.ppf(0.975)
    expected = 50 * ((stats.norm.isf(0.025) + stats.norm.ppf(0.8)) * error / 0.02) ** 2
    assert found[2].needs.rows == pytest.approx(expected, rel=1e-3)

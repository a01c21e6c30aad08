"""Intervals hold the truth as often as they say: a small simulation that fails when they do not."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from clarify_ops.bias.table import BY_NAME

from .coverage import COUNTED, Coverage, Population, bootstrap_coverage, closed_coverage, grid

# The chance that a sound interval is called a fault, for each of some 400 comparisons.
_ALARM = 1e-5
FEW = (
    Population("1000/1000", (0.5, 0.5), "few"),
    Population("1000/1000", (0.97, 0.97), "many"),
    Population("1000/1000", (0.3, 0.1), "uneven"),
    Population("2000/200", (0.05, 0.05), "few"),
    Population("2000/200", (0.97, 0.8), "uneven"),
    Population("2000/200", (0.8, 0.8), "many"),
    Population("1000/20", (0.1, 0.1), "few"),
    Population("1000/20", (0.97, 0.97), "many"),
    Population("1000/20", (0.5, 0.3), "uneven"),
)


def faults(found: Iterable[Coverage]) -> list[str]:
    """What can no longer be a coverage of 93 % (or 7 % of misleading intervals) and bad luck."""
    said = []
    for one in found:
        where = f"{one.metric}, {one.method}, {one.population}"
        if stats.binom.sf(one.misled - 1, one.tables, 0.07) < _ALARM:
            said.append(f"{where}: {one.misleads:.3f} mislead")
        # Where few samples of a population are reliable, those are not like the others.
        if one.reliable >= one.tables / 2 and stats.binom.cdf(one.reliable - one.misled, one.reliable, 0.93) < _ALARM:
            said.append(f"{where}: {1 - one.misled / one.reliable:.3f} of the reliable cover")
    return said


def simulated(tables: int, level: float = 0.95) -> Iterator[Coverage]:
    for i, population in enumerate(FEW):
        yield from closed_coverage(population, tables, np.random.default_rng([11, i]), level)


def test_score_intervals_cover_what_they_promise() -> None:
    found = list(simulated(1500))
    assert faults(found) == []
    assert {one.metric for one in found} == {metric.name for metric in COUNTED}
    # All but treatment equality, which needs errors of both kinds, hold of most groups.
    reliable = {name: np.mean([one.reliable / one.tables for one in found if one.metric == name]) for name in BY_NAME if name != "FT"}  # fmt: skip
    assert min(reliable.items(), key=lambda item: item[1])[0] == "TE"
    assert min(share for name, share in reliable.items() if name != "TE") > 0.75


def test_the_simulation_sees_intervals_that_are_too_short() -> None:
    found = faults(simulated(1500, level=0.88))
    assert len(found) > 100


def test_a_bootstrap_of_a_distance_covers_next_to_never_at_parity() -> None:
    """Why distances are never resampled."""
    population = Population("1000/1000", (0.5, 0.5), "many")
    for one in bootstrap_coverage(population, [BY_NAME["TVD"], BY_NAME["KL"]], 200, np.random.default_rng(0)):
        assert one.covered < 0.2


def test_the_bootstrap_covers_where_no_cell_is_small() -> None:
    population = Population("1000/1000", (0.5, 0.3), "uneven")
    metrics = [BY_NAME[name] for name in ("CDDL", "DCA", "GE", "TE")]
    for one in bootstrap_coverage(population, metrics, 250, np.random.default_rng(1)):
        assert one.reliable == one.tables
        assert stats.binom.cdf(one.held, one.tables, 0.93) > 1e-4


def test_the_populations_have_the_rates_that_they_are_named_by() -> None:
    for population in grid():
        shares: NDArray[np.float64] = population.shares
        assert shares.shape == (4, 2, 2, 2)
        sides = shares.sum(axis=0)
        rates = sides[:, 1].sum(axis=-1) / sides.sum(axis=(1, 2))
        assert np.allclose(rates, population.rates)
        assert np.isclose(shares.sum(), 1)
        if population.rates[0] == population.rates[1]:
            assert abs(population.truth(BY_NAME["CDDL"])) < 1e-12
            assert population.truth(BY_NAME["KL"]) < 1e-12

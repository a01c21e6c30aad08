"""Intervals of distances between distributions over several classes hold the truth, by simulation."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from clarify_ops.bias.distributions import DISTANCES
from clarify_ops.bias.regions import distance_interval

SAMPLES = 20
POPULATIONS = {
    "apart": ([0.5, 0.3, 0.2], [0.2, 0.3, 0.5]),
    "rare class": ([0.9, 0.07, 0.03], [0.8, 0.1, 0.1]),
}


@pytest.mark.parametrize("name", ["TVD", "KL", "JS", "LP", "KS"])
@pytest.mark.parametrize("population", POPULATIONS)
def test_the_truth_is_held(population: str, name: str) -> None:
    p, q = (np.asarray(one) for one in POPULATIONS[population])
    distance = DISTANCES[name]
    truth = float(distance(p, q))
    rng = np.random.default_rng(5)
    held = 0
    for _ in range(SAMPLES):
        a, d = rng.multinomial(400, p).astype(float), rng.multinomial(120, q).astype(float)
        kept = (a + d) > 0
        found = distance_interval(a[kept], d[kept], distance, 0.95)
        held += found.low - 1e-9 <= truth <= found.high + 1e-9
    # A true coverage of 93 % would be undercut by this in one run of a thousand.
    assert held >= stats.binom.ppf(0.001, SAMPLES, 0.93)


@pytest.mark.parametrize("name", ["TVD", "KL"])
def test_the_region_is_reached_from_anywhere(name: str) -> None:
    """The ends are those of a search from many places; the library's own search starts from few."""
    distance = DISTANCES[name]
    a, d = np.asarray([60.0, 30.0, 10.0]), np.asarray([20.0, 20.0, 20.0])
    found = distance_interval(a, d, distance, 0.95)
    value = float(distance(a / a.sum(), d / d.sum()))
    assert found.low < value < found.high
    rng = np.random.default_rng(1)
    inside = [
        float(distance(p, q)) for p, q in zip(rng.dirichlet(a + 1, 4000), rng.dirichlet(d + 1, 4000), strict=True)
    ]
    # Of plausible pairs of distributions next to none is outside.
    assert np.mean([found.low <= one <= found.high for one in inside]) > 0.95

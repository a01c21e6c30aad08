"""How often the interval of the flip test holds the value that samples of the same sizes have on average."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import special

from clarify_ops.bias.flip_interval import flip_interval
from clarify_ops.bias.flip_test import flip_counts
from clarify_ops.bias.uncertainty import flip_score_interval


@dataclass(frozen=True)
class FlipPopulation:
    """People with normal features, those of d lower by 0.3; a model accepts by their sum.

    Attributes:
        a, d: Rows of both sides.
        gap: What the model takes off the sum for d.
        noise: Scale of what decides besides the sum; 0 for a sharp threshold.
        features: How many.
    """

    a: int
    d: int
    gap: float
    noise: float
    features: int

    def __str__(self) -> str:
        rule = "parity" if self.gap == 0 else f"gap {self.gap:g}"
        return f"{self.a}/{self.d} rows, {self.features} features, {rule}, {f'noise {self.noise:g}' if self.noise else 'sharp'}"

    def draw(self, rng: np.random.Generator) -> tuple[pd.DataFrame, NDArray[np.bool_], NDArray[np.bool_]]:
        """Features, who is d, who is accepted."""
        disadvantaged = np.arange(self.a + self.d) >= self.a
        people = rng.standard_normal((self.a + self.d, self.features)) - 0.3 * disadvantaged[:, None]
        score = people.sum(axis=1) - self.gap * disadvantaged
        chance = special.expit(score / self.noise) if self.noise else score > 0
        return pd.DataFrame(people), disadvantaged, rng.random(len(score)) < chance

    def truth(self, draws: int, rng: np.random.Generator) -> float:
        """The average flip test of samples of these sizes."""
        return float(np.mean([flip_counts(*self.draw(rng)).value for _ in range(draws)]))


FLIP_POPULATIONS = tuple(
    FlipPopulation(*sizes, gap, noise, features)
    for sizes in ((500, 500), (100, 1000), (1000, 100), (1000, 20))
    for gap, noise, features in ((0.5, 0.7, 2), (0.0, 0.7, 2), (0.0, 0.0, 3), (0.5, 0.7, 5))
)


@dataclass(frozen=True)
class FlipCoverage:
    """Of `draws` intervals, how many hold the truth: ours, and Tango's with the neighbours as they are."""

    population: FlipPopulation
    draws: int
    held: int
    held_given_neighbours: int
    reliable: int


def flip_coverage(population: FlipPopulation, draws: int, subsamples: int, rng: np.random.Generator) -> FlipCoverage:
    truth = population.truth(5 * draws, rng)
    held = given = reliable = 0
    for _ in range(draws):
        people = population.draw(rng)
        flip = flip_counts(*people)
        ours = flip_interval(*people, flip, level=0.95, rng=rng, subsamples=subsamples)
        tango = flip_score_interval(flip, 0.95)
        assert ours is not None
        assert tango is not None
        held += ours.interval.low <= truth <= ours.interval.high
        given += tango.interval.low <= truth <= tango.interval.high
        reliable += ours.interval.reliable
    return FlipCoverage(population, draws, held, given, reliable)

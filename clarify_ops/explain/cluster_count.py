"""How many clusters rows have: as many as another sample of the same rows would be cut into alike."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from clarify_ops.explain.prototypes import Codes, Encoded, distances, partition

MOST = 12
SPLITS = 5
STRENGTH = 0.8
CLOSER = 0.9
_ROWS_PER_CLUSTER = 20
_STARTS = 3


@dataclass(frozen=True)
class Count:
    """A number of clusters and why.

    Attributes:
        clusters: How many, from 1.
        strength: Prediction strength of this number; 1 for one cluster.
        most: The largest number that was looked at.
    """

    clusters: int
    strength: float
    most: int


def count_clusters(rows: Encoded, rng: np.random.Generator, most: int = MOST) -> Count:
    """The number of clusters in rows, 1 where there is no structure.

    The rows are split into halves, and both are cut into clusters. The prediction strength is the share of pairs of rows of a
    cluster of one half which the centres of the other half leave together too, in the worst cluster; it is averaged over
    splits. Taken is the largest number whose strength is at least 0.8 and whose clusters are closer than those of the same
    rows with every feature shuffled by itself: a single feature, or independent ones, can be cut alike without being
    clusters. Closer means a sum of distances less than 0.9 of every shuffle's. There are at least 20 rows to a cluster.

    Args:
        rows: Encoded.
        rng: Of splits, starts and shuffles.
        most: The largest number to look at.

    Source: Tibshirani and Walther (2005), doi:10.1198/106186005X59243.
    """
    most = min(most, len(rows) // _ROWS_PER_CLUSTER, rows.distinct())
    halves = [_halves(rows, rng) for _ in range(SPLITS)]
    for clusters in range(most, 1, -1):
        strength = _mean_strength(halves, clusters, rng)
        if strength >= STRENGTH and _is_closer_than_chance(rows, clusters, rng):
            return Count(clusters, strength, most)
    return Count(1, 1.0, max(most, 1))


def _is_closer_than_chance(rows: Encoded, clusters: int, rng: np.random.Generator) -> bool:
    cost = partition(rows, clusters, rng, _STARTS).cost
    shuffled = (partition(rows.shuffled(rng), clusters, rng, _STARTS).cost for _ in range(SPLITS))
    return all(cost < CLOSER * one for one in shuffled)


def _halves(rows: Encoded, rng: np.random.Generator) -> tuple[Encoded, Encoded]:
    order = rng.permutation(len(rows))
    middle = len(rows) // 2
    return rows.take(order[:middle]), rows.take(order[middle:])


def _mean_strength(halves: list[tuple[Encoded, Encoded]], clusters: int, rng: np.random.Generator) -> float:
    """The mean over splits, or less than is needed as soon as that is certain."""
    total = 0.0
    for done, (one, other) in enumerate(halves, start=1):
        if min(one.distinct(), other.distinct()) < clusters:
            return 0.0
        centres = partition(one, clusters, rng, _STARTS).centres
        own = partition(other, clusters, rng, _STARTS).labels
        total += prediction_strength(own, distances(other, centres).argmin(axis=1))
        if total + len(halves) - done < STRENGTH * len(halves):
            return 0.0
    return total / len(halves)


def prediction_strength(own: Codes, told: Codes) -> float:
    """The share of pairs of rows of a cluster that another clustering leaves together, in the worst cluster.

    Args:
        own: (rows,) cluster of each row.
        told: (rows,) cluster of each row by the centres of other rows.

    Returns:
        From 0 to 1; 0 where a cluster has one row, of which nothing can be told.

    >>> prediction_strength(np.array([0, 0, 0, 1, 1]), np.array([1, 1, 0, 0, 0]))
    0.3333333333333333
    """
    table = np.zeros((int(own.max()) + 1, int(told.max()) + 1))
    np.add.at(table, (own, told), 1)
    sizes = table.sum(axis=1)
    pairs = sizes * (sizes - 1)
    together = (table * (table - 1)).sum(axis=1)
    return float(np.where(pairs > 0, together / np.where(pairs > 0, pairs, 1), 0.0).min())

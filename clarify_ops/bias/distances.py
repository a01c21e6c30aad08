"""Distances between two distributions over the same outcomes: (..., outcomes) probabilities to (...)."""

from __future__ import annotations

import numpy as np

from clarify_ops.data.counts import Array


def kl(p: Array, q: Array) -> Array:
    """Kullback-Leibler divergence of the first from the second, in nats; infinite where only the first has an outcome."""
    with np.errstate(divide="ignore", invalid="ignore"):
        # An outcome that a never has adds nothing; one that only a has makes the divergence infinite.
        terms = np.where(p == 0, 0.0, p * np.log(p / q))
    return np.asarray(terms.sum(axis=-1))


def js(p: Array, q: Array) -> Array:
    """Jensen-Shannon divergence, in nats."""
    middle = (p + q) / 2
    return 0.5 * (kl(p, middle) + kl(q, middle))


def lp(p: Array, q: Array) -> Array:
    """Euclidean distance."""
    return np.asarray(np.sqrt(((p - q) ** 2).sum(axis=-1)))


def tvd(p: Array, q: Array) -> Array:
    """Total variation distance."""
    return np.asarray(0.5 * np.abs(p - q).sum(axis=-1))


def ks(p: Array, q: Array) -> Array:
    """Largest difference of the probability of an outcome, whose order means nothing."""
    return np.asarray(np.abs(p - q).max(axis=-1))

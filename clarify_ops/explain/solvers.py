"""From the values of coalitions to Shapley values: exactly, or by weighted least squares from a sample."""

from __future__ import annotations

import math
from contextlib import AbstractContextManager
from functools import cache
from typing import Any, Protocol

import numpy as np
import scipy.linalg
from numpy.typing import NDArray
from threadpoolctl import ThreadpoolController

from clarify_ops.explain.coalitions import PairedSample, all_coalitions

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]

PAIRS_PER_PLAYER_FOR_ERRORS = 3

LEAST_CONDITION = 1e-12
"""Reciprocal condition below which a system counts as undetermined; samples of coalitions are either far above or at 0."""

_STRETCH = 4096


class Solver(Protocol):
    """Turns the values of its coalitions into attributions, for all rows and outputs at once."""

    present: Bools
    """(coalitions, players) that must be valued, in this order; neither the empty nor the full one."""
    exact: bool

    def attribute(self, values: Floats, nothing: Floats, everything: Floats) -> tuple[Floats, Floats]:
        """Shapley values and their standard errors.

        Args:
            values: (rows, coalitions, outputs).
            nothing: (rows, outputs) value of the empty coalition.
            everything: (rows, outputs) value of the full coalition.

        Returns:
            Values and standard errors, each (rows, players, outputs). Errors are 0 where nothing was sampled, and NaN
            where the sample cannot tell them.
        """


class ExactSolver:
    r"""Every coalition is known, so each value is the sum that defines it.

    .. math:: \phi_j = \sum_{S \not\ni j} \frac{|S|! (m - |S| - 1)!}{m!} \bigl(v(S \cup j) - v(S)\bigr)

    A player that changes no coalition gets exactly 0, because its differences are exactly 0.
    """

    exact = True

    def __init__(self, players: int) -> None:
        self.players = players
        every = all_coalitions(players)
        self.present = every[1:-1]
        # The first half is without the last player.
        sizes = every[: len(every) // 2].sum(axis=1)
        self._weights = np.array([1 / (players * math.comb(players - 1, size)) for size in range(players)])[sizes]

    def attribute(self, values: Floats, nothing: Floats, everything: Floats) -> tuple[Floats, Floats]:
        """The values by the definition, and standard errors of 0."""
        rows, _, outputs = values.shape
        cube = _by_output(np.concatenate([nothing[:, None], values, everything[:, None]], axis=1))
        phi = np.empty((len(cube), self.players))
        for player in range(self.players):
            # Coalitions are numbered by their bits: splitting at one bit pairs each with and without the player, and
            # leaves the others in the order of the weights.
            split = cube.reshape(len(cube), 2 ** (self.players - 1 - player), 2, 2**player)
            gain = (split[:, :, 1] - split[:, :, 0]).reshape(len(cube), len(self._weights))
            phi[:, player] = _products(gain, self._weights[None])[:, 0]
        shared = np.ascontiguousarray(phi.reshape(rows, outputs, self.players).swapaxes(1, 2))
        return shared, np.zeros_like(shared)


class SampledSolver:
    r"""Kernel SHAP's weighted least squares under the efficiency constraint, from pairs of complements.

    The two equations of a pair differ, under the constraint, in sign only, so that one remains: with
    :math:`\sigma = 2 \cdot 1_S - 1`,

    .. math:: \min_\phi \sum_S w_S \bigl(v(S) - v(\bar S) - \sigma_S^\top \phi\bigr)^2
        \quad \text{subject to} \quad 1^\top \phi = v(N) - v(\emptyset)

    The matrix depends on the coalitions alone: it is factored once, for all rows and outputs. Where the sample does not
    determine the values, the solution nearest to equal shares is taken (`full_rank` is False).

    Standard errors take the draws as what they are, a sample without replacement in proportion to the kernel: with
    :math:`h_S` a pair's leverage and :math:`\pi_S` its chance to be drawn, the pair's share in the error is
    :math:`A^{-1} w_S \tilde\sigma_S e_S / (1 - h_S)`, and its square counts :math:`1 - \pi_S`.

    Source: Lundberg and Lee (2017), arXiv:1705.07874; Covert and Lee (2021), arXiv:2012.01536.
    """

    exact = False

    def __init__(self, sample: PairedSample) -> None:
        pairs, players = sample.members.shape
        self.players = players
        self.present = np.concatenate([sample.members, ~sample.members])
        signs = np.where(sample.members, 1.0, -1.0)
        # Taking out the mean leaves the constraint to the equal shares, and the rest of the problem free of it.
        self._tilt = signs.mean(axis=1)
        self._design = signs - self._tilt[:, None]
        with _one_thread():
            # How a library shares the sums out among threads decides their last digits.
            self._solve, self.full_rank = _solved(self._design, sample.weights)
        self._design = np.ascontiguousarray(self._design.T)
        leverage = np.einsum("jp,jp->p", self._design, self._solve)
        chance = sample.inclusion < 1
        # A drawn pair that alone fixes a direction leaves no residual to judge it by, and a fit with hardly more pairs
        # than unknowns little of one: then there is no error to give.
        self._errors_known = (
            self.full_rank and pairs >= PAIRS_PER_PLAYER_FOR_ERRORS * players and bool((leverage[chance] < 0.99).all())
        )
        kept = np.where(chance & (leverage < 1), 1 - leverage, 1.0)
        self._influence = (self._solve / kept) ** 2 * (1 - sample.inclusion)

    def attribute(self, values: Floats, nothing: Floats, everything: Floats) -> tuple[Floats, Floats]:
        """The weighted least-squares values, and their standard errors where the sample can tell them."""
        pairs, (rows, _, outputs) = len(self._tilt), values.shape
        total = (everything - nothing).reshape(-1, 1)
        rest = _by_output(values[:, :pairs] - values[:, pairs:]) - self._tilt * total
        free = _products(rest, self._solve)
        phi = (total / self.players + free).reshape(rows, outputs, self.players).swapaxes(1, 2)
        if not self._errors_known:
            return phi, np.full_like(phi, np.nan)
        residual = rest - np.einsum("nj,jp->np", free, self._design)
        squares = _products(residual**2, self._influence)
        return phi, np.sqrt(squares).reshape(rows, outputs, self.players).swapaxes(1, 2)


def _solved(design: Floats, weights: Floats) -> tuple[Floats, bool]:
    """(players, pairs): what turns differences into values beside equal shares; and whether they are determined."""
    weighted = design * weights[:, None]
    normal = weighted.T @ design
    # The design is orthogonal to equal shares; a term in their direction makes the matrix definite and, for the same
    # reason, changes no solution.
    normal += np.trace(normal) / len(normal) ** 2
    norm = np.abs(normal).sum(axis=0).max()
    factor, failed = scipy.linalg.lapack.dpotrf(normal, clean=False)
    if not failed and scipy.linalg.lapack.dpocon(factor, norm)[0] > LEAST_CONDITION:
        return np.ascontiguousarray(scipy.linalg.cho_solve((factor, False), weighted.T)), True
    root = np.sqrt(weights)[:, None]
    return np.asarray(np.linalg.pinv(design * root) * root.T, dtype=np.float64), False


def _by_output(values: Floats) -> Floats:
    """(rows, coalitions, outputs) as (rows * outputs, coalitions)."""
    return np.ascontiguousarray(values.swapaxes(1, 2)).reshape(-1, values.shape[1])


def _products(values: Floats, weights: Floats) -> Floats:
    """(rows, sums): of (rows, terms) and (sums, terms), added up in the same order however many rows there are.

    A matrix product would be faster, and its last digits would depend on the number of rows and threads. Beyond the
    length of numpy's buffer this sum would depend on where the buffer ends.
    """
    total: Floats = np.einsum("np,jp->nj", values[:, :_STRETCH], weights[:, :_STRETCH])
    for start in range(_STRETCH, values.shape[1], _STRETCH):
        stretch = slice(start, start + _STRETCH)
        total += np.einsum("np,jp->nj", values[:, stretch], weights[:, stretch])
    return total


def _one_thread() -> AbstractContextManager[Any]:
    """Within it, linear algebra runs in one thread."""
    limit: AbstractContextManager[Any] = _threads().limit(limits=1, user_api="blas")
    return limit


@cache
def _threads() -> ThreadpoolController:
    """Found once; looking for the libraries takes longer than what is done within the limit."""
    return ThreadpoolController()

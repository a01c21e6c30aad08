"""From the values of coalitions to Shapley values: exactly, or by weighted least squares from a sample."""

from __future__ import annotations

import math
from typing import Protocol

import numpy as np
import scipy.linalg
from numpy.typing import NDArray

from clarify_ops.explain.coalitions import PairedSample, all_coalitions

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]

PAIRS_PER_PLAYER_FOR_ERRORS = 3


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
        self.present = all_coalitions(players)[1:-1]
        sizes = all_coalitions(players - 1).sum(axis=1)
        self._weights = np.array([1 / (players * math.comb(players - 1, int(size))) for size in sizes])

    def attribute(self, values: Floats, nothing: Floats, everything: Floats) -> tuple[Floats, Floats]:
        """The values by the definition, and standard errors of 0."""
        rows, _, outputs = values.shape
        cube = np.concatenate([nothing[:, None], values, everything[:, None]], axis=1)
        phi = np.empty((rows, self.players, outputs))
        for player in range(self.players):
            # Coalitions are numbered by their bits: splitting at one bit pairs each with and without the player, and
            # leaves the others in the order of the weights.
            split = cube.reshape(rows, 2 ** (self.players - 1 - player), 2, 2**player, outputs)
            gain = (split[:, :, 1] - split[:, :, 0]).reshape(rows, len(self._weights), outputs)
            phi[:, player] = self._weights @ gain
        return phi, np.zeros_like(phi)


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
        root = np.sqrt(sample.weights)[:, None]
        self.full_rank = bool(np.linalg.matrix_rank(self._design * root) == players - 1)
        if self.full_rank:
            weighted = self._design * sample.weights[:, None]
            normal = weighted.T @ self._design
            # The design is orthogonal to equal shares; a term in their direction makes the matrix definite and, for
            # the same reason, changes no solution.
            normal += np.trace(normal) / players**2
            factor = scipy.linalg.cho_factor(normal)
            self._solve = np.ascontiguousarray(scipy.linalg.cho_solve(factor, weighted.T))
        else:
            self._solve = np.linalg.pinv(self._design * root) * root.T
        leverage = np.einsum("pj,jp->p", self._design, self._solve)
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
        pairs = len(self._tilt)
        total = (everything - nothing)[:, None, :]
        rest = values[:, :pairs] - values[:, pairs:] - self._tilt[:, None] * total
        free = self._solve @ rest
        phi = total / self.players + free
        if not self._errors_known:
            return phi, np.full_like(phi, np.nan)
        residual = rest - self._design @ free
        return phi, np.sqrt(self._influence @ residual**2)

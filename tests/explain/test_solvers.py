"""Both solvers against the textbook: the sum over subsets, and the constrained regression with nothing left out."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from clarify_ops.explain.coalitions import PairedSample, all_coalitions, draw_pairs
from clarify_ops.explain.solvers import ExactSolver, SampledSolver

Floats = NDArray[np.float64]


def some_game(players: int, outputs: int = 2) -> Floats:
    """(2^players, outputs) values of all coalitions."""
    return np.random.default_rng(players).normal(size=(2**players, outputs)).cumsum(axis=0)


def constrained_regression(members: NDArray[np.bool_], weights: Floats, values: Floats, total: Floats) -> Floats:
    """(players, outputs): weighted least squares under sum = total, by the full system of Lagrange."""
    players = members.shape[1]
    x = members.astype(np.float64)
    system = np.zeros((players + 1, players + 1))
    system[:players, :players] = 2 * x.T @ (weights[:, None] * x)
    system[:players, players] = system[players, :players] = 1
    right = np.concatenate([2 * x.T @ (weights[:, None] * values), total[None]])
    return np.linalg.solve(system, right)[:players]


@pytest.mark.parametrize("players", [1, 2, 3, 6])
def test_exact_is_the_regression_over_all_coalitions(players: int) -> None:
    game = some_game(players)
    members = all_coalitions(players)[1:-1]
    sizes = members.sum(axis=1)
    weights = np.array([(players - 1) / (math.comb(players, s) * s * (players - s)) for s in sizes.tolist()])
    expected = constrained_regression(members, weights, game[1:-1] - game[0], game[-1] - game[0])
    phi, errors = ExactSolver(players).attribute(game[None, 1:-1], game[None, 0], game[None, -1])
    np.testing.assert_allclose(phi[0], expected, atol=1e-9)
    assert (errors == 0).all()


@pytest.mark.parametrize(("players", "pairs"), [(5, 8), (8, 20), (8, 60), (11, 100)])
def test_half_of_the_equations_is_the_whole_regression(players: int, pairs: int) -> None:
    game = some_game(players)
    sample = draw_pairs(players, pairs, np.random.default_rng(1))
    solver = SampledSolver(sample)
    values = game[solver.present @ (1 << np.arange(players))]
    expected = constrained_regression(solver.present, np.tile(sample.weights, 2), values - game[0], game[-1] - game[0])
    phi, _ = solver.attribute(values[None], game[None, 0], game[None, -1])
    np.testing.assert_allclose(phi[0], expected, atol=1e-9)


def test_rows_are_solved_as_if_alone() -> None:
    sample = draw_pairs(9, 60, np.random.default_rng(1))
    for solver in (ExactSolver(5), SampledSolver(sample)):
        coalitions, rng = len(solver.present), np.random.default_rng(2)
        values, nothing, everything = (
            rng.normal(size=(4, coalitions, 3)),
            rng.normal(size=(4, 3)),
            rng.normal(size=(4, 3)),
        )
        phi, errors = solver.attribute(values, nothing, everything)
        for row in range(4):
            alone = solver.attribute(values[[row]], nothing[[row]], everything[[row]])
            np.testing.assert_array_equal(alone[0][0], phi[row])
            np.testing.assert_array_equal(alone[1][0], errors[row])


def test_too_few_pairs_give_the_least_norm_beside_equal_shares() -> None:
    game = some_game(8, outputs=1)
    sample = draw_pairs(8, 4, np.random.default_rng(1))
    solver = SampledSolver(sample)
    assert not solver.full_rank
    values = game[solver.present @ (1 << np.arange(8))]
    phi, errors = solver.attribute(values[None], game[None, 0], game[None, -1])
    equal = (game[-1] - game[0]) / 8
    signs = np.where(sample.members, 1.0, -1.0)
    difference = values[:4] - values[4:]
    # The rest, free of the constraint, is solved by numpy's own least-norm solution.
    centred = signs - signs.mean(axis=1, keepdims=True)
    expected = equal + np.linalg.lstsq(centred, difference - signs @ np.tile(equal, (8, 1)), rcond=None)[0]
    np.testing.assert_allclose(phi[0], expected, atol=1e-9)
    assert np.isnan(errors).all()


@pytest.mark.parametrize("pairs_per_player", [3, 6, 20])
def test_standard_errors_match_the_spread_over_draws(pairs_per_player: int) -> None:
    players = 10
    members = all_coalitions(players).astype(np.float64)
    rng = np.random.default_rng(0)
    score = members @ rng.normal(size=players) + 0.4 * np.einsum(
        "ci,ij,cj->c", members, rng.normal(size=(10, 10)), members
    )
    game = np.tanh(score)[:, None]
    phi, errors = [], []
    for seed in range(300):
        solver = SampledSolver(draw_pairs(players, pairs_per_player * players, np.random.default_rng(seed)))
        values = game[solver.present @ (1 << np.arange(players))]
        one, error = solver.attribute(values[None], game[None, 0], game[None, -1])
        phi.append(one[0, :, 0])
        errors.append(error[0, :, 0])
    truth = ExactSolver(players).attribute(game[None, 1:-1], game[None, 0], game[None, -1])[0][0, :, 0]
    known = ~np.isnan(np.array(errors))
    assert known.mean() > 0.95
    covered = np.abs(np.array(phi) - truth)[known] <= 1.96 * np.array(errors)[known]
    # 3000 intervals, ten at a time dependent, so 95 % are known to about 1.3 points; a little wide is allowed.
    assert 0.92 <= covered.mean() <= 0.985


def test_a_pair_that_alone_fixes_a_direction_leaves_no_error_to_give() -> None:
    # Players 3 to 6 always stand together but for one drawn pair, which therefore has no residual.
    together = all_coalitions(4)[1:8]
    members = np.concatenate([together[:, [0, 1, 2, 3, 3, 3, 3]]] * 3)
    members = np.concatenate([members, [[1, 0, 1, 1, 0, 0, 0], [0, 1, 0, 0, 1, 0, 0], [0, 0, 1, 0, 0, 1, 0]]]).astype(
        bool
    )
    pairs = len(members)
    solver = SampledSolver(PairedSample(members, np.ones(pairs), np.full(pairs, 0.1)))
    assert solver.full_rank
    assert pairs >= 3 * 7
    _, errors = solver.attribute(
        np.random.default_rng(0).normal(size=(1, 2 * pairs, 1)), np.zeros((1, 1)), np.ones((1, 1))
    )
    assert np.isnan(errors).all()

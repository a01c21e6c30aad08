"""Shapley values as mean marginal contributions over random orders of the features."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Unpack

import numpy as np
import pandas as pd

from clarify_ops.explain.coalitions import coalition_budget
from clarify_ops.explain.explanation import Explanation
from clarify_ops.explain.game import Bools, Floats, Positions, Predict, Task
from clarify_ops.explain.playing import Play, Playing
from clarify_ops.explain.solvers import ExactSolver
from clarify_ops.explain.stages import BUDGETS_FOR_A_BOUND, Effort

PAIRS_FOR_ERRORS = 5
"""Fewest pairs of orders from which a standard error is taken."""

FIRST_PAIRS = 8
"""Pairs before a standard error is first held against a bound; their number is then doubled until it is met."""


def permutation_shap(
    predict: Predict,
    rows: pd.DataFrame,
    background: pd.DataFrame,
    *,
    num_samples: int | None = None,
    max_standard_error: float | None = None,
    seed: int,
    **playing: Unpack[Playing],
) -> Explanation:
    """Explains rows by how much each feature adds when it joins those before it in a random order.

    An order is always taken with its reverse. Where the features that differ from the background have no more
    coalitions than the budget allows, all are evaluated and the values are exact. Else the values are unbiased for a given
    number of coalitions, and their standard errors come from the spread over the pairs. With a bound, a row is asked about
    until no standard error exceeds it. The result depends on the seed and on each row alone.

    Args:
        predict: The model: feature rows -> (rows, outputs) or (rows,).
        rows: (rows, features) to explain, of any dtypes.
        background: (baseline rows, features), same columns.
        num_samples: Most coalitions per row, at least one pair of orders; None for Clarify's rule, min(2 M + 2048,
            2^M - 2), and for 16 times 2 M + 2048 where a bound is given.
        max_standard_error: What no standard error of a row is to exceed, in the unit explained; None to spend the
            budget.
        seed: Fixes the orders.
        **playing: As for `Play`; the total that progress is told falls where rows need less than their budget.

    Raises:
        BadData: The columns of rows and background differ, or a feature to explain is unknown.
        BadDocument: `num_samples` is below 1, `max_standard_error` is not above 0, or there are not as many labels as outputs.
        BadModel: The outputs are not finite numbers of one shape, or no probabilities where `use_logit` needs them.

    Source: Castro, Gomez and Tejada (2009), doi:10.1016/j.cor.2008.04.004; Mitchell et al. (2022), arXiv:2104.12199, for
    orders with their reverse.
    """
    Effort(num_samples, max_standard_error)
    play = Play(predict, rows, background, **playing)
    budget = max(2, _budget(len(play.explained), num_samples, max_standard_error))
    sets = _sets(play, budget, max_standard_error)
    rounds = _Rounds(play, seed, *play.begin(sum(one.coalitions_left for one in sets)))
    while sets:
        spent = rounds.ask(sets)
        errors = rounds.errors().max(axis=(1, 2), initial=0)
        sets = [left for one in sets if (left := one.after(errors, max_standard_error)) is not None]
        play.expect(spent + sum(one.coalitions_left for one in sets))
    return play.explanation(
        rounds.values,
        rounds.errors(),
        exact=~rounds.sampled,
        coalitions=rounds.coalitions,
        explainer="permutation_shap",
        warnings=_warnings(rounds.errors(), budget, max_standard_error),
    )


def _budget(players: int, num_samples: int | None, max_standard_error: float | None) -> int:
    if num_samples is None and max_standard_error is not None:
        return coalition_budget(players, BUDGETS_FOR_A_BOUND * (2 * players + 2048))
    return coalition_budget(players, num_samples)


def _warnings(errors: Floats, budget: int, max_standard_error: float | None) -> tuple[str, ...]:
    # An error that is not known is within no bound.
    short = 0 if max_standard_error is None else int((~(errors <= max_standard_error).all(axis=(1, 2))).sum())
    if not short:
        return ()
    spent = f"{short} of {len(errors)} rows spent their budget of {budget:,} coalitions"
    return (f"{spent} with a standard error above {max_standard_error:g}.",)


@dataclass(frozen=True, eq=False)
class _Set:
    """Rows that differ from the background in the same features, and what they are asked in this round.

    Attributes:
        rows: Positions of those that are still asked about.
        players: (players,) positions of the features among the explained ones.
        pairs: Pairs of orders in this round; 0 where all coalitions are evaluated.
        before: Pairs in the rounds before.
        most: Pairs within the budget.
    """

    rows: Positions
    players: Positions
    pairs: int
    before: int
    most: int

    @property
    def coalitions_left(self) -> int:
        """That may still be asked about, over all rows."""
        size = len(self.players)
        each = 2 * (size - 1) * (self.most - self.before) if self.most else 2**size - 2
        return len(self.rows) * each

    def after(self, errors: Floats, max_standard_error: float | None) -> _Set | None:
        """What is left to ask; None where the budget is spent or the errors (rows,) are small enough."""
        had = self.before + self.pairs
        if max_standard_error is None or had >= self.most:
            return None
        rows = self.rows[~(errors[self.rows] <= max_standard_error)]
        return replace(self, rows=rows, before=had, pairs=min(had, self.most - had)) if len(rows) else None


def _sets(play: Play, budget: int, max_standard_error: float | None) -> list[_Set]:
    """What the first round asks about."""
    if not play.rows:
        return []
    found = []
    differing, which = np.unique(play.differing, axis=0, return_inverse=True)
    order = np.argsort(which.ravel(), kind="stable")
    ends = np.cumsum(np.bincount(which.ravel(), minlength=len(differing)))[:-1]
    for members, rows in zip(differing, np.split(order, ends), strict=True):
        players = np.flatnonzero(members)
        if len(players) == 0:
            continue
        # An order and its reverse ask for all their coalitions but the two ends.
        most = 0 if 2 ** len(players) - 2 <= budget else max(1, budget // (2 * (len(players) - 1)))
        first = most if max_standard_error is None else min(most, FIRST_PAIRS)
        found.append(_Set(rows, players, first, 0, most))
    return found


@dataclass(frozen=True, eq=False)
class _SetTask(Task):
    """The coalitions of a set.

    Attributes:
        players: As in the set.
        orders: (pairs, players) of positions in `players`; each also stands for its reverse. None where the coalitions
            are all there are.
    """

    players: Positions
    orders: Positions | None


class _Rounds:
    """Means and spreads over pairs of orders, for all rows, as rounds add to them.

    Attributes:
        values: (rows, features, outputs) the means.
        sampled: (rows,) whether they are means of some orders only.
        coalitions: Asked about so far.
    """

    def __init__(self, play: Play, seed: int, expected: Floats, predictions: Floats, bases: Floats) -> None:
        self._play = play
        self._seed = seed % 2**64
        self._nothing, self._everything = bases, predictions
        self.values = np.zeros((play.rows, len(play.explained), len(expected)))
        self.sampled = np.zeros(play.rows, dtype=np.bool_)
        self.coalitions = 0
        self._squares = np.zeros_like(self.values)
        self._pairs = np.zeros(play.rows, dtype=np.int64)

    def ask(self, sets: Sequence[_Set]) -> int:
        """Asks the model one round, and gives the number of coalitions so far."""
        # Tasks are made when it is their turn: the coalitions of all sets at once would not fit.
        for task, positions, known in self._play.model.evaluate(map(self._task, sets)):
            nothing, everything = self._nothing[positions], self._everything[positions]
            where = np.ix_(positions, task.players)
            if task.orders is None:
                self.values[where], _ = ExactSolver(len(task.players)).attribute(known, nothing, everything)
            else:
                self._add(positions, where, _gains(task.orders, known, nothing, everything))
        return self.coalitions

    def errors(self) -> Floats:
        """(rows, features, outputs): standard errors; NaN where there are too few pairs to tell."""
        errors = np.full_like(self.values, np.nan)
        errors[~self.sampled] = 0
        known = self._pairs >= PAIRS_FOR_ERRORS
        pairs = self._pairs[known, None, None]
        errors[known] = np.sqrt(self._squares[known] / (pairs * (pairs - 1)))
        # A feature in which the row does not differ is known without asking.
        errors[~self._play.differing] = 0
        return errors

    def _task(self, one: _Set) -> _SetTask:
        size = len(one.players)
        if one.pairs:
            # The set and the round alone decide, so that other rows and their order do not matter.
            members = np.packbits(np.isin(np.arange(len(self._play.explained)), one.players)).tolist()
            rng = np.random.default_rng([self._seed, size, one.before, *members])
            orders = rng.permuted(np.tile(np.arange(size), (one.pairs, 1)), axis=1)
            known = _chains(orders)
            self.sampled[one.rows] = True
        else:
            orders, known = None, ExactSolver(size).present
        present = np.ones((len(known), self._play.model.hybrids.feature_count), dtype=np.bool_)
        present[:, self._play.explained[one.players]] = known
        self.coalitions += len(known) * len(one.rows)
        return _SetTask(one.rows, present, one.players, orders)

    def _add(self, positions: Positions, where: tuple[Positions, ...], gains: Floats) -> None:
        """Merges the pairs of a round, (rows, pairs, players, outputs), into mean and sum of squares about it."""
        pairs, before = gains.shape[1], self._pairs[positions][:, None, None]
        mean = gains.mean(axis=1)
        moved = mean - self.values[where]
        self._squares[where] += ((gains - mean[:, None]) ** 2).sum(axis=1) + moved**2 * before * pairs / (
            before + pairs
        )
        self.values[where] += moved * pairs / (before + pairs)
        self._pairs[positions] += pairs


def _chains(orders: Positions) -> Bools:
    """(pairs * 2 * (players - 1), players): the coalitions on the way of each order, then of its reverse."""
    pairs, size = orders.shape
    rank = np.argsort(orders, axis=1)
    steps = np.arange(1, size)[:, None]
    forth, back = rank[:, None, :] < steps, (size - 1 - rank)[:, None, :] < steps
    return np.stack([forth, back], axis=1).reshape(pairs * 2 * (size - 1), size)


def _gains(orders: Positions, known: Floats, nothing: Floats, everything: Floats) -> Floats:
    """(rows, pairs, players, outputs): what each player adds when it joins, the mean of an order and its reverse."""
    pairs, size = orders.shape
    rows, _, outputs = known.shape
    ways = known.reshape(rows, pairs, 2, size - 1, outputs)
    ends = (rows, pairs, 2, 1, outputs)
    first = np.broadcast_to(nothing[:, None, None, None, :], ends)
    last = np.broadcast_to(everything[:, None, None, None, :], ends)
    steps = np.diff(np.concatenate([first, ways, last], axis=3), axis=3)
    rank = np.argsort(orders, axis=1)[None, :, :, None]
    forth = np.take_along_axis(steps[:, :, 0], rank, axis=2)
    back = np.take_along_axis(steps[:, :, 1], size - 1 - rank, axis=2)
    mean: Floats = (forth + back) / 2
    return mean

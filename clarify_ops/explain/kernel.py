"""Kernel SHAP: Shapley values of any model, for all rows at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clarify_ops.errors import BadDocument
from clarify_ops.explain.coalitions import coalition_budget, draw_pairs
from clarify_ops.explain.explanation import Explanation
from clarify_ops.explain.game import BATCH_ROWS, Bools, Positions, Predict, Task
from clarify_ops.explain.playing import Play, Progress
from clarify_ops.explain.solvers import ExactSolver, SampledSolver, Solver


def kernel_shap(
    predict: Predict,
    rows: pd.DataFrame,
    background: pd.DataFrame,
    *,
    num_samples: int | None = None,
    seed: int,
    batch_rows: int = BATCH_ROWS,
    features_to_explain: Sequence[str] | None = None,
    use_logit: bool = False,
    labels: Sequence[str] | None = None,
    progress: Progress | None = None,
) -> Explanation:
    """Explains rows by Shapley values, relative to a background.

    A feature in which a row equals every background row gets exactly 0. Where the others have no more coalitions than
    the budget allows, all are evaluated and the values are exact. Otherwise a paired sample is drawn once for each
    number of such features, relabelled at random for each set of them, and solved by least squares; its values carry
    standard errors. The result depends on the seed and on each row alone: not on the order of the rows, not on
    `batch_rows`.

    Args:
        predict: The model: feature rows -> (rows, outputs) or (rows,).
        rows: (rows, features) to explain, of any dtypes.
        background: (baseline rows, features), same columns.
        num_samples: Coalitions per row; None for Clarify's rule, min(2 M + 2048, 2^M - 2).
        seed: Fixes the sampled coalitions.
        batch_rows: Most rows in one prediction call.
        features_to_explain: Names of the features that play; the others always keep the row's value. None for all.
        use_logit: Explain the log-odds of the outputs, which must then be probabilities.
        labels: Names of the outputs; None for label0, label1, ...
        progress: Told how far the predictions are.

    Raises:
        BadData: The columns of rows and background differ, or a feature to explain is unknown.
        BadDocument: `num_samples` is below 1, or there are not as many labels as outputs.
        BadModel: The outputs are not finite numbers of one shape, or no probabilities where `use_logit` needs them.

    Source: Lundberg and Lee (2017), arXiv:1705.07874; SageMaker Clarify's defaults.
    """
    if num_samples is not None and num_samples < 1:
        raise BadDocument(f"num_samples is {num_samples}, and must be at least 1.")
    play = Play(
        predict,
        rows,
        background,
        features_to_explain=features_to_explain,
        use_logit=use_logit,
        labels=labels,
        batch_rows=batch_rows,
        progress=progress,
    )
    plan = _Plan(play, coalition_budget(len(play.explained), num_samples), seed)
    expected, predictions, base = play.begin(plan.coalitions)
    values = np.zeros((len(rows), len(play.explained), len(expected)))
    errors = np.zeros_like(values)
    for task, positions, known in play.model.evaluate(plan.tasks()):
        phi, error = task.solver.attribute(known, base[positions], predictions[positions])
        where = np.ix_(positions, task.players)
        values[where], errors[where] = phi, error
    return play.explanation(
        values,
        errors,
        exact=plan.exact,
        coalitions=plan.coalitions,
        explainer="kernel_shap",
        warnings=plan.warnings(),
    )


@dataclass(frozen=True, eq=False)
class _SetTask(Task):
    """Rows that differ from the background in the same features.

    Attributes:
        players: (players,) positions of those features among the explained ones, in the order of the solver.
        solver: Shared by all sets of this size.
    """

    players: Positions
    solver: Solver


class _Plan:
    """Which coalitions are evaluated for which rows."""

    def __init__(self, play: Play, budget: int, seed: int) -> None:
        self._differing = play.differing
        self._explained = play.explained
        self._features = play.model.hybrids.feature_count
        self._budget = budget
        self._seed = seed % 2**64
        self._solvers: dict[int, Solver] = {}
        self._rows_of_size = Counter(self._differing.sum(axis=1).tolist())
        for size in self._rows_of_size:
            if size:
                self._solvers[size] = self._solver(size)
        sampled = [size for size, solver in self._solvers.items() if not solver.exact]
        self.exact: NDArray[np.bool_] = ~np.isin(self._differing.sum(axis=1), sampled)
        self.coalitions = sum(
            len(self._solvers[size].present) * rows for size, rows in self._rows_of_size.items() if size
        )

    def tasks(self) -> Iterator[_SetTask]:
        """One task a set of differing features, made when it is its turn."""
        if not len(self._differing):
            return
        sets, which = np.unique(self._differing, axis=0, return_inverse=True)
        order = np.argsort(which.ravel(), kind="stable")
        ends = np.cumsum(np.bincount(which.ravel(), minlength=len(sets)))[:-1]
        for differing, rows in zip(sets, np.split(order, ends), strict=True):
            players = np.flatnonzero(differing)
            if len(players) == 0:
                continue
            solver = self._solvers[len(players)]
            if not solver.exact:
                # The draw is the same for all sets of one size; an order of its own makes it a draw of its own.
                players = self._generator(len(players), differing).permutation(players)
            present = np.ones((len(solver.present), self._features), dtype=np.bool_)
            present[:, self._explained[players]] = solver.present
            yield _SetTask(rows, present, players, solver)

    def warnings(self) -> Iterator[str]:
        """What the budget did not suffice for."""
        for size, solver in sorted(self._solvers.items()):
            if isinstance(solver, SampledSolver) and not solver.full_rank:
                yield (
                    f"{self._rows_of_size[size]} rows differ from the baseline in {size} features, and "
                    f"{len(solver.present)} coalitions do not determine that many attributions: those nearest to equal "
                    f"shares are given; num_samples of {4 * size} or more would do."
                )

    def _solver(self, size: int) -> Solver:
        # A coalition without its complement is never evaluated: the least budget is one pair.
        budget = max(2, self._budget)
        if 2**size - 2 <= budget:
            return ExactSolver(size)
        return SampledSolver(draw_pairs(size, budget // 2, self._generator(size)))

    def _generator(self, size: int, differing: Bools | None = None) -> np.random.Generator:
        """Depends on the seed, the size and the set alone, so that other rows and their order do not matter."""
        bits = [] if differing is None else np.packbits(differing).tolist()
        return np.random.default_rng([self._seed, size, *bits])

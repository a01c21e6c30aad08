"""Kernel SHAP: Shapley values of any model, for all rows at once or batch after batch."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Unpack

import numpy as np
import pandas as pd

from clarify_ops.errors import BadData
from clarify_ops.explain.explanation import Explanation
from clarify_ops.explain.game import Bools, Floats, Positions, Predict, Task
from clarify_ops.explain.playing import Play, Playing
from clarify_ops.explain.solvers import SampledSolver
from clarify_ops.explain.stages import Effort, Stage, stages


def kernel_shap(
    predict: Predict,
    rows: pd.DataFrame,
    background: pd.DataFrame,
    *,
    num_samples: int | None = None,
    max_standard_error: float | None = None,
    max_samples: int | None = None,
    seed: int,
    **playing: Unpack[Playing],
) -> Explanation:
    """Explains rows by Shapley values, relative to a background.

    A feature in which a row equals every background row gets exactly 0. Where the others have no more coalitions than
    the budget allows, all are evaluated and the values are exact. Otherwise a paired sample is drawn once for each
    number of such features, relabelled at random for each set of them, and solved by least squares; its values carry
    standard errors. With a bound, a row's sample is doubled, keeping what is known, until no standard error exceeds it.
    The result depends on the seed and on each row alone: not on the order of the rows, not on `batch_rows`, not on the
    number of threads, as far as that is true of the model.

    Args:
        predict: The model: feature rows -> (rows, outputs) or (rows,).
        rows: (rows, features) to explain, of any dtypes.
        background: (baseline rows, features), same columns.
        num_samples: Coalitions per row; None for Clarify's rule, min(2 M + 2048, 2^M - 2). With a bound, about as many
            are asked about first.
        max_standard_error: What no standard error of a row is to exceed, in the unit explained; None to spend
            `num_samples`.
        max_samples: Coalitions that a row may cost with a bound; None for 16 times Clarify's rule.
        seed: Fixes the sampled coalitions.
        **playing: As for `Play`; the total that progress is told grows where rows need more than the first stage.

    Raises:
        BadData: The columns of rows and background differ, or a feature to explain is unknown.
        BadDocument: A budget is below 1, the bound is not above 0, or there are not as many labels as outputs.
        BadModel: The outputs are not finite numbers of one shape, or no probabilities where `use_logit` needs them.

    Source: Lundberg and Lee (2017), arXiv:1705.07874; SageMaker Clarify's defaults.
    """
    effort = Effort(num_samples, max_standard_error, max_samples)
    return KernelShap(predict, background, effort=effort, seed=seed, **playing).explain(rows)


class KernelShap:
    """Kernel SHAP against one background, for as many batches of rows as come; samples are drawn and factored once.

    The values are those that `kernel_shap` gives of all rows together, and memory follows the largest batch.

    Args:
        predict: As for `kernel_shap`, and so are all others.
        background: (baseline rows, features).
        effort: How much may be asked about a row.
        seed: Fixes the sampled coalitions.
        **playing: As for `Play`.
    """

    def __init__(
        self, predict: Predict, background: pd.DataFrame, *, effort: Effort, seed: int, **playing: Unpack[Playing]
    ) -> None:
        chosen = playing.get("features_to_explain")
        self._predict = predict
        self._background = background
        self._bound = effort.max_standard_error
        self._draws = _Draws(effort.budgets(background.shape[1] if chosen is None else len(set(chosen))), seed)
        self._playing = playing
        self._kinds: pd.Series[type] | None = None

    def explain(self, rows: pd.DataFrame) -> Explanation:
        """Explains (rows, features); what it counts is of these rows.

        Raises:
            BadData: The rows have other columns or dtypes than those before; or as for `kernel_shap`.
            BadDocument: As for `kernel_shap`.
            BadModel: As for `kernel_shap`.
        """
        self._kinds = rows.dtypes if self._kinds is None else self._kinds
        if not rows.dtypes.equals(self._kinds):
            raise BadData("A batch of the rows has other columns or kinds of values than the first.")
        return _Rounds(Play(self._predict, rows, self._background, **self._playing), self._draws, self._bound).run()


class _Draws:
    """The stages for each number of differing features, and the generators behind them."""

    def __init__(self, budgets: Sequence[int], seed: int) -> None:
        self._budgets = budgets
        self._seed = seed % 2**64
        self._known: dict[int, list[Stage]] = {}

    def of(self, size: int) -> list[Stage]:
        if size not in self._known:
            self._known[size] = stages(size, self._budgets, self.generator(size))
        return self._known[size]

    def generator(self, size: int, differing: Bools | None = None) -> np.random.Generator:
        """Depends on the seed, the size and the set alone, so that other rows and their order do not matter."""
        bits = [] if differing is None else np.packbits(differing).tolist()
        return np.random.default_rng([self._seed, size, *bits])


@dataclass(frozen=True, eq=False)
class _SetTask(Task):
    """Rows that differ from the background in the same features, and have come to the same stage.

    Attributes:
        players: (players,) positions of those features among the explained ones, in the order of the solver.
        stage: Its number.
        known: (rows, coalitions, outputs) values that earlier stages asked for; None in the first.
    """

    players: Positions
    stage: int = 0
    known: Floats | None = None


class _Rounds:
    """The rows of one batch on their way through the stages."""

    def __init__(self, play: Play, draws: _Draws, bound: float | None) -> None:
        self._play = play
        self._draws = draws
        self._bound = bound
        self._waiting: deque[_SetTask] = deque()
        sizes = Counter(play.differing.sum(axis=1).tolist())
        self._coalitions = sum(len(draws.of(size)[0].asked) * rows for size, rows in sizes.items() if size)
        self._exact = np.ones(play.rows, dtype=np.bool_)
        self._undetermined: Counter[tuple[int, int]] = Counter()
        self._missed: Counter[int] = Counter()

    def run(self) -> Explanation:
        expected, predictions, base = self._play.begin(self._coalitions)
        values = np.zeros((self._play.rows, len(self._play.explained), len(expected)))
        errors = np.zeros_like(values)
        first = self._first()
        going = True
        while going:
            for task, positions, fresh in self._play.model.evaluate(self._next(first)):
                known = fresh
                if task.known is not None:
                    known = np.concatenate([task.known[np.searchsorted(task.rows, positions)], fresh], axis=1)
                stage = self._draws.of(len(task.players))[task.stage]
                phi, error = stage.solver.attribute(stage.in_order(known), base[positions], predictions[positions])
                where = np.ix_(positions, task.players)
                values[where], errors[where] = phi, error
                self._go_on(task, positions, known, error)
            going = bool(self._waiting)
        return self._play.explanation(
            values,
            errors,
            exact=self._exact,
            coalitions=self._coalitions,
            explainer="kernel_shap",
            warnings=self._warnings(),
        )

    def _next(self, first: Iterator[_SetTask]) -> Iterator[_SetTask]:
        """Rows that have begun come before others, so that few of them wait with what is known."""
        while True:
            if self._waiting:
                yield self._waiting.popleft()
            elif (task := next(first, None)) is not None:
                yield task
            else:
                return

    def _first(self) -> Iterator[_SetTask]:
        """One task a set of differing features, made when it is its turn."""
        differing = self._play.differing
        if not len(differing):
            return
        _, heads, which = np.unique(np.packbits(differing, axis=1), axis=0, return_index=True, return_inverse=True)
        order = np.argsort(which.ravel(), kind="stable")
        ends = np.cumsum(np.bincount(which.ravel(), minlength=len(heads)))[:-1]
        for head, rows in zip(heads, np.split(order, ends), strict=True):
            players = np.flatnonzero(differing[head])
            if len(players) == 0:
                continue
            stage = self._draws.of(len(players))[0]
            if not stage.solver.exact:
                # The draw is the same for all sets of one size; an order of its own makes it a draw of its own.
                players = self._draws.generator(len(players), differing[head]).permutation(players)
            yield _SetTask(rows, self._present(stage, players), players)

    def _present(self, stage: Stage, players: Positions) -> Bools:
        present = np.ones((len(stage.asked), self._play.model.hybrids.feature_count), dtype=np.bool_)
        present[:, self._play.explained[players]] = stage.asked
        return present

    def _go_on(self, task: _SetTask, positions: Positions, known: Floats, errors: Floats) -> None:
        """Sends rows whose standard errors are too large to the next stage, and notes where the others ended."""
        size = len(task.players)
        every = self._draws.of(size)
        solver = every[task.stage].solver
        # An error that is not known is not below anything.
        short: Bools = np.zeros(len(positions), dtype=np.bool_)
        if self._bound is not None:
            short = np.asarray(~(errors <= self._bound).all(axis=(1, 2)))
        if short.any() and task.stage + 1 < len(every):
            stage = every[task.stage + 1]
            self._coalitions += int(short.sum()) * len(stage.asked)
            self._play.expect(self._coalitions)
            present = self._present(stage, task.players)
            self._waiting.append(_SetTask(positions[short], present, task.players, task.stage + 1, known[short]))
            positions, short = positions[~short], np.zeros(0, dtype=np.bool_)
        self._exact[positions] = solver.exact
        self._missed[known.shape[1]] += int(short.sum())
        if isinstance(solver, SampledSolver) and not solver.full_rank:
            self._undetermined[size, known.shape[1]] += len(positions)

    def _warnings(self) -> Iterator[str]:
        """What the budget did not suffice for."""
        for (size, coalitions), rows in sorted(self._undetermined.items()):
            if rows:
                yield (
                    f"{rows} rows differ from the baseline in {size} features, and {coalitions} coalitions do not "
                    f"determine that many attributions: those nearest to equal shares are given; num_samples of "
                    f"{4 * size} or more would do."
                )
        missed = sum(self._missed.values())
        if missed:
            yield (
                f"{missed} rows had a standard error above {self._bound:g} when {max(self._missed):,} coalitions were "
                f"spent on them."
            )

"""Kernel SHAP: Shapley values of any model, for all rows at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clarify_ops.errors import BadData, BadDocument, BadModel, nearest
from clarify_ops.explain.coalitions import coalition_budget, draw_pairs
from clarify_ops.explain.explanation import AS_GIVEN, Explanation, baseline_note, output_names
from clarify_ops.explain.game import BATCH_ROWS, Bools, Floats, MaskedModel, Positions, Predict, Task, checked_outputs
from clarify_ops.explain.solvers import ExactSolver, SampledSolver, Solver

Progress = Callable[[int, int], None]
"""Told the rows predicted so far and the total to predict."""

PROBABILITY_MARGIN = 1e-7
"""Probabilities are kept this far from 0 and 1 before they become log-odds: what a float32 model can still tell from 1."""


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
    explained = _explained(rows, features_to_explain)
    log_odds = _LogOdds(predict) if use_logit else None
    report = _Report(progress)
    model = MaskedModel(log_odds or predict, rows, background, batch_rows=batch_rows, on_call=report.so_far)
    plan = _Plan(model.hybrids.differing(), explained, coalition_budget(len(explained), num_samples), seed)
    all_explained = len(explained) == rows.shape[1]
    asked = plan.coalitions + (0 if all_explained else len(rows))
    report.total = len(rows) + len(background) * (1 + asked)

    outputs_of_background = model.predict_background()
    expected = outputs_of_background.mean(axis=0)
    predictions = model.predict_rows()
    base = np.tile(expected, (len(rows), 1)) if all_explained else _bases(model, explained, len(rows), len(expected))
    values = np.zeros((len(rows), len(explained), len(expected)))
    errors = np.zeros_like(values)
    for task, positions, known in model.evaluate(plan.tasks()):
        phi, error = task.solver.attribute(known, base[positions], predictions[positions])
        where = np.ix_(positions, task.players)
        values[where], errors[where] = phi, error
    return Explanation(
        features=tuple(str(rows.columns[position]) for position in explained),
        outputs=output_names(len(expected), None if labels is None else tuple(labels)),
        values=values,
        standard_errors=errors,
        expected_value=expected,
        base_values=base,
        predictions=predictions,
        exact=plan.exact,
        coalitions=plan.coalitions,
        prediction_rows=model.predicted_rows,
        prediction_calls=model.calls,
        log_odds=use_logit,
        warnings=(*plan.warnings(), *(log_odds.warnings() if log_odds else ())),
        unit="log-odds" if use_logit else AS_GIVEN,
        background=baseline_note(len(background)),
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

    def __init__(self, differing: Bools, explained: Positions, budget: int, seed: int) -> None:
        self._differing = differing[:, explained]
        self._explained = explained
        self._features = differing.shape[1]
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


class _LogOdds:
    """A model whose probabilities are given as log-odds, and the count of those that had to be moved off 0 and 1."""

    def __init__(self, predict: Predict) -> None:
        self._predict = predict
        self._moved = 0

    def __call__(self, frame: pd.DataFrame) -> Floats:
        outputs = checked_outputs(self._predict(frame), len(frame))
        if ((outputs < 0) | (outputs > 1)).any():
            raise BadModel(
                "use_logit needs probabilities, and the model gave outputs outside 0 to 1.", "Drop use_logit."
            )
        kept = np.clip(outputs, PROBABILITY_MARGIN, 1 - PROBABILITY_MARGIN)
        self._moved += int((kept != outputs).sum())
        return np.asarray(np.log(kept) - np.log1p(-kept), dtype=np.float64)

    def warnings(self) -> Iterator[str]:
        if self._moved:
            yield (
                f"{self._moved} probabilities were so near 0 or 1 that their log-odds were taken at a distance of "
                f"{PROBABILITY_MARGIN:g}: the sizes of these attributions follow from that choice."
            )


class _Report:
    """Adds the total, known only after the plan, to the count of predicted rows."""

    def __init__(self, progress: Progress | None) -> None:
        self._progress = progress
        self.total = 0

    def so_far(self, predicted: int) -> None:
        if self._progress is not None:
            self._progress(predicted, self.total)


def _explained(rows: pd.DataFrame, names: Sequence[str] | None) -> Positions:
    if names is None:
        return np.arange(rows.shape[1])
    known = [str(name) for name in rows.columns]
    if not names:
        raise BadData("features_to_explain is empty.", "Leave it out to explain all features.")
    for name in names:
        if name not in known:
            raise BadData(f"features_to_explain names {name!r}, which is no feature.", nearest(name, known))
    return np.array(sorted({known.index(name) for name in names}), dtype=np.intp)


def _bases(model: MaskedModel, explained: Positions, rows: int, outputs: int) -> Floats:
    """(rows, outputs): the value of no explained feature, where the others keep the row's value."""
    present = np.ones((1, model.hybrids.feature_count), dtype=np.bool_)
    present[:, explained] = False
    bases = np.empty((rows, outputs))
    for _, positions, values in model.evaluate([Task(np.arange(rows), present)]):
        bases[positions] = values[:, 0]
    return bases

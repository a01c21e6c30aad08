"""Permutation feature importance: how much worse a model does when the values of a feature change rows."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from clarify_ops.errors import BadData, BadDocument
from clarify_ops.explain.forced import Change, ForcedModel, in_groups
from clarify_ops.explain.game import BATCH_ROWS, Bools, Floats, Positions, Predict
from clarify_ops.explain.scores import Custom, Score, score_named, truth_of
from clarify_ops.measures import Interval


@dataclass(frozen=True, eq=False)
class FeatureImportance:
    """Permutation feature importance of one set of rows.

    Attributes:
        features: Names of the features, or of the groups of features.
        metric: Its name.
        larger_is_better: Its direction.
        baseline: The metric on the rows as they are; None where it is undefined.
        losses: (features, repeats) how much worse the metric is with the feature permuted, whatever its direction: above 0
            where the model needs the feature. NaN where the metric is undefined.
        reason: Why the metric is undefined; empty where it is not.
        rows: Rows judged.
        seed: That fixes the permutations.
        prediction_rows: Rows that the model was asked for.
        prediction_calls: Calls in which it was asked.
        cohorts: The same, judged on some of the rows alone.
    """

    features: tuple[str, ...]
    metric: str
    larger_is_better: bool
    baseline: float | None
    losses: Floats
    reason: str
    rows: int
    seed: int
    prediction_rows: int
    prediction_calls: int
    cohorts: Mapping[str, FeatureImportance] = field(default_factory=dict)

    @property
    def importances(self) -> Floats:
        """(features,) mean loss over the repeats."""
        return np.asarray(self.losses.mean(axis=1), dtype=np.float64)

    @property
    def standard_errors(self) -> Floats:
        """(features,) of the importances, from the spread over repeats; NaN of a single one.

        They tell how far the drawn permutations are from all; not how far these rows are from others.
        """
        repeats = self.losses.shape[1]
        if repeats < 2:
            return np.full(len(self.features), np.nan)
        return np.asarray(self.losses.std(axis=1, ddof=1) / math.sqrt(repeats), dtype=np.float64)

    def interval(self, feature: str, level: float = 0.95) -> Interval | None:
        """Student's t interval of an importance over permutations; None of a single repeat or an undefined metric."""
        from scipy import stats

        place = self.features.index(feature)
        mean, error = float(self.importances[place]), float(self.standard_errors[place])
        if math.isnan(mean) or math.isnan(error):
            return None
        half = float(stats.t.ppf(0.5 + level / 2, self.losses.shape[1] - 1)) * error
        return Interval(mean - half, mean + half, level, "Student's t over permutations")

    def ranked(self) -> tuple[str, ...]:
        """The features, the most important first; equally important ones in their order."""
        order = np.argsort(-self.importances, kind="stable")
        return tuple(self.features[place] for place in order)

    def to_json(self) -> dict[str, Any]:
        """JSON types only; what is undefined is null."""
        return {
            "features": list(self.features),
            "metric": self.metric,
            "larger_is_better": self.larger_is_better,
            "baseline": self.baseline,
            "losses": _nullable(self.losses),
            "importances": _nullable(self.importances),
            "standard_errors": _nullable(self.standard_errors),
            "reason": self.reason,
            "rows": self.rows,
            "seed": self.seed,
            "prediction_rows": self.prediction_rows,
            "prediction_calls": self.prediction_calls,
            "cohorts": {name: one.to_json() for name, one in self.cohorts.items()},
        }


def permutation_importance(
    predict: Predict,
    rows: pd.DataFrame,
    labels: ArrayLike,
    *,
    metric: str | Custom = "auc",
    larger_is_better: bool | None = None,
    classes: Sequence[Any] | None = None,
    weights: ArrayLike | None = None,
    features: Sequence[str] | None = None,
    groups: Mapping[str, Sequence[str]] | None = None,
    cohorts: Mapping[str, ArrayLike] | None = None,
    repeats: int = 5,
    seed: int,
    batch_rows: int = BATCH_ROWS,
    progress: Callable[[int, int], None] | None = None,
) -> FeatureImportance:
    """How much worse a metric gets when the values of a feature are dealt out to the rows anew.

    All features and repeats are asked about together. A row that is dealt its own value keeps its prediction. The
    permutations of a feature depend on the seed and its place alone, not on what else is asked.

    Args:
        predict: The model: feature rows -> (rows,) or (rows, outputs). Of two classes it gives the score of the positive
            one, or of both; of more one output a class.
        rows: (rows, features), of any dtypes.
        labels: (rows,) observed.
        metric: accuracy, auc, log_loss, r2, mse, mae, or a function of labels, scores ((rows,), or (rows, outputs) where
            there are several) and weights (None, or (rows,)).
        larger_is_better: Direction of a function; None for True.
        classes: The classes in the order of the outputs, or (negative, positive); None for 0, 1, ...
        weights: (rows,) of the rows in the metric; None for equal ones.
        features: Those to permute; None for all.
        groups: By name, features that are dealt out together, each in one permutation of whole rows, instead of `features`.
        cohorts: By name, (rows,) True for rows on which the metric is taken by themselves too. Values are still dealt out
            among all rows, so this costs no prediction.
        repeats: Permutations of each feature.
        seed: Fixes the permutations.
        batch_rows: Most rows in one prediction call.
        progress: Told the permutations done and their number.

    Raises:
        BadData: A feature is unknown, or labels, weights or a cohort do not fit the rows.
        BadDocument: The metric is unknown, `repeats` is below 1, or both features and groups are given.
        BadModel: The outputs are not finite numbers of one shape, or too many for the metric.

    Source: Breiman (2001), doi:10.1023/A:1010933404324; Fisher, Rudin and Dominici (2019), arXiv:1801.01489.
    """
    if repeats < 1:
        raise BadDocument(f"repeats is {repeats}, and must be at least 1.")
    named = _named(rows, features, groups)
    score = score_named(metric, larger_is_better=larger_is_better)
    observed = _fitting(labels, len(rows), "labels")
    model = ForcedModel(predict, rows, batch_rows=batch_rows)
    known = model.unforced()
    truth = truth_of(score, observed, known.shape[1], classes)
    weighed = None if weights is None else _weights(weights, len(rows))
    judges = {name: _Judge(score, truth, weighed, chosen) for name, chosen in _chosen(cohorts, len(rows)).items()}
    baselines = {name: judge.value(known) for name, judge in judges.items()}
    losses = {name: np.full((len(named), repeats), np.nan) for name in judges}
    wanted = [(place, repeat) for place in range(len(named)) for repeat in range(repeats)]
    members = list(named.values())
    done = 0
    for group in in_groups(wanted, len(rows)):
        changes = [_permuted(members[place], repeat, seed, len(rows)) for place, repeat in group]
        for (place, repeat), outputs in zip(group, model.outputs(changes, known), strict=True):
            for name, judge in judges.items():
                losses[name][place, repeat] = judge.loss(baselines[name], outputs)
        done += len(group)
        if progress is not None:
            progress(done, len(wanted))
    found = {
        name: FeatureImportance(
            features=tuple(named),
            metric=score.name,
            larger_is_better=score.larger_is_better,
            baseline=baselines[name],
            losses=losses[name],
            reason="" if baselines[name] is not None else judge.reason,
            rows=judge.rows,
            seed=seed,
            prediction_rows=model.predicted_rows,
            prediction_calls=model.calls,
        )
        for name, judge in judges.items()
    }
    return replace(found.pop(ALL_ROWS), cohorts=found)


ALL_ROWS = ""


@dataclass(frozen=True, eq=False)
class _Judge:
    """A metric on some rows."""

    score: Score
    truth: NDArray[Any]
    weights: Floats | None
    chosen: Bools | None

    @property
    def rows(self) -> int:
        return len(self.truth) if self.chosen is None else int(self.chosen.sum())

    @property
    def reason(self) -> str:
        return self.score.undefined if self.rows else "The cohort has no rows."

    def value(self, outputs: Floats) -> float | None:
        if self.rows == 0:
            return None
        if self.chosen is None:
            return self.score.compute(self.truth, outputs, self.weights)
        weights = None if self.weights is None else self.weights[self.chosen]
        if weights is not None and not weights.any():
            return None
        return self.score.compute(self.truth[self.chosen], outputs[self.chosen], weights)

    def loss(self, baseline: float | None, outputs: Floats) -> float:
        """How much worse than the baseline; NaN where one of the two is undefined."""
        value = None if baseline is None else self.value(outputs)
        if baseline is None or value is None:
            return math.nan
        return baseline - value if self.score.larger_is_better else value - baseline


def permutation(seed: int, features: Sequence[int], repeat: int, rows: int) -> Positions:
    """(rows,) which row each row takes its values from, for the features at these places and one of the repeats."""
    return np.random.default_rng([seed, *features, repeat]).permutation(rows)


def _permuted(features: Sequence[int], repeat: int, seed: int, rows: int) -> Change:
    dealt = permutation(seed, features, repeat, rows)
    return Change(dict.fromkeys(features, dealt))


def _named(
    rows: pd.DataFrame, features: Sequence[str] | None, groups: Mapping[str, Sequence[str]] | None
) -> dict[str, list[int]]:
    """Places of the features that are permuted together, by name."""
    if features is not None and groups is not None:
        raise BadDocument("Both features and groups of features are given.", "Make a feature a group of its own.")
    names = list(map(str, rows.columns))
    wanted = groups if groups is not None else {one: [one] for one in (names if features is None else features)}
    for name, members in wanted.items():
        if not members:
            raise BadDocument(f"The group of features {name!r} is empty.")
        for member in members:
            if member not in names:
                raise BadData.unknown_column(member, names, "Permutation feature importance")
    return {name: [names.index(member) for member in dict.fromkeys(members)] for name, members in wanted.items()}


def _fitting(given: ArrayLike, rows: int, what: str) -> NDArray[Any]:
    values = np.asarray(given)
    if values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    if values.shape != (rows,):
        raise BadData(f"The {what} are of shape {values.shape}, and there are {rows} rows.")
    return values


def _weights(given: ArrayLike, rows: int) -> Floats:
    try:
        weights = _fitting(given, rows, "weights").astype(np.float64)
    except (TypeError, ValueError) as error:
        raise BadData("The weights are not numbers.") from error
    if not np.isfinite(weights).all() or (weights < 0).any() or not weights.any():
        raise BadData("The weights must be finite, not negative, and not all 0.")
    return weights


def _chosen(cohorts: Mapping[str, ArrayLike] | None, rows: int) -> dict[str, Bools | None]:
    chosen: dict[str, Bools | None] = {ALL_ROWS: None}
    for name, given in (cohorts or {}).items():
        members = _fitting(given, rows, f"members of the cohort {name!r}")
        if members.dtype != np.bool_:
            raise BadData(f"The cohort {name!r} does not say True or False of each row.")
        if not name:
            raise BadData("A cohort has no name.")
        chosen[name] = members
    return chosen


def _nullable(values: Floats) -> list[Any]:
    filled = values.astype(object)
    filled[~np.isfinite(values)] = None
    return list(filled.tolist())

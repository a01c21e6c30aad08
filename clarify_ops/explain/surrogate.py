"""Global surrogates: simple models trained to say what another model says, and how well they do."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clarify_ops.errors import BadData, BadDocument, BadModel, MissingExtra, nearest
from clarify_ops.explain.explanation import output_names
from clarify_ops.explain.fidelity import LEVEL, Fidelity, agreement, fidelity_of_numbers
from clarify_ops.explain.game import checked_outputs
from clarify_ops.explain.playing import PROBABILITY_MARGIN
from clarify_ops.explain.surrogate_columns import SurrogateColumns, surrogate_columns
from clarify_ops.explain.surrogate_rules import rules
from clarify_ops.measures import Measure

Floats = NDArray[np.float64]
Kind = Literal["lightgbm", "linear", "sgd", "decision_tree"]
Target = Literal["values", "log_odds", "labels"]
Answer = Callable[[pd.DataFrame], Any]

FAITHFUL = 0.8
"""Fidelity below which a surrogate tells little of the model, and says so."""


@dataclass(frozen=True, eq=False)
class Surrogate:
    """A simple model that repeats another, what it goes by, and how well it repeats.

    Attributes:
        kind: Which simple model.
        target: What it repeats: the outputs, their log-odds, or the labels.
        features: Names of the raw features.
        outputs: Names of the outputs or classes.
        importances: (features,) share of each feature in what the surrogate goes by; sums to 1, or 0 of a constant model.
        importance_of: What is shared out.
        fidelity: On the rows held out.
        warnings: What a reader must know before trusting the importances.
        rules: The tree as text; empty for other kinds.
        trained_rows: Rows that it was trained on.
        seed: That fixed them.
        answer: (rows, features) of raw values to what the surrogate says, in the form of the target: (rows, outputs), or
            (rows,) labels.
    """

    kind: Kind
    target: Target
    features: tuple[str, ...]
    outputs: tuple[str, ...]
    importances: Floats
    importance_of: str
    fidelity: Fidelity
    warnings: tuple[str, ...]
    rules: str
    trained_rows: int
    seed: int
    answer: Callable[[pd.DataFrame], NDArray[Any]]

    def measures(self, level: float = LEVEL) -> tuple[Measure, ...]:
        """What a policy can bound of its fidelity, with an interval of that level."""
        return self.fidelity.measures(level)

    def to_json(self) -> dict[str, Any]:
        """JSON types only, without the model itself."""
        return {
            "kind": self.kind,
            "target": self.target,
            "features": list(self.features),
            "outputs": list(self.outputs),
            "importances": self.importances.tolist(),
            "importance_of": self.importance_of,
            "fidelity": self.fidelity.to_json(),
            "warnings": list(self.warnings),
            "rules": self.rules,
            "trained_rows": self.trained_rows,
            "seed": self.seed,
        }


def fit_surrogate(
    predict: Answer,
    rows: pd.DataFrame,
    *,
    kind: Kind = "lightgbm",
    target: Target = "values",
    classes: Sequence[Any] | None = None,
    categorical: Collection[str] = (),
    held_out: float = 0.25,
    max_depth: int = 4,
    labels: Sequence[str] | None = None,
    smallest_group: int = 10,
    seed: int,
) -> Surrogate:
    """Trains a simple model on what another says of rows, and judges it on rows that it has not seen.

    Numbers are standardised and gaps filled for the models of weighted sums; trees get them as they are.
    Outputs that are probabilities, or their log-odds, stand for labels as well: the largest, or one half.

    Args:
        predict: The model: feature rows -> (rows,) or (rows, outputs) of numbers; for labels also (rows,) of labels.
        rows: (rows, features), of any dtypes, with gaps.
        kind: lightgbm, linear (ridge), sgd or decision_tree.
        target: values: the outputs as they are; log_odds: of outputs that are probabilities; labels: of (rows,) answers
            the answers themselves, of several outputs the class of the largest.
        classes: Names of the classes, in the order of several outputs, where the target is labels.
        categorical: Features whose numbers are codes.
        held_out: Share of the rows to judge on.
        max_depth: Of a decision tree.
        labels: Names of the outputs; None for label0, label1, ...
        smallest_group: Leaves of a decision tree with fewer rows are not told in its rules.
        seed: Fixes the rows held out, and what the surrogate draws.

    Raises:
        BadData: There are fewer than 4 rows, or a feature holds infinite values.
        BadDocument: A setting is out of its range.
        BadModel: The outputs do not fit the target.
        MissingExtra: LightGBM is not installed.

    Source: Craven and Shavlik (1995), "Extracting tree-structured representations of trained networks".
    """
    _check(rows, kind, target, held_out, max_depth)
    said, names = _said(predict(rows), len(rows), target, classes, labels)
    order = np.random.default_rng(seed).permutation(len(rows))
    aside = min(len(rows) - 2, max(2, round(held_out * len(rows))))
    judged, trained = np.sort(order[:aside]), np.sort(order[aside:])
    columns = surrogate_columns(rows.iloc[trained], categorical, standardised=kind in ("linear", "sgd"))
    learner = _Learner(kind, max_depth, seed, columns)
    fitted = (_fit_labels if target == "labels" else _fit_numbers)(learner, rows.iloc[trained], said[trained])
    fidelity = _fidelity(said[judged], fitted.answer(rows.iloc[judged]), target, said)
    total = fitted.importances.sum()
    return Surrogate(
        kind=kind,
        target=target,
        features=tuple(map(str, rows.columns)),
        outputs=names,
        importances=fitted.importances / total if total > 0 else fitted.importances,
        importance_of=IMPORTANCES[kind],
        fidelity=fidelity,
        warnings=_warnings(fidelity, constant=total == 0),
        rules=_rules(fitted, columns, rows.iloc[trained], names, smallest_group) if kind == "decision_tree" else "",
        trained_rows=len(trained),
        seed=seed,
        answer=fitted.answer,
    )


IMPORTANCES: dict[Kind, str] = {
    "lightgbm": "gain of the splits",
    "linear": "mean absolute attribution, exact for a sum",
    "sgd": "mean absolute attribution, exact for a sum",
    "decision_tree": "impurity removed by the splits",
}


@dataclass(frozen=True, eq=False)
class _Learner:
    kind: Kind
    max_depth: int
    seed: int
    columns: SurrogateColumns

    def estimator(self, *, classifies: bool) -> Any:
        """Unfitted."""
        from sklearn.linear_model import Ridge, RidgeClassifier, SGDClassifier, SGDRegressor
        from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

        if self.kind == "linear":
            return RidgeClassifier(alpha=1.0) if classifies else Ridge(alpha=1.0)
        if self.kind == "sgd":
            settings = {"random_state": self.seed, "max_iter": 1000, "average": True}
            return SGDClassifier(loss="log_loss", **settings) if classifies else SGDRegressor(**settings)
        if self.kind == "decision_tree":
            tree = DecisionTreeClassifier if classifies else DecisionTreeRegressor
            return tree(max_depth=self.max_depth, min_samples_leaf=5, random_state=self.seed)
        try:
            from lightgbm import LGBMClassifier, LGBMRegressor
        except ImportError as error:
            raise MissingExtra.of("surrogate", "LightGBM") from error
        boosted = LGBMClassifier if classifies else LGBMRegressor
        return boosted(
            n_estimators=200, learning_rate=0.1, num_leaves=31, random_state=self.seed, n_jobs=1, verbose=-1,
            deterministic=True, force_row_wise=True, min_child_samples=5,
        )  # fmt: skip

    def fit(self, model: Any, made: Floats, truth: NDArray[Any]) -> None:
        """In silence: how far a surrogate came is measured, on rows held out."""
        from sklearn.exceptions import ConvergenceWarning

        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            model.fit(made, truth)

    def weights(self, fitted: Any, made: Floats) -> Floats:
        """(features,) what a fitted estimator goes by, summed over the columns of a feature."""
        count = len(self.columns.features)
        if self.kind in ("linear", "sgd"):
            moved = made - made.mean(axis=0)
            totals = np.zeros(count)
            for weights in np.atleast_2d(fitted.coef_):
                parts = np.zeros((len(made), count))
                np.add.at(parts.T, self.columns.sources, (moved * weights).T)
                totals += np.abs(parts).mean(axis=0)
            return totals
        gains = fitted.booster_.feature_importance("gain") if self.kind == "lightgbm" else fitted.feature_importances_
        return np.bincount(self.columns.sources, np.asarray(gains, dtype=np.float64), count).astype(np.float64)


def _rules(
    fitted: _Fitted, columns: SurrogateColumns, rows: pd.DataFrame, outputs: Sequence[str], smallest: int
) -> str:
    gaps = rows.isna().any(axis=0).to_numpy()[columns.sources]
    return rules(fitted.trees[0], columns.names, gaps.tolist(), outputs, smallest=smallest) if fitted.trees else ""


@dataclass(frozen=True, eq=False)
class _Fitted:
    answer: Callable[[pd.DataFrame], NDArray[Any]]
    importances: Floats
    trees: tuple[Any, ...] = ()


def _fit_numbers(learner: _Learner, rows: pd.DataFrame, said: Floats) -> _Fitted:
    """One estimator an output, on outputs of mean 0 and variance 1, so that no step is too long for any unit."""
    made = learner.columns.columns(rows)
    centre, spread = said.mean(axis=0), said.std(axis=0)
    varies = spread > 8 * np.finfo(np.float64).eps * np.abs(said).max(axis=0)
    models: dict[int, Any] = {}
    importances = np.zeros(rows.shape[1])
    for output in np.flatnonzero(varies).tolist():
        models[output] = learner.estimator(classifies=False)
        # Trees print their leaves, and do not mind the unit.
        scaled = (said[:, output] - centre[output]) / spread[output]
        learner.fit(models[output], made, said[:, output] if learner.kind == "decision_tree" else scaled)
        importances += learner.weights(models[output], made) * spread[output]

    def answer(frame: pd.DataFrame) -> NDArray[Any]:
        given = learner.columns.columns(frame)
        found = np.tile(centre, (len(frame), 1))
        for output, model in models.items():
            raw = np.asarray(model.predict(given), dtype=np.float64)
            found[:, output] = raw if learner.kind == "decision_tree" else centre[output] + spread[output] * raw
        return found

    return _Fitted(answer, importances, tuple(models.values()))


def _fit_labels(learner: _Learner, rows: pd.DataFrame, said: NDArray[Any]) -> _Fitted:
    """A classifier of positions of the classes that occur, so that classes of any kind will do."""
    codes, known = pd.factorize(said)
    names = np.asarray(known)
    if len(names) == 1:
        return _Fitted(lambda frame: np.repeat(names, len(frame)), np.zeros(rows.shape[1]))
    made = learner.columns.columns(rows)
    model = learner.estimator(classifies=True)
    learner.fit(model, made, codes)

    def answer(frame: pd.DataFrame) -> NDArray[Any]:
        return np.asarray(names[np.asarray(model.predict(learner.columns.columns(frame)), dtype=np.intp)])

    if learner.kind == "decision_tree":
        model.class_names_ = [str(name) for name in names]
    return _Fitted(answer, learner.weights(model, made), (model,))


def _said(
    raw: Any, rows: int, target: Target, classes: Sequence[Any] | None, labels: Sequence[str] | None
) -> tuple[NDArray[Any], tuple[str, ...]]:
    """What the model said, as the target takes it, and the names of outputs or classes."""
    if target == "labels":
        given = np.asarray(raw)
        if given.ndim == 2 and given.shape[1] > 1:
            names = np.asarray(range(given.shape[1]) if classes is None else list(classes))
            if len(names) != given.shape[1]:
                raise BadDocument(f"There are {len(names)} classes, and the model gives {given.shape[1]} outputs.")
            given = names[checked_outputs(given, rows).argmax(axis=1)]
        given = given.ravel() if given.ndim == 2 else given
        if given.shape != (rows,):
            raise BadModel(f"The model gave labels of shape {given.shape} for {rows} rows.")
        if pd.isna(given).any():
            raise BadModel(f"The model gave no label for {int(pd.isna(given).sum())} of {rows} rows.")
        return given, tuple(sorted({str(one) for one in given.tolist()}))
    outputs = checked_outputs(raw, rows)
    if target == "log_odds":
        if (outputs < 0).any() or (outputs > 1).any():
            raise BadModel("The outputs are no probabilities, so they have no log-odds.", "Take the target values.")
        kept = np.clip(outputs, PROBABILITY_MARGIN, 1 - PROBABILITY_MARGIN)
        outputs = np.log(kept / (1 - kept))
    return outputs, output_names(outputs.shape[1], None if labels is None else tuple(labels))


def _fidelity(truth: NDArray[Any], said: NDArray[Any], target: Target, everything: NDArray[Any]) -> Fidelity:
    reasons: dict[str, str] = {}
    r2: float | None = None
    classes: tuple[NDArray[Any], NDArray[Any]] | None = (truth, said)
    if target == "labels":
        reasons["r2"] = "Labels have no variance to repeat."
    else:
        r2, why = fidelity_of_numbers(truth, said)
        if why:
            reasons["r2"] = why
        if target == "log_odds" or _probabilities(everything):
            classes = _chosen(truth, target), _chosen(said, target)
        else:
            classes = None
            reasons |= dict.fromkeys(("accuracy", "kappa"), "The outputs are no probabilities and stand for no labels.")
    accuracy = kappa = None
    if classes is not None:
        accuracy, kappa = agreement(*classes)
        if kappa is None:
            reasons["kappa"] = "Both give one label only, so that chance alone agrees always."
    return Fidelity(len(truth), r2, accuracy, kappa, reasons)


def _probabilities(outputs: Floats) -> bool:
    inside = bool((outputs >= 0).all() and (outputs <= 1).all())
    return inside and (outputs.shape[1] == 1 or bool(np.allclose(outputs.sum(axis=1), 1, atol=1e-6)))


def _chosen(outputs: Floats, target: Target) -> NDArray[Any]:
    if outputs.shape[1] > 1:
        return np.asarray(outputs.argmax(axis=1))
    return np.asarray(outputs[:, 0] >= (0.0 if target == "log_odds" else 0.5))


def _warnings(fidelity: Fidelity, *, constant: bool) -> tuple[str, ...]:
    if constant:
        return ("The surrogate gives one answer for every row, so no feature has an importance.",)
    number, name = fidelity.deciding, "R2" if fidelity.r2 is not None else "accuracy"
    if number is None:
        return ("The fidelity of the surrogate is not known, so its importances may not be the model's.",)
    if not number >= FAITHFUL:
        why = f"The surrogate repeats the model with an {name} of {number:.3g} only, below {FAITHFUL:g}"
        return (f"{why}: its importances are not the model's.",)
    return ()


def _check(rows: pd.DataFrame, kind: str, target: str, held_out: float, max_depth: int) -> None:
    if kind not in get_args(Kind):
        raise BadDocument(f"There is no surrogate {kind!r}.", nearest(kind, get_args(Kind)))
    if target not in get_args(Target):
        raise BadDocument(f"There is no target {target!r} of a surrogate.", nearest(target, get_args(Target)))
    if not 0 < held_out < 1:
        raise BadDocument(f"held_out is {held_out}, and must be between 0 and 1.")
    if max_depth < 1:
        raise BadDocument(f"max_depth is {max_depth}, and must be at least 1.")
    if len(rows) < 4:
        raise BadData(f"There are {len(rows)} rows, too few to train a surrogate on some and judge it on others.")

"""Shapley values of tree ensembles, exact, from the trees themselves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clarify_ops.errors import BadModel
from clarify_ops.explain.encoding import CONSTANT, Untraced, encoding, other_columns
from clarify_ops.explain.explanation import Explanation, baseline_note, output_names
from clarify_ops.explain.hybrids import Hybrids
from clarify_ops.explain.playing import explained_features
from clarify_ops.explain.trees.reading import read_trees
from clarify_ops.explain.trees.tree_model import NotReadable, TreeModel

Floats = NDArray[np.float64]

TRAINING_NOTE = "the training rows, as the covers of the trees remember them, path-dependent"
"""`Explanation.background` where the trees' own counts take the place of baseline rows."""

BATCH_ROWS = 16_384
# Largest |base + values - sum of the trees|, beside the size of the sums: what thousands of additions leave.
_ROUNDING = 1e-8


@dataclass(frozen=True, eq=False)
class TreeSums:
    """Trees that add up to outputs.

    Attributes:
        model: The trees; its `encode` takes raw rows, and its `players` are positions of raw features, CONSTANT for a column
            that is made of none.
    """

    model: TreeModel
    _kernels: dict[bytes, Any] = field(default_factory=dict, repr=False)

    def kernel(self, explained: NDArray[np.intp], features: int) -> Any:
        """The trees made ready for rows of so many features, of which these play: a `TreeKernel`, made once for each."""
        # Numba is imported only where there are trees to explain.
        from clarify_ops.explain.trees.kernels import TreeKernel

        players = _players(self.model.players, explained, features)
        if players.tobytes() not in self._kernels:
            self._kernels[players.tobytes()] = TreeKernel.of(self.model.ensemble, players, count=len(explained))
        return self._kernels[players.tobytes()]

    @property
    def estimator(self) -> str:
        """Name of the class that was read."""
        return self.model.estimator

    @property
    def unit(self) -> str:
        """Of the sums."""
        return self.model.ensemble.unit

    def outputs(self, rows: pd.DataFrame) -> Floats:
        """(rows, sums)."""
        from clarify_ops.explain.trees.kernels import predict

        return predict(self.model.ensemble, self.model.encode(rows))


def read_tree_sums(estimator: Any, features: int) -> TreeSums | Untraced:
    """The trees of a fitted model, a search or a pipeline, or why they are not seen.

    All columns that a pipeline makes of one feature are one player: they come and go together, as the feature does.

    Args:
        estimator: Fitted.
        features: How many raw ones it is given.
    """
    found = encoding(estimator, features)
    if isinstance(found, Untraced):
        return found
    model = read_trees(found.estimator)
    if isinstance(model, NotReadable):
        return Untraced(model.what, f"cannot be read as trees: {model.reason}")
    if len(model.features) != len(found.sources):
        return other_columns(model.estimator, len(model.features), len(found.sources))

    def encode(given: Any) -> Floats:
        return model.encode(found.transform(given))

    players = np.where(model.players == CONSTANT, CONSTANT, found.sources[model.players])
    return TreeSums(replace(model, encode=encode, players=players.astype(np.int64)))


def tree_shap(
    sums: TreeSums,
    rows: pd.DataFrame,
    background: pd.DataFrame | None = None,
    *,
    features_to_explain: Sequence[str] | None = None,
    labels: Sequence[str] | None = None,
    batch_rows: int = BATCH_ROWS,
    threads: int = 1,
) -> Explanation:
    r"""Explains rows by all coalitions, which trees allow to be counted leaf by leaf.

    .. math:: v_x(S) = \frac{1}{B} \sum_{b=1}^{B} f(x_S, z^{(b)}_{\bar S})

    over background rows. Without them the game is the path-dependent one: a split of an absent feature goes both ways,
    each weighted by the training rows that went it. What is explained is the sum of the trees, in its own unit.

    Rows are encoded and explained a batch at a time: beside the result, memory does not grow with them.

    Args:
        sums: From `read_tree_sums`.
        rows: (rows, features) to explain.
        background: (baseline rows, features), same columns; None for the path-dependent game.
        features_to_explain: Names of the features that play; the others always keep the row's value. None for all.
        labels: Names of the outputs; None for label0, label1, ...
        batch_rows: Rows encoded at once.
        threads: Among which a batch is shared; the values do not depend on it.

    Raises:
        BadData: The columns of rows and background differ, a feature to explain is unknown, or a value cannot be encoded.
        BadDocument: There are not as many labels as outputs.
        BadModel: The values do not add up to the sum of the trees, as when a leaf holds no finite number.

    Source: Lundberg et al. (2020), arXiv:1905.04610; Janzing et al. (2020), arXiv:1910.13413.
    """
    model = sums.model
    explained = explained_features(rows, features_to_explain)
    if background is not None:
        hybrids = Hybrids(rows, background)
        rows, background = hybrids.rows(0, len(rows)), hybrids.background(0, len(background))
    kernel = sums.kernel(explained, rows.shape[1])
    behind = None if background is None else model.encode(background)
    expected = kernel.expected() if behind is None else kernel.predict(behind).mean(axis=0)
    values = np.empty((len(rows), len(explained), model.ensemble.outputs))
    predictions = np.empty((len(rows), model.ensemble.outputs))
    for start in range(0, len(rows), batch_rows):
        part = slice(start, min(start + batch_rows, len(rows)))
        encoded = model.encode(rows.iloc[part])
        predictions[part] = kernel.predict(encoded)
        if behind is None:
            values[part] = kernel.path_dependent(encoded, threads=threads)
        else:
            values[part] = kernel.interventional(encoded, behind, threads=threads)
    totals = values.sum(axis=1)
    # The training rows of a path went both ways at a column that belongs to nobody here.
    whole = len(explained) == rows.shape[1] and (behind is not None or bool((model.players != CONSTANT).all()))
    bases = np.tile(expected, (len(rows), 1)) if whole else predictions - totals
    _check_sums(model.estimator, bases + totals, predictions)
    return Explanation(
        features=tuple(str(rows.columns[position]) for position in explained),
        outputs=output_names(model.ensemble.outputs, None if labels is None else tuple(labels)),
        values=values,
        standard_errors=np.zeros_like(values),
        expected_value=expected,
        base_values=bases,
        predictions=predictions,
        exact=np.ones(len(rows), dtype=np.bool_),
        coalitions=0,
        prediction_rows=0,
        prediction_calls=0,
        log_odds=model.ensemble.unit == "log-odds",
        explainer="tree_shap",
        unit=model.ensemble.unit,
        background=TRAINING_NOTE if background is None else baseline_note(len(background)),
    )


def _players(features: NDArray[np.integer], explained: NDArray[np.intp], count: int) -> NDArray[np.int64]:
    """(columns,): from the feature of each column to its position among those that play, or -1."""
    # The last place is that of columns of no feature, whose number is -1.
    place = np.full(count + 1, CONSTANT, dtype=np.int64)
    place[explained] = np.arange(len(explained))
    return np.asarray(place[features])


def _check_sums(estimator: str, sums: Floats, predictions: Floats) -> None:
    gap = np.abs(sums - predictions)
    # A gap that is NaN is too large as well.
    if not (gap <= _ROUNDING * np.maximum(1.0, np.abs(predictions))).all():
        raise BadModel(
            f"The Shapley values of the {estimator} do not add up to what its trees say, by {gap.max():.2g}.",
            "Its leaves must hold finite numbers of moderate size.",
        )

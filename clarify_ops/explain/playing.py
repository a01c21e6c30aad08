"""A game under way: which features play, in what unit, and what the model says at both ends."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypedDict

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clarify_ops.errors import BadData, BadModel, nearest
from clarify_ops.explain.explanation import AS_GIVEN, Explanation, baseline_note, output_names
from clarify_ops.explain.game import BATCH_ROWS, Bools, Floats, MaskedModel, Positions, Predict, Task, checked_outputs

Progress = Callable[[int, int], None]
"""Told the rows predicted so far and the total to predict."""

PROBABILITY_MARGIN = 1e-7
"""Probabilities are kept this far from 0 and 1 before they become log-odds: what a float32 model can still tell from 1."""


class Playing(TypedDict, total=False):
    """What every explainer that asks a model can be told; each is named and explained as for `Play`."""

    features_to_explain: Sequence[str] | None
    use_logit: bool
    labels: Sequence[str] | None
    batch_rows: int
    progress: Progress | None


class Play:
    """What explainers that ask a model have in common, whatever they ask it about in between.

    Args:
        predict: The model: feature rows -> (rows, outputs) or (rows,).
        rows: (rows, features) to explain, of any dtypes.
        background: (baseline rows, features), same columns.
        features_to_explain: Names of the features that play; the others always keep the row's value. None for all.
        use_logit: Explain the log-odds of the outputs, which must then be probabilities.
        labels: Names of the outputs; None for label0, label1, ...
        batch_rows: Most rows in one prediction call.
        progress: Told how far the predictions are.

    Attributes:
        model: The masked model.
        features: Names of those that play.
        explained: (features that play,) their positions among all.
        differing: (rows, features that play) True where a row differs from at least one background row.

    Raises:
        BadData: The columns of rows and background differ, or a feature to explain is unknown.
    """

    def __init__(
        self,
        predict: Predict,
        rows: pd.DataFrame,
        background: pd.DataFrame,
        *,
        features_to_explain: Sequence[str] | None = None,
        use_logit: bool = False,
        labels: Sequence[str] | None = None,
        batch_rows: int = BATCH_ROWS,
        progress: Progress | None = None,
    ) -> None:
        self.explained = explained_features(rows, features_to_explain)
        self.features = tuple(str(rows.columns[position]) for position in self.explained)
        self._log_odds = LogOdds(predict) if use_logit else None
        self._progress = progress
        self._total = 0
        self._labels = None if labels is None else tuple(labels)
        self.model = MaskedModel(
            self._log_odds or predict, rows, background, batch_rows=batch_rows, on_call=self._predicted
        )
        self.differing: Bools = self.model.hybrids.differing()[:, self.explained]

    @property
    def rows(self) -> int:
        """How many are explained."""
        return self.model.hybrids.row_count

    def begin(self, coalitions: int) -> tuple[Floats, Floats, Floats]:
        """Asks about the background, the rows, and the rows with no explained feature known.

        Args:
            coalitions: That will be asked about afterwards, over all rows; progress is measured against them.

        Returns:
            (outputs,) mean over the background, and (rows, outputs) of predictions and of what the values start from.
        """
        self.expect(coalitions)
        self._expected = self.model.expected()
        self._predictions = self.model.predict_rows()
        self._bases = np.tile(self._expected, (self.rows, 1)) if self._all_play else self._nothing_known()
        return self._expected, self._predictions, self._bases

    def expect(self, coalitions: int) -> None:
        """Sets what progress is measured against, in coalitions over all rows besides the ends."""
        hybrids = self.model.hybrids
        asked = coalitions + (0 if self._all_play else self.rows)
        self._total = self.rows + hybrids.background_count * (1 + asked)

    def explanation(
        self,
        values: Floats,
        standard_errors: Floats,
        *,
        exact: NDArray[np.bool_],
        coalitions: int,
        explainer: str,
        warnings: Iterable[str] = (),
    ) -> Explanation:
        """The values, with all that this game knows of them."""
        moved = self._log_odds.warnings() if self._log_odds else ()
        return Explanation(
            features=self.features,
            outputs=output_names(len(self._expected), self._labels),
            values=values,
            standard_errors=standard_errors,
            expected_value=self._expected,
            base_values=self._bases,
            predictions=self._predictions,
            exact=exact,
            coalitions=coalitions,
            prediction_rows=self.model.predicted_rows,
            prediction_calls=self.model.calls,
            log_odds=self._log_odds is not None,
            warnings=(*warnings, *moved),
            explainer=explainer,
            unit=AS_GIVEN if self._log_odds is None else "log-odds",
            background=baseline_note(self.model.hybrids.background_count),
        )

    @property
    def _all_play(self) -> bool:
        return len(self.explained) == self.model.hybrids.feature_count

    def _predicted(self, rows: int) -> None:
        if self._progress is not None:
            self._progress(rows, self._total)

    def _nothing_known(self) -> Floats:
        """(rows, outputs): the value of no explained feature, where the others keep the row's value."""
        present = np.ones((1, self.model.hybrids.feature_count), dtype=np.bool_)
        present[:, self.explained] = False
        bases = np.empty((self.rows, len(self._expected)))
        for _, positions, values in self.model.evaluate([Task(np.arange(self.rows), present)]):
            bases[positions] = values[:, 0]
        return bases


class LogOdds:
    """A model whose probabilities are given as log-odds, and the count of those that had to be moved off 0 and 1."""

    def __init__(self, predict: Predict) -> None:
        self._predict = predict
        self._moved = 0

    def __call__(self, frame: pd.DataFrame) -> Floats:
        """(rows, outputs) log-odds of what the model says.

        Raises:
            BadModel: It does not say probabilities.
        """
        outputs = checked_outputs(self._predict(frame), len(frame))
        if ((outputs < 0) | (outputs > 1)).any():
            raise BadModel(
                "use_logit needs probabilities, and the model gave outputs outside 0 to 1.", "Drop use_logit."
            )
        kept = np.clip(outputs, PROBABILITY_MARGIN, 1 - PROBABILITY_MARGIN)
        self._moved += int((kept != outputs).sum())
        return np.asarray(np.log(kept) - np.log1p(-kept), dtype=np.float64)

    def warnings(self) -> Iterator[str]:
        """What the moving does to the values, where anything was moved."""
        if self._moved:
            yield (
                f"{self._moved} probabilities were so near 0 or 1 that their log-odds were taken at a distance of "
                f"{PROBABILITY_MARGIN:g}: the sizes of these attributions follow from that choice."
            )


def explained_features(rows: pd.DataFrame, names: Sequence[str] | None) -> Positions:
    """Positions of the named features, in the order of the data; of all where none are named.

    Raises:
        BadData: A name is unknown, or the list is empty.
    """
    if names is None:
        return np.arange(rows.shape[1])
    known = [str(name) for name in rows.columns]
    if not names:
        raise BadData("features_to_explain is empty.", "Leave it out to explain all features.")
    for name in names:
        if name not in known:
            raise BadData(f"features_to_explain names {name!r}, which is no feature.", nearest(name, known))
    return np.array(sorted({known.index(name) for name in names}), dtype=np.intp)

"""Asking a model on behalf of an analysis: its scores for explanations, its labels for bias."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clarify_ops.config.analysis import AnalysisConfig, Column, Predictor
from clarify_ops.errors import BadDocument, BadModel, nearest

Model = str | Callable[[pd.DataFrame], Any]
"""An MLflow model (folder or URI), or a function from (rows, features) to scores or labels, one row a row."""


@dataclass(frozen=True)
class AskedModel:
    """A model, and how its answers are to be read.

    Attributes:
        name: How it was given.
        answer: From (rows, features) to whatever it answers.
        predictor: Clarify's settings about answers.
        threshold: A score above it is a predicted 1.
    """

    name: str
    answer: Callable[[pd.DataFrame], Any]
    predictor: Predictor
    threshold: float

    @classmethod
    def of(cls, model: Model, config: AnalysisConfig) -> AskedModel:
        """Loads it where it is given by name.

        Raises:
            BadModel: It cannot be read.
        """
        predictor = config.predictor or Predictor()
        if callable(model):
            name = getattr(model, "__qualname__", type(model).__qualname__)
            return cls(str(name), model, predictor, config.probability_threshold)
        from clarify_ops.models.mlflow_model import load_model_at

        return cls(model, load_model_at(model), predictor, config.probability_threshold)

    def scores(self, features: pd.DataFrame) -> NDArray[np.float64]:
        """(rows, outputs): what is explained, the probability where the configuration says where it stands.

        Raises:
            BadModel: The answer is no numbers, or not a row a row.
        """
        chosen = self.predictor.probability if self.predictor.probability is not None else self.predictor.label
        table = self._table(features)
        found = _found(table, chosen)
        kept = table if found is None else found
        try:
            return kept.to_numpy(dtype=np.float64)
        except (TypeError, ValueError) as error:
            raise BadModel(f"The model {self.name} answers {_some(kept)}, which is no score.") from error

    def labels(self, features: pd.DataFrame) -> pd.Series:
        """(rows,) predicted labels: as the model gives them, or the header of the highest score, or 1 above the threshold.

        Raises:
            BadModel: The answer is not a row a row.
            BadDocument: There are several scores and no name for each.
        """
        table = self._table(features)
        label = _found(table, self.predictor.label)
        if label is not None:
            return label.iloc[:, 0]
        scores = _found(table, self.predictor.probability)
        scores = table if scores is None else scores
        if scores.shape[1] > 1:
            return self._named(scores)
        column = scores.iloc[:, 0]
        if not pd.api.types.is_numeric_dtype(column.dtype) or pd.api.types.is_bool_dtype(column.dtype):
            return column
        return (column > self.threshold).astype("int64")

    def outputs(self) -> tuple[str, ...] | None:
        """Names of the outputs, where the configuration gives them."""
        headers = self.predictor.label_headers
        return None if headers is None else tuple(str(one) for one in headers)

    def _named(self, scores: pd.DataFrame) -> pd.Series:
        headers: Sequence[Column] | None = self.predictor.label_headers
        if headers is None:
            raise BadDocument(
                f"The model {self.name} answers {scores.shape[1]} scores a row, and nothing names their labels.",
                "Set predictor.label_headers, or predictor.probability to the place of one of them.",
            )
        if len(headers) != scores.shape[1]:
            raise BadDocument(
                f"predictor.label_headers has {len(headers)} names for {scores.shape[1]} scores of the model {self.name}."
            )
        return pd.Series([headers[one] for one in scores.to_numpy(dtype=np.float64).argmax(axis=1)])

    def _table(self, features: pd.DataFrame) -> pd.DataFrame:
        try:
            answer = self.answer(features)
        except BadModel:
            raise
        except Exception as error:
            raise BadModel(
                f"The model {self.name} failed on {len(features)} rows: {type(error).__name__}: {error}"
            ) from error
        if not isinstance(answer, pd.DataFrame):
            values = np.asarray(answer)
            if values.ndim not in {1, 2}:
                raise BadModel(f"The model {self.name} answers with {values.ndim} dimensions.", "Answer one row a row.")
            answer = pd.DataFrame(values)
        if len(answer) != len(features):
            raise BadModel(
                f"The model {self.name} answers {len(answer)} rows for {len(features)}.", "Answer one row a row."
            )
        return answer.reset_index(drop=True)


def _found(table: pd.DataFrame, place: Column | None) -> pd.DataFrame | None:
    """The column of an answer that the configuration names, or None where it names none."""
    if isinstance(place, int):
        if not 0 <= place < table.shape[1]:
            raise BadDocument(
                f"The predictor's column {place} is not among the {table.shape[1]} that the model answers."
            )
        return table.iloc[:, [place]]
    if place is None or place in table.columns:
        return None if place is None else table[[place]]
    if table.shape[1] == 1:
        # A path into an endpoint's answer; this model answers nothing else than what would lie there.
        return None
    known = [str(name) for name in table.columns]
    raise BadDocument(
        f"The predictor's column {place!r} is not among those that the model answers.", nearest(place, known)
    )


def _some(table: pd.DataFrame) -> str:
    return ", ".join(repr(value) for value in table.iloc[:3, 0])

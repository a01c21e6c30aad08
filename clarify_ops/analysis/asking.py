"""Asking a model on behalf of an analysis: its scores for explanations, its labels for bias."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clarify_ops.config.analysis import AnalysisConfig, Column, Predictor
from clarify_ops.errors import BadDocument, BadModel, nearest
from clarify_ops.models.answer import LABEL, PROBABILITY
from clarify_ops.models.model import Model
from clarify_ops.models.remote import RemoteModel

_SEVERAL = {one: re.compile(rf"{one}\d*") for one in (LABEL, PROBABILITY)}


class LaterModel:
    """A remote model that is set up when it is first asked; implements `clarify_ops.models.model.Model`."""

    estimator: object | None = None

    def __init__(self, name: str, set_up: Callable[[], RemoteModel]) -> None:
        self.name = name
        self._set_up = set_up
        self._model: RemoteModel | None = None

    @property
    def labels(self) -> tuple[Any, ...] | None:
        """As `RemoteModel.labels`."""
        return None if self._model is None else self._model.labels

    def answer(self, features: pd.DataFrame) -> pd.DataFrame:
        """As `RemoteModel.answer`, once it is there."""
        return self._there().answer(features)

    def rows_at_once(self, features: pd.DataFrame) -> int:
        """As `RemoteModel.rows_at_once`, once it is there."""
        return self._there().rows_at_once(features)

    def close(self) -> None:
        """Lets go of what was set up, if anything was."""
        if self._model is not None:
            self._model.close()

    def _there(self) -> RemoteModel:
        if self._model is None:
            self._model = self._set_up()
            self.name = self._model.name
        return self._model


@dataclass(frozen=True)
class AskedModel:
    """A model, and how its answers are to be read: itself a `Model`, whose answers are the scores that are explained.

    Attributes:
        model: Answers rows of features.
        predictor: Clarify's settings about answers.
        threshold: A score above it is a predicted 1.
    """

    model: Model
    predictor: Predictor
    threshold: float

    @classmethod
    def of(cls, model: Model, config: AnalysisConfig) -> AskedModel:
        """A model as a configuration reads it."""
        return cls(model, config.predictor or Predictor(), config.probability_threshold)

    @property
    def name(self) -> str:
        """How the model was given."""
        return self.model.name

    @property
    def estimator(self) -> object | None:
        """The fitted object behind it, where it can be seen."""
        return self.model.estimator

    def prepared(self, features: pd.DataFrame) -> pd.DataFrame:
        """The rows as the estimator takes them, without columns that it was not fitted on; as they are where nobody says.

        Raises:
            BadModel: A column is missing, or holds what the model does not take.
        """
        prepare: Callable[[pd.DataFrame], pd.DataFrame] = getattr(self.model, "prepared", lambda rows: rows)
        return prepare(features)

    def answer(self, features: pd.DataFrame) -> NDArray[np.float64]:
        """As `scores`."""
        return self.scores(features)

    def close(self) -> None:
        """As the model's own."""
        self.model.close()

    @property
    def remote(self) -> bool:
        """Whether every question is a request over a wire."""
        return isinstance(self.model, RemoteModel | LaterModel)

    def scores(self, features: pd.DataFrame) -> NDArray[np.float64]:
        """(rows, outputs): what is explained, the probability where the configuration says where it stands.

        Raises:
            BadModel: The answer is no numbers, or not a row a row.
            Outside: It cannot be reached.
        """
        table = self._table(features)
        found = self._place(table, PROBABILITY, self.predictor.probability)
        if found is None:
            found = self._place(table, LABEL, self.predictor.label)
        if found is None and self._positive is not None:
            found = table.iloc[:, [self._positive]]
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
            Outside: It cannot be reached.
        """
        table = self._table(features)
        label = self._place(table, LABEL, self.predictor.label)
        if label is not None:
            return label.iloc[:, 0]
        scores = self._place(table, PROBABILITY, self.predictor.probability)
        if scores is None:
            scores = table if self._positive is None else table.iloc[:, [self._positive]]
        if scores.shape[1] > 1:
            return self._named(scores)
        column = scores.iloc[:, 0]
        if not pd.api.types.is_numeric_dtype(column.dtype) or pd.api.types.is_bool_dtype(column.dtype):
            return column
        return (column > self.threshold).astype("int64")

    def outputs(self) -> tuple[str, ...] | None:
        """Names of the outputs, where the configuration or an endpoint's answers give them."""
        told = self.predictor.label_headers
        headers = told if told is not None else getattr(self.model, "labels", None)
        return None if headers is None else tuple(str(one) for one in headers)

    def rows_at_once(self, features: pd.DataFrame) -> int:
        """Rows for one question, some of which are given: as many as fill requests where it goes over a wire."""
        from clarify_ops.explain.game import BATCH_ROWS

        if isinstance(self.model, RemoteModel | LaterModel):
            return self.model.rows_at_once(features)
        return BATCH_ROWS

    @property
    def _positive(self) -> int | None:
        """Which of two scores is explained where nothing is said: that of the positive class."""
        if self.predictor.label_headers is not None:
            return None
        found: int | None = getattr(self.model, "positive", None)
        return found

    def _headers(self) -> Sequence[Any] | None:
        told = self.predictor.label_headers
        if told is not None:
            return told
        classes = getattr(self.model.estimator, "classes_", None)
        return getattr(self.model, "labels", None) if classes is None else list(classes)

    def _place(self, table: pd.DataFrame, name: str, place: Column | None) -> pd.DataFrame | None:
        """The part of an answer that the configuration names, or None where it names none."""
        if place is None:
            return None
        if self.remote:
            # What the configuration says was looked for in the answer's body.
            return table[[one for one in table.columns if _SEVERAL[name].fullmatch(str(one))]]
        return _found(table, place)

    def _named(self, scores: pd.DataFrame) -> pd.Series:
        headers = self._headers()
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
        answer = self.model.answer(features)
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


def _found(table: pd.DataFrame, place: Column) -> pd.DataFrame | None:
    """The column of an answer at a place, or None where the whole answer is what lies there."""
    if isinstance(place, int):
        if not 0 <= place < table.shape[1]:
            raise BadDocument(
                f"The predictor's column {place} is not among the {table.shape[1]} that the model answers."
            )
        return table.iloc[:, [place]]
    if place in table.columns:
        return table[[place]]
    if table.shape[1] == 1:
        # A path into an endpoint's answer; this model answers nothing else than what would lie there.
        return None
    known = [str(name) for name in table.columns]
    raise BadDocument(
        f"The predictor's column {place!r} is not among those that the model answers.", nearest(place, known)
    )


def _some(table: pd.DataFrame) -> str:
    return ", ".join(repr(value) for value in table.iloc[:3, 0])

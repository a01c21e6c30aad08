"""Label and predicted label: which rows are positive, and which class each is of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clarify_ops.config.analysis import AnalysisConfig, Value
from clarify_ops.data.counts import column_name
from clarify_ops.data.kinds import Column, Distinct, cast_like, match, numbers_of
from clarify_ops.data.surprises import KindNote, kind_note
from clarify_ops.errors import BadData

EMPTY_VALUES = "Positive label values or thresholds are empty for Label column"
KINDS_DIFFER = "Predicted Label Column series datatype is not the same as Label Column series"
FEWEST_CLASSES, MOST_CLASSES = 3, 50


@dataclass(frozen=True)
class Outcomes:
    """What was observed and what was predicted, row by row.

    Attributes:
        label: Name of the label column.
        observed: (rows,) observed positives.
        positive: The positive values or interval as Clarify writes them before training.
        predicted: (rows,) predicted positives, or None.
        shared_positive: As `positive`, where the interval ends at the maximum of labels and predictions together.
        kinds: How the columns were read.
        missing: Rows without a value, by column.
        classes: Texts of the classes, where there are more than two and not too many.
        label_class, predicted_class: (rows,) place among the classes (-1: missing); None without classes.
        thresholded: Whether predicted labels were made from scores.
    """

    label: str
    observed: NDArray[np.bool_]
    positive: str
    predicted: NDArray[np.bool_] | None = None
    shared_positive: str | None = None
    kinds: Mapping[str, KindNote] = field(default_factory=dict)
    missing: Mapping[str, int] = field(default_factory=dict)
    classes: tuple[str, ...] = ()
    label_class: NDArray[np.int64] | None = None
    predicted_class: NDArray[np.int64] | None = None
    thresholded: bool = False


def read_outcomes(frame: pd.DataFrame, config: AnalysisConfig, label: str, predicted_label: str | None) -> Outcomes:
    """Reads both columns by Clarify's rules.

    Args:
        frame: (rows, columns).
        config: Positive values, probability threshold, kinds by hand.
        label: Column of the label.
        predicted_label: Column of the predicted label, or None to look at the label alone.

    Raises:
        BadData: No positive values are given, a threshold is not a number, or labels and predictions are of two kinds.
    """
    values = config.label_values_or_threshold
    if not values:
        raise BadData(EMPTY_VALUES, "Set label_values_or_threshold, for example [1].")
    kinds = config.clarify_ops.kinds
    column = Column.of(frame[column_name(frame, label, "label")])
    note = kind_note(column.distinct, values, kinds.get(label), is_label=True)
    observed = match(column.distinct.values, values, note.kind)
    missing = {label: column.distinct.missing}
    if predicted_label is None:
        classes, place, _ = _classes(note, column.distinct, None)
        return Outcomes(
            label=label,
            observed=column.spread(observed.matches),
            positive=observed.text,
            kinds={label: note},
            missing=missing,
            classes=classes,
            label_class=None if place is None else _coded(column, place),
        )
    series = frame[column_name(frame, predicted_label, "predicted_label")]
    missing[predicted_label] = int(series.isna().sum())
    thresholded = "probability_threshold" in config.model_fields_set and pd.api.types.is_float_dtype(series.dtype)
    if thresholded:
        series = (series > config.probability_threshold).fillna(value=False).astype(np.int64).rename(predicted_label)
    other = Column.of(series)
    # Both are one quantity: a kind set by hand for the label holds for its prediction.
    told = kind_note(other.distinct, values, kinds.get(predicted_label, kinds.get(label)), is_label=True)
    if told.kind != note.kind:
        raise BadData(KINDS_DIFFER, _how_to_agree(label, note, predicted_label, told, thresholded=thresholded))
    highest = None
    if note.kind == "continuous":
        highest = _highest(column.distinct, other.distinct)
    both = match(column.distinct.values, values, note.kind, highest=highest)
    predicted = match(other.distinct.values, values, note.kind, highest=highest)
    classes, place, other_place = _classes(note, column.distinct, other.distinct)
    return Outcomes(
        label=label,
        observed=column.spread(both.matches),
        positive=observed.text,
        predicted=other.spread(predicted.matches),
        shared_positive=both.text,
        kinds={label: note, predicted_label: told},
        missing=missing,
        classes=classes,
        label_class=None if place is None else _coded(column, place),
        predicted_class=None if other_place is None else _coded(other, other_place),
        thresholded=thresholded,
    )


def _highest(*columns: Distinct) -> Any:
    tops = [numbers_of(one.values).max() for one in columns if len(one.values)]
    return max(tops) if tops else None


def _how_to_agree(label: str, note: KindNote, predicted_label: str, told: KindNote, *, thresholded: bool) -> str:
    found = f"The label {label!r} is {note.text}, the predicted label {predicted_label!r} is {told.text}."
    by_hand = f'set clarify_ops.kinds: {{"{label}": "categorical"}}, which holds for both'
    if told.type.lower().startswith("float") and not thresholded:
        return f"{found} If the predictions are scores, set probability_threshold; if they are classes, {by_hand}."
    return f"{found} To compare values, {by_hand}."


def _classes(
    note: KindNote, label: Distinct, predicted: Distinct | None
) -> tuple[tuple[str, ...], NDArray[np.int64] | None, NDArray[np.int64] | None]:
    """Texts of the classes in ascending order, and the place of each distinct label and prediction among them."""
    if note.kind != "categorical" or len(label.values) > MOST_CLASSES:
        return (), None, None
    labels = list(label.values)
    others = [] if predicted is None else [_as_in(labels, one) for one in predicted.values]
    found = list(dict.fromkeys([*labels, *others]))
    if not FEWEST_CLASSES <= len(found) <= MOST_CLASSES:
        return (), None, None
    try:
        found.sort()
    except TypeError:
        found.sort(key=str)
    place = {value: i for i, value in enumerate(found)}
    coded = np.asarray([place[one] for one in labels], dtype=np.int64)
    if predicted is None:
        return tuple(map(str, found)), coded, None
    return tuple(map(str, found)), coded, np.asarray([place[one] for one in others], dtype=np.int64)


def _as_in(known: list[Any], value: Value) -> Any:
    """A value spelt as in another column: "1" for 1."""
    if value in known or not known:
        return value
    try:
        cast = cast_like(known[0], value)
    except (TypeError, ValueError, KeyError):
        return value
    return cast if cast in known else value


def _coded(column: Column, place: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.append(place, -1)[column.codes]

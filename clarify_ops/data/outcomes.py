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
FEWEST_CLASSES, MOST_CLASSES = 2, 50


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
        classes: Texts of the classes, where there are at least two and not too many.
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


@dataclass(frozen=True)
class OutcomeRules:
    """What each distinct label and predicted label means; the last element of a rule is about missing ones.

    Attributes:
        observed: (labels + 1,) positive or not.
        predicted: (predictions + 1,) positive or not, or None.
        positive, shared_positive, kinds, classes: As in `Outcomes`.
        label_class, predicted_class: (labels + 1,) and (predictions + 1,) place among the classes, or None.
    """

    observed: NDArray[np.bool_]
    positive: str
    kinds: Mapping[str, KindNote]
    predicted: NDArray[np.bool_] | None = None
    shared_positive: str | None = None
    classes: tuple[str, ...] = ()
    label_class: NDArray[np.int64] | None = None
    predicted_class: NDArray[np.int64] | None = None


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
    series = frame[column_name(frame, label, "label")]
    missing = {label: int(series.isna().sum())}
    observed, predicted, thresholded = Column.of(series), None, False
    if predicted_label is not None:
        series = frame[column_name(frame, predicted_label, "predicted_label")]
        missing[predicted_label] = int(series.isna().sum())
        thresholded = is_thresholded(config, series.dtype)
        predicted = Column.of(above_threshold(series, config.probability_threshold) if thresholded else series)
    return coded_outcomes(config, observed, predicted, missing=missing, thresholded=thresholded)


def coded_outcomes(
    config: AnalysisConfig,
    observed: Column,
    predicted: Column | None,
    *,
    missing: Mapping[str, int],
    thresholded: bool,
) -> Outcomes:
    """As `read_outcomes`, from columns that are codes already, where scores have been cut.

    Args:
        config: Positive values and kinds by hand.
        observed: The label.
        predicted: The predicted label, or None to look at the label alone.
        missing: Rows without a value, by column, before scores were cut.
        thresholded: Whether they were.

    Raises:
        BadData: See `read_outcomes`.
    """
    rules = outcome_rules(config, observed.distinct, None if predicted is None else predicted.distinct)
    return Outcomes(
        label=observed.distinct.name,
        observed=rules.observed[observed.codes],
        positive=rules.positive,
        predicted=_for_rows(rules.predicted, predicted),
        shared_positive=rules.shared_positive,
        kinds=rules.kinds,
        missing=missing,
        classes=rules.classes,
        label_class=_for_rows(rules.label_class, observed),
        predicted_class=_for_rows(rules.predicted_class, predicted),
        thresholded=thresholded,
    )


def is_thresholded(config: AnalysisConfig, dtype: Any) -> bool:
    """Whether predicted labels of a type are scores to be cut: floats, where the configuration itself sets a threshold."""
    return "probability_threshold" in config.model_fields_set and bool(pd.api.types.is_float_dtype(dtype))


def above_threshold(scores: pd.Series, threshold: float) -> pd.Series:
    """1 for each score above the threshold, 0 for the others and for missing ones."""
    return (scores > threshold).fillna(value=False).astype(np.int64)


def outcome_rules(config: AnalysisConfig, label: Distinct, predicted: Distinct | None) -> OutcomeRules:
    """Clarify's rules for both columns; scores have been cut before.

    Args:
        config: Positive values and kinds by hand.
        label: The label.
        predicted: The predicted label, or None to look at the label alone.

    Raises:
        BadData: No positive values are given, a threshold is not a number, or labels and predictions are of two kinds.
    """
    values = config.label_values_or_threshold
    if not values:
        raise BadData(EMPTY_VALUES, "Set label_values_or_threshold, for example [1].")
    by_hand = config.clarify_ops.kinds
    note = kind_note(label, values, by_hand.get(label.name), is_label=True)
    observed = match(label.values, values, note.kind)
    if predicted is None:
        classes, place, _ = _classes(note, label, None)
        return OutcomeRules(
            np.append(observed.matches, False), observed.text, {label.name: note}, classes=classes, label_class=place
        )
    # Both are one quantity: a kind set by hand for the label holds for its prediction.
    told = kind_note(predicted, values, by_hand.get(predicted.name, by_hand.get(label.name)), is_label=True)
    if told.kind != note.kind:
        raise BadData(KINDS_DIFFER, _how_to_agree(label.name, note, predicted.name, told))
    highest = _highest(label, predicted) if note.kind == "continuous" else None
    both = match(label.values, values, note.kind, highest=highest)
    classes, place, other_place = _classes(note, label, predicted)
    return OutcomeRules(
        observed=np.append(both.matches, False),
        positive=observed.text,
        kinds={label.name: note, predicted.name: told},
        predicted=np.append(match(predicted.values, values, note.kind, highest=highest).matches, False),
        shared_positive=both.text,
        classes=classes,
        label_class=place,
        predicted_class=other_place,
    )


def _highest(*columns: Distinct) -> Any:
    tops = [numbers_of(one.values).max() for one in columns if len(one.values)]
    return max(tops) if tops else None


def _how_to_agree(label: str, note: KindNote, predicted_label: str, told: KindNote) -> str:
    found = f"The label {label!r} is {note.text}, the predicted label {predicted_label!r} is {told.text}."
    by_hand = f'set clarify_ops.kinds: {{"{label}": "categorical"}}, which holds for both'
    if told.type.lower().startswith("float"):
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
    rules = [np.asarray([*(place[one] for one in values), -1], dtype=np.int64) for values in (labels, others)]
    return tuple(map(str, found)), rules[0], None if predicted is None else rules[1]


def _as_in(known: list[Any], value: Value) -> Any:
    """A value spelt as in another column: "1" for 1."""
    if value in known or not known:
        return value
    try:
        cast = cast_like(known[0], value)
    except (TypeError, ValueError, KeyError):
        return value
    return cast if cast in known else value


def _for_rows(rule: NDArray[Any] | None, column: Column | None) -> NDArray[Any] | None:
    return None if rule is None or column is None else rule[column.codes]

"""The numbers that Clarify's report shows beside its bias metrics, in its dialect: 0/0 is 0, and p/0 infinite."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from clarify_ops.bias.forms import CLARIFY, Quotient
from clarify_ops.bias.posttraining import (
    accuracy,
    negative_predictive_value,
    positive_predictions,
    precision,
    recall,
    specificity,
)
from clarify_ops.data.counts import ADVANTAGED, DISADVANTAGED, NEGATIVE, POSITIVE, Counts, CountTable, FacetEntry
from clarify_ops.measures import json_number

Share = Callable[[Counts], float]


def _share(quotient: Callable[[Counts, int], Quotient]) -> Share:
    return lambda counts: float(quotient(counts, ADVANTAGED).value(CLARIFY))


def _negative_predictions(counts: Counts, side: int) -> Quotient:
    return Quotient(counts.predictions(side, NEGATIVE), counts.n(side), "rows")


def _conditional_acceptance(counts: Counts, side: int) -> Quotient:
    return Quotient(counts.labels(side, POSITIVE), counts.predictions(side, POSITIVE), "rows", proportion=False)


def _conditional_rejection(counts: Counts, side: int) -> Quotient:
    return Quotient(counts.labels(side, NEGATIVE), counts.predictions(side, NEGATIVE), "rows", proportion=False)


def _f1_score(counts: Counts) -> float:
    right, missed = _share(precision)(counts), _share(recall)(counts)
    return float(CLARIFY.divide(np.asarray(2 * right * missed), np.asarray(right + missed)))


# Name, what it says, and how it is made, in Clarify's order.
PERFORMANCE: tuple[tuple[str, str, Share], ...] = (
    ("Accuracy", "Share of rows predicted as observed.", _share(accuracy)),
    (
        "Proportion of Positive Predictions in Labels",
        "Share of rows predicted positive.",
        _share(positive_predictions),
    ),
    (
        "Proportion of Negative Predictions in Labels",
        "Share of rows predicted negative.",
        _share(_negative_predictions),
    ),
    (
        "True Positive Rate / Recall",
        "Share of positive rows that are found.",
        _share(recall),
    ),
    (
        "True Negative Rate / Specificity",
        "Share of negative rows that are found.",
        _share(specificity),
    ),
    (
        "Acceptance Rate / Precision",
        "Share of positive predictions that are right.",
        _share(precision),
    ),
    (
        "Rejection Rate",
        "Share of negative predictions that are right.",
        _share(negative_predictive_value),
    ),
    (
        "Conditional Acceptance",
        "Positive labels for each positive prediction.",
        _share(_conditional_acceptance),
    ),
    (
        "Conditional Rejection",
        "Negative labels for each negative prediction.",
        _share(_conditional_rejection),
    ),
    ("F1 Score", "The harmonic mean of precision and recall.", _f1_score),
)


def everybody(table: CountTable) -> Counts:
    """All rows of a table on one side, the advantaged one."""
    total = np.zeros((2, 2, 2))
    np.add.at(total[ADVANTAGED], (table.codes[:, -2], table.codes[:, -1]), table.rows)
    return Counts(total, predicted=table.predicted)


def model_performance_report(
    counts: Counts, label: str, confusion: Mapping[str, Mapping[str, float]] | None = None
) -> dict[str, Any]:
    """Clarify's model performance report, JSON types only.

    Args:
        counts: All rows on the advantaged side, from `everybody`.
        label: Name of the label column.
        confusion: Classes against classes, from `confusion_matrix`; None for a continuous label.
    """
    metrics = [
        {"name": name, "description": description, "value": json_number(share(counts))}
        for name, description, share in PERFORMANCE
    ]
    return {
        "label": label,
        "model_performance_metrics": metrics,
        "binary_confusion_matrix": confusion_shares(counts, ADVANTAGED),
        "confusion_matrix": None if confusion is None else {name: dict(row) for name, row in confusion.items()},
    }


def confusion_matrix(observed: pd.Series, predicted: pd.Series) -> dict[str, dict[str, float]]:
    """Rows by observed and predicted class; a prediction that is no observed class is not counted, as Clarify has it.

    Args:
        observed: (rows,) classes.
        predicted: (rows,) classes, in the same order of rows.
    """
    classes = list(pd.unique(observed.dropna()))
    try:
        classes.sort()
    except TypeError:
        classes.sort(key=str)
    place = {value: i for i, value in enumerate(classes)}
    truth = observed.map(place).to_numpy(dtype=float, na_value=np.nan)
    answer = predicted.map(place).to_numpy(dtype=float, na_value=np.nan)
    known = ~(np.isnan(truth) | np.isnan(answer))
    cells = np.zeros((len(classes), len(classes)))
    np.add.at(cells, (truth[known].astype(int), answer[known].astype(int)), 1)
    names = [str(value) for value in classes]
    return _by_name(names, cells)


def confusion_of_classes(table: CountTable) -> dict[str, dict[str, float]] | None:
    """The same from the counts, where these tell label classes and predicted classes apart; else None."""
    axes = {axis.name: axis for axis in table.axes}
    if not {"label", "predicted_label"} <= axes.keys():
        return None
    label, predicted = axes["label"], axes["predicted_label"]
    truth, answer = table.codes[:, label.column], table.codes[:, predicted.column]
    known = (truth >= 0) & (answer >= 0)
    cells = np.zeros((len(label.values), len(predicted.values)))
    np.add.at(cells, (truth[known], answer[known]), table.rows[known])
    observed = np.isin(np.arange(len(label.values)), truth)
    names = [name for name, seen in zip(label.values, observed, strict=True) if seen]
    return _by_name(names, cells[np.ix_(observed, observed)])


def _by_name(names: Sequence[str], cells: Any) -> dict[str, dict[str, float]]:
    return {name: dict(zip(names, map(float, row), strict=True)) for name, row in zip(names, cells, strict=True)}


def bias_basic_stats(table: CountTable, entry: FacetEntry) -> dict[str, Any]:
    """Clarify's basic statistics of one facet value, JSON types only; without predictions, no confusion matrix."""
    counts = table.split(entry)
    found: dict[str, Any] = {
        "proportion": proportion(counts),
        "observed_label_distribution": observed_label_distribution(counts),
    }
    if counts.predicted:
        found["confusion_matrix"] = confusion_shares(counts, DISADVANTAGED)
    return found


def proportion(counts: Counts) -> float:
    """Rows of d among all rows."""
    rows = counts.n(DISADVANTAGED)
    return float(CLARIFY.divide(rows, rows + counts.n(ADVANTAGED)))


def observed_label_distribution(counts: Counts) -> list[float]:
    """Shares of positive and of negative labels in d."""
    rows = counts.n(DISADVANTAGED)
    return [float(CLARIFY.divide(counts.labels(DISADVANTAGED, label), rows)) for label in (POSITIVE, NEGATIVE)]


def confusion_shares(counts: Counts, side: int) -> list[float]:
    """True positives, false positives, false negatives and true negatives, as shares of a side."""
    order = ((POSITIVE, POSITIVE), (NEGATIVE, POSITIVE), (POSITIVE, NEGATIVE), (NEGATIVE, NEGATIVE))
    rows = counts.n(side)
    return [float(CLARIFY.divide(counts.cell(side, label, prediction), rows)) for label, prediction in order]

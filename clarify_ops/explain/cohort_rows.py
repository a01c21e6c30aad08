"""The rows of each cohort: by filter, by facet value, by error."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clarify_ops.config.cohorts import Cohort, CohortFacet, ErrorKind
from clarify_ops.data.columns import resolve
from clarify_ops.data.kinds import Kind, match
from clarify_ops.errors import BadDocument
from clarify_ops.explain.filtered import Answer, Mask, filter_rows

HIGH_RESIDUALS = 0.1
_WORDS: dict[ErrorKind, str] = {
    "false_positives": "false positives",
    "false_negatives": "false negatives",
    "wrong": "wrong predictions",
    "right": "right predictions",
    "high_residuals": "the tenth of the rows with the largest residuals",
}


@dataclass(frozen=True, eq=False)
class Errors:
    """What was observed and what was predicted, row by row.

    Attributes:
        observed: (rows,) observed positives.
        predicted: (rows,) predicted positives.
        residuals: (rows,) |observed - predicted| of a regression, or of a score; NaN where there is none.
        known: (rows,) whether label and prediction are there; None: everywhere.
    """

    observed: Mask | None = None
    predicted: Mask | None = None
    residuals: NDArray[np.float64] | None = None
    known: Mask | None = None


@dataclass(frozen=True, eq=False)
class CohortRows:
    """A cohort and its rows.

    Attributes:
        name: Its name.
        rule: What its rows have in common, in words.
        rows: (rows,) whether a row belongs to it.
        unknown: How many rows lack the values that would tell; they do not belong to it.
        against: The cohort that it is compared with; None: all other rows.
    """

    name: str
    rule: str
    rows: Mask
    unknown: int = 0
    against: str | None = None


def cohort_rows(
    cohorts: Sequence[Cohort],
    frame: pd.DataFrame,
    errors: Errors | None = None,
    kinds: dict[str, Kind] | None = None,
) -> tuple[CohortRows, ...]:
    """Finds the rows of each cohort.

    Args:
        cohorts: As a configuration gives them.
        frame: (rows, columns) of the dataset; filters and facets may use any of them, features or not.
        errors: Of the model on the same rows; None where there are none.
        kinds: Kinds of columns that are set by hand.

    Raises:
        BadDocument: A filter does not parse or does not fit the columns, or errors are asked for where there are none.
        BadData: A facet's column does not exist, or its threshold is no number.
    """
    found = []
    for place, cohort in enumerate(cohorts):
        where = f"clarify_ops.cohorts[{place}]"
        if cohort.where is not None:
            answer, rule = filter_rows(cohort.where, frame, f"{where}.where"), cohort.where
        elif cohort.facet is not None:
            answer, rule = _by_facet(cohort.facet, frame, where, kinds or {})
        else:
            assert cohort.error is not None  # noqa: S101 - one of the three is given
            answer, rule = by_error(cohort.error, errors, where), _WORDS[cohort.error]
        found.append(CohortRows(cohort.name, rule, answer.yes, answer.unknown, cohort.against))
    return tuple(found)


def _by_facet(facet: CohortFacet, frame: pd.DataFrame, where: str, kinds: dict[str, Kind]) -> tuple[Answer, str]:
    names = [str(name) for name in frame.columns]
    name = resolve(facet.name_or_index, names, f"{where}.facet.name_or_index", "the dataset")
    found = match(frame[name], facet.value_or_threshold, kinds.get(name))
    known = frame[name].notna().to_numpy(dtype=bool)
    rule = f"{name} {'in' if found.kind == 'continuous' else '='} {found.text}"
    return Answer(found.matches & known, ~found.matches & known), rule


def by_error(kind: ErrorKind, errors: Errors | None, where: str = "The cohort") -> Answer:
    """The rows that a model is wrong or right about.

    Args:
        kind: `high_residuals` are the tenth of the rows, rounded up, with the largest residuals above 0, and whatever
            equals the least of these.
        errors: Of the model.
        where: Opens the sentence of an error.

    Raises:
        BadDocument: What the kind needs is not there.
    """
    errors = errors or Errors()
    if kind == "high_residuals":
        return _high(errors.residuals, where)
    observed, predicted = errors.observed, errors.predicted
    if observed is None or predicted is None:
        lacking = "labels" if observed is None else "predicted labels"
        raise BadDocument(f"{where}: {_WORDS[kind]} need {lacking}, which the analysis does not have.")
    known = np.ones(len(observed), dtype=bool) if errors.known is None else errors.known
    rows = {
        "false_positives": predicted & ~observed,
        "false_negatives": observed & ~predicted,
        "wrong": observed != predicted,
        "right": observed == predicted,
    }[kind]
    return Answer(rows & known, ~rows & known)


def _high(residuals: NDArray[np.float64] | None, where: str) -> Answer:
    if residuals is None:
        raise BadDocument(f"{where}: high residuals need labels and predictions that are numbers.")
    known = ~np.isnan(residuals)
    size = np.abs(residuals[known])
    if not len(size):
        return Answer(np.zeros(len(residuals), dtype=bool), known)
    least = np.sort(size)[-math.ceil(HIGH_RESIDUALS * len(size))]
    high = np.zeros(len(residuals), dtype=bool)
    high[known] = (size >= least) & (size > 0)
    return Answer(high, ~high & known)

"""Explanations of groups of rows, and the difference between them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clarify_ops.errors import BadDocument
from clarify_ops.explain.cohort_rows import CohortRows
from clarify_ops.explain.differences import Gap, gaps_of_means
from clarify_ops.explain.explanation import Aggregation, Explanation
from clarify_ops.explain.masking import hidden_groups

Mask = NDArray[np.bool_]
Table = dict[str, dict[str, float]]
EVERYONE = "all rows"
THE_REST = "all other rows"


@dataclass(frozen=True)
class CohortValues:
    """What moves the output in a group of rows; values are None where `reason` says why they are not shown.

    Attributes:
        name: Of the cohort.
        rule: What its rows have in common.
        rows: How many they are; None where they are too few to be told.
        unknown: Rows that lack the values that would tell whether they belong to it.
        reason: Empty, or why there are no values.
        global_values: By output and feature, as the aggregation says.
        mean_values: By output and feature: the mean of the values with their signs.
        expected_value: By output: what the values start from, on average over its rows.
        mean_prediction: By output: the expected value plus the sum of the mean values.
    """

    name: str
    rule: str
    rows: int | None
    unknown: int = 0
    reason: str = ""
    global_values: Table | None = None
    mean_values: Table | None = None
    expected_value: dict[str, float] | None = None
    mean_prediction: dict[str, float] | None = None


@dataclass(frozen=True)
class Difference:
    """One feature and output: the cohort minus what it is compared with.

    Attributes:
        feature: Its name.
        output: Its name.
        size: Of the mean absolute value: how much more the feature matters in the cohort.
        shift: Of the mean value: how much further up it moves the output there.
    """

    feature: str
    output: str
    size: Gap
    shift: Gap

    @property
    def largest(self) -> float:
        """The larger of both, without its sign."""
        return max(abs(self.size.value), abs(self.shift.value))


@dataclass(frozen=True)
class Comparison:
    """A cohort beside another.

    Attributes:
        cohort, against: Their names.
        shared: Whether rows belong to both.
        reason: Empty, or why there are no differences.
        differences: The largest first.
    """

    cohort: str
    against: str
    shared: bool = False
    reason: str = ""
    differences: tuple[Difference, ...] = ()


@dataclass(frozen=True)
class CohortReport:
    """All cohorts of an explanation.

    Attributes:
        aggregation: Of the global values.
        level: Of the intervals.
        smallest: Rows that a group needs to be shown.
        everyone: The values of all rows.
        cohorts: In the order of the configuration.
        comparisons: Of each cohort, in the same order.
        notes: What a reader must know before trusting the differences.
    """

    aggregation: Aggregation
    level: float
    smallest: int
    everyone: CohortValues
    cohorts: tuple[CohortValues, ...]
    comparisons: tuple[Comparison, ...]
    notes: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Every field; JSON types only."""
        document = asdict(self)
        for name in ("cohorts", "comparisons", "notes"):
            document[name] = list(document[name])
        for comparison in document["comparisons"]:
            comparison["differences"] = list(comparison["differences"])
        return document

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> CohortReport:
        """The inverse of `to_json`."""
        comparisons = tuple(
            Comparison(**{**one, "differences": tuple(_difference(found) for found in one["differences"])})
            for one in document["comparisons"]
        )
        return cls(
            **{
                **document,
                "everyone": CohortValues(**document["everyone"]),
                "cohorts": tuple(CohortValues(**one) for one in document["cohorts"]),
                "comparisons": comparisons,
                "notes": tuple(document["notes"]),
            }
        )


def _difference(document: Mapping[str, Any]) -> Difference:
    return Difference(**{**document, "size": Gap(**document["size"]), "shift": Gap(**document["shift"])})


def compare_cohorts(
    explanation: Explanation,
    cohorts: Sequence[CohortRows],
    *,
    aggregation: Aggregation = "mean_abs",
    level: float = 0.95,
    smallest: int = 10,
) -> CohortReport:
    """Sums up the values of every cohort, and compares it with another or with all other rows.

    The unit of the intervals is a row (Welch's, see `gaps_of_means`); a difference is `distinct` where the interval at the
    level that holds for all differences of the report together (Bonferroni) leaves out 0.

    A cohort of fewer than `smallest` rows is masked, and so is one beside which the others would tell the values of so few
    rows, as `hidden_groups` says.

    Args:
        explanation: Values of all rows of the dataset.
        cohorts: Their rows.
        aggregation: Of the global values.
        level: Confidence level.
        smallest: Rows that a group needs to be shown.

    Raises:
        BadDocument: A cohort is compared with one that does not exist, or has other rows than the explanation.
    """
    everyone = CohortRows(EVERYONE, "", np.ones(len(explanation.values), dtype=bool))
    for one in cohorts:
        if len(one.rows) != len(everyone.rows):
            raise BadDocument(
                f"The cohort {one.name!r} is of {len(one.rows)} rows, and {len(everyone.rows)} are explained."
            )
    known = {one.name: one for one in cohorts}
    reasons = _reasons(everyone, cohorts, smallest)
    pairs = [(one, _other(one, known)) for one in cohorts]
    shown = [not (reasons[one.name] or reasons.get(other.name, "")) for one, other in pairs]
    questions = 2 * sum(shown) * len(explanation.features) * len(explanation.outputs)
    comparisons = []
    for (one, other), is_shown in zip(pairs, shown, strict=True):
        if is_shown:
            comparisons.append(_compared(explanation, one, other, level, questions))
        else:
            reason = reasons[one.name] or f"{other.name}: {reasons[other.name]}"
            comparisons.append(Comparison(one.name, other.name, reason=reason))
    return CohortReport(
        aggregation=aggregation,
        level=level,
        smallest=smallest,
        everyone=_values(explanation, everyone, aggregation, reasons[EVERYONE]),
        cohorts=tuple(_values(explanation, one, aggregation, reasons[one.name]) for one in cohorts),
        comparisons=tuple(comparisons),
        notes=_notes(explanation, comparisons, level, questions),
    )


def _other(cohort: CohortRows, known: Mapping[str, CohortRows]) -> CohortRows:
    if cohort.against is None:
        return CohortRows(THE_REST, "", ~cohort.rows)
    if cohort.against not in known:
        raise BadDocument(f"The cohort {cohort.name!r} is compared with {cohort.against!r}, which is no cohort.")
    return known[cohort.against]


def _reasons(everyone: CohortRows, cohorts: Sequence[CohortRows], smallest: int) -> dict[str, str]:
    """Why a cohort's values are not shown, by name; empty where they are."""
    hidden = hidden_groups([one.rows for one in cohorts], smallest)
    reasons = {EVERYONE: _too_few(int(everyone.rows.sum()), smallest)}
    for place, one in enumerate(cohorts):
        few = _too_few(int(one.rows.sum()), smallest)
        beside = f"beside the others it would tell the values of fewer than {smallest} rows" if place in hidden else ""
        reasons[one.name] = few or beside
    return reasons


def _too_few(rows: int, smallest: int) -> str:
    if not rows:
        return "no rows"
    return f"fewer than {smallest} rows" if rows < smallest else ""


def _values(explanation: Explanation, cohort: CohortRows, aggregation: Aggregation, reason: str) -> CohortValues:
    rows = int(cohort.rows.sum())
    if reason:
        # The count of a masked cohort would tell how many rows its complement has.
        return CohortValues(cohort.name, cohort.rule, None if rows else 0, cohort.unknown, reason)
    values = explanation.values[cohort.rows]
    part = replace(explanation, values=values)
    by_output = dict(zip(explanation.outputs, range(len(explanation.outputs)), strict=True))

    def table(found: NDArray[np.float64]) -> Table:
        return {
            output: dict(zip(explanation.features, found[:, place].tolist(), strict=True))
            for output, place in by_output.items()
        }

    def mean(found: NDArray[np.float64]) -> dict[str, float]:
        return dict(zip(explanation.outputs, found[cohort.rows].mean(axis=0).tolist(), strict=True))

    return CohortValues(
        name=cohort.name,
        rule=cohort.rule,
        rows=rows,
        unknown=cohort.unknown,
        global_values=table(part.global_values(aggregation)),
        mean_values=table(values.mean(axis=0)),
        expected_value=mean(explanation.base_values),
        mean_prediction=mean(explanation.predictions),
    )


def _compared(explanation: Explanation, one: CohortRows, other: CohortRows, level: float, questions: int) -> Comparison:
    together = 1 - (1 - level) / questions
    found = []
    for place, output in enumerate(explanation.outputs):
        values = explanation.values[:, :, place]
        sizes = gaps_of_means(np.abs(values), one.rows, other.rows, level, together)
        shifts = gaps_of_means(values, one.rows, other.rows, level, together)
        found += [
            Difference(feature, output, size, shift)
            for feature, size, shift in zip(explanation.features, sizes, shifts, strict=True)
        ]
    # Equal ones stay in the order of the features.
    ordered = sorted(found, key=lambda difference: -difference.largest)
    return Comparison(one.name, other.name, bool((one.rows & other.rows).any()), differences=tuple(ordered))


def _notes(
    explanation: Explanation, comparisons: Sequence[Comparison], level: float, questions: int
) -> tuple[str, ...]:
    if not questions:
        return ()
    percent = f"{level * 100:g} %"
    by_chance = (
        f"Of {questions:,} differences about {(1 - level) * questions:.2g} would leave out 0 at {percent} by chance"
    )
    notes = [f"{by_chance}; those called distinct do so where all intervals hold together with {percent}."]
    notes += [
        f"{one.cohort} and {one.against} share rows; the intervals take that into account."
        for one in comparisons
        if one.shared
    ]
    if not explanation.exact.all():
        notes.append(
            "Values that come from a sample of coalitions carry an error, which the intervals hold only as far as it differs "
            "from row to row."
        )
    return tuple(notes)

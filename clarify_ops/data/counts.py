"""One pass over the rows makes a small table; every metric but one is a function of it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clarify_ops.config.analysis import Facet, Kind
from clarify_ops.data.kinds import Column, Distinct, kind_of, match
from clarify_ops.errors import BadData

Array = NDArray[np.float64]
ADVANTAGED, DISADVANTAGED = 0, 1
NEGATIVE, POSITIVE = 0, 1
NO_THRESHOLD = "Threshold values must be provided for continuous features"
_FEW_CELLS = 1 << 16


@dataclass(frozen=True)
class Counts:
    """Rows by subgroup, side, label and predicted label, for one facet value.

    Leading axes may be added (replicates of a bootstrap): every function of counts works on the last axes.

    Attributes:
        total: (..., 2 sides, 2 labels, 2 predictions): all rows. Side 0 is advantaged, 1 disadvantaged; label and
            prediction 1 is positive. Without predictions, all rows stand under prediction 0.
        by_group: (..., groups, 2, 2, 2), rows whose group variable is known; None without a group variable.
        predicted: Whether there are predictions.
    """

    total: Array
    by_group: Array | None = None
    predicted: bool = True

    @classmethod
    def of(cls, a: tuple[int, int, int, int], d: tuple[int, int, int, int]) -> Counts:
        """From two confusion tables, (true positives, false positives, false negatives, true negatives) each."""
        total = np.zeros((2, 2, 2))
        for side, (tp, fp, fn, tn) in enumerate((a, d)):
            total[side] = [[tn, fp], [fn, tp]]
        return cls(total)

    def n(self, side: int) -> Array:
        """Rows of a side."""
        return np.asarray(self.total[..., side, :, :].sum(axis=(-1, -2)))

    def labels(self, side: int, label: int) -> Array:
        """Rows of a side with an observed label."""
        return np.asarray(self.total[..., side, label, :].sum(axis=-1))

    def predictions(self, side: int, prediction: int) -> Array:
        """Rows of a side with a predicted label."""
        return np.asarray(self.total[..., side, :, prediction].sum(axis=-1))

    def cell(self, side: int, label: int, prediction: int) -> Array:
        """Rows of a side with an observed and a predicted label."""
        return np.asarray(self.total[..., side, label, prediction])


@dataclass(frozen=True)
class FacetEntry:
    """One facet value against the rest: one entry of a bias report.

    Attributes:
        facet: Name of the facet.
        value: The value or interval as text.
        members: Codes of the facet's column in the table that make up the disadvantaged side.
        column: Place of that column among the facets of the table: one facet may be asked about twice.
        missing: Whether it is about the rows without a value.
    """

    facet: str
    value: str
    members: frozenset[int]
    column: int = 0
    missing: bool = False


@dataclass(frozen=True)
class Axis:
    """One more way to tell rows apart than by facet, group variable and outcome: a segment configuration, or the classes of a label.

    Attributes:
        name: "segment:" and its name, "label" or "predicted_label".
        values: Texts of the codes 0, 1, ...; code -1 is a missing value.
        column: Place of its codes in the table.
    """

    name: str
    values: tuple[str, ...]
    column: int


@dataclass(frozen=True)
class CountTable:
    """The joint table over all facets, further axes, the group variable, label and predicted label.

    Attributes:
        entries: What is reported, facet by facet in the configuration's order; intersections of facets come last.
        facets: Facet names in the order of the columns of `codes`.
        groups: Values of the group variable, sorted; empty without one.
        codes: (cells, facets + axes + 3): facet codes, axis codes, group code (-1: missing or none), label, prediction.
        rows: (cells,) number of rows in each cell.
        predicted: Whether there are predictions.
        missing: Rows without a value, per facet.
        axes: Further ways to tell the rows apart.
        empty_combinations: Per intersection of facets, the combinations of their values that no row has.
    """

    entries: tuple[FacetEntry, ...]
    facets: tuple[str, ...]
    groups: tuple[str, ...]
    codes: NDArray[np.int64]
    rows: NDArray[np.int64]
    predicted: bool
    missing: Mapping[str, int]
    axes: tuple[Axis, ...] = ()
    empty_combinations: Mapping[str, int] = field(default_factory=dict)

    def where(self, axis: Axis, code: int) -> CountTable:
        """The cells of one code of an axis: the table that counting those rows alone would give."""
        kept = self.codes[:, axis.column] == code
        return replace(self, codes=self.codes[kept], rows=self.rows[kept])

    @property
    def intersections(self) -> tuple[str, ...]:
        """Names of the facets that are combinations of columns."""
        return tuple(self.empty_combinations)

    def unpredicted(self) -> CountTable:
        """The table that counting without predictions would give."""
        codes = self.codes.copy()
        codes[:, -1] = 0
        return replace(self, codes=codes, predicted=False)

    def split(self, entry: FacetEntry) -> Counts:
        """The counts of one entry."""
        column = self.codes[:, entry.column]
        side = np.isin(column, list(entry.members)).astype(np.int64)
        group, label, prediction = self.codes[:, -3], self.codes[:, -2], self.codes[:, -1]
        place = 4 * side + 2 * label + prediction
        total = np.bincount(place, weights=self.rows, minlength=8).astype(np.float64).reshape(2, 2, 2)
        by_group = None
        if self.groups:
            known = group >= 0
            grouped = 8 * group[known] + place[known]
            cells = np.bincount(grouped, weights=self.rows[known], minlength=8 * len(self.groups))
            by_group = cells.astype(np.float64).reshape(-1, 2, 2, 2)
        return Counts(total, by_group, self.predicted)


def count(
    frame: pd.DataFrame,
    *,
    facets: Sequence[Facet],
    label: NDArray[np.bool_],
    predicted: NDArray[np.bool_] | None = None,
    group: str | None = None,
    kinds: Mapping[str, Kind] | None = None,
) -> CountTable:
    """Counts rows whose outcomes are known.

    Args:
        frame: (rows, columns) with the facets and the group variable.
        facets: From the configuration; a facet without values gives one entry for each of its values.
        label: (rows,) observed positives.
        predicted: (rows,) predicted positives, or None before training.
        group: The group variable's column.
        kinds: Kinds set by hand, by column.

    Raises:
        BadData: A column is unknown, or a continuous facet has no threshold.
    """
    names = tuple(column_name(frame, facet.name_or_index, "analysis.facet") for facet in facets)
    columns = {name: Column.of(frame[name]) for name in names}
    entries, codes = code_facets([columns[name] for name in names], facets, kinds or {})
    grouped, groups = code_group(None if group is None else Column.of(frame[group]), len(frame))
    cells, rows = joint_table([*codes, grouped, label, np.zeros_like(label) if predicted is None else predicted])
    missing = {name: column.distinct.missing for name, column in columns.items()}
    return CountTable(entries, names, groups, cells, rows, predicted is not None, missing)


def joint_table(
    columns: Sequence[NDArray[Any]], weights: NDArray[np.int64] | None = None
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The combinations of codes that occur, and how often each does.

    Args:
        columns: (rows,) small integers or truth values each.
        weights: (rows,) how many rows of the dataset each stands for, at least one; one each by default.

    Returns:
        (cells, columns) combinations in ascending order, and (cells,) their rows.
    """
    if len(columns[0]) == 0:
        return np.zeros((0, len(columns)), dtype=np.int64), np.zeros(0, dtype=np.int64)
    low = [int(column.min()) for column in columns]
    sizes = [int(column.max()) - least + 1 for column, least in zip(columns, low, strict=True)]
    combinations = math.prod(sizes)
    if combinations > np.iinfo(np.int64).max // 2:
        # Many facets of many values have more combinations than a number can tell apart: slower, but without a limit.
        cells, place = np.unique(np.column_stack(columns).astype(np.int64), axis=0, return_inverse=True)
        return cells, np.bincount(place.ravel(), weights=weights).astype(np.int64)
    key = np.zeros(len(columns[0]), dtype=np.int64)
    for column, least, size in zip(columns, low, sizes, strict=True):
        key *= size
        key += column
        if least:
            key -= least
    if combinations <= max(_FEW_CELLS, 4 * len(key)):
        every = np.bincount(key, weights=weights, minlength=combinations)
        keys = np.flatnonzero(every)
        rows = every[keys]
    else:
        keys, place = np.unique(key, return_inverse=True)
        rows = np.bincount(place, weights=weights)
    cells = np.column_stack(np.unravel_index(keys, tuple(sizes))) + np.asarray(low)
    return cells.astype(np.int64), rows.astype(np.int64)


def code_group(column: Column | None, rows: int) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    """The group variable as codes of its sorted values (-1: missing, or no group variable), and their texts."""
    if column is None:
        return np.full(rows, -1, dtype=np.int64), ()
    rule, groups = group_rule(column.distinct)
    return rule[column.codes], groups


def group_rule(distinct: Distinct) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    """(distinct + 1,) the code of each value of a group variable, -1 of a missing one, and the sorted values' texts."""
    values = list(distinct.values)
    try:
        order = sorted(range(len(values)), key=values.__getitem__)
    except TypeError:
        order = sorted(range(len(values)), key=lambda i: str(values[i]))
    rule = np.full(len(values) + 1, -1, dtype=np.int64)
    rule[order] = np.arange(len(values))
    return rule, tuple(str(values[i]) for i in order)


def code_facets(
    columns: Sequence[Column], facets: Sequence[Facet], by_hand: Mapping[str, Kind]
) -> tuple[tuple[FacetEntry, ...], tuple[NDArray[np.int64], ...]]:
    """What is reported about facets, and (rows,) codes of each.

    Raises:
        BadData: A facet is continuous and has no threshold.
    """
    rules = [facet_rule(one.distinct, facet, by_hand) for one, facet in zip(columns, facets, strict=True)]
    entries = tuple(replace(entry, column=i) for i, (_, found) in enumerate(rules) for entry in found)
    return entries, tuple(rule[column.codes] for column, (rule, _) in zip(columns, rules, strict=True))


def facet_rule(
    distinct: Distinct, facet: Facet, by_hand: Mapping[str, Kind]
) -> tuple[NDArray[np.int64], list[FacetEntry]]:
    """(distinct + 1,) the code of each value of a facet and of a missing one, and the entries it is reported by.

    Raises:
        BadData: It is continuous and has no threshold.
    """
    name, values = distinct.name, facet.value_or_threshold
    kind = by_hand.get(name) or kind_of(distinct, values)
    if values:
        found = match(distinct.values, values, kind)
        return np.append(found.matches, False).astype(np.int64), [FacetEntry(name, found.text, frozenset({1}))]
    if kind == "continuous":
        raise BadData(
            NO_THRESHOLD,
            f"The facet {name!r} is continuous: give value_or_threshold,"
            f' or set clarify_ops.kinds: {{"{name}": "categorical"}}.',
        )
    entries = [FacetEntry(name, str(value), frozenset({i})) for i, value in enumerate(distinct.values)]
    if distinct.missing:
        entries.insert(distinct.missing_place, FacetEntry(name, "nan", frozenset({-1}), missing=True))
    return np.append(np.arange(len(distinct.values)), -1), entries


def column_name(frame: pd.DataFrame, column: str | int, where: str) -> str:
    """The name of a column that a document gives by name or by place.

    Raises:
        BadData: There is no such column; `where` says who asked for it.
    """
    if isinstance(column, int):
        if not 0 <= column < frame.shape[1]:
            raise BadData(
                f"{where} names column {column}, but the data have {frame.shape[1]} columns, numbered from 0."
            )
        return str(frame.columns[column])
    if column not in frame.columns:
        raise BadData.unknown_column(column, map(str, frame.columns), where)
    return column

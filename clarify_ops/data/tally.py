"""What bias analysis has to know of the rows, whichever engine read them: counts, kinds, and what was not there."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clarify_ops.config.analysis import AnalysisConfig, Facet
from clarify_ops.data.counts import Axis, CountTable, FacetEntry, code_facets, code_group, joint_table
from clarify_ops.data.intersections import code_intersections
from clarify_ops.data.kinds import Column, Distinct, Kind
from clarify_ops.data.outcomes import Outcomes, read_outcomes
from clarify_ops.data.segments import code_segments
from clarify_ops.data.surprises import KindNote, kind_note
from clarify_ops.errors import BadData, nearest

__all__ = ["CodedRows", "KindNote", "Tally", "code_rows", "tally_frame"]


@dataclass(frozen=True)
class Tally:
    """The rows of a dataset, counted.

    Attributes:
        table: Counts by facet, axis, group variable, label and predicted label.
        label: Name of the label column.
        positive: Its positive values or interval as Clarify writes them.
        kinds: Of the label, the predicted label (where there is one) and every facet, by column.
        rows, columns: Size of the dataset.
        missing: Rows without a value, for each column that was looked at and has some.
        thresholded: Whether predicted labels were made from scores by the probability threshold.
        shared_positive: As `positive`, after training: an interval then ends at the maximum of labels and predictions
            together. None where it is the same.
    """

    table: CountTable
    label: str
    positive: str
    kinds: Mapping[str, KindNote]
    rows: int
    columns: int
    missing: Mapping[str, int] = field(default_factory=dict)
    thresholded: bool = False
    shared_positive: str | None = None


@dataclass(frozen=True)
class CodedRows:
    """The rows as small numbers, before they are counted: for what needs the rows themselves.

    Attributes:
        outcomes: Label and predicted label.
        facets: Names of the facets; intersections come last.
        entries: What is reported.
        facet_codes: (rows,) each, in the order of `facets`.
        axes: Name, texts and (rows,) codes of each further axis.
        group: (rows,) codes of the group variable.
        groups: Its values as texts.
        kinds: How label, predicted label and facets were read.
        missing: Rows without a value, by column; by facet in `facet_missing`.
        combined: Columns of each intersection.
        empty_combinations: Of each intersection.
        columns: Columns of the dataset.
        weights: (rows,) how many rows of the dataset each stands for; None: one each.
    """

    outcomes: Outcomes
    facets: tuple[str, ...]
    entries: tuple[FacetEntry, ...]
    facet_codes: tuple[NDArray[np.int64], ...]
    axes: tuple[tuple[str, tuple[str, ...], NDArray[np.int64]], ...]
    group: NDArray[np.int64]
    groups: tuple[str, ...]
    kinds: Mapping[str, KindNote]
    missing: Mapping[str, int]
    facet_missing: Mapping[str, int]
    combined: Mapping[str, tuple[str, ...]]
    empty_combinations: Mapping[str, int]
    columns: int
    weights: NDArray[np.int64] | None = None

    def members(self, entry: FacetEntry) -> NDArray[np.bool_]:
        """(rows,) the disadvantaged side of an entry."""
        return np.isin(self.facet_codes[entry.column], list(entry.members))

    def tally(self) -> Tally:
        """Counts the rows."""
        outcomes = self.outcomes
        predicted = np.zeros_like(outcomes.observed) if outcomes.predicted is None else outcomes.predicted
        axes = [codes for _, _, codes in self.axes]
        cells, rows = joint_table([*self.facet_codes, *axes, self.group, outcomes.observed, predicted], self.weights)
        table = CountTable(
            entries=self.entries,
            facets=self.facets,
            groups=self.groups,
            codes=cells,
            rows=rows,
            predicted=outcomes.predicted is not None,
            missing=self.facet_missing,
            axes=tuple(Axis(name, values, len(self.facets) + i) for i, (name, values, _) in enumerate(self.axes)),
            empty_combinations=self.empty_combinations,
        )
        return Tally(
            table=table,
            label=outcomes.label,
            positive=outcomes.positive,
            kinds=self.kinds,
            rows=len(outcomes.observed) if self.weights is None else int(self.weights.sum()),
            columns=self.columns,
            missing={name: rows for name, rows in self.missing.items() if rows},
            thresholded=outcomes.thresholded,
            shared_positive=outcomes.shared_positive,
        )


def tally_frame(
    frame: pd.DataFrame,
    *,
    config: AnalysisConfig,
    label: str,
    facets: Sequence[str],
    group: str | None,
    predicted_label: str | None,
    segments: Sequence[str] = (),
    intersections: Sequence[tuple[str, ...]] = (),
) -> Tally:
    """Counts the rows of a dataset by Clarify's rules.

    Args:
        frame: (rows, columns).
        config: What the configuration says of each column.
        label: Column of the label.
        facets: Column of each facet of the configuration, in its order.
        group: Column of the group variable.
        predicted_label: Column of the predicted label; None counts labels alone, as before training.
        segments: Column of each segment configuration, in its order.
        intersections: Columns of each intersection.

    Raises:
        BadData: What stops Clarify's whole report, in its words.
    """
    return code_rows(
        frame,
        config=config,
        facets=facets,
        group=group,
        outcomes=read_outcomes(frame, config, label, predicted_label),
        segments=segments,
        intersections=intersections,
    ).tally()


def code_rows(
    frame: pd.DataFrame,
    *,
    config: AnalysisConfig,
    facets: Sequence[str],
    group: str | None,
    outcomes: Outcomes,
    segments: Sequence[str] = (),
    intersections: Sequence[tuple[str, ...]] = (),
) -> CodedRows:
    """As `tally_frame`, for outcomes that are known and rows that are still needed.

    Args:
        frame: (rows, columns).
        config: What the configuration says of each column.
        facets: Column of each facet of the configuration, in its order.
        group: Column of the group variable.
        outcomes: From the label and predicted label columns by `read_outcomes`, or from elsewhere.
        segments: Column of each segment configuration, in its order.
        intersections: Columns of each intersection.

    Raises:
        BadData: What stops Clarify's whole report, in its words.
    """
    for name in facets:
        if name not in frame.columns:
            hint = nearest(name, map(str, frame.columns))
            raise BadData(f"Facet column {name} is not present in the dataset", hint)
    looked_at = columns_looked_at(facets, group, segments, intersections)
    return code_columns(
        {name: Column.of(frame[name]) for name in looked_at},
        config=config,
        facets=facets,
        group=group,
        outcomes=outcomes,
        segments=segments,
        intersections=intersections,
        width=frame.shape[1],
    )


def columns_looked_at(
    facets: Sequence[str],
    group: str | None,
    segments: Sequence[str],
    intersections: Sequence[tuple[str, ...]],
) -> list[str]:
    """The columns that are needed beside label and predicted label, each once."""
    return list(
        dict.fromkeys([*facets, *itertools.chain(*intersections), *segments, *([] if group is None else [group])])
    )


def code_columns(
    columns: Mapping[str, Column],
    *,
    config: AnalysisConfig,
    facets: Sequence[str],
    group: str | None,
    outcomes: Outcomes,
    segments: Sequence[str],
    intersections: Sequence[tuple[str, ...]],
    width: int,
    weights: NDArray[np.int64] | None = None,
) -> CodedRows:
    """As `code_rows`, from columns that are codes already, whichever engine made them.

    Args:
        columns: Those that `columns_looked_at` names.
        config: What the configuration says of each column.
        facets: Column of each facet of the configuration, in its order.
        group: Column of the group variable.
        outcomes: Of the same rows.
        segments: Column of each segment configuration, in its order.
        intersections: Columns of each intersection.
        width: Columns of the dataset.
        weights: (rows,) how many rows of the dataset each stands for; one each by default. Rows that stand for many come
            in the order in which the first of them appears.

    Raises:
        BadData: See `code_rows`.
    """
    by_hand = config.clarify_ops.kinds
    kinds = dict(outcomes.kinds)
    asked = tuple(zip(facets, config.facet or (), strict=True))
    for name, facet in asked:
        kinds[name] = _note(kinds.get(name), columns[name].distinct, facet, by_hand.get(name))
    entries, codes = code_facets([columns[name] for name in facets], config.facet or (), by_hand)
    combined = code_intersections(columns, intersections, asked, by_hand, weights)
    grouped, groups = code_group(None if group is None else columns[group], len(outcomes.observed))
    return CodedRows(
        outcomes=outcomes,
        facets=(*facets, *(one.name for one in combined)),
        entries=(
            *entries,
            *(replace(entry, column=len(codes) + i) for i, one in enumerate(combined) for entry in one.entries),
        ),
        facet_codes=(*codes, *(one.codes for one in combined)),
        axes=(*_class_axes(outcomes), *code_segments(columns, segments, config.segment_config or ())),
        group=grouped,
        groups=groups,
        kinds=kinds,
        missing={**outcomes.missing, **{name: column.distinct.missing for name, column in columns.items()}},
        facet_missing={
            **{name: columns[name].distinct.missing for name in facets},
            **{one.name: one.missing for one in combined},
        },
        combined=dict(zip((one.name for one in combined), intersections, strict=True)),
        empty_combinations={one.name: one.empty for one in combined},
        columns=width,
        weights=weights,
    )


def _note(known: KindNote | None, distinct: Distinct, facet: Facet, by_hand: Kind | None) -> KindNote:
    """How a facet was read; one that is asked about twice has the words of both."""
    note = kind_note(distinct, facet.value_or_threshold, by_hand)
    if known is None:
        return note
    words = dict.fromkeys(one for one in (known.warning, note.warning) if one)
    return replace(known, warning=" ".join(words))


def _class_axes(outcomes: Outcomes) -> tuple[tuple[str, tuple[str, ...], NDArray[np.int64]], ...]:
    places = (("label", outcomes.label_class), ("predicted_label", outcomes.predicted_class))
    return tuple((name, outcomes.classes, codes) for name, codes in places if codes is not None)

"""What bias analysis has to know of the rows, whichever engine read them: counts, kinds, and what was not there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from clarify_ops.data.counts import CountTable
from clarify_ops.data.kinds import Kind


@dataclass(frozen=True)
class KindNote:
    """How a column was read, and why.

    Attributes:
        kind: Categorical or continuous.
        by_hand: Whether the configuration said so.
        type: The column's type as pandas names it ("int64", "str", "float64", "bool", "category").
        distinct: Distinct values, missing ones not counted.
        present: Rows with a value.
        warning: A sentence where the inferred kind would surprise; else empty.
    """

    kind: Kind
    by_hand: bool
    type: str
    distinct: int
    present: int
    warning: str = ""


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
    """

    table: CountTable
    label: str
    positive: str
    kinds: Mapping[str, KindNote]
    rows: int
    columns: int
    missing: Mapping[str, int] = field(default_factory=dict)
    thresholded: bool = False

"""Facets of several columns: every combination of their values is reported like a facet value."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clarify_ops.config.analysis import Facet, Kind
from clarify_ops.data.counts import FacetEntry
from clarify_ops.data.kinds import Column, Distinct, kind_of, numbers_of
from clarify_ops.errors import BadData

MOST_COMBINATIONS = 10_000
AND = " & "


@dataclass(frozen=True)
class Intersection:
    """One intersection of facets.

    Attributes:
        name: "sex & race".
        entries: One for each combination that some row has, in order of appearance.
        codes: (rows,) place among the entries; -1 where one of the columns has no value.
        missing: Rows of that kind.
        empty: Combinations of values that no row has.
    """

    name: str
    entries: tuple[FacetEntry, ...]
    codes: NDArray[np.int64]
    missing: int
    empty: int


def code_intersections(
    columns: Mapping[str, Column],
    intersections: Sequence[Sequence[str]],
    facets: Sequence[tuple[str, Facet]],
    by_hand: Mapping[str, Kind],
    weights: NDArray[np.int64] | None = None,
) -> list[Intersection]:
    """Every intersection of a configuration.

    Args:
        columns: By name.
        intersections: Names of the columns of each.
        facets: Name and configuration of each facet, whose thresholds cut continuous columns.
        by_hand: Kinds set by hand, by name.
        weights: (rows,) how many rows of the dataset each stands for; one each by default.

    Raises:
        BadData: One cannot be made, or has the name of another or of a facet.
    """
    found: list[Intersection] = []
    names = {name for name, _ in facets}
    for parts in intersections:
        if len(set(parts)) < len(parts):
            raise BadData(f"An intersection names a column twice: {', '.join(parts)}.", "Name each column once.")
        asked = {name: [facet for other, facet in facets if other == name] for name in parts}
        one = code_intersection({name: columns[name] for name in parts}, asked, by_hand, weights)
        if one.name in names:
            raise BadData(f"Two facets have the name {one.name!r}.", "Name each intersection once.")
        names.add(one.name)
        found.append(one)
    return found


def code_intersection(
    columns: Mapping[str, Column],
    facets: Mapping[str, Sequence[Facet]],
    by_hand: Mapping[str, Kind],
    weights: NDArray[np.int64] | None = None,
) -> Intersection:
    """Combines columns.

    Args:
        columns: The columns, by name.
        facets: What the configuration asks about each of them as a facet: its thresholds cut a continuous column.
        by_hand: Kinds set by hand, by name.
        weights: (rows,) how many rows of the dataset each stands for; one each by default.

    Raises:
        BadData: A continuous column has no threshold, or there are more than 10,000 combinations.
    """
    name = AND.join(columns)
    rules = [part_rule(column.distinct, facets.get(one, ()), by_hand.get(one)) for one, column in columns.items()]
    parts = [(texts, rule[column.codes]) for (texts, rule), column in zip(rules, columns.values(), strict=True)]
    combinations = math.prod(len(texts) for texts, _ in parts)
    if combinations > MOST_COMBINATIONS:
        raise BadData(
            f"The intersection {name!r} has {combinations:,} combinations of values; {MOST_COMBINATIONS:,} are the most.",
            "Leave out the column with the most values, or give it a threshold as a facet.",
        )
    key = np.zeros(len(parts[0][1]), dtype=np.int64)
    known = np.ones(len(key), dtype=bool)
    for texts, codes in parts:
        key = key * max(len(texts), 1) + codes
        known &= codes >= 0
    codes = np.full(len(key), -1, dtype=np.int64)
    codes[known], present = pd.factorize(key[known])
    places = np.unravel_index(present, tuple(len(texts) for texts, _ in parts)) if len(present) else ()
    values = [
        AND.join(texts[place] for (texts, _), place in zip(parts, combination, strict=True))
        for combination in zip(*places, strict=True)
    ]
    return Intersection(
        name=name,
        entries=tuple(FacetEntry(name, value, frozenset({i})) for i, value in enumerate(values)),
        codes=codes,
        missing=int((~known).sum() if weights is None else weights[~known].sum()),
        empty=combinations - len(present),
    )


def part_rule(distinct: Distinct, facets: Sequence[Facet], by_hand: Kind | None) -> tuple[list[str], NDArray[np.int64]]:
    """Texts of the parts of a column, and (distinct + 1,) the part of each value, -1 of a missing one.

    Raises:
        BadData: The column is continuous and has no threshold.
    """
    cuts = [
        facet.value_or_threshold[0]
        for facet in facets
        if facet.value_or_threshold and (by_hand or kind_of(distinct, facet.value_or_threshold)) == "continuous"
    ]
    if not cuts:
        kind = by_hand or kind_of(distinct)
        asked = any((by_hand or kind_of(distinct, facet.value_or_threshold)) == "categorical" for facet in facets)
        if kind == "continuous" and not asked:
            raise BadData(
                f"The intersection needs values of {distinct.name!r}, which is continuous.",
                f'Make it a facet with a threshold, or set clarify_ops.kinds: {{"{distinct.name}": "categorical"}}.',
            )
        return [str(value) for value in distinct.values], np.append(np.arange(len(distinct.values)), -1)
    numbers = numbers_of(distinct.values)
    low, high = numbers.min(), numbers.max()
    low, high = (one.item() if hasattr(one, "item") else one for one in (low, high))
    bounds = [low, *sorted({float(cut) if isinstance(low, float) else cut for cut in cuts if low <= cut < high}), high]
    if any(isinstance(one, float) for one in bounds):
        bounds = [float(one) for one in bounds]
    texts = [f"{'(' if i else '['}{one}, {other}]" for i, (one, other) in enumerate(itertools.pairwise(bounds))]
    place = np.searchsorted(np.asarray(bounds[1:-1], dtype=float), numbers.to_numpy(dtype=float), side="left")
    return texts, np.append(place, -1).astype(np.int64)

"""Segments of a column, as `segment_config` lists them: every metric is reported for each."""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clarify_ops.config.analysis import Segment
from clarify_ops.data.kinds import Column, Distinct, castable_to_int, match, numbers_of
from clarify_ops.errors import BadData

DEFAULT = "__default__"
_NUMBER = r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?"
_INTERVAL = re.compile(rf"([\[(])\s*({_NUMBER}|-inf)\s*,\s*({_NUMBER}|inf)\s*([\])])")


@dataclass(frozen=True)
class Span:
    """An interval of numbers.

    Attributes:
        low, high: Its ends; infinite where there is none.
        with_low, with_high: Whether the ends belong to it.
    """

    low: float
    high: float
    with_low: bool
    with_high: bool

    @classmethod
    def parse(cls, text: str) -> Span | None:
        """From "[1, 4]", "(2, 5]" or "(2, inf)"; None where it is no such thing, or holds no number.

        >>> Span.parse("(2, inf)")
        Span(low=2.0, high=inf, with_low=False, with_high=False)
        """
        found = _INTERVAL.fullmatch(text.strip())
        if found is None:
            return None
        span = cls(float(found[2]), float(found[3]), found[1] == "[", found[4] == "]")
        closed = span.with_low and span.with_high
        return span if span.low < span.high or (span.low == span.high and closed) else None

    def holds(self, numbers: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Which numbers lie in it."""
        above = numbers >= self.low if self.with_low else numbers > self.low
        below = numbers <= self.high if self.with_high else numbers < self.high
        return np.asarray(above & below)

    def meets(self, other: Span) -> bool:
        """Whether some number lies in both."""
        first, second = sorted((self, other), key=lambda one: (one.low, not one.with_low))
        return second.low < first.high or (second.low == first.high and second.with_low and first.with_high)


def code_segments(
    columns: Mapping[str, Column], names: Sequence[str], segments: Sequence[Segment]
) -> tuple[tuple[str, tuple[str, ...], NDArray[np.int64]], ...]:
    """Codes of every segment configuration.

    Args:
        columns: By name.
        names: Column of each segment configuration.
        segments: The configurations.

    Returns:
        Name ("segment:" and the configuration's or column's name), texts of the codes (the last is the rest), and (rows,)
        codes (-1: no value) of each.

    Raises:
        BadData: Segments overlap or cannot be read, or their aliases are too many or too few.
    """
    found = []
    for name, segment in zip(names, segments, strict=True):
        title = segment.config_name or name
        codes = segment_rule(columns[name].distinct, segment)[columns[name].codes]
        found.append((f"segment:{title}", _texts(segment, title), codes))
    titles = [title for title, _, _ in found]
    for title in titles:
        if titles.count(title) > 1:
            raise BadData(f"Two segment configurations are called {title[8:]!r}.", "Give each its own config_name.")
    return tuple(found)


def _texts(segment: Segment, title: str) -> tuple[str, ...]:
    lists = [",".join(str(value) for value in one) for one in segment.segments]
    aliases = segment.display_aliases
    if aliases is None:
        return (*lists, DEFAULT)
    if len(aliases) not in {len(lists), len(lists) + 1}:
        raise BadData(
            f"The segment configuration {title!r} has {len(lists)} segments and {len(aliases)} display_aliases.",
            "Give one alias for each segment, and one more for the rest if you like.",
        )
    return aliases if len(aliases) > len(lists) else (*aliases, DEFAULT)


def segment_rule(distinct: Distinct, segment: Segment) -> NDArray[np.int64]:
    """(distinct + 1,) the segment of each value, where the last number is the rest, and -1 of a missing one.

    Raises:
        BadData: Segments overlap or cannot be read.
    """
    if not all(segment.segments):
        raise BadData(f"A segment of {distinct.name!r} lists no values.", "Remove it, or say what belongs to it.")
    values = [value for one in segment.segments for value in one]
    numeric = _is_numeric(distinct.values)
    if numeric and not all(_is_number(value) for value in values):
        matches = _by_interval(distinct, segment)
    else:
        matches = [match(distinct.values, one, "categorical").matches for one in segment.segments]
    place = np.full(len(distinct.values), len(segment.segments), dtype=np.int64)
    for i, found in enumerate(matches):
        twice = found & (place < len(segment.segments))
        if twice.any():
            value = distinct.values[twice].iloc[0]
            raise _overlap(distinct.name, f"the value {value} is in segments {place[twice][0] + 1} and {i + 1}")
        place[found] = i
    return np.append(place, -1)


def _by_interval(distinct: Distinct, segment: Segment) -> list[NDArray[np.bool_]]:
    name = distinct.name
    spans: list[list[Span]] = []
    for one in segment.segments:
        parsed = [Span.parse(value) if isinstance(value, str) else None for value in one]
        for value, span in zip(one, parsed, strict=True):
            if span is None:
                raise BadData(
                    f"The segment {value!r} of {name!r} is not an interval.",
                    'Write it like "[1, 4]", "(2, 5]" or "(2, inf)", the lower end first.',
                )
        spans.append([span for span in parsed if span is not None])
    for (i, first), (j, second) in itertools.combinations(enumerate(spans), 2):
        if any(a.meets(b) for a in first for b in second):
            raise _overlap(name, f"{list(segment.segments[i])} and {list(segment.segments[j])} have numbers in common")
    numbers = numbers_of(distinct.values).to_numpy(dtype=float, na_value=np.nan)
    return [np.any([span.holds(numbers) for span in one], axis=0) for one in spans]


def _overlap(name: str, how: str) -> BadData:
    return BadData(f"The segments of {name!r} overlap: {how}.", "Every row belongs to one segment.")


def _is_number(value: str | int) -> bool:
    try:
        float(value)
    except ValueError:
        return False
    return True


def _is_numeric(values: pd.Series) -> bool:
    dtype = values.dtype
    if pd.api.types.is_bool_dtype(dtype) or isinstance(dtype, pd.CategoricalDtype):
        return False
    return pd.api.types.is_numeric_dtype(dtype) or castable_to_int(values)

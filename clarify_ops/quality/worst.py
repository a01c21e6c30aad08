"""The worst group of a facet as one number, with an interval that may be bounded like any other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from clarify_ops.measures import Ends, Interval, Measure
from clarify_ops.quality.ends import Scale

Better = Literal["high", "low"]


@dataclass(frozen=True)
class WorstEnds:
    """The interval of the least (or largest) of several numbers, one of each group.

    The truly worst group is one of them, so that its own interval's outer end already holds the worst number; the inner end
    must hold for whichever group it is taken from, and is made at Bonferroni's level.

    Attributes:
        groups: The intervals of the groups.
        better: Whether "high" or "low" numbers are better.
    """

    groups: tuple[Ends, ...]
    better: Better

    def __call__(self, level: float, scale: Scale = None) -> tuple[float, float]:
        """Both ends."""
        alone = [ends(level, scale) for ends in self.groups]
        together = [ends(1 - (1 - level) / len(self.groups), scale) for ends in self.groups]
        if self.better == "high":
            return min(low for low, _ in alone), min(high for _, high in together)
        return max(low for low, _ in together), max(high for _, high in alone)


def worst_groups(
    measures: Sequence[Measure], better: Mapping[str, Better], groups: Mapping[str, Sequence[str]], level: float
) -> tuple[Measure, ...]:
    """The worst group of every facet by every metric; undefined where the metric is undefined for any group.

    Args:
        measures: Of quality, with those of every group.
        better: By metric, which numbers are better.
        groups: By facet, the values that share all rows among them.
        level: Of the intervals.
    """
    known = {(one.metric, one.facet, one.facet_value): one for one in measures}
    return tuple(
        _worst(metric, way, facet, [known[metric, facet, value] for value in values], level)
        for facet, values in groups.items()
        for metric, way in better.items()
    )


def _worst(metric: str, better: Better, facet: str, groups: Sequence[Measure], level: float) -> Measure:
    name = f"worst_{metric}"
    unknown = next((one for one in groups if one.value is None), None)
    if unknown is not None:
        reason = f"{metric} is undefined for {unknown.subject}: {unknown.reason}"
        return Measure("quality", name, None, reason, facet=facet, groups={"all": unknown.groups["all"]})
    worst = (min if better == "high" else max)(groups, key=lambda one: one.value or 0.0)
    ends = [one.ends for one in groups if one.ends is not None]
    intervals = [one.interval for one in groups if one.interval is not None]
    whole = len(ends) == len(intervals) == len(groups)
    found = WorstEnds(tuple(ends), better)
    method = f"{intervals[0].method}, worst of {len(groups)} groups" if intervals else ""
    reliable = all(one.reliable for one in intervals)
    return Measure(
        "quality",
        name,
        worst.value,
        facet=facet,
        groups={"all": worst.groups["all"]},
        denominators={f"rows with {worst.subject}": worst.groups["all"]},
        interval=Interval(*found(level), level, method, reliable) if whole else None,
        ends=found if whole else None,
    )

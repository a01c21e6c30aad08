"""A number with all that is needed to judge it: where it comes from, of how many rows, how sure, or why there is none."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

Stage = Literal["data", "pre_training", "post_training", "quality", "explanations", "champion"]
STAGES: tuple[Stage, ...] = ("data", "pre_training", "post_training", "quality", "explanations", "champion")


@dataclass(frozen=True)
class Interval:
    """A two-sided confidence interval.

    Attributes:
        low: Lower end, in the unit of the value.
        high: Upper end; `math.inf` where a ratio has no upper bound.
        level: Confidence level, in (0, 1).
        method: How it was made, as the reports show it ("Newcombe score", "Wilson score", ...).
        reliable: False where the method does not hold for so few rows; the gate then does not decide by it.
    """

    low: float
    high: float
    level: float
    method: str
    reliable: bool = True

    def to_json(self) -> dict[str, Any]:
        """JSON types; an infinite end is the string "Infinity" or "-Infinity"."""
        return {
            "low": json_number(self.low),
            "high": json_number(self.high),
            "level": self.level,
            "method": self.method,
            "reliable": self.reliable,
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Interval:
        """The inverse of `to_json`."""
        return cls(**{**document, "low": float(document["low"]), "high": float(document["high"])})


class Ends(Protocol):
    """The interval of a measure as a function: what a p-value inverts, and what the rows that would decide are found with."""

    def __call__(self, level: float, scale: Mapping[str, float] | None = None) -> tuple[float, float]:
        """Both ends at a level, in (0, 1).

        Args:
            level: Confidence level, two-sided.
            scale: By what the rows of a side are multiplied, by the side's name in `groups`; the shares within it stay.
                Sides that are not named keep their rows. Not every interval knows how: it raises KeyError for a side.

        Returns:
            The ends in the unit of the value; NaN where there is no interval at that level.
        """
        ...


@dataclass(frozen=True)
class Measure:
    """One measured number.

    Attributes:
        stage: Which part of the pipeline measured it.
        metric: Its short name ("DPL", "auc").
        value: The number, or None where it is undefined.
        reason: Why it is undefined; empty where it is not. Undefined is never parity.
        facet: Name of the facet, or None for a number about all rows.
        facet_value: The facet's value or interval as text ("1", "(40, 75]"), or None.
        groups: Rows per side of a comparison, {"a": advantaged, "d": disadvantaged}, or {"all": rows} of what it is about.
        denominators: Every count that was divided by, by name.
        interval: None where none is computed; never a stand-in for an undefined value.
        exact: Whether this is a plain fact about these rows, without sampling error, to be judged as it stands.
        reference: The facet value that it is compared with; None where that is all other rows.
        ends: Its interval at any level, where it can be made again; neither compared nor written.
    """

    stage: Stage
    metric: str
    value: float | None
    reason: str = ""
    facet: str | None = None
    facet_value: str | None = None
    groups: Mapping[str, int] = field(default_factory=dict)
    denominators: Mapping[str, int] = field(default_factory=dict)
    interval: Interval | None = None
    exact: bool = False
    reference: str | None = None
    ends: Ends | None = field(default=None, compare=False, repr=False)

    def __post_init__(self) -> None:
        if self.value is None and not self.reason:
            raise ValueError(f"{self.metric} has neither a value nor a reason why not")
        if self.value is not None and math.isnan(self.value):
            raise ValueError(f"{self.metric} is NaN: say why it is undefined instead")

    @property
    def subject(self) -> str:
        """What the number is about, as the reports show it: `black = 1`, `black`, `all rows`, `race = x against y`."""
        return subject(self.facet, self.facet_value, self.reference)

    def to_json(self) -> dict[str, Any]:
        """JSON types only."""
        return {
            "stage": self.stage,
            "metric": self.metric,
            "facet": self.facet,
            "facet_value": self.facet_value,
            "value": None if self.value is None else json_number(self.value),
            "reason": self.reason,
            "groups": dict(self.groups),
            "denominators": dict(self.denominators),
            "interval": None if self.interval is None else self.interval.to_json(),
            "exact": self.exact,
            "reference": self.reference,
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Measure:
        """The inverse of `to_json`."""
        value, interval = document["value"], document["interval"]
        return cls(
            **{
                **document,
                "value": None if value is None else float(value),
                "interval": None if interval is None else Interval.from_json(interval),
            }
        )


def subject(facet: str | None, facet_value: str | None, reference: str | None = None) -> str:
    """What a number is about, in words.

    >>> subject("race", "b", "w"), subject("race", "b"), subject(None, None)
    ('race = b against w', 'race = b', 'all rows')
    """
    if facet is None:
        return "all rows"
    about = facet if facet_value is None else f"{facet} = {facet_value}"
    return about if reference is None else f"{about} against {reference}"


def json_number(value: float) -> float | str:
    """A float as JSON can hold it: infinities become the strings "Infinity" and "-Infinity"."""
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    return float(value)

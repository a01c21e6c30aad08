"""A number with all that is needed to judge it: where it comes from, of how many rows, how sure, or why there is none."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Stage = Literal["data", "pre_training", "post_training", "quality", "explanations"]
STAGES: tuple[Stage, ...] = ("data", "pre_training", "post_training", "quality", "explanations")


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

    def __post_init__(self) -> None:
        if self.value is None and not self.reason:
            raise ValueError(f"{self.metric} has neither a value nor a reason why not")
        if self.value is not None and math.isnan(self.value):
            raise ValueError(f"{self.metric} is NaN: say why it is undefined instead")

    @property
    def subject(self) -> str:
        """What the number is about, as the reports show it: `black = 1`, `black`, or `all rows`."""
        if self.facet is None:
            return "all rows"
        return self.facet if self.facet_value is None else f"{self.facet} = {self.facet_value}"

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


def json_number(value: float) -> float | str:
    """A float as JSON can hold it: infinities become the strings "Infinity" and "-Infinity"."""
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    return float(value)

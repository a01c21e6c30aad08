"""What of a release everybody may read: numbers in words, and groups too small to be shown masked.

The report and the card say the same things in two forms; what may be said, and how, is decided here.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from clarify_ops.gate.release import Release
from clarify_ops.gate.verdict import Judgement, Verdict
from clarify_ops.measures import Interval, Measure

# Ten is the usual floor of statistical offices for published tables: below it a rate speaks of persons, not of a group.
SMALLEST_GROUP = 10

GROUP_WORDS = {"a": "advantaged", "d": "disadvantaged", "all": "rows"}
_DECIMALS = 3
# CI is the two group sizes written as one number: with the total it gives them away.
_GROUP_SIZES_AS_A_METRIC = frozenset({"CI"})


def number(value: float, against: Iterable[float | None] = ()) -> str:
    """A number for a reader: whole ones as such, others with three decimals, or more where it would look equal to a bound.

    Args:
        value: What is to be written.
        against: Bounds that it is compared with; None is an open side.

    >>> number(0.79996, against=[0.8])
    '0.79996'
    """
    if math.isinf(value):
        return "infinite" if value > 0 else "minus infinite"
    if value == int(value):
        return f"{int(value):,}"
    if abs(value) < 0.5 * 10**-_DECIMALS:
        return f"{value:.1e}"
    for decimals in range(_DECIMALS, 13):
        text = f"{value:,.{decimals}f}"
        if all(bound is None or bound == value or float(text.replace(",", "")) != bound for bound in against):
            return text
    return repr(value)


def interval_words(interval: Interval, against: Iterable[float | None] = ()) -> str:
    """The two ends in words: `0.648 to 0.777`, with an infinite end by name."""
    bounds = tuple(against)
    return f"{number(interval.low, bounds)} to {number(interval.high, bounds)}"


def count(rows: int, smallest: int = SMALLEST_GROUP) -> str:
    """A number of rows. None at all is shown, for nobody stands behind it.

    >>> [count(n) for n in (0, 9, 1792)]
    ['0', 'fewer than 10', '1,792']
    """
    return f"fewer than {smallest}" if is_small(rows, smallest) else f"{rows:,}"


def is_small(rows: int, smallest: int = SMALLEST_GROUP) -> bool:
    """Whether a group of that many rows is masked."""
    return 0 < rows < smallest


def registration(verdict: Verdict) -> str:
    """What the verdict means for the registry, in one sentence."""
    if verdict.outcome == "PASS":
        return "The model may enter the registry."
    if verdict.outcome == "FAIL":
        return "Registration is refused: the model does not enter the registry."
    return {
        "warn": "The policy lets an undecided model enter the registry; the open questions below go with it.",
        "approval": "The model waits outside the registry until a person approves it.",
    }.get(verdict.inconclusive, "Registration is blocked: more data, or a narrower question, must decide first.")


def _is_of_people(one: Measure | Judgement, denominator: str) -> bool:
    """Whether a count is one of rows. Explanations also divide by features and by pairs of explanations, however few."""
    return one.stage != "explanations" or "rows" in denominator


@dataclass(frozen=True)
class Mask:
    """Which facet values of a release are not shown.

    Attributes:
        small: (facet, value) of groups below `SMALLEST_GROUP` rows: neither their counts nor their metrics are shown.
        beside: Where exactly one value of a facet is small, the next smallest one: its count is not shown either, or
            the small one would follow by subtraction.
        smallest: Rows that a group needs to be shown.
    """

    small: frozenset[tuple[str, str]]
    beside: frozenset[tuple[str, str]]
    smallest: int = SMALLEST_GROUP

    @classmethod
    def of(cls, release: Release) -> Mask:
        """Finds them from the facets' rows and from the groups of every measure."""
        return cls.among(release.data.facets, release.measures)

    @classmethod
    def among(
        cls,
        facets: Mapping[str, Mapping[str, int]],
        measures: Iterable[Measure | Judgement],
        smallest: int = SMALLEST_GROUP,
    ) -> Mask:
        """As `of`, from rows by facet and value and from whatever knows the rows of its groups."""
        sizes: dict[str, dict[str, int]] = {facet: dict(values) for facet, values in facets.items()}
        for one in measures:
            if one.facet is not None and one.facet_value is not None and "d" in one.groups:
                sizes.setdefault(one.facet, {}).setdefault(one.facet_value, one.groups["d"])
        small: set[tuple[str, str]] = set()
        beside: set[tuple[str, str]] = set()
        for facet, values in sizes.items():
            # Rows without a value are a fact about the data, not a group of people.
            tiny = [value for value, rows in values.items() if is_small(rows, smallest) and value != "missing"]
            small.update((facet, value) for value in tiny)
            others = [value for value in values if value not in tiny and values[value] > 0]
            if len(tiny) == 1 and others:
                beside.add((facet, min(others, key=lambda value: (values[value], value))))
        return cls(frozenset(small), frozenset(beside), smallest)

    @property
    def fewer(self) -> str:
        """What stands for the rows of a masked group."""
        return f"fewer than {self.smallest}"

    @property
    def enough(self) -> str:
        """What stands for rows that would give a masked group away."""
        return f"{self.smallest} or more"

    @property
    def hidden(self) -> str:
        """What stands for a value that is not published."""
        return f"not published: a group has {self.fewer} rows"

    @property
    def masks_anything(self) -> bool:
        """Whether any group of the release is masked."""
        return bool(self.small)

    def hides(self, one: Measure | Judgement) -> bool:
        """Whether value and interval stay unpublished."""
        if self.stands_beside(one) and one.metric in _GROUP_SIZES_AS_A_METRIC:
            return True
        subject = (one.facet or "", one.facet_value or "")
        return subject in self.small or any(is_small(rows, self.smallest) for rows in one.groups.values())

    def stands_beside(self, one: Measure | Judgement) -> bool:
        """Whether its numbers of rows would give away, by subtraction, the rows of a masked group."""
        return (one.facet or "", one.facet_value or "") in self.beside

    def groups(self, one: Measure | Judgement) -> dict[str, str]:
        """Rows per side in words, by the side's name: {"disadvantaged": "197", "advantaged": "1,792"}."""
        known = [key for key in ("all", "d", "a") if key in one.groups]
        ordered = known + [key for key in one.groups if key not in known]
        return {GROUP_WORDS.get(key, key): self._side(one, one.groups[key]) for key in ordered}

    def denominators(self, one: Measure | Judgement) -> dict[str, str]:
        """What was divided by, in words; nothing where the measure is hidden."""
        if self.hides(one):
            return {}
        return {
            name: self._side(one, count) if _is_of_people(one, name) else f"{count:,}"
            for name, count in one.denominators.items()
        }

    def facet_rows(self, facet: str, values: Mapping[str, int]) -> dict[str, str]:
        """Rows per facet value in words."""
        return {
            value: self.fewer
            if (facet, value) in self.small
            else self.enough
            if (facet, value) in self.beside
            else f"{rows:,}"
            for value, rows in values.items()
        }

    def reason(self, one: Measure | Judgement) -> str:
        """The sentence of a judgement or of an undefined measure, unless it would say what is masked."""
        if not self.hides(one) and not self.stands_beside(one):
            return one.reason
        counts = {str(rows) for rows in (*one.groups.values(), *one.denominators.values())}
        told = set(re.findall(r"\d+", one.reason.replace(",", ""))) & counts
        if self.hides(one) or told:
            return f"The reason names numbers of a group that is too small to be published ({self.fewer} rows)."
        return one.reason

    def _side(self, one: Measure | Judgement, rows: int) -> str:
        if rows == 0 or is_small(rows, self.smallest):
            return count(rows, self.smallest)
        return self.enough if self.hides(one) or self.stands_beside(one) else f"{rows:,}"

"""What a card says, whatever its form: the owner's words, the release's numbers, and what nobody wrote."""

from __future__ import annotations

from dataclasses import dataclass

from clarify_ops.config.card import CardSection
from clarify_ops.data.source import address
from clarify_ops.gate.published import Mask, interval_words, number, registration
from clarify_ops.gate.release import Release
from clarify_ops.gate.verdict import Judgement
from clarify_ops.measures import Measure, Stage

NOT_STATED = "Not stated."
# What a reader of a card may expect to find in the owner's words, with the question it answers.
QUESTIONS = {
    "owner": "Who answers for the model",
    "contact": "Where questions go",
    "licence": "Terms of use",
    "purpose": "What the model is for",
    "intended_uses": "What it may be used for",
    "downstream_uses": "What others may build on it",
    "out_of_scope": "What it must not be used for",
    "users": "Who uses it",
    "factors": "What makes it work better or worse",
    "risk_rating": "How risky its use is",
    "risk_explanation": "Why that risk rating",
    "human_oversight": "How people watch over it and step in",
    "ethical_considerations": "What was weighed",
    "caveats": "Limitations and recommendations",
    "environmental_impact": "What it costs the environment",
}


@dataclass(frozen=True)
class Section:
    """Measures that belong together: one stage and one subject."""

    stage: Stage
    facet: str | None
    facet_value: str | None
    reference: str | None
    measures: tuple[Measure, ...]

    @property
    def subject(self) -> str:
        """`black = 1`, or `all rows`."""
        return self.measures[0].subject


@dataclass(frozen=True)
class CardContent:
    """Everything on a card.

    Attributes:
        release: The candidate with its numbers.
        words: The `card:` section.
        mask: Which groups are too small to be shown.
        gaps: Keys of `QUESTIONS` that the owner left open.
    """

    release: Release
    words: CardSection
    mask: Mask
    gaps: tuple[str, ...]

    @classmethod
    def of(cls, release: Release) -> CardContent:
        """Gathers it.

        Raises:
            BadDocument: The `card:` section has an unknown key or a wrong value.
        """
        words = CardSection.parse(release.card, "The card section")
        return cls(release, words, Mask.of(release), tuple(key for key in QUESTIONS if getattr(words, key) is None))

    def said(self, key: str) -> str:
        """The owner's words for a key, or that there are none."""
        return getattr(self.words, key) or NOT_STATED

    def sections(self, *stages: Stage) -> list[Section]:
        """The measures of some stages, grouped by subject and stage in the order of measurement."""
        groups: dict[tuple[str | None, str | None, str | None, Stage], list[Measure]] = {}
        for stage in stages:
            for one in self.release.of(stage):
                groups.setdefault((one.facet, one.facet_value, one.reference, one.stage), []).append(one)
        subjects = list(dict.fromkeys(key[:3] for key in groups))
        ordered = sorted(groups.items(), key=lambda item: subjects.index(item[0][:3]))
        return [
            Section(stage, facet, value, reference, tuple(those)) for (facet, value, reference, stage), those in ordered
        ]

    def value(self, one: Measure | Judgement) -> str:
        """A measured number in words, or why there is none."""
        if self.mask.hides(one):
            return self.mask.hidden
        if one.value is None:
            return f"undefined: {self.mask.reason(one).removeprefix('Undefined: ')}"
        return number(one.value, _bounds(one))

    def interval(self, one: Measure | Judgement) -> str:
        """Its interval in words, with level and method; empty where there is none to show."""
        if one.interval is None or one.value is None or self.mask.hides(one):
            return ""
        weak = "" if one.interval.reliable else ", not reliable"
        return (
            f"{interval_words(one.interval, _bounds(one))} ({one.interval.level * 100:g} % {one.interval.method}{weak})"
        )

    def rows(self, one: Measure | Judgement) -> str:
        """Rows per side in words."""
        return ", ".join(f"{rows} {side}" for side, rows in self.mask.groups(one).items())

    def divided(self, one: Measure | Judgement) -> str:
        """Denominators in words."""
        return ", ".join(f"{name} {rows}" for name, rows in self.mask.denominators(one).items())

    def outcome(self, one: Judgement) -> str:
        """The outcome, with the waiver that lifts it."""
        return f"{one.outcome}, waived" if one.waived else one.outcome

    def statistics(self, one: Judgement) -> str:
        """How sure the answer is, and what would decide it: p-values, the answer of the rule alone, the rows it needs."""
        said: list[str] = []
        if self.mask.hides(one):
            return ""
        if one.mode == "point":
            said.append("the value alone is compared")
        if one.p_value is not None:
            corrected = "" if one.adjusted_p is None else f", {number(one.adjusted_p)} within its family"
            said.append(f"p = {number(one.p_value)}{corrected}")
        if one.plain is not None and one.plain != one.outcome:
            said.append(f"{one.plain} if it were the only rule")
        if one.needs is not None and not self.mask.stands_beside(one):
            said.append(one.needs.note)
        return "; ".join(said)

    @property
    def dataset(self) -> str:
        """The dataset's address without secrets."""
        return address(self.release.data.name)

    @property
    def importance(self) -> list[tuple[str, list[tuple[str, float]]]]:
        """Features by falling importance, per label."""
        return [
            (label, sorted(values.items(), key=lambda item: (-abs(item[1]), item[0])))
            for label, values in self.release.explanations.global_values.items()
        ]

    @property
    def registration(self) -> str:
        """What the verdict means for the registry, in a sentence."""
        return registration(self.release.verdict)


def _bounds(one: Measure | Judgement) -> tuple[float | None, ...]:
    return (one.min, one.max) if isinstance(one, Judgement) else ()


def waiver_sentence(one: Judgement) -> str:
    """A waiver in one breath; empty where there is none."""
    if one.waiver is None:
        return ""
    given = one.waiver
    effect = "Waived" if one.waived else "Waiver without effect"
    return (
        f"{effect} ({given.note}), up to {number(given.up_to)}: {given.reason} "
        f"Asked by {given.author}, approved by {given.approver}, granted {given.granted}, expires {given.expires}."
    )

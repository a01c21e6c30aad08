"""What the gate answers: three outcomes a rule, one for the whole, and nothing hidden."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from clarify_ops.measures import Interval, json_number
from clarify_ops.measures import subject as subject_of

Outcome = Literal["PASS", "FAIL", "INCONCLUSIVE"]


@dataclass(frozen=True)
class WaiverUse:
    """A waiver as the gate applied it.

    Attributes:
        counts: Whether it lifts the rule's outcome today.
        note: Why not, or until when ("counts until 2027-03-31", "does not count: expired on ...").
        model: The one model of the registry that it is for; None for whichever is judged.
    """

    counts: bool
    note: str
    up_to: float
    reason: str
    author: str
    approver: str
    granted: str
    expires: str
    model: str | None = None

    def to_json(self) -> dict[str, Any]:
        """JSON types only."""
        return dict(vars(self))


@dataclass(frozen=True)
class IdleWaiver:
    """A waiver of the policy that no judgement shows: not needed, about nothing, or beside another.

    Attributes:
        rule, facet_value: What it was written for.
        waiver: Its words, and in `note` why it lifts nothing.
    """

    rule: str
    facet_value: str | None
    waiver: WaiverUse

    def to_json(self) -> dict[str, Any]:
        """JSON types only."""
        return {"rule": self.rule, "facet_value": self.facet_value, "waiver": self.waiver.to_json()}


@dataclass(frozen=True)
class Needs:
    """What would decide a rule that is INCONCLUSIVE.

    Attributes:
        group: Whose rows: the facet value, the reference, "all rows"; empty where no number of rows decides.
        rows: How many that group must have in all, for 80 % power if what was observed is true; None where none decides.
        note: The same in a sentence.
    """

    group: str
    rows: int | None
    note: str

    def to_json(self) -> dict[str, Any]:
        """JSON types only."""
        return dict(vars(self))


@dataclass(frozen=True)
class Judgement:
    """One rule applied to one measure.

    Attributes:
        rule: Id of the rule.
        stage, metric, facet, facet_value: What was measured.
        min, max: The bound as it is judged by, both sides of a signed metric or a ratio; None on an open side.
        mode: `interval`, or `point` where the policy compares the value alone.
        reference: The facet value that it is compared with; None for all other rows.
        family: The rules that share one rate of false alarms.
        p_value: One-sided, that a value at the nearer bound gives what was observed, twice that where the bound is narrower
            than half the interval; None where it is not known.
        adjusted_p: The same after Holm's correction within the family: what FAIL is decided by.
        plain: The outcome if this were the only rule.
        needs: The rows that would decide it, where it is INCONCLUSIVE.
        why: Where the bound comes from, in the policy's words.
        outcome: By the interval against the bound, before any waiver.
        reason: One sentence that says why this outcome.
        value: The measured number, or None where it is undefined or missing.
        interval: Its confidence interval, where it has one.
        groups, denominators: Row counts behind it, by name.
        waiver: The waiver that covers this rule and value, whether it counts or not.
    """

    rule: str
    stage: str
    metric: str
    facet: str | None
    facet_value: str | None
    min: float | None
    max: float | None
    why: str
    outcome: Outcome
    reason: str
    value: float | None
    interval: Interval | None
    groups: Mapping[str, int]
    denominators: Mapping[str, int]
    waiver: WaiverUse | None = None
    mode: Literal["interval", "point"] = "interval"
    reference: str | None = None
    family: str = ""
    p_value: float | None = None
    adjusted_p: float | None = None
    plain: Outcome | None = None
    needs: Needs | None = None

    @property
    def waived(self) -> bool:
        """Whether a waiver lifts this outcome."""
        return self.outcome != "PASS" and self.waiver is not None and self.waiver.counts

    @property
    def subject(self) -> str:
        """What it is about: `black = 1`, or `all rows`; `black` where the facet itself was not measured."""
        return subject_of(self.facet, self.facet_value, self.reference)

    @property
    def bound(self) -> str:
        """The bound in words: `-0.1 to 0.1`, `at least 0.8`, `at most 0.05`."""
        if self.min is None:
            return f"at most {self.max:g}"
        if self.max is None:
            return f"at least {self.min:g}"
        return f"{self.min:g} to {self.max:g}"

    def to_json(self) -> dict[str, Any]:
        """JSON types only."""
        return {
            "rule": self.rule,
            "stage": self.stage,
            "metric": self.metric,
            "facet": self.facet,
            "facet_value": self.facet_value,
            "min": self.min,
            "max": self.max,
            "why": self.why,
            "outcome": self.outcome,
            "reason": self.reason,
            "value": None if self.value is None else json_number(self.value),
            "interval": None if self.interval is None else self.interval.to_json(),
            "groups": dict(self.groups),
            "denominators": dict(self.denominators),
            "waived": self.waived,
            "waiver": None if self.waiver is None else self.waiver.to_json(),
            "mode": self.mode,
            "reference": self.reference,
            "family": self.family or self.rule,
            "p_value": self.p_value,
            "adjusted_p": self.adjusted_p,
            "plain": self.plain or self.outcome,
            "needs": None if self.needs is None else self.needs.to_json(),
        }


@dataclass(frozen=True)
class Verdict:
    """The answer for a model.

    Attributes:
        outcome: The worst of the judgements after waivers; FAIL where there are none.
        reason: One sentence.
        policy: Name of the policy; `policy_digest` its content.
        confidence: Level of the intervals.
        inconclusive: What the policy wants done about INCONCLUSIVE.
        judgements: One for every rule and measure it applies to, in the policy's order.
        idle_waivers: The waivers that none of the judgements shows.
    """

    outcome: Outcome
    reason: str
    policy: str
    policy_digest: str
    confidence: float
    inconclusive: str
    judgements: tuple[Judgement, ...]
    idle_waivers: tuple[IdleWaiver, ...] = ()

    @property
    def may_register(self) -> bool:
        """Whether the model may enter the registry."""
        return self.outcome == "PASS" or (self.outcome == "INCONCLUSIVE" and self.inconclusive == "warn")

    @property
    def exit_status(self) -> int:
        """0, 3 (FAIL) or 4 (INCONCLUSIVE, and the policy blocks or asks for approval)."""
        if self.may_register:
            return 0
        return 3 if self.outcome == "FAIL" else 4

    @property
    def waived(self) -> tuple[Judgement, ...]:
        """The judgements that a waiver lifts."""
        return tuple(one for one in self.judgements if one.waived)

    def to_json(self) -> dict[str, Any]:
        """The document of `verdict.json`."""
        return {
            "version": "1",
            "outcome": self.outcome,
            "reason": self.reason,
            "may_register": self.may_register,
            "policy": self.policy,
            "policy_digest": self.policy_digest,
            "confidence": self.confidence,
            "inconclusive": self.inconclusive,
            "judgements": [one.to_json() for one in self.judgements],
            "idle_waivers": [one.to_json() for one in self.idle_waivers],
        }

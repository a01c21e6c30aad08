"""`policy.yaml`: what a model must show before it may be registered."""

from __future__ import annotations

import datetime
from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, field_validator, model_validator

from clarify_ops.config.closed import Closed
from clarify_ops.measures import Stage


def _as_text(value: object) -> object:
    # A facet value is compared as the text that metrics.json holds; YAML reads 1 as a number and yes as a truth value.
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


FacetValue = Annotated[str, BeforeValidator(_as_text)]
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$")]
Words = Annotated[str, Field(min_length=1)]
# Far beyond every metric, and near enough to be drawn.
Bound = Annotated[float, Field(ge=-1e12, le=1e12)]


class Rule(Closed):
    """One bound on one metric.

    Attributes:
        id: Short name that verdicts and waivers refer to.
        stage: Which step's measures the rule looks at.
        metric: The measure's name, for example `DI` or `auc`.
        facet: The facet the rule is about; None for a measure about all rows.
        values: The facet values it is about; None for every one that the analysis reports.
        min: Lower bound of what is acceptable, inclusive.
        max: Upper bound, inclusive.
        why: Where the bound comes from, in words for the reader of the report.
        within: In place of min and max, a bound around parity: 0.1 is -0.1 to 0.1 for a metric with a sign, 0.8 is 0.8 to
            1.25 for a ratio.
        sides: A metric with a sign and a ratio are bounded on both sides: a single bound is mirrored at parity, for ratios
            on the logarithm, unless this is `one`.
        mode: `interval` judges by the confidence interval; `point` compares the value alone, as other gates do.
        family: Rules of one name share one rate of false alarms; a rule without a name is a family with its own groups.
        reference: The facet value that the others are compared with, in place of all other rows.
        except_values: Facet values that are left out on purpose, each with the reason.
    """

    id: Name
    stage: Stage
    metric: Words
    facet: str | None = None
    values: Annotated[tuple[FacetValue, ...], Field(min_length=1)] | None = None
    min: Bound | None = None
    max: Bound | None = None
    why: Words
    within: Annotated[float, Field(gt=0, le=1e12)] | None = None
    sides: Literal["two", "one"] = "two"
    mode: Literal["interval", "point"] = "interval"
    family: Name | None = None
    reference: FacetValue | None = None
    except_values: dict[FacetValue, Words] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _has_a_bound(self) -> Self:
        if self.within is not None and (self.min is not None or self.max is not None):
            raise ValueError(f"rule {self.id!r} has within beside min or max: they say the same in two ways")
        if self.min is None and self.max is None and self.within is None:
            raise ValueError(f"rule {self.id!r} has neither min nor max nor within, so that everything would pass")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ValueError(
                f"rule {self.id!r} has min {self.min:g} above max {self.max:g}, so that nothing could pass"
            )
        named = self.values is not None or self.reference is not None or bool(self.except_values)
        if named and self.facet is None:
            raise ValueError(f"rule {self.id!r} lists facet values but no facet")
        return self


class Waiver(Closed):
    """A dated, signed-off exception: it is shown wherever the rule is, and it ends.

    Attributes:
        rule: Id of the rule that it lifts.
        facet_value: The one facet value it covers; None only for a rule without a facet.
        model: The one model of the registry that it is for; None for whichever is judged by this policy.
        up_to: The worst value that it covers: beyond it the waiver counts for nothing.
        reason: Why the exception is acceptable, and for how long.
        author: Who asked for it.
        approver: Who granted it: another person.
        granted: The day it was granted.
        expires: The last day on which it counts.
    """

    rule: Name
    facet_value: FacetValue | None = None
    model: Words | None = None
    up_to: Bound
    reason: Words
    author: Words
    approver: Words
    granted: datetime.date
    expires: datetime.date

    @model_validator(mode="after")
    def _two_people_and_an_end(self) -> Self:
        if self.author.strip().casefold() == self.approver.strip().casefold():
            raise ValueError(f"the waiver of {self.rule!r} has one person as author and approver")
        if self.expires < self.granted:
            raise ValueError(f"the waiver of {self.rule!r} expires before it is granted")
        return self


class Policy(Closed):
    """The whole policy.

    Attributes:
        version: Of this schema.
        name: Shown in verdicts and reports.
        confidence: Level of the two-sided intervals that must lie within the bound for a rule to pass.
        alpha: One-sided rate of false FAIL, held over each family.
        max_age_days: Evidence older than this fails; None sets no limit.
        inconclusive: What happens where an interval straddles its bound: `block`, ask for `approval`, or `warn`.
        no_champion: What rules of stage `champion` say while the registry has none: `fail`, or `pass` for a first release.
        rules: May be empty in the document; the gate then fails, because nothing was asked.
        waivers: Exceptions in force.
    """

    version: Literal["1"] = "1"
    name: Name
    confidence: float = Field(default=0.95, gt=0.5, le=0.999999)
    alpha: float = Field(default=0.05, gt=0, lt=0.5)
    max_age_days: Annotated[float, Field(gt=0)] | None = None
    inconclusive: Literal["block", "approval", "warn"] = "block"
    no_champion: Literal["fail", "pass"] = "fail"
    rules: tuple[Rule, ...] = ()
    waivers: tuple[Waiver, ...] = ()

    @field_validator("version", mode="before")
    @classmethod
    def _version_as_text(cls, value: object) -> object:
        return _as_text(value)

    @model_validator(mode="after")
    def _references_hold(self) -> Self:
        ids = [rule.id for rule in self.rules]
        twice = sorted({one for one in ids if ids.count(one) > 1})
        if twice:
            raise ValueError(f"the rule id {twice[0]!r} is used twice")
        rules = {rule.id: rule for rule in self.rules}
        for waiver in self.waivers:
            if waiver.rule not in rules:
                raise ValueError(f"a waiver names the rule {waiver.rule!r}, which the policy does not have")
            if rules[waiver.rule].facet is not None and waiver.facet_value is None:
                raise ValueError(f"the waiver of {waiver.rule!r} must name the facet value that it covers")
        return self

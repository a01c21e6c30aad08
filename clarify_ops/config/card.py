"""The `card:` section of `pipeline.yaml`: what only people know about a model."""

from __future__ import annotations

import datetime
import json
from typing import Annotated, Literal, Self, get_args

from pydantic import BeforeValidator, Field, model_validator

from clarify_ops.config.closed import Closed

RiskRating = Literal["High", "Medium", "Low", "Unknown"]

# What SageMaker's model cards take of a text, in characters, and of all texts together as JSON: half of its 100,000
# characters is left to the numbers. The same texts go into every form of the card, so that the narrowest one decides.
SHORT, LONG, KEY = 1024, 2048, 255
TOGETHER = 50_000
ENTRIES = 100


def _as_text(value: object) -> object:
    # YAML reads 3 as a number and 2026-03-01 as a date; on a card both are words.
    plain = isinstance(value, int | float | datetime.date) and not isinstance(value, bool)
    return str(value) if plain else value


def _as_rating(value: object) -> object:
    known = {one.casefold(): one for one in get_args(RiskRating)}
    return known.get(value.strip().casefold(), value) if isinstance(value, str) else value


def _as_list(value: object) -> object:
    return [value] if isinstance(value, str) else value


Text = Annotated[str, Field(min_length=1, max_length=SHORT), BeforeValidator(_as_text)]
LongText = Annotated[str, Field(min_length=1, max_length=LONG), BeforeValidator(_as_text)]
# ISO 639-1 to 639-3, or one of the words that model hubs take in their place.
Language = Annotated[str, Field(pattern=r"^([a-z]{2,3}|code|multilingual)$")]
Tag = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9 _.:/-]{0,95}$")]


class CardSection(Closed):
    """What the card says in the words of the model's owner; whatever is absent is listed on the card as a gap.

    A text that is longer than a form of the card can hold is refused when the document is read: 1,024 characters, or
    2,048 where that is said below, and 50,000 for all together as JSON.

    Attributes:
        owner: Who answers for the model.
        creator: Who made it.
        description: What the model does.
        purpose: Why it exists (2,048).
        intended_uses: What it may be used for (2,048).
        downstream_uses: What others may build on it.
        out_of_scope: What it must not be used for.
        users: Who uses it.
        factors: What makes it work better or worse (2,048).
        risk_rating: High, Medium, Low or Unknown.
        risk_explanation: Why that rating (2,048).
        human_oversight: How people watch over it, and how they step in.
        business_problem: The problem it solves (2,048).
        business_stakeholders: Whom it concerns (2,048).
        line_of_business: Where in the organisation (2,048).
        ethical_considerations: What was weighed (2,048).
        caveats: Limitations and recommendations (2,048).
        environmental_impact: What making and using it costs the environment.
        problem_type: For example `Binary Classification`.
        licence: Terms of use of the model.
        contact: Where questions go.
        language: Languages of the data, as ISO 639 codes.
        tags: Words by which a model hub finds it.
        custom: Anything else, by name.
    """

    owner: Text | None = None
    creator: Text | None = None
    description: Text | None = None
    purpose: LongText | None = None
    intended_uses: LongText | None = None
    downstream_uses: Text | None = None
    out_of_scope: Text | None = None
    users: Text | None = None
    factors: LongText | None = None
    risk_rating: Annotated[RiskRating, BeforeValidator(_as_rating)] | None = None
    risk_explanation: LongText | None = None
    human_oversight: Text | None = None
    business_problem: LongText | None = None
    business_stakeholders: LongText | None = None
    line_of_business: LongText | None = None
    ethical_considerations: LongText | None = None
    caveats: LongText | None = None
    environmental_impact: Text | None = None
    problem_type: Text | None = None
    licence: Text | None = None
    contact: Text | None = None
    language: Annotated[tuple[Language, ...], BeforeValidator(_as_list), Field(max_length=ENTRIES)] = ()
    tags: Annotated[tuple[Tag, ...], BeforeValidator(_as_list), Field(max_length=ENTRIES)] = ()
    custom: Annotated[dict[Annotated[str, Field(min_length=1, max_length=KEY)], Text], Field(max_length=ENTRIES)] = (
        Field(default_factory=dict)
    )

    @model_validator(mode="after")
    def _fits(self) -> Self:
        together = len(json.dumps(self.model_dump(mode="json", exclude_none=True)))
        if together > TOGETHER:
            raise ValueError(
                f"its texts have {together:,} characters as JSON, more than the {TOGETHER:,} that a model card has room for"
            )
        return self

"""The `card:` section of `pipeline.yaml`: what only people know about a model."""

from __future__ import annotations

import datetime
from typing import Annotated, Literal, get_args

from pydantic import BeforeValidator, Field

from clarify_ops.config.closed import Closed

RiskRating = Literal["High", "Medium", "Low", "Unknown"]


def _as_text(value: object) -> object:
    # YAML reads 3 as a number and 2026-03-01 as a date; on a card both are words.
    plain = isinstance(value, int | float | datetime.date) and not isinstance(value, bool)
    return str(value) if plain else value


def _as_rating(value: object) -> object:
    known = {one.casefold(): one for one in get_args(RiskRating)}
    return known.get(value.strip().casefold(), value) if isinstance(value, str) else value


Text = Annotated[str, BeforeValidator(_as_text), Field(min_length=1)]


class CardSection(Closed):
    """What the card says in the words of the model's owner; whatever is absent is listed on the card as a gap.

    Attributes:
        owner: Who answers for the model.
        creator: Who made it.
        description: What the model does.
        purpose: Why it exists.
        intended_uses: What it may be used for.
        out_of_scope: What it must not be used for.
        users: Who uses it.
        factors: What makes it work better or worse.
        risk_rating: High, Medium, Low or Unknown.
        risk_explanation: Why that rating.
        business_problem: The problem it solves.
        business_stakeholders: Whom it concerns.
        line_of_business: Where in the organisation.
        ethical_considerations: What was weighed.
        caveats: Limitations and recommendations.
        problem_type: For example `Binary Classification`.
        licence: Terms of use of the model.
        contact: Where questions go.
        custom: Anything else, by name.
    """

    owner: Text | None = None
    creator: Text | None = None
    description: Text | None = None
    purpose: Text | None = None
    intended_uses: Text | None = None
    out_of_scope: Text | None = None
    users: Text | None = None
    factors: Text | None = None
    risk_rating: Annotated[RiskRating, BeforeValidator(_as_rating)] | None = None
    risk_explanation: Text | None = None
    business_problem: Text | None = None
    business_stakeholders: Text | None = None
    line_of_business: Text | None = None
    ethical_considerations: Text | None = None
    caveats: Text | None = None
    problem_type: Text | None = None
    licence: Text | None = None
    contact: Text | None = None
    custom: dict[Annotated[str, Field(min_length=1)], Text] = Field(default_factory=dict)

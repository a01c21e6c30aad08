"""`card:` of a pipeline: what only people can say about a model."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from clarify_ops.config.closed import Closed


class CardSection(Closed):
    """All optional; what is absent is listed in the card as not stated."""

    owner: str | None = None
    creator: str | None = None
    contact: str | None = None
    licence: str | None = None
    description: str | None = None
    problem_type: str | None = None
    purpose: str | None = None
    intended_uses: str | None = None
    out_of_scope: str | None = None
    users: str | None = None
    factors: str | None = None
    risk_rating: Literal["High", "Medium", "Low", "Unknown"] | None = None
    risk_explanation: str | None = None
    business_problem: str | None = None
    business_stakeholders: str | None = None
    line_of_business: str | None = None
    ethical_considerations: str | None = None
    caveats: str | None = None
    custom: dict[str, str] = Field(default_factory=dict)

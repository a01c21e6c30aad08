"""`clarify_ops.cohorts`: groups of rows whose explanations are shown beside each other.

"cohorts": [
{"name": "young women", "where": "sex == 'Female' and age < 30"},
{"name": "women", "facet": {"name_or_index": "sex", "value_or_threshold": ["Female"]}},
{"name": "wrongly refused", "error": "false_negatives", "against": "wrongly approved"},
{"name": "wrongly approved", "error": "false_positives"}
]
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, StrictFloat, StrictInt, StrictStr, model_validator

from clarify_ops.config.closed import Closed

ErrorKind = Literal["false_positives", "false_negatives", "wrong", "right", "high_residuals"]


class CohortFacet(Closed):
    """Rows that match values of a column, or lie above a threshold, as the values of a facet do.

    Attributes:
        name_or_index: The column.
        value_or_threshold: Values (categorical) or one threshold (continuous).
    """

    name_or_index: StrictStr | StrictInt
    value_or_threshold: Annotated[tuple[StrictInt | StrictFloat | StrictStr, ...], Field(min_length=1)]


class Cohort(Closed):
    """A group of rows, by exactly one of `where`, `facet` and `error`.

    Attributes:
        name: What the report calls it.
        where: A filter expression over the dataset's columns; see `clarify_ops.explain.filters`.
        facet: Values of a column.
        error: Rows that the model is wrong or right about.
        against: Name of the cohort that it is compared with; absent: all other rows.
    """

    name: Annotated[StrictStr, Field(min_length=1)]
    where: StrictStr | None = None
    facet: CohortFacet | None = None
    error: ErrorKind | None = None
    against: StrictStr | None = None

    @model_validator(mode="after")
    def _one_rule(self) -> Self:
        given = [key for key in ("where", "facet", "error") if getattr(self, key) is not None]
        if len(given) != 1:
            found = " and ".join(given) or "none of them"
            raise ValueError(f"the cohort {self.name!r} needs exactly one of where, facet and error, and has {found}")
        return self


def _fit_together(cohorts: tuple[Cohort, ...]) -> tuple[Cohort, ...]:
    names = [one.name for one in cohorts]
    for one in cohorts:
        if names.count(one.name) > 1:
            raise ValueError(f"two cohorts are called {one.name!r}")
        if one.against is not None and one.against not in names:
            raise ValueError(f"the cohort {one.name!r} is compared with {one.against!r}, which is no cohort")
        if one.against == one.name:
            raise ValueError(f"the cohort {one.name!r} is compared with itself")
    return cohorts


Cohorts = Annotated[tuple[Cohort, ...], AfterValidator(_fit_together)]

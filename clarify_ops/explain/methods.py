"""The explainers, as the documentation lists them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Explainer:
    """A row of the table of explainers.

    Attributes:
        name: Its name in an analysis configuration and in analysis.json.
        what: What its numbers say.
        exact_when: When it computes what it defines, instead of an estimate.
        source: Where it is defined, with a DOI or arXiv number.
    """

    name: str
    what: str
    exact_when: str
    source: str


EXPLAINERS: tuple[Explainer, ...] = (
    Explainer(
        name="kernel_shap",
        what="Shapley values of every row: how far each feature moves the output from its mean over the baseline rows.",
        exact_when="the features that differ from the baseline have no more coalitions than num_samples; otherwise a "
        "paired sample, with standard errors",
        source="Lundberg and Lee (2017), arXiv:1705.07874; Covert and Lee (2021), arXiv:2012.01536",
    ),
    Explainer(
        name="pdp",
        what="Partial dependence: the mean output over all rows when one feature is forced to a value.",
        exact_when="always, at its grid points",
        source="Friedman (2001), doi:10.1214/aos/1013203451",
    ),
)

"""The metric table: every row names a function, and all that reports, tests, intervals and the README need to know of it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from clarify_ops.bias import posttraining, pretraining
from clarify_ops.bias.forms import Form
from clarify_ops.data.counts import Counts

BiasStage = Literal["pre_training", "post_training"]
Swap = Literal["negate", "invert", "same", "other"]
_ANY = (-math.inf, math.inf)


@dataclass(frozen=True)
class Metric:
    """One bias metric.

    Attributes:
        name: Clarify's short name.
        description: The title that Clarify writes into `analysis.json`, to the letter.
        stage: Before or after training.
        form: From counts to what is divided by what; None where the metric needs the rows (FT) or, for one facet value,
            where it returns None because there is no group variable.
        low, high: Range.
        parity: The value that means no difference.
        swap: What swapping a and d does to the value.
        reading: How to read the sign, in one sentence.
        empty: Clarify's words for an empty advantaged and an empty disadvantaged side.
        source: Where the definition is from.
    """

    name: str
    description: str
    stage: BiasStage
    form: Callable[[Counts], Form | None] | None
    low: float
    high: float
    parity: float
    swap: Swap
    reading: str
    empty: tuple[str, str] | None

    @property
    def source(self) -> str:
        """The `Source:` of the docstring."""
        from clarify_ops.bias.flip_test import FlipCounts

        text = (self.form.__doc__ if self.form is not None else FlipCounts.value.__doc__) or ""
        return " ".join(text.split("Source:", 1)[1].split("\n\n", 1)[0].split()).rstrip(".")


def _empty(prefix: str) -> tuple[str, str]:
    return f"{prefix}Negated Facet set is empty", f"{prefix}Facet set is empty"


_NO_COMMON = ("No instance of common facet found, dataset may be too small",) * 2
_PROPORTIONS = ("Negative facet set is empty.", "Facet set is empty.")
_IMBALANCE = (
    "CI: negated facet set is empty. Check that x[~facet] has non-zero length.",
    "CI: facet set is empty. Check that x[facet] has non-zero length.",
)

METRICS: tuple[Metric, ...] = (
    Metric(
        "CDDL",
        "Conditional Demographic Disparity in Labels (CDDL)",
        "pre_training",
        pretraining.conditional_demographic_disparity_in_labels,
        -1,
        1,
        0,
        "negate",
        "Above 0, d is over-represented among rejections after allowing for the group variable.",
        None,
    ),
    Metric(
        "CI",
        "Class Imbalance (CI)",
        "pre_training",
        pretraining.class_imbalance,
        -1,
        1,
        0,
        "negate",
        "Above 0, d has fewer rows than a.",
        _IMBALANCE,
    ),
    Metric(
        "DPL",
        "Difference in Positive Proportions in Labels (DPL)",
        "pre_training",
        pretraining.difference_in_positive_proportions_in_labels,
        -1,
        1,
        0,
        "negate",
        "Above 0, positive labels are more common for a.",
        _PROPORTIONS,
    ),
    Metric(
        "JS",
        "Jensen-Shannon Divergence (JS)",
        "pre_training",
        pretraining.jensen_shannon_divergence,
        0,
        math.log(2),
        0,
        "same",
        "0 means equal label distributions; the larger, the more they differ.",
        _NO_COMMON,
    ),
    Metric(
        "KL",
        "Kullback-Liebler Divergence (KL)",
        "pre_training",
        pretraining.kullback_leibler_divergence,
        0,
        math.inf,
        0,
        "other",
        "0 means equal label distributions; the larger, the more they differ.",
        _NO_COMMON,
    ),
    Metric(
        "KS",
        "Kolmogorov-Smirnov Distance (KS)",
        "pre_training",
        pretraining.kolmogorov_smirnov_distance,
        0,
        1,
        0,
        "same",
        "0 means equal label distributions; the largest difference in the share of an outcome.",
        _NO_COMMON,
    ),
    Metric(
        "LP",
        "L-p Norm (LP)",
        "pre_training",
        pretraining.lp_norm,
        0,
        math.sqrt(2),
        0,
        "same",
        "0 means equal label distributions; the larger, the more they differ.",
        _NO_COMMON,
    ),
    Metric(
        "TVD",
        "Total Variation Distance (TVD)",
        "pre_training",
        pretraining.total_variation_distance,
        0,
        1,
        0,
        "same",
        "0 means equal label distributions; the share of labels that would have to change.",
        _NO_COMMON,
    ),
    Metric(
        "AD",
        "Accuracy Difference (AD)",
        "post_training",
        posttraining.accuracy_difference,
        -1,
        1,
        0,
        "negate",
        "Above 0, predictions for a are right more often.",
        _empty(""),
    ),
    Metric(
        "CDDPL",
        "Conditional Demographic Disparity in Predicted Labels (CDDPL)",
        "post_training",
        posttraining.conditional_demographic_disparity_in_predicted_labels,
        -1,
        1,
        0,
        "negate",
        "Above 0, d is over-represented among predicted rejections after allowing for the group variable.",
        None,
    ),
    Metric(
        "DAR",
        "Difference in Acceptance Rates (DAR)",
        "post_training",
        posttraining.difference_in_acceptance_rates,
        -1,
        1,
        0,
        "negate",
        "Above 0, acceptances of a are right more often.",
        _empty("DLR: "),
    ),
    Metric(
        "DCA",
        "Difference in Conditional Acceptance (DCA)",
        "post_training",
        posttraining.difference_in_conditional_acceptance,
        *_ANY,
        0,
        "negate",
        "Above 0, the model accepts a more sparingly, relative to what was observed, than d.",
        _empty("DCO: "),
    ),
    Metric(
        "DCR",
        "Difference in Conditional Rejection (DCR)",
        "post_training",
        posttraining.difference_in_conditional_rejection,
        *_ANY,
        0,
        "negate",
        "Above 0, the model rejects d more sparingly, relative to what was observed, than a.",
        _empty("DCO: "),
    ),
    Metric(
        "DI",
        "Disparate Impact (DI)",
        "post_training",
        posttraining.disparate_impact,
        0,
        math.inf,
        1,
        "invert",
        "Below 1, positive predictions are rarer for d; below 0.8 it fails the four-fifths screen.",
        ("Negated facet set is empty", "Facet set is empty"),
    ),
    Metric(
        "DPPL",
        "Difference in Positive Proportions in Predicted Labels (DPPL)",
        "post_training",
        posttraining.difference_in_positive_proportions_in_predicted_labels,
        -1,
        1,
        0,
        "negate",
        "Above 0, positive predictions are more common for a.",
        _PROPORTIONS,
    ),
    Metric(
        "DRR",
        "Difference in Rejection Rates (DRR)",
        "post_training",
        posttraining.difference_in_rejection_rates,
        -1,
        1,
        0,
        "negate",
        "Above 0, rejections of d are right more often.",
        _empty("DLR: "),
    ),
    Metric(
        "FT",
        "Flip Test (FT)",
        "post_training",
        None,
        -1,
        1,
        0,
        "other",
        "Below 0, rows of d are rejected where the most similar rows of a are accepted.",
        _empty(""),
    ),
    Metric(
        "GE",
        "Generalized Entropy (GE)",
        "post_training",
        posttraining.generalized_entropy,
        0,
        math.inf,
        0,
        "same",
        "0 means that errors benefit and harm nobody in particular; about individuals, not about the facet.",
        None,
    ),
    Metric(
        "RD",
        "Recall Difference (RD)",
        "post_training",
        posttraining.recall_difference,
        -1,
        1,
        0,
        "negate",
        "Above 0, deserving rows of d are missed more often than those of a.",
        _empty("DLA: "),
    ),
    Metric(
        "SD",
        "Specificity Difference (SD)",
        "post_training",
        posttraining.specificity_difference,
        -1,
        1,
        0,
        "negate",
        "Above 0, negatives of d are found more often than those of a.",
        _empty("DLA: "),
    ),
    Metric(
        "TE",
        "Treatment Equality (TE)",
        "post_training",
        posttraining.treatment_equality,
        *_ANY,
        0,
        "negate",
        "Above 0, errors on d are wrong rejections more often than errors on a.",
        _empty(""),
    ),
)

BY_NAME: Mapping[str, Metric] = {metric.name: metric for metric in METRICS}


def metrics_of(stage: BiasStage) -> tuple[Metric, ...]:
    """The rows of a stage, in the order in which Clarify writes them."""
    return tuple(metric for metric in METRICS if metric.stage == stage)

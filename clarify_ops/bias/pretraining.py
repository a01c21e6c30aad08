"""Bias in the data, before a model exists: eight metrics of observed labels.

Every function takes the `Counts` of one facet value and says what is divided by what. In the examples, 60 of 100
advantaged and 15 of 50 disadvantaged rows are positive.
"""

from __future__ import annotations

import numpy as np

from clarify_ops.bias import distances
from clarify_ops.bias.forms import ConditionalDisparity, Difference, Divergence, Imbalance, Quotient
from clarify_ops.data.counts import ADVANTAGED, DISADVANTAGED, POSITIVE, Counts

SIDES = {ADVANTAGED: "advantaged rows", DISADVANTAGED: "disadvantaged rows"}


def positive_labels(counts: Counts, side: int) -> Quotient:
    """Share of observed positives on a side."""
    return Quotient(counts.labels(side, POSITIVE), counts.n(side), SIDES[side])


def class_imbalance(counts: Counts) -> Imbalance:
    r"""Class Imbalance: whether one side has fewer rows to learn from.

    .. math:: CI = \frac{n_a - n_d}{n_a + n_d}

    Range: [-1, 1]; 0 means as many rows on both sides, above 0 that d is under-represented.

    Source: Amazon SageMaker Clarify, "Class Imbalance (CI)".

    >>> round(float(class_imbalance(example()).value(PLAIN)), 4)
    0.3333
    """
    return Imbalance(counts)


def difference_in_positive_proportions_in_labels(counts: Counts) -> Difference:
    r"""Difference in Positive Proportions in Labels: whether the data already favour one side.

    .. math:: DPL = \frac{n_a^{(1)}}{n_a} - \frac{n_d^{(1)}}{n_d}

    Range: [-1, 1]; 0 means equal shares of positive labels, above 0 that a has the larger one.

    Source: Amazon SageMaker Clarify, "Difference in Proportions of Labels (DPL)"; Calders and Verwer, 2010,
    doi:10.1007/s10618-010-0190-x.

    >>> round(float(difference_in_positive_proportions_in_labels(example()).value(PLAIN)), 4)
    0.3
    """
    return Difference(positive_labels(counts, ADVANTAGED), positive_labels(counts, DISADVANTAGED))


def kullback_leibler_divergence(counts: Counts) -> Divergence:
    r"""Kullback-Leibler Divergence of the labels of a from those of d.

    .. math:: KL(P_a \| P_d) = \sum_y P_a(y) \ln \frac{P_a(y)}{P_d(y)}

    Range: [0, infinity); 0 means equal distributions; infinite where d never has an outcome that a has. In Clarify's
    dialect such an outcome is left out, and the sum may then be negative.

    Source: Amazon SageMaker Clarify, "Kullback-Leibler Divergence (KL)"; Kullback and Leibler, 1951,
    doi:10.1214/aoms/1177729694.

    >>> round(float(kullback_leibler_divergence(example()).value(PLAIN)), 4)
    0.192
    """
    return Divergence(positive_labels(counts, ADVANTAGED), positive_labels(counts, DISADVANTAGED), distances.kl)


def jensen_shannon_divergence(counts: Counts) -> Divergence:
    r"""Jensen-Shannon Divergence between the labels of a and d.

    .. math:: JS = \tfrac12 \left( KL(P_a \| P) + KL(P_d \| P) \right), \quad P = \tfrac12 (P_a + P_d)

    Range: [0, ln 2]; 0 means equal distributions.

    Source: Amazon SageMaker Clarify, "Jensen-Shannon Divergence (JS)"; Lin, 1991, doi:10.1109/18.61115.

    >>> round(float(jensen_shannon_divergence(example()).value(PLAIN)), 4)
    0.0462
    """
    return Divergence(positive_labels(counts, ADVANTAGED), positive_labels(counts, DISADVANTAGED), distances.js)


def lp_norm(counts: Counts) -> Divergence:
    r"""L-p Norm, with p = 2, of the difference between both label distributions.

    .. math:: L_2 = \sqrt{\sum_y (P_a(y) - P_d(y))^2}

    Range: [0, sqrt 2]; 0 means equal distributions.

    Source: Amazon SageMaker Clarify, "Lp-norm (LP)".

    >>> round(float(lp_norm(example()).value(PLAIN)), 4)
    0.4243
    """
    shares = positive_labels(counts, ADVANTAGED), positive_labels(counts, DISADVANTAGED)
    return Divergence(*shares, distances.lp, of_gap=lambda gap: np.sqrt(2.0) * np.abs(gap))


def total_variation_distance(counts: Counts) -> Divergence:
    r"""Total Variation Distance between the labels of a and d.

    .. math:: TVD = \tfrac12 \sum_y |P_a(y) - P_d(y)|

    Range: [0, 1]; 0 means equal distributions.

    Source: Amazon SageMaker Clarify, "Total Variation Distance (TVD)".

    >>> round(float(total_variation_distance(example()).value(PLAIN)), 4)
    0.3
    """
    return Divergence(
        positive_labels(counts, ADVANTAGED), positive_labels(counts, DISADVANTAGED), distances.tvd, of_gap=np.abs
    )


def kolmogorov_smirnov_distance(counts: Counts) -> Divergence:
    r"""Kolmogorov-Smirnov Distance: the largest difference in the share of an outcome.

    .. math:: KS = \max_y |P_a(y) - P_d(y)|

    Range: [0, 1]; 0 means equal distributions.

    Source: Amazon SageMaker Clarify, "Kolmogorov-Smirnov (KS)".

    >>> round(float(kolmogorov_smirnov_distance(example()).value(PLAIN)), 4)
    0.3
    """
    return Divergence(
        positive_labels(counts, ADVANTAGED), positive_labels(counts, DISADVANTAGED), distances.ks, of_gap=np.abs
    )


def conditional_demographic_disparity_in_labels(counts: Counts) -> ConditionalDisparity | None:
    r"""Conditional Demographic Disparity in Labels: disparity that the group variable does not account for.

    .. math:: CDDL = \frac{1}{n} \sum_g n_g \left( \frac{n_{g,d}^{(0)}}{n_g^{(0)}} - \frac{n_{g,d}^{(1)}}{n_g^{(1)}} \right)

    Range: [-1, 1]; 0 means none, above 0 that d is over-represented among the rejected. None without a group variable. A
    subgroup that lacks rejections or acceptances has no disparity and is left out; Clarify counts it as zero.

    Source: Amazon SageMaker Clarify, "Conditional Demographic Disparity (CDD)"; Wachter, Mittelstadt and Russell, 2021,
    doi:10.1016/j.clsr.2021.105567.

    >>> round(float(conditional_demographic_disparity_in_labels(example()).value(PLAIN)), 4)
    0.2667
    """
    return None if counts.by_group is None else ConditionalDisparity(counts.by_group.sum(axis=-1))

"""Bias of predictions: twelve metrics of observed and predicted labels (the thirteenth, the flip test, needs the rows).

In the examples, the confusion tables (true positives, false positives, false negatives, true negatives) are
(45, 10, 15, 30) for the advantaged and (10, 5, 5, 30) for the disadvantaged side.
"""

from __future__ import annotations

from clarify_ops.bias.forms import ConditionalDisparity, Difference, Entropy, Quotient, Ratio
from clarify_ops.bias.pretraining import SIDES
from clarify_ops.data.counts import ADVANTAGED, DISADVANTAGED, NEGATIVE, POSITIVE, Array, Counts

_WORDS = {ADVANTAGED: "advantaged", DISADVANTAGED: "disadvantaged"}


def positive_predictions(counts: Counts, side: int) -> Quotient:
    """Share of predicted positives on a side."""
    return Quotient(counts.predictions(side, POSITIVE), counts.n(side), SIDES[side])


def recall(counts: Counts, side: int) -> Quotient:
    """Share of observed positives that are predicted so."""
    return Quotient(
        counts.cell(side, POSITIVE, POSITIVE),
        counts.labels(side, POSITIVE),
        f"{_WORDS[side]} rows with a positive label",
    )


def specificity(counts: Counts, side: int) -> Quotient:
    """Share of observed negatives that are predicted so."""
    return Quotient(
        counts.cell(side, NEGATIVE, NEGATIVE),
        counts.labels(side, NEGATIVE),
        f"{_WORDS[side]} rows with a negative label",
    )


def precision(counts: Counts, side: int) -> Quotient:
    """Share of predicted positives that are positive."""
    return Quotient(
        counts.cell(side, POSITIVE, POSITIVE),
        counts.predictions(side, POSITIVE),
        f"{_WORDS[side]} rows predicted positive",
    )


def negative_predictive_value(counts: Counts, side: int) -> Quotient:
    """Share of predicted negatives that are negative."""
    return Quotient(
        counts.cell(side, NEGATIVE, NEGATIVE),
        counts.predictions(side, NEGATIVE),
        f"{_WORDS[side]} rows predicted negative",
    )


def accuracy(counts: Counts, side: int) -> Quotient:
    """Share of rows that are predicted as observed."""
    return Quotient(_right(counts, side), counts.n(side), SIDES[side])


def _right(counts: Counts, side: int) -> Array:
    return counts.cell(side, POSITIVE, POSITIVE) + counts.cell(side, NEGATIVE, NEGATIVE)


def difference_in_positive_proportions_in_predicted_labels(counts: Counts) -> Difference:
    r"""Difference in Positive Proportions in Predicted Labels, also called demographic or statistical parity difference.

    .. math:: DPPL = \frac{n'^{(1)}_a}{n_a} - \frac{n'^{(1)}_d}{n_d}

    Range: [-1, 1]; 0 means equal shares of positive predictions, above 0 that a has the larger one.

    Source: Amazon SageMaker Clarify, "Difference in Positive Proportions in Predicted Labels (DPPL)".

    >>> round(float(difference_in_positive_proportions_in_predicted_labels(example()).value(PLAIN)), 4)
    0.25
    """
    return Difference(positive_predictions(counts, ADVANTAGED), positive_predictions(counts, DISADVANTAGED))


def disparate_impact(counts: Counts) -> Ratio:
    r"""Disparate Impact: the share of positive predictions of d relative to that of a.

    .. math:: DI = \frac{n'^{(1)}_d / n_d}{n'^{(1)}_a / n_a}

    Range: [0, infinity); 1 means equal shares, below 1 that d has the smaller one.

    Source: Amazon SageMaker Clarify, "Disparate Impact (DI)"; the four-fifths rule of 29 CFR 1607.4(D) screens at 0.8.

    >>> round(float(disparate_impact(example()).value(PLAIN)), 4)
    0.5455
    """
    return Ratio(positive_predictions(counts, DISADVANTAGED), positive_predictions(counts, ADVANTAGED))


def difference_in_conditional_acceptance(counts: Counts) -> Difference:
    r"""Difference in Conditional Acceptance: observed against predicted acceptances.

    .. math:: DCA = \frac{n_a^{(1)}}{n'^{(1)}_a} - \frac{n_d^{(1)}}{n'^{(1)}_d}

    Range: (-infinity, infinity); 0 means that both sides are accepted as often as observed to the same degree, above 0
    that the model is harder on a.

    Source: Amazon SageMaker Clarify, "Difference in Conditional Acceptance (DCAcc)".

    >>> round(float(difference_in_conditional_acceptance(example()).value(PLAIN)), 4)
    0.0909
    """
    return Difference(
        _observed_per_predicted(counts, ADVANTAGED, POSITIVE), _observed_per_predicted(counts, DISADVANTAGED, POSITIVE)
    )


def difference_in_conditional_rejection(counts: Counts) -> Difference:
    r"""Difference in Conditional Rejection: observed against predicted rejections.

    .. math:: DCR = \frac{n_d^{(0)}}{n'^{(0)}_d} - \frac{n_a^{(0)}}{n'^{(0)}_a}

    Range: (-infinity, infinity); 0 means that both sides are rejected as often as observed to the same degree, above 0
    that the model is milder to d.

    Source: Amazon SageMaker Clarify, "Difference in Conditional Rejection (DCR)".

    >>> round(float(difference_in_conditional_rejection(example()).value(PLAIN)), 4)
    0.1111
    """
    return Difference(
        _observed_per_predicted(counts, DISADVANTAGED, NEGATIVE), _observed_per_predicted(counts, ADVANTAGED, NEGATIVE)
    )


def _observed_per_predicted(counts: Counts, side: int, outcome: int) -> Quotient:
    of = f"{_WORDS[side]} rows predicted {'positive' if outcome == POSITIVE else 'negative'}"
    return Quotient(
        counts.labels(side, outcome),
        counts.predictions(side, outcome),
        of,
        proportion=False,
        shared=counts.cell(side, outcome, outcome),
    )


def recall_difference(counts: Counts) -> Difference:
    r"""Recall Difference, also called equal opportunity difference.

    .. math:: RD = \frac{TP_a}{n_a^{(1)}} - \frac{TP_d}{n_d^{(1)}}

    Range: [-1, 1]; 0 means that positives are found equally often, above 0 that those of d are missed more often.

    Source: Amazon SageMaker Clarify, "Recall Difference (RD)"; Hardt, Price and Srebro, 2016, arXiv:1610.02413.

    >>> round(float(recall_difference(example()).value(PLAIN)), 4)
    0.0833
    """
    return Difference(recall(counts, ADVANTAGED), recall(counts, DISADVANTAGED))


def specificity_difference(counts: Counts) -> Difference:
    r"""Specificity Difference.

    .. math:: SD = \frac{TN_d}{n_d^{(0)}} - \frac{TN_a}{n_a^{(0)}}

    Range: [-1, 1]; 0 means that negatives are found equally often, above 0 that those of d are found more often.

    Source: Amazon SageMaker Clarify, "Specificity difference (SD)".

    >>> round(float(specificity_difference(example()).value(PLAIN)), 4)
    0.1071
    """
    return Difference(specificity(counts, DISADVANTAGED), specificity(counts, ADVANTAGED))


def difference_in_acceptance_rates(counts: Counts) -> Difference:
    r"""Difference in Acceptance Rates: of those predicted positive, how many are (precision).

    .. math:: DAR = \frac{TP_a}{n'^{(1)}_a} - \frac{TP_d}{n'^{(1)}_d}

    Range: [-1, 1]; 0 means equal precision, above 0 that acceptances of a are right more often.

    Source: Amazon SageMaker Clarify, "Difference in Acceptance Rates (DAR)".

    >>> round(float(difference_in_acceptance_rates(example()).value(PLAIN)), 4)
    0.1515
    """
    return Difference(precision(counts, ADVANTAGED), precision(counts, DISADVANTAGED))


def difference_in_rejection_rates(counts: Counts) -> Difference:
    r"""Difference in Rejection Rates: of those predicted negative, how many are (negative predictive value).

    .. math:: DRR = \frac{TN_d}{n'^{(0)}_d} - \frac{TN_a}{n'^{(0)}_a}

    Range: [-1, 1]; 0 means that rejections are right equally often, above 0 that those of d are right more often.

    Source: Amazon SageMaker Clarify, "Difference in Rejection Rates (DRR)".

    >>> round(float(difference_in_rejection_rates(example()).value(PLAIN)), 4)
    0.1905
    """
    return Difference(negative_predictive_value(counts, DISADVANTAGED), negative_predictive_value(counts, ADVANTAGED))


def accuracy_difference(counts: Counts) -> Difference:
    r"""Accuracy Difference.

    .. math:: AD = \frac{TP_a + TN_a}{n_a} - \frac{TP_d + TN_d}{n_d}

    Range: [-1, 1]; 0 means equal accuracy, above 0 that a is predicted right more often.

    Source: Amazon SageMaker Clarify, "Accuracy Difference (AD)".

    >>> round(float(accuracy_difference(example()).value(PLAIN)), 4)
    -0.05
    """
    return Difference(accuracy(counts, ADVANTAGED), accuracy(counts, DISADVANTAGED))


def treatment_equality(counts: Counts) -> Difference:
    r"""Treatment Equality: wrong rejections per wrong acceptance.

    .. math:: TE = \frac{FN_d}{FP_d} - \frac{FN_a}{FP_a}

    Range: (-infinity, infinity); 0 means that both kinds of error are balanced alike, above 0 that errors on d are more often
    wrong rejections.

    Source: Amazon SageMaker Clarify, "Treatment Equality (TE)"; Berk et al., 2021, doi:10.1177/0049124118782533.

    >>> round(float(treatment_equality(example()).value(PLAIN)), 4)
    -0.5
    """
    return Difference(_wrong_rejections(counts, DISADVANTAGED), _wrong_rejections(counts, ADVANTAGED))


def _wrong_rejections(counts: Counts, side: int) -> Quotient:
    return Quotient(
        counts.cell(side, POSITIVE, NEGATIVE),
        counts.cell(side, NEGATIVE, POSITIVE),
        f"{_WORDS[side]} false positives",
        proportion=False,
    )


def conditional_demographic_disparity_in_predicted_labels(counts: Counts) -> ConditionalDisparity | None:
    r"""Conditional Demographic Disparity in Predicted Labels: as in labels, with predictions for observations.

    .. math:: CDDPL = \frac{1}{n} \sum_g n_g \left( \frac{n'^{(0)}_{g,d}}{n'^{(0)}_g} - \frac{n'^{(1)}_{g,d}}{n'^{(1)}_g} \right)

    Range: [-1, 1]; 0 means none, above 0 that d is over-represented among the predicted rejections. None without a group
    variable.

    Source: Amazon SageMaker Clarify, "Conditional Demographic Disparity in Predicted Labels (CDDPL)"; Wachter, Mittelstadt
    and Russell, 2021, doi:10.1016/j.clsr.2021.105567.

    >>> round(float(conditional_demographic_disparity_in_predicted_labels(example()).value(PLAIN)), 4)
    0.2232
    """
    return None if counts.by_group is None else ConditionalDisparity(counts.by_group.sum(axis=-2))


def generalized_entropy(counts: Counts) -> Entropy:
    r"""Generalized Entropy: how unequally the model's errors spread benefits over individuals, whichever side they are on.

    .. math:: GE = \frac{1}{2n} \sum_i \left[ \left( \frac{b_i}{\bar b} \right)^2 - 1 \right], \quad b_i = y'_i - y_i + 1

    Range: [0, infinity); 0 means that everybody is treated alike. Equal for every facet value, and the same when a and d
    are swapped.

    Source: Amazon SageMaker Clarify, "Generalized entropy (GE)"; Speicher et al., 2018, doi:10.1145/3219819.3220046.

    >>> round(float(generalized_entropy(example()).value(PLAIN)), 4)
    0.1243
    """
    both = counts.total.sum(axis=-3)
    return Entropy(
        wronged=both[..., POSITIVE, NEGATIVE],
        treated_right=both[..., POSITIVE, POSITIVE] + both[..., NEGATIVE, NEGATIVE],
        favoured=both[..., NEGATIVE, POSITIVE],
    )

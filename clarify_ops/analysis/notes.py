"""What every metric means, for the reports: read off the tables that compute them."""

from __future__ import annotations

from dataclasses import dataclass

from clarify_ops.bias.table import METRICS
from clarify_ops.measures import Stage
from clarify_ops.quality.performance import QUALITY
from clarify_ops.report.notes import MetricNote


@dataclass(frozen=True)
class Fact:
    """A plain fact that a step measures and a policy can bound."""

    stage: Stage
    name: str
    note: MetricNote


_FACTS: tuple[tuple[Stage, str, str, str], ...] = (
    ("data", "rows", "Rows", "How many there are, in all or with a facet value; too few decide nothing."),
    ("data", "duplicate_rows", "Duplicate rows", "Rows that repeat an earlier one in every column."),
    (
        "data",
        "missing_share",
        "Missing values",
        "Share of the features' values that are missing; of one feature as missing_share:FEATURE.",
    ),
    ("data", "worst_missing_share", "Missing values of the worst feature", "The largest share of any feature."),
    (
        "data",
        "missing_labels",
        "Missing labels",
        "Rows without a label: nothing is learnt from them, or judged on them.",
    ),
    (
        "data",
        "seen_share",
        "Evaluated rows seen in training",
        "Share of the rows judged on of which an equal row, label and all, was trained on: quality is flattered by them.",
    ),
    (
        "data",
        "contradicted_share",
        "Contradicted labels",
        "Share of rows with an equal row of the other label: no model can be right about both.",
    ),
    (
        "data",
        "label_leaks",
        "Label leaks",
        "Features that tell the label by themselves: the model would learn the answer.",
    ),
    (
        "data",
        "facet_proxies",
        "Facet stand-ins",
        "Features that tell a facet by themselves: leaving the facet out changes nothing.",
    ),
    (
        "champion",
        "trained_on_these_rows",
        "Champion trained on these rows",
        "1 where it was, which flatters it, 0 where not; undefined where nothing says so.",
    ),
    ("explanations", "explained_rows", "Explained rows", "Rows with attributions."),
    (
        "explanations",
        "exact_share",
        "Share explained exactly",
        "Rows whose attributions come from all coalitions, not from a sample.",
    ),
    (
        "explanations",
        "additivity_gap",
        "Additivity gap",
        "Largest difference of a score from the sum of its attributions: arithmetic, not meaning.",
    ),
    (
        "explanations",
        "warnings",
        "Warnings of the explainer",
        "What must be known before the attributions are trusted.",
    ),
    (
        "explanations",
        "largest_standard_error",
        "Largest standard error",
        "Of any sampled attribution, in the unit of the score.",
    ),
    (
        "explanations",
        "relative_additivity_gap",
        "Relative additivity gap",
        "The additivity gap as a share of the range of the scores, so that one bound fits every unit.",
    ),
    (
        "explanations",
        "facet_attribution_share",
        "Share of attributions to facets",
        "How much of all absolute attributions goes to sensitive columns that the model sees.",
    ),
    (
        "explanations",
        "proxy_attribution_share",
        "Share of attributions to stand-ins",
        "How much goes to features that tell a facet by themselves.",
    ),
    (
        "explanations",
        "seed_rank_stability",
        "Rank stability over seeds",
        "Mean Kendall's tau of the features' rankings with other seeds; 1 is the same ranking every time.",
    ),
    (
        "explanations",
        "seed_rank_correlation",
        "Rank correlation over seeds",
        "Mean Spearman correlation of the features' rankings with other seeds.",
    ),
    (
        "explanations",
        "seed_top_overlap",
        "Overlap of the top features over seeds",
        "Share of the most important features that explanations with other seeds have in common.",
    ),
    (
        "explanations",
        "baseline_rank_stability",
        "Rank stability over baselines",
        "Mean Kendall's tau of the features' rankings against baselines drawn anew.",
    ),
    (
        "explanations",
        "baseline_rank_correlation",
        "Rank correlation over baselines",
        "Mean Spearman correlation of the features' rankings against baselines drawn anew.",
    ),
    (
        "explanations",
        "baseline_top_overlap",
        "Overlap of the top features over baselines",
        "Share of the most important features that explanations against baselines drawn anew have in common.",
    ),
    (
        "explanations",
        "surrogate_r2",
        "Fidelity of the surrogate",
        "Share of the variance of the model's scores that the surrogate repeats on rows held out.",
    ),
    (
        "explanations",
        "surrogate_accuracy",
        "Labels of the surrogate",
        "Share of rows held out to which the surrogate gives the model's label.",
    ),
    (
        "explanations",
        "surrogate_kappa",
        "Labels of the surrogate, beyond chance",
        "Cohen's kappa of both models' labels.",
    ),
)

_WORST = tuple(
    Fact(
        "quality",
        f"worst_{one.name}",
        MetricNote(
            f"{one.title} of the worst group",
            "Of all values of a facet; the interval holds for whichever group it is.",
        ),
    )
    for one in QUALITY
    if one.better is not None
)
FACTS: tuple[Fact, ...] = (
    *(Fact(stage, name, MetricNote(title, reading)) for stage, name, title, reading in _FACTS),
    *_WORST,
)


def metric_notes() -> dict[str, MetricNote]:
    """Title and reading by metric name."""
    facts = {one.name: one.note for one in FACTS}
    bias = {one.name: MetricNote(one.description, one.reading, one.parity) for one in METRICS}
    quality = {one.name: MetricNote(one.title, one.reading, one.parity or 0.0) for one in QUALITY}
    return {**facts, **bias, **quality}

"""How far an explanation can be relied on, in numbers that a policy can bound."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clarify_ops.errors import BadData, BadDocument
from clarify_ops.explain.explanation import Explanation
from clarify_ops.measures import Measure

Floats = NDArray[np.float64]
Explain = Callable[[int, pd.DataFrame], Explanation]
"""An explainer of the same rows of the same model: (seed, background rows) to attributions."""

TOP_FEATURES = 5
"""How many of the most important features are held side by side, where there are more."""

ALL_ZERO = "All attributions are 0."


@dataclass(frozen=True)
class RankStability:
    """How alike the rankings of the features are in repeated explanations.

    Attributes:
        kendall: Kendall's tau-b of two rankings, the mean over all pairs: 1 where all rank alike, about 0 by chance.
        spearman: Spearman's correlation of two rankings, likewise.
        top_overlap: Share of the most important features that two have in common, likewise.
        lowest_kendall: Of the pair that differs most.
        top: How many features count as the most important.
        explanations: How many were compared.
        features: How many were ranked.
        rows: Explained rows of each.
        reason: Why there is no number; empty where there is.
    """

    kendall: float | None
    spearman: float | None
    top_overlap: float | None
    lowest_kendall: float | None
    top: int
    explanations: int
    features: int
    rows: int
    reason: str = ""

    def measures(self, over: str) -> tuple[Measure, ...]:
        """What a policy can bound, named after what the explanations differ in: `seed_rank_stability` and so on."""
        pairs = self.explanations * (self.explanations - 1) // 2
        values = {
            "rank_stability": self.kendall,
            "rank_correlation": self.spearman,
            "top_overlap": self.top_overlap,
        }
        return tuple(
            Measure(
                stage="explanations",
                metric=f"{over}_{name}",
                value=value,
                reason=self.reason,
                groups={"all": self.rows},
                denominators={
                    "pairs of explanations": pairs,
                    "features": self.features,
                    **({"most important features": self.top} if name == "top_overlap" else {}),
                },
                exact=True,
            )
            for name, value in values.items()
        )


def rank_stability(explanations: Sequence[Explanation], top: int = TOP_FEATURES) -> RankStability:
    """Compares the rankings of the features by mean absolute attribution, the mean over the outputs.

    Features of the same importance share a rank.

    Args:
        explanations: At least two, of the same features.
        top: How many features count as the most important; of so few features that all would, half of them do.

    Raises:
        BadData: There are fewer than two, or they are of other features.
        BadDocument: `top` is below 1.

    Source: Kendall (1945), doi:10.1093/biomet/33.3.239, for tau-b; Alvarez-Melis and Jaakkola (2018), arXiv:1806.08049,
    on the robustness of explanations.
    """
    from scipy import stats

    if top < 1:
        raise BadDocument(f"top is {top}, and must be at least 1.")
    if len(explanations) < 2:
        raise BadData("Stability needs at least two explanations.")
    features = explanations[0].features
    if any(one.features != features for one in explanations):
        raise BadData("The explanations are of different features, and have no common ranking.")
    weights = np.array([_importances(one) for one in explanations])
    kept = top if top < len(features) else max(1, len(features) // 2)
    counts = (kept, len(explanations), len(features), len(explanations[0].values))
    reason = _unranked(weights)
    if reason:
        return RankStability(None, None, None, None, *counts, reason)
    pairs = list(combinations(weights, 2))
    taus = [float(stats.kendalltau(one, other).statistic) for one, other in pairs]
    rhos = [float(stats.spearmanr(one, other).statistic) for one, other in pairs]
    overlaps = [_overlap(one, other, kept) for one, other in pairs]
    return RankStability(float(np.mean(taus)), float(np.mean(rhos)), float(np.mean(overlaps)), min(taus), *counts)


def stability_over_seeds(
    explain: Explain, background: pd.DataFrame, *, seeds: Sequence[int], top: int = TOP_FEATURES
) -> RankStability:
    """The same explanation with other seeds, against the same background: what its sampling alone changes."""
    return rank_stability([explain(seed, background) for seed in seeds], top)


def stability_over_baselines(
    explain: Explain,
    data: pd.DataFrame,
    *,
    baseline_rows: int,
    draws: int = 5,
    seed: int,
    top: int = TOP_FEATURES,
) -> RankStability:
    """The same explanation, with the same seed, against backgrounds drawn anew: what their choice alone changes.

    Args:
        explain: The explainer.
        data: (rows, features) that backgrounds are drawn from.
        baseline_rows: Rows of each background.
        draws: How many backgrounds.
        seed: Fixes the draws, and is given to the explainer.
        top: How many features count as the most important.

    Raises:
        BadDocument: `baseline_rows` is below 1.
        BadData: There are fewer rows than a background has, or fewer than two draws.
    """
    if baseline_rows < 1:
        raise BadDocument(f"baseline_rows is {baseline_rows}, and must be at least 1.")
    if baseline_rows > len(data):
        raise BadData(f"A background of {baseline_rows} rows cannot be drawn from {len(data)}.")
    explanations = []
    for draw in range(draws):
        chosen = np.sort(np.random.default_rng([seed, draw]).choice(len(data), baseline_rows, replace=False))
        explanations.append(explain(seed, data.iloc[chosen].reset_index(drop=True)))
    return rank_stability(explanations, top)


def attribution_shares(
    explanation: Explanation, facets: Collection[str], proxies: Mapping[str, Collection[str]]
) -> tuple[Measure, ...]:
    """How much of the attributions goes to facets, and to features that stand in for them.

    The share of a feature is its summed absolute attribution, over rows and outputs, in that of all features.

    Args:
        explanation: Of the rows.
        facets: Names of the facets; one that the model does not see has a share of 0.
        proxies: By facet, the features that tell it by themselves. One that stands in for several facets is counted once in
            the share of all.

    Returns:
        facet_attribution_share and proxy_attribution_share of all facets together and of each, proxies being without the
        facets themselves.

    Raises:
        BadData: A proxy is no feature, or stands in for what is no facet.
    """
    for facet, members in proxies.items():
        if facet not in facets:
            raise BadData.unknown_column(facet, facets, "The table of stand-ins for facets")
        for member in members:
            if member not in explanation.features:
                raise BadData.unknown_column(member, explanation.features, f"The list of stand-ins for {facet!r}")
    weights = _importances(explanation)
    rows, total = len(explanation.values), float(weights.sum())

    def share(metric: str, chosen: Collection[str], facet: str | None) -> Measure:
        part = float(sum(weights[place] for place, name in enumerate(explanation.features) if name in chosen))
        return Measure(
            stage="explanations",
            metric=metric,
            value=part / total if total > 0 else None,
            reason="" if total > 0 else ALL_ZERO,
            facet=facet,
            groups={"all": rows},
            denominators={"rows": rows, "features": len(explanation.features)},
            exact=True,
        )

    every = {name for members in proxies.values() for name in members} - set(facets)
    found = [share("facet_attribution_share", facets, None), share("proxy_attribution_share", every, None)]
    for facet in facets:
        found.append(share("facet_attribution_share", [facet], facet))
        found.append(share("proxy_attribution_share", set(proxies.get(facet, ())) - set(facets), facet))
    return tuple(found)


def relative_additivity_gap(explanation: Explanation) -> Measure:
    """The additivity gap as a share of the range of the predictions, so that one bound fits every unit."""
    gap, rows = explanation.additivity_gap(), len(explanation.values)
    spread = float(np.ptp(explanation.predictions, axis=0).max()) if rows else 0.0
    why = "There are no explained rows." if not rows else "All explained rows have the same prediction."
    return Measure(
        stage="explanations",
        metric="relative_additivity_gap",
        value=gap / spread if spread > 0 else None,
        reason="" if spread > 0 else why,
        groups={"all": rows},
        denominators={"rows": rows},
        exact=True,
    )


def _importances(explanation: Explanation) -> Floats:
    """(features,) mean over the outputs of the mean absolute attribution."""
    if not len(explanation.values):
        return np.zeros(len(explanation.features))
    return np.asarray(explanation.global_values().mean(axis=1), dtype=np.float64)


def _unranked(weights: Floats) -> str:
    if weights.shape[1] < 2:
        return "A single feature has no ranking."
    if not weights.any(axis=1).all():
        return ALL_ZERO if not weights.any() else "All attributions of one of the explanations are 0."
    # Equal attributions of all features leave nothing to rank.
    if (np.ptp(weights, axis=1) == 0).any():
        return "All features are equally important in one of the explanations."
    return ""


def _overlap(one: Floats, other: Floats, top: int) -> float:
    first, second = (set(np.argsort(-weights, kind="stable")[:top].tolist()) for weights in (one, other))
    return len(first & second) / top

"""How far explanations are to be trusted: a simple model's fidelity to the model, and how alike repeated rankings are."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from clarify_ops.analysis.explaining import Subject
from clarify_ops.config.explaining import Stability, SurrogateModel
from clarify_ops.measures import Measure

if TYPE_CHECKING:
    from clarify_ops.explain.explanation import Explanation
    from clarify_ops.explain.surrogate import Surrogate


def surrogate_of(
    subject: Subject, settings: SurrogateModel, *, categorical: Collection[str], smallest_group: int, seed: int
) -> Surrogate:
    """A simple model in the model's place, with its fidelity on rows held out.

    Args:
        subject: The model and the rows that it is asked about.
        settings: Which simple model.
        categorical: Features whose values have no order.
        smallest_group: Leaves of fewer rows keep their numbers to themselves.
        seed: Of the split and of the fit.

    Raises:
        MissingExtra: It needs a library that is not installed.
        BadModel: The model's answers cannot be used.
    """
    from clarify_ops.explain.surrogate import fit_surrogate

    return fit_surrogate(
        subject.predict,
        subject.rows,
        kind=settings.kind,
        target=settings.target,
        max_depth=settings.max_depth,
        categorical=list(categorical),
        labels=subject.outputs,
        smallest_group=smallest_group,
        seed=seed,
    )


def stability_of(
    explain: Callable[[pd.DataFrame, pd.DataFrame, int], Explanation],
    features: pd.DataFrame,
    background: pd.DataFrame,
    settings: Stability,
    seed: int,
) -> tuple[dict[str, Any], tuple[Measure, ...]]:
    """How alike rankings are when explanations are repeated with other seeds, and against other baselines.

    Args:
        explain: From rows, background and seed.
        features: (rows, features) of the dataset; evenly spaced ones are explained, and baselines are drawn from all.
        background: The rows that stand for absent features.
        settings: How often, on how many rows.
        seed: The first one.

    Returns:
        The section for metrics.json, and what a policy can bound.
    """
    from clarify_ops.explain.stability import stability_over_baselines, stability_over_seeds

    places = np.unique(np.linspace(0, len(features) - 1, min(len(features), settings.rows)).round().astype(int))
    rows = features.iloc[places].reset_index(drop=True)

    def again(other: int, others: pd.DataFrame) -> Explanation:
        return explain(rows, others, other)

    over_seeds = stability_over_seeds(again, background, seeds=[seed + one for one in range(settings.seeds)])
    count = min(len(background), len(features))
    over_baselines = stability_over_baselines(again, features, baseline_rows=count, draws=settings.baselines, seed=seed)
    section = {"seed": vars(over_seeds), "baseline": vars(over_baselines)}
    return section, (*over_seeds.measures("seed"), *over_baselines.measures("baseline"))

"""The baseline rows of an analysis: given, in a file, or made from the data."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pandas as pd

from clarify_ops.analysis.job import Job
from clarify_ops.config.analysis import AnalysisConfig, Shap
from clarify_ops.data.row_batches import Profile, RowBatches
from clarify_ops.errors import BadDocument


@dataclass(frozen=True)
class Background:
    """Baseline rows, and how they came about.

    Attributes:
        rows: (baseline rows, features) in the dtypes of the data where these hold the values.
        how: One sentence.
        warnings: What a reader must know before trusting them.
    """

    rows: pd.DataFrame
    how: str
    warnings: tuple[str, ...] = ()


def background_of(
    job: Job, settings: Shap, batches: RowBatches, seen: Profile, progress: Callable[[str], None]
) -> Background:
    """The rows that `methods.shap` compares with.

    Where they are not given, clusters of the data's rows make them: as many as `num_clusters` says, or as a criterion chooses.

    Args:
        job: What is asked for.
        settings: Of `methods.shap`.
        batches: The dataset.
        seen: What all its rows are like.
        progress: Told what is being done.

    Raises:
        BadInput: They do not fit the features, or cannot be read.
    """
    names = list(batches.data.features)
    like = batches.data.frame[names]
    if settings.baseline is None:
        return _made(
            job, settings, like if batches.whole else seen.sample[names].reset_index(drop=True), seen, progress
        )
    if isinstance(settings.baseline, str):
        from clarify_ops.explain.baseline_file import baseline_from_file

        found = baseline_from_file(
            settings.baseline, like, dataset_type=job.config.dataset_type, features=job.config.features
        )
        return Background(found.rows, f"{_rows(len(found.rows))} of {found.address} ({found.digest})", found.notes)
    from clarify_ops.explain.baseline import baseline_rows

    rows = baseline_rows(in_rows(settings.baseline, job.config), like)
    return Background(rows, f"{_rows(len(rows))} given in the configuration")


def _made(job: Job, settings: Shap, rows: pd.DataFrame, seen: Profile, progress: Callable[[str], None]) -> Background:
    from clarify_ops.explain.clusters import clustered_baseline

    categorical = [name for name in rows.columns if seen.kinds[str(name)] == "categorical"]
    made = clustered_baseline(
        rows,
        categorical,
        num_clusters=settings.num_clusters,
        seed=job.config.clarify_ops.seed if settings.seed is None else settings.seed,
        progress=progress,
    )
    return Background(made.rows, made.how, made.warnings)


def _rows(count: int) -> str:
    return f"{count} row{'s' if count != 1 else ''}"


def in_rows(given: tuple[Any, ...] | dict[str, Any], config: AnalysisConfig) -> list[Any] | dict[str, Any]:
    """A baseline as rows, where it has the layout of a JSON dataset.

    Clarify takes a baseline as the dataset is laid out: an object per row of JSON Lines, one object for all rows of JSON. An
    object in which the features' expression finds nothing has the features by name.

    Raises:
        BadDocument: The expression finds no list.
    """
    plain = given if isinstance(given, dict) else list(given)
    if config.features is None:
        return plain
    import jmespath

    objects = [given] if isinstance(given, dict) else [one for one in given if isinstance(one, dict)]
    found = [jmespath.search(config.features, one) for one in objects]
    if not objects or any(one is None for one in found):
        return plain
    for one in found:
        if not isinstance(one, list):
            raise BadDocument(f"methods.shap.baseline: the features {config.features!r} are no list there.")
    return [row for one in found for row in (one if one and isinstance(one[0], list) else [one])]

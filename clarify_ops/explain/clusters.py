"""Baseline rows made from the data: the centres of clusters of its rows."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clarify_ops.errors import BadData, BadDocument
from clarify_ops.explain.cluster_count import Count, count_clusters
from clarify_ops.explain.prototypes import Codes, encode, finite_numbers, is_number, partition

CLUSTERED_ROWS = 10_000
COUNTED_ROWS = 2_000


@dataclass(frozen=True, eq=False)
class Baseline:
    """Baseline rows and how they came about.

    Attributes:
        rows: (baseline rows, features) in the dtypes of the data, the largest cluster first.
        weights: (baseline rows,) share of the clustered rows in each cluster. An explainer weights baseline rows equally, as
            SageMaker Clarify does: the shares are for a reader.
        how: One sentence.
        warnings: What a reader must know before trusting them.
    """

    rows: pd.DataFrame
    weights: NDArray[np.float64]
    how: str
    warnings: tuple[str, ...] = ()

    def facts(self) -> dict[str, Any]:
        """How they came about, without any value of them: what a report and the evidence hold."""
        return {
            "rows": len(self.rows),
            "weights": self.weights.tolist(),
            "how": self.how,
            "warnings": list(self.warnings),
        }


def clustered_baseline(
    data: pd.DataFrame,
    categorical: Collection[str] = (),
    *,
    num_clusters: int | None = None,
    seed: int = 0,
    progress: Callable[[str], None] = lambda _: None,
) -> Baseline:
    """The centres of clusters of rows: k-means of numbers, k-prototypes where any feature is categorical.

    A number of a centre is the mean of its rows, rounded to a whole one where the data hold whole ones; everything else, and
    what is named categorical, is the most frequent value among its rows, the first to appear among equals. Gaps are filled
    for the clustering alone: a centre's value is missing where those of most of its rows are. Infinite numbers count as
    gaps. Of more than 10,000 rows a sample of 10,000 is clustered; the number of clusters is chosen on 2,000.

    Args:
        data: (rows, features), at least one row.
        categorical: Features whose numbers are codes.
        num_clusters: How many; None chooses from 1 to 12, as `count_clusters` says.
        seed: Of sample and starts: the same seed gives the same rows on any number of threads.
        progress: Told in words about each step.

    Raises:
        BadData: There are no rows or no features, or a name in `categorical` is unknown.
        BadDocument: `num_clusters` is less than 1.
    """
    _refuse_nothing(data, categorical)
    if num_clusters is not None and num_clusters < 1:
        raise BadDocument(f"The number of clusters is {num_clusters}, and must be at least 1.")
    # Loaded first: only the libraries that are there when the limit is set keep to it.
    import sklearn.cluster  # noqa: F401
    from threadpoolctl import threadpool_limits

    rng = np.random.default_rng(seed)
    taken = _sample(data, CLUSTERED_ROWS, rng)
    rows = encode(taken, categorical)
    warnings: list[str] = []
    # Sums over threads end in other last digits from run to run, and near a tie in other clusters.
    with threadpool_limits(limits=1):
        if num_clusters is None:
            progress("choosing the number of clusters for the baseline")
            some = rng.choice(len(rows), min(len(rows), COUNTED_ROWS), replace=False)
            count = count_clusters(rows.take(some), rng)
        else:
            distinct = rows.distinct() if num_clusters > 1 else 1
            count = Count(min(num_clusters, distinct), 0.0, num_clusters)
            if count.clusters < num_clusters:
                warnings.append(
                    f"The data have {distinct} distinct rows: the baseline has as many, and not {num_clusters}."
                )
        progress(f"clustering {len(rows):,} rows for the baseline")
        labels = _largest_first(partition(rows, count.clusters, rng).labels)
    sizes = np.bincount(labels)
    columns = {name: _centre_column(taken[name], labels, counted=name in categorical) for name in data.columns}
    method = "k-prototypes" if rows.codes.shape[1] else "k-means"
    return Baseline(
        rows=pd.DataFrame(columns),
        weights=sizes / sizes.sum(),
        how=_sentence(count, method, (len(taken), len(data)), seed, chosen=num_clusters is None),
        warnings=tuple(warnings),
    )


def _refuse_nothing(data: pd.DataFrame, categorical: Collection[str]) -> None:
    if not len(data) or not len(data.columns):
        raise BadData(f"There are no {'features' if len(data) else 'rows'} to make a baseline from.")
    for name in categorical:
        if name not in data.columns:
            raise BadData.unknown_column(name, map(str, data.columns), "The list of categorical features")


def _sample(data: pd.DataFrame, most: int, rng: np.random.Generator) -> pd.DataFrame:
    if len(data) <= most:
        return data.reset_index(drop=True)
    return data.iloc[np.sort(rng.choice(len(data), most, replace=False))].reset_index(drop=True)


def _largest_first(labels: Codes) -> Codes:
    sizes = np.bincount(labels)
    order = np.argsort(-sizes, kind="stable")
    place = np.empty(len(sizes), dtype=np.int64)
    place[order] = np.arange(len(sizes))
    return place[labels]


def _centre_column(column: pd.Series, labels: Codes, *, counted: bool) -> pd.Series:
    """(clusters,) the values of the centres in the dtype of the column."""
    clusters = int(labels.max()) + 1
    if is_number(column) and not counted:
        numbers = finite_numbers(column)
        whole = pd.api.types.is_integer_dtype(column.dtype)
        means = [_mean(numbers[labels == cluster]) for cluster in range(clusters)]
        if not whole:
            return pd.Series(means, dtype=np.float64).astype(column.dtype)
        return pd.Series([None if np.isnan(one) else _whole(one, column) for one in means], dtype=column.dtype)
    codes, _ = pd.factorize(column)
    places = [_place_of_most_frequent(codes, np.flatnonzero(labels == cluster)) for cluster in range(clusters)]
    gap = np.array([place is None for place in places])
    found = column.iloc[[0 if place is None else place for place in places]].reset_index(drop=True)
    return found.mask(gap) if gap.any() else found


def _mean(numbers: NDArray[np.float64]) -> float:
    known = numbers[~np.isnan(numbers)]
    if len(known) * 2 < len(numbers) or not len(known):
        return float("nan")
    largest = float(np.abs(known).max()) or 1.0
    # Numbers of 1e308 have a mean, and no sum.
    return float(np.clip((known / largest).mean() * largest, known.min(), known.max()))


def _whole(number: float, column: pd.Series) -> int:
    # Beyond 2**53 the nearest float may lie outside the dtype.
    return int(min(max(round(number), int(column.min())), int(column.max())))


def _place_of_most_frequent(codes: NDArray[np.integer], members: NDArray[np.integer]) -> int | None:
    """The row of the first member that has the most frequent value of all members; None where most have none."""
    own = codes[members]
    known = own[own >= 0]
    if len(known) * 2 < len(own) or not len(known):
        return None
    # The codes count up in order of appearance, so argmax takes the first to appear among equals.
    return int(members[np.argmax(own == np.bincount(known).argmax())])


def _sentence(count: Count, method: str, rows: tuple[int, int], seed: int, *, chosen: bool) -> str:
    taken, total = rows
    of = f"{total:,} rows" if taken == total else f"{taken:,} of {total:,} rows drawn with seed {seed}"
    number = f"{count.clusters} centre{'s' if count.clusters > 1 else ''} of {method} of {of}"
    if not chosen and count.clusters < count.most:
        return f"{number}; {count.most} are configured, and no more rows differ."
    if not chosen:
        return f"{number}; their number is as configured."
    if count.most == 1:
        return f"{number}; more need more rows that differ."
    if count.clusters == 1:
        return (
            f"{number}; no 2 to {count.most} clusters are the same in another sample and closer than chance makes them."
        )
    strength = f"a prediction strength of 0.8, here {count.strength:.2f}"
    return f"{number}; their number is the largest up to {count.most} with {strength}."

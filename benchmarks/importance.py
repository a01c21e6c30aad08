"""CPU time of permutation importance and partial dependence beside scikit-learn's, on the same models and rows in one run.

    python -m benchmarks importance --small

Permutation importance is 5 repeats of every feature judged by AUC; partial dependence is asked at the same points of the
same features, theirs by its brute method, and both are held to equal values. Runs alternate, so that a busy machine slows
both; the figures are medians of CPU seconds on one thread and their ratio.
"""

from __future__ import annotations

import argparse
import os

# Before numpy starts its threads: CPU time is compared, and idle threads of a BLAS would count.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import sklearn
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.inspection import partial_dependence as sklearn_dependence
from sklearn.inspection import permutation_importance as sklearn_importance
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from clarify_ops.explain.feature_importance import permutation_importance
from clarify_ops.explain.partial_dependence import FeatureKind, partial_dependence


def data(row_count: int) -> tuple[pd.DataFrame, pd.Series]:
    """Twelve features, a third of them counts, as tables have them, and a label of an interaction and sums."""
    rng = np.random.default_rng(0)
    rows = pd.DataFrame(rng.normal(size=(row_count, 12)), columns=[f"x{feature}" for feature in range(12)])
    for name in rows.columns[8:]:
        rows[name] = rng.poisson(1.5, row_count).astype(np.float64)
    score = rows["x0"] * rows["x1"] + rows["x2"] + rows["x8"] - 1.5
    return rows, (score + rng.normal(size=row_count) > 0).astype(int)


def models() -> dict[str, Any]:
    """Unfitted, by name."""
    from lightgbm import LGBMClassifier

    return {
        "LightGBM 100x31": LGBMClassifier(n_estimators=100, num_leaves=31, n_jobs=1, verbose=-1),
        "logistic regression": make_pipeline(StandardScaler(), LogisticRegression()),
        "HistGradientBoosting 200": HistGradientBoostingClassifier(max_iter=200),
    }


def alternating(runs: Mapping[str, Callable[[], object]], repeats: int) -> dict[str, float]:
    """Medians of CPU seconds."""
    taken: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(repeats):
        for name, run in runs.items():
            start = time.process_time()
            run()
            taken[name].append(time.process_time() - start)
    return {name: statistics.median(seconds) for name, seconds in taken.items()}


def importance(model: Any, rows: pd.DataFrame, labels: pd.Series, repeats: int) -> dict[str, float]:
    """Permutation importance, by AUC."""

    def ours() -> object:
        return permutation_importance(lambda frame: model.predict_proba(frame)[:, 1], rows, labels, seed=0)

    def theirs() -> object:
        return sklearn_importance(model, rows, labels, scoring="roc_auc", n_repeats=5, random_state=0)

    return alternating({"ours": ours, "sklearn": theirs}, repeats)


def dependence(model: Any, rows: pd.DataFrame, repeats: int) -> dict[str, float]:
    """Partial dependence on every feature, the counts as categories."""
    kinds: dict[str, FeatureKind] = {
        str(name): "categorical" if place >= 8 else "numerical" for place, name in enumerate(rows.columns)
    }

    def ours() -> list[Sequence[float]]:
        found = partial_dependence(lambda frame: model.predict_proba(frame)[:, 1], rows, kinds, grid_resolution=32)
        return [one.model_predictions[0] for one in found]

    grids = {
        one.feature: np.array(one.feature_values)
        for one in partial_dependence(lambda frame: np.zeros(len(frame)), rows, kinds, grid_resolution=32)
    }

    def theirs() -> list[Sequence[float]]:
        return [
            sklearn_dependence(
                model,
                rows,
                [name],
                kind="average",
                method="brute",
                response_method="predict_proba",
                custom_values={name: points},
            )["average"][0]
            for name, points in grids.items()
        ]

    for mine, other in zip(ours(), theirs(), strict=True):
        np.testing.assert_allclose(mine, other, rtol=1e-9)
    return alternating({"ours": ours, "sklearn": theirs}, repeats)


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=3, help="alternating runs of each")
    parser.add_argument("--small", action="store_true", help="a tenth of the rows, once")
    arguments = parser.parse_args()
    scale, repeats = (10, 1) if arguments.small else (1, arguments.repeats)
    rows, labels = data(20_000 // scale)
    half = len(rows) // 2
    judged, answers = rows.iloc[half:].reset_index(drop=True), labels.iloc[half:].reset_index(drop=True)
    print(f"clarify_ops beside scikit-learn {sklearn.__version__}, numpy {np.__version__}, pandas {pd.__version__}")
    print(f"{'work':<34}{'model':<26}{'ours, CPU s':>12}{'sklearn':>10}{'ratio':>8}")
    for name, model in models().items():
        model.fit(rows.iloc[:half], labels.iloc[:half])
        works = {f"importance, {half:,} rows x 5, AUC": importance(model, judged, answers, repeats)}
        for count in (2000 // scale, 100):
            works[f"partial dependence, {count:,} rows"] = dependence(model, judged.iloc[:count], repeats)
        for work, seconds in works.items():
            ratio = seconds["sklearn"] / seconds["ours"]
            print(f"{work:<34}{name:<26}{seconds['ours']:>12.4f}{seconds['sklearn']:>10.3f}{ratio:>8.1f}", flush=True)


if __name__ == "__main__":
    main()

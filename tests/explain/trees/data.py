"""Rows that meet every way of a split: gaps, zeros, repeated values, categories, infinities, values at thresholds."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clarify_ops.explain.trees.ensemble import Ensemble

Floats = NDArray[np.float64]


def numeric(rows: int = 400, *, gaps: bool = True, seed: int = 0) -> pd.DataFrame:
    """Five columns: normal, with gaps; integers with many zeros; coarse; constant but for gaps; skewed."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "income": rng.normal(size=rows),
            "children": rng.integers(0, 4, rows),
            "share": rng.normal(size=rows).round(1),
            "known": np.ones(rows),
            "debt": rng.exponential(size=rows) * 100,
        }
    )
    if gaps:
        frame["income"] = frame["income"].where(rng.random(rows) > 0.2)
        frame["known"] = frame["known"].where(rng.random(rows) > 0.3)
    return frame


def mixed(rows: int = 400, seed: int = 0) -> pd.DataFrame:
    """Numbers with gaps, and two categorical columns, of text and of numbers; the categories are not in order."""
    rng = np.random.default_rng(seed)
    frame = numeric(rows, seed=seed)[["income", "children", "share"]]
    town = pd.Series(rng.choice(["north", "south", "west", "east", "far"], rows)).where(rng.random(rows) > 0.1)
    frame.insert(1, "town", town.astype(pd.CategoricalDtype(["west", "north", "far", "east", "south"])))
    frame["grade"] = pd.Categorical(rng.choice([30, 10, 20, 40], rows), categories=[40, 10, 30, 20])
    return frame


def targets(frame: pd.DataFrame, seed: int = 1) -> Floats:
    """(rows,) a score with interactions, in which every column takes part."""
    rng = np.random.default_rng(seed)
    score = rng.normal(scale=0.3, size=len(frame))
    for position, name in enumerate(frame.columns):
        column = frame[name]
        known = column.cat.codes if isinstance(column.dtype, pd.CategoricalDtype) else column.fillna(-1.5)
        values = known.to_numpy(dtype=np.float64)
        spread = (values - values.mean()) / max(values.std(), 1e-9)
        score += np.sin(2 * spread) * (1 + 0.5 * position) + 0.4 * spread * (score > 0)
    return score


def classes(frame: pd.DataFrame, count: int) -> NDArray[np.int64]:
    """(rows,) classes of about equal size."""
    return np.asarray(pd.qcut(targets(frame), count, labels=False), dtype=np.int64)


def hard_rows(frame: pd.DataFrame, ensemble: Ensemble, *, gaps: bool = True, infinite: bool = True) -> pd.DataFrame:
    """Rows like the given ones, some of which lie at thresholds or beside them, are missing, zero, tiny or infinite."""
    rng = np.random.default_rng(7)
    rows = frame.sample(120, replace=True, random_state=3, ignore_index=True)
    special = [0.0, 1e-36, -1e-36, 1e-34, 1e30, -1e30]
    special += [np.inf, -np.inf] if infinite else []
    special += [np.nan] * 3 if gaps else []
    for position, name in enumerate(frame.columns):
        if isinstance(frame[name].dtype, pd.CategoricalDtype):
            continue
        at = ensemble.threshold[(ensemble.column == position) & np.isfinite(ensemble.threshold)]
        near = [at, np.nextafter(at, np.inf), np.nextafter(at, -np.inf)]
        single = at.astype(np.float32)
        with np.errstate(over="ignore"):
            near += [np.nextafter(single, np.float32(side)).astype(np.float64) for side in (np.inf, -np.inf)]
        pool = np.concatenate([*near, *[special] * 3])
        values = rows[name].to_numpy(dtype=np.float64, na_value=np.nan)
        rows[name] = np.where(rng.random(len(rows)) < 0.4, rng.choice(pool, len(rows)), values)
    return rows

"""Whether a pipeline's columns really come from the features that they are traced to: tried on data."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clarify_ops.explain.encoding import Encoding, Untraced

FEATURES = 64
"""Most features that are tried, from all over."""

CELLS = 2048
"""Most rows that are encoded, twice for each feature."""


def mixed_sources(encoding: Encoding, rows: pd.DataFrame) -> Untraced | None:
    """Gives rows each other's values of one feature at a time, and sees which columns change.

    All changed rows are encoded in one call, because a call costs more than its rows.

    Args:
        encoding: As it was traced from what its steps are.
        rows: (rows, features), some that the pipeline is meant for.

    Returns:
        Why the tracing does not hold: a column changes with a feature that is not its source, or there are more or fewer
        columns than sources. None where it holds on these rows.
    """
    what = "Pipeline"
    if len(rows) == 0 or rows.shape[1] == 0:
        return None
    tried = _spread(rows.shape[1], FEATURES)
    sample = rows.iloc[_spread(len(rows), CELLS // (2 * len(tried)))]
    steps = sorted({1, max(1, len(sample) // 2)})
    changed = [_changed(sample, feature, step) for feature in tried for step in steps]
    made = _cells(encoding.transform(pd.concat([sample, *changed], ignore_index=True)))
    if made.shape[1] != len(encoding.sources):
        return Untraced(what, f"makes {made.shape[1]} columns, and {len(encoding.sources)} were traced")
    before, *after = made.reshape(-1, len(sample), made.shape[1])
    for feature, cells in zip(np.repeat(tried, len(steps)).tolist(), after, strict=True):
        same = (before == cells) | (pd.isna(before) & pd.isna(cells))
        if (~same.all(axis=0) & (encoding.sources != feature)).any():
            return Untraced(what, f"makes columns of {str(rows.columns[feature])!r} that were traced to other features")
    return None


def _spread(count: int, most: int) -> NDArray[np.intp]:
    """Some positions from all over."""
    return np.unique(np.linspace(0, count - 1, min(count, max(2, most))).astype(np.intp))


def _changed(sample: pd.DataFrame, feature: int, step: int) -> pd.DataFrame:
    changed = sample.copy()
    changed.isetitem(feature, sample.iloc[:, feature].array.take(np.roll(np.arange(len(sample)), step)))
    return changed


def _cells(made: Any) -> NDArray[Any]:
    dense = made.toarray() if hasattr(made, "toarray") else np.asarray(made)
    return dense if dense.dtype.kind in "biuf" else dense.astype(object)

"""Whether a pipeline's columns really come from the features that they are traced to: tried on data."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clarify_ops.explain.encoding import Encoding, Untraced

ROWS = 64
"""Most rows that are tried; each feature's encoding is made twice of them."""


def mixed_sources(encoding: Encoding, rows: pd.DataFrame) -> Untraced | None:
    """Gives rows each other's values of one feature at a time, and sees which columns change.

    Args:
        encoding: As it was traced from what its steps are.
        rows: (rows, features), some that the pipeline is meant for.

    Returns:
        Why the tracing does not hold: a column changes with a feature that is not its source, or there are more or fewer
        columns than sources. None where it holds on these rows.
    """
    what = "Pipeline"
    if len(rows) == 0:
        return None
    sample = rows.iloc[np.unique(np.linspace(0, len(rows) - 1, ROWS).astype(np.intp))]
    before = _cells(encoding.transform(sample))
    if before.shape[1] != len(encoding.sources):
        return Untraced(what, f"makes {before.shape[1]} columns, and {len(encoding.sources)} were traced")
    for feature, name in enumerate(rows.columns):
        for step in {1, max(1, len(sample) // 2)}:
            changed = sample.copy()
            changed.isetitem(feature, sample.iloc[:, feature].array.take(np.roll(np.arange(len(sample)), step)))
            after = _cells(encoding.transform(changed))
            same = (before == after) | (pd.isna(before) & pd.isna(after))
            if (~same.all(axis=0) & (encoding.sources != feature)).any():
                return Untraced(what, f"makes columns of {str(name)!r} that were traced to other features")
    return None


def _cells(made: Any) -> NDArray[np.object_]:
    dense = made.toarray() if hasattr(made, "toarray") else made
    return np.asarray(dense, dtype=object)

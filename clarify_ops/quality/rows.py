"""What is wrong with rows: values that are missing, rows that stand twice, rows that contradict each other."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clarify_ops.measures import Measure

Bools = NDArray[np.bool_]


def row_checks(
    features: pd.DataFrame, label: pd.Series, positive: Bools, rounds: Sequence[tuple[Bools, Bools]]
) -> tuple[Measure, ...]:
    """Plain facts that a policy can bound.

    Args:
        features: (rows, features): what the model sees.
        label: (rows,) as it stands in the data.
        positive: (rows,) observed positives.
        rounds: (rows to fit, rows to predict) of each fold; none where the model was trained elsewhere.

    Returns:
        `missing_share:FEATURE` for every feature, `worst_missing_share`, `missing_labels`, `seen_share` and
        `contradicted_share`.
    """
    rows = len(features)
    missing = {f"missing_share:{name}": int(count) for name, count in features.isna().sum().items()}
    kind = equal_rows(features)
    return (
        *(_share(name, count, rows) for name, count in missing.items()),
        _share("worst_missing_share", max(missing.values(), default=0), rows),
        Measure("data", "missing_labels", float(label.isna().sum()), groups={"all": rows}, exact=True),
        _seen_share(kind, positive, rounds),
        _share("contradicted_share", int(contradicted(kind, positive).sum()), rows),
    )


def _seen_share(kind: NDArray[np.int64], positive: Bools, rounds: Sequence[tuple[Bools, Bools]]) -> Measure:
    if not rounds and len(kind):
        reason = "The model was trained elsewhere: which rows it saw is not known."
        return Measure("data", "seen_share", None, reason, groups={"all": len(kind)}, exact=True)
    evaluated = sum(int(predicted.sum()) for _, predicted in rounds)
    return _share("seen_share", int(seen_in_training(kind, positive, rounds).sum()), evaluated)


def _share(name: str, hits: int, rows: int) -> Measure:
    value, reason = (hits / rows, "") if rows else (None, "There are no rows.")
    return Measure("data", name, value, reason, groups={"all": rows}, denominators={"rows": rows}, exact=True)


def equal_rows(features: pd.DataFrame) -> NDArray[np.int64]:
    """(rows,) a number that rows share when they are equal in every feature; a missing value equals a missing value."""
    code = np.zeros(len(features), dtype=np.int64)
    for name in features.columns:
        values, levels = pd.factorize(features[name], use_na_sentinel=False)
        # Numbered anew after each column: the product of all their levels would not fit.
        code = pd.factorize(code * len(levels) + values)[0]
    return code.astype(np.int64)


def seen_in_training(kind: NDArray[np.int64], positive: Bools, rounds: Iterable[tuple[Bools, Bools]]) -> Bools:
    """(rows,) whether the model that predicts a row was fitted on an equal one, label and all.

    Args:
        kind: (rows,) from `equal_rows`.
        positive: (rows,) observed positives.
        rounds: (rows to fit, rows to predict) of each fold.
    """
    whole = 2 * kind + positive
    found = np.zeros(len(kind), dtype=bool)
    for fitted, predicted in rounds:
        found |= predicted & np.isin(whole, whole[fitted])
    return found


def contradicted(kind: NDArray[np.int64], positive: Bools) -> Bools:
    """(rows,) whether a row with equal features has the other label: no model can be right about both.

    Args:
        kind: (rows,) from `equal_rows`.
        positive: (rows,) observed positives.
    """
    if len(kind) == 0:
        return np.zeros(0, dtype=bool)
    rows = np.bincount(kind)
    positives = np.bincount(kind, weights=positive)
    return np.asarray(((positives > 0) & (positives < rows))[kind])

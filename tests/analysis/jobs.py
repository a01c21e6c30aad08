"""Small analyses for the tests of a room."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from tests.bias.cases import same

METHODS: dict[str, Any] = {"pre_training_bias": {"methods": "all"}, "post_training_bias": {"methods": "all"}}


def people(rows: int = 200, seed: int = 0) -> pd.DataFrame:
    """Made-up applicants: two facets, a group variable, two numbers, an observed and a predicted label."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "sex": rng.choice(["female", "male"], rows),
            "city": rng.choice(["a", "b", "c"], rows),
            "school": rng.integers(0, 4, rows),
            "income": rng.normal(50, 10, rows).round(1),
            "debt": rng.integers(0, 9, rows),
        }
    )
    frame["paid"] = (frame["income"] - frame["debt"] + rng.normal(0, 5, rows) > 45).astype(int)
    frame["predicted"] = (frame["income"] + 3 * (frame["sex"] == "male") > 48).astype(int)
    return frame


def configuration(**changes: Any) -> dict[str, Any]:
    """Bias before and after training for `people`; a change to None takes the key out."""
    document: dict[str, Any] = {
        "dataset_type": "text/csv",
        "label": "paid",
        "predicted_label": "predicted",
        "label_values_or_threshold": [1],
        "facet": [{"name_or_index": "sex", "value_or_threshold": ["female"]}],
        "group_variable": "school",
        "methods": METHODS,
        **changes,
    }
    return {key: value for key, value in document.items() if value is not None}


def score(features: pd.DataFrame) -> np.ndarray[Any, np.dtype[np.float64]]:
    """A model of `people`: a probability from income and debt."""
    margin = features["income"].to_numpy(dtype=np.float64) - features["debt"].to_numpy(dtype=np.float64) - 45
    return np.asarray(1 / (1 + np.exp(-margin / 5)))


def equal(found: Any, expected: Any) -> bool:
    """Same keys in the same order, same texts, numbers to 1e-12."""
    if isinstance(expected, dict):
        return list(found) == list(expected) and all(equal(found[key], expected[key]) for key in expected)
    if isinstance(expected, list):
        return len(found) == len(expected) and all(map(equal, found, expected))
    return same(found, expected)

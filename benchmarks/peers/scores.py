"""Models that contestants explain, and what they were asked: numbers and LightGBM only, for any environment."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

Model = Callable[[Any], Any]


def score(x: Any) -> Any:
    """A score with interactions, in plain numpy: it costs next to nothing, so the explainer's own work shows."""
    total = x[:, 0] * x[:, 1] + np.sin(x[:, 2]) * x[:, 3] + x[:, 4:].sum(axis=1) / 4 + x[:, 5] * x[:, 6] * x[:, 7]
    return 1 / (1 + np.exp(-total))


def model_of(folder: Path, name: str) -> Model:
    """The score, or the trees that lie in the folder."""
    if name == "score":
        return score
    import lightgbm

    booster = lightgbm.Booster(model_file=folder / "trees.txt")
    return lambda x: booster.predict(x, num_threads=1)


class Counted:
    """A model that counts its calls and rows, and cuts a call to what a payload holds."""

    def __init__(self, model: Model, payload: int) -> None:
        self.model, self.payload = model, payload
        self.calls = self.rows = 0

    def __call__(self, x: Any) -> Any:
        """What the model says of (rows, features)."""
        self.calls += max(1, -(-len(x) // self.payload))
        self.rows += len(x)
        return self.model(x)

    def told(self, values: Any) -> dict[str, Any]:
        """A result: (rows, features) values, and the count, which begins anew."""
        found = {"values": np.asarray(values).tolist(), "calls": self.calls, "rows": self.rows}
        self.calls = self.rows = 0
        return found

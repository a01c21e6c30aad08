"""A network of layers behind the model that is asked about."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clarify_ops.errors import BadData, BadModel
from clarify_ops.explain.deep import LARGEST_GAP, deep_shap, is_network, network_answers
from clarify_ops.explain.encoding import Untraced

Floats = NDArray[np.float64]

TRIED_ROWS = 8


@dataclass(frozen=True, eq=False)
class Network:
    """A PyTorch module.

    Attributes:
        module: The module itself.
        prepare: Raw rows to what it is given, a DataFrame of numbers.
    """

    module: Any
    prepare: Callable[[pd.DataFrame], pd.DataFrame]

    @property
    def estimator(self) -> str:
        """Name of its class."""
        return type(self.module).__name__

    @property
    def unit(self) -> str:
        """Of what it answers."""
        return "output of the network"

    def outputs(self, rows: pd.DataFrame) -> Floats:
        """(rows, outputs)."""
        return network_answers(self.module, self.prepare(rows))

    def flaw(self, rows: pd.DataFrame, background: pd.DataFrame) -> str:
        """Why DeepLIFT's rule does not do for this network, tried on a few rows, as a clause; empty where it does."""
        try:
            tried = deep_shap(self.module, self.prepare(rows.head(TRIED_ROWS)), self.prepare(background))
        except (BadData, BadModel) as refused:
            return refused.message.rstrip(".")
        reach = float(np.abs(tried.predictions - tried.expected_value).max(initial=0.0))
        gap = tried.additivity_gap()
        if gap > max(LARGEST_GAP * reach, 1e-9):
            return f"its values miss the predictions by up to {gap:.2g}, so that a layer or a step between them is not known"
        return ""


def read_network(estimator: Any, prepare: Callable[[pd.DataFrame], Any]) -> Network | Untraced:
    """The PyTorch module behind a model, or why there is none."""
    if not is_network(estimator):
        return Untraced(type(estimator).__name__, "is no PyTorch module")
    return Network(estimator, prepare)

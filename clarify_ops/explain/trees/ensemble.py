"""Trees of any library in one form."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Ensemble:
    """Trees whose outputs are added to a base.

    Nodes of all trees stand one after the other. A numeric split sends a value to the left where `value <= threshold`,
    after `rounding`; a categorical one where the value, cut to a whole number, is a member of the split's set. A missing
    value goes where `missing_left` says. What is missing is a matter of the split: NaN; NaN and zero (LightGBM's
    zero_as_missing); or nothing, and then NaN is read as 0.

    Attributes:
        columns: Number of columns that the trees look at.
        tree_starts: (trees + 1,) first node of each tree, its root, and the number of nodes.
        left: (nodes,) position of the left child among all nodes; -1 at a leaf.
        right: (nodes,) likewise.
        column: (nodes,) column of the split; -1 at a leaf.
        threshold: (nodes,) of a numeric split; NaN elsewhere.
        missing_left: (nodes,) whether a missing value goes to the left.
        missing: (nodes,) code of what is missing: 0 NaN, 1 NaN and zero (up to 1e-35), 2 nothing.
        category_starts: (nodes,) first word of the split's set in `category_words`; -1 where the split is numeric.
        category_counts: (nodes,) number of its words of 32 bits; a category beyond them, or below 0, is no member.
        category_words: (words,) uint32; category k is bit k % 32 of word k // 32.
        cover: (nodes,) weight of the training rows that came by, as the library counts it: rows, their weights, or (XGBoost)
            second derivatives. The covers of two children need not add up to the parent's to the last digit. Below a node
            of cover 0 each side counts half.
        values: (nodes, outputs) what a leaf adds; 0 at splits. Learning rates, averages and slopes of a sigmoid are in it.
        base: (outputs,) what the outputs start from.
        rounding: Whether values are rounded to float32 before they are compared.
        unit: Of the outputs: "log-odds", "probability", "value", ...
        library: Name and version of what the trees come from.
    """

    columns: int
    tree_starts: NDArray[np.int64]
    left: NDArray[np.int32]
    right: NDArray[np.int32]
    column: NDArray[np.int32]
    threshold: NDArray[np.float64]
    missing_left: NDArray[np.bool_]
    missing: NDArray[np.int8]
    category_starts: NDArray[np.int32]
    category_counts: NDArray[np.int32]
    category_words: NDArray[np.uint32]
    cover: NDArray[np.float64]
    values: NDArray[np.float64]
    base: NDArray[np.float64]
    rounding: Literal["double", "float32"]
    unit: str
    library: str

    @property
    def trees(self) -> int:
        """How many there are."""
        return len(self.tree_starts) - 1

    @property
    def outputs(self) -> int:
        """How many numbers a row gets."""
        return len(self.base)

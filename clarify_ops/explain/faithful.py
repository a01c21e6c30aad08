"""Whether values add up to what they explain, in the unit in which they do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from clarify_ops.explain.explanation import Explanation

TOLERANCE = 1e-6
"""Largest gap, beside the largest distance between a prediction and its base, that is put down to rounding."""


@dataclass(frozen=True)
class Faithfulness:
    """How far values are from adding up. It proves the arithmetic, and nothing about the single values.

    Attributes:
        unit: Of all numbers here.
        outputs: Names.
        gap: Of each output, the largest |base + sum of the values - prediction| of a row.
        moved: Of each output, the largest |prediction - base|: what there was to share out.
        holds: Whether no gap is more than rounding.
    """

    unit: str
    outputs: tuple[str, ...]
    gap: tuple[float, ...]
    moved: tuple[float, ...]
    holds: bool

    def to_json(self) -> dict[str, Any]:
        """A JSON object."""
        per_output = {
            name: {"additivity_gap": gap, "moved": moved}
            for name, gap, moved in zip(self.outputs, self.gap, self.moved, strict=True)
        }
        return {"unit": self.unit, "outputs": per_output, "holds": self.holds}


def faithful(explanation: Explanation, tolerance: float = TOLERANCE) -> Faithfulness:
    """Adds up the values of every row and output.

    Args:
        explanation: Of any explainer.
        tolerance: Share of what there was to share out, and at least as much in the unit itself.
    """
    away = explanation.predictions - explanation.base_values
    gap = np.abs(explanation.values.sum(axis=1) - away).max(axis=0, initial=0)
    moved = np.abs(away).max(axis=0, initial=0)
    return Faithfulness(
        unit=explanation.unit,
        outputs=explanation.outputs,
        gap=tuple(gap.tolist()),
        moved=tuple(moved.tolist()),
        holds=bool((gap <= tolerance * np.maximum(1.0, moved)).all()),
    )

"""How well one model stands in for another, in numbers that fit what the models say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clarify_ops.intervals import wilson
from clarify_ops.measures import Interval, Measure

Floats = NDArray[np.float64]
LEVEL = 0.95


@dataclass(frozen=True)
class Fidelity:
    """How well a surrogate repeats a model, on rows that it was not trained on.

    Attributes:
        rows: How many.
        r2: Share of the variance of the outputs that the surrogate repeats, the mean over outputs that vary; None where
            there are labels alone, or nothing varies.
        accuracy: Share of rows with the same label; None where the outputs stand for no labels.
        kappa: Cohen's: the same beyond what the frequencies of the labels give by chance; None likewise, or where both
            have one label only.
        reasons: Why a number is None, by its name.
    """

    rows: int
    r2: float | None
    accuracy: float | None
    kappa: float | None
    reasons: dict[str, str]

    @property
    def deciding(self) -> float | None:
        """The number held against the bound: the variance repeated where there are numbers, else the labels."""
        return self.r2 if self.r2 is not None else self.accuracy

    def to_json(self) -> dict[str, Any]:
        """JSON types only."""
        return {
            "rows": self.rows,
            "r2": self.r2,
            "accuracy": self.accuracy,
            "kappa": self.kappa,
            "reasons": dict(self.reasons),
        }

    def measures(self, level: float = LEVEL) -> tuple[Measure, ...]:
        """What a policy can bound: surrogate_r2, surrogate_accuracy and surrogate_kappa; the second has an interval."""
        interval = None
        if self.accuracy is not None:
            interval = Interval(*wilson(self.accuracy * self.rows, self.rows, level), level, "Wilson score")
        return tuple(
            Measure(
                stage="explanations",
                metric=f"surrogate_{name}",
                value=value,
                reason=self.reasons.get(name, ""),
                groups={"all": self.rows},
                denominators={"rows held out": self.rows},
                interval=interval if name == "accuracy" else None,
                exact=name != "accuracy",
            )
            for name, value in (("r2", self.r2), ("accuracy", self.accuracy), ("kappa", self.kappa))
        )


def fidelity_of_numbers(truth: Floats, said: Floats) -> tuple[float | None, str]:
    """R2 of (rows, outputs), the mean over the outputs that vary, and why there is none.

    >>> fidelity_of_numbers(np.array([[0.0], [2.0]]), np.array([[0.0], [1.0]]))
    (0.5, '')
    """
    spread = ((truth - truth.mean(axis=0)) ** 2).sum(axis=0)
    left = ((truth - said) ** 2).sum(axis=0)
    # Rounding alone gives a constant some variance.
    varies = spread > len(truth) * (8 * np.finfo(np.float64).eps * np.abs(truth).max(axis=0, initial=0)) ** 2
    if not varies.any():
        return None, "The model gives the same output for every row held out."
    return float((1 - left[varies] / spread[varies]).mean()), ""


def agreement(truth: NDArray[Any], said: NDArray[Any]) -> tuple[float, float | None]:
    """Accuracy and Cohen's kappa of labels of any kind; kappa is None where chance alone agrees always.

    >>> agreement(np.array(["yes", "no", "no", "no"]), np.array(["yes", "yes", "no", "no"]))
    (0.75, 0.5)

    Source: Cohen (1960), doi:10.1177/001316446002000104.
    """
    same = float((truth == said).mean())
    names = sorted({*truth.tolist(), *said.tolist()}, key=str)
    chance = sum(float((truth == name).mean()) * float((said == name).mean()) for name in names)
    return same, None if chance >= 1 else (same - chance) / (1 - chance)

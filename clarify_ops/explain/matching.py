"""Whether the outputs asked about are sums that an explainer can read off a model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from clarify_ops.explain.explanation import Explanation, output_names

Floats = NDArray[np.float64]

TOLERANCE = 1e-5
"""Largest distance, beside the size of the outputs: what is left between a library's float32 and the same in doubles."""


@dataclass(frozen=True, eq=False)
class Match:
    """How outputs follow from sums: output i is shift[i] + sign[i] * (sum of number column[i]).

    Attributes:
        column: (outputs,).
        sign: (outputs,) 1 or -1.
        shift: (outputs,) 0, or 1 for the probability of the other class.
    """

    column: NDArray[np.intp]
    sign: Floats
    shift: Floats

    def of(self, sums: Floats) -> Floats:
        """(rows, outputs), from (rows, sums)."""
        return np.asarray(self.shift + self.sign * sums[..., self.column], dtype=np.float64)

    def holds(self, sums: Floats, outputs: Floats, *, log_odds: bool) -> bool:
        """Whether (rows, outputs) follow from (rows, sums) in this way; as for `match`."""
        made = self.of(sums)
        if made.shape != outputs.shape:
            return False
        made = _probabilities(made) if log_odds else made
        return bool((np.abs(made - outputs).max(axis=0, initial=0) <= _tolerated(outputs)).all())

    def explained(self, explanation: Explanation, labels: Sequence[str] | None) -> Explanation:
        """An explanation of the sums as one of the outputs, which are shifted and mirrored as their values are not."""
        return replace(
            explanation,
            outputs=output_names(len(self.column), None if labels is None else tuple(labels)),
            values=explanation.values[..., self.column] * self.sign,
            standard_errors=explanation.standard_errors[..., self.column],
            expected_value=self.of(explanation.expected_value),
            base_values=self.of(explanation.base_values),
            predictions=self.of(explanation.predictions),
        )


def match(sums: Floats, outputs: Floats, *, log_odds: bool) -> Match | float:
    """Finds each output among the sums.

    Args:
        sums: (rows, sums) of some rows.
        outputs: (rows, outputs) that the model gives for them.
        log_odds: Whether the outputs are probabilities of which the log-odds are asked about. They are compared as
            probabilities: next to 0 and 1 their log-odds are mostly rounding.

    Returns:
        The match; without one, how far the closest sum stays from an output, in the unit of the outputs.
    """
    candidates = [(column, sign, shift) for column in range(sums.shape[1]) for sign, shift in _forms(log_odds=log_odds)]
    made = np.array([shift + sign * sums[:, column] for column, sign, shift in candidates])
    made = _probabilities(made) if log_odds else made
    found, worst = [], 0.0
    for output, tolerated in zip(outputs.T, _tolerated(outputs), strict=True):
        gaps = np.abs(made - output).max(axis=1, initial=0)
        near = gaps <= tolerated
        if near.any():
            found.append(candidates[int(near.argmax())])
        else:
            worst = max(worst, float(gaps.min()))
    if len(found) < outputs.shape[1]:
        return worst
    column, sign, shift = zip(*found, strict=True)
    return Match(np.array(column, dtype=np.intp), np.array(sign), np.array(shift))


def _probabilities(log_odds: Floats) -> Floats:
    # Beyond these the probability is 0 or 1 to the last digit.
    return np.asarray(1 / (1 + np.exp(-np.clip(log_odds, -500, 500))), dtype=np.float64)


def _tolerated(outputs: Floats) -> Floats:
    """(outputs,) how far one may be off."""
    return np.asarray(TOLERANCE * np.maximum(1.0, np.abs(outputs).max(axis=0, initial=0)), dtype=np.float64)


def _forms(*, log_odds: bool) -> tuple[tuple[float, float], ...]:
    """Sign and shift; of log-odds, the other class has the negative."""
    return ((1.0, 0.0), (-1.0, 0.0)) if log_odds else ((1.0, 0.0), (-1.0, 1.0), (-1.0, 0.0))

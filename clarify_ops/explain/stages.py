"""What Kernel SHAP asks about a row, stage by stage: each goes on from what the one before has learnt."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from clarify_ops.errors import BadDocument
from clarify_ops.explain.coalitions import PairedSample, coalition_budget, draw_growing_pairs
from clarify_ops.explain.solvers import ExactSolver, SampledSolver, Solver

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]
Positions = NDArray[np.intp]

BUDGETS_FOR_A_BOUND = 16
"""How many times Clarify's number of coalitions may be spent on a bound, where no number is given."""


@dataclass(frozen=True)
class Effort:
    """How much may be asked about a row.

    Attributes:
        num_samples: Coalitions; those of the first stage where there is a bound. None for Clarify's rule.
        max_standard_error: What no standard error of a row is to exceed, in the unit explained; None for no bound.
        max_samples: Coalitions that a row may cost with a bound; None for 16 times Clarify's rule.

    Raises:
        BadDocument: A number is below 1, the bound is not above 0, `max_samples` has no bound or is below the first stage.
    """

    num_samples: int | None = None
    max_standard_error: float | None = None
    max_samples: int | None = None

    def __post_init__(self) -> None:
        for name, number in (("num_samples", self.num_samples), ("max_samples", self.max_samples)):
            if number is not None and number < 1:
                raise BadDocument(f"{name} is {number}, and must be at least 1.")
        if self.max_standard_error is not None and not self.max_standard_error > 0:
            raise BadDocument(f"max_standard_error is {self.max_standard_error}, and must be above 0.")
        if self.max_standard_error is None and self.max_samples is not None:
            raise BadDocument("max_samples is given without max_standard_error.", "num_samples is the plain budget.")

    def budgets(self, players: int) -> tuple[int, ...]:
        """Coalitions per row up to the end of each stage; each stage doubles them."""
        # A coalition without its complement is never evaluated: the least budget is one pair.
        found = [max(2, coalition_budget(players, self.num_samples))]
        if self.max_standard_error is None:
            return tuple(found)
        most = max(found[0], coalition_budget(players, BUDGETS_FOR_A_BOUND * (2 * players + 2048)))
        if self.max_samples is not None:
            most = max(2, coalition_budget(players, self.max_samples))
        if most < found[0]:
            raise BadDocument(f"max_samples is {self.max_samples}, and the first {found[0]} coalitions exceed it.")
        while found[-1] < most:
            found.append(min(most, 2 * found[-1]))
        return tuple(found)


@dataclass(frozen=True, eq=False)
class Stage:
    """One stage, for all rows that differ from the background in one number of features.

    Attributes:
        asked: (coalitions, players) that the stages before have not asked about.
        order: Where the coalitions of the solver stand among all that were asked about so far; None where they stand
            there in the solver's order.
        make: Makes the solver.
    """

    asked: Bools
    order: Positions | None
    make: Callable[[], Solver]

    @cached_property
    def solver(self) -> Solver:
        """Made when a row has come here."""
        return self.make()

    def in_order(self, known: Floats) -> Floats:
        """The solver's values out of (rows, coalitions, outputs) in the order in which they were asked for."""
        return known if self.order is None else known[:, self.order]


def stages(players: int, budgets: Sequence[int], rng: np.random.Generator) -> list[Stage]:
    """The stages for so many features; exact enumeration is the last one that its budget allows.

    Args:
        players: Features in play, at least 1.
        budgets: Coalitions up to the end of each stage.
        rng: Draws the coalitions.
    """
    every = 2**players - 2
    sampled = [budget // 2 for budget in budgets if budget < every]
    found = list(_sampled(draw_growing_pairs(players, sampled, rng))) if sampled else []
    if len(sampled) < len(budgets):
        found.append(_exact(players, [stage.asked for stage in found]))
    return found


def _sampled(samples: Sequence[PairedSample]) -> Iterator[Stage]:
    firsts, seconds = np.empty(0, dtype=np.intp), np.empty(0, dtype=np.intp)
    for sample in samples:
        known = len(firsts)
        fresh = sample.members[known:]
        places = 2 * known + np.arange(len(fresh))
        firsts, seconds = np.concatenate([firsts, places]), np.concatenate([seconds, places + len(fresh)])
        order = np.concatenate([firsts, seconds]) if known else None
        yield Stage(np.concatenate([fresh, ~fresh]), order, lambda sample=sample: SampledSolver(sample))  # type: ignore[misc]


def _exact(players: int, before: Sequence[Bools]) -> Stage:
    solver = ExactSolver(players)
    present = solver.present
    if not before:
        return Stage(present, None, lambda: solver)
    # A coalition's number is that of its bits, so that its place is known from its members.
    codes = np.concatenate(before) @ (1 << np.arange(players)) - 1
    order = np.full(len(present), -1)
    order[codes] = np.arange(len(codes))
    left = np.flatnonzero(order < 0)
    order[left] = len(codes) + np.arange(len(left))
    return Stage(present[left], order, lambda: solver)

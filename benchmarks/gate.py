"""How often the gate is wrong and how often it decides, by simulation: writes the table of docs/gate.md.

Usage: python -m benchmarks.gate            some minutes
       python -m benchmarks.gate --quick    a look at it, which writes nothing
"""

from __future__ import annotations

import itertools
import json
import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from tests.gate.calibration import WITHIN, Population, Truth, outcomes, upper_limit

FIGURES = Path(__file__).with_name("gate.json")
GROUPS, ROWS = (1, 2, 6, 12), (300, 1000, 5000, 50_000)
# Rates, and the shares of positive labels for a recall.
METRICS = {
    "DPPL": ((0.15, 0.3, 0.5, 0.8), (1.0,)),
    "DI": ((0.15, 0.3, 0.5, 0.8), (1.0,)),
    "RD": ((0.8,), (0.1, 0.3, 0.8)),
}
LIMIT = 0.055
_MEMBERS = {"DPPL": 48_000, "DI": 12_000, "RD": 48_000}


@dataclass(frozen=True)
class Simulated:
    """What the gate said in one cell."""

    metric: str
    groups: int
    rows: int
    rate: float
    base: float
    truth: Truth
    tables: int
    passes: int
    fails: int
    undefined: int


def grid() -> Iterator[Population]:
    """Every cell in which all shares are shares."""
    for metric, (rates, bases) in METRICS.items():
        for groups, rows, rate, base in itertools.product(GROUPS, ROWS, rates, bases):
            for truth in (*WITHIN, "twice the bound"):
                one = Population(metric, groups, rows, rate, truth, base)
                if (one.shares > 0.005).all() and (one.shares <= 1).all():
                    yield one


def simulate(cell: Population, tables: int, seed: tuple[int, ...]) -> Simulated:
    """One cell; drawn again with four times the tables while a rate at most 5 % might be above 5.5 % by chance."""
    for more in range(4):
        drawn = tables * 4**more
        found = outcomes(cell, cell.draw(drawn, np.random.default_rng([*seed, more])))
        passes, fails, undefined = (int(one.sum()) for one in (found.passes, found.fails, found.undefined))
        wrong = [fails] if cell.truth == "parity" else [fails, passes] if cell.truth in WITHIN else [passes]
        if all(upper_limit(one, drawn) <= LIMIT for one in wrong):
            break
    return Simulated(
        cell.metric, cell.groups, cell.rows, cell.rate, cell.base, cell.truth, drawn, passes, fails, undefined
    )


def simulated(cells: Iterable[Population], share: float = 1.0) -> list[Simulated]:
    """All of them."""
    found = []
    for place, cell in enumerate(cells):
        tables = max(int(share * _MEMBERS[cell.metric] / cell.groups), 100)
        found.append(simulate(cell, tables, (5, place)))
    return found


def main() -> None:
    """Writes the figures beside this file; `python docs/generate.py` makes the table of them."""
    started = time.perf_counter()
    quick = "--quick" in sys.argv[1:]
    found = simulated(grid(), 0.05 if quick else 1.0)
    if quick:
        for one in found:
            print(*asdict(one).values())
    else:
        lines = ",\n".join(json.dumps(asdict(one)) for one in found)
        FIGURES.write_text(f"[\n{lines}\n]\n", encoding="utf-8")
    print(f"{len(found)} cells in {time.perf_counter() - started:.0f} s", file=sys.stderr)


if __name__ == "__main__":
    main()

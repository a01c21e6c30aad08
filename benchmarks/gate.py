"""How often the gate is wrong and how often it decides, by simulation: writes the tables and the picture of docs/gate.md.

Usage: python -m benchmarks.gate            some minutes
       python -m benchmarks.gate --quick    a look at it, which writes nothing
"""

from __future__ import annotations

import itertools
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.coverage import percent, table
from tests.gate.calibration import WITHIN, Population, Truth, outcomes, upper_limit

PAGE = Path(__file__).resolve().parents[1] / "docs" / "gate.md"
PICTURE = PAGE.with_name("gate.svg")
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
    more = 0
    while True:
        drawn = tables * 4**more
        found = outcomes(cell, cell.draw(drawn, np.random.default_rng([*seed, more])))
        passes, fails, undefined = (int(one.sum()) for one in (found.passes, found.fails, found.undefined))
        wrong = [fails] if cell.truth == "parity" else [fails, passes] if cell.truth in WITHIN else [passes]
        if more == 3 or all(upper_limit(one, drawn) <= LIMIT for one in wrong):
            return Simulated(
                cell.metric, cell.groups, cell.rows, cell.rate, cell.base, cell.truth, drawn, passes, fails, undefined
            )
        more += 1


def simulated(cells: Iterable[Population], share: float = 1.0) -> list[Simulated]:
    """All of them."""
    found = []
    for place, cell in enumerate(cells):
        tables = max(int(share * _MEMBERS[cell.metric] / cell.groups), 100)
        found.append(simulate(cell, tables, (5, place)))
    return found


def by_size(found: Sequence[Simulated], cell: Callable[[list[Simulated]], str]) -> str:
    """A table of metrics and groups by rows; `cell` says what stands in it, of all rates."""
    rows = []
    for metric, groups in itertools.product(METRICS, GROUPS):
        cells = [
            [one for one in found if (one.metric, one.groups, one.rows) == (metric, groups, size)] for size in ROWS
        ]
        members = "2, one reported" if groups == 1 else str(groups)
        rows.append((f"`{metric}`", members, *(cell(one) if one else "" for one in cells)))
    return table(("metric", "groups", *(f"{size:,} rows" for size in ROWS)), rows)


def errors(found: Sequence[Simulated], which: str, truths: Sequence[Truth]) -> str:
    """The highest rate of a wrong answer, and its upper limit."""

    def worst(cells: list[Simulated]) -> str:
        shares = [(getattr(one, which), one.tables) for one in cells if one.truth in truths]
        share = max(wrong / tables for wrong, tables in shares)
        limit = max(upper_limit(wrong, tables) for wrong, tables in shares)
        return f"{percent(share)} (≤ {percent(limit)})"

    return by_size(found, worst)


def power(found: Sequence[Simulated]) -> str:
    """How often a fair model passes and a gap of twice the bound fails."""

    def decided(cells: list[Simulated]) -> str:
        words = []
        for truth, which in (("parity", "passes"), ("twice the bound", "fails")):
            shares = [getattr(one, which) / one.tables for one in cells if one.truth == truth]
            words.append(f"{percent(min(shares))} to {percent(max(shares))}" if shares else "")
        return "; ".join(words)

    return by_size(found, decided)


def curves(tables: int = 2_000) -> str:
    """PASS and FAIL by the true gap, as a picture: six groups, 1,000 and 5,000 rows, a rate of one half."""
    gaps = np.linspace(0, 0.25, 26)
    left, top, width, height = 60, 20, 520, 240
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width + 270} {height + 80}" font-family="sans-serif" font-size="13">',
        f'<rect x="{left}" y="{top}" width="{width}" height="{height}" fill="#fafafa" stroke="#888"/>',
        f'<line x1="{left + width * 0.4}" y1="{top}" x2="{left + width * 0.4}" y2="{top + height}" stroke="#888" stroke-dasharray="4 3"/>',
        f'<text x="{left + width * 0.4 + 6}" y="{top + 18}" fill="#555">bound</text>',
    ]
    for place, (rows, dash) in enumerate(((1000, "6 4"), (5000, "none"))):
        found = [
            outcomes(cell, cell.draw(tables, np.random.default_rng([6, rows, step])))
            for step, gap in enumerate(gaps)
            for cell in (Population("DPPL", 6, rows, 0.5, gap=float(gap)),)
        ]
        for name, colour in (("passes", "#0072b2"), ("fails", "#d55e00")):
            points = " ".join(
                f"{left + width * gap / gaps[-1]:.1f},{top + height * (1 - float(getattr(one, name).mean())):.1f}"
                for gap, one in zip(gaps, found, strict=True)
            )
            lines.append(
                f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2" stroke-dasharray="{dash}"/>'
            )
            y = top + 30 + 44 * place + (20 if name == "fails" else 0)
            word = "PASS" if name == "passes" else "FAIL"
            lines.append(
                f'<text x="{left + width + 14}" y="{y}" fill="{colour}">{word}, {rows:,} rows{" (dashed)" if dash != "none" else ""}</text>'
            )
    lines += [
        f'<text x="{left - 8}" y="{top + height * (1 - share) + 4}" text-anchor="end">{share:.0%}</text>'
        for share in (0, 0.25, 0.5, 0.75, 1)
    ]
    lines += [
        f'<text x="{left + width * gap / 0.25:.1f}" y="{top + height + 18}" text-anchor="middle">{gap:g}</text>'
        for gap in (0, 0.05, 0.1, 0.15, 0.2, 0.25)
    ]
    lines.append(
        f'<text x="{left + width / 2}" y="{top + height + 42}" text-anchor="middle">true gap of one of six groups</text>'
    )
    return "\n".join([*lines, "</svg>", ""])


def parts(found: Sequence[Simulated]) -> dict[str, str]:
    """What stands between the markers of docs/gate.md."""
    return {
        "false FAIL": errors(found, "fails", WITHIN),
        "false PASS": errors(found, "passes", [one for one in WITHIN if one != "parity"]),
        "power": power(found),
    }


def with_parts(text: str, made: Mapping[str, str]) -> str:
    """The page with its generated parts made anew."""
    for name, content in made.items():
        start, end = f"<!-- {name} -->\n", f"<!-- end of {name} -->"
        before, rest = text.split(start)
        text = f"{before}{start}{content}\n{end}{rest.split(end)[1]}"
    return text


def main() -> None:
    """Writes the tables and the picture of docs/gate.md."""
    started = time.perf_counter()
    quick = "--quick" in sys.argv[1:]
    found = simulated(grid(), 0.02 if quick else 1.0)
    made = parts(found)
    if quick:
        print("\n\n".join(made.values()))
    else:
        PAGE.write_text(with_parts(PAGE.read_text(encoding="utf-8"), made), encoding="utf-8")
        PICTURE.write_text(curves(), encoding="utf-8")
    print(f"{len(found)} cells in {time.perf_counter() - started:.0f} s", file=sys.stderr)


if __name__ == "__main__":
    main()

"""How often every interval holds the truth, by simulation: writes docs/coverage.md.

Usage: python -m benchmarks.coverage            a few minutes
       python -m benchmarks.coverage --quick    a look at it, which writes nothing
"""

from __future__ import annotations

import sys
import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from clarify_ops.bias.table import BY_NAME
from tests.bias.coverage import (
    COUNTED,
    ERRORS,
    PAIRS,
    SIZES,
    Coverage,
    bootstrap_coverage,
    closed_coverage,
    grid,
)
from tests.bias.flip_coverage import FLIP_POPULATIONS, flip_coverage

PAGE = Path(__file__).resolve().parents[1] / "docs" / "coverage.md"
PROMISED = 0.93
RESAMPLED = ("CDDL", "CDDPL", "DCA", "DCR", "GE", "TE", "TVD", "KL")


def score(tables: int) -> list[Coverage]:
    """Every metric's score interval in every population."""
    return [
        one
        for i, population in enumerate(grid())
        for one in closed_coverage(population, tables, np.random.default_rng([1, i]))
    ]


def resampled(tables: int) -> list[Coverage]:
    """Both bootstraps, in the populations with many errors."""
    found: list[Coverage] = []
    for i, population in enumerate(one for one in grid() if one.errors == "many"):
        metrics = [BY_NAME[name] for name in RESAMPLED]
        found.extend(bootstrap_coverage(population, metrics, tables, np.random.default_rng([2, i])))
    return found


def lowest(found: Iterable[Coverage]) -> Coverage:
    """The one that covers least, among the populations where the metric has a value in at least 100 tables."""
    return min((one for one in found if one.defined >= 100), key=lambda one: one.covered)


def percent(share: float) -> str:
    """One decimal."""
    return f"{100 * share:.1f}"


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table."""
    return "\n".join(
        ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads), *("| " + " | ".join(row) + " |" for row in rows)]
    )


def summary(found: list[Coverage]) -> str:
    """One row per metric and method."""
    by_method: dict[tuple[str, str], list[Coverage]] = defaultdict(list)
    for one in found:
        by_method[one.metric, one.method].append(one)
    rows = []
    for (metric, method), cells in by_method.items():
        least = lowest(cells)
        mostly = [1 - one.misled / one.reliable for one in cells if one.reliable >= one.tables / 2]
        rows.append(
            (
                f"`{metric}`",
                method,
                percent(float(np.mean([one.covered for one in cells if one.defined >= 100]))),
                f"{percent(least.covered)}: {least.population}",
                percent(float(np.mean([one.reliable / one.tables for one in cells]))),
                percent(min(mostly)) if mostly else "",
                percent(max(one.misleads for one in cells)),
            )
        )
    heads = ("metric", "interval", "mean", "lowest", "reliable", "lowest of the reliable", "misleads at most")
    return table(heads, rows)


def exceptions(found: list[Coverage]) -> str:
    """The populations in which an interval covers less than promised."""
    low = [one for one in found if one.defined >= 100 and one.covered < PROMISED]
    low.sort(key=lambda one: (one.metric, one.covered))
    heads = ("metric", "population", "has a value", "covers", "called reliable", "misleads")
    return table(
        heads,
        [
            (
                f"`{one.metric}`",
                str(one.population),
                percent(one.defined / one.tables),
                percent(one.covered),
                percent(one.reliable / one.tables),
                percent(one.misleads),
            )
            for one in low
        ],
    )


def flips(draws: int) -> str:
    """The flip test's interval, beside Tango's with the neighbours as they are."""
    rows = []
    for i, population in enumerate(FLIP_POPULATIONS):
        found = flip_coverage(population, draws, 30, np.random.default_rng([3, i]))
        shares = (found.held, found.held_given_neighbours, found.reliable)
        rows.append((str(population), *(percent(one / draws) for one in shares)))
    held = table(("population", "subsampled neighbours", "neighbours as they are", "reliable"), rows)
    return f"{draws} samples of each population, 30 subsamples each.\n\n{held}"


def page(closed: list[Coverage], drawn: list[Coverage], flips: str) -> str:
    """The document."""
    tables, resamples = closed[0].tables, drawn[0].tables
    error, coarse = (100 * (0.95 * 0.05 / n) ** 0.5 for n in (tables, resamples))
    rates = ", ".join(f"{a:g}/{d:g}" for a, d in PAIRS)
    errors = "; ".join(
        f"{name}: {', '.join(f'{fp:g} and {fn:g}' for fp, fn in sides)}" for name, sides in ERRORS.items()
    )
    return f"""# How often the intervals hold the truth

`python -m benchmarks.coverage` wrote this page. All intervals are at a level of 95 %; all figures are percentages.

Samples are drawn from populations whose metrics are known, and each interval holds the truth or does not. A population
is one of {len(SIZES)} sizes ({", ".join(SIZES)} expected rows of a/d, which vary as those of sampled rows do), one of {len(PAIRS)} pairs of
rates of positive labels ({rates}) and one of {len(ERRORS)} ways to predict wrong (share of negatives and of positives, for a and
for d: {errors}). There are four subgroups of 40, 30, 20 and 10 % of the rows, with different rates; where both sides have
one rate, so they have in every subgroup, and elsewhere the subgroups of d stand in reverse order.

- **mean**, **lowest**: share of the intervals that hold the truth, where the metric has a value in at least 100 samples.
- **reliable**: share of the samples whose interval is called reliable. The gate decides by no other.
- **lowest of the reliable**: share of those that hold the truth, where at least half of the samples are reliable.
- **misleads**: share of all samples whose interval is called reliable and does not hold the truth. At a level of 95 % this is
  what the gate risks; no population may have more than 7 %.

## The intervals in use

{tables:,} samples of each of {len(closed) // len(COUNTED)} populations: a coverage of 95 % is known to within {error:.2f} (one standard error), and the lowest of
a hundred is some 2.5 of them lower by chance alone.

{summary(closed)}

### Where they cover less than 93 %

Nearly all have fewer rows to divide by than anything can be known of, and are called unreliable there: an interval is, if a
denominator is below 5 (for `DCA` and `DCR`, the rows that are positive, or negative, by label or prediction; for `TE`, the
false positives; for `GE`, the errors and the right answers; for `CDDL` and `CDDPL`, the rows of each side and of each outcome).

`TE` has a value only where both sides have false positives. Where fewer than some five are expected, the samples that have
a value are not like the others, and neither are those few that are called reliable: no rule of the counts can tell them.

{exceptions(closed)}

## The bootstrap, for comparison

{resamples} samples of each population with many errors (standard error {coarse:.1f}), {1000:,} replicates each. Distances are never resampled in
a report: at equal rates a bootstrap covers next to never. Nor do ratios of counts, in groups of twenty: their replicates
take no value that the sample does not have. So a bootstrap is used only for a metric that has no score interval, and when
it is asked for.

{summary(drawn)}

At equal rates alone:

{summary([one for one in drawn if one.metric in {"TVD", "KL"} and one.population.rates[0] == one.population.rates[1]])}

## The flip test

{flips}
"""


def main() -> None:
    """Simulates and writes the page."""
    quick = "--quick" in sys.argv
    start = time.process_time()
    closed = score(200 if quick else 4000)
    print(f"score intervals: {time.process_time() - start:.0f} s of CPU", file=sys.stderr)
    drawn = resampled(20 if quick else 400)
    print(f"bootstraps: {time.process_time() - start:.0f} s of CPU", file=sys.stderr)
    text = page(closed, drawn, flips(20 if quick else 300))
    print(f"flip tests: {time.process_time() - start:.0f} s of CPU", file=sys.stderr)
    if quick:
        print(text)
    else:
        PAGE.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()

"""CPU time of all intervals of nine facet values and twenty metrics, from a table of counts.

Score intervals, which are the default, beside both bootstraps of the same table, at several numbers of rows: counts are all that
they look at, so that the time should not grow with the rows.
"""

from __future__ import annotations

import argparse
import time
from statistics import median
from typing import Any

import numpy as np

from clarify_ops.bias.measure import measure
from clarify_ops.bias.table import METRICS
from clarify_ops.data.counts import CountTable, FacetEntry, joint_table

SIZES = {"sex": 2, "race": 5, "old": 2}
GROUPS = 16
METHODS: dict[str, Any] = {"score": None, "percentile": "percentile", "BCa": "BCa"}


def table(rows: int) -> CountTable:
    """Three facets of 2, 5 and 2 values, 16 groups, label and prediction, drawn at random."""
    rng = np.random.default_rng(0)
    columns = [rng.integers(0, size, rows) for size in (*SIZES.values(), GROUPS, 2, 2)]
    codes, counts = joint_table(columns)
    entries = tuple(
        FacetEntry(name, str(value), frozenset({value}), column)
        for column, (name, size) in enumerate(SIZES.items())
        for value in range(size)
    )
    groups = tuple(map(str, range(GROUPS)))
    return CountTable(entries, tuple(SIZES), groups, codes, counts, predicted=True, missing={})


def seconds(counted: CountTable, bootstrap: Any) -> float:
    """CPU seconds of all measures with their intervals."""
    metrics = [metric for metric in METRICS if metric.form is not None]
    start = time.process_time()
    measure(counted, metrics, level=0.95, seed=0, bootstrap=bootstrap)
    return time.process_time() - start


def main(arguments: list[str] | None = None) -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, nargs="+", default=[50_000, 1_000_000, 10_000_000])
    parser.add_argument("--repeats", type=int, default=5)
    given = parser.parse_args(arguments)
    print(f"CPU seconds of 180 measures with intervals, median of {given.repeats}")
    print(f"{'rows':>12}" + "".join(f"{name:>12}" for name in METHODS))
    for rows in given.rows:
        counted = table(rows)
        found: dict[str, list[float]] = {name: [] for name in METHODS}
        for _ in range(given.repeats):
            for name, bootstrap in METHODS.items():
                found[name].append(seconds(counted, bootstrap))
        print(f"{rows:>12,}" + "".join(f"{median(one):>12.3f}" for one in found.values()))


if __name__ == "__main__":
    main()

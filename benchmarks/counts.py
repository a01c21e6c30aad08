"""All bias metrics of several facets from one pass over the rows, beside masks over the rows.

The peer is the obvious way: for each facet value and metric, masks over the rows. CPU seconds, median of interleaved
repeats; both sides must agree.
"""

from __future__ import annotations

import time
from statistics import median

import numpy as np
import pandas as pd

from clarify_ops.bias.forms import PLAIN
from clarify_ops.bias.table import METRICS
from clarify_ops.config.analysis import Facet
from clarify_ops.data.counts import count

FACETS = ("sex", "race", "old")
REPEATS = 5


def people(rows: int) -> pd.DataFrame:
    """Made-up rows: three facets of 2, 5 and 2 values, 16 schools, labels and predictions."""
    rng = np.random.default_rng(0)
    sizes = {"sex": 2, "race": 5, "old": 2, "school": 16, "label": 2, "prediction": 2}
    return pd.DataFrame({name: rng.integers(0, size, rows) for name, size in sizes.items()})


def from_counts(frame: pd.DataFrame) -> dict[tuple[str, str, str], float]:
    """One count table, then every metric."""
    table = count(
        frame,
        facets=[Facet(name_or_index=name) for name in FACETS],
        label=frame["label"].to_numpy() == 1,
        predicted=frame["prediction"].to_numpy() == 1,
        group="school",
    )
    found = {}
    for entry in table.entries:
        counts = table.split(entry)
        for metric in METRICS:
            if metric.form is not None and (form := metric.form(counts)) is not None:
                found[entry.facet, entry.value, metric.name] = float(form.value(PLAIN))
    return found


def by_masks(frame: pd.DataFrame) -> dict[tuple[str, str, str], float]:
    """Seven metrics by masks over the rows, per facet value."""
    found = {}
    y, p = frame["label"] == 1, frame["prediction"] == 1
    for facet in FACETS:
        for value in frame[facet].unique():
            d = frame[facet] == value
            a = ~d
            key = (facet, str(value))
            found[*key, "DPL"] = y[a].mean() - y[d].mean()
            found[*key, "DPPL"] = p[a].mean() - p[d].mean()
            found[*key, "DI"] = p[d].mean() / p[a].mean()
            found[*key, "RD"] = p[a & y].mean() - p[d & y].mean()
            found[*key, "SD"] = (~p)[d & ~y].mean() - (~p)[a & ~y].mean()
            found[*key, "DAR"] = y[a & p].mean() - y[d & p].mean()
            found[*key, "AD"] = (y == p)[a].mean() - (y == p)[d].mean()
    return found


def main() -> None:
    """Prints the table."""
    print("Bias metrics: CPU seconds, median of interleaved repeats")
    print(f"{'rows':>9}  {'20 metrics, ours':>17}  {'7 metrics, masks':>17}  {'ratio':>6}")
    for rows in (10_000, 100_000, 1_000_000):
        frame = people(rows)
        times: dict[str, list[float]] = {"ours": [], "masks": []}
        for _ in range(REPEATS):
            for name, work in (("ours", from_counts), ("masks", by_masks)):
                start = time.process_time()
                result = work(frame)
                times[name].append(time.process_time() - start)
                if name == "masks":
                    ours = from_counts(frame)
                    assert all(abs(ours[key] - value) < 1e-12 for key, value in result.items())
        ours_s, masks_s = median(times["ours"]), median(times["masks"])
        print(f"{rows:>9,}  {ours_s:>17.4f}  {masks_s:>17.4f}  {masks_s / ours_s:>6.1f}")


if __name__ == "__main__":
    main()

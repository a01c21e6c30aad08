"""Polars: the same cells, and the distinct values and maximum of the column with a threshold, in one pass over a file."""

from __future__ import annotations

import os
import sys

os.environ["POLARS_MAX_THREADS"] = "1"

import clock
import polars as pl

OTHERS = ("sex", "race", "education", "label", "prediction")


def main() -> None:
    """Serves runs over the file that is named."""
    path = sys.argv[-1]
    scan = pl.scan_parquet if path.endswith(".parquet") else pl.scan_csv

    def work() -> dict[str, list[int]]:
        age = pl.col("age")
        counted = (
            scan(path)
            .group_by(age.gt(40).alias("old"), *OTHERS)
            .agg(rows=pl.len(), ages=age.unique(), highest=age.max())
            .collect(engine="streaming")
        )
        found: dict[str, list[int]] = {}
        for row in counted.drop("ages").iter_rows(named=True):
            for key in (f"sex={row['sex']}", f"race={row['race']}", "age>40" if row["old"] else ""):
                three = found.setdefault(key, [0, 0, 0])
                three[0] += row["rows"]
                three[1] += row["rows"] * row["label"]
                three[2] += row["rows"] * row["prediction"]
        found[f"age=(40, {counted['highest'].max()}]"] = found.pop("age>40")
        found.pop("", None)
        return found

    clock.serve(work, {"polars": pl.__version__})


if __name__ == "__main__":
    main()

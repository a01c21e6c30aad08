"""DuckDB: the same cells, and the distinct values and maximum of the column with a threshold, in one pass over a file."""

from __future__ import annotations

import sys

import clock
import duckdb

QUERY = """
with every as materialized (
  select sex, race, age, education, label, prediction, count(*) as n from {source} group by all
)
select sex, race, age > 40 as old, education, label, prediction, sum(n)::bigint, list(distinct age), max(age)
from every group by all
"""


def main() -> None:
    """Serves runs over the file that is named."""
    path = sys.argv[-1]
    reader = "read_parquet" if path.endswith(".parquet") else "read_csv"
    database = duckdb.connect()
    database.execute("set threads = 1")
    query = QUERY.format(source=f"{reader}('{path}')")

    def work() -> dict[str, list[int]]:
        found: dict[str, list[int]] = {}
        top = 0
        for sex, race, old, _, label, prediction, rows, _, highest in database.execute(query).fetchall():
            top = max(top, highest)
            for key in (f"sex={sex}", f"race={race}", "age>40" if old else ""):
                three = found.setdefault(key, [0, 0, 0])
                three[0] += rows
                three[1] += rows * label
                three[2] += rows * prediction
        found[f"age=(40, {top}]"] = found.pop("age>40")
        found.pop("", None)
        return found

    clock.serve(work, {"duckdb": duckdb.__version__})


if __name__ == "__main__":
    main()

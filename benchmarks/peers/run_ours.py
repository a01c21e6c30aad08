"""clarify_ops: from a file, or from a frame in memory, to all metrics of three facets."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import clock
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from clarify_ops.bias.measure import plain_value
from clarify_ops.bias.table import METRICS
from clarify_ops.config.analysis import AnalysisConfig
from clarify_ops.data.streaming import tally_files, tally_in_blocks
from clarify_ops.data.tally import Tally

COLUMNS: dict[str, Any] = {"label": "label", "group": "education", "predicted_label": "prediction"}


def question(third: dict[str, Any]) -> AnalysisConfig:
    """Three facets; the kind of every column but a continuous third one is inferred."""
    told: dict[str, Any] = {
        "dataset_type": "text/csv",
        "label_values_or_threshold": [1],
        "facet": [{"name_or_index": "sex"}, {"name_or_index": "race"}, third],
        "methods": {},
        "clarify_ops": {"kinds": {"age": "continuous"}},
    }
    return AnalysisConfig.model_validate(told)


def summary(tally: Tally) -> dict[str, list[float]]:
    """All metrics, and of each facet value what the peers can be held against: rows, positives, predicted positives."""
    found = {}
    for entry in tally.table.entries:
        counts = tally.table.split(entry)
        values = [plain_value(metric, counts)[0] for metric in METRICS if metric.form is not None]
        known = sum(value is not None for value in values)
        rows = [counts.n(1), counts.labels(1, 1), counts.predictions(1, 1)]
        found[f"{entry.facet}={entry.value}"] = [*(int(one) for one in rows), known]
    return found


def main() -> None:
    """Serves runs over the file that is named; "frame" before it reads it first."""
    path = sys.argv[-1]
    if sys.argv[1] == "frame":
        frame = pd.read_parquet(path)
        config = question({"name_or_index": "old"})

        def work() -> dict[str, list[float]]:
            return summary(tally_in_blocks(frame, config=config, facets=["sex", "race", "old"], **COLUMNS))

    else:
        form: Any = "parquet" if Path(path).suffix == ".parquet" else "csv"
        config = question({"name_or_index": "age", "value_or_threshold": [40]})

        def work() -> dict[str, list[float]]:
            tally = tally_files([path], format=form, config=config, facets=["sex", "race", "age"], **COLUMNS)
            assert tally is not None, "the file is not counted batch by batch"
            return summary(tally)

    clock.serve(work, {"pandas": pd.__version__, "numpy": np.__version__, "pyarrow": pa.__version__})


if __name__ == "__main__":
    main()

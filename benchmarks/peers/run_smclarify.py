"""smclarify: all bias metrics of three facets of a frame in memory."""

from __future__ import annotations

import logging
import sys
import warnings
from importlib.metadata import version

import clock
import numpy as np
import pandas as pd
from smclarify.bias import metrics
from smclarify.bias.report import FacetColumn, LabelColumn, StageType, bias_report

FACETS = ("sex", "race", "old")


def main() -> None:
    """Serves runs over the file that is named, which is read before."""
    warnings.simplefilter("ignore")
    logging.disable()
    frame = pd.read_parquet(sys.argv[-1], columns=[*FACETS, "education", "label", "prediction"])
    label = LabelColumn("label", frame["label"], [1])
    predicted = LabelColumn("prediction", frame["prediction"], [1])
    # The flip test looks for neighbours, which no counting does.
    before = [one.__name__ for one in metrics.PRETRAINING_METRICS]
    after = [one.__name__ for one in metrics.POSTTRAINING_METRICS if one.__name__ != "FT"]

    def work() -> dict[str, list[int]]:
        found: dict[str, list[int]] = {}
        for facet in FACETS:
            table = frame[[facet]].copy()
            for stage, names in ((StageType.PRE_TRAINING, before), (StageType.POST_TRAINING, after)):
                report = bias_report(
                    table, FacetColumn(facet), label, stage, predicted, metrics=names, group_variable=frame["education"]
                )
                for entry in report:
                    values = [one["value"] for one in entry["metrics"]]
                    count = found.setdefault(f"{facet}={entry['value_or_threshold']}", [0])
                    count[0] += len(values)
        return found

    clock.serve(work, {"smclarify": version("smclarify"), "pandas": pd.__version__, "numpy": np.__version__})


if __name__ == "__main__":
    main()

"""aequitas: crosstabs and disparities of three facets of a frame in memory."""

from __future__ import annotations

import logging
import sys
import warnings
from importlib.metadata import version

import clock
import numpy as np
import pandas as pd
from aequitas.bias import Bias
from aequitas.group import Group

FACETS = ("sex", "race", "old")


def main() -> None:
    """Serves runs over the file that is named, which is read before."""
    warnings.simplefilter("ignore")
    logging.disable()
    frame = pd.read_parquet(sys.argv[-1], columns=[*FACETS, "label", "prediction"])
    frame = frame.rename(columns={"label": "label_value", "prediction": "score"})

    def work() -> dict[str, list[int]]:
        found = {}
        group, bias = Group(), Bias()
        for facet in FACETS:
            table, _ = group.get_crosstabs(frame, attr_cols=[facet])
            disparities = bias.get_disparity_major_group(table, frame)
            for row in disparities.to_dict("records"):
                three = [row["group_size"], row["group_label_pos"], row["pp"]]
                found[f"{facet}={row['attribute_value']}"] = [int(one) for one in three]
        return found

    clock.serve(
        work,
        {"aequitas": version("aequitas"), "pandas": pd.__version__, "numpy": np.__version__},
    )


if __name__ == "__main__":
    main()

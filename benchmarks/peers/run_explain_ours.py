"""clarify_ops on the rows of a case, or the predictions alone that it needs for them.

python run_explain_ours.py FOLDER CASE "ours" ROWS
python run_explain_ours.py FOLDER CASE "predictions alone" ROWS
"""

from __future__ import annotations

import itertools
import json
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import clock
import numpy as np
import pandas as pd
import scores

from clarify_ops.explain.kernel import kernel_shap


def main() -> None:
    """Serves runs of the one or the other."""
    folder, name, contestant, count = Path(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4])
    case = json.loads((folder / f"{name}.json").read_text())
    with np.load(folder / f"{name}.npz") as data:
        names = [f"x{feature}" for feature in range(data["rows"].shape[1])]
        rows, behind = (pd.DataFrame(data[key], columns=names) for key in ("rows", "background"))
    rows = rows.iloc[:count]
    model = scores.Counted(scores.model_of(folder, case["model"]), case["payload"])
    seeds = itertools.count()
    frames: list[Any] = []

    def explain(*, keep: bool = False) -> Any:
        def predict(frame: pd.DataFrame) -> Any:
            if keep:
                frames.append(np.ascontiguousarray(frame.to_numpy()))
            return model(frame.to_numpy())

        batch = min(case["payload"], 100_000)
        found = kernel_shap(predict, rows, behind, num_samples=case["num_samples"], seed=next(seeds), batch_rows=batch)
        return found.values[:, :, 0]

    def predictions_alone() -> Any:
        for frame in frames:
            model(frame)
        return []

    if contestant != "ours":
        explain(keep=True)
        model.told([])
    work = explain if contestant == "ours" else predictions_alone
    versions = {"clarify_ops": version("clarify_ops"), "numpy": np.__version__, "pandas": pd.__version__}
    clock.serve(lambda: model.told(work()), versions)


if __name__ == "__main__":
    main()

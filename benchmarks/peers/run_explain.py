"""shap and shapiq on the rows of a case.

    python run_explain.py FOLDER CASE CONTESTANT ROWS

One run explains the first ROWS rows with the next seed.
"""

from __future__ import annotations

import itertools
import json
import sys
import warnings
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import clock
import numpy as np
import scores


def contestants(model: scores.Counted, case: dict[str, Any], rows: Any, behind: Any) -> dict[str, Callable[[int], Any]]:
    """Explainers by name, each made when it is asked for and run with a seed."""
    budget = case["num_samples"]
    return {
        "shap Kernel": lambda: kernel(model, rows, behind, budget, "num_features(10)"),
        "shap Kernel, l1 off": lambda: kernel(model, rows, behind, budget, l1_reg=False),
        "shap Exact": lambda: masked("ExactExplainer", model, rows, behind),
        "shap Permutation": lambda: masked("PermutationExplainer", model, rows, behind, budget),
        "shapiq": lambda: shapiq_kernel(model, rows, behind, budget),
    }


def kernel(model: Any, rows: Any, behind: Any, budget: int | None, l1_reg: str | bool) -> Callable[[int], Any]:  # noqa: FBT001 - shap's own type
    import shap

    explainer = shap.KernelExplainer(model, behind, silent=True)
    samples = "auto" if budget is None else budget

    def run(seed: int) -> Any:
        np.random.seed(seed)  # noqa: NPY002 - the only seed that shap listens to
        return explainer.shap_values(rows, nsamples=samples, l1_reg=l1_reg, silent=True)

    return run


def masked(name: str, model: Any, rows: Any, behind: Any, budget: int | None = None) -> Callable[[int], Any]:
    import shap

    masker = shap.maskers.Independent(behind, max_samples=len(behind))
    if name == "ExactExplainer":
        exact = shap.ExactExplainer(model, masker)
        return lambda _: exact(rows).values
    most = 2 * rows.shape[1] + 2048 if budget is None else budget
    return lambda seed: shap.PermutationExplainer(model, masker, seed=seed)(rows, max_evals=most).values


def shapiq_kernel(model: Any, rows: Any, behind: Any, budget: int | None) -> Callable[[int], Any]:
    """KernelSHAP with pairing, interventional as the others: over all background rows."""
    import shapiq

    features = rows.shape[1]
    # The empty and the full coalition count there.
    most = (2 * features + 2048 if budget is None else budget) + 2

    def run(seed: int) -> Any:
        found = []
        for row in rows:

            def game(coalitions: Any, row: Any = row) -> Any:
                mixed = np.where(coalitions[:, None, :], row, behind)
                return model(mixed.reshape(-1, features)).reshape(len(coalitions), len(behind)).mean(axis=1)

            approximator = shapiq.KernelSHAP(n=features, pairing_trick=True, random_state=seed)
            values = approximator.approximate(most, game)
            found.append([values[(feature,)] for feature in range(features)])
        return found

    return run


def main() -> None:
    """Serves runs of one contestant."""
    warnings.simplefilter("ignore")
    folder, name, contestant, count = Path(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4])
    case = json.loads((folder / f"{name}.json").read_text())
    with np.load(folder / f"{name}.npz") as data:
        rows, behind = data["rows"][:count], data["background"]
    model = scores.Counted(scores.model_of(folder, case["model"]), case["payload"])
    run = contestants(model, case, rows, behind)[contestant]()
    seeds = itertools.count()
    package = contestant.split()[0]
    clock.serve(lambda: model.told(run(next(seeds))), {package: version(package), "numpy": np.__version__})


if __name__ == "__main__":
    main()

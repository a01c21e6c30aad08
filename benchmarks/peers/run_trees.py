"""Shapley values of one model and some rows, by whoever is named.

    python run_trees.py NAME MODEL ROWS BACKGROUND FOUND

BACKGROUND is "-" for the path-dependent game. Reading the model and making the explainer come before the clock. The
values of the first rows are written to FOUND.
"""

from __future__ import annotations

import contextlib
import io
import pickle
import sys
import warnings
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import clock
import numpy as np

COMPARED = 50


class Unfit(Exception):
    """Who is asked does not explain such a model, or not by this game."""


def load(path: str) -> Any:
    """A model file of the library that its name ends in."""
    if path.endswith(".lightgbm"):
        import lightgbm

        return lightgbm.Booster(model_file=path)
    if path.endswith(".ubj"):
        import xgboost

        booster = xgboost.Booster()
        booster.load_model(path)
        booster.set_param({"nthread": 1})
        return booster
    return pickle.loads(Path(path).read_bytes())  # noqa: S301 written by the benchmark itself


def ours(model: Any, background: Any) -> Callable[[Any], Any]:
    """clarify_ops."""
    from clarify_ops.explain.trees.kernels import TreeKernel
    from clarify_ops.explain.trees.reading import read_trees

    trees: Any = read_trees(model)
    kernel = TreeKernel.of(trees.ensemble, trees.players)
    _ = kernel.binning, kernel.units, kernel.rule
    if background is None:
        return lambda rows: kernel.path_dependent(trees.encode(rows))
    behind = trees.encode(background)
    return lambda rows: kernel.interventional(trees.encode(rows), behind)


def native(model: Any, background: Any) -> Callable[[Any], Any]:
    """The contributions of the model's own library."""
    if background is not None:
        raise Unfit("path-dependent only")
    if type(model).__module__.startswith("lightgbm"):
        return lambda rows: model.predict(rows, pred_contrib=True, num_threads=1)[:, :-1]
    if type(model).__module__.startswith("xgboost"):
        import xgboost

        return lambda rows: model.predict(xgboost.DMatrix(rows, nthread=1), pred_contribs=True)[:, :-1]
    raise Unfit("has none")


def shap(model: Any, background: Any) -> Callable[[Any], Any]:
    """shap.TreeExplainer."""
    import shap

    how = "tree_path_dependent" if background is None else "interventional"
    explainer = shap.TreeExplainer(model, background, feature_perturbation=how)
    return lambda rows: explainer.shap_values(rows, check_additivity=False)


def fasttreeshap(model: Any, background: Any) -> Callable[[Any], Any]:
    """Its second algorithm, on one core."""
    import fasttreeshap_fixed

    if background is not None:
        raise Unfit("path-dependent only")
    explainer = fasttreeshap_fixed.TreeExplainer(model, algorithm="v2", n_jobs=1)
    return lambda rows: explainer.shap_values(rows, check_additivity=False)


def woodelf(model: Any, background: Any) -> Callable[[Any], Any]:
    """WOODELF."""
    import pandas as pd
    from woodelf import WoodelfExplainer

    explainer = WoodelfExplainer(model, None if background is None else pd.DataFrame(background))
    return lambda rows: explainer.shap_values(pd.DataFrame(rows))


def shapiq(model: Any, background: Any) -> Callable[[Any], Any]:
    """shapiq, which takes its own algorithm or WOODELF as it sees fit."""
    import shapiq

    mode = "pathdependent" if background is None else "interventional"
    explainer = shapiq.TreeExplainer(model, mode=mode, reference_dataset=background, index="SV", max_order=1)

    def explain(rows: Any) -> Any:
        found = explainer.explain_X(rows).values
        nothing = np.zeros(len(rows))
        return np.column_stack([found.get((feature,), nothing) for feature in range(rows.shape[1])])

    return explain


EXPLAINERS = {
    "ours": ours,
    "native": native,
    "shap": shap,
    "fasttreeshap": fasttreeshap,
    "woodelf": woodelf,
    "shapiq": shapiq,
}
PACKAGES = ("shap", "fasttreeshap-fixed", "woodelf-explainer", "shapiq", "lightgbm", "xgboost", "xgboost-cpu", "numba")


def versions() -> dict[str, str]:
    """Of what is installed."""
    found = {}
    for package in PACKAGES:
        with contextlib.suppress(PackageNotFoundError):
            found[package] = version(package)
    return found


def main() -> None:
    """Serves runs."""
    name, model_path, rows_path, background_path, found_path = sys.argv[1:]
    warnings.simplefilter("ignore")
    rows = np.load(rows_path)
    background = None if background_path == "-" else np.load(background_path)
    quiet = contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO())
    with quiet[0], quiet[1]:
        explain = EXPLAINERS[name](load(model_path), background)
        # What is compiled is compiled before the clock starts.
        values = np.asarray(explain(rows[:COMPARED]))
    values = values.reshape(*values.shape[:2], -1)[..., -1]
    np.save(found_path, values)

    def work() -> int:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            return len(explain(rows))

    clock.serve(work, versions())


if __name__ == "__main__":
    main()

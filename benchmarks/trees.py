"""CPU time of exact Shapley values of tree models beside peers, on the same model files and rows.

    python -m benchmarks trees --only lightgbm-31

Every contestant is a process that runs in turn with the others, on one core; making explainers, reading models and
compiling are left out. Figures are rows a second from the median of CPU seconds, the ratio of ours to theirs, and the
largest difference of their values to ours on the first rows. A peer whose cost is the same for every row explains fewer
of them, and one that cannot explain a model, or has no environment (`make bench-peers`), is left out. `shap-new` and
`shapiq` need Python 3.12 and an environment `trees312`.
"""

from __future__ import annotations

import argparse
import json
import os
import pickle
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from benchmarks.bias import ENVIRONMENTS, HERE

Floats = NDArray[np.float64]

TRAINED = 20_000
BACKGROUND = 100


@dataclass(frozen=True)
class Peer:
    """Who else explains.

    Attributes:
        name: In `peers/run_trees.py`.
        environment: Where it is installed.
        rows: Most rows it is given: more would only take longer.
    """

    name: str
    environment: str
    rows: int


PEERS = {
    "native": Peer("native", "trees", 400),
    "shap": Peer("shap", "trees", 400),
    "fasttreeshap": Peer("fasttreeshap", "trees", 2_000),
    "woodelf": Peer("woodelf", "trees", 100_000),
    "shap-new": Peer("shap", "trees312", 400),
    "shapiq": Peer("shapiq", "trees312", 100_000),
}


def table(rows: int, columns: int, seed: int, *, missing: bool = False) -> tuple[Floats, NDArray[np.int64]]:
    """Made-up rows, some of their columns coarse, and labels."""
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(rows, columns))
    values[:, 2] = np.round(2 * values[:, 2])
    values[:, 3] = values[:, 3] > 0
    values[:, 8] = rng.integers(0, 12, rows)
    signal = values[:, 0] * values[:, 1] + np.sin(2 * values[:, 4]) + values[:, 3] * values[:, 5]
    signal += 0.5 * values[:, 6] ** 2 - 0.5 * (values[:, 7] > 0.3) + 0.4 * (values[:, 8] % 3 == 1)
    label = (signal + 0.3 * rng.normal(size=rows) > 0.4).astype(np.int64)
    if missing:
        values[rng.random(values.shape) < 0.1] = np.nan
    return values, label


def fit(name: str, folder: Path, *, small: bool) -> tuple[Path, Any]:
    """The file of a model, and what makes rows for it."""
    import lightgbm
    import xgboost
    from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier

    columns = 100 if name == "lightgbm-100-features" else 12
    missing = name == "lightgbm-nan-categories"
    values, label = table(1_000 if small else TRAINED, columns, 0, missing=missing)
    scale = 20 if small else 1
    if name.startswith("lightgbm"):
        trees, leaves = (500, 255) if name == "lightgbm-255" else (100, 31)
        data = lightgbm.Dataset(values, label, categorical_feature=[8] if missing else "auto")
        settings = {"objective": "binary", "num_leaves": leaves, "verbose": -1, "num_threads": 1}
        path = folder / f"{name}.lightgbm"
        lightgbm.train(settings, data, trees // scale).save_model(path)
    elif name == "xgboost-500":
        path = folder / f"{name}.xgboost.ubj"
        settings = {"max_depth": 8, "eta": 0.05, "objective": "binary:logistic", "nthread": 1}
        xgboost.train(settings, xgboost.DMatrix(values, label), 500 // scale).save_model(path)
    else:
        path = folder / f"{name}.pickle"
        estimator: Any = HistGradientBoostingClassifier(max_iter=200 // scale, early_stopping=False)
        if name == "forest-100":
            estimator = RandomForestClassifier(100 // scale, max_depth=12, random_state=0)
        path.write_bytes(pickle.dumps(estimator.fit(values, label)))
    return path, lambda rows: table(rows, columns, 1, missing=missing)[0]


MODELS = (
    "lightgbm-31",
    "xgboost-500",
    "histogram-200",
    "lightgbm-255",
    "lightgbm-100-features",
    "lightgbm-nan-categories",
    "forest-100",
)


class Contestant:
    """A process that waits for its runs.

    Args:
        label: In the table.
        python: Its interpreter.
        arguments: Of `run_trees.py`.
        rows: How many it explains.
        patience: Most seconds that it may take to be ready or to run.
    """

    def __init__(self, label: str, python: str, arguments: list[str], rows: int, patience: float) -> None:
        self.label, self.rows, self.patience = label, rows, patience
        self.found = Path(arguments[-1])
        self.cpu: list[float] = []
        one = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS")
        settings = {**os.environ, **dict.fromkeys(one, "1")}
        settings.pop("PYTHONPATH", None)
        if label == "ours":
            settings["PYTHONPATH"] = str(HERE.parent.parent)
        command = [python, str(HERE / "run_trees.py"), *arguments]
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(
            command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, text=True, env=settings
        )
        self.versions = self._answer() or {}

    @property
    def rate(self) -> float:
        """Rows a second."""
        return self.rows / statistics.median(self.cpu)

    def run(self) -> bool:
        """One run; False where it gave none."""
        assert self.process.stdin is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        told = self._answer()
        if told is not None:
            self.cpu.append(max(told["cpu"], 1e-9))
        return told is not None

    def _answer(self) -> Any:
        import select

        assert self.process.stdout is not None
        ready, _, _ = select.select([self.process.stdout], [], [], self.patience)
        line = self.process.stdout.readline() if ready else ""
        return json.loads(line) if line else None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.communicate()


def compete(
    model: Path, rows: Path, background: str, repeats: int, patience: float, *, peers: bool
) -> list[Contestant]:
    """All who can explain the model, run in turn."""
    folder = rows.parent
    held = len(np.load(rows))
    with ExitStack() as stack:
        found = []
        for label, peer in {"ours": Peer("ours", "", held), **(PEERS if peers else {})}.items():
            python = ENVIRONMENTS / peer.environment / "bin" / "python"
            if label != "ours" and not python.exists():
                continue
            few = folder / f"{label}.rows.npy"
            np.save(few, np.load(rows)[: peer.rows])
            arguments = [peer.name, str(model), str(few), background, str(folder / f"{label}.values.npy")]
            interpreter = sys.executable if label == "ours" else str(python)
            one = stack.enter_context(Contestant(label, interpreter, arguments, min(held, peer.rows), patience))
            if one.versions:
                found.append(one)
        for _ in range(repeats):
            # One that lasts longer than anybody waits is left out from then on.
            found = [one for one in found if one.run()]
    return found


def show(what: str, found: list[Contestant]) -> None:
    """A line for each contestant."""
    ours = next(one for one in found if one.label == "ours")
    values = np.load(ours.found)
    peers = [one.rate for one in found if one is not ours]
    for one in found:
        ratio = (
            f"{ours.rate / one.rate:>9.1f}" if one is not ours else f"{ours.rate / max(peers):>8.1f}*" if peers else ""
        )
        gap = np.abs(np.load(one.found)[: len(values)] - values).max() if one is not ours else 0.0
        print(f"{what:<56}{one.label:<14}{one.rate:>12,.0f}{ratio:>9}{gap:>10.1e}", flush=True)


def main(arguments: list[str] | None = None) -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, nargs="+", default=[100, 10_000, 50_000])
    parser.add_argument("--only", nargs="+", choices=MODELS, default=MODELS)
    parser.add_argument("--repeats", type=int, default=3, help="alternating runs of each")
    parser.add_argument("--patience", type=float, default=60, help="seconds a contestant may take for one run")
    parser.add_argument(
        "--small", action="store_true", help="small models, few rows, nobody else: does it work at all?"
    )
    given = parser.parse_args(arguments)
    sizes, repeats = ([60], 1) if given.small else (given.rows, given.repeats)
    print("Exact Shapley values of trees: rows a second on one core, and how many times as many ours explains")
    print("(*: beside the best peer); largest difference to our values")
    told: dict[str, dict[str, str]] = {}
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        for name in given.only:
            model, rows_of = fit(name, folder, small=given.small)
            behind = folder / "background.npy"
            np.save(behind, rows_of(BACKGROUND + 1)[:BACKGROUND])
            for size in sizes:
                rows = folder / "rows.npy"
                np.save(rows, rows_of(size))
                for game, background in (("path-dependent", "-"), ("interventional", str(behind))):
                    start = time.perf_counter()
                    found = compete(model, rows, background, repeats, given.patience, peers=not given.small)
                    show(f"{name}, {size:,} rows, {game}", found)
                    told |= {one.label: one.versions for one in found}
                    print(f"{'':<56}({time.perf_counter() - start:.0f} s)", file=sys.stderr)
    for label, versions in told.items():
        print(f"{label}: " + ", ".join(f"{package} {number}" for package, number in versions.items()))


if __name__ == "__main__":
    main()

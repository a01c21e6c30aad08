"""CPU time of the flip test beside scikit-learn's KNeighborsClassifier and smclarify, on the same rows in one run.

    python -m benchmarks.flip_test --rows 48000 --adult FOLDER --smclarify ENVIRONMENT

Runs alternate, so that a busy machine slows all; the figure is the ratio of the medians of CPU seconds, and all must give
the same value to the last digit. smclarify needs an environment of its own (`smclarify==0.5 "pandas<3"`), whose Python is
started for each run and times only its report of the one metric. Compiling is outside the timing.

Rows are made up, or drawn from the files of UCI Adult where their folder is given; beyond its 48,842 they repeat, and the
ten standardised columns get a jitter. Predictions are those of a logistic regression, or `dice`: thrown, which leaves the
search nothing to go by. Of a hard case of 500,000 rows the peers take hours: leave them out with `--alone`.
"""

from __future__ import annotations

import argparse
import os

# Before numpy starts its threads: CPU time is compared, and idle threads of a BLAS would count.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import sklearn
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier

from clarify_ops.bias.flip_test import FlipCounts, flip_counts

NUMBERS = ("age", "education-num", "hours-per-week", "capital-gain", "capital-loss", "fnlwgt")
CODES = ("workclass", "marital-status", "occupation", "relationship")
ADULT = (
    "age", "workclass", "fnlwgt", "education", "education-num", "marital-status", "occupation", "relationship", "race",
    "sex", "capital-gain", "capital-loss", "hours-per-week", "native-country", "income",
)  # fmt: skip

SMCLARIFY = """
import sys, time, warnings
import numpy as np, pandas as pd
warnings.simplefilter("ignore")
from smclarify.bias.report import FacetColumn, LabelColumn, StageType, bias_report
data = np.load(sys.argv[1])
columns = {name: data[name] for name in data.files}
side, predicted = columns.pop("side"), columns.pop("predicted")
frame = pd.DataFrame(columns)
frame["side"] = np.where(side, "d", "a")
frame["label"] = np.where(np.arange(len(frame)) % 2, "1", "0")
frame["predicted"] = np.where(predicted, "1", "0")
start = time.process_time()
report = bias_report(frame, FacetColumn("side", ["d"]), LabelColumn("label", frame["label"], ["1"]),
                     StageType.POST_TRAINING, LabelColumn("predicted", frame["predicted"], ["1"]), metrics=["FT"])
print(repr(time.process_time() - start), repr(float(report[0]["metrics"][0]["value"])))
"""


@dataclass(frozen=True)
class Case:
    """Columns, the disadvantaged side and predictions of one comparison."""

    name: str
    features: pd.DataFrame
    disadvantaged: NDArray[np.bool_]
    predicted: NDArray[np.bool_]


def people(rows: int, adult: Path | None) -> pd.DataFrame:
    """Rows like those of UCI Adult, or drawn from it."""
    rng = np.random.default_rng(0)
    if adult is None:
        made = {
            "age": rng.integers(17, 91, rows),
            "education-num": rng.binomial(15, 0.6, rows) + 1,
            "hours-per-week": np.where(rng.random(rows) < 0.47, 40, rng.integers(1, 100, rows)),
            "capital-gain": np.where(rng.random(rows) < 0.92, 0, rng.integers(100, 15_000, rows)),
            "capital-loss": np.where(rng.random(rows) < 0.95, 0, rng.integers(1_000, 2_600, rows)),
            "fnlwgt": np.exp(rng.normal(12, 0.5, rows)).astype(int),
            "female": rng.random(rows) < 0.33,
        }
        frame = pd.DataFrame(made | {name: rng.integers(0, 9, rows) for name in CODES})
        frame["income"] = frame["age"] + 6 * frame["education-num"] + rng.normal(0, 20, rows) > 120
        return frame
    files = [pd.read_csv(adult / f"adult.{part}", names=ADULT, skipinitialspace=True, comment="|")
             for part in ("data", "test")]  # fmt: skip
    frame = pd.concat(files, ignore_index=True)
    frame = frame.iloc[np.arange(rows) if rows <= len(frame) else rng.integers(0, len(frame), rows)]
    codes = {name: pd.factorize(frame[name])[0] for name in CODES}
    known = {"female": frame["sex"] == "Female", "income": frame["income"].str.startswith(">50K")}
    return frame[list(NUMBERS)].assign(**codes, **known).reset_index(drop=True)


def cases(rows: int, adult: Path | None) -> list[Case]:
    """Three whole numbers, six as they are, ten standardised, those ten with thrown predictions, and twenty."""
    rng = np.random.default_rng(1)
    frame = people(rows, adult)
    columns = frame[[*NUMBERS, *CODES]]
    scaled = (columns - columns.mean()) / columns.std()
    model = LogisticRegression(max_iter=300).fit(scaled, frame["income"])
    predicted, female = model.predict(scaled).astype(bool), frame["female"].to_numpy(dtype=bool)
    if rows > 48_842:
        scaled += rng.normal(0, 0.1, scaled.shape)
    noise = pd.DataFrame(rng.normal(size=(rows, 10))).add_prefix("noise ")
    dice = rng.random(rows) < 0.3
    return [
        Case("3 whole", columns[list(NUMBERS[:3])], female, predicted),
        Case("6 raw", columns[list(NUMBERS)], female, predicted),
        Case("10 scaled", scaled, female, predicted),
        Case("10 scaled, dice", scaled, female, dice),
        Case("20 scaled", pd.concat([scaled, noise], axis=1), female, predicted),
    ]


def ours(case: Case) -> tuple[float, FlipCounts]:
    """CPU seconds and result."""
    start = time.process_time()
    found = flip_counts(case.features, case.disadvantaged, case.predicted)
    return time.process_time() - start, found


def by_classifier(case: Case) -> tuple[float, float]:
    """CPU seconds and value of the classifier as it comes."""
    d = case.disadvantaged
    start = time.process_time()
    classifier = KNeighborsClassifier().fit(case.features[~d], case.predicted[~d])
    votes, own = classifier.predict(case.features[d]), case.predicted[d]
    value = (int((own & ~votes).sum()) - int((~own & votes).sum())) / len(own)
    return time.process_time() - start, value


def by_smclarify(environment: Path, case: Case) -> tuple[float, float]:
    """CPU seconds and value of smclarify in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        arrays = {str(name): column.to_numpy() for name, column in case.features.items()}
        np.savez(f"{folder}/case.npz", allow_pickle=False, side=case.disadvantaged, predicted=case.predicted, **arrays)
        command = [str(environment / "bin" / "python"), "-c", SMCLARIFY, f"{folder}/case.npz"]
        # The path of this project is no path of the peer's.
        surroundings = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        done = subprocess.run(command, capture_output=True, text=True, check=True, env=surroundings)
    seconds, value = done.stdout.split()
    return float(seconds), float(value)


def compare(case: Case, peers: dict[str, Callable[[Case], tuple[float, float]]], repeats: int) -> str:
    """One line of the table; the first run of ours compiles and is not timed."""
    _, found = ours(case)
    seconds: dict[str, list[float]] = {name: [] for name in ("ours", *peers)}
    for _ in range(repeats):
        taken, again = ours(case)
        seconds["ours"].append(taken)
        if again != found:
            raise AssertionError(f"{case.name}: {again} and {found}")
        for name, run in peers.items():
            taken, value = run(case)
            seconds[name].append(taken)
            if not found.unasked and value != found.value:
                raise AssertionError(f"{case.name}: {name} has {value}, ours is {found.value}")
    cpu = {name: statistics.median(taken) for name, taken in seconds.items()}
    line = f"{case.name:<16}{len(case.predicted):>9,}{cpu['ours']:>9.3f}"
    line += "".join(f"{cpu[name]:>12.3f}{cpu[name] / cpu['ours']:>7.1f}" for name in peers)
    return f"{line}  {found.value:+.6f}  {found.note or 'exact'}"


def main(arguments: list[str] | None = None) -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, nargs="+", default=[48_000])
    parser.add_argument("--repeats", type=int, default=3, help="alternating runs of each")
    parser.add_argument("--case", nargs="+", help="names of cases; all where none is given")
    parser.add_argument("--adult", type=Path, help="folder with adult.data and adult.test")
    parser.add_argument("--smclarify", type=Path, help="environment with smclarify")
    parser.add_argument("--alone", action="store_true", help="without any peer")
    given = parser.parse_args(arguments)
    peers: dict[str, Callable[[Case], tuple[float, float]]] = {}
    if not given.alone:
        peers["classifier"] = by_classifier
        if given.smclarify is not None:
            peers["smclarify"] = lambda case: by_smclarify(given.smclarify, case)
    print(
        f"Flip test: CPU seconds, median of {given.repeats}; scikit-learn {sklearn.__version__}, pandas {pd.__version__}"
    )
    print(f"{'case':<16}{'rows':>9}{'ours':>9}", *(f"{name:>11}{'ratio':>7}" for name in peers), "     value", sep="")
    for rows in given.rows:
        for case in cases(rows, given.adult):
            if given.case is None or case.name in given.case:
                print(compare(case, peers, given.repeats), flush=True)


if __name__ == "__main__":
    main()

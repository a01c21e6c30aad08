"""What an orchestrator adds: time to a verdict on the mortgage example, and what is paid for every task, import and DAG file.

Everything runs in processes of its own, in turns, on one machine; the medians are printed. The command line alone is what
the others are compared with: the same steps, one process each.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parent.parent
CLI = Path(sysconfig.get_path("scripts"), "clarify-ops")
PARTS = ("pretraining_bias", "training", "posttraining_bias", "explanations")
# Fewer samples than the example has: an orchestrator adds the same to a step of any length.
SAMPLES = {"shap": {"num_samples": 48}, "pdp": {"grid_resolution": 2, "top_k_features": 1}}

IMPORTS = {
    "clarify_ops": ("", "clarify_ops"),
    "clarify_ops.cli": ("", "clarify_ops.cli.app"),
    "clarify_ops.components.kubeflow, after kfp": ("kfp.dsl", "clarify_ops.components.kubeflow"),
    "clarify_ops.components.airflow, after Airflow": ("airflow.sdk", "clarify_ops.components.airflow"),
    "clarify_ops.components.sagemaker": ("", "clarify_ops.components.sagemaker"),
    "dags/gated_training.py, after Airflow": ("airflow.sdk", "clarify_ops.dags.gated_training"),
    "dags/registry_audit.py, after Airflow": ("airflow.sdk", "clarify_ops.dags.registry_audit"),
}
# The five components, the gate, and publishing.
TASKS = 7
IMPORTING = """
import sys, time
import {before}
wall, processor = time.perf_counter(), time.process_time()
import {module}
print("took", time.perf_counter() - wall, time.process_time() - processor)
"""
KUBEFLOW = """
import sys, time
from pathlib import Path
from kfp import local
from clarify_ops.pipelines.kubeflow_gated_training import gated_training
root, text, registry = sys.argv[1:]
local.init(local.SubprocessRunner(use_venv=False), pipeline_root=f"{root}/outputs", raise_on_error=True)
start = time.perf_counter()
gated_training(pipeline=Path(text).read_text(), registry_uri=registry, reports=f"{root}/reports")
print("seconds", time.perf_counter() - start)
"""
AIRFLOW = """
import sys, time
from airflow.dag_processing.dagbag import DagBag
root, pipeline, registry, folder = sys.argv[1:]
dag = DagBag(folder).dags["gated_training"]
start = time.perf_counter()
run = dag.test(run_conf={"pipeline": pipeline, "output": f"{root}/runs", "registry_uri": registry})
print("seconds", time.perf_counter() - start)
assert run.state == "success", run.state
"""


def main(arguments: list[str] | None = None) -> None:
    """Prints the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3, help="turns, of which the median is printed")
    rounds = parser.parse_args(arguments).rounds
    with tempfile.TemporaryDirectory() as place:
        environment = _prepared(Path(place))
        _print_imports(rounds, environment)
        _print_runs(rounds, Path(place), environment)


def _prepared(place: Path) -> dict[str, str]:
    """The example as one document, and an Airflow with a database."""
    from clarify_ops.components.documents import self_contained

    document = yaml.safe_load(self_contained(ROOT / "examples" / "mortgage" / "pipeline.yaml"))
    document["analysis"]["methods"] |= SAMPLES
    (place / "pipeline.yaml").write_text(yaml.safe_dump(document), encoding="utf-8")
    environment = {
        **os.environ,
        "AIRFLOW_HOME": str(place / "airflow"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "dags"),
        "PYTHONPATH": str(ROOT),
    }
    subprocess.run([sys.executable, "-m", "airflow", "db", "migrate"], env=environment, check=True, capture_output=True)
    return environment


def _print_imports(rounds: int, environment: dict[str, str]) -> None:
    print(f"{'import':52}{'wall, s':>10}{'CPU, s':>10}")
    for name, (before, module) in IMPORTS.items():
        program = IMPORTING.format(before=before or "sys", module=module)
        found = [_numbers(_said([sys.executable, "-c", program], environment), "took") for _ in range(rounds)]
        wall, cpu = (statistics.median(one[place] for one in found) for place in (0, 1))
        print(f"{name:52}{wall:10.3f}{cpu:10.3f}")


def _print_runs(rounds: int, place: Path, environment: dict[str, str]) -> None:
    ways: dict[str, Callable[[Path], float]] = {
        "the command line, a process a step": lambda folder: _by_hand(place, folder, environment),
        "Kubeflow, SubprocessRunner": lambda folder: _timed(
            KUBEFLOW, [folder, place / "pipeline.yaml", f"sqlite:///{folder}/mlflow.db"], environment
        ),
        "Airflow, dag.test()": lambda folder: _timed(
            AIRFLOW,
            [folder, place / "pipeline.yaml", f"sqlite:///{folder}/mlflow.db", ROOT / "dags"],
            environment,
        ),
    }
    found: dict[str, list[float]] = {name: [] for name in ways}
    for turn in range(rounds):
        for way, run in enumerate(ways.values()):
            folder = place / f"{turn}-{way}"
            folder.mkdir()
            found[list(ways)[way]].append(run(folder))
    alone = statistics.median(found[next(iter(ways))])
    print(f"\n{'the mortgage example, to its verdict and registration':60}{'seconds':>10}{'a task more, s':>16}")
    for name, seconds in found.items():
        middle = statistics.median(seconds)
        print(f"{name:60}{middle:10.1f}{(middle - alone) / TASKS:16.2f}")


def _by_hand(place: Path, folder: Path, environment: dict[str, str]) -> float:
    """The same steps by the command line, one after the other."""
    pipeline = ("--pipeline", place / "pipeline.yaml")
    training = ("--training", folder / "training")
    parts = [word for name in PARTS for word in (f"--{name.replace('_', '-')}", folder / name)]
    steps = [
        ("pretraining-bias", *pipeline, "--output", folder / "pretraining_bias"),
        ("train", *pipeline, "--output", folder / "training"),
        ("posttraining-bias", *pipeline, *training, "--output", folder / "posttraining_bias"),
        ("explain", *pipeline, *training, "--output", folder / "explanations"),
        ("gate", *pipeline, *parts, "--output", folder / "gate"),
        ("publish", "--release", folder / "gate", "--to", folder / "reports", "--output", folder / "published"),
        (
            *("register", *pipeline, *parts, "--registry-uri", f"sqlite:///{folder}/mlflow.db"),
            *("--output", folder / "release"),
        ),
    ]
    start = time.perf_counter()
    for step in steps:
        subprocess.run([CLI, *map(str, step)], env=environment, check=True, capture_output=True)
    return time.perf_counter() - start


def _timed(program: str, arguments: list[object], environment: dict[str, str]) -> float:
    return _numbers(_said([sys.executable, "-c", program, *map(str, arguments)], environment), "seconds")[0]


def _said(command: list[str], environment: dict[str, str]) -> str:
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{json.dumps(command[-4:])} failed:\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}")
    return done.stdout


def _numbers(said: str, word: str) -> list[float]:
    """What stands behind a word at the start of a line: orchestrators print lines of their own."""
    line = re.findall(rf"^{word} (.*)$", said, flags=re.MULTILINE)[-1]
    return [float(one) for one in line.split()]


if __name__ == "__main__":
    main()

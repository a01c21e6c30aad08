"""A small project that runs in a second: data, pipeline and policy in a folder, and the command line beside them."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml

from clarify_ops.cli import main

# Who measures coverage would follow these processes, which run nothing that the tests do not run elsewhere.
UNTRACED = ("COVERAGE_PROCESS_CONFIG", "COVERAGE_PROCESS_START")


def untraced_environment() -> dict[str, str]:
    """The environment for a process whose coverage tells nothing: a server of somebody else's, a whole run."""
    return {name: value for name, value in os.environ.items() if name not in UNTRACED}


STEPS = ("pretraining_bias", "training", "posttraining_bias", "explanations")


def people(rows: int = 400, seed: int = 7) -> pd.DataFrame:
    """Made-up loan decisions: income and debt decide, a tenth of the rows belong to the group g = 1."""
    rng = np.random.default_rng(seed)
    income, debt = rng.normal(50, 12, rows).round(1), rng.normal(0.3, 0.1, rows).round(3)
    g = (rng.random(rows) < 0.25).astype(int)
    score = (income - 50) / 6 - (debt - 0.3) * 12 + rng.normal(0, 1.4, rows) + 0.6
    town = rng.choice(["north", "south", "east"], rows)
    return pd.DataFrame(
        {
            "income": income,
            "debt": debt,
            "town": town,
            "g": g,
            "area": rng.integers(0, 2, rows),
            "good": (score > 0).astype(int),
        }
    )


PIPELINE: dict[str, Any] = {
    "version": "1",
    "name": "small",
    "seed": 3,
    "data": {"uri": "data.csv", "label": "good"},
    "split": {"method": "out_of_fold", "folds": 3},
    "train": {"estimator": "sklearn.linear_model.LogisticRegression", "parameters": {"max_iter": 500}, "scale": True},
    "analysis": {
        "label_values_or_threshold": [1],
        "facet": [{"name_or_index": "g", "value_or_threshold": [1]}],
        "group_variable": "area",
        "methods": {
            "pre_training_bias": {"methods": "all"},
            "post_training_bias": {"methods": "all"},
            "shap": {"num_samples": 50},
            "pdp": {"grid_resolution": 4, "top_k_features": 2},
        },
    },
    "policy": "policy.yaml",
    "registry": {"model": "small-model", "uri": "sqlite:///registry/mlflow.db"},
}

POLICY: dict[str, Any] = {
    "version": "1",
    "name": "small-policy",
    "rules": [
        {"id": "ranks", "stage": "quality", "metric": "auc", "min": 0.6, "why": "Better than chance."},
        {
            "id": "recall",
            "stage": "post_training",
            "metric": "RD",
            "facet": "g",
            "min": -0.3,
            "max": 0.3,
            "why": "Deserving people are found alike.",
        },
    ],
}


def write_documents(folder: Path) -> None:
    """The small project's files."""
    people().to_csv(folder / "data.csv", index=False)
    (folder / "pipeline.yaml").write_text(yaml.safe_dump(PIPELINE), encoding="utf-8")
    (folder / "policy.yaml").write_text(yaml.safe_dump(POLICY), encoding="utf-8")


@dataclass
class Project:
    """A folder with documents, and ways to change them and to run the command line in it."""

    folder: Path
    capsys: pytest.CaptureFixture[str]

    def write(self) -> None:
        """The documents as they are before a test changes them."""
        write_documents(self.folder)

    def edit(self, change: Callable[[dict[str, Any]], object], name: str = "pipeline.yaml") -> None:
        """Changes a document in place."""
        file = self.folder / name
        document = yaml.safe_load(file.read_text(encoding="utf-8"))
        change(document)
        file.write_text(yaml.safe_dump(document), encoding="utf-8")

    def edit_data(self, change: Callable[[pd.DataFrame], pd.DataFrame]) -> None:
        """Changes the dataset in place."""
        file = self.folder / "data.csv"
        change(pd.read_csv(file)).to_csv(file, index=False)

    def cli(self, *arguments: str) -> tuple[int, str, str]:
        """Runs clarify-ops; returns exit status, standard output and standard error."""
        before, sys.argv = sys.argv, ["clarify-ops", *arguments]
        self.capsys.readouterr()
        try:
            main()
            status = 0
        except SystemExit as error:
            status = int(error.code or 0)
        finally:
            sys.argv = before
        said = self.capsys.readouterr()
        return status, said.out, said.err

    def run(self, *arguments: str) -> tuple[int, str, str]:
        """Runs the whole pipeline into the folder `run`."""
        return self.cli("run", "pipeline.yaml", "--output", "run", *arguments)

    def step(self, name: str, *arguments: str) -> tuple[int, str, str]:
        """Runs one step, with every input that it needs from the folder `run`."""
        folders = {
            "pretraining-bias": "pretraining_bias",
            "train": "training",
            "posttraining-bias": "posttraining_bias",
            "explain": "explanations",
            "gate": "gate",
            "register": "release",
        }
        needs = {
            "posttraining-bias": ("training",),
            "explain": ("training",),
            "gate": STEPS,
            "register": STEPS,
        }
        inputs = [part for one in needs.get(name, ()) for part in (f"--{one.replace('_', '-')}", f"run/{one}")]
        return self.cli(name, "--pipeline", "pipeline.yaml", *inputs, "--output", f"run/{folders[name]}", *arguments)

    def take_over(self, finished: Path) -> None:
        """Takes over the folders of a finished run of the same documents, but for its release."""
        shutil.copytree(finished / "run", self.folder / "run", ignore=shutil.ignore_patterns("release"))


def registered(project: Project) -> list[str]:
    """Names of the registered models, of a registry that may not exist."""
    from mlflow import MlflowClient

    database = project.folder / "registry" / "mlflow.db"
    if not database.exists():
        return []
    uri = f"sqlite:///{database}"
    return [model.name for model in MlflowClient(uri, uri).search_registered_models()]

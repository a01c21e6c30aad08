"""Models as other people's training leaves them, for pipelines that say who trained them."""

from __future__ import annotations

import importlib
import io
import tarfile
import warnings
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from clarify_ops.models.quiet import quiet
from tests.project import PIPELINE, people, write_documents

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    mlflow: Any = importlib.import_module("mlflow")

WORDS = "the nightly job of the credit team"
FEATURES = ["debt", "income"]
DOCUMENT: dict[str, Any] = {
    **{key: value for key, value in PIPELINE.items() if key != "split"},
    "train": {"elsewhere": WORDS},
}


def write_foreign_documents(folder: Path) -> None:
    """The small project's files, with a model that was trained elsewhere."""
    write_documents(folder)
    (folder / "pipeline.yaml").write_text(yaml.safe_dump(DOCUMENT), encoding="utf-8")


def known(rows: int = 600) -> pd.DataFrame:
    """What the other training saw: rows that the project's data do not hold."""
    return people(rows, seed=1)


def save(model: Any, folder: Path, flavour: str = "sklearn", **settings: Any) -> Path:
    """As MLflow writes it, without asking what is installed."""
    with quiet():
        getattr(mlflow, flavour).save_model(model, str(folder), pip_requirements=["scikit-learn==1.9.1"], **settings)
    return folder


def signed(columns: list[str]) -> Any:
    """A signature that names columns of the project's data."""
    with warnings.catch_warnings():
        # Of whole numbers, which could not be missing.
        warnings.simplefilter("ignore")
        return mlflow.models.infer_signature(known()[columns])


def packed(folder: Path, archive: Path, under: str = "") -> Path:
    """A .tar.gz of a model, as SageMaker's training leaves it: at the top of the archive, or in a folder."""
    archive.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(folder, under or ".")
    return archive


def planted(archive: Path, name: str) -> Path:
    """An archive with a file of that name."""
    with tarfile.open(archive, "w:gz") as tar:
        entry = tarfile.TarInfo(name)
        entry.size = 1
        tar.addfile(entry, io.BytesIO(b"x"))
    return archive

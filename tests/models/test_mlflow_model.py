"""A model folder is read as data, from the one file that was checked, or not at all."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import yaml

from clarify_ops.errors import BadModel
from clarify_ops.models.mlflow_model import load_predictor


@pytest.fixture
def model(finished: Path, tmp_path: Path) -> Path:
    """A copy of the model of a finished run."""
    return Path(shutil.copytree(finished / "run" / "training" / "model", tmp_path / "model"))


def describe(model: Path, **settings: str) -> None:
    """Changes what MLmodel says about the scikit-learn flavour."""
    document = yaml.safe_load((model / "MLmodel").read_text(encoding="utf-8"))
    document["flavors"]["sklearn"].update(settings)
    (model / "MLmodel").write_text(yaml.safe_dump(document), encoding="utf-8")


@pytest.mark.parametrize("broken", ["absent", "not a zip", "truncated", "no MLmodel", "a pickle"])
def test_an_unreadable_model(model: Path, broken: str) -> None:
    file = model / "model.skops"
    if broken == "absent":
        file.unlink()
    elif broken == "not a zip":
        file.write_text("no", encoding="utf-8")
    elif broken == "truncated":
        file.write_bytes(file.read_bytes()[:100])
    elif broken == "no MLmodel":
        (model / "MLmodel").unlink()
    else:
        describe(model, serialization_format="cloudpickle")
    with pytest.raises(BadModel):
        load_predictor(model)


def test_the_file_is_the_folders_own(model: Path, tmp_path: Path) -> None:
    """A description that names a file elsewhere would have it read unchecked."""
    (model / "model.skops").rename(tmp_path / "elsewhere.skops")
    describe(model, pickled_model="../elsewhere.skops")
    with pytest.raises(BadModel, match=r"model\.skops"):
        load_predictor(model)

"""Saving a fitted model so that the same work gives the same bytes, and reading it back runs nobody's code."""

from __future__ import annotations

import io
import json
import warnings
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from clarify_ops.documents import digest, digest_file, read_document
from clarify_ops.errors import BadModel
from clarify_ops.models.mlflow_model import MODEL_FILE
from clarify_ops.models.trust import refuse_untrusted

if TYPE_CHECKING:
    import pandas as pd

# Written by MLflow from what happens to be installed: not what was learnt.
_NOT_THE_ESTIMATOR = frozenset({"conda.yaml", "python_env.yaml", "requirements.txt", "registered_model_meta"})
_DESCRIPTION = "MLmodel"
_VERSIONS = frozenset({"python_version", "sklearn_version"})
_OLDEST = (1980, 1, 1, 0, 0, 0)


def save_model(model: Any, folder: Path, example: pd.DataFrame, trusted: Iterable[str] = ()) -> None:
    """Writes an MLflow model with signature and input example, in skops' format: data, no pickle.

    Args:
        model: A fitted scikit-learn pipeline.
        folder: To be created.
        example: A few rows of features.
        trusted: Packages to trust beside the usual ones.

    Raises:
        BadModel: The estimator cannot be written as data.
    """
    import mlflow.exceptions

    try:
        with warnings.catch_warnings():
            # MLflow reads the example through calls that pandas is about to change; a user can do nothing about it.
            warnings.simplefilter("ignore")
            _save(model, folder, example, trusted)
    except (mlflow.exceptions.MlflowException, TypeError, AttributeError) as error:
        first = str(error).strip().splitlines()[0]
        raise BadModel(f"The estimator {type(model).__name__} cannot be saved: {first}") from error
    file = folder / MODEL_FILE
    file.write_bytes(_canonical_skops(file.read_bytes()))


def _save(model: Any, folder: Path, example: pd.DataFrame, trusted: Iterable[str]) -> None:
    import mlflow
    import skops.io
    from mlflow.models import infer_signature

    types = skops.io.get_untrusted_types(data=skops.io.dumps(model))
    refuse_untrusted(types, trusted, "The fitted estimator")
    mlflow.sklearn.save_model(
        model,
        folder,
        signature=infer_signature(example, model.predict_proba(example)),
        input_example=example,
        serialization_format="skops",
        skops_trusted_types=types,
        pyfunc_predict_fn="predict_proba",
        # Asking MLflow to find the requirements starts a process that loads the model once more.
        pip_requirements=_requirements(model),
    )


def model_digest(folder: str | Path) -> str:
    """Digest of what a model folder does: its files by name and bytes, and how MLflow is told to load them.

    Left out is what MLflow writes at random (ids, times) or by what is installed; all of it lies at the top.
    """
    root = Path(folder)
    files = sorted(one for one in root.rglob("*") if one.is_file())
    names = {one.relative_to(root).as_posix(): one for one in files}
    digests = {name: digest_file(one) for name, one in names.items() if name not in {*_NOT_THE_ESTIMATOR, _DESCRIPTION}}
    loading = _loading(root / _DESCRIPTION) if _DESCRIPTION in names else None
    return digest({"files": digests, "loading": loading})


def _loading(description: Path) -> Any:
    """What `MLmodel` says about loading and calling the model, without versions."""
    document = read_document(description, "model description")
    if not isinstance(document, dict) or not isinstance(document.get("flavors"), dict):
        raise BadModel(f"The file {description} does not describe an MLflow model.")
    flavours = {
        name: {key: value for key, value in settings.items() if key not in _VERSIONS}
        for name, settings in document["flavors"].items()
        if isinstance(settings, dict)
    }
    return {"flavors": flavours, "signature": document.get("signature")}


def _canonical_skops(content: bytes) -> bytes:
    """The same skops file without what differs from run to run: memory addresses as names, and times of day."""
    source = zipfile.ZipFile(io.BytesIO(content))
    schema = json.loads(source.read("schema.json"))
    addresses: dict[int, int] = {}
    files: dict[str, str] = {}
    _rename(schema, addresses, files)
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(_entry("schema.json"), json.dumps(schema))
        for old, new in files.items():
            archive.writestr(_entry(new), source.read(old))
    return target.getvalue()


def _rename(node: Any, addresses: dict[int, int], files: dict[str, str]) -> None:
    """Numbers addresses and files in the order in which they are met."""
    if isinstance(node, list):
        for one in node:
            _rename(one, addresses, files)
    elif isinstance(node, dict):
        for key, value in node.items():
            if key == "__id__" and value is not None:
                node[key] = addresses.setdefault(value, len(addresses) + 1)
            elif key == "file" and isinstance(value, str):
                node[key] = files.setdefault(value, f"{len(files) + 1}{Path(value).suffix}")
            else:
                _rename(value, addresses, files)


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, _OLDEST)
    entry.compress_type = zipfile.ZIP_DEFLATED
    return entry


def _requirements(model: Any) -> list[str]:
    """What the model needs to be served, pinned to what fitted it."""
    return [f"{name}=={version}" for name, version in libraries(model).items()]


def libraries(model: Any) -> dict[str, str]:
    """Versions of the libraries behind a fitted pipeline."""
    from importlib.metadata import packages_distributions, version

    top = type(model.steps[-1][1]).__module__.split(".")[0]
    distributions = packages_distributions().get(top, [top])
    names = ["mlflow", "numpy", "pandas", "scikit-learn", "skops", *distributions]
    return {name: version(name) for name in dict.fromkeys(names)}

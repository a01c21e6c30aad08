"""An MLflow model folder, asked in process."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from clarify_ops.errors import BadModel
from clarify_ops.models.trust import refuse_untrusted

if TYPE_CHECKING:
    import pandas as pd

MODEL_FILE = "model.skops"
Predict = Callable[["pd.DataFrame"], NDArray[np.float64]]


def load_model_at(place: str) -> Predict:
    """Reads a model from a folder or from wherever an MLflow URI leads.

    Args:
        place: A local folder, `models:/NAME/VERSION`, `runs:/ID/PATH` or any URI that MLflow reads.

    Raises:
        BadModel: There is none, or it is not one that the train step writes.
    """
    if "://" not in place and ":/" not in place:
        return load_predictor(place)
    import mlflow

    with tempfile.TemporaryDirectory() as folder:
        try:
            found = mlflow.artifacts.download_artifacts(artifact_uri=place, dst_path=folder)
        except Exception as error:
            first = (str(error).splitlines() or [type(error).__name__])[0].rstrip(".")
            raise BadModel(
                f"The model {place} cannot be fetched: {first}.", "Check the URI, and MLFLOW_TRACKING_URI."
            ) from error
        return load_predictor(found)


def load_predictor(folder: str | Path, trusted: Iterable[str] = ()) -> Predict:
    """Reads a model that the train step wrote.

    Args:
        folder: An MLflow model folder with the scikit-learn flavour in skops' format.
        trusted: Packages to trust beside the usual ones.

    Returns:
        A function from (rows, features) to (rows,) probabilities of a positive label.

    Raises:
        BadModel: The folder is not such a model. Pickles are not opened: reading one runs whatever is in it.
    """
    import skops.io
    import yaml

    root = Path(folder)
    try:
        flavours = yaml.safe_load((root / "MLmodel").read_text(encoding="utf-8"))["flavors"]
        settings = flavours["sklearn"]
    except (OSError, UnicodeDecodeError, yaml.YAMLError, KeyError, TypeError) as error:
        raise BadModel(f"The folder {root} is not a readable MLflow model with a scikit-learn flavour.") from error
    if settings.get("serialization_format") != "skops":
        raise BadModel(f"The model in {root} is a pickle, which is not opened.", "Train it with clarify-ops train.")
    # Not the name that MLmodel gives: that might lead out of the folder.
    file = root / MODEL_FILE
    try:
        types = skops.io.get_untrusted_types(file=file)
        # skops builds the types that are named here, so that the list must be ours and not the file's.
        refuse_untrusted(types, trusted, f"The model {file}")
        logging.getLogger("skops").setLevel(logging.ERROR)
        model = skops.io.load(file, trusted=types)
    except BadModel:
        raise
    except Exception as error:
        raise BadModel(
            f"The model {file} cannot be read: it is damaged, or not in skops' format ({type(error).__name__})."
        ) from error

    def predict(features: pd.DataFrame) -> NDArray[np.float64]:
        return np.asarray(model.predict_proba(features), dtype=np.float64)[:, 1]

    return predict

"""MLflow models, wherever they lie, asked in process."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from clarify_ops.data.files import address
from clarify_ops.errors import BadModel
from clarify_ops.models.flavours import FLAVOURS, MODEL_FILE, Source, read_flavour, read_function
from clarify_ops.models.quiet import first_line

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from clarify_ops.models.in_process import InProcessModel

Predict = Callable[["pd.DataFrame"], "NDArray[np.float64]"]

DESCRIPTION = "MLmodel"

__all__ = [
    "DESCRIPTION",
    "MODEL_FILE",
    "Predict",
    "fetch",
    "load_model",
    "load_model_at",
    "load_predictor",
    "open_kept",
]


def load_model(place: str | Path, *, trust: bool = False, trusted: Iterable[str] = ()) -> InProcessModel:
    """A model by name: an MLflow model of any flavour, or a Python function.

    The native flavours of scikit-learn, LightGBM, XGBoost, CatBoost, Keras and PyTorch give their fitted object and are
    asked for probabilities; any other model is asked through MLflow's python_function.

    Args:
        place: A local folder, `models:/NAME/VERSION`, `runs:/ID/PATH`, any URI that MLflow reads, or
            `package.module:function`.
        trust: Whether what is in it may run. Files of data need none: skops, LightGBM's text, XGBoost's and CatBoost's own
            formats, Keras files of Keras' own layers. Pickles, which PyTorch and python_function models are, and functions do.
        trusted: Packages to trust beside the usual ones, in a file that lists its types.

    Raises:
        BadModel: There is none, it is damaged, or nobody has said to trust it.
        MissingExtra: Its library is not installed.
    """
    from clarify_ops.models.in_process import IMPORT_PATH, load_function

    text = str(place)
    if Path(place).exists():
        return _read(Path(place), text, trust=trust, trusted=frozenset(trusted))
    if isinstance(place, str) and IMPORT_PATH.fullmatch(text):
        return load_function(text, trust=trust)
    if isinstance(place, Path) or ":/" not in text:
        raise BadModel(
            f"There is no model {text}.",
            "Give an MLflow model folder, a URI such as models:/NAME/1, or module:function.",
        )
    folder = Path(tempfile.mkdtemp(prefix="clarify-ops-model-"))
    try:
        return _read(fetch(text, folder), text, trust=trust, trusted=frozenset(trusted), folder=folder)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def load_model_at(place: str, *, trust: bool = False) -> Predict:
    """As `load_model`, as a function.

    Returns:
        From (rows, features) to (rows,) probabilities of the positive class of two, or to all that the model answers.
    """
    from clarify_ops.models.in_process import positive_scores

    return positive_scores(load_model(place, trust=trust))


def load_predictor(folder: str | Path, trusted: Iterable[str] = ()) -> Predict:
    """Reads a model that the train step wrote.

    Args:
        folder: An MLflow model folder.
        trusted: Packages to trust beside the usual ones.

    Returns:
        As `load_model_at`.

    Raises:
        BadModel: The folder is not such a model. Pickles are not opened: reading one runs whatever is in it.
    """
    from clarify_ops.models.in_process import positive_scores

    return positive_scores(_read(Path(folder), str(folder), trust=False, trusted=frozenset(trusted)))


def open_kept(root: Path, name: str, *, trust: bool) -> InProcessModel:
    """A model whose files are evidence, and stay as they are while it is asked.

    Args:
        root: Its folder.
        name: What sentences call it.
        trust: Whether what is in it may run. Then a copy of it is opened: code compiles itself beside its source.

    Raises:
        BadModel: As `load_model`.
    """
    place = Path(tempfile.mkdtemp(prefix="clarify-ops-model-")) if trust else None
    opened = root if place is None else place / "model"
    try:
        if place is not None:
            shutil.copytree(root, opened, symlinks=True)
        return _read(opened, name, trust=trust, trusted=frozenset(), folder=place)
    except BaseException as error:
        if place is not None:
            shutil.rmtree(place, ignore_errors=True)
        if isinstance(error, BadModel):
            raise BadModel(error.message.replace(str(opened), name), error.hint) from error
        raise


def fetch(place: str, folder: Path) -> Path:
    """Brings what lies at a URI.

    Args:
        place: Any that MLflow reads.
        folder: Where to.

    Raises:
        BadModel: It cannot be fetched.
    """
    import mlflow

    from clarify_ops.models.quiet import quiet

    try:
        with quiet():
            return Path(mlflow.artifacts.download_artifacts(artifact_uri=place, dst_path=str(folder)))
    except Exception as error:  # Of any store's own driver, beside MLflow's.
        name = address(place)
        raise BadModel(
            f"The model {name} cannot be fetched: {first_line(error).replace(place, name)}.",
            "Check the URI, and MLFLOW_TRACKING_URI.",
        ) from error


def _read(root: Path, name: str, *, trust: bool, trusted: frozenset[str], folder: Path | None = None) -> InProcessModel:
    """The model of a folder; `folder` is removed with the model, or before where the model has no more need of it."""
    from clarify_ops.models.estimators import Asking, asking
    from clarify_ops.models.in_process import InProcessModel
    from clarify_ops.models.signature import Signature

    flavours, signature = _described(root)
    signed = Signature.read(signature)
    native = next((one for one in FLAVOURS if one in flavours), None)
    if native is not None:
        estimator = read_flavour(native, Source(root, flavours[native], trust, trusted))
        asked = asking(estimator)
        if asked is None:
            raise BadModel(f"The model {name} is a {type(estimator).__name__}, which has no predict.")
        return InProcessModel(name, asked, estimator, signature=signed, folder=folder)
    function = read_function(Source(root, flavours["python_function"], trust, trusted))
    return InProcessModel(
        name, Asking(function.predict), _inside(function), signature=signed, exactly=True, folder=folder
    )


def _inside(function: Any) -> object | None:
    """What a python_function wraps, where its flavour shows it."""
    for look in ("unwrap_python_model", "get_raw_model"):
        # Flavours say in ways of their own that they wrap nothing, and a model that is not seen is asked instead.
        with contextlib.suppress(Exception):
            return getattr(function, look)()  # type: ignore[no-any-return]
    return None


def _described(root: Path) -> tuple[Mapping[str, Any], object]:
    """Flavours and signature, as MLmodel has them."""
    import yaml

    try:
        document = yaml.safe_load((root / DESCRIPTION).read_text(encoding="utf-8"))
        flavours = document["flavors"]
        known = {name: dict(flavours[name]) for name in (*FLAVOURS, "python_function") if name in flavours}
        signature = document.get("signature")
    except (OSError, UnicodeDecodeError, yaml.YAMLError, KeyError, TypeError, ValueError) as error:
        raise BadModel(f"The folder {root} is not a readable MLflow model.") from error
    if not known:
        raise BadModel(
            f"The model {root} has none of the flavours that can be asked: {', '.join(FLAVOURS)}, python_function."
        )
    return known, signature

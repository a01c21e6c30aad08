"""MLflow's flavours: which of a model's files is read, and whether reading it runs what is in it."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from clarify_ops.errors import BadModel, ClarifyOpsError
from clarify_ops.models.libraries import library
from clarify_ops.models.quiet import first_line, quiet
from clarify_ops.models.trust import refuse_unread, refuse_untrusted

MODEL_FILE = "model.skops"
Settings = Mapping[str, Any]
SAFE_KERAS = (3, 12)
"""Before it, a .keras file could name functions to call in spite of safe_mode (CVE-2025-1550, -8747, -12058)."""


@dataclass(frozen=True)
class Source:
    """A model folder about to be read.

    Attributes:
        root: The folder.
        settings: What MLmodel says about the flavour.
        trust: Whether code in it may run.
        trusted: Packages to trust beside the usual ones, in a file that lists its types.
    """

    root: Path
    settings: Settings
    trust: bool
    trusted: frozenset[str]

    def file(self, *names: str) -> Path:
        """A file of the folder.

        Raises:
            BadModel: It is not there, or elsewhere: what MLmodel names might lead out of the folder.
        """
        path = self.root.joinpath(*names)
        if not path.resolve().is_relative_to(self.root.resolve()):
            raise BadModel(f"The model {self.root} names a file outside of it: {'/'.join(names)}.")
        if not path.is_file():
            raise BadModel(f"The model file {path} is not there.")
        return path

    def named(self, key: str, default: str) -> Path:
        """The file that the flavour's setting names."""
        return self.file(str(self.settings.get(key) or default))


@dataclass(frozen=True)
class Flavour:
    """One of MLflow's flavours.

    Attributes:
        read_data: The fitted object, read from data alone; None where the folder holds it in no such form.
        code: What runs when it is read by MLflow itself, and the file, for the sentence that refuses.
    """

    read_data: Callable[[Source], Any | None]
    code: Callable[[Source], tuple[str, Path]]


def read_flavour(name: str, source: Source) -> Any:
    """The fitted object of a native flavour.

    Raises:
        BadModel: It is damaged, or reading it would run code that nobody has said to trust.
        MissingExtra: Its library is not installed.
    """
    flavour = FLAVOURS[name]
    with _one_sentence(source.root), quiet():
        found = flavour.read_data(source)
        if found is not None:
            return found
        what, file = flavour.code(source)
        if not source.trust:
            refuse_unread(file, what)
        return library(f"mlflow.{name}").load_model(str(source.root))


def read_function(source: Source) -> Any:
    """MLflow's own wrapping of a model of any flavour.

    Raises:
        BadModel: As `read_flavour`.
    """
    if not source.trust:
        refuse_unread(source.root / "MLmodel", f"loaded by Python code ({source.settings.get('loader_module')})")
    with _one_sentence(source.root), quiet():
        return library("mlflow.pyfunc").load_model(str(source.root))


class _one_sentence:  # noqa: N801 - a context manager, read as a verb
    """Turns whatever a library raises about a file into one sentence."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def __enter__(self) -> None:
        return

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, Exception) and not isinstance(error, ClarifyOpsError):
            if isinstance(error, ModuleNotFoundError):
                raise BadModel(
                    f"The model {self._root} needs {error.name}, which is not installed.",
                    f"Install what its requirements.txt lists: pip install {error.name}",
                ) from error
            raise BadModel(
                f"The model {self._root} cannot be read: {type(error).__name__}: {first_line(error)}.",
                "It is damaged, or saved with another version of its library.",
            ) from error


def read_skops(file: Path, trusted: Iterable[str], *, trust: bool = False) -> Any:
    """A fitted estimator in skops' format, whose types are listed before any is made.

    Raises:
        BadModel: It holds a type that is not trusted, or is damaged.
    """
    import skops.io

    try:
        types = skops.io.get_untrusted_types(file=file)
        if not trust:
            # skops builds the types that are named here, so that the list must be ours and not the file's.
            refuse_untrusted(types, trusted, f"The model {file}")
        return skops.io.load(file, trusted=types)
    except BadModel:
        raise
    except Exception as error:  # Whatever the classes raise that a damaged file has built.
        raise BadModel(
            f"The model {file} cannot be read: it is damaged, or not in skops' format ({type(error).__name__})."
        ) from error


def _sklearn(source: Source) -> Any | None:
    if source.settings.get("serialization_format") != "skops":
        return None
    # Not the name that MLmodel gives: that might lead out of the folder.
    return read_skops(source.file(MODEL_FILE), source.trusted, trust=source.trust)


def _lightgbm(source: Source) -> Any | None:
    lightgbm = library("lightgbm")
    if source.settings.get("model_class", "lightgbm.basic.Booster") != "lightgbm.basic.Booster":
        return _sklearn(source)
    file = source.named("data", "model.lgb")
    content = file.read_bytes()
    if not _whole_lightgbm(content):
        raise BadModel(f"The model file {file} cannot be read: it is damaged, or not in LightGBM's text format.")
    return lightgbm.Booster(model_str=content.decode("utf-8"), params={"verbosity": -1})


def _whole_lightgbm(content: bytes) -> bool:
    """Whether every tree lies where the file says; LightGBM believes it, and dies of a file that was cut off."""
    start, end = content.find(b"\nTree=0") + 1, content.find(b"end of trees\n")
    sizes = content[:start].partition(b"\ntree_sizes=")[2].partition(b"\n")[0].split()
    if not content.startswith(b"tree\n") or start == 0 or end < 0 or not all(one.isdigit() for one in sizes):
        return False
    for size in map(int, sizes):
        if not content.startswith(b"Tree=", start):
            return False
        start += size
    return start == end


XGBOOST_CLASSES = {
    "xgboost.core.Booster",
    *(f"xgboost.sklearn.XGB{kind}" for kind in ("Classifier", "Regressor", "Ranker", "RFClassifier", "RFRegressor")),
}
"""Classes that read a file as data; any other in MLmodel is somebody's own."""


def _xgboost(source: Source) -> Any | None:
    kind = source.settings.get("model_class", "xgboost.core.Booster")
    if kind not in XGBOOST_CLASSES:
        return None
    model = getattr(library("xgboost"), kind.rpartition(".")[2])()
    model.load_model(str(source.named("data", "model.ubj")))
    return model


CATBOOST_CLASSES = {"CatBoost", "CatBoostClassifier", "CatBoostRegressor", "CatBoostRanker"}


def _catboost(source: Source) -> Any | None:
    kind, form = source.settings.get("model_type"), source.settings.get("save_format", "cbm")
    if kind not in CATBOOST_CLASSES or form not in {"cbm", "json"}:
        return None
    return getattr(library("catboost"), kind)().load_model(str(source.named("data", "model.cb")), format=form)


def _keras(source: Source) -> Any | None:
    if source.settings.get("save_exported_model"):
        return None
    keras, file = library("keras"), _keras_file(source)
    if source.trust:
        return keras.saving.load_model(file, compile=False, safe_mode=False)
    if not zipfile.is_zipfile(file):
        refuse_unread(file, "no .keras archive")
    if tuple(int(part) for part in keras.__version__.split(".")[:2]) < SAFE_KERAS:
        refuse_unread(file, f"read by Keras {keras.__version__}, which may call what the file names")
    if _foreign(_keras_layers(file)):
        refuse_unread(file, "made of code or classes of its own")
    # Not compiled: losses and optimizers are only for training, and would be built from the file as well.
    return keras.saving.load_model(file, compile=False, safe_mode=True)


def _keras_file(source: Source) -> Path:
    data = str(source.settings.get("data") or "model")
    return source.file(data, "model.keras") if (source.root / data).is_dir() else source.file(f"{data}.keras")


def _keras_layers(file: Path) -> Any:
    with zipfile.ZipFile(file) as archive:
        return json.loads(archive.read("config.json"))


def _foreign(node: Any) -> bool:
    """Whether a Keras configuration names anything but Keras' own classes and functions, or holds a function's code."""
    if isinstance(node, list):
        return any(_foreign(one) for one in node)
    if not isinstance(node, dict):
        return False
    if "class_name" in node:
        module = str(node.get("module") or "builtins").partition(".")[0]
        if module not in {"builtins", "keras"} or node["class_name"] in {"Lambda", "__lambda__", "TFSMLayer"}:
            return True
        if str(node.get("registered_name") or "").count(">"):
            return True
    return any(_foreign(one) for key, one in node.items() if key not in {"compile_config", "build_config"})


def _nothing(_: Source) -> None:
    """PyTorch has no form without code: archives of torch.export hold pickles, TorchScript is a program."""


def _pickle(key: str, default: str) -> Callable[[Source], tuple[str, Path]]:
    return lambda source: ("a pickle", source.root / str(source.settings.get(key) or default))


def _own_class(source: Source) -> tuple[str, Path]:
    kind = source.settings.get("model_class") or source.settings.get("model_type")
    return f"read by a class of its own ({kind})", source.root / str(source.settings.get("data"))


FLAVOURS: dict[str, Flavour] = {
    "sklearn": Flavour(_sklearn, _pickle("pickled_model", "model.pkl")),
    "lightgbm": Flavour(_lightgbm, _pickle("data", "model.pkl")),
    "xgboost": Flavour(_xgboost, _own_class),
    "catboost": Flavour(_catboost, _own_class),
    "keras": Flavour(_keras, lambda source: ("a program of TensorFlow's", source.root / "data")),
    "pytorch": Flavour(_nothing, lambda source: ("a pickle", source.root / str(source.settings.get("model_data")))),
}
"""Native flavours by MLflow's names, the first that a model has is taken; any other is asked through python_function."""

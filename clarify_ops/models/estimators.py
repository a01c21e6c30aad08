"""Fitted objects of the libraries, and how each is asked for scores."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clarify_ops.errors import BadModel
from clarify_ops.models.libraries import library
from clarify_ops.models.signature import as_text

Categories = Mapping[int, Sequence[Any]]
"""By position of the column: what it held at training."""

NETWORK_ROWS = 16_384
"""Rows in one forward pass: layers in between are wider than rows."""


@dataclass(frozen=True)
class Asking:
    """How a fitted object is asked.

    Attributes:
        scores: From the rows, prepared, to (rows,) or (rows, outputs): probabilities where it gives them.
        columns: Names that it was fitted on, in order; None where it does not know them.
        prepare: From the rows, in order, to rows with the types of columns that it takes.
        outputs: Names of the columns of the scores; None where they have none.
        positive: Position of the positive class of two; None where there are not two.
    """

    scores: Callable[[pd.DataFrame], Any]
    columns: tuple[str, ...] | None = None
    prepare: Callable[[pd.DataFrame], pd.DataFrame] = field(default=lambda rows: rows)
    outputs: tuple[str, ...] | None = None
    positive: int | None = None


def asking(estimator: Any) -> Asking | None:
    """How to ask a fitted object, or None where nothing is known to ask it by."""
    for kind in type(estimator).__mro__:
        found = KINDS.get((kind.__module__.partition(".")[0], kind.__name__))
        if found is not None:
            return found(estimator)
    return _predicting(estimator) if callable(getattr(estimator, "predict", None)) else None


def _predicting(estimator: Any) -> Asking:
    """Anything with scikit-learn's methods."""
    names = getattr(estimator, "feature_names_in_", None)
    columns = None if names is None else tuple(str(name) for name in names)
    if not hasattr(estimator, "predict_proba"):
        return Asking(estimator.predict, columns)
    outputs, positive = _classes(getattr(estimator, "classes_", None))
    return Asking(
        lambda rows: _side_by_side(estimator.predict_proba(rows)), columns, outputs=outputs, positive=positive
    )


def _side_by_side(scores: Any) -> Any:
    # A classifier of several labels gives the probabilities of each as an array of its own.
    return np.hstack(scores) if isinstance(scores, list) else scores


def _classes(classes: Any) -> tuple[tuple[str, ...] | None, int | None]:
    if classes is None or len(classes) == 0:
        return None, None
    if isinstance(classes, list):
        return tuple(f"{label}_{one}" for label, several in enumerate(classes) for one in several), None
    names = tuple(str(one) for one in np.asarray(classes).tolist())
    return names, 1 if len(names) == 2 else None


def _lightgbm(estimator: Any) -> Asking:
    booster = getattr(estimator, "booster_", estimator)
    known = getattr(booster, "pandas_categorical", None) or []
    places = _lightgbm_places(booster, len(known)) if known else []
    prepare = _CategoryColumns(dict(zip(places, known, strict=True))) if places else _CategoryColumns({}, known or ())
    columns = tuple(booster.feature_name())
    if booster is estimator:
        return Asking(estimator.predict, columns, prepare)
    plain = _predicting(estimator)
    return Asking(plain.scores, columns, prepare, plain.outputs, plain.positive)


def _lightgbm_places(booster: Any, count: int) -> list[int]:
    """Where the categorical columns are; empty where the model's text does not tell."""
    head = booster.model_to_string(num_iteration=1).partition("\nTree=")[0]
    infos = next((line for line in head.splitlines() if line.startswith("feature_infos=")), "feature_infos=")
    # A numeric column has its range in brackets, a categorical one its codes.
    places = [i for i, one in enumerate(infos.partition("=")[2].split()) if one[0] not in "[n"]
    return places if len(places) == count else []


def _xgboost_booster(booster: Any) -> Asking:
    xgboost = library("xgboost")
    columns = None if booster.feature_names is None else tuple(booster.feature_names)
    kind = json.loads(booster.save_config())["learner"]["gradient_booster"]["name"]

    def scores(rows: pd.DataFrame) -> Any:
        table = rows if columns is not None else _numbers(rows, np.float32)
        if kind == "gblinear":
            return booster.predict(xgboost.DMatrix(table, enable_categorical=True))
        return booster.inplace_predict(table)

    return Asking(scores, columns, _CategoryColumns(_xgboost_categories(booster)))


def _xgboost(estimator: Any) -> Asking:
    plain, booster = _predicting(estimator), estimator.get_booster()
    columns = None if booster.feature_names is None else tuple(booster.feature_names)
    return Asking(plain.scores, columns, _CategoryColumns(_xgboost_categories(booster)), plain.outputs, plain.positive)


def _xgboost_categories(booster: Any) -> Categories:
    kinds = booster.feature_types or []
    if "c" not in kinds or not hasattr(booster, "get_categories"):
        return {}
    found = booster.get_categories(export_to_arrow=True).to_arrow()
    return {place: values.to_pylist() for place, (_, values) in enumerate(found) if values is not None}


def _catboost(estimator: Any) -> Asking:
    plain = _predicting(estimator)
    columns = tuple(str(name) for name in estimator.feature_names_)
    texts = [*estimator.get_cat_feature_indices(), *estimator.get_text_feature_indices()]
    return Asking(plain.scores, columns, _TextColumns(tuple(texts)), plain.outputs, plain.positive)


@dataclass(frozen=True)
class _CategoryColumns:
    """Gives columns pandas' category dtype with the categories of training; any other value becomes a missing one.

    Attributes:
        places: Columns and their categories.
        in_turn: Categories of the columns that are no numbers, first to last, where their places are not known.
    """

    places: Categories
    in_turn: Sequence[Sequence[Any]] = ()

    def __call__(self, rows: pd.DataFrame) -> pd.DataFrame:
        places = self.places
        if self.in_turn:
            texts = [place for place, dtype in enumerate(rows.dtypes) if not pd.api.types.is_numeric_dtype(dtype)]
            if len(texts) != len(self.in_turn):
                raise BadModel(
                    f"The model was fitted on {len(self.in_turn)} categorical columns, and the rows have {len(texts)}."
                )
            places = dict(zip(texts, self.in_turn, strict=True))
        changed = {}
        for place, categories in places.items():
            column = rows.iloc[:, place]
            dtype = pd.CategoricalDtype(list(categories))
            if column.dtype != dtype:
                changed[place] = column.astype(_comparable(column, categories)).astype(dtype)
        return _replaced(rows, changed)


def _comparable(column: pd.Series, categories: Sequence[Any]) -> Any:
    # Categories that are texts may have been read as numbers from the file of rows.
    texts = all(isinstance(one, str) for one in categories)
    return "string" if texts and pd.api.types.is_integer_dtype(column.dtype) else object


@dataclass(frozen=True)
class _TextColumns:
    """Gives categories to a library that tells them by their text: whole numbers without a point, missing ones as "nan"."""

    places: tuple[int, ...]

    def __call__(self, rows: pd.DataFrame) -> pd.DataFrame:
        changed = {}
        for place in self.places:
            column = rows.iloc[:, place]
            texts = as_text(column) if pd.api.types.is_numeric_dtype(column.dtype) else column.astype(object)
            changed[place] = texts.where(texts.notna(), "nan")
        return _replaced(rows, changed)


def _replaced(rows: pd.DataFrame, changed: Mapping[int, pd.Series]) -> pd.DataFrame:
    if not changed:
        return rows
    made = pd.concat([changed.get(place, rows.iloc[:, place]) for place in range(rows.shape[1])], axis=1)
    made.columns = rows.columns
    return made


def _torch(module: Any) -> Asking:
    torch = library("torch")
    # Dropout and batch normalization answer otherwise while a network is trained.
    if hasattr(module, "eval") and type(module).__name__ != "GraphModule":
        module.eval()
    first = next((one for one in module.parameters() if one.is_floating_point()), None)
    dtype, device = (torch.float32, "cpu") if first is None else (first.dtype, first.device)

    def scores(rows: pd.DataFrame) -> NDArray[np.float64]:
        matrix = _numbers(rows, np.float64)
        parts = []
        with torch.no_grad():
            for start in range(0, len(matrix), NETWORK_ROWS):
                answer = module(torch.as_tensor(matrix[start : start + NETWORK_ROWS], dtype=dtype, device=device))
                if not isinstance(answer, torch.Tensor):
                    raise BadModel(f"The network answers a {type(answer).__name__}, which is no tensor.")
                parts.append(answer.to("cpu", torch.float64).numpy())
        return np.concatenate(parts) if parts else np.empty((0, 1))

    return Asking(scores)


def _keras(model: Any) -> Asking:
    def scores(rows: pd.DataFrame) -> NDArray[np.float64]:
        matrix = _numbers(rows, np.float32)
        parts = [
            np.asarray(model.predict_on_batch(matrix[start : start + NETWORK_ROWS]), dtype=np.float64)
            for start in range(0, len(matrix), NETWORK_ROWS)
        ]
        return np.concatenate(parts) if parts else np.empty((0, 1))

    return Asking(scores)


def _numbers(rows: pd.DataFrame, dtype: Any) -> NDArray[Any]:
    """(rows, columns) of a table that is given to a library as an array."""
    try:
        return rows.to_numpy(dtype=dtype, na_value=np.nan)
    except (TypeError, ValueError) as error:
        name = next((name for name, kind in rows.dtypes.items() if not pd.api.types.is_numeric_dtype(kind)), "")
        raise BadModel(f"The column {str(name)!r} holds no numbers, and the model takes nothing else.") from error


KINDS: dict[tuple[str, str], Callable[[Any], Asking]] = {
    ("catboost", "CatBoost"): _catboost,
    ("keras", "Model"): _keras,
    ("lightgbm", "Booster"): _lightgbm,
    ("lightgbm", "LGBMModel"): _lightgbm,
    ("torch", "Module"): _torch,
    ("xgboost", "Booster"): _xgboost_booster,
    ("xgboost", "XGBModel"): _xgboost,
}
"""By library and class, parents included, so that no library is imported to look."""

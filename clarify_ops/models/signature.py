"""A model's signature: the columns that it takes, in order, and of what type."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from clarify_ops.errors import BadModel, nearest

NUMBERS = {"double": np.float64, "float": np.float32, "long": np.int64, "integer": np.int32}
BOOLEANS = {"true": True, "false": False, "1": True, "0": False}


@dataclass(frozen=True)
class Field:
    """A column of a signature.

    Attributes:
        name: None where only positions are known.
        kind: MLflow's type: double, float, long, integer, boolean, string, datetime; others are left alone.
        required: Whether rows must have it.
    """

    name: str | None
    kind: str
    required: bool = True


@dataclass(frozen=True)
class Signature:
    """The inputs of a model, as MLflow's `signature.inputs` lists them.

    Attributes:
        fields: The columns; empty where the model takes one tensor.
        width: Columns of that tensor; None where any number will do.
    """

    fields: tuple[Field, ...] = ()
    width: int | None = None

    @classmethod
    def read(cls, document: object) -> Signature | None:
        """The signature of an `MLmodel` document, or None where it has none.

        Raises:
            BadModel: It is not one.
        """
        if not isinstance(document, Mapping) or not document.get("inputs"):
            return None
        try:
            inputs = json.loads(document["inputs"])
            tensors = [one["tensor-spec"]["shape"] for one in inputs if one["type"] == "tensor" and "name" not in one]
            if tensors:
                shape = tensors[0]
                return cls(width=int(shape[1]) if len(shape) == 2 and shape[1] > 0 else None)
            return cls(tuple(_field(one) for one in inputs))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise BadModel("The signature in MLmodel is not readable.", "Save the model again.") from error

    def fitted(self, rows: pd.DataFrame, model: str, *, exactly: bool = False) -> pd.DataFrame:
        """The rows as the signature has them: its columns, in its order, texts and numbers as it says.

        Args:
            rows: (rows, features); columns that the signature does not name are left out.
            model: Name of the model, for sentences.
            exactly: Give numbers the very type of the signature; else any type of number will do.

        Raises:
            BadModel: A column is missing, or holds what cannot be turned into its type without loss.
        """
        if not self.fields:
            if self.width not in (None, rows.shape[1]):
                raise BadModel(f"The model {model} takes {self.width} columns, and the rows have {rows.shape[1]}.")
            return rows
        if all(field.name is not None for field in self.fields):
            required = [str(field.name) for field in self.fields if field.required]
            there = {str(name) for name in rows.columns}
            wanted = [str(field.name) for field in self.fields if field.name in there or field.required]
            rows = in_order(rows, wanted, model, required)
            kinds = {field.name: field.kind for field in self.fields}
            fields = [kinds[str(name)] for name in rows.columns]
        else:
            if rows.shape[1] != len(self.fields):
                raise BadModel(
                    f"The model {model} takes {len(self.fields)} columns, and the rows have {rows.shape[1]}."
                )
            fields = [field.kind for field in self.fields]
        typed = [_typed(rows.iloc[:, place], kind, model, exactly) for place, kind in enumerate(fields)]
        if all(column is None for column in typed):
            return rows
        return pd.DataFrame(
            {name: rows.iloc[:, place] if typed[place] is None else typed[place] for place, name in enumerate(rows)}
        )


def in_order(
    rows: pd.DataFrame, wanted: Sequence[str], model: str, required: Sequence[str] | None = None
) -> pd.DataFrame:
    """The wanted columns of the rows, in that order.

    Args:
        rows: Names of columns are compared as text.
        wanted: Names.
        model: Name of the model, for sentences.
        required: Those of `wanted` that must be there; None for all.

    Raises:
        BadModel: One is missing.
    """
    names = [str(name) for name in rows.columns]
    if names == list(wanted):
        return rows
    missing = sorted(set(wanted if required is None else required) - set(names), key=list(wanted).index)
    if missing:
        others = [name for name in names if name not in set(wanted)]
        more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
        raise BadModel(
            f"The model {model} was fitted on the column {missing[0]!r}{more}, which the rows do not have.",
            nearest(missing[0], others) if others else f"They have: {', '.join(names[:12])}.",
        )
    place = {name: position for position, name in enumerate(names)}
    return rows.iloc[:, [place[name] for name in wanted if name in place]]


def _field(spec: Mapping[str, Any]) -> Field:
    kind = spec["type"]
    return Field(spec.get("name"), kind if isinstance(kind, str) else "other", bool(spec.get("required", True)))


def _typed(column: pd.Series, kind: str, model: str, exactly: bool) -> pd.Series | None:  # noqa: FBT001 - never far away
    """The column in its type, or None where it may stay as it is."""
    if isinstance(column.dtype, pd.CategoricalDtype) and not exactly:
        # Libraries that split on categories need them as such, whatever the type of their names.
        return None
    number = pd.api.types.is_numeric_dtype(column.dtype)
    if kind == "string":
        return as_text(column) if number else None
    if kind in NUMBERS or kind == "boolean":
        if not number:
            column = _parsed(column, "number" if kind in NUMBERS else "boolean", model)
        elif not exactly:
            return None
        return _exact(column, kind, model) if exactly else column
    if kind == "datetime" and not pd.api.types.is_datetime64_any_dtype(column.dtype):
        return _parsed(column, "datetime", model)
    return None


def as_text(column: pd.Series) -> pd.Series:
    """Numbers as text, whole ones without a decimal point; what is missing stays so.

    >>> as_text(pd.Series([1.0, 2.5, None])).tolist()[:2]
    ['1', '2.5']
    """
    if pd.api.types.is_bool_dtype(column.dtype) or pd.api.types.is_integer_dtype(column.dtype):
        return column.astype("string").astype(object).where(column.notna(), None)
    texts = [
        None if pd.isna(value) else str(int(value)) if float(value).is_integer() else repr(float(value))
        for value in column
    ]
    return pd.Series(texts, index=column.index, dtype=object, name=column.name)


def _parsed(column: pd.Series, kind: Literal["number", "boolean", "datetime"], model: str) -> pd.Series:
    parsed: pd.Series
    if kind == "boolean":
        parsed = column.astype("string").str.lower().map(BOOLEANS).astype(object)
        lost = parsed.isna() & column.notna()
        parsed = parsed if parsed.isna().any() else parsed.astype(bool)
    else:
        turn = pd.to_numeric if kind == "number" else pd.to_datetime
        values = column.astype(object)
        parsed = turn(values, errors="coerce")
        lost = parsed.isna() & column.notna()
    if lost.any():
        raise BadModel(
            f"The model {model} takes a {kind} in the column {str(column.name)!r}, and the rows hold "
            f"{str(column[lost].iloc[0])!r} there."
        )
    return parsed


def _exact(column: pd.Series, kind: str, model: str) -> pd.Series | None:
    target = np.dtype(NUMBERS.get(kind, np.bool_))
    if column.dtype == target:
        return None
    wanted = column.to_numpy(dtype=np.float64, na_value=np.nan)
    if target.kind == "f":
        return pd.Series(wanted.astype(target), index=column.index, name=column.name)
    bad = ~np.isin(wanted, (0, 1)) if target.kind == "b" else ~(np.isfinite(wanted) & (wanted == np.trunc(wanted)))
    if bad.any():
        takes = "true or false" if target.kind == "b" else "whole numbers"
        raise BadModel(
            f"The model {model} takes {takes} in the column {str(column.name)!r}, and the rows hold "
            f"{wanted[bad][0]:.6g} there.",
            "A baseline made of means is not whole: give baseline rows.",
        )
    return column.astype(target)

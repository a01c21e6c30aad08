"""From names and 0-based indices to columns, and the columns that are neither text nor numbers throughout."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clarify_ops.config.analysis import Column
from clarify_ops.data.table import NUMBER, Table
from clarify_ops.errors import BadData

_ROWS_LOOKED_AT = 1000
_MOSTLY = 0.5
_SHOWN = 40


@dataclass(frozen=True)
class Mixed:
    """A column of numbers but for some text, which is text therefore.

    Attributes:
        name: The column.
        value: The first text in it, or how it begins.
        place: Where that stands.
        numbers: How many rows hold numbers.
        texts: How many do not.
    """

    name: str
    value: str
    place: str
    numbers: int
    texts: int

    def __str__(self) -> str:
        total = self.numbers + self.texts
        return f"The column {self.name!r} is text: {self.value!r} in {self.place} is no number, as {self.numbers} of {total} are."


def resolve(wanted: Column, names: Sequence[str], key: str, shown: str) -> str:
    """The name of a column.

    Args:
        wanted: A name, or an index from 0.
        names: The columns of the dataset that it refers to.
        key: Where the configuration says so.
        shown: How a sentence names the dataset.

    Raises:
        BadData: There is none of that name or index.
    """
    if isinstance(wanted, str):
        if wanted not in names:
            raise BadData.unknown_column(wanted, [" ".join(name.split()) for name in names], key)
        return wanted
    if not 0 <= wanted < len(names):
        raise BadData(f"{key} is {wanted}, and {shown} has {len(names)} columns, 0 to {len(names) - 1}.")
    return names[wanted]


def mixed_columns(table: Table) -> list[Mixed]:
    """The text columns most of whose values are numbers.

    A column is told from evenly spaced rows of it, so that text of millions of rows costs little.
    """
    found: list[Mixed] = []
    for name, column in table.frame.items():
        if not (pd.api.types.is_string_dtype(column.dtype) or column.dtype == object):
            continue
        given = column.dropna()
        if given.empty or _numbers(given.iloc[:: max(1, len(given) // _ROWS_LOOKED_AT)]).mean() <= _MOSTLY:
            continue
        number = _numbers(given)
        if number.all() or not number.any():
            continue
        row = int(given.index[np.flatnonzero(~number)[0]])
        numbers = int(number.sum())
        value = str(column.iloc[row])
        shown = value if len(value) <= _SHOWN else f"{value[:_SHOWN]}..."
        found.append(Mixed(str(name), shown, table.place(row), numbers, len(number) - numbers))
    return found


def _numbers(values: pd.Series) -> NDArray[np.bool_]:
    # As they are written: an integer of hundreds of digits is a number, and no type of pandas holds it.
    return values.astype(str).str.fullmatch(NUMBER).to_numpy(dtype=bool)

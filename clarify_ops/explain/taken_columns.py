"""Columns of the rows that a model leaves out before it answers: no players of any game."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from clarify_ops.explain.playing import explained_features


@dataclass(frozen=True, eq=False)
class Taken:
    """Rows and background with the columns that a model takes.

    Attributes:
        rows: As given, or without the columns that the model leaves out.
        background: Likewise; None where there is none.
        features_to_explain: Names of those that play; None for all.
        ignored: Names of the features asked about that the model leaves out, in the order of the data.
        columns: Names of all columns that were given; None of a matrix, which has none.
    """

    rows: Any
    background: Any
    features_to_explain: Sequence[str] | None
    ignored: tuple[str, ...] = ()
    columns: tuple[str, ...] | None = None


def taken_columns(
    prepare: Callable[[Any], Any], rows: Any, background: Any, features_to_explain: Sequence[str] | None
) -> Taken:
    """Leaves out what the model leaves out.

    Args:
        prepare: From rows to what the model is given; it picks columns by their names.
        rows: (rows, features): a DataFrame, or a matrix, which is left alone.
        background: (baseline rows, features); None where there is none.
        features_to_explain: Names of the features that play; None for all.

    Raises:
        BadData: A feature to explain is unknown.
        BadModel: The rows lack a column that the model takes.
    """
    if not isinstance(rows, pd.DataFrame):
        return Taken(rows, background, features_to_explain)
    names = tuple(str(name) for name in rows.columns)
    asked = [names[place] for place in explained_features(rows, features_to_explain)]
    whole = Taken(rows, background, features_to_explain, columns=names)
    example = rows if len(rows) or not isinstance(background, pd.DataFrame) else background
    prepared = prepare(example.iloc[:1])
    if not isinstance(prepared, pd.DataFrame):
        return whole
    known = {str(name) for name in prepared.columns}
    players = [name for name in asked if name in known]
    if not known < set(names) or not players:
        return whole
    unused = [name for name in rows.columns if str(name) not in known]
    return Taken(
        rows.drop(columns=unused),
        background.drop(columns=unused, errors="ignore") if isinstance(background, pd.DataFrame) else background,
        None if features_to_explain is None else players,
        tuple(name for name in asked if name not in known),
        names,
    )

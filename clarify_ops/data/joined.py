"""Datasets in several parts: the data, facets and predictions in files of their own, joined by position or by a key."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clarify_ops.data.table import Table
from clarify_ops.errors import BadData

Role = Literal["data", "facets", "predictions"]


@dataclass(frozen=True)
class SourceFile:
    """A file that was read.

    Attributes:
        address: Where it is, without secrets.
        digest: `sha256:<hex>` of its bytes as they lie there.
        rows: How many it has, before any join.
        role: What it holds: the data, facets or predictions.
    """

    address: str
    digest: str
    rows: int
    role: Role


@dataclass(frozen=True)
class Part:
    """One of the datasets that a configuration names.

    Attributes:
        role: What it holds.
        table: Its rows.
        files: Where they came from.
    """

    role: Role
    table: Table
    files: tuple[SourceFile, ...]

    @property
    def shown(self) -> str:
        """How a sentence names it."""
        more = len(self.files) - 1
        return self.files[0].address if not more else f"{self.files[0].address} and {more} more"

    @property
    def names(self) -> list[str]:
        """Its columns."""
        return list(self.table.frame.columns)


@dataclass(frozen=True)
class Joined:
    """All parts side by side.

    Attributes:
        frame: (rows, columns), those of the first part first; a column that parts share stands once.
        notes: What the join left out.
    """

    frame: pd.DataFrame
    notes: tuple[str, ...]


def join(parts: Sequence[Part], keys: Sequence[str] | None) -> Joined:
    """Puts the parts side by side.

    Args:
        parts: The data first.
        keys: For each part the name of its key column, for an inner join in the order of the data; None joins by position.

    Raises:
        BadData: Parts of different length, or in several files, without a key; a key that stands twice; no key in common;
            a column of which two parts say different things.
    """
    if len(parts) == 1:
        return Joined(parts[0].table.frame, ())
    notes: list[str] = []
    if keys is None:
        _refuse_other_lengths(parts)
        frames = [part.table.frame for part in parts]
    else:
        parts = [_renamed(part, key, keys[0]) for part, key in zip(parts, keys, strict=True)]
        frames, notes = _matched(parts, keys[0])
    whole = frames[0]
    for part, frame in zip(parts[1:], frames[1:], strict=True):
        shared = [name for name in frame.columns if name in whole.columns]
        for name in shared:
            if not _same(whole[name], frame[name]):
                raise BadData(
                    f"The column {name!r} stands in {parts[0].shown} and in {part.shown}, with other values.",
                    "Leave it out of one, or name one of them otherwise.",
                )
        whole = pd.concat([whole, frame.drop(columns=shared)], axis="columns")
    return Joined(whole, tuple(notes))


def _refuse_other_lengths(parts: Sequence[Part]) -> None:
    several = next((part for part in parts if len(part.files) > 1), None)
    if several is not None:
        raise BadData(
            f"The {several.role} are in {len(several.files)} files, so that rows cannot be matched by their position "
            "with those of another dataset.",
            "Set joinsource_name_or_index to a column that identifies a row in each.",
        )
    first = parts[0]
    for part in parts[1:]:
        if len(part.table.frame) != len(first.table.frame):
            raise BadData(
                f"{first.shown} has {len(first.table.frame)} rows and {part.shown} has {len(part.table.frame)}, "
                "and they are joined by position.",
                "Give both the same rows, or set joinsource_name_or_index.",
            )


def _renamed(part: Part, key: str, wanted: str) -> Part:
    if key == wanted:
        return part
    frame = part.table.frame.rename(columns={key: wanted})
    return replace(part, table=replace(part.table, frame=frame))


def _matched(parts: Sequence[Part], key: str) -> tuple[list[pd.DataFrame], list[str]]:
    first = parts[0]
    for part in parts:
        _refuse_repeated(part, key)
    sought = first.table.frame[key]
    present = np.ones(len(sought), dtype=bool)
    places: list[NDArray[np.intp]] = []
    notes: list[str] = []
    for part in parts[1:]:
        _refuse_other_types(first, part, key)
        found = _partners(sought, part.table.frame[key])
        places.append(found)
        present &= found >= 0
        total, others = len(sought), len(part.table.frame)
        lost = total - int((found >= 0).sum())
        spare = others - (total - lost)
        if lost:
            notes.append(f"{lost} of {total} rows of {first.shown} have no row of {part.shown} with their {key!r}.")
        if spare:
            notes.append(f"{spare} of {others} rows of {part.shown} have no row of {first.shown} with their {key!r}.")
    if not present.any():
        raise BadData(f"No {key!r} stands in all of {', '.join(part.shown for part in parts)}.", "Check the join key.")
    if not present.all():
        notes.append(f"The join leaves {int(present.sum())} of {len(sought)} rows.")
    frames = [first.table.frame[present].reset_index(drop=True)]
    for part, found in zip(parts[1:], places, strict=True):
        frames.append(part.table.frame.take(found[present]).reset_index(drop=True))
    return frames, notes


def _partners(sought: pd.Series, others: pd.Series) -> NDArray[np.intp]:
    """For each key the row of the others that has it, -1 where none does; a missing key has no partner."""
    rows = np.flatnonzero(others.notna())
    found = pd.Index(others.iloc[rows]).get_indexer(pd.Index(sought))
    # What is not found, -1, reads the one that is added at the end.
    partners: NDArray[np.intp] = np.append(rows, -1)[found]
    return partners


def _refuse_repeated(part: Part, key: str) -> None:
    values = part.table.frame[key]
    again = values.duplicated() & values.notna()
    if again.any():
        second = int(np.flatnonzero(again)[0])
        first = int(np.flatnonzero((values == values.iloc[second]).to_numpy(dtype=bool, na_value=False))[0])
        raise BadData(
            f"The join key {key!r} has the value {_plain(values.iloc[second])!r} twice: "
            f"in {part.table.place(first)} and in {part.table.place(second)}.",
            "A key identifies one row.",
        )


def _refuse_other_types(one: Part, other: Part, key: str) -> None:
    numbers = [pd.api.types.is_numeric_dtype(part.table.frame[key].dtype) for part in (one, other)]
    if numbers[0] != numbers[1]:
        words = ["numbers" if number else "text" for number in numbers]
        raise BadData(
            f"The join key {key!r} holds {words[0]} in {one.shown} and {words[1]} in {other.shown}.",
            "Write it alike in both.",
        )


def _same(one: pd.Series, other: pd.Series) -> bool:
    try:
        equal = (one.reset_index(drop=True) == other.reset_index(drop=True)) | (
            one.isna().to_numpy() & other.isna().to_numpy()
        )
    except (TypeError, ValueError):
        # Categories of two kinds cannot even be compared.
        return False
    return bool(equal.all())


def _plain(value: object) -> object:
    return value.item() if isinstance(value, np.generic) else value

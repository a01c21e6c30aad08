"""A model asked about rows of which some cells are forced to other values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar, cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas.api.extensions import ExtensionArray

from clarify_ops.errors import BadData, BadModel
from clarify_ops.explain.game import BATCH_ROWS, Bools, Floats, Positions, Predict, checked_outputs
from clarify_ops.explain.hybrids import Hybrids

Column = NDArray[Any] | ExtensionArray
Item = TypeVar("Item")

HELD_ROWS = 4_000_000
"""Most forced rows whose outputs are held at a time, so that memory does not grow with the number of changes."""


@dataclass(frozen=True, eq=False)
class Change:
    """What is forced in every row.

    Attributes:
        sources: By position of a feature, (rows,) or (1,) positions of the cells that stand in: among the points given for
            the feature, or among the rows where none are given.
    """

    sources: Mapping[int, Positions]


class ForcedModel:
    """Outputs of a model for all rows under each of many changes.

    All changes of one row are asked about next to each other: neighbours then differ in a cell or two, so that a model of
    trees takes nearly the same branches again, which a processor foresees.

    Args:
        predict: The model.
        rows: (rows, features).
        points: By feature, values that its cells may be forced to. The column takes a dtype that holds them too, in
            every call of this object, so a feature whose points change its dtype belongs in an object of its own.
        batch_rows: Most rows in one prediction call.

    Attributes:
        calls: Prediction calls made.
        predicted_rows: Rows predicted in them.

    Raises:
        BadData: There are no rows, or no features, or two of one name.
    """

    def __init__(
        self,
        predict: Predict,
        rows: pd.DataFrame,
        points: Mapping[Any, pd.Series[Any]] | None = None,
        *,
        batch_rows: int = BATCH_ROWS,
    ) -> None:
        _check(rows)
        self.names: list[Any] = list(rows.columns)
        self.row_count = len(rows)
        self.calls = 0
        self.predicted_rows = 0
        self._predict = predict
        self._batch_rows = batch_rows
        self._outputs: int | None = None
        given = points or {}
        series = [_joined(rows[name], given.get(name)) for name in self.names]
        self._columns = [
            cast("Column", one.to_numpy() if isinstance(one.dtype, np.dtype) else one.array) for one in series
        ]
        self._offsets = [self.row_count if name in given else 0 for name in self.names]
        self._codes: dict[int, Positions] = {}
        kind = series[0].dtype
        # One matrix instead of columns where all have one dtype: numeric models then get it without a copy.
        self._matrix = (
            np.column_stack([cast("NDArray[Any]", one)[: self.row_count] for one in self._columns])
            if isinstance(kind, np.dtype) and kind.kind in "biuf" and all(one.dtype == kind for one in series)
            else None
        )

    def unforced(self) -> Floats:
        """(rows, outputs): the model on the rows as they are."""
        found: Floats = self.outputs([Change({})])[0]
        return found

    def outputs(self, changes: Sequence[Change], known: Floats | None = None) -> Floats:
        """The model on all rows, under each change.

        Args:
            changes: At least one.
            known: (rows, outputs) of the rows as they are: a row that a change leaves as it is then keeps these and is not
                predicted again. None to predict every row under every change.

        Returns:
            (changes, rows, outputs).

        Raises:
            BadModel: The outputs are not finite numbers of one shape.
        """
        found = None if known is None else np.repeat(known[None], len(changes), axis=0)
        for first in range(0, len(changes), self._batch_rows):
            some = changes[first : first + self._batch_rows]
            step = self._batch_rows // len(some)
            for start in range(0, self.row_count, step):
                block = slice(start, min(self.row_count, start + step))
                asked = None if known is None else np.column_stack([self._changed(one, block) for one in some])
                if asked is not None and not asked.any():
                    continue
                answers = self._call(self._frame(some, block, asked))
                if found is None:
                    found = np.empty((len(changes), self.row_count, answers.shape[1]))
                into = found[first : first + len(some), block].swapaxes(0, 1)
                if asked is None:
                    into[:] = answers.reshape(into.shape)
                else:
                    into[asked] = answers
        return cast("Floats", found)

    def _changed(self, change: Change, block: slice) -> Bools:
        """(block,) True where some forced cell differs; missing equals missing."""
        changed = np.zeros(block.stop - block.start, dtype=np.bool_)
        for feature, sources in change.sources.items():
            if feature not in self._codes:
                self._codes[feature] = pd.factorize(cast("Any", self._columns[feature]))[0]
            codes = self._codes[feature]
            changed |= codes[block] != codes[_within(sources, block) + self._offsets[feature]]
        return changed

    def _frame(self, changes: Sequence[Change], block: slice, asked: Bools | None) -> pd.DataFrame:
        """The forced rows of a block that are asked about, all changes of a row next to each other."""
        rows, kept = block.stop - block.start, None if asked is None else asked.ravel()
        if self._matrix is not None:
            cells = np.repeat(self._matrix[block], len(changes), axis=0).reshape(rows, len(changes), -1)
            for place, change in enumerate(changes):
                for feature, sources in change.sources.items():
                    column = cast("NDArray[Any]", self._columns[feature])
                    cells[:, place, feature] = column[_within(sources, block) + self._offsets[feature]]
            flat = cells.reshape(rows * len(changes), -1)
            return pd.DataFrame(flat if kept is None else flat[kept], columns=self.names, copy=False)
        columns: dict[Any, Any] = {}
        own = np.repeat(np.arange(block.start, block.stop), len(changes))
        for feature, name in enumerate(self.names):
            positions = own.reshape(rows, len(changes))
            touching = [place for place, change in enumerate(changes) if feature in change.sources]
            if touching:
                positions = positions.copy()
            for place in touching:
                sources = changes[place].sources[feature]
                positions[:, place] = _within(sources, block) + self._offsets[feature]
            flat_positions = positions.ravel() if kept is None else positions.ravel()[kept]
            cells_of_one = self._columns[feature].take(flat_positions)
            # pandas guesses the dtype of bare objects, text for instance; a Series keeps it.
            columns[name] = pd.Series(cells_of_one, dtype=object) if cells_of_one.dtype == object else cells_of_one
        return pd.DataFrame(columns, copy=False)

    def _call(self, frame: pd.DataFrame) -> Floats:
        outputs = checked_outputs(self._predict(frame), len(frame))
        if self._outputs not in (None, outputs.shape[1]):
            raise BadModel(f"The model gave {self._outputs} outputs for one row and {outputs.shape[1]} for another.")
        self._outputs = outputs.shape[1]
        self.calls += 1
        self.predicted_rows += len(frame)
        return outputs


def in_groups(items: Sequence[Item], rows: int) -> Iterator[Sequence[Item]]:
    """Changes, or what they are made of, a few at a time: as many as outputs may be held for."""
    step = max(1, HELD_ROWS // max(1, rows))
    for start in range(0, len(items), step):
        yield items[start : start + step]


def keeps_dtype(column: pd.Series[Any], points: pd.Series[Any]) -> bool:
    """Whether a column can be forced to points without becoming one of another dtype."""
    return bool(_joined(column, points).dtype == column.dtype)


def _within(sources: Positions, block: slice) -> Positions:
    return sources if len(sources) == 1 else sources[block]


def _joined(column: pd.Series[Any], points: pd.Series[Any] | None) -> pd.Series[Any]:
    """The cells of a column and then the points, in the points' dtype wherever that holds the cells too."""
    if points is None:
        return column
    name = str(column.name)
    both = Hybrids(pd.DataFrame({name: points}), pd.DataFrame({name: column}))
    cells, forced = both.background(0, len(column))[name], both.rows(0, len(points))[name]
    return pd.concat([cells, forced], ignore_index=True)


def _check(rows: pd.DataFrame) -> None:
    if not len(rows.columns):
        raise BadData("The rows to explain have no columns.")
    if not len(rows):
        raise BadData("There are no rows to explain.")
    twice = rows.columns[rows.columns.duplicated()]
    if len(twice):
        raise BadData(f"The rows to explain have two columns named {twice[0]!r}.")

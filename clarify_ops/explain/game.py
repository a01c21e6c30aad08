"""The masked model: what a model says of a row of which only some features are known."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clarify_ops.errors import BadModel
from clarify_ops.explain.hybrids import Coalitions, Hybrids, Mixed, Pairs

Predict = Callable[[pd.DataFrame], NDArray[np.float64]]
"""A model: feature rows -> (rows, outputs) or (rows,)."""

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Positions = NDArray[np.intp]

BATCH_ROWS = 100_000

BATCH_CELLS = 2**23
"""Cells in one prediction call at most, 64 MB of doubles: wide rows go in smaller batches."""


@dataclass(frozen=True, eq=False)
class Task:
    """Coalitions to be valued for every row of a set of rows.

    Attributes:
        rows: (rows,) positions among the explained rows.
        present: (coalitions, features) True where a feature takes the explained row's value.
    """

    rows: Positions
    present: Bools


AnyTask = TypeVar("AnyTask", bound=Task)


@dataclass
class _Filling:
    """The values of some rows of a task, while predictions fill them."""

    task: Task
    rows: Positions
    coalitions: Coalitions
    values: list[Floats]

    @property
    def pairs(self) -> int:
        return len(self.rows) * len(self.coalitions)


class MaskedModel:
    r"""The game that Shapley values share out: v(S) = the mean of the model over the background, S held at the row.

    .. math:: v_x(S) = \frac{1}{B} \sum_{b=1}^{B} f(x_S, z^{(b)}_{\bar S})

    Hybrid rows of many explained rows, coalitions and background rows are predicted in one call. No number depends on
    how they fall into calls, as far as the model itself is consistent.

    Args:
        predict: The model.
        rows: The explained rows.
        background: The baseline rows, same columns.
        batch_rows: Most rows in one prediction call; every call is as full as that, but for the last ones and where
            rows are so wide that it would hold more than BATCH_CELLS.
        on_call: Told the total of rows predicted so far, after each call.

    Attributes:
        calls: Prediction calls made.
        predicted_rows: Rows predicted in them.

    Source: Lundberg and Lee (2017), arXiv:1705.07874; the background average is the interventional form of Janzing et
    al. (2020), arXiv:1910.13413.
    """

    def __init__(
        self,
        predict: Predict,
        rows: pd.DataFrame,
        background: pd.DataFrame,
        *,
        batch_rows: int = BATCH_ROWS,
        on_call: Callable[[int], None] | None = None,
    ) -> None:
        if batch_rows < 1:
            raise ValueError("batch_rows must be at least 1")
        self.hybrids = Hybrids(rows, background)
        self.calls = 0
        self.predicted_rows = 0
        self._predict = predict
        self._batch_rows = min(batch_rows, max(1, BATCH_CELLS // self.hybrids.feature_count))
        self._on_call = on_call
        self._outputs: int | None = None

    def predict_rows(self) -> Floats:
        """(rows, outputs): the model on the explained rows themselves."""
        return self._in_batches(self.hybrids.rows, self.hybrids.row_count)

    def predict_background(self) -> Floats:
        """(background rows, outputs): the model on the background rows."""
        return self._in_batches(self.hybrids.background, self.hybrids.background_count)

    def expected(self) -> Floats:
        """(outputs,): the value of the empty coalition, the mean over the background."""
        return mean_in_order(self.predict_background())

    def evaluate(self, tasks: Iterable[AnyTask]) -> Iterator[tuple[AnyTask, Positions, Floats]]:
        """Values of coalitions, as they become known.

        Tasks are taken one at a time, so they may be made lazily; calls are filled across tasks, and a task of many
        rows comes back in pieces, so memory follows `batch_rows` and not the number of rows.

        Yields:
            The task, the positions of the rows that are done, and their values (rows, coalitions, outputs).
        """
        capacity = self._pairs_together()
        waiting: list[tuple[AnyTask, _Filling]] = []
        runs: list[tuple[_Filling, Pairs]] = []
        room = capacity
        for task, filling in _pieces(tasks, capacity):
            start = 0
            waiting.append((task, filling))
            while start < filling.pairs:
                stop = min(filling.pairs, start + room)
                runs.append((filling, Pairs(filling.rows, filling.coalitions, start, stop)))
                room -= stop - start
                start = stop
                if room == 0:
                    self._fill(runs)
                    runs, room = [], capacity
                    # Only the piece at hand may still be unfinished.
                    done = waiting if start == filling.pairs else waiting[:-1]
                    waiting = waiting[len(done) :]
                    yield from map(self._collected, done)
        self._fill(runs)
        yield from map(self._collected, waiting)

    def _collected(self, waiting: tuple[AnyTask, _Filling]) -> tuple[AnyTask, Positions, Floats]:
        task, filling = waiting
        values = np.concatenate(filling.values) if filling.values else np.empty((0, self._outputs or 0))
        return task, filling.rows, values.reshape(len(filling.rows), len(filling.coalitions), values.shape[1])

    def _pairs_together(self) -> int:
        """Pairs that are asked about together: as many as make full calls, unless those are too many."""
        size, batch = self.hybrids.background_count, self._batch_rows
        full = batch // math.gcd(size, batch)
        together = max(batch, min(BATCH_ROWS, BATCH_CELLS // self.hybrids.feature_count))
        return full if full * size <= together else max(1, together // size)

    def _fill(self, runs: list[tuple[_Filling, Pairs]]) -> None:
        """Asks about the given runs of pairs together."""
        if not runs:
            return
        values = self._values([pairs for _, pairs in runs])
        offset = 0
        for filling, pairs in runs:
            filling.values.append(values[offset : offset + len(pairs)])
            offset += len(pairs)

    def _values(self, runs: list[Pairs]) -> Floats:
        """(pairs, outputs): means over the background, which is taken in slices where it alone is too large."""
        size, pairs = self.hybrids.background_count, sum(map(len, runs))
        step = size if pairs > 1 else max(1, BATCH_ROWS // self._batch_rows) * self._batch_rows
        total: Any = None
        for start in range(0, size, step):
            mixed: Mixed = self.hybrids.mixed(runs, start, min(size, start + step))
            outputs = self._in_batches(mixed.frame, len(mixed))
            total = _added(total, outputs.reshape(-1, pairs, outputs.shape[1]))
        means: Floats = np.divide(total, size, out=total)
        return means

    def _in_batches(self, frame: Callable[[int, int], pd.DataFrame], size: int) -> Floats:
        step = self._batch_rows
        if size == 0:
            return np.empty((0, self._outputs or 0))
        outputs = [self._call(frame(start, min(size, start + step))) for start in range(0, size, step)]
        return outputs[0] if len(outputs) == 1 else np.concatenate(outputs)

    def _call(self, frame: pd.DataFrame) -> Floats:
        outputs = checked_outputs(self._predict(frame), len(frame))
        if self._outputs not in (None, outputs.shape[1]):
            raise BadModel(f"The model gave {self._outputs} outputs for one row and {outputs.shape[1]} for another.")
        self._outputs = outputs.shape[1]
        self.calls += 1
        self.predicted_rows += len(frame)
        if self._on_call is not None:
            self._on_call(self.predicted_rows)
        return outputs


def checked_outputs(raw: object, rows: int) -> Floats:
    """What a model returned, as (rows, outputs) of finite doubles.

    Raises:
        BadModel: It is not numeric, of another shape, or not finite.
    """
    try:
        outputs = np.asarray(raw, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise BadModel("The model's outputs are not numbers.", "Explain its probabilities or scores.") from error
    if outputs.ndim == 1:
        outputs = outputs[:, None]
    if outputs.ndim != 2 or len(outputs) != rows or outputs.shape[1] == 0:
        raise BadModel(f"The model gave outputs of shape {outputs.shape} for {rows} rows.")
    if not np.isfinite(outputs).all():
        bad = int((~np.isfinite(outputs).all(axis=1)).sum())
        raise BadModel(f"The model gave outputs that are missing or infinite for {bad} of {rows} rows.")
    return outputs


def mean_in_order(outputs: Floats) -> Floats:
    """The mean over the first axis, of the sum that the masked model takes over its background, to the last digit."""
    mean: Floats = _added(None, outputs.reshape(len(outputs), 1, -1))[0].reshape(outputs.shape[1:]) / len(outputs)
    return mean


def _added(total: Floats | None, outputs: Floats) -> Floats:
    """Sums over the first axis of (rows, pairs, outputs), one row after the other, however many pairs there are.

    numpy's own sum goes another way for one pair than for two, and the way decides the last digits.
    """
    if total is not None:
        outputs = np.concatenate([total[None], outputs])
    if outputs[0].size < 256:
        # The same way, for short rows; it keeps every sum on it.
        return np.asarray(np.add.accumulate(outputs, axis=0)[-1])
    added: Floats = outputs[0].copy()
    for row in outputs[1:]:
        added += row
    return added


def _pieces(tasks: Iterable[AnyTask], capacity: int) -> Iterator[tuple[AnyTask, _Filling]]:
    """Tasks cut into groups of whole rows: about one call's worth each, or a single row."""
    for task in tasks:
        coalitions = Coalitions(task.present)
        step = max(1, capacity // max(1, len(coalitions)))
        for start in range(0, len(task.rows), step):
            yield task, _Filling(task, task.rows[start : start + step], coalitions, [])

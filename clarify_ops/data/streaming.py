"""From files to counts without the rows in memory: what reading them with pandas and counting the frame gives, sooner.

Every rule is asked on distinct values; of the rows only the counts of their combinations are needed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Literal, NotRequired, TypedDict, Unpack

import numpy as np
import pandas as pd

from clarify_ops.config.analysis import AnalysisConfig
from clarify_ops.data.batches import Batches, Unlike, of_frame, of_parquet
from clarify_ops.data.cells import Cells, Codes, Integers, ScoreCodes, ScoreTextCodes, TooMany
from clarify_ops.data.compressed import is_plain
from clarify_ops.data.csv_batches import of_csv
from clarify_ops.data.kinds import Column
from clarify_ops.data.outcomes import above_threshold, coded_outcomes, is_thresholded
from clarify_ops.data.tally import Tally, code_columns, columns_looked_at, tally_frame

__all__ = ["tally_files", "tally_in_blocks"]


class Asked(TypedDict):
    """What is counted of rows; each word as `tally_frame` has it."""

    config: AnalysisConfig
    label: str
    facets: Sequence[str]
    group: str | None
    predicted_label: NotRequired[str | None]
    segments: NotRequired[Sequence[str]]
    intersections: NotRequired[Sequence[tuple[str, ...]]]


def tally_files(
    paths: Sequence[str],
    *,
    format: Literal["csv", "parquet"],  # noqa: A002 - the word of the document
    header_row: bool = True,
    names: Sequence[str] | None = None,
    **asked: Unpack[Asked],
) -> Tally | None:
    """Counts the rows of files as `tally_frame` counts the frame that pandas reads from them.

    Memory does not grow with the rows: batches are counted one after the other.

    Args:
        paths: Local files of one dataset, in order.
        format: Of all of them.
        header_row: Whether the first record of every CSV file is its header.
        names: Names of a CSV file's columns; by default those of the header, or column_0, column_1, ...
        **asked: As for `tally_frame`.

    Returns:
        The same as `tally_frame`; None where that cannot be promised without looking at the rows otherwise: compressed or
        remote files, no rows, unknown columns, files that disagree, records that are cut in doubtful ways, types beside
        text, numbers and truth values, and columns of very many different values.

    Raises:
        BadData: What stops Clarify's whole report, in its words.
    """
    if not paths or not all("://" not in path and is_plain(path) and Path(path).is_file() for path in paths):
        return None

    def opened(columns: Sequence[str]) -> Batches:
        if format == "parquet":
            return of_parquet(paths, columns)
        return of_csv(paths, columns, header_row=header_row, names=names)

    return _tally(opened, _whole(asked))


def tally_in_blocks(frame: pd.DataFrame, **asked: Unpack[Asked]) -> Tally:
    """Counts as `tally_frame` does, and sooner where the columns are text or numbers of few different values.

    Args:
        frame: (rows, columns).
        **asked: As for `tally_frame`.

    Raises:
        BadData: What stops Clarify's whole report, in its words.
    """
    whole = _whole(asked)
    return _tally(lambda columns: of_frame(frame, columns), whole) or tally_frame(frame, **whole)


class _Whole(TypedDict):
    """As `Asked`, with what is asked for by default."""

    config: AnalysisConfig
    label: str
    facets: Sequence[str]
    group: str | None
    predicted_label: str | None
    segments: Sequence[str]
    intersections: Sequence[tuple[str, ...]]


def _whole(asked: Asked) -> _Whole:
    return {"predicted_label": None, "segments": (), "intersections": (), **asked}


def _tally(opened: Callable[[Sequence[str]], Batches], asked: _Whole) -> Tally | None:
    label, predicted_label = asked["label"], asked["predicted_label"]
    others = columns_looked_at(asked["facets"], asked["group"], asked["segments"], asked["intersections"])
    wanted = list(dict.fromkeys([label, *([] if predicted_label is None else [predicted_label]), *others]))
    # A score is needed as such where it is also asked about otherwise.
    score = predicted_label if predicted_label != label and predicted_label not in others else None
    try:
        counted = _Counted.of(opened(wanted), asked["config"], score, ordered=bool(asked["intersections"]))
    except (Unlike, TooMany):
        return None
    return None if counted is None else counted.tally(asked)


class _Counted:
    """Files that were counted: what each column holds, and how often each combination occurs."""

    def __init__(
        self, width: int, series: Mapping[str, pd.Series], codes: Mapping[str, Integers], rows: Integers
    ) -> None:
        self._width = width
        self._series = series
        self._codes = codes
        self._rows = rows

    @classmethod
    def of(cls, batches: Batches, config: AnalysisConfig, score: str | None, *, ordered: bool) -> _Counted | None:
        """Reads batches; None where they have no rows."""
        if score is None or "probability_threshold" not in config.model_fields_set:
            return cls._by({name: Codes() for name in batches.columns}, batches, ordered=ordered)
        cut = ScoreCodes(config.probability_threshold) if batches.columns[score] else Codes()
        coders = {name: cut if name == score else Codes() for name in batches.columns}
        try:
            return cls._by(coders, batches, ordered=ordered)
        except TooMany:
            # Whether text is scores shows when all of it is read; that they are many shows soon.
            if batches.begins_with in {None, score} or not coders[score].full:
                raise
        text = ScoreTextCodes(config.probability_threshold)
        found = cls._by(
            {name: text if name == score else Codes() for name in batches.columns}, batches, ordered=ordered
        )
        if not text.floats:
            raise TooMany
        return found

    @classmethod
    def _by(cls, by_name: Mapping[str, Codes], batches: Batches, *, ordered: bool) -> _Counted | None:
        coders = list(by_name.values())
        cells, any_rows = Cells(len(coders), ordered=ordered), False
        for arrays in batches.read():
            if len(arrays[0]):
                any_rows = True
                codes = [coder.of(array) for coder, array in zip(coders, arrays, strict=True)]
                cells.add(codes, [len(coder.values) for coder in coders])
        if not any_rows:
            return None
        places, rows = cells.counted()
        series = {name: batches.as_pandas(place, coders[place].values) for place, name in enumerate(batches.columns)}
        return cls(batches.width, series, dict(zip(batches.columns, places, strict=True)), rows)

    def column(self, name: str, series: pd.Series | None = None) -> Column:
        """A column of the combinations, or another one made from its values."""
        codes = self._codes[name]
        values = self._series[name] if series is None else series
        return Column.of(values, self._rows_of(name)).take(codes)

    def missing(self, name: str) -> int:
        """Rows without a value."""
        return int(self._rows_of(name)[self._series[name].isna().to_numpy(dtype=bool)].sum())

    def tally(self, asked: _Whole) -> Tally:
        """Asks the rules."""
        config, label, predicted_label = asked["config"], asked["label"], asked["predicted_label"]
        missing, predicted, thresholded = {label: self.missing(label)}, None, False
        if predicted_label is not None:
            missing[predicted_label] = self.missing(predicted_label)
            scores = self._series[predicted_label]
            thresholded = is_thresholded(config, scores.dtype)
            cut = above_threshold(scores, config.probability_threshold) if thresholded else None
            predicted = self.column(predicted_label, cut)
        outcomes = coded_outcomes(config, self.column(label), predicted, missing=missing, thresholded=thresholded)
        looked_at = columns_looked_at(asked["facets"], asked["group"], asked["segments"], asked["intersections"])
        return code_columns(
            {name: self.column(name) for name in looked_at},
            config=config,
            facets=asked["facets"],
            group=asked["group"],
            outcomes=outcomes,
            segments=asked["segments"],
            intersections=asked["intersections"],
            width=self._width,
            weights=self._rows,
        ).tally()

    def _rows_of(self, name: str) -> Integers:
        rows = np.bincount(self._codes[name], weights=self._rows, minlength=len(self._series[name]))
        return rows.astype(np.int64)

"""Rows a batch at a time, with the types that all of them together have: for work on more rows than memory holds."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clarify_ops.config.analysis import AnalysisConfig
from clarify_ops.data.batches import Unlike
from clarify_ops.data.csv_batches import quotes_plainly
from clarify_ops.data.kinds import UNIQUENESS_OF_CONTINUOUS, Kind, infer_kind
from clarify_ops.data.layout import AnalysisData
from clarify_ops.data.streamed import LARGE, Layout, layout_of

if TYPE_CHECKING:
    import pyarrow as pa

Read = Callable[[int], Iterator[pd.DataFrame]]
Progress = Callable[[str], None]

SAMPLE_ROWS = 10_000
_TOGETHER = 100_000
_EMPTY = "nothing"
_INDEX = re.compile(r"__index_level_\d+__")


@dataclass(frozen=True)
class RowBatches:
    """The rows of a dataset, as often as they are asked for.

    Attributes:
        rows: How many there are.
        read: From the most rows of a batch to the batches in order; their index goes on from 0.
        data: The layout of the dataset. Its frame holds all rows, or, where these are read from files, the first of them.
        whole: Which of the two.
    """

    rows: int
    read: Read
    data: AnalysisData
    whole: bool = True


def batches_of(data: AnalysisData) -> RowBatches:
    """A dataset in memory, cut into batches."""
    frame = data.frame

    def read(size: int) -> Iterator[pd.DataFrame]:
        for start in range(0, len(frame), size):
            yield frame.iloc[start : start + size]

    return RowBatches(len(frame), read, data)


@dataclass(frozen=True)
class Profile:
    """What work in batches has to know of all rows first.

    Attributes:
        kinds: Of each feature, as Clarify infers it from all rows.
        sample: Rows evenly spaced over the dataset; all of them where these are few.
    """

    kinds: dict[str, Kind]
    sample: pd.DataFrame


def profile(batches: RowBatches, *, sample_rows: int = SAMPLE_ROWS) -> Profile:
    """Looks through a dataset once, unless it is in memory.

    Args:
        batches: The dataset.
        sample_rows: Rows of the sample at most.
    """
    names = list(batches.data.features)
    places = np.unique(np.linspace(0, batches.rows - 1, min(batches.rows, sample_rows)).round().astype(np.intp))
    if batches.whole:
        frame = batches.data.frame
        return Profile({name: infer_kind(frame[name]) for name in names}, frame.iloc[places])
    pieces: list[pd.DataFrame] = []
    distinct = {
        name: np.zeros(0, dtype=np.int64)
        for name, dtype in batches.data.frame[names].dtypes.items()
        if pd.api.types.is_integer_dtype(dtype)
    }
    for batch in batches.read(_TOGETHER):
        start = int(batch.index[0])
        first, last = np.searchsorted(places, [start, start + len(batch)])
        pieces.append(batch.iloc[places[first:last] - start])
        for name, known in distinct.items():
            # More do not change what kind it is.
            if len(known) < UNIQUENESS_OF_CONTINUOUS * batches.rows:
                distinct[name] = np.union1d(known, batch[name].to_numpy())
    sample = pd.concat(pieces)
    return Profile({str(name): _kind_of_all(sample[name], distinct.get(name), batches.rows) for name in names}, sample)


def _kind_of_all(sample: pd.Series, distinct: NDArray[np.int64] | None, rows: int) -> Kind:
    if distinct is None:
        # Only of whole numbers, and of text that looks like them, does the kind depend on how many there are.
        return "categorical" if pd.api.types.is_string_dtype(sample.dtype) else infer_kind(sample)
    return "continuous" if len(distinct) >= UNIQUENESS_OF_CONTINUOUS * rows else "categorical"


def stream_rows(
    config: AnalysisConfig, data: str | Path, *, progress: Progress, large: int = LARGE
) -> RowBatches | None:
    """Opens large local files of one dataset, without holding their rows.

    They are read once to learn the types that all of their rows together have, and once more for every use.

    Args:
        config: The configuration.
        data: A path, folder or pattern.
        progress: Told what is being done.
        large: Bytes from which it is done at all.

    Returns:
        Batches that make up the frame of `read_analysis_data`; None where that cannot be promised: small, remote or compressed
        files, JSON, datasets in several parts, columns of categories or of mixed kinds, records that are cut in doubtful ways.
    """
    found = layout_of(config, data, large)
    if found is None:
        return None
    progress(f"looking through {', '.join(found.addresses)}")
    try:
        opened = (_of_csv if found.format == "csv" else _of_parquet)(found)
    except Unlike:
        return None
    if opened is None:
        return None
    rows, read = opened
    frame = next(read(len(found.sample.frame)))
    return RowBatches(rows, read, replace(found.described(), frame=frame), whole=False)


_Opened = tuple[int, Read]


def _of_csv(found: Layout) -> _Opened | None:
    names = [str(name) for name in found.sample.frame.columns]
    starts = found.starts
    for path in found.paths:
        quotes_plainly(str(path))

    def chunks(size: int, types: dict[str, Any] | None) -> Iterator[pd.DataFrame]:
        for path, start in zip(found.paths, starts, strict=True):
            if start == path.stat().st_size:
                continue
            with path.open("rb") as file, warnings.catch_warnings():
                warnings.simplefilter("error", pd.errors.ParserWarning)
                file.seek(start)
                try:
                    with pd.read_csv(
                        file, header=None, names=names, index_col=False, low_memory=False, chunksize=size, dtype=types
                    ) as reader:
                        yield from reader
                except (ValueError, OverflowError, pd.errors.ParserWarning) as error:
                    raise Unlike from error

    kinds: dict[str, set[str]] = {name: set() for name in names}
    rows = 0
    for chunk in chunks(_TOGETHER, None):
        rows += len(chunk)
        for name in names:
            kinds[name].add(_kind(chunk[name]))
        # A record that is cut short ends in missing values, and looks like one that has them.
        if chunk[names[-1]].isna().any():
            return None
    if rows == 0:
        return None
    types = {name: _common(one) for name, one in kinds.items()}

    def read(size: int) -> Iterator[pd.DataFrame]:
        done = 0
        for chunk in chunks(size, types):
            yield chunk.set_axis(pd.RangeIndex(done, done + len(chunk)))
            done += len(chunk)

    return rows, read


def _kind(column: pd.Series) -> str:
    if column.isna().all():
        return _EMPTY
    if pd.api.types.is_bool_dtype(column.dtype) or column.dtype in {np.dtype(np.int64), np.dtype(np.float64)}:
        return str(column.dtype)
    if pd.api.types.infer_dtype(column, skipna=True) == "string":
        return "str"
    raise Unlike


def _common(kinds: set[str]) -> Any:
    """The type that pandas gives to a column whose parts alone would have these.

    Raises:
        Unlike: That depends on more than their types.
    """
    if len(kinds) == 1 and kinds <= {"bool", "int64", "str"}:
        return next(iter(kinds))
    if kinds == {"str", _EMPTY}:
        return "str"
    if kinds <= {"int64", "float64", _EMPTY}:
        return "float64"
    # Text beside numbers is text, and worth a note.
    raise Unlike


def _of_parquet(found: Layout) -> _Opened | None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        schemas = [pq.read_schema(path) for path in found.paths]
        counts = [pq.read_metadata(path).num_rows for path in found.paths]
    except (pa.ArrowException, OSError) as error:
        raise Unlike from error
    # An index that pandas stored is no column; one with a name is worth a note, which reading the files whole makes.
    columns = [name for name in schemas[0].names if not _INDEX.fullmatch(name)]
    first = pa.schema([schemas[0].field(name) for name in columns])
    plain = all(_is_plain(one) for one in first.types)
    if not plain or any(not one.remove_metadata().equals(schemas[0].remove_metadata()) for one in schemas):
        raise Unlike
    gaps = _gaps(found.paths, first)
    # What pandas noted about its own types and index stands in the metadata, which a sample has followed.
    told = {str(name): kind for name, kind in found.sample.frame.dtypes.items()}
    empty = first.empty_table().to_pandas()
    if list(empty.columns) != list(told) or any(empty.dtypes[name] != told[name] for name in told if name not in gaps):
        raise Unlike

    def read(size: int) -> Iterator[pd.DataFrame]:
        done = 0
        for path in found.paths:
            with pq.ParquetFile(path, pre_buffer=False) as file:
                for batch in file.iter_batches(batch_size=size, columns=columns, use_threads=False):
                    frame = pa.Table.from_batches([batch]).replace_schema_metadata(None).to_pandas()
                    for name in gaps:
                        frame[name] = frame[name].astype(np.float64)
                    yield frame.set_axis(pd.RangeIndex(done, done + len(frame)))
                    done += len(frame)

    if sum(counts) == 0:
        return None
    return sum(counts), read


def _is_plain(kind: pa.DataType) -> bool:
    import pyarrow as pa

    texts = pa.types.is_string(kind) or pa.types.is_large_string(kind)
    return bool(texts or pa.types.is_integer(kind) or pa.types.is_boolean(kind) or kind in {pa.float32(), pa.float64()})


def _gaps(paths: Sequence[Path], schema: pa.Schema) -> list[str]:
    """Columns of whole numbers of which some are missing: as floats they have room for it, in every batch.

    Raises:
        Unlike: Truth values are missing, which makes objects of them.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    gaps: set[str] = set()
    for field in schema:
        if not (pa.types.is_integer(field.type) or pa.types.is_boolean(field.type)):
            continue
        for path in paths:
            with pq.ParquetFile(path, pre_buffer=False) as file:
                batches = file.iter_batches(columns=[field.name], use_threads=False)
                if any(batch.column(0).null_count for batch in batches):
                    gaps.add(field.name)
                    break
    if any(pa.types.is_boolean(schema.field(name).type) for name in gaps):
        raise Unlike
    return sorted(gaps)

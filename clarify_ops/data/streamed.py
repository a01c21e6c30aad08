"""Large files, counted without holding their rows: the layout is read off a sample, the counts off all rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import pandas as pd

from clarify_ops.config.analysis import AnalysisConfig
from clarify_ops.data.compressed import is_plain
from clarify_ops.data.csv_header import Headers, find_body
from clarify_ops.data.csv_table import read_csv
from clarify_ops.data.files import Content, find_files, local_path
from clarify_ops.data.layout import AnalysisData, names_used, read_analysis_data, threshold_columns
from clarify_ops.data.streaming import tally_files
from clarify_ops.data.tally import Tally
from clarify_ops.documents import digest, digest_file
from clarify_ops.errors import BadData

LARGE = 128 * 2**20
"""Bytes from which files are streamed: below, reading them whole takes a second, and every question can be asked."""

_SAMPLE_BYTES = 2**20
_SAMPLE_ROWS = 1000
_FORMATS: dict[str, Literal["csv", "parquet"]] = {"text/csv": "csv", "application/x-parquet": "parquet"}
_MARK = b"\xef\xbb\xbf"


@dataclass(frozen=True)
class Streamed:
    """Files that were counted.

    Attributes:
        data: Their layout; its frame holds some of the rows, for the names and types of the columns alone.
        tally: The counts of all rows.
    """

    data: AnalysisData
    tally: Tally


def stream_analysis_data(
    config: AnalysisConfig, data: str | Path, *, predictions: bool, progress: Callable[[str], None], large: int = LARGE
) -> Streamed | None:
    """Counts large local files of one dataset.

    Args:
        config: The configuration.
        data: A path, folder or pattern.
        predictions: Whether predicted labels are counted too.
        progress: Told what is being done.
        large: Bytes from which it is done at all.

    Returns:
        What reading and counting the rows would give, or None where that needs the rows: small, remote or compressed files,
        datasets in several parts, continuous labels, columns that hold text where a threshold needs numbers.

    Raises:
        BadData: What stops Clarify's whole report.
    """
    found = layout_of(config, data, large)
    if found is None or found.sample.label is None:
        return None
    sample = found.sample
    progress(f"counting {', '.join(found.addresses)}")
    tally = tally_files(
        [str(path) for path in found.paths],
        format=found.format,
        config=config,
        label=found.sample.label,
        predicted_label=sample.predicted_label if predictions else None,
        header_row=any(found.starts),
        names=None if found.format == "parquet" else [str(name) for name in sample.frame.columns],
        **sample.asked_about(),
    )
    if tally is None or not _is_whole(config, sample, tally):
        return None
    return Streamed(found.described(), tally)


@dataclass(frozen=True)
class Layout:
    """Large files of one dataset, as a look at their beginnings shows them.

    Attributes:
        sample: The layout; its frame holds the first rows.
        format: Of all files.
        paths: Of the files, in order.
        addresses: As people name them.
        starts: The byte at which the rows of each file begin, beyond what marks it as text; 0 in Parquet files.
        notes: About what was found beside them.
    """

    sample: AnalysisData
    format: Literal["csv", "parquet"]
    paths: tuple[Path, ...]
    addresses: tuple[str, ...]
    starts: tuple[int, ...]
    notes: tuple[str, ...]

    def described(self) -> AnalysisData:
        """The sample as what stands for all rows: with the digests of the files."""
        files = tuple(
            replace(self.sample.files[0], address=address, digest=digest_file(path), rows=0)
            for address, path in zip(self.addresses, self.paths, strict=True)
        )
        whole = digest([[file.role, file.digest] for file in files])
        return replace(self.sample, files=files, digest=whole, notes=(*self.notes, *self.sample.notes))


def layout_of(config: AnalysisConfig, data: str | Path, large: int) -> Layout | None:
    """The layout of local, uncompressed CSV or Parquet files of one dataset; None of others, and of small ones.

    Args:
        config: The configuration.
        data: A path, folder or pattern.
        large: Bytes that they have together at least.
    """
    format_ = _FORMATS.get(config.dataset_type)
    several = (config.facet_dataset_uri, config.predicted_label_dataset_uri, config.joinsource_name_or_index)
    if format_ is None or any(one is not None for one in several) or "://" in str(data):
        return None
    found = find_files(str(data))
    paths = tuple(local_path(file.address) for file in found.files)
    if not all(path.is_file() and is_plain(str(path)) for path in paths):
        return None
    if sum(path.stat().st_size for path in paths) < large:
        return None
    try:
        sampled = _sampled(config, paths, format_)
    except (BadData, OSError):
        # What is wrong, if anything is, is said of the whole file and not of its beginning.
        return None
    if sampled is None:
        return None
    addresses = tuple(file.address for file in found.files)
    return Layout(sampled[0], format_, paths, addresses, sampled[1], found.notes)


def _sampled(
    config: AnalysisConfig, paths: Sequence[Path], format_: str
) -> tuple[AnalysisData, tuple[int, ...]] | None:
    """The layout of the files, and where the rows of each begin; None where they do not agree on their header."""
    # The sample has its names; that the files fit the headers is seen when they are counted.
    unnamed = config.model_copy(update={"headers": None})
    if format_ == "parquet":
        import pyarrow.parquet as pq

        batch = next(pq.ParquetFile(paths[0]).iter_batches(batch_size=_SAMPLE_ROWS), None)
        if batch is None:
            return None
        return read_analysis_data(unnamed, batch.to_pandas()), (0,) * len(paths)
    contents = [Content(str(path), "", _beginning(path)) for path in paths]
    headers = None if config.headers is None else Headers(config.headers)
    named = frozenset(names_used(config))
    bodies = [find_body(one, headers, "told", named) for one in contents]
    starts = tuple(body.start if body.start > len(_MARK) else 0 for body in bodies)
    if len({start > 0 for start in starts}) != 1 or len({body.names for body in bodies}) != 1:
        return None
    frame = read_csv(contents[:1], headers, named=named).frame
    return read_analysis_data(unnamed, frame), starts


def _beginning(path: Path) -> bytes:
    with path.open("rb") as stream:
        content = stream.read(_SAMPLE_BYTES)
    return content[: content.rfind(b"\n") + 1]


def has_numbers(tally: Tally, data: AnalysisData) -> bool:
    """Whether the label or the predicted label is a number, whose means and quantiles are told beside the metrics."""
    asked = (tally.label, data.predicted_label or "")
    return any(tally.kinds[name].kind == "continuous" for name in asked if name in tally.kinds)


def _is_whole(config: AnalysisConfig, sample: AnalysisData, tally: Tally) -> bool:
    """Whether nothing has to be asked of the rows that the counts do not tell."""
    if has_numbers(tally, sample):
        return False
    split = threshold_columns(config, sample)
    return all(
        pd.api.types.is_numeric_dtype(tally.kinds[name].type)
        for name in split
        if name is not None and name in tally.kinds
    )

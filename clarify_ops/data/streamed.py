"""Large files, counted without holding their rows: the layout is read off a sample, the counts off all rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

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
_FORMATS = {"text/csv": "csv", "application/x-parquet": "parquet"}


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
    format_ = _FORMATS.get(config.dataset_type)
    several = (config.facet_dataset_uri, config.predicted_label_dataset_uri, config.joinsource_name_or_index)
    if format_ is None or any(one is not None for one in several) or "://" in str(data):
        return None
    found = find_files(str(data))
    paths = [local_path(file.address) for file in found.files]
    if not all(path.is_file() and is_plain(str(path)) for path in paths):
        return None
    if sum(path.stat().st_size for path in paths) < large:
        return None
    try:
        sample, header_row = _sampled(config, paths, format_)
    except (BadData, OSError):
        # What is wrong, if anything is, is said of the whole file and not of its beginning.
        return None
    if sample is None or sample.label is None:
        return None
    progress(f"counting {', '.join(file.address for file in found.files)}")
    tally = tally_files(
        [str(path) for path in paths],
        format="csv" if format_ == "csv" else "parquet",
        config=config,
        label=sample.label,
        facets=sample.facets,
        group=sample.group,
        predicted_label=sample.predicted_label if predictions else None,
        header_row=header_row,
        names=None if format_ == "parquet" else [str(name) for name in sample.frame.columns],
        segments=sample.segments,
        intersections=sample.intersections,
    )
    if tally is None or not _is_whole(config, sample, tally):
        return None
    files = tuple(
        replace(sample.files[0], address=file.address, digest=digest_file(path), rows=0)
        for file, path in zip(found.files, paths, strict=True)
    )
    whole = digest([[file.role, file.digest] for file in files])
    return Streamed(replace(sample, files=files, digest=whole, notes=(*found.notes, *sample.notes)), tally)


def _sampled(config: AnalysisConfig, paths: list[Path], format_: str) -> tuple[AnalysisData | None, bool]:
    """The layout of the files, and whether each begins with a header; None where they do not agree on that."""
    # The sample has its names; that the files fit the headers is seen when they are counted.
    unnamed = config.model_copy(update={"headers": None})
    if format_ == "parquet":
        import pyarrow.parquet as pq

        batch = next(pq.ParquetFile(paths[0]).iter_batches(batch_size=_SAMPLE_ROWS))
        return read_analysis_data(unnamed, batch.to_pandas()), False
    contents = [Content(str(path), "", _beginning(path)) for path in paths]
    headers = None if config.headers is None else Headers(config.headers)
    named = frozenset(names_used(config))
    bodies = [find_body(one, headers, "told", named) for one in contents]
    header_rows = {body.start > len(b"\xef\xbb\xbf") for body in bodies}
    if len(header_rows) != 1 or len({body.names for body in bodies}) != 1:
        return None, False
    frame = read_csv(contents[:1], headers, named=named).frame
    return read_analysis_data(unnamed, frame), header_rows.pop()


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

"""What an analysis configuration describes, read from where it lies and joined into one table."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypedDict

import pandas as pd

from clarify_ops.config.analysis import AnalysisConfig, Column, Value
from clarify_ops.data.columns import Mixed, mixed_columns
from clarify_ops.data.csv_header import Headers
from clarify_ops.data.csv_table import read_csv
from clarify_ops.data.files import find_files, read_content
from clarify_ops.data.frame import of_frame, row_digest
from clarify_ops.data.joined import Part, Role, SourceFile, join
from clarify_ops.data.json_table import Expressions, read_json, read_json_lines
from clarify_ops.data.parquet_table import read_parquet
from clarify_ops.data.selection import PREDICTED_LABEL, Selection, named_apart
from clarify_ops.data.table import Table
from clarify_ops.documents import digest
from clarify_ops.errors import BadData, BadDocument, NotSupported

__all__ = ["PREDICTED_LABEL", "AnalysisData", "SourceFile", "read_analysis_data"]

Progress = Callable[[str], None]
_JSON = frozenset({"application/json", "application/jsonlines"})


@dataclass(frozen=True)
class AnalysisData:
    """What a configuration describes, read and joined.

    Attributes:
        frame: (rows, columns), index 0 .. rows - 1: the data whole, and of other datasets what the configuration names.
        label: Name of the observed label's column.
        predicted_label: Name of the predicted label's column.
        facets: Name of each facet's column, in the configuration's order.
        group: Name of the group variable's column.
        segments: Name of each segment's column, in the configuration's order.
        intersections: Names of the columns of each intersection, in the configuration's order.
        features: What a model sees: columns of the data but for label, predicted label, excluded columns and join key.
        join: Name of the column that identifies a row.
        files: What was read, in its order.
        digest: `sha256:<hex>` of the content of all files and their roles.
        notes: Sentences for people: rows that a join left out, files passed over, a header that was not there.
    """

    frame: pd.DataFrame
    label: str | None
    predicted_label: str | None
    facets: tuple[str, ...]
    group: str | None
    segments: tuple[str, ...]
    intersections: tuple[tuple[str, ...], ...]
    features: tuple[str, ...]
    join: str | None
    files: tuple[SourceFile, ...]
    digest: str
    notes: tuple[str, ...]

    def asked_about(self) -> AskedAbout:
        """The columns that bias metrics are split by."""
        return {
            "facets": self.facets,
            "group": self.group,
            "segments": self.segments,
            "intersections": self.intersections,
        }


class AskedAbout(TypedDict):
    """Columns that bias metrics are split by."""

    facets: tuple[str, ...]
    group: str | None
    segments: tuple[str, ...]
    intersections: tuple[tuple[str, ...], ...]


def read_analysis_data(
    config: AnalysisConfig, data: str | Path | pd.DataFrame | None = None, progress: Progress = lambda _: None
) -> AnalysisData:
    """Reads all datasets that a configuration names, and finds its columns in them.

    Args:
        config: The configuration.
        data: In place of its `dataset_uri`: a path or URI of a file, folder or pattern, or a table, which is taken as it is.
        progress: Told in words about each file and step.

    Raises:
        BadDocument: The configuration contradicts itself.
        BadData: A file is missing, malformed or lacks a column; files do not fit together.
        NotSupported: The dataset's type or layout is valid and not read here.
        Outside: A remote store did not answer.
    """
    _refuse_what_is_not_read(config)
    parts = [_main(config, data, progress)]
    if config.facet_dataset_uri is not None:
        headers = None if config.facet_headers is None else Headers(config.facet_headers, "facet_headers")
        parts.append(_read(config, config.facet_dataset_uri, "facets", headers, progress))
    if config.predicted_label_dataset_uri is not None:
        given = config.predicted_label_headers
        headers = None if given is None else Headers(given, "predicted_label_headers")
        parts.append(_read(config, config.predicted_label_dataset_uri, "predictions", headers, progress))
    meant = Selection(config, parts)
    named = named_apart(parts, meant, config.predicted_label)
    mixed = [one for part in named.parts for one in mixed_columns(part.table)]
    joined = join(named.parts, meant.keys)
    found = AnalysisData(
        frame=joined.frame,
        label=named.called(meant.label),
        predicted_label=named.called(meant.predicted_label),
        facets=named.all_called(meant.facets),
        group=named.called(meant.group),
        segments=named.all_called(meant.segments),
        intersections=tuple(named.all_called(columns) for columns in meant.intersections),
        features=named.all_called(meant.features),
        join=None if meant.keys is None else meant.keys[0],
        files=tuple(file for part in parts for file in part.files),
        digest=digest([[file.role, file.digest] for part in parts for file in part.files]),
        notes=(*(note for part in parts for note in part.table.notes), *named.notes, *map(str, mixed), *joined.notes),
    )
    _refuse_text_for_numbers(config, found, mixed)
    return found


def _refuse_what_is_not_read(config: AnalysisConfig) -> None:
    if config.dataset_type in {"application/x-image", "application/sagemakercapturejson"}:
        raise NotSupported(
            f"The dataset_type {config.dataset_type} is not supported.",
            "Read are text/csv, application/jsonlines, application/json and application/x-parquet.",
        )
    if config.time_series_data_config is not None:
        raise NotSupported("The key time_series_data_config is not supported: time series are no table of rows.")
    for name, uri, headers in (
        ("facet", config.facet_dataset_uri, config.facet_headers),
        ("predicted_label", config.predicted_label_dataset_uri, config.predicted_label_headers),
    ):
        if uri is not None and config.dataset_type != "text/csv":
            raise BadDocument(
                f"The key {name}_dataset_uri goes with the dataset_type text/csv alone, and it is {config.dataset_type}."
            )
        if uri is None and headers is not None:
            raise BadDocument(f"The key {name}_headers stands without {name}_dataset_uri.")


def _main(config: AnalysisConfig, data: str | Path | pd.DataFrame | None, progress: Progress) -> Part:
    if isinstance(data, pd.DataFrame):
        table = of_frame(data, config)
        content = digest([list(table.frame.columns), row_digest(table.frame)])
        return Part("data", table, (SourceFile("the data frame", content, len(table.frame), "data"),))
    uri = config.dataset_uri if data is None else str(data)
    if not uri:
        raise BadDocument("The configuration names no data.", "Set dataset_uri, or give the data.")
    return _read(config, uri, "data", None if config.headers is None else Headers(config.headers), progress)


def _read(config: AnalysisConfig, uri: str, role: Role, headers: Headers | None, progress: Progress) -> Part:
    found = find_files(uri)
    contents = []
    for number, file in enumerate(found.files, start=1):
        progress(f"reading {file.address}" + (f" ({number} of {len(found.files)})" if len(found.files) > 1 else ""))
        contents.append(read_content(file))
    if config.dataset_type == "text/csv":
        table = read_csv(contents, headers, named=frozenset(names_used(config)), progress=progress)
    elif config.dataset_type == "application/x-parquet":
        table = _under(read_parquet(contents, progress), config.headers, contents[0].address)
    else:
        expressions = Expressions.of(config.features, config.label, config.predicted_label)
        read = read_json_lines if config.dataset_type == "application/jsonlines" else read_json
        table = read(contents, expressions, config.headers, progress)
    files = tuple(
        SourceFile(one.address, one.digest, rows, role) for one, rows in zip(contents, table.rows, strict=True)
    )
    return Part(role, replace(table, notes=(*found.notes, *table.notes)), files)


def _under(table: Table, headers: tuple[str, ...] | None, shown: str) -> Table:
    """Parquet names its columns itself; headers that say otherwise are a mistake in one of both."""
    names = list(table.frame.columns)
    if headers is not None and list(headers) != names:
        if len(headers) != len(names):
            raise BadData(f"headers names {len(headers)} columns, and {shown} has {len(names)}.")
        odd = next(place for place, name in enumerate(names) if headers[place] != name)
        raise BadData(
            f"headers differs from the columns of {shown}: column {odd} is {names[odd]!r} there and {headers[odd]!r} in headers.",
            "Leave headers out.",
        )
    return table


def names_used(config: AnalysisConfig) -> Iterator[str]:
    """The columns that a configuration names, where it names them by name."""
    for one in (
        config.label,
        config.predicted_label,
        config.group_variable,
        config.joinsource_name_or_index,
        *_facet_columns(config),
        *(config.excluded_columns or ()),
        *(one.name_or_index for one in config.segment_config or ()),
        *(one for columns in config.clarify_ops.intersections for one in columns),
    ):
        if isinstance(one, str):
            yield one


def _facet_columns(config: AnalysisConfig) -> tuple[Column, ...]:
    return tuple(facet.name_or_index for facet in config.facet or ())


def threshold_columns(config: AnalysisConfig, found: AnalysisData) -> set[str | None]:
    """Columns that are to be split at a threshold, as far as the configuration alone tells."""
    splits: list[tuple[str | None, tuple[Value, ...] | None]] = [
        (found.label, config.label_values_or_threshold),
        *((name, one.value_or_threshold) for name, one in zip(found.facets, config.facet or (), strict=True)),
    ]
    numeric = {name for name, values in splits if values and len(values) == 1 and _is_threshold(values[0])}
    return numeric | {name for name, kind in config.clarify_ops.kinds.items() if kind == "continuous"}


def _refuse_text_for_numbers(config: AnalysisConfig, found: AnalysisData, mixed: list[Mixed]) -> None:
    """Stops where a column is to be split at a threshold and some of its values are text."""
    numeric = threshold_columns(config, found)
    for one in mixed:
        if one.name in numeric:
            raise BadData(
                f"The column {one.name!r} is split at a threshold, and {one.value!r} in {one.place} is no number.",
                "Remove these rows, or leave the cell empty.",
            )


def _is_threshold(value: Value) -> bool:
    # A whole number may as well be a value to equal; text is always one.
    return isinstance(value, float) and not value.is_integer()

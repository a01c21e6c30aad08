"""From a URI to a table, with a digest of the bytes it came from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Literal

import pandas as pd

from clarify_ops.data.compressed import bare_name
from clarify_ops.data.csv_table import read_csv
from clarify_ops.data.files import StoredFile, address, read_content, read_file
from clarify_ops.data.frame import row_digest
from clarify_ops.data.parquet_table import read_parquet
from clarify_ops.errors import BadData

__all__ = ["Dataset", "Format", "address", "read_dataset", "row_digest"]

Format = Literal["csv", "parquet"]
_SUFFIXES: Mapping[str, Format] = {".csv": "csv", ".data": "csv", ".parquet": "parquet", ".pq": "parquet"}


@dataclass(frozen=True)
class Dataset:
    """A table and where it came from.

    Attributes:
        uri: As it was asked for, without secrets: see `address`.
        digest: `sha256:<hex>` of the file's bytes, compressed as they lie there.
        frame: (rows, columns), index 0 .. rows - 1.
    """

    uri: str
    digest: str
    frame: pd.DataFrame

    def require(self, columns: Sequence[str], where: str) -> None:
        """Checks that columns exist.

        Raises:
            BadData: Naming the first that does not, and the nearest that does.
        """
        for column in columns:
            if column not in self.frame.columns:
                raise BadData.unknown_column(column, map(str, self.frame.columns), where)


def read_dataset(
    uri: str,
    *,
    format: Format | None = None,  # noqa: A002 - the word of the document
    missing_values: Mapping[str, Sequence[int | float | str]] | None = None,
) -> Dataset:
    """Reads one file.

    Args:
        uri: A local path, `package://NAME/PATH` (a file inside an installed Python package) or any fsspec URI.
        format: Of the content; by default read from the file's name.
        missing_values: Codes that stand for a missing value, by column.

    Raises:
        BadData: The file is missing, empty or malformed, or has no rows.
        MissingExtra: The URI's driver is not installed.
        Outside: A remote store did not answer.
    """
    shown = address(uri)
    kind = format or _SUFFIXES.get(PurePosixPath(bare_name(uri)).suffix.lower())
    if kind is None:
        raise BadData(f"The format of {shown} cannot be told from its name.", "Set data.format to csv or parquet.")
    content = read_content(StoredFile(shown, lambda: read_file(uri)))
    if not content.data:
        raise BadData(f"The data file {shown} is empty.")
    frame = (read_csv([content], rule="headed") if kind == "csv" else read_parquet([content])).frame
    frame = _with_missing(frame, missing_values or {}, shown)
    return Dataset(uri=shown, digest=content.digest, frame=frame)


def _with_missing(frame: pd.DataFrame, codes: Mapping[str, Sequence[int | float | str]], uri: str) -> pd.DataFrame:
    for column, values in codes.items():
        if column not in frame.columns:
            raise BadData.unknown_column(column, map(str, frame.columns), f"data.missing_values of {uri}")
        frame = frame.assign(**{column: frame[column].mask(frame[column].isin(list(values)))})
    return frame

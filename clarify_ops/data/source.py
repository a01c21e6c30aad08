"""From a URI to a table, with a digest of the bytes it came from."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import warnings
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from clarify_ops.documents import digest_bytes
from clarify_ops.errors import BadData, MissingExtra, Outside, nearest

if TYPE_CHECKING:
    import pandas as pd

Format = Literal["csv", "parquet"]
_SUFFIXES: Mapping[str, Format] = {".csv": "csv", ".data": "csv", ".parquet": "parquet", ".pq": "parquet"}
_COMPRESSIONS: Mapping[str, Callable[[bytes], bytes]] = {
    ".gz": gzip.decompress,
    ".bz2": bz2.decompress,
    ".xz": lzma.decompress,
}
# Drivers of fsspec that come with an extra of ours.
_EXTRAS = {"s3": "s3", "s3a": "s3"}


@dataclass(frozen=True)
class Dataset:
    """A table and where it came from.

    Attributes:
        uri: As it was asked for.
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
    name = uri.split("?", 1)[0]
    decompress = _COMPRESSIONS.get(Path(name).suffix)
    stem = name.removesuffix(Path(name).suffix) if decompress else name
    kind = format or _SUFFIXES.get(Path(stem).suffix.lower())
    if kind is None:
        raise BadData(f"The format of {uri} cannot be told from its name.", "Set data.format to csv or parquet.")
    content = _content(uri)
    if not content:
        raise BadData(f"The data file {uri} is empty.")
    frame = _parse(_decompressed(content, decompress, uri), kind, uri)
    if frame.empty:
        raise BadData(f"The data file {uri} has no rows.")
    frame = _with_missing(frame, missing_values or {}, uri)
    return Dataset(uri=uri, digest=digest_bytes(content), frame=frame)


def row_digest(frame: pd.DataFrame) -> str:
    """`sha256:<hex>` of rows: their positions in the dataset and their content, in order."""
    import pandas as pd

    hashes = pd.util.hash_pandas_object(frame, index=True).to_numpy()
    return digest_bytes(hashes.astype("<u8").tobytes())


def _content(uri: str) -> bytes:
    if uri.startswith("package://"):
        return _package_file(uri)
    if "://" not in uri or uri.startswith("file://"):
        path = Path(uri.removeprefix("file://"))
        try:
            return path.read_bytes()
        except FileNotFoundError as error:
            siblings = [one.name for one in path.parent.iterdir()] if path.parent.is_dir() else []
            hint = nearest(path.name, siblings) if siblings else f"The folder {path.parent} does not exist."
            raise BadData(f"The data file {path} does not exist.", hint) from error
        except IsADirectoryError as error:
            raise BadData(f"The data file {path} is a folder.", "Name one file.") from error
        except OSError as error:
            raise BadData(f"The data file {path} cannot be read: {error.strerror}.") from error
    return _remote(uri)


def _remote(uri: str) -> bytes:
    import fsspec

    scheme = uri.split("://", 1)[0]
    try:
        with fsspec.open(uri, "rb") as stream:
            return bytes(stream.read())
    except ImportError as error:
        if scheme in _EXTRAS:
            raise MissingExtra.of(_EXTRAS[scheme], "The driver for s3:// URIs") from error
        raise BadData(f"Reading {uri} needs a driver that is not installed: {error}.") from error
    except ValueError as error:
        raise BadData(
            f"The data URI {uri} cannot be read: {error}.", "Use a path or a URI that fsspec knows."
        ) from error
    except FileNotFoundError as error:
        if isinstance(error.__cause__, OSError):
            # fsspec calls a host that does not answer a missing file as well; what it stumbled over is behind it.
            raise Outside(f"The host of {uri} does not answer.", "Try again.") from error
        raise BadData(f"There is nothing at {uri}.", "Check the URI.") from error
    except OSError as error:
        raise Outside(f"The store behind {uri} failed: {error}.", "Try again.") from error


def _package_file(uri: str) -> bytes:
    package, _, inner = uri.removeprefix("package://").partition("/")
    try:
        file = resources.files(package) / inner
    except (ValueError, TypeError) as error:
        raise BadData(f"The data URI {uri} names no Python package.", "Write package://NAME/PATH.") from error
    except ModuleNotFoundError as error:
        raise BadData(
            f"The data are in the Python package {package!r}, which is not installed.",
            f"Install it: pip install {package}",
        ) from error
    try:
        return file.read_bytes()
    except (FileNotFoundError, IsADirectoryError) as error:
        raise BadData(f"The Python package {package!r} has no file {inner!r}.") from error


def _decompressed(content: bytes, decompress: Callable[[bytes], bytes] | None, uri: str) -> bytes:
    try:
        return content if decompress is None else decompress(content)
    except (OSError, EOFError, ValueError, zlib.error, lzma.LZMAError) as error:
        raise BadData(f"The data file {uri} cannot be decompressed: {error}.", "It is damaged, or misnamed.") from error


def _parse(content: bytes, kind: Format, uri: str) -> pd.DataFrame:
    import pandas as pd

    try:
        if kind == "parquet":
            return pd.read_parquet(io.BytesIO(content)).reset_index(drop=True)
        with warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)
            # Reading a column whole, not in blocks, gives it one type: the type must not depend on where its rows stand.
            return pd.read_csv(io.BytesIO(content), low_memory=False, index_col=False)
    except pd.errors.EmptyDataError as error:
        raise BadData(f"The data file {uri} is empty.") from error
    except pd.errors.ParserWarning as error:
        raise BadData(
            f"The data file {uri} is not valid CSV: rows have more fields than the header in line 1."
        ) from error
    except pd.errors.ParserError as error:
        raise BadData(
            f"The data file {uri} is not valid CSV: {str(error).strip().removeprefix('Error tokenizing data. C error: ')}."
        ) from error
    except UnicodeDecodeError as error:
        raise BadData(f"The data file {uri} is not UTF-8 text: line {_line_of_foreign_text(content)}.") from error
    except (OSError, EOFError, ValueError) as error:
        raise BadData(
            f"The data file {uri} is not a readable {kind} file: {str(error).splitlines()[0].rstrip('.')}."
        ) from error


def _line_of_foreign_text(content: bytes) -> int:
    # The parser counts bytes within one cell.
    try:
        content.decode()
    except UnicodeDecodeError as error:
        return content.count(b"\n", 0, error.start) + 1
    return 1


def _with_missing(frame: pd.DataFrame, codes: Mapping[str, Sequence[int | float | str]], uri: str) -> pd.DataFrame:
    for column, values in codes.items():
        if column not in frame.columns:
            raise BadData.unknown_column(column, map(str, frame.columns), f"data.missing_values of {uri}")
        frame = frame.assign(**{column: frame[column].mask(frame[column].isin(list(values)))})
    return frame

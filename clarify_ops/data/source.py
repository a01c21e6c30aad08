"""From a URI to a table, with a digest of the bytes it came from."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import re
import warnings
import zlib
from collections.abc import Callable, Hashable, Mapping, Sequence
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
    name = uri.split("?", 1)[0]
    decompress = _COMPRESSIONS.get(Path(name).suffix)
    stem = name.removesuffix(Path(name).suffix) if decompress else name
    kind = format or _SUFFIXES.get(Path(stem).suffix.lower())
    if kind is None:
        raise BadData(
            f"The format of {address(uri)} cannot be told from its name.", "Set data.format to csv or parquet."
        )
    content = _content(uri)
    shown = address(uri)
    if not content:
        raise BadData(f"The data file {shown} is empty.")
    frame = _parse(_decompressed(content, decompress, shown), kind, shown)
    if frame.empty:
        raise BadData(f"The data file {shown} has no rows.")
    frame = _with_missing(frame, missing_values or {}, shown)
    return Dataset(uri=shown, digest=digest_bytes(content), frame=frame)


def address(uri: str) -> str:
    """A URI without what may be a secret in it: user, password and signed query.

    >>> address("https://me:secret@host/loans.csv?X-Amz-Signature=1")
    'https://host/loans.csv'
    >>> address("sqlite:////data/mlflow.db")
    'sqlite:////data/mlflow.db'
    """
    scheme, separator, rest = uri.partition("://")
    if not separator:
        return uri
    host, slash, path = re.split("[?#]", rest, maxsplit=1)[0].partition("/")
    return f"{scheme}://{host.rpartition('@')[2]}{slash}{path}"


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
            lacking = "is empty" if path.parent.is_dir() else "does not exist"
            hint = nearest(path.name, siblings) if siblings else f"The folder {path.parent} {lacking}."
            raise BadData(f"The data file {path} does not exist.", hint) from error
        except IsADirectoryError as error:
            raise BadData(f"The data file {path} is a folder.", "Name one file.") from error
        except OSError as error:
            raise BadData(f"The data file {path} cannot be read: {error.strerror}.") from error
    return _remote(uri)


def _remote(uri: str) -> bytes:
    import fsspec

    scheme, shown = uri.split("://", 1)[0], address(uri)
    try:
        with fsspec.open(uri, "rb") as stream:
            return bytes(stream.read())
    except ImportError as error:
        if scheme in _EXTRAS:
            raise MissingExtra.of(_EXTRAS[scheme], "The driver for s3:// URIs") from error
        raise BadData(f"Reading {shown} needs a driver that is not installed: {error}.") from error
    except ValueError as error:
        raise BadData(
            f"The data URI {shown} cannot be read: {error}.", "Use a path or a URI that fsspec knows."
        ) from error
    except FileNotFoundError as error:
        if isinstance(error.__cause__, OSError):
            # fsspec calls a host that does not answer a missing file as well; what it stumbled over is behind it.
            raise Outside(f"The host of {shown} does not answer.", "Try again.") from error
        raise BadData(f"There is nothing at {shown}.", "Check the URI.") from error
    except OSError as error:
        raise Outside(f"The store behind {shown} failed: {_without(uri, error)}.", "Try again.") from error


def _without(uri: str, error: Exception) -> str:
    # A driver quotes the URI it was asked for, secrets included.
    return str(error).replace(uri, address(uri))


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
            return _flat(pd.read_parquet(io.BytesIO(content)).reset_index(drop=True), uri)
        with warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)
            _refuse_twins(
                pd.read_csv(io.BytesIO(content), header=None, nrows=1, dtype=str, index_col=False).iloc[0], uri
            )
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


def _refuse_twins(header: pd.Series, uri: str) -> None:
    # pandas would rename the second one, so that a document names the first without knowing of the other.
    twins = header[header.notna() & header.duplicated()]
    if len(twins):
        raise BadData(f"The data file {uri} has two columns {twins.iloc[0]!r}.", "Rename or remove one.")


def _flat(frame: pd.DataFrame, uri: str) -> pd.DataFrame:
    for name in [one for one, dtype in frame.dtypes.items() if dtype.kind == "O"]:
        first = frame[name].dropna().head(1)
        if len(first) and not isinstance(first.iloc[0], Hashable):
            raise BadData(
                f"The column {str(name)!r} of {uri} holds lists or objects.", "Give one value a row and column."
            )
    return frame


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

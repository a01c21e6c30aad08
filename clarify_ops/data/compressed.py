"""Compressed files: told by the last suffix of their name."""

from __future__ import annotations

import bz2
import gzip
import lzma
import re
import zlib
from collections.abc import Callable, Mapping
from pathlib import PurePosixPath

from clarify_ops.errors import BadData, NotSupported


def _zstd(content: bytes) -> bytes:
    import pyarrow as pa

    with pa.input_stream(pa.BufferReader(content), compression="zstd") as stream:
        return bytes(stream.read())


_COMPRESSIONS: Mapping[str, Callable[[bytes], bytes]] = {
    ".gz": gzip.decompress,
    ".gzip": gzip.decompress,
    ".bz2": bz2.decompress,
    ".xz": lzma.decompress,
    ".zst": _zstd,
    ".zstd": _zstd,
}
_NOT_READ = frozenset({".zip", ".lz4", ".snappy", ".lzo", ".br", ".7z", ".z", ".tar", ".tgz"})
_MAGIC: Mapping[bytes, str] = {
    b"\x1f\x8b": "It looks compressed: name it with the suffix .gz.",
    b"BZh": "It looks compressed: name it with the suffix .bz2.",
    b"\xfd7zXZ": "It looks compressed: name it with the suffix .xz.",
    b"\x28\xb5\x2f\xfd": "It looks compressed: name it with the suffix .zst.",
    b"PAR1": "It looks like Parquet, whose dataset_type is application/x-parquet.",
    b"PK\x03\x04": "It looks like a ZIP archive or a spreadsheet: save its table as CSV.",
}
_LOOKED_AT = 1024


def bare_name(uri: str) -> str:
    """A file's name without the suffix of its compression, and without the query of its URI.

    >>> bare_name("s3://bucket/loans.csv.gz")
    's3://bucket/loans.csv'
    """
    name = _without_query(uri)
    suffix = _suffix(name)
    return name[: -len(suffix)] if suffix in _COMPRESSIONS else name


def is_plain(uri: str) -> bool:
    """Whether a file's name tells of no compression."""
    suffix = _suffix(_without_query(uri))
    return suffix not in _COMPRESSIONS and suffix not in _NOT_READ


def decompressed(content: bytes, uri: str) -> bytes:
    """A file's content as it was before it was compressed.

    Args:
        content: The bytes as they lie there.
        uri: Where, without secrets; its last suffix tells how they are compressed.

    Raises:
        BadData: The bytes are damaged, or of another kind.
        NotSupported: A compression that nothing here reads.
    """
    suffix = _suffix(_without_query(uri))
    if suffix in _NOT_READ:
        known = ", ".join(_COMPRESSIONS)
        raise NotSupported(
            f"The data file {uri} has the suffix {suffix}, which is not read.", f"Compressed files: {known}."
        )
    decompress = _COMPRESSIONS.get(suffix)
    # Nothing at all is what an empty file of any kind is; the reader of its format says so.
    if decompress is None or not content:
        return content
    try:
        return decompress(content)
    except (OSError, EOFError, ValueError, zlib.error, lzma.LZMAError) as error:
        reason = str(error).rstrip(".")
        raise BadData(
            f"The data file {uri} cannot be decompressed: {reason}.", "It is damaged, or misnamed."
        ) from error


def misnamed(content: bytes) -> str:
    """A hint where bytes that should be text are plainly something else; empty where they are not."""
    for magic, hint in _MAGIC.items():
        # A text may begin with the same letters; what follows them in such a file is none.
        if content.startswith(magic) and not content[:_LOOKED_AT].isascii():
            return hint
    if b"\x00" in content[:_LOOKED_AT]:
        return "It holds zero bytes: save it as UTF-8, not as UTF-16 or as a binary file."
    return ""


def _without_query(uri: str) -> str:
    return re.split("[?#]", uri, maxsplit=1)[0] if "://" in uri else uri


def _suffix(name: str) -> str:
    return PurePosixPath(name).suffix.lower()

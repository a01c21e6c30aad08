"""From an address to files, and from a file to its bytes: local, in a Python package, or in any store that fsspec knows."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path, PurePosixPath
from typing import Any, TypeVar
from urllib.parse import parse_qsl, unquote, urlsplit

from clarify_ops.data.compressed import bare_name, decompressed
from clarify_ops.documents import digest_bytes
from clarify_ops.errors import BadData, BadInput, MissingExtra, Outside, nearest

# Drivers of fsspec that come with an extra of ours.
_EXTRAS = {"s3": "s3", "s3a": "s3"}
_WILDCARDS = re.compile(r"[*?\[]")
# What Spark, Hive and Hadoop leave beside the data. A name that only begins with an underscore may be data.
_MARKERS = re.compile(
    r"_(SUCCESS|FAILURE|metadata|common_metadata|committed_.*|started_.*)|.*\.(crc|manifest)|.*_\$folder\$"
)
_SECRETS_OF_THE_ENVIRONMENT = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
_SHORTEST_SECRET = 4
Answer = TypeVar("Answer")


@dataclass(frozen=True)
class StoredFile:
    """A file that was found, not yet read.

    Attributes:
        address: Where it is, without secrets.
        load: Its bytes as they lie there.
    """

    address: str
    load: Callable[[], bytes]


@dataclass(frozen=True)
class Content:
    """What stands in a file.

    Attributes:
        address: Where it is, without secrets.
        digest: `sha256:<hex>` of the bytes as they lie there, compressed where they are.
        data: The bytes, decompressed.
    """

    address: str
    digest: str
    data: bytes


@dataclass(frozen=True)
class Found:
    """What an address leads to: at least one file, in the order of their names, and a sentence for what was passed over."""

    files: tuple[StoredFile, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Entry:
    """A file in a listing: its path below the folder or pattern that was asked for, and its size in bytes."""

    inner: str
    size: int
    file: StoredFile


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


def find_files(uri: str) -> Found:
    """Lists what lies at an address.

    A folder is walked to its leaves and a pattern (`*`, `**`, `?`, `[ab]`) expanded. What is no data is passed over and
    counted: hidden files, markers such as `_SUCCESS`, checksums, manifests, and empty files that no writer of the format
    leaves as a part.

    Args:
        uri: A local path, `package://NAME/PATH` (inside an installed Python package) or any fsspec URI.

    Raises:
        BadData: Nothing is there, or nothing but what is passed over.
        MissingExtra: The URI's driver is not installed.
        Outside: A remote store did not answer.
    """
    if uri.startswith("package://"):
        return _in_package(uri)
    if _is_local(uri):
        return _in_folder(local_path(uri), printed)
    if uri.startswith(("http://", "https://")):
        # A web server lists nothing that could be relied on, and `?` opens a query there.
        return Found((StoredFile(address(uri), partial(read_file, uri)),))
    return _in_store(uri)


def read_file(uri: str) -> bytes:
    """The bytes of one file, as they lie there.

    Args:
        uri: See `find_files`.

    Raises:
        BadData: The file is missing, or a folder.
        MissingExtra: The URI's driver is not installed.
        Outside: A remote store did not answer.
    """
    if uri.startswith("package://"):
        return _package_bytes(uri, _package_file(uri))
    if _is_local(uri):
        return _local_bytes(local_path(uri))
    import fsspec

    def load() -> bytes:
        with fsspec.open(uri, "rb") as stream:
            return bytes(stream.read())

    return asked(uri, load)


def read_content(file: StoredFile) -> Content:
    """Reads a file and decompresses it, as its name's last suffix says.

    Raises:
        BadData: It cannot be decompressed.
        Outside: A remote store did not answer.
    """
    raw = file.load()
    return Content(file.address, digest_bytes(raw), decompressed(raw, file.address))


def local_path(uri: str) -> Path:
    """The path behind a local address."""
    bare = Path(uri.removeprefix("file://"))
    decoded = Path(unquote(str(bare)))
    return decoded if uri.startswith("file://") and not bare.exists() and decoded.exists() else bare


def printed(path: str | Path) -> str:
    """A path as it can stand in a sentence: without line breaks and other control characters."""
    return re.sub(r"[\x00-\x1f\x7f\x85\u2028\u2029]", "?", str(path))


def _is_local(uri: str) -> bool:
    return "://" not in uri or uri.startswith("file://")


def _local_bytes(path: Path) -> bytes:
    try:
        if path.is_char_device() or path.is_block_device():
            # One such as /dev/zero has no end.
            raise BadData(f"The data file {printed(path)} is a device.", "Name a file.")
        return path.read_bytes()
    except FileNotFoundError as error:
        raise _missing(path) from error
    except IsADirectoryError as error:
        raise BadData(f"The data file {printed(path)} is a folder.", "Name one file.") from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise BadData(f"The data file {printed(path)} cannot be read: {reason}.") from error


def _missing(path: Path) -> BadData:
    siblings = [one.name for one in path.parent.iterdir()] if path.parent.is_dir() else []
    lacking = "is empty" if path.parent.is_dir() else "does not exist"
    hint = nearest(path.name, map(printed, siblings)) if siblings else f"The folder {printed(path.parent)} {lacking}."
    return BadData(f"The data file {printed(path)} does not exist.", hint)


def _in_folder(path: Path, shown: Callable[[str], str]) -> Found:
    try:
        if path.is_dir():
            return _of_entries(_local_entries(path, path, shown), shown(str(path)), "folder")
        if path.exists() or not _WILDCARDS.search(str(path)):
            return Found((StoredFile(shown(str(path)), partial(_local_bytes, path)),))
        fixed = next(place for place, part in enumerate(path.parts) if _WILDCARDS.search(part))
        base = Path(*path.parts[:fixed])
        matches = list(base.glob(str(Path(*path.parts[fixed:]))))
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise BadData(f"The data at {printed(path)} cannot be listed: {reason}.") from error
    entries: dict[str, _Entry] = {}
    for match in matches:
        for entry in _local_entries(match, base, shown):
            entries[entry.inner] = entry
    return _of_entries(entries.values(), shown(str(path)), "pattern")


def _local_entries(path: Path, base: Path, shown: Callable[[str], str]) -> Iterator[_Entry]:
    if path.is_file():
        yield _local_entry(path, base, shown)
    # A folder that links to one above it would be walked for ever.
    seen: set[str] = set()
    for folder, inner, names in os.walk(path, followlinks=True):
        inner[:] = [one for one in inner if not one.startswith(".") and one != "_temporary"]
        real = os.path.realpath(folder)
        if real in seen:
            inner.clear()
            continue
        seen.add(real)
        for name in names:
            file = Path(folder, name)
            if file.is_file():
                yield _local_entry(file, base, shown)


def _local_entry(file: Path, base: Path, shown: Callable[[str], str]) -> _Entry:
    inner = file.relative_to(base).as_posix()
    return _Entry(inner, file.stat().st_size, StoredFile(shown(str(file)), partial(_local_bytes, file)))


def _of_entries(entries: Any, shown: str, what: str) -> Found:
    kept: list[_Entry] = []
    passed: Counter[str] = Counter()
    for entry in sorted(entries, key=lambda one: PurePosixPath(one.inner).parts):
        reason = _passed_over(entry)
        if reason:
            passed[reason] += 1
        else:
            kept.append(entry)
    counted = ", ".join(f"{number} {reason}" for reason, number in sorted(passed.items()))
    if not kept:
        found = f"only {counted}" if counted else "no file"
        matches = "matches" if what == "pattern" else "holds"
        raise BadData(f"The {what} {shown} {matches} {found}.", "Name a file, a folder of files or a pattern.")
    notes = [f"Passed over in {shown}: {counted}."] if counted else []
    partitions = {part for one in kept for part in PurePosixPath(one.inner).parts[:-1] if "=" in part}
    if partitions:
        notes.append(f"Folders of {shown} such as {min(partitions)} are read as folders, not as columns.")
    return Found(tuple(one.file for one in kept), tuple(notes))


def _passed_over(entry: _Entry) -> str:
    parts = PurePosixPath(entry.inner).parts
    if any(part.startswith(".") or part == "_temporary" for part in parts):
        return "hidden"
    if _MARKERS.fullmatch(parts[-1]):
        return "markers, checksums or manifests"
    # An empty part of text is what a partition without rows leaves; an empty Parquet or JSON file is a broken one.
    if not entry.size and not bare_name(parts[-1]).lower().endswith((".parquet", ".pq", ".json")):
        return "empty"
    return ""


def _in_package(uri: str) -> Found:
    file = _package_file(uri)
    if isinstance(file, Path) and (file.is_dir() or (_WILDCARDS.search(str(file)) and not file.exists())):
        package = uri.removeprefix("package://").partition("/")[0]
        root = str(resources.files(package))
        return _in_folder(file, lambda path: f"package://{package}{path.removeprefix(root)}")
    return Found((StoredFile(uri, partial(_package_bytes, uri, file)),))


def _package_file(uri: str) -> Traversable:
    package, _, inner = uri.removeprefix("package://").partition("/")
    try:
        return resources.files(package) / inner
    except (ValueError, TypeError) as error:
        raise BadData(f"The data URI {uri} names no Python package.", "Write package://NAME/PATH.") from error
    except ModuleNotFoundError as error:
        raise BadData(
            f"The data are in the Python package {package!r}, which is not installed.",
            f"Install it: pip install {package}",
        ) from error


def _package_bytes(uri: str, file: Traversable) -> bytes:
    package, _, inner = uri.removeprefix("package://").partition("/")
    try:
        return file.read_bytes()
    except (OSError, ValueError) as error:
        raise BadData(f"The Python package {package!r} has no file {inner!r}.") from error


def _in_store(uri: str) -> Found:
    import fsspec

    def lists() -> Found:
        store, path = fsspec.core.url_to_fs(uri)
        store.invalidate_cache()
        try:
            folder = store.info(path)["type"] == "directory"
        except FileNotFoundError:
            if not _WILDCARDS.search(path):
                raise
            return _of_entries(_store_entries(uri, store, path, store.glob(path, detail=True)), address(uri), "pattern")
        if not folder:
            return Found((StoredFile(address(uri), partial(_store_bytes, uri, store, path)),))
        return _of_entries(_store_entries(uri, store, path, store.find(path, detail=True)), address(uri), "folder")

    return asked(uri, lists)


def _store_entries(uri: str, store: Any, path: str, listing: dict[str, Any]) -> list[_Entry]:
    base = _WILDCARDS.split(path, maxsplit=1)[0].rpartition("/")[0] if _WILDCARDS.search(path) else path.rstrip("/")
    entries: list[_Entry] = []
    for name, info in listing.items():
        if info["type"] == "directory":
            entries += _store_entries(uri, store, base or path, store.find(name, detail=True))
        # S3 shows a folder as an empty object of that name.
        elif not name.endswith("/"):
            shown = address(str(store.unstrip_protocol(name)))
            inner = name.removeprefix(base).lstrip("/")
            entries.append(
                _Entry(inner, info.get("size") or 0, StoredFile(shown, partial(_store_bytes, uri, store, name)))
            )
    return list({entry.inner: entry for entry in entries}.values())


def _store_bytes(uri: str, store: Any, path: str) -> bytes:
    def load() -> bytes:
        with store.open(path, "rb") as stream:
            return bytes(stream.read())

    return asked(uri, load)


def asked(uri: str, ask: Callable[[], Answer]) -> Answer:
    """What a store answers, or the one sentence about why it does not."""
    scheme, shown = uri.split("://", 1)[0], address(uri)
    try:
        return ask()
    except BadInput:
        raise
    except ImportError as error:
        if scheme in _EXTRAS:
            raise MissingExtra.of(_EXTRAS[scheme], "The driver for s3:// URIs") from error
        raise BadData(f"Reading {shown} needs a driver that is not installed: {_without(uri, error)}.") from error
    except ValueError as error:
        raise BadData(
            f"The URI {shown} cannot be used: {_without(uri, error)}.", "Use a path or a URI that fsspec knows."
        ) from error
    except FileNotFoundError as error:
        if any(isinstance(one, OSError) and not isinstance(one, FileNotFoundError) for one in _causes(error)):
            # fsspec calls a host that does not answer a missing file as well; what it stumbled over is behind it.
            raise Outside(f"The host of {shown} does not answer.", "Try again.") from error
        raise BadData(f"There is nothing at {shown}.", "Check the URI.") from error
    except IsADirectoryError as error:
        raise BadData(f"The data at {shown} are a folder.", "Name one file.") from error
    except Exception as error:
        # The drivers' libraries raise errors of their own kinds where a store refuses or is not reached.
        raise Outside(f"The store behind {shown} failed: {_without(uri, error)}.", "Try again.") from error


def _causes(error: BaseException) -> Iterator[BaseException]:
    while error.__cause__ is not None:
        error = error.__cause__
        yield error


def _without(uri: str, error: Exception) -> str:
    """An error's first line without secrets: a driver quotes the URI it was asked for, and a store the keys it was shown."""
    text = " ".join(str(error).replace(uri, address(uri)).split())
    parts = urlsplit(uri)
    secrets: Sequence[str | None] = [
        *parts.netloc.rpartition("@")[0].split(":"),
        *(value for _, value in parse_qsl(parts.query)),
        *(os.environ.get(name) for name in _SECRETS_OF_THE_ENVIRONMENT),
    ]
    for secret in secrets:
        if secret and len(secret) >= _SHORTEST_SECRET:
            text = text.replace(secret, "***")
    return text.rstrip(".") or type(error).__name__

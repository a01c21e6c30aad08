"""Documents on disk: read with a clear error, written whole or not at all, digested the same everywhere."""

from __future__ import annotations

import hashlib
import json
import math
import os
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from clarify_ops.errors import BadDocument, BadInput

SIGNIFICANT_DIGITS = 12
_YAML = {".yaml", ".yml"}


def read_document(path: str | Path, what: str) -> Any:
    """Parses a JSON or YAML file.

    Args:
        path: The file; `.json` is read as JSON, `.yaml` and `.yml` as YAML, and any other as what it is: an orchestrator's
            artifacts have no endings, and 1e-06 is a number in JSON alone.
        what: What the document is to its reader ("policy", "pipeline"), for the error.

    Raises:
        BadDocument: The file is missing, empty, not text or malformed; the line is named where one is known.
    """
    file = Path(path)
    try:
        text = file.read_text(encoding="utf-8")
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError) as error:
        raise BadDocument(f"The {what} {file} is not a file.", "Check the path.") from error
    except UnicodeDecodeError as error:
        raise BadDocument(f"The {what} {file} is not UTF-8 text.") from error
    if not text.strip():
        raise BadDocument(f"The {what} {file} is empty.")
    as_json = file.suffix == ".json" or (file.suffix not in _YAML and _is_json(text))
    return parse_document(text, f"The {what} {file}", as_json=as_json)


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def only_file(folder: str | Path, what: str) -> Path:
    """The one file in a folder; hidden ones do not count.

    Args:
        folder: The folder.
        what: What the file is to its reader, for the error.

    Raises:
        BadInput: There is none, or more than one.
    """
    found = sorted(one for one in Path(folder).iterdir() if not one.name.startswith("."))
    if not found:
        raise BadInput(f"The folder {folder} is empty, where a {what} was expected.", "Check where it was copied from.")
    if len(found) > 1 or not found[0].is_file():
        shown = ", ".join(one.name for one in found[:5])
        raise BadInput(f"The folder {folder} holds more than a {what}: {shown}.", f"Name the {what}.")
    return found[0]


def parse_document(text: str, what: str, *, as_json: bool = False) -> Any:
    """Parses JSON or YAML text; `what` opens the sentence of an error."""
    try:
        document = json.loads(text, object_pairs_hook=_once) if as_json else yaml.load(text, _OnceLoader)  # noqa: S506 - a safe loader
        # Half of a pair is no text: nothing could write it again.
        json.dumps(document, ensure_ascii=False, default=str, skipkeys=True).encode()
    except UnicodeEncodeError as error:
        raise BadDocument(f"{what} holds half a character, {error.object[error.start]!r}, which is no text.") from error
    except _Twice as error:
        raise BadDocument(f"{what} has the key {error} twice in one place.", "Leave one out.") from error
    except json.JSONDecodeError as error:
        raise BadDocument(f"{what} is not valid JSON: line {error.lineno}: {error.msg}.") from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        problem = getattr(error, "problem", None) or "malformed"
        line = f"line {mark.line + 1}: " if mark is not None else ""
        raise BadDocument(f"{what} is not valid YAML: {line}{problem}.") from error
    except (ValueError, RecursionError) as error:
        raise BadDocument(f"{what} contains itself, or is nested too deeply.") from error
    return document


class _Twice(Exception):
    """A key stands twice in a mapping. The last one would count, and a reader may have seen the first."""


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise _Twice(key)
        found[key] = value
    return found


class _OnceLoader(yaml.SafeLoader):
    def compose_mapping_node(self, anchor: Any) -> yaml.MappingNode:
        # As it is written, before << is merged in: what a mapping says itself may differ from what it takes over.
        node: yaml.MappingNode = super().compose_mapping_node(anchor)
        keys = [key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
        for place, key in enumerate(keys):
            if key in keys[:place]:
                raise _Twice(key)
        return node


def write_json(path: str | Path, document: Any, *, sort_keys: bool = True) -> Path:
    """Writes a document as indented JSON, by rename: a reader never sees half of it.

    Args:
        path: Where to; the folder must exist.
        document: JSON types only. NaN and infinities are refused, for they are not JSON.
        sort_keys: False where a contract prescribes the order of the keys.
    """
    return write_text(path, json_text(document, sort_keys=sort_keys))


def json_text(document: Any, *, sort_keys: bool = True) -> str:
    """A document as it is written."""
    return json.dumps(document, indent=2, sort_keys=sort_keys, allow_nan=False) + "\n"


def write_text(path: str | Path, text: str) -> Path:
    """Writes UTF-8 text by rename."""
    return write_bytes(path, text.encode())


def write_bytes(path: str | Path, content: bytes) -> Path:
    """Writes bytes by rename, from a temporary file beside the final one."""
    file = Path(path)
    descriptor, temporary = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content)
        # mkstemp makes files private; a result is to be read by whoever may read the folder.
        Path(temporary).chmod(0o644)
        Path(temporary).replace(file)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    return file


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Keeps a second run out of a folder that is written to; the lock goes with the process, however that ends.

    Raises:
        BadInput: Another run is in it.
    """
    if sys.platform == "win32":
        # Windows does not lock folders.
        yield
        return
    import fcntl

    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(descriptor)
        raise BadInput(
            f"Another run is writing to the output folder {folder}.", "Wait for it, or name another folder."
        ) from error
    except OSError:
        # Some network file systems know no locks; there nobody can be kept out.
        pass
    try:
        yield
    finally:
        os.close(descriptor)


def canonical(document: Any) -> bytes:
    """The one byte sequence of a document: sorted keys, no blanks, floats to 12 significant digits.

    Twelve digits are what is promised to be equal on another machine; the last four of a double are not.

    >>> canonical({"b": 0.1 + 0.2, "a": 1})
    b'{"a":1,"b":0.3}'
    """
    return json.dumps(
        _rounded(document), sort_keys=True, separators=(",", ":"), allow_nan=False, ensure_ascii=False
    ).encode()


def digest(document: Any) -> str:
    """`sha256:<hex>` of the canonical form of a document."""
    return digest_bytes(canonical(document))


def digest_bytes(content: bytes) -> str:
    """`sha256:<hex>` of bytes."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def digest_file(path: str | Path) -> str:
    """`sha256:<hex>` of a file's bytes, read in pieces."""
    with Path(path).open("rb") as stream:
        return f"sha256:{hashlib.file_digest(stream, 'sha256').hexdigest()}"


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        # Tags instead of NaN: a digest must exist for every result, and NaN is not JSON.
        if not math.isfinite(value):
            return str(value)
        short = float(f"{value:.{SIGNIFICANT_DIGITS}g}")
        return 0.0 if short == 0 else short
    if isinstance(value, Mapping):
        return {str(key): _rounded(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(item) for item in value]
    return value

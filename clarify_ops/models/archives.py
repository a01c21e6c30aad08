"""Unpacking archives that anybody may have made."""

from __future__ import annotations

import tarfile
from pathlib import Path, PurePosixPath


def unpack(packed: tarfile.TarFile, folder: Path) -> None:
    """Writes what an archive holds: nothing outside of the folder, no devices, no links that lead out of it.

    Raises:
        tarfile.TarError: It holds such a thing.
    """
    if hasattr(tarfile, "data_filter"):
        packed.extractall(folder, filter="data")
        return
    # Python 3.11.2, which is Debian 12's, knows no filters. No link is taken then: a model has none.
    for entry in packed.getmembers():
        name = PurePosixPath(entry.name)
        if name.is_absolute() or ".." in name.parts or not (entry.isfile() or entry.isdir()):
            raise tarfile.TarError(f"{entry.name!r} is neither a file nor a folder inside of it")
        entry.mode = 0o755 if entry.isdir() else 0o644
    packed.extractall(folder)  # noqa: S202 looked at above

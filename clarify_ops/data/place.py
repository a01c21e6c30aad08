"""A folder or prefix to put files at: local, or in any store that fsspec knows."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from clarify_ops.data.files import address, asked, local_path
from clarify_ops.documents import write_bytes
from clarify_ops.errors import BadInput

_CONTENT_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".json": "application/json",
    ".md": "text/markdown; charset=utf-8",
}

# Stores of objects: to make a folder there would make a bucket, out of a typing error perhaps.
_WITHOUT_FOLDERS = {"s3", "s3a", "gs", "gcs", "abfs", "abfss", "az"}


@dataclass(frozen=True)
class Place:
    """Where files are put.

    Attributes:
        uri: A path or an fsspec URI.
    """

    uri: str

    @property
    def shown(self) -> str:
        """Without secrets."""
        return address(self.uri)

    def read(self, name: str) -> bytes | None:
        """The bytes of a file in it; None where there is none.

        Raises:
            Outside: The store did not answer.
        """
        if self._local:
            file = local_path(self.uri) / name
            return file.read_bytes() if file.is_file() else None

        def load() -> bytes | None:
            store, path = self._store()
            store.invalidate_cache()
            try:
                return bytes(store.cat_file(f"{path}/{name}"))
            except FileNotFoundError:
                return None

        return asked(self.uri, load)

    def write(self, name: str, content: bytes) -> None:
        """Puts a file there, in place of one that has its name.

        Raises:
            BadInput: It cannot be written to.
            Outside: The store did not answer.
        """
        if self._local:
            folder = local_path(self.uri)
            try:
                folder.mkdir(parents=True, exist_ok=True)
                write_bytes(folder / name, content)
            except OSError as error:
                raise BadInput(
                    f"The folder {folder} cannot be written to: {error.strerror}.", "Name another folder."
                ) from error
            return

        def store_it() -> None:
            store, path = self._store()
            protocols = {store.protocol} if isinstance(store.protocol, str) else set(store.protocol)
            if not protocols & _WITHOUT_FOLDERS:
                store.makedirs(path, exist_ok=True)
            # A browser opens what is told to be a page, and saves what is not.
            told = {"ContentType": _CONTENT_TYPES[Path(name).suffix]} if "s3" in protocols else {}
            store.pipe_file(f"{path}/{name}", content, **told)

        asked(self.uri, store_it)

    @property
    def _local(self) -> bool:
        return "://" not in self.uri or self.uri.startswith("file://")

    def _store(self) -> tuple[Any, str]:
        import fsspec

        store, path = fsspec.core.url_to_fs(self.uri)
        return store, path.rstrip("/")

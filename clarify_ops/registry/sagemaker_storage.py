"""The files of a version in S3: written once under the digests of what they are, and brought back.

    <uri>/<group>/<evidence digest>/<first 16 of the contents digest>/
        documents/   as in `Candidate.documents`, with contents.json
        plots/       PNG files
        baselines/   what drift is measured against later, see `sagemaker_baselines`
        model/model.tar.gz

A folder is named by what is in it, so that no later registration replaces a file that a version points at.
"""

from __future__ import annotations

import gzip
import shutil
import tarfile
import tempfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from clarify_ops.documents import digest_file
from clarify_ops.errors import Outside
from clarify_ops.models import archives
from clarify_ops.registry.contents import DOCUMENTS, MODEL
from clarify_ops.registry.sagemaker_calls import is_absent, refusal

ARCHIVE = f"{MODEL}/model.tar.gz"
_TYPES: Mapping[str, str] = {
    ".json": "application/json",
    ".html": "text/html",
    ".md": "text/markdown",
    ".png": "image/png",
    ".gz": "application/gzip",
}


@dataclass(frozen=True)
class Stored:
    """A file that lies in S3.

    Attributes:
        uri: Where.
        digest: `sha256:<hex>` of its bytes.
        content_type: Of its content.
    """

    uri: str
    digest: str
    content_type: str


class Storage:
    """A bucket, or a part of one.

    Args:
        client: boto3's client of S3.
        uri: `s3://bucket/prefix`.
        kms_key: Encrypts what is written; None leaves that to the bucket.
    """

    def __init__(self, client: Any, uri: str, kms_key: str | None = None) -> None:
        self._client = client
        self.uri = uri.rstrip("/")
        self._extra = {} if kms_key is None else {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": kms_key}

    def put(self, path: Path, place: str, name: str) -> Stored:
        """Writes a file; a large one in parts.

        Args:
            path: The file here.
            place: URI of the folder.
            name: Its path in that folder.
        """
        found = Stored(f"{place}/{name}", digest_file(path), content_type(name))
        bucket, key = _bucket_and_key(found.uri)
        extra = {"ContentType": found.content_type, "Metadata": {"sha256": found.digest}, **self._extra}
        self._client.upload_file(str(path), bucket, key, ExtraArgs=extra)
        return found

    def fetch(self, place: str, folder: Path, archive: str | None) -> None:
        """Brings the documents into `documents/` and the model's files into `model/`; what is missing there is missing here.

        Args:
            place: URI of the folder, as the version names it.
            folder: Where to.
            archive: Digest of the model's archive. One with another is brought as it is: nothing in it is trusted.

        Raises:
            Outside: A name there leads out of the folder.
        """
        for name in self._names(place, DOCUMENTS):
            self._get(place, name, _inside(folder, name))
        with tempfile.TemporaryDirectory() as temporary:
            packed = Path(temporary, "model.tar.gz")
            if not self._get(place, ARCHIVE, packed):
                return
            if digest_file(packed) == archive:
                unpack(packed, folder / MODEL)
            else:
                (folder / MODEL).mkdir(parents=True, exist_ok=True)
                shutil.copyfile(packed, folder / ARCHIVE)

    def _names(self, place: str, part: str) -> Iterator[str]:
        bucket, key = _bucket_and_key(place)
        pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=f"{key}/{part}/")
        for page in pages:
            for one in page.get("Contents", ()):
                yield str(one["Key"])[len(key) + 1 :]

    def _get(self, place: str, name: str, target: Path) -> bool:
        try:
            self._client.download_file(*_bucket_and_key(f"{place}/{name}"), str(target))
        except refusal() as error:
            if not is_absent(error):
                raise
            return False
        return True


def content_type(name: str) -> str:
    """The type that goes with the end of a file's name."""
    return _TYPES.get(PurePosixPath(name).suffix, "application/octet-stream")


def pack(folder: Path, target: Path) -> None:
    """Writes the files of a folder as a .tar.gz that is the same whenever and by whomever it is made.

    The files stand at its root, where SageMaker unpacks them into `/opt/ml/model`.

    Args:
        folder: Without links.
        target: The archive.
    """

    def plain(entry: tarfile.TarInfo) -> tarfile.TarInfo:
        entry.mtime = entry.uid = entry.gid = 0
        entry.uname = entry.gname = ""
        entry.mode = 0o755 if entry.isdir() else 0o644
        return entry

    with (
        target.open("wb") as raw,
        # The header of gzip holds a name and a time as well.
        gzip.GzipFile(filename="", mode="wb", fileobj=raw, compresslevel=6, mtime=0) as stream,
        tarfile.open(fileobj=stream, mode="w", format=tarfile.PAX_FORMAT) as archive,
    ):
        for one in sorted(folder.rglob("*")):
            archive.add(one, one.relative_to(folder).as_posix(), recursive=False, filter=plain)


def unpack(archive: Path, folder: Path) -> None:
    """Writes what `pack` took, and nothing outside of the folder.

    Raises:
        Outside: It is no such archive.
    """
    try:
        with tarfile.open(archive, "r:gz") as packed:
            archives.unpack(packed, folder)
    except (tarfile.TarError, EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise Outside(f"The model's archive {archive.name} cannot be unpacked: {error}.") from error


def _inside(folder: Path, name: str) -> Path:
    """Where a file goes by its name, which anybody with the right to write there may have made up."""
    parts = PurePosixPath(name).parts
    if ".." in parts or PurePosixPath(name).is_absolute():
        raise Outside(f"The file {name!r} of the registry cannot be brought: its name leads elsewhere.")
    target = folder.joinpath(*parts)
    target.parent.mkdir(parents=True, exist_ok=True)
    return target


def _bucket_and_key(uri: str) -> tuple[str, str]:
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    return bucket, key

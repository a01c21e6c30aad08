"""The archive is the same whoever makes it, and only what was put in comes out."""

from __future__ import annotations

import gzip
import io
import os
import tarfile
from pathlib import Path

import pytest

from clarify_ops.documents import digest_file
from clarify_ops.errors import Outside
from clarify_ops.registry.protocol import Candidate
from clarify_ops.registry.sagemaker_registering import ARCHIVE_TAG, PLACE_TAG
from clarify_ops.registry.sagemaker_storage import pack, unpack

from .place import BUCKET, SageMakerPlace


def folder_of_a_model(folder: Path, *, mode: int = 0o644) -> Path:
    (folder / "data").mkdir(parents=True)
    for name in ("MLmodel", "data/b.bin", "data/a.bin"):
        (folder / name).write_bytes(name.encode() * 100)
        (folder / name).chmod(mode)
    return folder


def test_the_same_files_make_the_same_bytes(tmp_path: Path) -> None:
    one = folder_of_a_model(tmp_path / "one")
    other = folder_of_a_model(tmp_path / "other", mode=0o600)
    os.utime(other / "MLmodel", (0, 0))
    pack(one, tmp_path / "one.tar.gz")
    pack(other, tmp_path / "renamed.tar.gz")
    assert digest_file(tmp_path / "one.tar.gz") == digest_file(tmp_path / "renamed.tar.gz")
    with tarfile.open(tmp_path / "one.tar.gz") as archive:
        entries = archive.getmembers()
    assert [one.name for one in entries] == ["MLmodel", "data", "data/a.bin", "data/b.bin"]
    assert {(one.mtime, one.uid, one.gid, one.uname, one.gname) for one in entries} == {(0, 0, 0, "", "")}


def test_what_is_packed_is_unpacked(tmp_path: Path) -> None:
    folder = folder_of_a_model(tmp_path / "model")
    pack(folder, tmp_path / "model.tar.gz")
    unpack(tmp_path / "model.tar.gz", tmp_path / "again")
    files = [one.relative_to(folder) for one in folder.rglob("*") if one.is_file()]
    assert [(tmp_path / "again" / one).read_bytes() for one in files] == [(folder / one).read_bytes() for one in files]


def test_a_later_registration_leaves_the_files_of_an_earlier_one(place: SageMakerPlace, candidate: Candidate) -> None:
    """The same claims with another report: a version goes on pointing at what it was registered with."""
    name = place.name()
    place.registry.register(candidate, name, "challenger")
    (found,) = place.registry.versions(name)
    before = stored(place)
    candidate.documents["report.html"].write_text("<h1>Another day</h1>", encoding="utf-8")
    place.registry.record(candidate)
    place.registry.register(candidate, name, "challenger")
    after = stored(place)
    assert {key: after[key] for key in before} == before
    assert place.registry.versions(name) == (found,)


def stored(place: SageMakerPlace) -> dict[str, str]:
    pages = place.s3.get_paginator("list_objects_v2").paginate(Bucket=BUCKET)
    return {one["Key"]: one["ETag"] for page in pages for one in page.get("Contents", ())}


def test_an_archive_that_was_exchanged_is_not_unpacked(
    place: SageMakerPlace, candidate: Candidate, tmp_path: Path
) -> None:
    name = place.name()
    place.registry.register(candidate, name, "challenger")
    (version,) = place.registry.versions(name)
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as archive:
        entry = tarfile.TarInfo("../../outside")
        archive.addfile(entry, io.BytesIO())
    place.s3.put_object(
        Bucket=BUCKET, Key=place.key(version, "model/model.tar.gz"), Body=gzip.compress(content.getvalue())
    )
    place.registry.fetch(version, tmp_path / "fetched")
    assert [one.name for one in (tmp_path / "fetched" / "model").iterdir()] == ["model.tar.gz"]
    # Even where its digest stands in the tags.
    digest = digest_file(tmp_path / "fetched" / "model" / "model.tar.gz")
    place.tag(version, ARCHIVE_TAG, digest)
    (version,) = place.registry.versions(name)
    with pytest.raises(Outside, match="cannot be unpacked"):
        place.registry.fetch(version, tmp_path / "again")
    assert not any(one.name == "outside" for one in tmp_path.rglob("*"))


def test_names_that_lead_out_of_the_folder(place: SageMakerPlace, candidate: Candidate, tmp_path: Path) -> None:
    name = place.name()
    place.registry.register(candidate, name, "challenger")
    (version,) = place.registry.versions(name)
    place.rewrite(version, "../../../outside", b"x")
    with pytest.raises(Outside, match="leads elsewhere"):
        place.registry.fetch(version, tmp_path / "fetched")
    assert not any(one.name == "outside" for one in tmp_path.rglob("*"))


def test_a_version_that_does_not_tell_where_its_files_are(
    place: SageMakerPlace, candidate: Candidate, tmp_path: Path
) -> None:
    name = place.name()
    place.registry.register(candidate, name, "challenger")
    place.tag(place.registry.versions(name)[0], PLACE_TAG, None)
    with pytest.raises(Outside, match="does not tell where its files are"):
        place.registry.fetch(place.registry.versions(name)[0], tmp_path / "fetched")

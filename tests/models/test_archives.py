"""Archives that anybody may have made, with Python's own filter and without it."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest

from clarify_ops.models.archives import unpack

# Of Python 3.12 and 3.13, about what older ones do.
pytestmark = pytest.mark.filterwarnings("ignore:Python 3.14 will:DeprecationWarning")


@pytest.fixture(params=["filter", "no filter"])
def _python(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "no filter":
        monkeypatch.delattr(tarfile, "data_filter", raising=False)


def archive(folder: Path, *entries: tarfile.TarInfo) -> tarfile.TarFile:
    path = folder / "archive.tar"
    with tarfile.open(path, "w") as made:
        for entry in entries:
            made.addfile(entry, io.BytesIO(b"x" * entry.size))
    return tarfile.open(path)


def entry(name: str, kind: bytes = tarfile.REGTYPE, to: str = "") -> tarfile.TarInfo:
    made = tarfile.TarInfo(name)
    made.type, made.linkname = kind, to
    made.size = 3 if kind == tarfile.REGTYPE else 0
    return made


@pytest.mark.usefixtures("_python")
def test_files_and_folders_are_written(tmp_path: Path) -> None:
    with archive(tmp_path, entry("model", tarfile.DIRTYPE), entry("model/MLmodel"), entry("./model.skops")) as packed:
        unpack(packed, tmp_path / "out")
    found = {one.relative_to(tmp_path / "out").as_posix() for one in (tmp_path / "out").rglob("*")}
    assert found == {"model", "model/MLmodel", "model.skops"}
    assert (tmp_path / "out" / "model" / "MLmodel").read_bytes() == b"xxx"


@pytest.mark.usefixtures("_python")
@pytest.mark.parametrize(
    "bad",
    [
        entry("../outside"),
        entry("model/../../outside"),
        entry("link", tarfile.SYMTYPE, "../outside"),
        entry("hard", tarfile.LNKTYPE, "../outside"),
        entry("device", tarfile.CHRTYPE),
    ],
    ids=lambda one: str(one.name),
)
def test_what_leads_outside_is_refused(tmp_path: Path, bad: tarfile.TarInfo) -> None:
    with archive(tmp_path, bad) as packed, pytest.raises(tarfile.TarError):
        unpack(packed, tmp_path / "deep" / "out")
    assert not [one for one in tmp_path.rglob("*") if one.name in {"outside", "device"}]

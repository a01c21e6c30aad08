"""A model is found wherever other people's training left it, and an archive writes nothing outside of its folder."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from clarify_ops.errors import BadModel
from clarify_ops.models.artifact import model_folder
from tests.foreign import packed, planted


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A folder that calls itself a model: nothing here reads more than names."""
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "MLmodel").write_text("flavors: {}\n", encoding="utf-8")
    return folder


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    folder = tmp_path / "scratch"
    folder.mkdir()
    return folder


def test_every_place_leads_to_the_same_files(model: Path, tmp_path: Path) -> None:
    beside = tmp_path / "output"
    packed(model, beside / "model.tar.gz", "nested")
    packed(model, beside / "output.tar.gz")
    below = Path(shutil.copytree(model, tmp_path / "artifact" / "data"))
    places = {
        "a folder": model,
        "a folder one level down": below.parent,
        "an archive": packed(model, tmp_path / "flat" / "any.tgz"),
        "a folder with one archive": tmp_path / "flat",
        "a folder of SageMaker's training": beside,
        "a URI of a folder": model.as_uri(),
        "a URI of an archive": (beside / "model.tar.gz").as_uri(),
    }
    for what, place in places.items():
        scratch = tmp_path / what
        scratch.mkdir()
        found = model_folder(place if isinstance(place, str) else str(place), scratch)
        assert (found / "MLmodel").read_bytes() == (model / "MLmodel").read_bytes(), what


@pytest.mark.parametrize(
    ("place", "words"),
    [
        ("absent", "There is no model absent."),
        ("file:///absent", "The model file:///absent cannot be fetched"),
        ("http://me:planted@127.0.0.1:9/m?key=planted", "The model http://127.0.0.1:9/m cannot be fetched"),
        ("empty", "holds no MLflow model"),
        ("two", "holds 2 MLflow models"),
        ("archives", "holds 2 archives, none of them model.tar.gz"),
        ("text.tar.gz", "cannot be unpacked"),
        ("cut.tar.gz", "cannot be unpacked"),
        ("evil.tar.gz", "cannot be unpacked"),
    ],
)
def test_what_is_no_model_is_told_in_one_sentence(
    place: str, words: str, model: Path, scratch: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("empty", "two/a", "two/b", "archives"):
        (tmp_path / name).mkdir(parents=True)
    for name in ("two/a", "two/b"):
        (tmp_path / name / "MLmodel").touch()
    for name in ("a.tar.gz", "b.tgz"):
        packed(model, tmp_path / "archives" / name)
    (tmp_path / "text.tar.gz").write_text("no", encoding="utf-8")
    (tmp_path / "cut.tar.gz").write_bytes(packed(model, tmp_path / "whole.tar.gz").read_bytes()[:60])
    planted(tmp_path / "evil.tar.gz", "../outside")
    with pytest.raises(BadModel) as found:
        model_folder(place, scratch)
    assert words in found.value.message
    assert "\n" not in found.value.message
    assert "planted" not in str(found.value)
    assert not (tmp_path / "scratch" / "outside").exists()
    assert not (tmp_path / "outside").exists()

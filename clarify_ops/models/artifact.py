"""Where a model lies, and how it is packed: a folder, an archive as SageMaker's training leaves it, or a URI."""

from __future__ import annotations

import tarfile
import zlib
from pathlib import Path

from clarify_ops.data.files import address
from clarify_ops.errors import BadModel
from clarify_ops.models.archives import unpack
from clarify_ops.models.mlflow_model import DESCRIPTION, fetch

ARCHIVE = "model.tar.gz"
_ENDINGS = (".tar.gz", ".tgz")


def model_folder(place: str | Path, scratch: Path) -> Path:
    """The folder of an MLflow model, wherever it is.

    Args:
        place: A folder with `MLmodel` at its top or one level down; an archive of one; a folder that holds such an archive;
            or `models:/NAME/VERSION`, `runs:/ID/PATH`, any URI that MLflow reads, of any of these.
        scratch: An empty folder for what is fetched and unpacked; what is returned may lie in it.

    Raises:
        BadModel: There is none, it cannot be fetched or unpacked, or it is not clear which of several is meant.
    """
    name, path = address(str(place)), Path(place)
    if not path.exists():
        if isinstance(place, Path) or ":/" not in place:
            raise BadModel(
                f"There is no model {name}.",
                f"Give an MLflow model folder, a URI such as models:/NAME/1, or an archive such as {ARCHIVE}.",
            )
        (scratch / "fetched").mkdir()
        path = fetch(place, scratch / "fetched")
    archive = path if path.is_file() else _archive_in(path, name)
    root = path if archive is None else _unpacked(archive, scratch / "unpacked", name)
    found = _described(root)
    if len(found) != 1:
        what = f"{len(found)} MLflow models" if found else "no MLflow model"
        raise BadModel(
            f"The model {name} holds {what}: {DESCRIPTION} is looked for at its top and one level down.",
            "Save it with mlflow's save_model or log_model, and name its folder.",
        )
    return found[0]


def _described(root: Path) -> list[Path]:
    """Folders with an MLmodel: the root alone, or those right below it."""
    if (root / DESCRIPTION).is_file():
        return [root]
    return sorted(one.parent for one in root.glob(f"*/{DESCRIPTION}"))


def _archive_in(folder: Path, name: str) -> Path | None:
    """The archive that a folder holds in place of a model; training of SageMaker's leaves others beside it."""
    archives = sorted(one for one in folder.iterdir() if one.is_file() and one.name.endswith(_ENDINGS))
    if _described(folder) or not archives:
        return None
    if folder / ARCHIVE in archives:
        return folder / ARCHIVE
    if len(archives) > 1:
        raise BadModel(f"The model {name} holds {len(archives)} archives, none of them {ARCHIVE}.", "Name one of them.")
    return archives[0]


def _unpacked(archive: Path, folder: Path, name: str) -> Path:
    try:
        with tarfile.open(archive, "r:gz") as packed:
            unpack(packed, folder)
    except (tarfile.TarError, OSError, EOFError, zlib.error) as error:
        said = str(error).rstrip(". ").replace(str(folder), "its folder") or type(error).__name__
        raise BadModel(
            f"The model {name} cannot be unpacked: {said}.", "Give a whole .tar.gz archive of an MLflow model's folder."
        ) from error
    return folder

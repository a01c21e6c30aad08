"""What a user installs: the wheel, made from the sdist as an index's visitor would make it."""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

FOLDERS = ("components", "pipelines", "dags")
HELP_SECONDS = 0.4


@dataclass(frozen=True)
class Built:
    """The two files that a release consists of."""

    sdist: Path
    wheel: Path


@pytest.fixture(scope="module")
def uv() -> str:
    beside_python = Path(sysconfig.get_path("scripts"), "uv")
    found = str(beside_python) if beside_python.exists() else shutil.which("uv")
    assert found, "uv is neither in this environment nor on the PATH"
    return found


@pytest.fixture(scope="module")
def built(root: Path, uv: str, tmp_path_factory: pytest.TempPathFactory) -> Built:
    folder = tmp_path_factory.mktemp("dist")
    run([uv, "build", "--quiet", "--python", sys.executable, "--out-dir", str(folder), str(root)])
    (sdist,) = folder.glob("*.tar.gz")
    (wheel,) = folder.glob("*.whl")
    return Built(sdist, wheel)


@pytest.fixture(scope="module")
def installed(built: Built, uv: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with the wheel; its dependencies are looked up in this one, to spare the minute of installing them."""
    folder = tmp_path_factory.mktemp("installed")
    run([sys.executable, "-m", "venv", "--without-pip", str(folder)])
    python = folder / "bin" / "python"
    run([uv, "pip", "install", "--quiet", "--no-deps", "--compile-bytecode", "--python", str(python), str(built.wheel)])
    (packages,) = folder.glob("lib/python*/site-packages")
    # Paths named by a .pth file come last and their own .pth files are not read: the editable install stays out.
    (packages / "dependencies.pth").write_text(
        f"{sysconfig.get_path('purelib')}\n{sysconfig.get_path('platlib')}\n", encoding="utf-8"
    )
    return folder


def test_wheel_holds_the_library_with_its_folders_and_nothing_else(root: Path, built: Built) -> None:
    expected = files_under(root / "clarify_ops", "clarify_ops")
    for folder in FOLDERS:
        expected |= files_under(root / folder, f"clarify_ops/{folder}")
    with zipfile.ZipFile(built.wheel) as archive:
        names = archive.namelist()
    assert len(names) == len(set(names))
    held = {name for name in names if ".dist-info/" not in name}
    assert held == expected
    assert "clarify_ops/py.typed" in held
    assert all(any(name.startswith(f"clarify_ops/{folder}/") for name in held) for folder in FOLDERS)


def test_wheel_carries_its_licence(root: Path, built: Built) -> None:
    with zipfile.ZipFile(built.wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/licenses/LICENSE"))
        assert archive.read(name) == (root / "LICENSE").read_bytes()


def test_sdist_holds_the_real_folders(built: Built) -> None:
    with tarfile.open(built.sdist) as archive:
        members = archive.getmembers()
    assert not [member.name for member in members if member.issym() or member.islnk()]
    top = {member.name.split("/")[1] for member in members}
    assert {"clarify_ops", "hatch_build.py", "pyproject.toml", "LICENSE", *FOLDERS} <= top


def test_checkout_is_importable_by_the_full_names(root: Path) -> None:
    for folder in FOLDERS:
        assert (root / "clarify_ops" / folder).resolve() == root / folder


def test_wheel_is_what_is_imported(installed: Path) -> None:
    program = "import clarify_ops, clarify_ops.components; print(clarify_ops.__file__, clarify_ops.components.__file__)"
    output = run([str(installed / "bin" / "python"), "-c", program], cwd=installed)
    assert all(Path(file).is_relative_to(installed) for file in output.split())


def test_short_names_stay_out_of_site_packages(installed: Path) -> None:
    program = "import importlib.util as u, sys; print(*(name for name in sys.argv[1:] if u.find_spec(name)))"
    assert run([str(installed / "bin" / "python"), "-c", program, *FOLDERS], cwd=installed).split() == []


def test_help_answers_at_once(installed: Path) -> None:
    command = [str(installed / "bin" / "clarify-ops"), "--help"]
    seconds = []
    for _ in range(3):
        before = children_seconds()
        assert "pretraining-bias" in run(
            command, cwd=installed, environment={"PATH": os.defpath, "HOME": str(installed)}
        )
        seconds.append(children_seconds() - before)
    # The best of three, for the first fills the disk's cache and a neighbour may have the processor's.
    assert min(seconds) < HELP_SECONDS


def run(command: list[str], *, cwd: Path | None = None, environment: Mapping[str, str] | None = None) -> str:
    """Standard output of a command that must succeed; PYTHONPATH, which would show it this checkout, is not passed on."""
    inherited = {name: value for name, value in os.environ.items() if name not in {"PYTHONPATH", "VIRTUAL_ENV"}}
    settings = {"UV_PYTHON_DOWNLOADS": "never", "UV_SYSTEM_CERTS": "true"}
    result = subprocess.run(
        command,
        cwd=cwd,
        env={**inherited, **settings} if environment is None else dict(environment),
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    return result.stdout


def children_seconds() -> float:
    """Processor time, user and system, of the processes that this one started and that have ended."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def files_under(folder: Path, name: str) -> set[str]:
    """Every file below a folder, links not followed, named as in the wheel."""
    return {
        f"{name}/{file.relative_to(folder).as_posix()}"
        for file in folder.rglob("*")
        if file.is_file() and "__pycache__" not in file.parts
    }

"""What every test may ask for."""

from __future__ import annotations

import os
import signal
import threading
from pathlib import Path

import pytest

from clarify_ops.steps.run import run

from .project import Project, write_documents

# Before anything imports boto3: no test may reach a real account, and the SageMaker SDK asks for a region on import.
os.environ.update(
    AWS_ACCESS_KEY_ID="testing",
    AWS_SECRET_ACCESS_KEY="testing",
    AWS_DEFAULT_REGION="us-east-1",
    AWS_CONFIG_FILE=os.devnull,
    AWS_SHARED_CREDENTIALS_FILE=os.devnull,
    AWS_EC2_METADATA_DISABLED="true",
)
for variable in ("AWS_PROFILE", "AWS_SESSION_TOKEN"):
    os.environ.pop(variable, None)

# One thread each: the tests run in as many processes as there are processors, and threads of OpenMP that wait for one keep
# it busy, which makes a fit take five times as long.
os.environ.setdefault("OMP_NUM_THREADS", "1")

ROOT = Path(__file__).resolve().parent.parent


def pytest_configure() -> None:
    """Ctrl-C and a closed terminal reach the tests' processes, though whatever started the tests ignores them.

    A shell's background jobs and nohup ignore them, and a process that is started inherits that.
    """
    for one, handler in ((signal.SIGINT, signal.default_int_handler), (signal.SIGHUP, signal.SIG_DFL)):
        if signal.getsignal(one) == signal.SIG_IGN and threading.current_thread() is threading.main_thread():
            signal.signal(one, handler)


# Whole runs take minutes each. At the end one process would wait for the other's.
LONGEST = ("tests/pipelines/", "tests/dags/", "tests/docs/test_readme.py", "tests/registry/", "tests/components/")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Puts them first, in whatever order they have among each other."""
    items.sort(key=lambda item: not item.nodeid.startswith(LONGEST))


@pytest.fixture(scope="session")
def root() -> Path:
    """The checkout."""
    return ROOT


@pytest.fixture(scope="session")
def shared() -> Path:
    """Reference data beside the checkout, which a user's clone does not have; .ci/run fails where a test goes without."""
    folder = Path(os.environ.get("CLARIFY_OPS_SHARED") or ROOT.parent / "shared")
    if not folder.is_dir():
        pytest.skip("needs CLARIFY_OPS_SHARED")
    return folder


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Project:
    """A small project in an empty folder, which is the working directory."""
    monkeypatch.chdir(tmp_path)
    made = Project(tmp_path, capsys)
    made.write()
    return made


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a small project whose pipeline has run; tests copy what they change."""
    folder = tmp_path_factory.mktemp("finished")
    write_documents(folder)
    run(folder / "pipeline.yaml", folder / "run", registry_uri=f"sqlite:///{folder}/registry/mlflow.db")
    return folder

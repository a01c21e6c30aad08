"""Two processes that register the same evidence at once make one version."""

from __future__ import annotations

import itertools
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from clarify_ops.registry.mlflow_registry import MlflowRegistry
from tests.conftest import ROOT

from .candidates import make_candidate
from .proxy import Action, proxy_to

# The other process makes the same candidate, and registers it.
OTHER = """
import json, sys
from pathlib import Path
from clarify_ops.registry.mlflow_registry import MlflowRegistry
from tests.registry.candidates import make_candidate

folder, address, name = sys.argv[1:]
print(MlflowRegistry(address, "at once").register(make_candidate(Path(folder)), name, "challenger").version)
"""


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")


@contextmanager
def another(folder: Path, address: str, name: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-c", OTHER, str(folder), address, name]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


@pytest.mark.parametrize("chosen", ["server", "postgresql_server"])
def test_two_that_make_a_version_at_the_same_moment(
    chosen: str, request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = request.getfixturevalue(chosen)
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "3")
    candidate = make_candidate(tmp_path)
    both, calls = threading.Barrier(2, timeout=120), itertools.count()

    def together(_method: str, path: str) -> Action:
        # A database may refuse one of two at the same moment, whose client then tries again, alone.
        if path.endswith("model-versions/create") and next(calls) < 2:
            both.wait()
        return "pass"

    with proxy_to(server) as proxy, another(tmp_path / "other", proxy.address, "together") as other:
        proxy.rule = together
        mine = MlflowRegistry(proxy.address, "at once").register(candidate, "together", "challenger")
        said, _ = other.communicate()
    assert said.strip() == mine.version == "1"
    (version,) = MlflowRegistry(server, "at once").versions("together")
    assert (version.version, version.complete, version.aliases) == ("1", True, ("challenger",))
    assert next(calls) >= 2


def test_one_that_was_overtaken(server: str, tmp_path: Path) -> None:
    """The other begins and ends while this one is about to make its version."""
    candidate = make_candidate(tmp_path)

    def overtaken(_method: str, path: str) -> Action:
        if path.endswith("model-versions/create"):
            with another(tmp_path / "other", server, "overtaken") as other:
                assert other.communicate()[0].strip() == "1"
        return "pass"

    with proxy_to(server) as proxy:
        proxy.rule = overtaken
        mine = MlflowRegistry(proxy.address, "at once").register(candidate, "overtaken", "challenger")
    assert mine.version == "1"
    (version,) = MlflowRegistry(server, "at once").versions("overtaken")
    assert (version.version, version.complete, version.aliases) == ("1", True, ("challenger",))

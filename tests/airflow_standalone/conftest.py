"""One Airflow for all tests: to start it takes half a minute."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest

from tests.airflow_standalone.scene import Scene, scene

TIMES = pytest.StashKey[list[str]]()


def pytest_configure(config: pytest.Config) -> None:
    # Whoever ends the tests ends Airflow with them: its processes belong to no terminal.
    for one in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(one, signal.default_int_handler)
    config.stash[TIMES] = []


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    for line in config.stash[TIMES]:
        terminalreporter.write_line(line)


@pytest.fixture(scope="session")
def stage(tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config) -> Iterator[Scene]:
    with scene(tmp_path_factory.mktemp("stage")) as made:
        pytestconfig.stash[TIMES].append(f"airflow standalone was ready after {made.seconds_to_start:.0f} s")
        yield made
        pytestconfig.stash[TIMES].extend(run.told_time() for run in made.runs)

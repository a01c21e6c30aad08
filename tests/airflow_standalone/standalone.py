"""`airflow standalone` in a home of its own, and what its REST API tells."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import requests

from tests.registry.servers import free_port

SECONDS_TO_START = 120
SECONDS_TO_STOP = 30
PARTS = ("metadatabase", "scheduler", "triggerer", "dag_processor")
ENDED = {"success", "failed"}
_BESIDE = Path(sys.executable).parent
Told = TypeVar("Told")
Document = dict[str, Any]


@dataclass
class Standalone:
    """A running Airflow.

    Attributes:
        address: Of its pages and of its API.
        home: Its folder, with its database, its settings and the logs.
        process: The parent of all of its processes.
        environment: What they know.
    """

    address: str
    home: Path
    process: subprocess.Popen[bytes]
    environment: Mapping[str, str]
    _session: requests.Session = field(default_factory=requests.Session)

    @property
    def log(self) -> Path:
        """What all of its processes said."""
        return self.home / "standalone.log"

    def ready(self) -> bool:
        """Whether every part is healthy; asks for the token with which the API is spoken to."""
        assert self.process.poll() is None, self.log.read_text(encoding="utf-8")
        try:
            health = requests.get(f"{self.address}/api/v2/monitor/health", timeout=10).json()
        except (requests.ConnectionError, requests.Timeout):
            return False
        if any(health[part]["status"] != "healthy" for part in PARTS):
            return False
        token = requests.get(f"{self.address}/auth/token", timeout=10).json()["access_token"]
        self._session.headers["Authorization"] = f"Bearer {token}"
        return True

    def command(self, *arguments: str) -> str:
        """What a command of Airflow's prints."""
        command = [str(_BESIDE / "airflow"), *arguments]
        done = subprocess.run(
            command, env=self.environment, cwd=self.home, capture_output=True, text=True, timeout=120, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def get(self, path: str, **query: str) -> Document:
        """The answer to a question."""
        return self._ask("GET", path, params=query)

    def post(self, path: str, document: Mapping[str, Any]) -> Document:
        return self._ask("POST", path, json=document)

    def patch(self, path: str, document: Mapping[str, Any]) -> Document:
        return self._ask("PATCH", path, json=document)

    def knows(self, dag: str) -> bool:
        """Whether the DAG's file has been read."""
        return self._session.get(f"{self.address}/api/v2/dags/{dag}", timeout=30).ok

    def trigger(self, dag: str, name: str, conf: Mapping[str, Any]) -> Run:
        """Starts a run of the DAG."""
        self.post(f"dags/{dag}/dagRuns", {"dag_run_id": name, "logical_date": None, "conf": dict(conf)})
        return Run(self, dag, name)

    def _ask(self, method: str, path: str, **rest: Any) -> Document:
        answer = self._session.request(method, f"{self.address}/api/v2/{path}", timeout=60, **rest)
        assert answer.ok, f"{method} {path}: {answer.status_code} {answer.text}"
        found: Document = answer.json()
        return found


@dataclass(frozen=True)
class Run:
    """A run of a DAG."""

    airflow: Standalone
    dag: str
    name: str

    @property
    def path(self) -> str:
        return f"dags/{self.dag}/dagRuns/{self.name}"

    def wait(self, seconds: float) -> str:
        """The state in which it ends."""
        return until(self._ended, seconds, lambda: f"{self.name} did not end: {self.tasks()}")

    def told_time(self) -> str:
        """How long it took, in words."""
        seconds = self.airflow.get(self.path)["duration"]
        return f"the run {self.name} " + ("did not end" if seconds is None else f"took {seconds:.0f} s")

    def tasks(self) -> dict[str, tuple[str | None, int]]:
        """State and number of the last try of each task."""
        found = self.airflow.get(f"{self.path}/taskInstances")["task_instances"]
        return {one["task_id"]: (one["state"], one["try_number"]) for one in found}

    def told(self, task: str) -> Document:
        """All XComs of a task, by key."""
        path = f"{self.path}/taskInstances/{task}/xcomEntries"
        keys = [one["key"] for one in self.airflow.get(path)["xcom_entries"]]
        return {key: self.airflow.get(f"{path}/{key}")["value"] for key in keys}

    def links(self, task: str) -> dict[str, str | None]:
        """The extra links of a task, by name."""
        found: dict[str, str | None] = self.airflow.get(f"{self.path}/taskInstances/{task}/links")["extra_links"]
        return found

    def log(self, task: str, attempt: int = 1) -> str:
        """What a try of a task logged."""
        return json.dumps(self.airflow.get(f"{self.path}/taskInstances/{task}/logs/{attempt}", full_content="true"))

    def _ended(self) -> str | None:
        state: str = self.airflow.get(self.path)["state"]
        return state if state in ENDED else None


def until(look: Callable[[], Told | None], seconds: float, otherwise: Callable[[], str]) -> Told:
    """Waits for something to be seen; fails with words after that many seconds."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := look():
            return found
        time.sleep(0.5)
    raise AssertionError(otherwise())


@contextmanager
def standalone(home: Path, dags: Path, variables: Mapping[str, str]) -> Iterator[Standalone]:
    """`airflow standalone` of this environment on free ports of the loopback address, until the block ends.

    It inherits no variable of this process: neither settings of another Airflow nor a PYTHONPATH, which would show it the
    checkout in place of what is installed.
    """
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    with _taken() as worker_logs, _taken() as trigger_logs, (home / "standalone.log").open("wb") as log:
        environment = {
            "PATH": f"{_BESIDE}:{os.defpath}",
            "HOME": str(home),
            "LANG": "C.UTF-8",
            "AIRFLOW_HOME": str(home),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__CORE__DAGS_FOLDER": str(dags),
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True",
            # Workers ask it at port 8080 otherwise, wherever it is.
            "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{address}/execution/",
            # As many workers as there are processors; 32 would be started otherwise.
            "AIRFLOW__CORE__PARALLELISM": "2",
            "AIRFLOW__API__HOST": "127.0.0.1",
            "AIRFLOW__API__PORT": str(port),
            "AIRFLOW__API__BASE_URL": address,
            "AIRFLOW__API__WORKERS": "1",
            # These two servers would listen on every address of the machine. They find their ports taken and end; pages
            # read logs from the folder.
            "AIRFLOW__LOGGING__WORKER_LOG_SERVER_PORT": str(worker_logs),
            "AIRFLOW__LOGGING__TRIGGER_LOG_SERVER_PORT": str(trigger_logs),
            **variables,
        }
        process = subprocess.Popen(
            [str(_BESIDE / "airflow"), "standalone"],
            env=environment,
            cwd=home,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        try:
            yield Standalone(address, home, process, environment)
        finally:
            stop(process)
    with socket.socket() as visitor:
        assert visitor.connect_ex(("127.0.0.1", port)) != 0, "Airflow's pages are still there."


def stop(process: subprocess.Popen[bytes]) -> None:
    """Ends every process of the session: running tasks have process groups of their own, and outlive their parent."""
    try:
        _signal(process, signal.SIGTERM)
        deadline = time.monotonic() + SECONDS_TO_STOP
        while time.monotonic() < deadline and _session(process):
            time.sleep(0.1)
    finally:
        # Twice, for one that was just starting another.
        _signal(process, signal.SIGKILL)
        _signal(process, signal.SIGKILL)
        process.wait(SECONDS_TO_STOP)


def _signal(process: subprocess.Popen[bytes], sign: signal.Signals) -> None:
    for one in _session(process):
        with suppress(ProcessLookupError):
            os.kill(one, sign)


def _session(process: subprocess.Popen[bytes]) -> list[int]:
    """Ids of the processes that it started, and of those that these started."""
    process.poll()
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            state, _, _, session = (place / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()[:4]
            if int(session) == process.pid and state != "Z":
                found.append(int(place.name))
    return found


@contextmanager
def _taken() -> Iterator[int]:
    """A port on which nobody else can listen, whatever the address."""
    with socket.socket(socket.AF_INET6) as holder:
        holder.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        holder.bind(("", 0))
        yield int(holder.getsockname()[1])

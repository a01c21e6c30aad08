"""The registry behaves itself in somebody else's process, and says in one sentence when it cannot."""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
from dataclasses import replace
from pathlib import Path

import mlflow
import pytest
from mlflow import MlflowClient

from clarify_ops.errors import Outside
from clarify_ops.measures import Measure
from clarify_ops.registry.mlflow_registry import MlflowRegistry
from clarify_ops.registry.opening import registry_at
from clarify_ops.registry.protocol import Candidate

from .candidates import make_candidate


@pytest.fixture
def candidate(tmp_path: Path) -> Candidate:
    """A candidate with a long card, and a setting that is longer than MLflow takes."""
    made = make_candidate(tmp_path)
    made.documents["model_card.md"].write_text(
        "---\nlicense: none\n---\n\n# A card\n\n" + "word " * 3000, encoding="utf-8"
    )
    return replace(made, parameters={"train.estimator": "x.Y", "long": "z" * 9000})


@pytest.fixture
def registry(tmp_path: Path) -> MlflowRegistry:
    return MlflowRegistry(f"sqlite:///{tmp_path}/mlflow.db", "experiment", tmp_path / "artifacts")


def client(registry: MlflowRegistry) -> MlflowClient:
    return MlflowClient(registry.uri, registry.uri)


def test_a_recorded_candidate_has_a_run_and_no_model(registry: MlflowRegistry, candidate: Candidate) -> None:
    found = registry.record(candidate)
    assert found.version is None
    assert client(registry).search_registered_models() == []
    run = client(registry).get_run(found.run)
    assert run.data.tags["clarify_ops.verdict"] == candidate.release.verdict.outcome
    assert client(registry).search_logged_models([run.info.experiment_id]) == []


def test_the_card_is_the_description_without_its_front_matter(registry: MlflowRegistry, candidate: Candidate) -> None:
    registry.register(candidate, "credit", "challenger")
    description = str(client(registry).get_model_version("credit", "1").description)
    assert description.startswith("# A card")
    assert description.endswith("(cut; the whole card is among the run's artifacts)")
    assert len(description) < 5100


def test_the_process_tracks_where_it_tracked_before(
    registry: MlflowRegistry, candidate: Candidate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/of-the-user.db")
    registry.register(candidate, "credit", "challenger")
    assert mlflow.get_tracking_uri() == f"sqlite:///{tmp_path}/of-the-user.db"
    monkeypatch.delenv("MLFLOW_TRACKING_URI")
    registry.record(candidate)
    assert "MLFLOW_TRACKING_URI" not in os.environ


def test_a_registry_that_does_not_answer(candidate: Candidate, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    with pytest.raises(Outside, match=r"http://127\.0\.0\.1:9") as found:
        MlflowRegistry("http://127.0.0.1:9", "experiment").record(candidate)
    assert found.value.exit_status == 5


def test_a_database_that_is_none(candidate: Candidate, tmp_path: Path) -> None:
    (tmp_path / "bad.db").write_text("not a database at all", encoding="utf-8")
    with pytest.raises(Outside, match=r"bad\.db"):
        MlflowRegistry(f"sqlite:///{tmp_path}/bad.db", "experiment", tmp_path / "artifacts").record(candidate)


def test_metric_names_that_mlflow_would_refuse_or_mix_up(registry: MlflowRegistry, candidate: Candidate) -> None:
    """Values of a facet are whatever stands in the data."""
    values = ("../x", "..", "a(", "a[", "b/c", "")
    measures = tuple(
        Measure("data", "rows", float(place), facet="town", facet_value=value) for place, value in enumerate(values)
    )
    found = registry.record(replace(candidate, release=replace(candidate.release, measures=measures)))
    metrics = client(registry).get_run(found.run).data.metrics
    assert sorted(metrics.values()) == [0, 1, 2, 3, 4, 5]


def test_the_dataset_is_named_as_json(registry: MlflowRegistry, candidate: Candidate) -> None:
    found = registry.record(replace(candidate, data_uri='odd "name".csv'))
    inputs = client(registry).get_run(found.run).inputs
    assert inputs is not None
    (used,) = inputs.dataset_inputs
    assert json.loads(used.dataset.source) == {"uri": 'odd "name".csv'}


def test_a_password_is_in_no_message(candidate: Candidate) -> None:
    with pytest.raises(Outside) as caught:
        MlflowRegistry("ftp://me:secret@localhost/x", "experiment").record(candidate)
    assert "ftp://localhost/x" in str(caught.value)
    assert "secret" not in str(caught.value)


def test_tables_of_another_mlflow_are_a_failure_outside(tmp_path: Path) -> None:
    """So are tables that another process is making: trying again may help."""
    with contextlib.closing(sqlite3.connect(tmp_path / "mlflow.db")) as tables:
        tables.execute("CREATE TABLE alembic_version (version_num TEXT)")
        tables.execute("INSERT INTO alembic_version VALUES ('of-tomorrow')")
        tables.commit()
    with pytest.raises(Outside, match="Can't locate revision identified by 'of-tomorrow'"):
        registry_at(f"sqlite:///{tmp_path}/mlflow.db").versions(None)

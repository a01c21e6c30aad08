"""The MLflow Model Registry; with an SQLite file it needs no server."""

from __future__ import annotations

import json
import logging
import os
import tempfile
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from clarify_ops.data.source import address
from clarify_ops.errors import BadDocument, Outside
from clarify_ops.measures import Measure
from clarify_ops.registry.protocol import Candidate, Registration

if TYPE_CHECKING:
    from mlflow import MlflowClient

# MLflow's limits, beyond which it refuses a whole batch.
_LONGEST_PARAMETER = 6000
_PARAMETERS_A_BATCH, _METRICS_A_BATCH = 100, 1000
_DESCRIPTION = 5000
_TRACKING = "MLFLOW_TRACKING_URI"


class MlflowRegistry:
    """Writes runs and versions.

    Attributes:
        uri: Tracking and registry URI.
        experiment: Name of the experiment.
        artifacts: Folder for artifacts where the URI is a database file; a server decides for itself.
    """

    def __init__(self, uri: str, experiment: str, artifacts: Path | None = None) -> None:
        self.uri = uri
        self.experiment = experiment
        self.artifacts = artifacts

    def record(self, candidate: Candidate) -> Registration:
        """Keeps the run of a candidate and registers nothing."""
        with _speaking_to(self.uri):
            client = self._client()
            run = self._log_run(client, candidate)
            client.set_terminated(run)
            return Registration(address(self.uri), run, self._look())

    def register(self, candidate: Candidate, name: str, alias: str) -> Registration:
        """Keeps the run and makes a version of the model, with tags, an alias and the card as its description."""
        with _speaking_to(self.uri):
            client = self._client()
            run = self._log_run(client, candidate)
            experiment = client.get_run(run).info.experiment_id
            tags = _tags(candidate)
            logged = client.create_logged_model(experiment, name=name, source_run_id=run, tags=tags)
            client.log_model_artifacts(logged.model_id, str(candidate.model))
            client.finalize_logged_model(logged.model_id, "READY")
            self._ensure_model(client, name)
            version = client.create_model_version(
                name, logged.model_uri, run, tags=tags, description=_description(candidate), model_id=logged.model_id
            )
            client.set_registered_model_alias(name, alias, version.version)
            client.set_terminated(run)
            found = Registration(address(self.uri), run, self._look(), name, str(version.version), alias)
            return replace(found, tags=tags)

    def _client(self) -> MlflowClient:
        from mlflow import MlflowClient

        return MlflowClient(self.uri, self.uri)

    def _look(self) -> str:
        return f"mlflow ui --backend-store-uri {self.uri}" if self.artifacts is not None else address(self.uri)

    def _experiment(self, client: MlflowClient) -> str:
        found = client.get_experiment_by_name(self.experiment)
        if found is not None:
            if found.lifecycle_stage == "deleted":
                raise BadDocument(
                    f"The experiment {self.experiment!r} was deleted in {address(self.uri)}.",
                    "Restore it, or set registry.experiment.",
                )
            return str(found.experiment_id)
        location = None if self.artifacts is None else self.artifacts.resolve().as_uri()
        return str(client.create_experiment(self.experiment, artifact_location=location))

    def _log_run(self, client: MlflowClient, candidate: Candidate) -> str:
        from mlflow.entities import Metric, Param, RunTag

        release = candidate.release
        tags = _tags(candidate)
        run = client.create_run(
            self._experiment(client), run_name=f"{release.pipeline} {release.verdict.outcome}", tags=tags
        )
        identity = str(run.info.run_id)
        now = run.info.start_time
        params = [Param(key, value[:_LONGEST_PARAMETER]) for key, value in candidate.parameters.items()]
        metrics = [Metric(key, value, now, 0) for key, value in _metrics(release.measures).items()]
        for start in range(0, len(params), _PARAMETERS_A_BATCH):
            client.log_batch(identity, params=params[start : start + _PARAMETERS_A_BATCH])
        for start in range(0, len(metrics), _METRICS_A_BATCH):
            client.log_batch(identity, metrics=metrics[start : start + _METRICS_A_BATCH])
        client.log_batch(identity, tags=[RunTag("mlflow.note.content", _description(candidate))])
        self._log_dataset(client, identity, candidate)
        with tempfile.TemporaryDirectory() as folder:
            for name, path in candidate.documents.items():
                target = Path(folder, name)
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(path.read_bytes())
            for name, content in candidate.plots.items():
                target = Path(folder, "plots", name)
                target.parent.mkdir(exist_ok=True)
                target.write_bytes(content)
            client.log_artifacts(identity, folder)
        return identity

    @staticmethod
    def _log_dataset(client: MlflowClient, run: str, candidate: Candidate) -> None:
        from mlflow.entities import Dataset, DatasetInput, InputTag

        data = candidate.release.data
        # MLflow's own digests have 8 characters; the whole one stands in the run's tags and in the evidence.
        dataset = Dataset(
            name=Path(candidate.data_uri).name,
            digest=data.digest.removeprefix("sha256:")[:36],
            source_type="uri",
            source=json.dumps({"uri": candidate.data_uri}),
            profile=json.dumps({"num_rows": data.rows, "num_columns": data.columns}),
        )
        tags = [InputTag("mlflow.data.context", "training and evaluation"), InputTag("sha256", data.digest)]
        client.log_inputs(run, datasets=[DatasetInput(dataset, tags)])

    @staticmethod
    def _ensure_model(client: MlflowClient, name: str) -> None:
        from mlflow.exceptions import MlflowException, RestException
        from mlflow.protos.databricks_pb2 import RESOURCE_ALREADY_EXISTS, ErrorCode

        try:
            client.create_registered_model(name)
        except (MlflowException, RestException) as error:
            if error.error_code != ErrorCode.Name(RESOURCE_ALREADY_EXISTS):
                raise


def _tags(candidate: Candidate) -> dict[str, str]:
    """What a version is searched by."""
    verdict = candidate.release.verdict
    return {
        "clarify_ops.verdict": verdict.outcome,
        "clarify_ops.policy": verdict.policy,
        "clarify_ops.waived": str(len(verdict.waived)),
        "clarify_ops.evidence": candidate.evidence_digest,
        "clarify_ops.statement": candidate.statement_digest or "",
        **{
            f"clarify_ops.digest.{name}": value
            for name, value in candidate.release.digests.items()
            if name != "evidence"
        },
    }


def _metrics(measures: tuple[Measure, ...]) -> Mapping[str, float]:
    """Every defined number, with its interval, under a name that sorts by stage."""
    found: dict[str, float] = {}
    for one in measures:
        if one.value is None:
            continue
        subject = () if one.facet is None else (one.facet, str(one.facet_value))
        name = "/".join(_metric_name(part) for part in (one.stage, *subject, one.metric))
        while name in found:
            # Values such as a( and a[ differ in signs that MLflow does not take.
            name += "_"
        found[name] = one.value
        if one.interval is not None:
            found[f"{name}/low"], found[f"{name}/high"] = one.interval.low, one.interval.high
    return found


def _metric_name(text: str) -> str:
    # MLflow allows letters, digits and a few signs, and no part like "..": (40, 75] loses its brackets.
    allowed = "".join(sign if sign.isalnum() or sign in "_-. " else " " for sign in text).strip()[:60]
    return allowed if allowed.strip(".") else "_"


def _description(candidate: Candidate) -> str:
    card = candidate.documents.get("model_card.md")
    text = candidate.release.verdict.reason if card is None else card.read_text(encoding="utf-8")
    if text.startswith("---\n"):
        # MLflow shows Markdown, where the card's front matter would be a ruled paragraph.
        text = text.split("\n---\n", 1)[-1].lstrip()
    return (
        text
        if len(text) <= _DESCRIPTION
        else f"{text[:_DESCRIPTION].rsplit(chr(10), 1)[0]}\n\n(cut; the whole card is among the run's artifacts)"
    )


def _said(error: Exception, uri: str) -> str:
    # MLflow quotes the URI, which may hold a password.
    return str(error).strip().splitlines()[0].replace(uri, address(uri))


@contextmanager
def _speaking_to(uri: str) -> Iterator[None]:
    """MLflow without its chatter and telemetry, its failures as ours."""
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    import mlflow
    import mlflow.exceptions
    import sqlalchemy.exc

    loud: dict[str, Any] = {name: logging.getLogger(name) for name in ("mlflow", "alembic")}
    before = {name: logger.level for name, logger in loud.items()}
    for logger in loud.values():
        logger.setLevel(logging.ERROR)
    # A client has its URIs, but behind it MLflow looks up a version's logged model where the whole process tracks.
    elsewhere = os.environ.get(_TRACKING)
    mlflow.set_tracking_uri(uri)
    try:
        with warnings.catch_warnings():
            # Deprecations between MLflow and its database library: nothing that a user could do something about.
            warnings.simplefilter("ignore")
            yield
    except mlflow.exceptions.MlflowException as error:
        raise Outside(
            f"The MLflow registry {address(uri)} failed: {_said(error, uri)}", "Try again once it answers."
        ) from error
    except (OSError, sqlalchemy.exc.SQLAlchemyError) as error:
        raise Outside(f"The MLflow registry {address(uri)} cannot be used: {_said(error, uri)}") from error
    finally:
        # None, which its signature does not know, gives the choice back to the variable.
        mlflow.set_tracking_uri(None)  # type: ignore[arg-type]
        if elsewhere is not None:
            os.environ[_TRACKING] = elsewhere
        for name, logger in loud.items():
            logger.setLevel(before[name])

"""What a run in MLflow holds of a candidate: parameters, numbers, the dataset, documents and plots."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from clarify_ops.documents import write_json
from clarify_ops.measures import Measure
from clarify_ops.registry.contents import CONTENTS, contents
from clarify_ops.registry.protocol import Candidate

if TYPE_CHECKING:
    from mlflow import MlflowClient

PLOTS = "plots"
# MLflow's limits, beyond which it refuses a whole batch.
_LONGEST_PARAMETER = 6000
_PARAMETERS_A_BATCH, _METRICS_A_BATCH = 100, 1000
_DESCRIPTION = 5000


def log_run(client: MlflowClient, experiment: str, candidate: Candidate, tags: Mapping[str, str]) -> str:
    """Makes a run and keeps in it what there is of a candidate, but for its model; the run stays open.

    Args:
        client: Of the registry.
        experiment: Its id.
        candidate: What to keep.
        tags: What the run is searched by.

    Returns:
        The id of the run.
    """
    from mlflow.entities import Metric, Param, RunTag

    release = candidate.release
    run = client.create_run(experiment, run_name=f"{release.pipeline} {release.verdict.outcome}", tags=dict(tags))
    identity = str(run.info.run_id)
    now = run.info.start_time
    params = [Param(key, value[:_LONGEST_PARAMETER]) for key, value in candidate.parameters.items()]
    metrics = [Metric(key, value, now, 0) for key, value in _metrics(release.measures).items()]
    for start in range(0, len(params), _PARAMETERS_A_BATCH):
        client.log_batch(identity, params=params[start : start + _PARAMETERS_A_BATCH])
    for start in range(0, len(metrics), _METRICS_A_BATCH):
        client.log_batch(identity, metrics=metrics[start : start + _METRICS_A_BATCH])
    client.log_batch(identity, tags=[RunTag("mlflow.note.content", description(candidate))])
    _log_dataset(client, identity, candidate)
    with tempfile.TemporaryDirectory() as folder:
        _lay_out(candidate, Path(folder))
        client.log_artifacts(identity, folder)
    return identity


def description(candidate: Candidate) -> str:
    """The card as a version or a run shows it."""
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


def _lay_out(candidate: Candidate, folder: Path) -> None:
    for name, path in candidate.documents.items():
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(path.read_bytes())
    for name, content in candidate.plots.items():
        target = folder / PLOTS / name
        target.parent.mkdir(exist_ok=True)
        target.write_bytes(content)
    write_json(folder / CONTENTS, contents(candidate))


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
    context = "evaluation" if candidate.release.model.elsewhere else "training and evaluation"
    tags = [InputTag("mlflow.data.context", context), InputTag("sha256", data.digest)]
    client.log_inputs(run, datasets=[DatasetInput(dataset, tags)])


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

"""The champion: found, asked about the rows that the candidate is judged on, and compared with it."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clarify_ops.bias.paired import compare_bias
from clarify_ops.bias.report import requested_metrics
from clarify_ops.config.pipeline import Elsewhere, Origin, TrainSection
from clarify_ops.documents import read_document, write_json
from clarify_ops.errors import BadData, BadInput, BadModel, ClarifyOpsError, Refused
from clarify_ops.gate.evidence import read_evidence
from clarify_ops.measures import Measure
from clarify_ops.models.mlflow_model import DESCRIPTION, load_model_at
from clarify_ops.quality.found import Predictions
from clarify_ops.quality.paired import McNemar, Pair, compare_quality
from clarify_ops.registry.opening import open_registry
from clarify_ops.registry.protocol import RegisteredVersion
from clarify_ops.steps.folder import Workspace
from clarify_ops.steps.inputs import Inputs
from clarify_ops.steps.progress import Progress
from clarify_ops.steps.train import PREDICTIONS, Predicted, kept_model
from clarify_ops.training.saving import model_digest

ALIAS = "champion"
# Said in place of a champion by whoever repeats a judgement that was made when there was none.
NOBODY = "none"
FOLDER, FACTS = "champion", "champion.json"
_BY_NAME = re.compile(r"models:/(?P<model>[^/@]+)(?:@(?P<alias>[^/@]+)|/(?P<version>\d+))")


@dataclass(frozen=True)
class Champion:
    """The champion's answers for the judged rows.

    Attributes:
        name: What it is called: `models:/NAME/VERSION`, or where it lies.
        predictions: For the rows of the candidate's, in their order.
        model: Digest of its files, where they are known.
        evidence: Digest of the evidence that it was registered with, where there is one.
        trained_on: Digest of the dataset that it was trained and judged on, where it is known.
    """

    name: str
    predictions: Predicted
    model: str | None = None
    evidence: str | None = None
    trained_on: str | None = None

    def claims(self) -> dict[str, str | None]:
        """What evidence says of it."""
        return {"model": self.model, "predictions": self.predictions.digest}


@dataclass(frozen=True)
class Comparison:
    """What came of comparing.

    Attributes:
        champion: None where there is none.
        measures: Of stage `champion`.
        facts: For `metrics.json`; empty where nothing was to be compared.
        missing: Why there is no champion; empty where there is one, or where no rule asks.
    """

    champion: Champion | None = None
    measures: tuple[Measure, ...] = ()
    facts: Mapping[str, Any] | None = None
    missing: str = ""


def compare(
    inputs: Inputs, candidate: Predicted, place: str | None, registry_uri: str | None, progress: Progress
) -> Comparison:
    """Compares where a rule of the policy asks for it.

    Args:
        inputs: Pipeline and data.
        candidate: The candidate's predictions of the judged rows.
        place: `models:/NAME@ALIAS` or `models:/NAME/VERSION` in the pipeline's registry, an MLflow model (a folder or a URI),
            predictions.parquet of a train step, or the `champion` folder of a gate; `none` for no comparison; None for the
            version that is called champion in the registry.
        registry_uri: Registry, in place of the pipeline's.
        progress: Told what is being done.

    Raises:
        BadInput: There is no such champion, or it cannot answer about these rows.
        Refused: Its predictions are about other rows.
        Outside: The registry failed.
    """
    if all(rule.stage != "champion" for rule in inputs.pipeline.policy.rules):
        return Comparison()
    progress("comparing with the champion")
    champion = None if place == NOBODY else find(inputs, candidate, place, registry_uri)
    if champion is None:
        return Comparison(missing=f"{inputs.pipeline.registry.model} has no champion in the registry yet.")
    measures, facts = compared(inputs, candidate, champion)
    return Comparison(champion, measures, facts)


def find(inputs: Inputs, candidate: Predicted, place: str | None, registry_uri: str | None) -> Champion | None:
    """The champion with its answers; None where none is named and the registry has none."""
    named = _BY_NAME.fullmatch(place) if place is not None else None
    if place is None or named is not None:
        return _registered(inputs, candidate, place, named, registry_uri)
    path = Path(place)
    if (path / FACTS).is_file():
        return kept(path, candidate)
    if path.is_file() and path.suffix == ".parquet":
        return Champion(place, _same_rows(Predicted.read(path), candidate, inputs, place))
    if (path / DESCRIPTION).is_file():
        return _asked(inputs, candidate, place, path, inputs.pipeline.train)
    if ":/" not in place:
        raise BadInput(
            f"There is no champion {place}.",
            "Give models:/NAME@champion, an MLflow model folder, or predictions.parquet of a train step.",
        )
    return Champion(place, _answers(inputs, candidate, load_model_at(place), place))


def _registered(
    inputs: Inputs, candidate: Predicted, place: str | None, named: re.Match[str] | None, registry_uri: str | None
) -> Champion | None:
    wanted = named.groupdict() if named is not None else {"alias": ALIAS}
    registry = open_registry(inputs.pipeline, registry_uri)
    versions = registry.versions(wanted.get("model") or inputs.pipeline.registry.model)
    version = next((one for one in versions if _is(one, wanted)), None)
    if version is None:
        if place is None:
            return None
        raise BadInput(f"The registry has no {place}.", "Name a version or an alias that it has.")
    name = f"models:/{version.model}/{version.version}"
    with tempfile.TemporaryDirectory(prefix="clarify-ops-champion-") as folder:
        root = Path(folder)
        registry.fetch(version, root)
        if not (root / "model" / DESCRIPTION).is_file():
            raise BadModel(f"The registry does not have the model of the champion {name}.", "Promote another version.")
        section = _trained(root / "documents" / "pipeline.json", inputs.pipeline.train)
        champion = _asked(inputs, candidate, name, root / "model", section)
        try:
            trained_on = read_evidence(root / "documents" / "evidence.json").claims.get("data")
        except ClarifyOpsError:
            # Whoever registered it otherwise left none: where it comes from is not known then.
            trained_on = None
    return replace(champion, evidence=version.evidence, trained_on=trained_on)


def _is(one: RegisteredVersion, wanted: Mapping[str, str | None]) -> bool:
    alias = wanted.get("alias")
    return alias in one.aliases if alias is not None else one.version == wanted.get("version")


def _trained(pipeline: Path, own: Origin) -> Origin:
    """How a registered champion came to be: its own pipeline says it, but what to trust is said by the candidate's alone."""
    try:
        section = read_document(pipeline, "pipeline")["train"]
        words, estimator = section.get("elsewhere"), section.get("estimator")
    except (ClarifyOpsError, KeyError, TypeError, AttributeError):
        return own
    if isinstance(words, str) and not isinstance(own, Elsewhere):
        return Elsewhere(elsewhere=words)
    if isinstance(estimator, str) and isinstance(own, Elsewhere):
        # Its own package is trusted on nobody's word here.
        return TrainSection(estimator="sklearn.pipeline.Pipeline")
    return own


def _asked(inputs: Inputs, candidate: Predicted, name: str, folder: Path, section: Origin) -> Champion:
    predict = kept_model(section, inputs, folder, name)
    return Champion(name, _answers(inputs, candidate, predict, name), model=model_digest(folder))


def _answers(inputs: Inputs, candidate: Predicted, predict: Any, name: str) -> Predicted:
    rows = inputs.features.iloc[candidate.row].reset_index(drop=True)
    # A champion may have seen columns that the candidate does not.
    others = inputs.dataset.frame.drop(columns=list(rows.columns), errors="ignore").iloc[candidate.row]
    try:
        scores = np.asarray(predict(rows), dtype=np.float64)
    except BadModel:
        scores = np.asarray(predict(pd.concat([rows, others.reset_index(drop=True)], axis=1)), dtype=np.float64)
    if scores.shape != (len(rows),):
        raise BadModel(f"The champion {name} does not answer with one probability a row.", "Compare with a classifier.")
    return _scored(candidate, scores, inputs, name)


def _scored(candidate: Predicted, scores: NDArray[np.float64], inputs: Inputs, name: str) -> Predicted:
    if not bool(((scores >= 0) & (scores <= 1)).all()):
        raise BadModel(f"The scores of the champion {name} are not probabilities.", "Compare with a classifier.")
    threshold = inputs.pipeline.analysis.probability_threshold
    return replace(candidate, score=scores, predicted_label=scores > threshold)


def _same_rows(found: Predicted, candidate: Predicted, inputs: Inputs, name: str) -> Predicted:
    """Predictions that were made elsewhere, in the candidate's order and cut by the candidate's threshold."""
    places = {int(row): place for place, row in enumerate(found.row)}
    order = np.asarray([places.get(int(row), -1) for row in candidate.row], dtype=np.int64)
    if (order < 0).any() or not np.array_equal(found.label[order], candidate.label):
        raise Refused(
            f"The champion's predictions {name} are about other rows than those that the candidate is judged on.",
            "Predict the same rows with both, or name the champion's model.",
        )
    return _scored(candidate, found.score[order].astype(np.float64), inputs, name)


def compared(inputs: Inputs, candidate: Predicted, champion: Champion) -> tuple[tuple[Measure, ...], dict[str, Any]]:
    """Every measure of the comparison, and what is shown and decides nothing."""
    other = champion.predictions
    pair = Pair(
        Predictions(candidate.label, candidate.predicted_label, candidate.score),
        Predictions(other.label, other.predicted_label, other.score),
    )
    rows = inputs.predicted(candidate.row, candidate.predicted_label)
    sides = [((entry.facet, entry.value), rows.members(entry)) for entry in rows.entries]
    metrics = requested_metrics(inputs.analysis, "post_training")
    seed, level = inputs.pipeline.seed, inputs.level
    measures = (
        *compare_quality(pair, sides, level),
        *compare_bias(rows, other.predicted_label, metrics, level=level, seed=seed),
        _seen(inputs, champion),
    )
    mcnemar = McNemar.of(pair)
    flattered = champion.trained_on == inputs.dataset.digest
    words = "The champion was trained on the rows that it is compared on, which flatters it."
    facts = {
        "name": champion.name,
        "evidence": champion.evidence,
        "trained_on": champion.trained_on,
        **champion.claims(),
        "mcnemar": {**vars(mcnemar), "p_value": mcnemar.p_value},
        "warnings": [words] if flattered else [],
    }
    return measures, facts


def _seen(inputs: Inputs, champion: Champion) -> Measure:
    known = champion.trained_on
    value = None if known is None else float(known == inputs.dataset.digest)
    reason = "Nothing says what the champion was trained on." if known is None else ""
    rows = len(champion.predictions.row)
    return Measure("champion", "trained_on_these_rows", value, reason, groups={"all": rows}, exact=True)


def keep(work: Workspace, comparison: Comparison) -> None:
    """Leaves the champion's answers in a step's folder, so that the comparison can be made again without the registry."""
    if comparison.champion is None:
        return
    folder = work.folder / FOLDER
    folder.mkdir()
    comparison.champion.predictions.write(folder / PREDICTIONS)
    known = {name: value for name, value in vars(comparison.champion).items() if name != "predictions"}
    write_json(folder / FACTS, known)


def kept(folder: Path, candidate: Predicted) -> Champion:
    """The inverse of `keep`.

    Raises:
        BadData: The folder is not one that a gate left.
        Refused: It is about other rows.
    """
    document = read_document(folder / FACTS, "champion")
    predictions = Predicted.read(folder / PREDICTIONS)
    names = {"name", "model", "evidence", "trained_on"}
    if not isinstance(document, dict) or set(document) != names:
        raise BadData(f"The folder {folder} is not what a gate keeps of a champion.")
    if not np.array_equal(predictions.row, candidate.row) or not np.array_equal(predictions.label, candidate.label):
        raise Refused(f"The champion kept in {folder} was asked about other rows.", "Judge again: clarify-ops gate.")
    return Champion(predictions=predictions, **document)

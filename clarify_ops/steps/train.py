"""Train: fit, predict rows that were not seen, and save both; or take over a model that was trained elsewhere."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clarify_ops.config.pipeline import Elsewhere, Origin, Pipeline, TrainSection
from clarify_ops.data.source import address
from clarify_ops.documents import canonical, digest_bytes
from clarify_ops.errors import BadData, BadInput, Refused
from clarify_ops.gate.release import ModelFacts
from clarify_ops.models.artifact import model_folder
from clarify_ops.models.mlflow_model import Predict, load_predictor, open_kept
from clarify_ops.steps.folder import StepResult, read_step, step_output
from clarify_ops.steps.inputs import Inputs, check
from clarify_ops.steps.progress import Progress, silent
from clarify_ops.training.elsewhere import (
    copy_model,
    estimator_name,
    pinned_libraries,
    positive_scores,
    require_probabilities,
    seen_features,
)
from clarify_ops.training.fit import fit
from clarify_ops.training.saving import libraries, model_digest, save_model
from clarify_ops.training.split import Split, split_rows

NAME = "train"
MODEL = "model"
PREDICTIONS = "predictions.parquet"
EXAMPLE_ROWS = 3


def run(
    pipeline: str | Path,
    output: str | Path,
    *,
    data: str | None = None,
    model: str | Path | None = None,
    policy: str | Path | None = None,
    progress: Progress = silent,
) -> StepResult:
    """Trains the pipeline's estimator, or asks a model that was trained elsewhere.

    Args:
        pipeline: Path of the pipeline document.
        output: Folder to write: model/, predictions.parquet, metrics.json, step.json.
        data: URI of the dataset, in place of the pipeline's.
        model: Where the model is that was trained elsewhere, if the pipeline says so: a folder, an archive or a URI of an
            MLflow model.
        policy: Path of a policy, in place of the pipeline's.
        progress: Told what is being done.
    """
    inputs = check(Inputs.read(pipeline, data=data, policy=policy))
    document = inputs.pipeline
    require_model(document, model)
    positive = inputs.positives.matches
    split = split_rows(inputs.dataset, positive, document.split, document.seed)
    places = inputs.places() if model is None else {**inputs.places(), "model": address(str(model))}
    with step_output(NAME, Path(output), places) as work:
        if isinstance(document.train, Elsewhere):
            made = _given(inputs, document.train, str(model), work.folder / MODEL, progress)
        else:
            made = _fitted(inputs, document.train, split, work.folder / MODEL, progress)
        threshold = document.analysis.probability_threshold
        predictions = Predicted(
            row=np.flatnonzero(split.evaluated),
            fold=split.fold[split.evaluated],
            label=positive[split.evaluated],
            score=made.scores[split.evaluated],
            predicted_label=made.scores[split.evaluated] > threshold,
        )
        predictions.write(work.folder / PREDICTIONS)
        learnt = model_digest(work.folder / MODEL)
        facts = ModelFacts(
            name=document.registry.model,
            evaluation=split.words,
            threshold=threshold,
            digest=learnt,
            seed=document.seed,
            **made.facts,
        )
        work.claims.update(inputs.claims(), model=learnt, predictions=predictions.digest, rows=split.digests)
        work.metrics((), model=facts.to_json(), warnings=list(made.warnings))
        shutil.rmtree(work.folder / MODEL / "__pycache__", ignore_errors=True)
    return read_step(output, NAME)


def require_model(pipeline: Pipeline, model: str | Path | None) -> None:
    """Looks whether a model is given where one is needed, and nowhere else.

    Raises:
        BadInput: It is not.
    """
    section = pipeline.train
    if isinstance(section, Elsewhere) and model is None:
        raise BadInput(
            f"The pipeline {pipeline.name} says that its model was trained elsewhere, and no model is given.",
            "Give it: --model FOLDER, an archive, or a URI such as models:/NAME/1.",
        )
    if isinstance(section, TrainSection) and model is not None:
        raise BadInput(
            f"The pipeline {pipeline.name} fits {section.estimator} by itself, and the model {address(str(model))} is given as well.",
            'Leave out --model, or write train: {elsewhere: "who trained it"} in place of the estimator.',
        )


def kept_model(section: Origin, inputs: Inputs, folder: Path, name: str | None = None) -> Predict:
    """The probability of a positive label, by a model that a train step has kept.

    Args:
        section: How it came to be: the `train` section of its pipeline.
        inputs: Pipeline and data that it is asked about.
        folder: Its files.
        name: What sentences call it; absent: the folder.

    Raises:
        BadModel: It cannot be read, or nobody has said to trust it.
    """
    if isinstance(section, Elsewhere):
        return positive_scores(open_kept(folder, name or str(folder), trust=section.trust), inputs.labels)
    return load_predictor(folder, trusted={section.estimator.split(".")[0]})


def seen(inputs: Inputs, trained: StepResult) -> list[str]:
    """Features that the model of a train step sees: one that was trained elsewhere may take less than it is let see."""
    known = ModelFacts.from_json(trained.metrics["model"]).features
    return [name for name in inputs.columns.names if name in known]


@dataclass(frozen=True)
class _Made:
    """A model in its folder.

    Attributes:
        scores: (rows,) probability of a positive label; NaN where nothing was asked.
        facts: Of `ModelFacts`, those that depend on how it came to be.
        warnings: Sentences.
    """

    scores: NDArray[np.float64]
    facts: Mapping[str, Any]
    warnings: tuple[str, ...] = ()


def _fitted(inputs: Inputs, section: TrainSection, split: Split, folder: Path, progress: Progress) -> _Made:
    fitted = fit(
        inputs.features,
        inputs.positives.matches,
        columns=inputs.columns,
        section=section,
        split=split,
        seed=inputs.pipeline.seed,
        progress=progress,
    )
    progress("saving the model")
    save_model(fitted.model, folder, inputs.features.head(EXAMPLE_ROWS), trusted={section.estimator.split(".")[0]})
    facts = {
        "estimator": section.estimator,
        "parameters": section.parameters,
        "features": inputs.columns.kinds,
        "rows": int(split.released.sum()),
        "libraries": libraries(fitted.model),
    }
    return _Made(fitted.scores, facts, fitted.warnings)


def _given(inputs: Inputs, section: Elsewhere, place: str, folder: Path, progress: Progress) -> _Made:
    name = address(place)
    with tempfile.TemporaryDirectory(prefix="clarify-ops-model-") as scratch:
        progress("fetching the model")
        copy_model(model_folder(place, Path(scratch)), folder, name)
    progress("asking the model")
    model = open_kept(folder, name, trust=section.trust)
    taken = seen_features(model, inputs.columns, inputs.dataset, inputs.pipeline.data.features)
    scores = positive_scores(model, inputs.labels)(inputs.features[taken])
    require_probabilities(scores, name)
    left = [feature for feature in inputs.columns.names if feature not in taken]
    facts = {
        "estimator": estimator_name(model),
        "parameters": {},
        "features": {feature: inputs.columns.kinds[feature] for feature in taken},
        "rows": None,
        "libraries": pinned_libraries(folder),
        "elsewhere": section.elsewhere,
    }
    return _Made(scores, facts, (f"The model does not take {', '.join(left)}.",) if left else ())


@dataclass(frozen=True)
class Predicted:
    """Predictions for rows that the predicting model did not see.

    Attributes:
        row: (n,) position in the dataset.
        fold: (n,) number of the fold.
        label: (n,) observed positive.
        score: (n,) probability of a positive label.
        predicted_label: (n,) score above the threshold.
    """

    row: NDArray[np.int64]
    fold: NDArray[np.int64]
    label: NDArray[np.bool_]
    score: NDArray[np.float64]
    predicted_label: NDArray[np.bool_]

    def write(self, path: Path) -> None:
        """As Parquet."""
        pd.DataFrame(vars(self)).to_parquet(path, index=False)

    @classmethod
    def read(cls, path: Path) -> Predicted:
        """The inverse of `write`.

        Raises:
            BadData: The file is missing, or not one that a train step wrote.
        """
        names = list(cls.__dataclass_fields__)
        try:
            frame = pd.read_parquet(path)[names]
        except FileNotFoundError as error:
            raise BadData(f"The predictions {path} do not exist.", "Run clarify-ops train first.") from error
        except (OSError, ValueError, KeyError) as error:
            raise BadData(f"The file {path} does not hold the predictions of a train step.") from error
        return cls(**{name: frame[name].to_numpy() for name in names})

    @property
    def digest(self) -> str:
        """Of the content, scores to 12 significant digits: the bytes of a Parquet file depend on who wrote it."""
        return digest_bytes(canonical({name: values.tolist() for name, values in vars(self).items()}))


def require_predicted(inputs: Inputs, trained: StepResult, predictions: Predicted) -> None:
    """Holds predictions against the split and the labels of the dataset: a train step has no choice in these.

    Raises:
        Refused: They are about other rows, folds or labels than the pipeline's, or cut the scores elsewhere.
    """
    positive = inputs.positives.matches
    split = split_rows(inputs.dataset, positive, inputs.pipeline.split, inputs.pipeline.seed)
    asked = split.evaluated
    scores = predictions.score
    given = {
        "rows": np.array_equal(predictions.row, np.flatnonzero(asked)) and trained.claims.get("rows") == split.digests,
        "folds": np.array_equal(predictions.fold, split.fold[asked]),
        "labels": np.array_equal(predictions.label, positive[asked]),
        "scores": bool(((scores >= 0) & (scores <= 1)).all()),
        "predicted labels": np.array_equal(
            predictions.predicted_label, scores > inputs.pipeline.analysis.probability_threshold
        ),
    }
    for what, right in given.items():
        if not right:
            raise Refused(
                f"The predictions in {trained.folder} have other {what} than this pipeline gives.", "Train again."
            )

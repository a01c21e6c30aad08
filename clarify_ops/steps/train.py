"""Train: fit, predict rows that were not seen, and save both."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clarify_ops.documents import canonical, digest_bytes
from clarify_ops.errors import BadData, Refused
from clarify_ops.gate.release import ModelFacts
from clarify_ops.steps.folder import StepResult, read_step, step_output
from clarify_ops.steps.inputs import Inputs, Progress, check, silent
from clarify_ops.training.fit import fit
from clarify_ops.training.saving import libraries, model_digest, save_model
from clarify_ops.training.split import split_rows

NAME = "train"
MODEL = "model"
PREDICTIONS = "predictions.parquet"
EXAMPLE_ROWS = 3


def run(
    pipeline: str | Path,
    output: str | Path,
    *,
    data: str | None = None,
    policy: str | Path | None = None,
    progress: Progress = silent,
) -> StepResult:
    """Trains the pipeline's estimator.

    Args:
        pipeline: Path of the pipeline document.
        output: Folder to write: model/, predictions.parquet, metrics.json, step.json.
        data: URI of the dataset, in place of the pipeline's.
        policy: Path of a policy, in place of the pipeline's.
        progress: Told what is being done.
    """
    inputs = check(Inputs.read(pipeline, data=data, policy=policy))
    document = inputs.pipeline
    positive = inputs.positives.matches
    split = split_rows(inputs.dataset, positive, document.split, document.seed)
    with step_output(NAME, Path(output), inputs.places()) as work:
        fitted = fit(
            inputs.features,
            positive,
            columns=inputs.columns,
            section=document.train,
            split=split,
            seed=document.seed,
            progress=progress,
        )
        threshold = document.analysis.probability_threshold
        predictions = Predicted(
            row=np.flatnonzero(split.evaluated),
            fold=split.fold[split.evaluated],
            label=positive[split.evaluated],
            score=fitted.scores[split.evaluated],
            predicted_label=fitted.scores[split.evaluated] > threshold,
        )
        predictions.write(work.folder / PREDICTIONS)
        progress("saving the model")
        save_model(
            fitted.model,
            work.folder / MODEL,
            inputs.features.head(EXAMPLE_ROWS),
            trusted={document.train.estimator.split(".")[0]},
        )
        learnt = model_digest(work.folder / MODEL)
        facts = ModelFacts(
            name=document.registry.model,
            estimator=document.train.estimator,
            parameters=document.train.parameters,
            features=inputs.columns.kinds,
            rows=int(split.released.sum()),
            evaluation=split.words,
            threshold=threshold,
            digest=learnt,
            seed=document.seed,
            libraries=libraries(fitted.model),
        )
        work.claims.update(inputs.claims(), model=learnt, predictions=predictions.digest, rows=split.digests)
        work.metrics((), model=facts.to_json(), warnings=list(fitted.warnings))
        shutil.rmtree(work.folder / MODEL / "__pycache__", ignore_errors=True)
    return read_step(output, NAME)


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

"""What happens around a step inside a Kubeflow task: documents arrive as text, errors leave as a sentence and an exit status.

It stands outside the package of the components, which cannot be imported inside a task: kfp.dsl is a smaller one there.
"""

from __future__ import annotations

import math
import re
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from clarify_ops.errors import BadInput, ClarifyOpsError, Refused, Undecided
from clarify_ops.measures import Measure

if TYPE_CHECKING:
    from clarify_ops.registry.audit import Audit

CURVE_POINTS = 200
# user:password@ of an address, or a query that is signed.
_SECRET = re.compile(r"://[^/\s:@]*:[^/\s@]+@|[?&](?:X-Amz-Signature|Signature|sig|token)=", re.IGNORECASE)


@dataclass(frozen=True)
class Task:
    """The inputs of a step, as files.

    Attributes:
        pipeline: Path of the pipeline document.
        policy: Path of the policy, if one was given.
        data: URI or path of the dataset, if one was given.
    """

    pipeline: Path
    policy: Path | None
    data: str | None

    @property
    def common(self) -> dict[str, Any]:
        """What every step takes besides the pipeline."""
        return {"data": self.data, "policy": self.policy, "progress": tell}


@contextmanager
def task(pipeline: str, policy: str, data: str, dataset: Any, registry_uri: str = "") -> Iterator[Task]:
    """Writes the documents to a temporary folder, and ends the process where a step refuses.

    Args:
        pipeline: The pipeline document, as text.
        policy: A policy, as text; "" for the pipeline's own.
        data: URI of the dataset; "" for the pipeline's own.
        dataset: A dataset artifact, or None; it goes before `data`.
        registry_uri: Only looked at: for a password.
    """
    with one_sentence(), tempfile.TemporaryDirectory() as folder:
        refuse_secrets(pipeline=pipeline, policy=policy, data=data, registry_uri=registry_uri)
        yield Task(
            pipeline=_file(folder, "pipeline.yaml", pipeline),
            policy=_file(folder, "policy.yaml", policy) if policy else None,
            data=str(dataset.path) if dataset is not None else data or None,
        )


def refuse_secrets(**parameters: object) -> None:
    """Stops where a parameter of a task holds a password, before it is used and so before it is missed.

    Raises:
        BadInput: One does.
    """
    for name, value in parameters.items():
        if isinstance(value, str) and _SECRET.search(value):
            raise BadInput(
                f"The parameter {name} holds an address with a password, and Kubeflow shows the parameters of a run to"
                " everybody who may see it.",
                "Change the password, and give it to the tasks in their environment, from a secret of Kubernetes:"
                " MLFLOW_TRACKING_URI, or what the store's driver reads.",
            )


@contextmanager
def one_sentence() -> Iterator[None]:
    """Ends the process where something was refused, as the command line does: a sentence, and its exit status."""
    try:
        yield
    except ClarifyOpsError as error:
        print(f"error: {error}", file=sys.stderr)
        # Without a traceback: the sentence is the last line of the task's log.
        raise SystemExit(error.exit_status) from None


def require_may_register(verdict: Mapping[str, Any]) -> None:
    """Fails a task whose model the gate refuses.

    Args:
        verdict: The document of verdict.json.

    Raises:
        Refused: The verdict is FAIL.
        Undecided: It is INCONCLUSIVE, and the policy blocks.
    """
    if verdict["may_register"] is not True:
        kind = Refused if verdict["outcome"] == "FAIL" else Undecided
        raise kind(f"The gate says {verdict['outcome']}: {verdict['reason']}", "Nothing was registered.")


def require_clean(found: Audit) -> None:
    """Fails a task that found versions without valid evidence.

    Raises:
        Refused: There are any; all are told on standard error before.
    """
    for line in found.lines():
        tell(line)
    if found.findings:
        raise Refused(found.summary, "Demote them: audit with demote.")


def log_measures(metrics: Any, measures: Iterable[Measure]) -> None:
    """Puts measures into a Metrics artifact, which the user interface shows; undefined ones are in metrics.json alone.

    So are infinite ones: the file that hands a task's metadata over is JSON, which has no word for infinity.
    """
    for one in measures:
        if one.value is not None and math.isfinite(one.value):
            metrics.log_metric(f"{one.stage} {one.metric}, {one.subject}", one.value)


def log_predictions(metrics: Any, training: str) -> None:
    """Puts the confusion matrix and the ROC curve of the judged rows into a ClassificationMetrics artifact.

    The curve is cut at quantiles of the scores, not at every row's own.

    Args:
        metrics: The artifact.
        training: Output folder of the train step.
    """
    import numpy as np

    from clarify_ops.steps.train import PREDICTIONS, Predicted

    found = Predicted.read(Path(training, PREDICTIONS))
    sides = (~found.label, found.label)
    matrix = [[int((side & ~found.predicted_label).sum()), int((side & found.predicted_label).sum())] for side in sides]
    metrics.log_confusion_matrix(["negative", "positive"], matrix)
    if not all(side.any() for side in sides):
        return
    cuts = np.unique(np.quantile(found.score, np.linspace(0, 1, CURVE_POINTS - 2)))[::-1]
    # Just above every score, where the curve begins, and at the lowest one, where it ends.
    cuts = np.concatenate([[np.nextafter(1, 2)], cuts, [0]])
    reached = [(found.score[side] >= cuts[:, None]).mean(axis=1).tolist() for side in sides]
    metrics.log_roc_curve(*reached, cuts.tolist())


def tell(words: str) -> None:
    """Progress, for the task's log."""
    print(words, file=sys.stderr, flush=True)


def _file(folder: str, name: str, text: str) -> Path:
    path = Path(folder, name)
    path.write_text(text, encoding="utf-8")
    return path

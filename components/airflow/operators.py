"""The steps that measure and train, and publishing, as Airflow operators."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from airflow.sdk import BaseOperatorLink, Context

from clarify_ops.components.airflow.links import ModelCardLink, ReportLink
from clarify_ops.components.airflow.step import COMMON, StepOperator, Text

_DOCUMENTS = (*COMMON, "pipeline", "data", "policy")


class PretrainingBiasOperator(StepOperator):
    """Measures bias in the labels, counts every group, and looks for columns that give label or facet away.

    Args:
        pipeline: The pipeline document (pipeline.yaml): its path.
        output_folder: Folder to write, which the tasks after this one can read.
        data: URI of the dataset, in place of the pipeline's.
        policy: A policy, in place of the pipeline's: its path.
        kwargs: As of StepOperator.
    """

    step = "pretraining-bias"
    template_fields: Sequence[str] = _DOCUMENTS
    operator_extra_links: Sequence[BaseOperatorLink] = ()

    def __init__(
        self,
        *,
        pipeline: Text,
        output_folder: Text,
        data: Text | None = None,
        policy: Text | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(output_folder=output_folder, **kwargs)
        self._take(pipeline=pipeline, data=data, policy=policy)


class TrainOperator(StepOperator):
    """Fits the estimator, predicts rows that were not seen, and saves an MLflow model as data, not as a pickle.

    Args:
        pipeline: The pipeline document (pipeline.yaml): its path.
        output_folder: Folder to write, which the tasks after this one can read.
        data: URI of the dataset, in place of the pipeline's.
        model: A model that was trained elsewhere, in place of fitting one: an MLflow model.
        policy: A policy, in place of the pipeline's: its path.
        kwargs: As of StepOperator.
    """

    step = "train"
    template_fields: Sequence[str] = (*_DOCUMENTS, "model")
    operator_extra_links: Sequence[BaseOperatorLink] = ()

    def __init__(
        self,
        *,
        pipeline: Text,
        output_folder: Text,
        data: Text | None = None,
        model: Text | None = None,
        policy: Text | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(output_folder=output_folder, **kwargs)
        self._take(pipeline=pipeline, data=data, model=model, policy=policy)


class PosttrainingBiasOperator(StepOperator):
    """Measures bias of the predictions, and their quality for everybody and for each facet value.

    Args:
        pipeline: The pipeline document (pipeline.yaml): its path.
        training: Output folder of the train step.
        output_folder: Folder to write, which the tasks after this one can read.
        data: URI of the dataset, in place of the pipeline's.
        policy: A policy, in place of the pipeline's: its path.
        kwargs: As of StepOperator.
    """

    step = "posttraining-bias"
    template_fields: Sequence[str] = (*_DOCUMENTS, "training")
    operator_extra_links: Sequence[BaseOperatorLink] = ()

    def __init__(
        self,
        *,
        pipeline: Text,
        training: Text,
        output_folder: Text,
        data: Text | None = None,
        policy: Text | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(output_folder=output_folder, **kwargs)
        self._take(pipeline=pipeline, training=training, data=data, policy=policy)


class ExplainOperator(StepOperator):
    """Attributes every score to features with Kernel SHAP, and shows what each feature does on average.

    Args:
        pipeline: The pipeline document (pipeline.yaml): its path.
        training: Output folder of the train step.
        output_folder: Folder to write, which the tasks after this one can read.
        data: URI of the dataset, in place of the pipeline's.
        policy: A policy, in place of the pipeline's: its path.
        kwargs: As of StepOperator.
    """

    step = "explain"
    template_fields: Sequence[str] = (*_DOCUMENTS, "training")
    operator_extra_links: Sequence[BaseOperatorLink] = ()

    def __init__(
        self,
        *,
        pipeline: Text,
        training: Text,
        output_folder: Text,
        data: Text | None = None,
        policy: Text | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(output_folder=output_folder, **kwargs)
        self._take(pipeline=pipeline, training=training, data=data, policy=policy)


class PublishOperator(StepOperator):
    """Puts report, card and verdict where people look, and says how the run ended, however it ended.

    As the last task of a DAG, `PublishOperator(...).as_teardown()`: it runs whatever became of the others, and the DAG's
    state stays theirs. `release` is then a path, for a task that failed returned none.

    Args:
        to: Folder or prefix that the run has for itself, and that people can read.
        output_folder: Folder to write, which the tasks after this one can read.
        release: Output folder of the gate or the register step; where there is none, a page says how far the run came.
        state: How the run ended, in the orchestrator's words; by default as the other tasks' states say.
        message: Why it ended so; by default which tasks failed.
        kwargs: As of StepOperator.
    """

    step = "publish"
    template_fields: Sequence[str] = (*COMMON, "release", "to", "state", "message")
    operator_extra_links: Sequence[BaseOperatorLink] = (ReportLink(), ModelCardLink())
    _ENDS: ClassVar[tuple[str, ...]] = ("failed", "upstream_failed")

    state: Text | None
    message: Text | None

    def __init__(
        self,
        *,
        to: Text,
        output_folder: Text,
        release: Text | None = None,
        state: Text | None = None,
        message: Text | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(output_folder=output_folder, **kwargs)
        self._take(to=to, release=release, state=state, message=message)

    def _filled_in(self, context: Context) -> dict[str, Any]:
        task = context["ti"]
        others = task.get_task_states(dag_id=task.dag_id, run_ids=[task.run_id]).get(task.run_id, {})
        failed = sorted(name for name, state in others.items() if state == "failed")
        broken = any(state in self._ENDS for state in others.values())
        words = f"{'This task' if len(failed) == 1 else 'These tasks'} failed: {', '.join(failed)}." if failed else None
        return {"state": self.state or ("failed" if broken else "success"), "message": self.message or words}

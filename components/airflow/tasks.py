"""The steps as functions for a DAG written with decorators.

    @dag
    def bias():
        trained = tasks.train(pipeline="pipeline.yaml", output_folder="/runs/{{ run_id }}/training")
        tasks.posttraining_bias(pipeline="pipeline.yaml", training=trained, output_folder="/runs/{{ run_id }}/bias")

A call makes a task, as it does with Airflow's own `@task`, and stands for what the task returns: the output folder.
Arguments, retries, errors and links are those of the operator behind it.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any, Generic, ParamSpec, cast

from airflow.sdk import XComArg
from airflow.sdk.bases.decorator import get_unique_task_id
from airflow.sdk.definitions.xcom_arg import PlainXComArg

from clarify_ops.components.airflow.judging import AuditOperator, GateOperator, RegisterOperator
from clarify_ops.components.airflow.operators import (
    ExplainOperator,
    PosttrainingBiasOperator,
    PretrainingBiasOperator,
    PublishOperator,
    TrainOperator,
)
from clarify_ops.components.airflow.step import StepOperator

P = ParamSpec("P")


class StepTask(Generic[P]):
    """A step to be called within a DAG; `operator` is what a call makes.

    Args:
        operator: Operator of the step.
        options: What every call hands to it besides, such as `retries`.
    """

    def __init__(self, operator: Callable[P, StepOperator], **options: Any) -> None:
        self.operator: Any = operator
        self.options = options
        self.__name__: str = cast("Any", operator).step.replace("-", "_")
        self.__doc__ = inspect.getdoc(operator)
        self.__signature__ = inspect.signature(inspect.unwrap(self.operator.__init__))

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> PlainXComArg:
        """Makes the task; stands for its output folder, and with a key (`["version"]`) for what else it tells."""
        made: StepOperator = self.operator(*args, **{**self._named(), **kwargs})
        return PlainXComArg(made)

    def override(self, **options: Any) -> StepTask[P]:
        """The same with other options: `task_id`, `retries`, `trigger_rule`, `outlets`, whatever operators take."""
        changed: StepTask[P] = StepTask(self.operator, **{**self.options, **options})
        return changed

    def partial(self, **kwargs: Any) -> _Partial:
        """Some arguments, for `.expand` to give the others: one task for each of many."""
        return _Partial(functools.partial(self.operator.partial, **{**self._named(), **kwargs}))

    def _named(self) -> dict[str, Any]:
        options = {"task_id": self.__name__, **self.options}
        group = {name: options[name] for name in ("dag", "task_group") if name in options}
        return {**options, "task_id": get_unique_task_id(options["task_id"], **group)}


class _Partial:
    def __init__(self, made: Callable[..., Any]) -> None:
        self._made = made

    def expand(self, **kwargs: Any) -> XComArg:
        """One task for each combination of what these hold."""
        return XComArg(self._made().expand(**kwargs))

    def expand_kwargs(self, kwargs: Any) -> XComArg:
        """One task for each of these dicts."""
        return XComArg(self._made().expand_kwargs(kwargs))


pretraining_bias = StepTask(PretrainingBiasOperator)
train = StepTask(TrainOperator)
posttraining_bias = StepTask(PosttrainingBiasOperator)
explain = StepTask(ExplainOperator)
gate = StepTask(GateOperator)
register = StepTask(RegisterOperator)
publish = StepTask(PublishOperator)
audit = StepTask(AuditOperator)

__all__ = [
    "StepTask",
    "audit",
    "explain",
    "gate",
    "posttraining_bias",
    "pretraining_bias",
    "publish",
    "register",
    "train",
]

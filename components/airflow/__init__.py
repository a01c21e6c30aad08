"""Airflow operators: the steps as tasks, with retries only where trying again may help."""

from clarify_ops.components.airflow.operators import (
    ExplainOperator,
    GateOperator,
    PosttrainingBiasOperator,
    PretrainingBiasOperator,
    RegisterOperator,
    StepOperator,
    TrainOperator,
)

__all__ = [
    "ExplainOperator",
    "GateOperator",
    "PosttrainingBiasOperator",
    "PretrainingBiasOperator",
    "RegisterOperator",
    "StepOperator",
    "TrainOperator",
]

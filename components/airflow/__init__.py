"""Airflow operators: the steps as tasks, with retries only where trying again may help."""

from clarify_ops.errors import MissingExtra

try:
    from clarify_ops.components.airflow.operators import (
        AuditOperator,
        ExplainOperator,
        GateOperator,
        PosttrainingBiasOperator,
        PretrainingBiasOperator,
        RegisterOperator,
        StepOperator,
        TrainOperator,
    )
except ModuleNotFoundError as error:
    if (error.name or "").partition(".")[0] != "airflow":
        raise
    raise MissingExtra.of("airflow", "Apache Airflow") from error

__all__ = [
    "AuditOperator",
    "ExplainOperator",
    "GateOperator",
    "PosttrainingBiasOperator",
    "PretrainingBiasOperator",
    "RegisterOperator",
    "StepOperator",
    "TrainOperator",
]

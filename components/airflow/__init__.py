"""Airflow operators, hook and sensor: the steps as tasks, with retries only where trying again may help."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from clarify_ops.errors import MissingExtra

if TYPE_CHECKING:
    from clarify_ops.components.airflow.assets import registered_model
    from clarify_ops.components.airflow.hook import RegistryHook
    from clarify_ops.components.airflow.judging import AuditOperator, GateOperator, RegisterOperator
    from clarify_ops.components.airflow.operators import (
        ExplainOperator,
        PosttrainingBiasOperator,
        PretrainingBiasOperator,
        PublishOperator,
        TrainOperator,
    )
    from clarify_ops.components.airflow.sensor import RegisteredVersionSensor
    from clarify_ops.components.airflow.step import StepOperator

__all__ = [
    "AuditOperator",
    "ExplainOperator",
    "GateOperator",
    "PosttrainingBiasOperator",
    "PretrainingBiasOperator",
    "PublishOperator",
    "RegisterOperator",
    "RegisteredVersionSensor",
    "RegistryHook",
    "StepOperator",
    "TrainOperator",
    "registered_model",
]

_MODULES = {
    "assets": ("registered_model",),
    "hook": ("RegistryHook",),
    "judging": ("AuditOperator", "GateOperator", "RegisterOperator"),
    "operators": (
        "ExplainOperator",
        "PosttrainingBiasOperator",
        "PretrainingBiasOperator",
        "PublishOperator",
        "TrainOperator",
    ),
    "sensor": ("RegisteredVersionSensor",),
    "step": ("StepOperator",),
}


def __getattr__(name: str) -> Any:
    # On first use: Airflow reads provider.py before it is ready itself, and a step's process has no Airflow at all.
    for module, names in _MODULES.items():
        if name in names:
            try:
                return getattr(import_module(f"{__name__}.{module}"), name)
            except ModuleNotFoundError as error:
                if (error.name or "").partition(".")[0] != "airflow":
                    raise
                raise MissingExtra.of("airflow", "Apache Airflow") from error
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

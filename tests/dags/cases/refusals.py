"""A DAG of ways to fail, each with what follows it. The folder of a finished run is its parameter."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow.sdk import DAG, XComArg, task

from clarify_ops.components.airflow import (
    AuditOperator,
    ExplainOperator,
    GateOperator,
    PretrainingBiasOperator,
    RegisterOperator,
    TrainOperator,
)

RUN = "{{ params.project }}/run"
OUT = "{{ params.output }}"
SAME: dict[str, Any] = {"pipeline": "{{ params.project }}/pipeline.yaml", "policy": "{{ params.project }}/strict.yaml"}
PARTS: dict[str, Any] = {
    **SAME,
    "pretraining_bias": f"{RUN}/pretraining_bias",
    "training": f"{RUN}/training",
    "posttraining_bias": f"{RUN}/posttraining_bias",
    "explanations": f"{RUN}/explanations",
}


@task.short_circuit
def may_register(answer: Any) -> bool:
    """Whether what follows is run."""
    return bool(answer)


@task
def deploy() -> None:
    """What must not happen."""


with DAG(
    dag_id="refusals",
    schedule=None,
    params={"project": "", "registry": "", "tampered": "", "output": ""},
    default_args={"retries": 1, "retry_delay": timedelta(seconds=0)},
) as dag:
    refused = RegisterOperator(
        task_id="refused", output_folder=f"{OUT}/refused", registry_uri="{{ params.registry }}", **PARTS
    )
    refused >> deploy.override(task_id="after_refused")()

    gate = GateOperator(task_id="gate", output_folder=f"{OUT}/gate", no_fail=True, **PARTS)
    may_register(XComArg(gate, key="may_register")) >> deploy.override(task_id="after_gate")()

    PretrainingBiasOperator(
        task_id="unreachable", output_folder=f"{OUT}/unreachable", data="ftp://127.0.0.1:9/loans.csv", **SAME
    )
    TrainOperator(task_id="wrong_input", output_folder=f"{OUT}/wrong", data="{{ params.project }}/nothing.csv", **SAME)
    ExplainOperator(task_id="missing_artifact", output_folder=f"{OUT}/missing", training=f"{RUN}/nothing", **SAME)
    AuditOperator(task_id="audit", output_folder=f"{OUT}/audit", registry_uri="{{ params.tampered }}")

"""A DAG written with decorators, in which a registration dies and a registry is away for a while."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

from airflow.sdk import Context, dag, task

from clarify_ops.components.airflow import RegisteredVersionSensor, registered_model, tasks

RUN = "{{ params.project }}/run"
OUT = "{{ params.output }}"
PIPELINE = "{{ params.project }}/pipeline.yaml"


def comes_back(context: Context) -> None:
    """Before the second try the registry's folder is where a file stood."""
    away = Path(context["params"]["away"])
    away.unlink()
    away.with_suffix(".back").rename(away)


@task
def told(outcome: Any, version: Any) -> str:
    """What a task after it gets."""
    return f"{outcome} {version}"


@dag(
    dag_id="faults",
    schedule=None,
    params={"project": "", "output": "", "away": "", "dies": "", "root": ""},
    default_args={"retries": 1, "retry_delay": timedelta(seconds=0), "pipeline": PIPELINE},
)
def faults() -> None:
    """Two registrations that succeed at their second try, and a wait for a person that is over."""
    biased = tasks.posttraining_bias(
        pipeline=PIPELINE, training=f"{RUN}/training", output_folder=f"{OUT}/posttraining_bias"
    )
    parts: dict[str, Any] = {
        "pipeline": PIPELINE,
        "pretraining_bias": f"{RUN}/pretraining_bias",
        "training": f"{RUN}/training",
        "posttraining_bias": biased,
        "explanations": f"{RUN}/explanations",
    }
    killed = tasks.register.override(
        task_id="killed", outlets=[registered_model("small-model", "https://me:secret@mlflow.example")]
    )(
        output_folder=f"{OUT}/killed",
        registry_conn_id="model_registry",
        # Python reads this folder's sitecustomize.py: the first process dies between the version and its alias.
        environment={
            "PYTHONPATH": "{{ params.dies }}:{{ params.root }}",
            "DIES_ONCE": f"{OUT}/died",
            "APP_PASSWORD": "pa55-of-environment",
        },
        **parts,
    )
    away = tasks.register.override(task_id="away", on_retry_callback=comes_back)(
        output_folder=f"{OUT}/away", registry_uri="sqlite:///{{ params.away }}/mlflow.db", **parts
    )
    told.override(task_id="told")(away["outcome"], away["version"])
    promoted = RegisteredVersionSensor(
        task_id="promoted", model="small-model", alias="challenger", registry_conn_id="model_registry", deferrable=True
    )
    nobody = RegisteredVersionSensor(
        task_id="nobody",
        model="small-model",
        version="1",
        registry_conn_id="model_registry",
        deferrable=True,
        timeout=0,
        retries=0,
    )
    killed >> [promoted, nobody]
    elsewhere = tasks.audit.override(task_id="elsewhere", retries=0)
    elsewhere(
        output_folder=f"{OUT}/elsewhere",
        registry_uri="{{ var.value.elsewhere }}",
        environment={"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0"},
    )


faults()

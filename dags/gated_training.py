"""Gated training on Airflow: a run that fails where the gate refuses, and is published however it ends.

The folder of the runs must be one that every worker sees. `champion_deployment.py` goes on when a model was registered.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow.sdk import DAG, AssetAlias, Param

from clarify_ops.components.airflow import (
    ExplainOperator,
    GateOperator,
    PosttrainingBiasOperator,
    PretrainingBiasOperator,
    PublishOperator,
    RegisterOperator,
    TrainOperator,
)

RUN = "{{ params.output }}/{{ run_id }}"
SAME: dict[str, Any] = {
    "pipeline": "{{ params.pipeline }}",
    "data": "{{ params.data or '' }}",
    "policy": "{{ params.policy or '' }}",
}


def parameter(description: str, default: str | None = None) -> Param:
    """Text that may be left out."""
    return Param(default, type=["null", "string"], description=description)


with DAG(
    dag_id="gated_training",
    description="Trains a model, measures its bias before and after, explains it, and registers it if the policy lets it.",
    schedule=None,
    catchup=False,
    tags=["clarify_ops"],
    params={
        "pipeline": Param("pipeline.yaml", type="string", description="Path of the pipeline document."),
        "output": Param("runs", type="string", description="Folder of the runs; each run makes one in it."),
        "data": parameter("URI of the dataset, in place of the pipeline's."),
        "policy": parameter("Path of a policy, in place of the pipeline's."),
        "registry_uri": parameter("The registry, in place of the pipeline's: an MLflow tracking URI, or S3."),
        "reports": parameter("Folder or prefix where people look for reports; each run makes one in it."),
    },
    # For a registry or a store that does not answer. A refused gate and wrong input fail at once all the same.
    default_args={"retries": 2, "retry_delay": timedelta(minutes=1)},
) as dag:
    before = PretrainingBiasOperator(task_id="pretraining_bias", output_folder=f"{RUN}/pretraining_bias", **SAME)
    trained = TrainOperator(task_id="train", output_folder=f"{RUN}/training", **SAME)
    after = PosttrainingBiasOperator(
        task_id="posttraining_bias", training=trained.output, output_folder=f"{RUN}/posttraining_bias", **SAME
    )
    explained = ExplainOperator(task_id="explain", training=trained.output, output_folder=f"{RUN}/explanations", **SAME)
    parts: dict[str, Any] = {
        "pretraining_bias": before.output,
        "training": trained.output,
        "posttraining_bias": after.output,
        "explanations": explained.output,
    }
    registry: dict[str, Any] = {"registry_uri": "{{ params.registry_uri or '' }}"}
    judged = GateOperator(task_id="gate", output_folder=f"{RUN}/gate", **registry, **parts, **SAME)
    # It trusts no verdict that it is handed, and judges again. With credentials, name a connection: registry_conn_id="...".
    registered = RegisterOperator(
        task_id="register",
        output_folder=f"{RUN}/release",
        # DAGs that wait for a version of this model are told.
        outlets=[AssetAlias("registered models")],
        **registry,
        **parts,
        **SAME,
    )
    published = PublishOperator(
        task_id="publish",
        # A path, not judged.output: a task that was refused returns none, and its report is there all the same.
        release=f"{RUN}/gate",
        to="{{ params.reports or params.output ~ '/published' }}/{{ run_id }}",
        output_folder=f"{RUN}/published",
    )
    # A teardown runs whatever became of the others, and leaves the run's state to them.
    judged >> registered >> published.as_teardown()

if __name__ == "__main__":
    dag.test()

"""Gated training on Airflow: five tasks, and a run that fails where the gate refuses.

The folder of the runs must be one that every worker sees. A refused model leaves report and card in it.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow.sdk import DAG, Param

from clarify_ops.components.airflow import (
    ExplainOperator,
    PosttrainingBiasOperator,
    PretrainingBiasOperator,
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
    RegisterOperator(
        task_id="register",
        pretraining_bias=before.output,
        training=trained.output,
        posttraining_bias=after.output,
        explanations=explained.output,
        registry_uri="{{ params.registry_uri or '' }}",
        output_folder=f"{RUN}/release",
        **SAME,
    )

if __name__ == "__main__":
    dag.test()

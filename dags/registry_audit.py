"""Audits the registry every night on Airflow: one task, which fails when a version or an alias has no valid evidence.

A registry cannot veto: whoever may write to it can make a version or move an alias. The task's message names the first
finding; all of them are in audit.json.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from airflow.sdk import DAG, Param

from clarify_ops.components.airflow import AuditOperator

OPTIONAL = ["null", "string"]

with DAG(
    dag_id="registry_audit",
    description="Lists versions and aliases of the model registry without valid evidence, every night.",
    schedule="15 2 * * *",
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    # The registry is looked at as it is now: nights that were missed tell nothing more.
    catchup=False,
    max_active_runs=1,
    tags=["clarify_ops"],
    params={
        "registry_uri": Param(None, type=OPTIONAL, description="The registry: an MLflow tracking URI, or S3."),
        "pipeline": Param(None, type=OPTIONAL, description="Path of a pipeline document, whose registry is meant."),
        "model": Param(None, type=OPTIONAL, description="The registered model; all models by default."),
        "output": Param("runs", type="string", description="Folder of the runs; each run makes one in it."),
    },
    # For a registry that does not answer. A finding fails at once: trying again would not make it valid.
    default_args={"retries": 2, "retry_delay": timedelta(minutes=1)},
) as dag:
    # With demote=True the aliases are taken from what is found. Look at some audits before you let it.
    AuditOperator(
        task_id="audit",
        registry_uri="{{ params.registry_uri or '' }}",
        pipeline="{{ params.pipeline or '' }}",
        model="{{ params.model or '' }}",
        output_folder="{{ params.output }}/{{ run_id }}/audit",
    )

if __name__ == "__main__":
    dag.test()

"""An audit of a registry that a connection names."""

from __future__ import annotations

from airflow.sdk import DAG, Param

from clarify_ops.components.airflow import AuditOperator

with DAG("audit_by_connection", schedule=None, params={"output": Param("runs", type="string")}) as dag:
    AuditOperator(
        task_id="audit", registry_conn_id="registry", output_folder="{{ params.output }}/{{ run_id }}/audit", retries=0
    )

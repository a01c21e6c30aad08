"""Deploys a model once a person has promoted it: runs when a version was registered, and waits until it is champion.

Nobody deploys past the gate: the version's evidence is brought from the registry and verified before the task after it starts.
"""

from __future__ import annotations

import os
from datetime import timedelta
from typing import Any

from airflow.sdk import DAG, task

from clarify_ops.components.airflow import RegisteredVersionSensor, registered_model

MODEL = os.environ.get("MODEL_TO_DEPLOY", "mortgage-approval")
REGISTRY = os.environ.get("MLFLOW_TRACKING_URI", "http://mlflow:5000")
# The version of the last event that started this run; started by hand there is none, and any champion will do.
REGISTERED = """{% for events in triggering_asset_events.values() -%}
{{ events[-1].extra.version if loop.first }}
{%- endfor %}"""


@task
def deploy(version: Any) -> str:
    """Here stands what brings a model to those who ask it."""
    address = f"models:/{version['model']}/{version['version']}"
    print(f"Deploying {address}, whose evidence is {version['evidence']}.")
    return address


with DAG(
    dag_id="champion_deployment",
    description="Waits until a registered version is champion, and deploys it.",
    # An event of this Asset is a registration; `register` of gated_training makes one.
    schedule=[registered_model(MODEL, REGISTRY)],
    catchup=False,
    tags=["clarify_ops"],
    default_args={"retries": 2, "retry_delay": timedelta(minutes=1)},
) as dag:
    promoted = RegisteredVersionSensor(
        task_id="promoted",
        model=MODEL,
        version=REGISTERED,
        registry_uri=REGISTRY,
        # Days, but no worker: the triggerer waits.
        deferrable=True,
        timeout=timedelta(days=7).total_seconds(),
        poke_interval=60,
    )
    deploy(promoted.output)

if __name__ == "__main__":
    dag.test()

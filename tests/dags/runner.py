"""Runs a DAG to its end, in a process of its own: Airflow rearranges logging, signals and the database of its process.

Usage: python -m tests.dags.runner DAG_ID CONF_AS_JSON OUTPUT_FILE
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from airflow.dag_processing.dagbag import DagBag
from airflow.models.xcom import XComModel
from airflow.sdk.configuration import conf
from airflow.utils.session import create_session
from sqlalchemy import select


def main(dag_id: str, settings: str, output: str) -> None:
    """Writes the state of the run and of its tasks."""
    bag = DagBag(conf.get("core", "dags_folder"))
    assert not bag.import_errors, bag.import_errors
    run = bag.dags[dag_id].test(run_conf=json.loads(settings))
    tasks = {one.task_id: [str(one.state), one.try_number] for one in run.get_task_instances()}
    with create_session() as session:
        pushed = session.scalars(select(XComModel).where(XComModel.run_id == run.run_id))
        told = {f"{one.task_id}.{one.key}": one.value for one in pushed}
    document = {"state": str(run.state), "run_id": run.run_id, "tasks": tasks, "told": told}
    Path(output).write_text(json.dumps(document), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])

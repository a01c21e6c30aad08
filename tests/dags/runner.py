"""Runs DAGs to their ends, in a process of their own: Airflow rearranges logging, signals and the database of its process.

Usage: python -m tests.dags.runner JOBS_FILE OUTPUT_FILE

The jobs are a list of [DAG id, configuration]; the output holds the state of each run and of its tasks, and what Airflow
keeps of them: XComs, rendered templates, events of Assets. Between two runs it prints MARK, for whoever reads the logs.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from airflow.dag_processing.dagbag import DagBag
from airflow.models.asset import AssetEvent
from airflow.models.renderedtifields import RenderedTaskInstanceFields
from airflow.models.xcom import XComModel
from airflow.sdk.configuration import conf
from airflow.utils.session import create_session
from sqlalchemy import select

MARK = "======== the next run ========"


def main(jobs: str, output: str) -> None:
    """Runs one job after the other."""
    bag = DagBag(conf.get("core", "dags_folder"))
    assert not bag.import_errors, bag.import_errors
    found = []
    for dag_id, settings in json.loads(Path(jobs).read_text(encoding="utf-8")):
        print(MARK, flush=True)
        found.append(run(bag, dag_id, settings))
    Path(output).write_text(json.dumps(found), encoding="utf-8")


def run(bag: DagBag, dag_id: str, settings: dict[str, str]) -> dict[str, Any]:
    """The state of a run and of its tasks."""
    made = bag.dags[dag_id].test(run_conf=settings)
    tasks = {one.task_id: [str(one.state), one.try_number] for one in made.get_task_instances()}
    with create_session() as session:
        pushed = session.scalars(select(XComModel).where(XComModel.run_id == made.run_id)).all()
        rendered = session.scalars(
            select(RenderedTaskInstanceFields).where(RenderedTaskInstanceFields.run_id == made.run_id)
        ).all()
        events = session.scalars(select(AssetEvent).where(AssetEvent.source_run_id == made.run_id)).all()
        return {
            "state": str(made.state),
            "run_id": made.run_id,
            "tasks": tasks,
            "told": {f"{one.task_id}.{one.key}": one.value for one in pushed},
            "rendered": {one.task_id: one.rendered_fields for one in rendered},
            "events": [[one.asset.uri, one.extra] for one in events],
        }


if __name__ == "__main__":
    main(*sys.argv[1:])
